//! Every text must be readable on every surface, in both themes: WCAG 2.2 contrast from the tokens themselves.

use std::collections::HashMap;

const TOKENS: &str = include_str!("../../style/tokens.css");
const TEXT: f64 = 4.5;
const CONTROL: f64 = 3.0;
const SURFACES: [&str; 3] = ["canvas", "surface", "sunken"];

/// Red, green and blue, linear, each from 0 to 1.
type Linear = [f64; 3];

#[test]
fn text_is_readable_on_every_surface() {
    for text in ["text", "muted", "accent-text", "danger", "warn", "ok", "proof"] {
        for surface in SURFACES {
            assert_contrast(text, surface, TEXT);
        }
    }
}

#[test]
fn text_is_readable_on_tinted_surfaces_and_buttons() {
    for tone in ["danger", "warn", "ok"] {
        let soft = format!("{tone}-soft");
        for text in ["text", "muted", "accent-text", tone] {
            assert_contrast(text, &soft, TEXT);
        }
    }
    for button in ["accent", "accent-hover"] {
        assert_contrast("accent-contrast", button, TEXT);
    }
    for button in ["danger-fill", "danger-hover"] {
        assert_contrast("danger-contrast", button, TEXT);
    }
}

#[test]
fn controls_stand_out_from_every_surface() {
    for control in
        ["control", "accent", "accent-hover", "danger", "danger-fill", "danger-hover", "warn", "ok", "proof", "focus"]
    {
        for surface in SURFACES {
            assert_contrast(control, surface, CONTROL);
        }
    }
}

#[test]
fn every_colour_can_be_shown() {
    for (name, themes) in tokens() {
        for colour in themes {
            assert!(
                colour.iter().all(|channel| (-0.001..=1.001).contains(channel)),
                "--{name} lies outside sRGB: {colour:?}"
            );
        }
    }
}

#[test]
fn black_on_white_is_21() {
    assert!((contrast(linear(0.0, 0.0, 0.0), linear(1.0, 0.0, 0.0)) - 21.0).abs() < 0.01);
}

fn assert_contrast(front: &str, back: &str, least: f64) {
    let tokens = tokens();
    for (theme, name) in ["light", "dark"].iter().enumerate() {
        let found = contrast(tokens[front][theme], tokens[back][theme]);
        assert!(found >= least, "--{front} on --{back} has {found:.2} in {name}, needs {least}");
    }
}

/// The light and the dark colour of each token written as `--name: light-dark(oklch(…), oklch(…));`.
fn tokens() -> HashMap<&'static str, [Linear; 2]> {
    let tokens: HashMap<_, _> = TOKENS.lines().filter_map(token).collect();
    assert_eq!(tokens.len(), TOKENS.matches("light-dark(").count(), "a token was not understood");
    tokens
}

fn token(line: &'static str) -> Option<(&'static str, [Linear; 2])> {
    let (name, value) = line.trim().strip_prefix("--")?.split_once(": light-dark(")?;
    let (light, dark) = value.strip_suffix(");")?.split_once(", ")?;
    Some((name, [oklch(light)?, oklch(dark)?]))
}

fn oklch(colour: &str) -> Option<Linear> {
    let mut parts = colour.strip_prefix("oklch(")?.strip_suffix(')')?.split(' ').map(str::parse);
    let mut next = || parts.next()?.ok();
    Some(linear(next()?, next()?, next()?))
}

/// OKLCH to linear sRGB, after Björn Ottosson.
fn linear(lightness: f64, chroma: f64, hue: f64) -> Linear {
    let (sin, cos) = hue.to_radians().sin_cos();
    let (a, b) = (chroma * cos, chroma * sin);
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
    ]
}

fn contrast(one: Linear, other: Linear) -> f64 {
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    one.max(other) / one.min(other)
}

fn luminance([red, green, blue]: Linear) -> f64 {
    0.2126 * red.clamp(0.0, 1.0) + 0.7152 * green.clamp(0.0, 1.0) + 0.0722 * blue.clamp(0.0, 1.0)
}
