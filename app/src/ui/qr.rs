//! A QR code, drawn as one path.

use leptos::prelude::*;
use qrcodegen::{QrCode, QrCodeEcc};

/// The light border that readers need, in modules.
const QUIET: i32 = 4;

/// The text as a QR code; nothing for a text that is too long for one, which is shown beside it in any case.
#[component]
pub fn Qr(
    /// What it says.
    #[prop(into)]
    text: String,
    /// What it is; read out.
    #[prop(into)]
    label: String,
) -> impl IntoView {
    QrCode::encode_text(&text, QrCodeEcc::Medium).ok().map(|code| {
        let side = code.size() + 2 * QUIET;
        view! {
            <svg class="qr" viewBox=format!("0 0 {side} {side}") role="img" aria-label=label shape-rendering="crispEdges">
                <rect class="qr-paper" width=side height=side/>
                <path class="qr-ink" d=drawn(&code)/>
            </svg>
        }
    })
}

fn drawn(code: &QrCode) -> String {
    let cells = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
    let dark = cells.filter(|(x, y)| code.get_module(*x, *y));
    dark.map(|(x, y)| format!("M{} {}h1v1h-1z", x + QUIET, y + QUIET)).collect()
}
