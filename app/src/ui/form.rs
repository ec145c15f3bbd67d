//! The fields of a form. What was typed and what was wrong come from the form; the parts only show them.
//! The id of a field is its name, so that an error summary can link to it.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// One of several values to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    value: String,
    label: String,
    hint: Option<String>,
}

impl Choice {
    /// A choice that sends `value` and shows `label`.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), hint: None }
    }

    /// What the choice means; shown on cards and under checkboxes.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Label, hint and error around a control.
#[component]
fn Field(
    name: &'static str,
    label: String,
    hint: Option<String>,
    error: Option<String>,
    required: bool,
    control: AnyView,
) -> impl IntoView {
    view! {
        <div class="field">
            <label class="label" for=name>{label}{optional(required)}</label>
            {hint_line(name, hint)}
            {control}
            {error_line(name, error)}
        </div>
    }
}

/// A line of text.
#[component]
pub fn TextField(
    /// Name and id.
    name: &'static str,
    /// Says what to type.
    #[prop(into)]
    label: String,
    /// How the browser treats it: `text`, `email`, `url`, `number`, `date`.
    #[prop(default = "text")]
    kind: &'static str,
    /// Helps to fill it in.
    #[prop(optional, into)]
    hint: Option<String>,
    /// What was typed.
    #[prop(optional, into)]
    value: String,
    /// What was wrong with it.
    #[prop(optional_no_strip, into)]
    error: Option<String>,
    /// What the browser may fill in.
    #[prop(optional)]
    autocomplete: Option<&'static str>,
    /// The keyboard of a phone: `numeric`, `email`.
    #[prop(optional)]
    inputmode: Option<&'static str>,
    /// Without it, the label says "optional".
    #[prop(optional)]
    required: bool,
    /// For ids, keys and addresses.
    #[prop(optional)]
    mono: bool,
    /// The first field of a page that is nothing but a form.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    let (described, invalid) = described(name, hint.is_some(), error.is_some());
    let class = if mono { "input mono" } else { "input" };
    let control = view! {
        <input class=class id=name name=name type=kind value=value autocomplete=autocomplete inputmode=inputmode required=required
            autofocus=autofocus spellcheck=mono.then_some("false") aria-describedby=described aria-invalid=invalid/>
    }
    .into_any();
    view! { <Field name label hint error required control/> }
}

/// A password. What was typed never comes back.
#[component]
pub fn PasswordField(
    /// Name and id.
    name: &'static str,
    /// Says which password.
    #[prop(into)]
    label: String,
    /// Helps to choose one.
    #[prop(optional, into)]
    hint: Option<String>,
    /// What was wrong with it.
    #[prop(optional_no_strip, into)]
    error: Option<String>,
    /// `current-password` or `new-password`.
    #[prop(default = "current-password")]
    autocomplete: &'static str,
) -> impl IntoView {
    let (described, invalid) = described(name, hint.is_some(), error.is_some());
    let control = view! {
        <input class="input" id=name name=name type="password" autocomplete=autocomplete required=true
            aria-describedby=described aria-invalid=invalid/>
    }
    .into_any();
    view! { <Field name label hint error required=true control/> }
}

/// One of many values, chosen from a list.
#[component]
pub fn Select(
    /// Name and id.
    name: &'static str,
    /// Says what to choose.
    #[prop(into)]
    label: String,
    /// The choices.
    choices: Vec<Choice>,
    /// Helps to choose.
    #[prop(optional, into)]
    hint: Option<String>,
    /// The chosen value.
    #[prop(optional, into)]
    value: String,
    /// What was wrong with it.
    #[prop(optional_no_strip, into)]
    error: Option<String>,
    /// Without it, the label says "optional".
    #[prop(optional)]
    required: bool,
) -> impl IntoView {
    let (described, invalid) = described(name, hint.is_some(), error.is_some());
    let control = view! {
        <span class="select">
            <select class="input" id=name name=name required=required aria-describedby=described aria-invalid=invalid>
                {options(choices, &value)}
            </select>
            <Icon glyph=Glyph::Chevron/>
        </span>
    }
    .into_any();
    view! { <Field name label hint error required control/> }
}

/// Several lines of text.
#[component]
pub fn TextArea(
    /// Name and id.
    name: &'static str,
    /// Says what to type.
    #[prop(into)]
    label: String,
    /// Helps to fill it in.
    #[prop(optional, into)]
    hint: Option<String>,
    /// What was typed.
    #[prop(optional, into)]
    value: String,
    /// What was wrong with it.
    #[prop(optional_no_strip, into)]
    error: Option<String>,
    /// Lines shown.
    #[prop(default = 5)]
    rows: u16,
    /// Without it, the label says "optional".
    #[prop(optional)]
    required: bool,
    /// For ids, keys and addresses.
    #[prop(optional)]
    mono: bool,
) -> impl IntoView {
    let (described, invalid) = described(name, hint.is_some(), error.is_some());
    let class = if mono { "input mono" } else { "input" };
    let control = view! {
        <textarea class=class id=name name=name rows=rows required=required spellcheck=mono.then_some("false")
            aria-describedby=described aria-invalid=invalid inner_html=textarea_html(&value)/>
    }
    .into_any();
    view! { <Field name label hint error required control/> }
}

/// Leptos 0.8 does not escape the children of a `<textarea>`. The parser drops one leading line break, so that one is added.
fn textarea_html(value: &str) -> String {
    format!("\n{}", value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

/// Yes or no. Sends `true`, or nothing.
#[component]
pub fn Checkbox(
    /// Name and id.
    name: &'static str,
    /// Says what yes means.
    #[prop(into)]
    label: String,
    /// What follows from yes.
    #[prop(optional, into)]
    hint: Option<String>,
    /// Whether it is yes.
    #[prop(optional)]
    checked: bool,
    /// What was wrong with it.
    #[prop(optional_no_strip, into)]
    error: Option<String>,
    /// The form cannot be sent without it.
    #[prop(optional)]
    required: bool,
) -> impl IntoView {
    let (described, invalid) = described(name, hint.is_some(), error.is_some());
    view! {
        <div class="choice">
            <input type="checkbox" id=name name=name value="true" checked=checked required=required
                aria-describedby=described aria-invalid=invalid/>
            <label class="choice-label" for=name>{label}</label>
            {hint_line(name, hint)}
            {error_line(name, error)}
        </div>
    }
}

/// Any of several values.
#[component]
pub fn CheckboxGroup(
    /// Id of the group; the boxes send their values under `name[]`.
    name: &'static str,
    /// Says what is chosen.
    #[prop(into)]
    legend: String,
    /// The choices.
    choices: Vec<Choice>,
    /// The chosen values.
    #[prop(optional)]
    values: Vec<String>,
    /// Helps to choose.
    #[prop(optional, into)]
    hint: Option<String>,
    /// What was wrong.
    #[prop(optional_no_strip, into)]
    error: Option<String>,
) -> impl IntoView {
    let (described, invalid) = described(name, hint.is_some(), error.is_some());
    let boxes = choices.into_iter().enumerate().map(|(index, choice)| {
        let checked = values.contains(&choice.value);
        view! {
            <label class="choice">
                <input type="checkbox" id=choice_id(name, index) name=format!("{name}[]") value=choice.value checked=checked aria-invalid=invalid/>
                <span class="choice-label">{choice.label}</span>
                {choice.hint.map(|hint| view! { <span class="hint">{hint}</span> })}
            </label>
        }
    });
    view! {
        <fieldset class="field" aria-describedby=described>
            <legend class="label">{legend}</legend>
            {hint_line(name, hint)}
            <div class="choices">{boxes.collect_view()}</div>
            {error_line(name, error)}
        </fieldset>
    }
}

/// One of a few values that need explaining.
#[component]
pub fn RadioCards(
    /// Name; the first card has it as its id.
    name: &'static str,
    /// Says what is chosen.
    #[prop(into)]
    legend: String,
    /// The choices.
    choices: Vec<Choice>,
    /// The chosen value.
    #[prop(optional, into)]
    value: String,
    /// Helps to choose.
    #[prop(optional, into)]
    hint: Option<String>,
    /// What was wrong.
    #[prop(optional_no_strip, into)]
    error: Option<String>,
) -> impl IntoView {
    let (described, invalid) = described(name, hint.is_some(), error.is_some());
    let cards = choices.into_iter().enumerate().map(|(index, choice)| {
        let checked = choice.value == value;
        view! {
            <label class="choice choice-card">
                <input type="radio" id=choice_id(name, index) name=name value=choice.value checked=checked required=true/>
                <span class="choice-label">{choice.label}</span>
                {choice.hint.map(|hint| view! { <span class="hint">{hint}</span> })}
            </label>
        }
    });
    view! {
        <fieldset class="field" role="radiogroup" aria-describedby=described aria-invalid=invalid>
            <legend class="label">{legend}</legend>
            {hint_line(name, hint)}
            <div class="choices">{cards.collect_view()}</div>
            {error_line(name, error)}
        </fieldset>
    }
}

/// What was wrong with a form, on top of it, with links to the fields.
#[component]
pub fn ErrorSummary(
    /// The error as a whole: "The key was not issued".
    #[prop(into)]
    message: String,
    /// Field id and message of each error.
    #[prop(optional)]
    errors: Vec<(String, String)>,
) -> impl IntoView {
    let links = errors
        .into_iter()
        .map(|(id, message)| view! { <li><a href=format!("#{id}")>{message}</a></li> })
        .collect::<Vec<_>>();
    view! {
        <div class="summary" role="alert" tabindex="-1" autofocus=true>
            <p><Icon glyph=Glyph::Warning/>{message}</p>
            {(!links.is_empty()).then(|| view! { <ul>{links}</ul> })}
        </div>
    }
}

pub(super) fn options(choices: Vec<Choice>, value: &str) -> impl IntoView + use<> {
    choices
        .into_iter()
        .map(|choice| {
            let selected = choice.value == value;
            view! { <option value=choice.value selected=selected>{choice.label}</option> }
        })
        .collect_view()
}

fn optional(required: bool) -> Option<impl IntoView> {
    (!required).then(|| view! { <span class="optional">"optional"</span> })
}

fn hint_line(name: &str, hint: Option<String>) -> Option<impl IntoView + use<>> {
    hint.map(|hint| view! { <p class="hint" id=format!("{name}-hint")>{hint}</p> })
}

fn error_line(name: &str, error: Option<String>) -> Option<impl IntoView + use<>> {
    error.map(|error| view! { <p class="error" id=format!("{name}-error")><Icon glyph=Glyph::Warning/>{error}</p> })
}

/// The first choice carries the name as its id: that is where an error summary leads.
fn choice_id(name: &str, index: usize) -> String {
    if index == 0 { name.to_owned() } else { format!("{name}-{index}") }
}

/// `aria-describedby` and `aria-invalid` of a control.
fn described(name: &str, hint: bool, error: bool) -> (Option<String>, Option<&'static str>) {
    let ids = match (hint, error) {
        (true, true) => Some(format!("{name}-hint {name}-error")),
        (true, false) => Some(format!("{name}-hint")),
        (false, true) => Some(format!("{name}-error")),
        (false, false) => None,
    };
    (ids, error.then_some("true"))
}
