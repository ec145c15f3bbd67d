//! Who can do what, made from the one table of permissions.

use crate::{
    page::page,
    ui::{Column, Fact, Facts, PageHeader, Section, Table},
};
use leptos::prelude::*;
use send0_core::{
    AppError,
    audit_log::Action,
    members::{MemberView, operations},
    permissions::{Permission, Role},
};

/// `/w/{slug}/roles`.
#[component]
pub fn Roles() -> impl IntoView {
    page("Roles", "members", |inside| async move {
        operations::may_read(&inside.visit.ctx, &inside.actor, Action::PageViewed).await?;
        let own = inside.here.role;
        Ok::<_, AppError>(view! {
            <PageHeader title="Who can do what" subtitle=format!("You are {} here. The console refuses whatever has no mark.", crate::page::with_article(own))/>
            {matrix()}
            <Section id="roles" title="The six roles">
                <Facts>{Role::ALL.into_iter().map(|role| view! { <Fact label=role.as_str()>{role.sentence()}</Fact> }).collect_view()}</Facts>
            </Section>
        })
    })
}

fn matrix() -> impl IntoView {
    let mut head = vec![Column::text("Permission")];
    head.extend(["owner", "admin", "developer", "security", "billing", "viewer", "as key scope"].map(Column::mark));
    let rows = Permission::ALL.iter().map(|permission| {
        let marks = Role::ALL.into_iter().map(|role| mark(role.as_str(), role.may(*permission)));
        view! {
            <tr>
                <th scope="row"><code>{permission.as_str()}</code><br/><span class="meta">{permission.sentence()}</span></th>
                {marks.collect_view()}
                {mark("as key scope", permission.is_scope())}
            </tr>
        }
    });
    view! { <Table caption="Permissions by role" head>{rows.collect_view()}</Table> }
}

fn mark(column: &'static str, yes: bool) -> impl IntoView {
    let (sign, word, class) = if yes { ("✓", "yes", "mark mark-yes") } else { ("–", "no", "mark") };
    view! { <td data-label=column class=class><span aria-hidden="true">{sign}</span><span class="sr-only">{word}</span></td> }
}

/// What one member can do, and what they cannot.
pub fn abilities(member: &MemberView) -> impl IntoView + use<> {
    let list = |may: bool| {
        let permissions = Permission::ALL.iter().filter(|permission| member.role.may(**permission) == may);
        permissions.map(|permission| view! { <li>{permission.sentence()}</li> }).collect_view()
    };
    let (can, cannot) = (list(true), list(false));
    let all = Permission::ALL.iter().all(|permission| member.role.may(*permission));
    let cannot = (!all).then(|| view! { <h3>"Cannot"</h3><ul class="plain-list meta">{cannot}</ul> });
    view! {
        <Section id="abilities" title=format!("What {} can do here", member.name)>
            <ul class="plain-list">{can}</ul>
            {cannot}
        </Section>
    }
}
