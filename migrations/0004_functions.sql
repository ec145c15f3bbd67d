-- The only ways across tenants, and to what lies outside them. Owned by send0_lookup, which can log in nowhere.
-- p_now comes from the caller: tests set the clock.

-- Accounts -----------------------------------------------------------------------------------------------------

create function account_find(p_email text) returns table (user_id uuid, name text, email text, password_hash text)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select u.user_id, u.name, u.email, u.password_hash from users u where u.email = p_email $$;

create function account_create(p_user_id uuid, p_email text, p_name text, p_password_hash text, p_now timestamptz) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$ insert into users (user_id, email, name, password_hash, created_at) values (p_user_id, p_email, p_name, p_password_hash, p_now) $$;

create function account_memberships(p_user_id uuid)
    returns table (workspace_id uuid, slug text, workspace_name text, member_id uuid, role text)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select m.workspace_id, w.slug, w.name, m.member_id, m.role
        from member_directory d
            join members m on m.workspace_id = d.workspace_id and m.user_id = d.user_id
            join workspaces w on w.workspace_id = d.workspace_id
        where d.user_id = p_user_id order by w.name, w.workspace_id
    $$;

-- So that a person's workspaces are found without looking through everybody's members.
create function member_register(p_user_id uuid) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        insert into member_directory (user_id, workspace_id)
        values (p_user_id, nullif(current_setting('send0.workspace_id', true), '')::uuid)
    $$;

-- The people of the workspace of the transaction, and no others.
create function workspace_people() returns table (user_id uuid, name text, email text)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select u.user_id, u.name, u.email
        from members m join users u on u.user_id = m.user_id
        where m.workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid
    $$;

-- Takes the first free one of slug, slug-2, slug-3, … for the workspace of the transaction.
create function workspace_claim_slug(p_slug text) returns text
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_slug text := p_slug;
    v_next integer := 2;
begin
    loop
        insert into workspace_directory (slug, workspace_id)
            values (v_slug, nullif(current_setting('send0.workspace_id', true), '')::uuid)
            on conflict do nothing;
        if found then return v_slug; end if;
        v_slug := left(p_slug, 36) || '-' || v_next;
        v_next := v_next + 1;
    end loop;
end $$;

create function workspace_find(p_slug text) returns table (workspace_id uuid, name text)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select w.workspace_id, w.name from workspace_directory d join workspaces w on w.workspace_id = d.workspace_id
        where d.slug = p_slug
    $$;

-- Set-up -------------------------------------------------------------------------------------------------------

create function setup_needed() returns boolean
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select not exists (select from members where role = 'owner') $$;

-- One link at a time: a new one voids those before it.
create function setup_offer(p_hash bytea, p_now timestamptz) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        -- Two servers that start at once would not see each other's link.
        lock table setup_tokens in share row exclusive mode;
        delete from setup_tokens;
        insert into setup_tokens (token_hash, created_at) values (p_hash, p_now)
    $$;

create function setup_offered(p_hash bytea) returns boolean
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select exists (select from setup_tokens where token_hash = p_hash) and not exists (select from members where role = 'owner') $$;

-- True once: the row lock makes two forms sent at once wait for each other.
create function setup_consume(p_hash bytea) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    delete from setup_tokens where token_hash = p_hash;
    return found and not exists (select from members where role = 'owner');
end $$;

-- Sessions -----------------------------------------------------------------------------------------------------

create function session_start(p_hash bytea, p_session_id uuid, p_user_id uuid, p_now timestamptz, p_address text, p_agent text) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        insert into sessions (session_hash, session_id, user_id, created_at, last_seen_at, address, agent)
        values (p_hash, p_session_id, p_user_id, p_now, p_now, p_address, p_agent)
    $$;

-- The living session: idle at most 30 minutes, 12 hours old at most. Seeing it keeps it alive.
create function session_find(p_hash bytea, p_now timestamptz)
    returns table (session_id uuid, user_id uuid, name text, email text, created_at timestamptz)
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    update sessions s set last_seen_at = p_now
        where s.session_hash = p_hash and s.last_seen_at < p_now - interval '1 minute'
            and s.last_seen_at > p_now - interval '30 minutes';
    return query
        select s.session_id, s.user_id, u.name, u.email, s.created_at
        from sessions s join users u on u.user_id = s.user_id
        where s.session_hash = p_hash
            and s.last_seen_at > p_now - interval '30 minutes' and s.created_at > p_now - interval '12 hours';
end $$;

create function session_end(p_hash bytea) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$ begin delete from sessions where session_hash = p_hash; return found; end $$;

-- Throttles ----------------------------------------------------------------------------------------------------

-- Counts an attempt before it is made, in one statement, so that parallel attempts cannot slip through. Returns the
-- seconds to wait, 0 when the attempt may be made. After p_free attempts the wait doubles from 1 s to 15 minutes;
-- a quiet hour forgets.
create function throttle_attempt(p_bucket bytea, p_free integer, p_now timestamptz) returns integer
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_row throttles;
begin
    insert into throttles (bucket, failures, last_at, blocked_until) values (p_bucket, 0, p_now, '-infinity') on conflict do nothing;
    select * into v_row from throttles where bucket = p_bucket for update;
    if v_row.blocked_until > p_now then
        return ceil(extract(epoch from v_row.blocked_until - p_now));
    end if;
    if v_row.last_at < p_now - interval '1 hour' then
        v_row.failures := 0;
    end if;
    v_row.failures := v_row.failures + 1;
    update throttles set failures = v_row.failures, last_at = p_now,
        blocked_until = case when v_row.failures < p_free then '-infinity'
            else p_now + least(interval '15 minutes', interval '1 second' * 2 ^ least(v_row.failures - p_free, 10)) end
        where bucket = p_bucket;
    return 0;
end $$;

create function throttle_forget(p_bucket bytea) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$ delete from throttles where bucket = p_bucket $$;

-- Takes back one attempt, which turned out to be right.
create function throttle_uncount(p_bucket bytea) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$ update throttles set failures = greatest(failures - 1, 0) where bucket = p_bucket $$;

-- Flashes ------------------------------------------------------------------------------------------------------

create function flash_put(p_hash bytea, p_workspace_id uuid, p_place text, p_sealed bytea, p_expires_at timestamptz) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        insert into flashes (flash_hash, workspace_id, place, sealed, expires_at)
        values (p_hash, p_workspace_id, p_place, p_sealed, p_expires_at)
    $$;

create function flash_take(p_hash bytea, p_place text, p_now timestamptz) returns table (workspace_id uuid, sealed bytea)
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        delete from flashes f where f.flash_hash = p_hash and f.place = p_place and f.expires_at > p_now
        returning f.workspace_id, f.sealed
    $$;

-- Keys ---------------------------------------------------------------------------------------------------------

create function key_register(p_hash bytea, p_key_id uuid) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        insert into key_directory (key_hash, workspace_id, key_id)
        values (p_hash, nullif(current_setting('send0.workspace_id', true), '')::uuid, p_key_id)
    $$;

create function key_find(p_hash bytea) returns table (
    workspace_id uuid, slug text, workspace_name text, key_id uuid, name text, kind text, mode text, scopes text[],
    expires_at timestamptz, revoked_at timestamptz
)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select k.workspace_id, w.slug, w.name, k.key_id, k.name, k.kind, k.mode, k.scopes, k.expires_at, k.revoked_at
        from key_directory d
            join api_keys k on k.workspace_id = d.workspace_id and k.key_id = d.key_id
            join workspaces w on w.workspace_id = d.workspace_id
        where d.key_hash = p_hash
    $$;

create function keys_used(p_workspace_ids uuid[], p_key_ids uuid[], p_at timestamptz[]) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        update api_keys k set last_used_at = used.at
        from unnest(p_workspace_ids, p_key_ids, p_at) as used (workspace_id, key_id, at)
        where k.workspace_id = used.workspace_id and k.key_id = used.key_id and (k.last_used_at is null or k.last_used_at < used.at)
    $$;

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
    return v_total + v_count;
end $$;

-- Who may call what: nobody but the logins named here. Rights first: once handed over, the owner of the schema has no
-- say over them.
revoke all on function audit_events_are_append_only from public;
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
    account_find, account_memberships, setup_needed, setup_offer, setup_offered, session_start, session_find, session_end,
    throttle_attempt, throttle_forget, throttle_uncount, flash_put, flash_take, key_find
    to send0_auth;
grant execute on function
    account_create, member_register, workspace_people, workspace_claim_slug, workspace_find, setup_consume, flash_put, key_register
    to send0_app;
grant execute on function keys_used, expired_purge to send0_worker;

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
