//! The page itself.

use super::{data, feedback, fields};
use crate::{
    page::dev_page,
    ui::{PageHeader, Tab, Tabs},
};
use leptos::prelude::*;
use send0_core::AppError;

/// `/dev/kit`.
#[component]
pub fn Kit() -> impl IntoView {
    dev_page("Kit", |visit| async move {
        let now = visit.ctx.clock.now();
        let tab =
            |label: &str, current| Tab { label: label.into(), href: format!("#{}", label.to_lowercase()), current };
        Ok::<_, AppError>(view! {
            <PageHeader title="Kit" subtitle="Every part in every state. Only this machine can see it."/>
            <Tabs label="Parts" tabs=vec![tab("Fields", true), tab("Data", false), tab("Feedback", false)]/>
            {fields::shown()}
            {data::shown(now)}
            {feedback::shown()}
        })
    })
}
