-- Invitations, mail, what a person sets for themselves, and who answers for a key.

create table invitations (
    workspace_id uuid not null,
    invitation_id uuid not null,
    email text not null,
    role text not null constraint invitations_role check (role in ('owner', 'admin', 'developer', 'security', 'billing', 'viewer')),
    -- Empty: the command line of the server.
    invited_by uuid,
    created_at timestamptz not null,
    sent_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (workspace_id, invitation_id),
    constraint invitations_email_key unique (workspace_id, email)
);

-- Found by the hash of its token, before the tenant is known. One token per invitation: a new one voids the one before.
create table invitation_directory (
    token_hash bytea primary key constraint invitation_directory_hash_length check (octet_length(token_hash) = 32),
    workspace_id uuid not null,
    invitation_id uuid not null,
    constraint invitation_directory_invitation_key unique (workspace_id, invitation_id)
);

-- Mail on its way out, sealed: it holds links that let somebody in.
create table mails (
    mail_id uuid primary key,
    workspace_id uuid not null,
    sealed bytea not null,
    created_at timestamptz not null
);
create index mails_created on mails (created_at);

-- A new mail address, until both the old and the new one have said yes.
create table address_changes (
    user_id uuid primary key,
    email text not null,
    old_hash bytea not null constraint address_changes_old_hash_key unique,
    new_hash bytea not null constraint address_changes_new_hash_key unique,
    old_confirmed boolean not null default false,
    new_confirmed boolean not null default false,
    expires_at timestamptz not null
);

alter table users
    -- Empty: that of the browser.
    add column time_zone text not null default '' constraint users_time_zone_length check (length(time_zone) <= 64),
    add column theme text not null default 'system' constraint users_theme check (theme in ('system', 'light', 'dark'));

alter table members add column last_seen_at timestamptz;

-- Who answers for a key. Empty: the owners of the workspace.
alter table api_keys add column responsible uuid;
alter table api_keys no force row level security;
update api_keys set responsible = created_by;
alter table api_keys force row level security;

alter table invitations enable row level security, force row level security;
create policy tenant on invitations to send0_app, send0_worker
    using (workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid)
    with check (workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid);
create policy lookup on invitations for select to send0_lookup using (true);
create policy seen on members for update to send0_lookup using (true) with check (true);

grant select, insert, update, delete on invitations to send0_app;
grant update (responsible) on api_keys to send0_app;
grant select on invitations to send0_lookup;
grant update (last_seen_at) on members to send0_lookup;
grant delete on member_directory to send0_lookup;
grant update (name, email, password_hash, time_zone, theme) on users to send0_lookup;
grant select, insert, delete on invitation_directory, mails to send0_lookup;
grant select, insert, update, delete on address_changes to send0_lookup;

-- These say more than they used to.
set local role send0_lookup;
drop function session_find;
drop function account_memberships;
drop function expired_purge;
set local role send0_owner;

create function account_memberships(p_user_id uuid)
    returns table (workspace_id uuid, slug text, workspace_name text, member_id uuid, role text, last_seen_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select m.workspace_id, w.slug, w.name, m.member_id, m.role, m.last_seen_at
        from member_directory d
            join members m on m.workspace_id = d.workspace_id and m.user_id = d.user_id
            join workspaces w on w.workspace_id = d.workspace_id
        where d.user_id = p_user_id order by w.name, w.workspace_id
    $$;

create function member_seen(p_workspace_id uuid, p_user_id uuid, p_now timestamptz) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$ update members set last_seen_at = p_now where workspace_id = p_workspace_id and user_id = p_user_id $$;

create function member_unregister(p_user_id uuid) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        delete from member_directory
        where user_id = p_user_id and workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid
    $$;

-- The living session: idle at most 30 minutes, 12 hours old at most. Seeing it keeps it alive.
create function session_find(p_hash bytea, p_now timestamptz)
    returns table (session_id uuid, user_id uuid, name text, email text, created_at timestamptz, time_zone text, theme text)
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    update sessions s set last_seen_at = p_now
        where s.session_hash = p_hash and s.last_seen_at < p_now - interval '1 minute'
            and s.last_seen_at > p_now - interval '30 minutes';
    return query
        select s.session_id, s.user_id, u.name, u.email, s.created_at, u.time_zone, u.theme
        from sessions s join users u on u.user_id = s.user_id
        where s.session_hash = p_hash
            and s.last_seen_at > p_now - interval '30 minutes' and s.created_at > p_now - interval '12 hours';
end $$;

create function sessions_end_others(p_user_id uuid, p_session_id uuid) returns bigint
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_count bigint;
begin
    delete from sessions where user_id = p_user_id and session_id <> p_session_id;
    get diagnostics v_count = row_count;
    return v_count;
end $$;

-- Accounts -----------------------------------------------------------------------------------------------------

create function account_password(p_user_id uuid) returns text
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select password_hash from users where user_id = p_user_id $$;

create function account_set_password(p_user_id uuid, p_password_hash text) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$ update users set password_hash = p_password_hash where user_id = p_user_id $$;

create function account_set(p_user_id uuid, p_name text, p_time_zone text, p_theme text) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$ update users set name = p_name, time_zone = p_time_zone, theme = p_theme where user_id = p_user_id $$;

-- One change at a time: a new one voids the one before.
create function address_change_start(p_user_id uuid, p_email text, p_old_hash bytea, p_new_hash bytea, p_expires_at timestamptz) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        delete from address_changes where user_id = p_user_id;
        insert into address_changes (user_id, email, old_hash, new_hash, expires_at)
            values (p_user_id, p_email, p_old_hash, p_new_hash, p_expires_at)
    $$;

create function address_change_cancel(p_user_id uuid) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$ begin delete from address_changes where user_id = p_user_id; return found; end $$;

create function address_change_pending(p_user_id uuid, p_now timestamptz)
    returns table (email text, old_confirmed boolean, new_confirmed boolean, expires_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select c.email, c.old_confirmed, c.new_confirmed, c.expires_at from address_changes c
        where c.user_id = p_user_id and c.expires_at > p_now
    $$;

create function address_change_find(p_hash bytea, p_now timestamptz)
    returns table (user_id uuid, name text, old_email text, email text, by_new boolean, confirmed boolean)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select c.user_id, u.name, u.email, c.email, c.new_hash = p_hash, case when c.new_hash = p_hash then c.new_confirmed else c.old_confirmed end
        from address_changes c join users u on u.user_id = c.user_id
        where (c.old_hash = p_hash or c.new_hash = p_hash) and c.expires_at > p_now
    $$;

-- One of the two says yes. With the second one the address changes; true then.
create function address_change_confirm(p_hash bytea, p_now timestamptz) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_change address_changes;
begin
    update address_changes
        set old_confirmed = old_confirmed or old_hash = p_hash, new_confirmed = new_confirmed or new_hash = p_hash
        where (old_hash = p_hash or new_hash = p_hash) and expires_at > p_now
        returning * into v_change;
    if v_change.old_confirmed and v_change.new_confirmed then
        update users set email = v_change.email where user_id = v_change.user_id;
        delete from address_changes where user_id = v_change.user_id;
        return true;
    end if;
    return false;
end $$;

-- Invitations --------------------------------------------------------------------------------------------------

create function invitation_register(p_hash bytea, p_invitation_id uuid) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        delete from invitation_directory
            where workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid and invitation_id = p_invitation_id;
        insert into invitation_directory (token_hash, workspace_id, invitation_id)
            values (p_hash, nullif(current_setting('send0.workspace_id', true), '')::uuid, p_invitation_id)
    $$;

create function invitation_unregister(p_invitation_id uuid) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        delete from invitation_directory
            where workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid and invitation_id = p_invitation_id
    $$;

create function invitation_find(p_hash bytea, p_now timestamptz)
    returns table (
        workspace_id uuid, slug text, workspace_name text, invitation_id uuid, email text, role text, inviter text,
        expires_at timestamptz, user_id uuid
    )
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select i.workspace_id, w.slug, w.name, i.invitation_id, i.email, i.role, inviter.name, i.expires_at, u.user_id
        from invitation_directory d
            join invitations i on i.workspace_id = d.workspace_id and i.invitation_id = d.invitation_id
            join workspaces w on w.workspace_id = d.workspace_id
            left join users inviter on inviter.user_id = i.invited_by
            left join users u on u.email = i.email
        where d.token_hash = p_hash and i.expires_at > p_now
    $$;

-- True once: the row lock makes two that come at once wait for each other.
create function invitation_take(p_hash bytea) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    delete from invitation_directory
        where token_hash = p_hash and workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid;
    return found;
end $$;

-- Mail ---------------------------------------------------------------------------------------------------------

create function mail_put(p_mail_id uuid, p_workspace_id uuid, p_sealed bytea, p_now timestamptz) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$ insert into mails (mail_id, workspace_id, sealed, created_at) values (p_mail_id, p_workspace_id, p_sealed, p_now) $$;

create function mail_list(p_limit integer) returns table (mail_id uuid, workspace_id uuid, sealed bytea, created_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select m.mail_id, m.workspace_id, m.sealed, m.created_at from mails m order by m.created_at desc, m.mail_id desc limit p_limit $$;

-- Housekeeping -------------------------------------------------------------------------------------------------

create function expired_purge(p_now timestamptz) returns bigint
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_total bigint := 0;
    v_count bigint;
begin
    delete from sessions where created_at < p_now - interval '12 hours' or last_seen_at < p_now - interval '30 minutes';
    get diagnostics v_count = row_count;
    v_total := v_total + v_count;
    delete from flashes where expires_at < p_now;
    get diagnostics v_count = row_count;
    v_total := v_total + v_count;
    delete from throttles where last_at < p_now - interval '1 day' and blocked_until < p_now;
    get diagnostics v_count = row_count;
    v_total := v_total + v_count;
    delete from address_changes where expires_at < p_now;
    get diagnostics v_count = row_count;
    v_total := v_total + v_count;
    delete from mails where created_at < p_now - interval '7 days';
    get diagnostics v_count = row_count;
    return v_total + v_count;
end $$;

-- Rights first: once handed over, the owner of the schema has no say over them.
do $$
declare signature text;
begin
    for signature in
        select p.oid::regprocedure::text from pg_proc p
        where p.pronamespace = 'public'::regnamespace and p.prosecdef and p.proowner = 'send0_owner'::regrole
    loop
        execute format('revoke all on function %s from public', signature);
    end loop;
end $$;

grant execute on function
    account_memberships, member_seen, session_find, sessions_end_others, account_password, account_set_password, account_set,
    address_change_start, address_change_cancel, address_change_pending, address_change_find, address_change_confirm,
    invitation_find, mail_put, mail_list
    to send0_auth;
grant execute on function
    member_unregister, invitation_register, invitation_unregister, invitation_take, mail_put
    to send0_app;
grant execute on function expired_purge to send0_worker;

do $$
declare signature text;
begin
    for signature in
        select p.oid::regprocedure::text from pg_proc p
        where p.pronamespace = 'public'::regnamespace and p.prosecdef and p.proowner = 'send0_owner'::regrole
    loop
        execute format('alter function %s owner to send0_lookup', signature);
    end loop;
end $$;
