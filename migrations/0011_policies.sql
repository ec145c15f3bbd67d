-- What a workspace demands of its members before they come in.

create table policies (
    workspace_id uuid primary key,
    require_two_factor boolean not null,
    -- Demanded with it: one that signs in with a passkey.
    require_passkey boolean not null,
    grace_days integer not null constraint policies_grace_days check (grace_days between 1 and 30),
    changed_at timestamptz not null,
    constraint policies_passkey_is_a_factor check (require_two_factor or not require_passkey)
);

-- Until when somebody may come in without. Set once, when it is demanded of them; nothing that they or others do moves it.
alter table members add column factor_due_at timestamptz;

alter table policies enable row level security, force row level security;
create policy tenant on policies to send0_app, send0_worker
    using (workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid)
    with check (workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid);
create policy lookup on policies for select to send0_lookup using (true);
grant select, insert, update on policies to send0_app;
grant select on policies to send0_lookup;

-- This one says more than it used to.
set local role send0_lookup;
drop function account_memberships;
set local role send0_owner;

create function account_memberships(p_user_id uuid)
    returns table (
        workspace_id uuid, slug text, workspace_name text, member_id uuid, role text, last_seen_at timestamptz,
        require_two_factor boolean, require_passkey boolean, factor_due_at timestamptz
    )
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select m.workspace_id, w.slug, w.name, m.member_id, m.role, m.last_seen_at,
            coalesce(p.require_two_factor, false), coalesce(p.require_passkey, false), m.factor_due_at
        from member_directory d
            join members m on m.workspace_id = d.workspace_id and m.user_id = d.user_id
            join workspaces w on w.workspace_id = d.workspace_id
            left join policies p on p.workspace_id = d.workspace_id
        where d.user_id = p_user_id order by w.name, w.workspace_id
    $$;

-- What the members of the workspace of the transaction can show besides a password.
create function workspace_factors() returns table (user_id uuid, totp boolean, passkeys bigint)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select m.user_id, exists (select from totp_factors f where f.user_id = m.user_id and f.confirmed_at is not null),
            (select count(*) from passkeys k where k.user_id = m.user_id)
        from members m where m.workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid
    $$;

revoke all on function account_memberships, workspace_factors from public;
grant execute on function account_memberships to send0_auth;
grant execute on function workspace_factors to send0_app;
alter function account_memberships owner to send0_lookup;
alter function workspace_factors owner to send0_lookup;
