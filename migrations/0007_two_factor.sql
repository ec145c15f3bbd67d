-- Second factors, what a session has proved, and a new password for whoever forgot theirs. All of it belongs to a person,
-- not to a tenant: it lies outside row-level security, and is reached through functions only.

create table totp_factors (
    user_id uuid primary key,
    -- The seed, under the account's own data key.
    sealed bytea not null,
    -- The newest step whose code was accepted: every code opens once.
    last_step bigint not null default 0,
    -- Empty: not shown to work yet, and no factor.
    confirmed_at timestamptz,
    created_at timestamptz not null
);

create table recovery_codes (
    code_hash bytea primary key constraint recovery_codes_hash_length check (octet_length(code_hash) = 32),
    user_id uuid not null
);
create index recovery_codes_user on recovery_codes (user_id);

create table passkeys (
    passkey_id uuid primary key,
    user_id uuid not null,
    credential_id bytea not null constraint passkeys_credential_key unique,
    -- Public key, counter and flags, as webauthn-rs keeps them. Nothing of it is secret.
    credential jsonb not null,
    name text not null constraint passkeys_name_length check (length(name) between 1 and 64),
    created_at timestamptz not null,
    last_used_at timestamptz
);
create index passkeys_user on passkeys (user_id);

-- What a ceremony with a passkey remembers on our side: for five minutes, once.
create table ceremonies (
    ceremony_hash bytea primary key constraint ceremonies_hash_length check (octet_length(ceremony_hash) = 32),
    sealed bytea not null,
    expires_at timestamptz not null
);
create index ceremonies_expiry on ceremonies (expires_at);

-- One link at a time for each person.
create table password_resets (
    user_id uuid primary key,
    token_hash bytea not null constraint password_resets_token_key unique,
    expires_at timestamptz not null
);

-- What passkeys know a person by; it says nothing about them.
alter table users add column passkey_handle uuid not null default gen_random_uuid() constraint users_passkey_handle_key unique;

alter table sessions
    -- `password`: the second factor is still to come, and until then it opens nothing.
    add column level text not null default 'full' constraint sessions_level check (level in ('password', 'full')),
    add column factor text not null default 'password'
        constraint sessions_factor check (factor in ('password', 'totp', 'recovery_code', 'passkey')),
    add column proved_at timestamptz not null default 'epoch';

grant select, insert, update, delete on totp_factors, passkeys to send0_lookup;
grant select, insert, delete on recovery_codes, ceremonies, password_resets to send0_lookup;

-- These say more than they used to.
set local role send0_lookup;
drop function session_start;
drop function session_find;
set local role send0_owner;

create function session_start(
    p_hash bytea, p_session_id uuid, p_user_id uuid, p_now timestamptz, p_address text, p_agent text, p_level text, p_factor text
) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        insert into sessions (session_hash, session_id, user_id, created_at, last_seen_at, address, agent, level, factor, proved_at)
        values (p_hash, p_session_id, p_user_id, p_now, p_now, p_address, p_agent, p_level, p_factor, p_now)
    $$;

-- The living session: idle at most 30 minutes, 12 hours old at most. Seeing it keeps it alive.
create function session_find(p_hash bytea, p_now timestamptz)
    returns table (
        session_id uuid, user_id uuid, name text, email text, time_zone text, theme text, level text, factor text, proved_at timestamptz
    )
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    update sessions s set last_seen_at = p_now
        where s.session_hash = p_hash and s.last_seen_at < p_now - interval '1 minute'
            and s.last_seen_at > p_now - interval '30 minutes';
    return query
        select s.session_id, s.user_id, u.name, u.email, u.time_zone, u.theme, s.level, s.factor, s.proved_at
        from sessions s join users u on u.user_id = s.user_id
        where s.session_hash = p_hash
            and s.last_seen_at > p_now - interval '30 minutes' and s.created_at > p_now - interval '12 hours';
end $$;

-- A proof was given: the session goes on under another token, and the one before opens nothing from this moment.
create function session_prove(p_old_hash bytea, p_new_hash bytea, p_factor text, p_now timestamptz) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    update sessions set session_hash = p_new_hash, level = 'full', factor = p_factor, proved_at = p_now, last_seen_at = p_now
        where session_hash = p_old_hash;
    return found;
end $$;

create function sessions_of(p_user_id uuid, p_now timestamptz)
    returns table (session_id uuid, created_at timestamptz, last_seen_at timestamptz, address text, agent text, level text, factor text)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select s.session_id, s.created_at, s.last_seen_at, s.address, s.agent, s.level, s.factor from sessions s
        where s.user_id = p_user_id
            and s.last_seen_at > p_now - interval '30 minutes' and s.created_at > p_now - interval '12 hours'
        order by s.last_seen_at desc, s.session_id
    $$;

create function session_end_one(p_user_id uuid, p_session_id uuid) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$ begin delete from sessions where user_id = p_user_id and session_id = p_session_id; return found; end $$;

-- Held until the end of the transaction: two that remove the last two factors at once wait for each other.
create function account_lock(p_user_id uuid) returns void
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$ begin perform from users where user_id = p_user_id for update; end $$;

create function factors_of(p_user_id uuid) returns table (totp boolean, passkeys bigint, recovery_codes bigint)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select exists (select from totp_factors where user_id = p_user_id and confirmed_at is not null),
            (select count(*) from passkeys where user_id = p_user_id),
            (select count(*) from recovery_codes where user_id = p_user_id)
    $$;

-- Authenticator app -----------------------------------------------------------------------------------------------

-- False when one is active: it is never overwritten.
create function totp_put(p_user_id uuid, p_sealed bytea, p_now timestamptz) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    insert into totp_factors as factor (user_id, sealed, created_at) values (p_user_id, p_sealed, p_now)
        on conflict (user_id) do update set sealed = p_sealed, last_step = 0, created_at = p_now where factor.confirmed_at is null;
    return found;
end $$;

create function totp_find(p_user_id uuid) returns table (sealed bytea, confirmed_at timestamptz, created_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select f.sealed, f.confirmed_at, f.created_at from totp_factors f where f.user_id = p_user_id $$;

-- True once for each step, and never for one before it: the row lock makes those that come at once wait.
create function totp_use(p_user_id uuid, p_step bigint) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    update totp_factors set last_step = p_step where user_id = p_user_id and last_step < p_step and confirmed_at is not null;
    return found;
end $$;

create function totp_confirm(p_user_id uuid, p_step bigint, p_now timestamptz) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    update totp_factors set last_step = p_step, confirmed_at = p_now where user_id = p_user_id and confirmed_at is null;
    return found;
end $$;

create function totp_remove(p_user_id uuid) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$ begin delete from totp_factors where user_id = p_user_id and confirmed_at is not null; return found; end $$;

-- Recovery codes ---------------------------------------------------------------------------------------------------

create function recovery_codes_put(p_user_id uuid, p_hashes bytea[]) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        delete from recovery_codes where user_id = p_user_id;
        insert into recovery_codes (code_hash, user_id) select hash, p_user_id from unnest(p_hashes) as hash
    $$;

create function recovery_code_use(p_user_id uuid, p_hash bytea) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$ begin delete from recovery_codes where user_id = p_user_id and code_hash = p_hash; return found; end $$;

-- Passkeys ---------------------------------------------------------------------------------------------------------

create function passkey_handle(p_user_id uuid) returns uuid
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select passkey_handle from users where user_id = p_user_id $$;

create function passkey_add(p_passkey_id uuid, p_user_id uuid, p_credential_id bytea, p_credential jsonb, p_name text, p_now timestamptz) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        insert into passkeys (passkey_id, user_id, credential_id, credential, name, created_at)
        values (p_passkey_id, p_user_id, p_credential_id, p_credential, p_name, p_now)
    $$;

create function passkeys_of(p_user_id uuid)
    returns table (passkey_id uuid, credential jsonb, name text, created_at timestamptz, last_used_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select k.passkey_id, k.credential, k.name, k.created_at, k.last_used_at from passkeys k
        where k.user_id = p_user_id order by k.created_at, k.passkey_id
    $$;

create function passkey_find(p_credential_id bytea) returns table (passkey_id uuid, user_id uuid, handle uuid, credential jsonb)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select k.passkey_id, k.user_id, u.passkey_handle, k.credential from passkeys k join users u on u.user_id = k.user_id
        where k.credential_id = p_credential_id
    $$;

-- False when the passkey is gone, or was used meanwhile: its counter must not go back.
create function passkey_used(p_passkey_id uuid, p_before jsonb, p_after jsonb, p_now timestamptz) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    update passkeys set credential = p_after, last_used_at = p_now where passkey_id = p_passkey_id and credential = p_before;
    return found;
end $$;

create function passkey_rename(p_user_id uuid, p_passkey_id uuid, p_name text) returns text
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_before text;
begin
    select name into v_before from passkeys where user_id = p_user_id and passkey_id = p_passkey_id for update;
    update passkeys set name = p_name where user_id = p_user_id and passkey_id = p_passkey_id;
    return v_before;
end $$;

create function passkey_remove(p_user_id uuid, p_passkey_id uuid) returns text
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$ delete from passkeys where user_id = p_user_id and passkey_id = p_passkey_id returning name $$;

create function ceremony_put(p_hash bytea, p_sealed bytea, p_expires_at timestamptz) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$ insert into ceremonies (ceremony_hash, sealed, expires_at) values (p_hash, p_sealed, p_expires_at) $$;

create function ceremony_take(p_hash bytea, p_now timestamptz) returns bytea
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$ delete from ceremonies where ceremony_hash = p_hash and expires_at > p_now returning sealed $$;

-- A new password ---------------------------------------------------------------------------------------------------

create function reset_start(p_user_id uuid, p_hash bytea, p_expires_at timestamptz) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        delete from password_resets where user_id = p_user_id;
        insert into password_resets (user_id, token_hash, expires_at) values (p_user_id, p_hash, p_expires_at)
    $$;

create function reset_find(p_hash bytea, p_now timestamptz) returns table (user_id uuid, name text, email text)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select r.user_id, u.name, u.email from password_resets r join users u on u.user_id = r.user_id
        where r.token_hash = p_hash and r.expires_at > p_now
    $$;

create function reset_take(p_hash bytea) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$ begin delete from password_resets where token_hash = p_hash; return found; end $$;

create function sessions_end_all(p_user_id uuid) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$ delete from sessions where user_id = p_user_id $$;

-- Throttles --------------------------------------------------------------------------------------------------------

-- Counts an attempt at a code before it is looked at. Ten are free, then the wait doubles from 30 s to 15 minutes; after a
-- hundred in a row nothing is looked at any more, until another factor has opened the account. Time forgets nothing: six
-- digits would be found.
create function throttle_code(p_bucket bytea, p_now timestamptz) returns integer
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
    v_row.failures := v_row.failures + 1;
    update throttles set failures = v_row.failures, last_at = p_now,
        blocked_until = case when v_row.failures < 10 then '-infinity' when v_row.failures >= 100 then p_now + interval '1 year'
            else p_now + least(interval '15 minutes', interval '30 seconds' * 2 ^ least(v_row.failures - 10, 10)) end
        where bucket = p_bucket;
    return 0;
end $$;

-- Housekeeping -----------------------------------------------------------------------------------------------------

create function factors_purge(p_now timestamptz) returns bigint
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        with ceremony as (delete from ceremonies where expires_at < p_now returning 1),
            reset as (delete from password_resets where expires_at < p_now returning 1),
            unfinished as (delete from totp_factors where confirmed_at is null and created_at < p_now - interval '1 day' returning 1)
        select (select count(*) from ceremony) + (select count(*) from reset) + (select count(*) from unfinished)
    $$;

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
    session_start, session_find, session_prove, sessions_of, session_end_one, sessions_end_all, account_lock, factors_of,
    totp_put, totp_find, totp_use, totp_confirm, totp_remove, recovery_codes_put, recovery_code_use,
    passkey_handle, passkey_add, passkeys_of, passkey_find, passkey_used, passkey_rename, passkey_remove,
    ceremony_put, ceremony_take, reset_start, reset_find, reset_take, throttle_code
    to send0_auth;
grant execute on function factors_purge to send0_worker;

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
