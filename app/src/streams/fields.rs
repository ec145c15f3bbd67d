//! The fields that say where a stream goes: the same for a new one and for one that is changed.

use crate::{
    forms::FormState,
    ui::{TextArea, TextField},
};
use leptos::prelude::*;
use send0_core::streams::{Kind, NAME_MAX, StreamView, Target};

/// What the fields hold before anybody types: nothing, or the stream as it is.
fn present(stream: Option<&StreamView>, field: &str) -> String {
    let Some(stream) = stream else {
        return if field == "region" { "us-east-1".into() } else { String::new() };
    };
    match (field, &stream.target) {
        ("name", _) => stream.name.clone(),
        ("authorities", _) => stream.authorities.clone(),
        ("url", target) => target.address().to_owned(),
        ("index", Target::Splunk { index, .. } | Target::Elastic { index, .. }) => index.clone(),
        ("bucket", Target::S3 { bucket, .. }) => bucket.clone(),
        ("region", Target::S3 { region, .. }) => region.clone(),
        ("prefix", Target::S3 { prefix, .. }) => prefix.clone(),
        ("access_key", Target::S3 { access_key, .. }) => access_key.clone(),
        _ => String::new(),
    }
}

/// The fields of a kind of target.
pub fn fields(form: &FormState, kind: Kind, stream: Option<&StreamView>) -> AnyView {
    let value = |field: &str| if form.is_refused() { form.value(field) } else { present(stream, field) };
    let (label, hint) = address(kind);
    let authorities = "Only for a target whose certificate no public authority has issued: the certificates of its own \
        authority, in PEM. Then these are accepted, and no others.";
    view! {
        <TextField name="name" label="Name" hint=format!("For your colleagues and the audit log. At most {NAME_MAX} characters.") required=true
            autocomplete="off" value=value("name") error=form.error("name")/>
        <TextField name="url" label hint required=true mono=true autocomplete="off" value=value("url") error=form.error("url")/>
        {index(form, kind, value("index"))}
        {(kind == Kind::S3).then(|| bucket(form, &value))}
        {secret(form, kind, stream.is_some())}
        <TextArea name="authorities" label="Authorities" hint=authorities mono=true rows=4 value=value("authorities") error=form.error("authorities")/>
    }
    .into_any()
}

fn address(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Https => ("Address", "Where the lines are posted to, such as https://siem.example.com/send0."),
        Kind::Splunk => (
            "Address of the collector",
            "Such as https://http-inputs-acme.splunkcloud.com or https://splunk.example.com:8088. Without a path, the usual one is meant.",
        ),
        Kind::Elastic => ("Address of the cluster", "Such as https://acme.es.eu-central-1.aws.elastic.cloud."),
        Kind::Datadog => ("Address of the intake", "That of your site, such as https://http-intake.logs.datadoghq.eu."),
        Kind::Syslog => ("Host and port", "Such as logs.example.com:6514. TLS is always spoken."),
        Kind::S3 => ("Address of the service", "Such as https://s3.eu-central-1.amazonaws.com, without the bucket."),
    }
}

fn index(form: &FormState, kind: Kind, value: String) -> Option<AnyView> {
    let (label, hint, required) = match kind {
        Kind::Splunk => ("Index", "Leave it empty for the index of the token.", false),
        Kind::Elastic => {
            ("Index", "An index, an alias or a data stream. The API key needs no more than to create in it.", true)
        }
        _ => return None,
    };
    let error = form.error("index");
    Some(view! { <TextField name="index" label hint required mono=true autocomplete="off" value error/> }.into_any())
}

fn bucket(form: &FormState, value: &dyn Fn(&str) -> String) -> AnyView {
    view! {
        <TextField name="bucket" label="Bucket" required=true mono=true autocomplete="off" value=value("bucket") error=form.error("bucket")/>
        <TextField name="region" label="Region" required=true mono=true autocomplete="off" value=value("region") error=form.error("region")/>
        <TextField name="prefix" label="Names begin with" hint="Such as send0/. The id of the workspace and the day follow." mono=true
            autocomplete="off" value=value("prefix") error=form.error("prefix")/>
        <TextField name="access_key" label="Access key id" hint="Of somebody who may put objects here, and needs nothing else." required=true
            mono=true autocomplete="off" value=value("access_key") error=form.error("access_key")/>
    }
    .into_any()
}

/// What is typed here is never shown again, not to whoever typed it either.
fn secret(form: &FormState, kind: Kind, is_there: bool) -> Option<AnyView> {
    let label = kind.secret_label()?;
    let hint = match is_there {
        true => "Leave it empty to keep the one that is there, which is shown to nobody.",
        false => "Kept sealed. It is never shown again, only replaced.",
    };
    let error = form.error("secret");
    Some(
        view! { <TextField name="secret" label hint kind="password" required=!is_there autocomplete="new-password" error/> }
            .into_any(),
    )
}
