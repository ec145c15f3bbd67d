-- Whoever confirms a change with a passkey confirms that change and no other; reminders before a second factor is demanded.

-- Makes the security-definer functions that a migration has just created somebody else's, and nobody's to execute but
-- whom the migration has named. Rights come first: once handed over, the owner of the schema has no say over them.
create procedure hand_over_functions(p_owner text) language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_signature text;
begin
    for v_signature in
        select p.oid::regprocedure::text from pg_proc p
        where p.pronamespace = 'public'::regnamespace and p.prosecdef and p.proowner = 'send0_owner'::regrole
    loop
        execute format('revoke all on function %s from public', v_signature);
        execute format('alter function %s owner to %I', v_signature, p_owner);
    end loop;
end $$;
revoke all on procedure hand_over_functions from public;

-- Where a time stands in a log: the first event that is not before it. Time never runs back along seq, so a bound on time is
-- a bound on seq, which every index ends in. Without a search path of its own, so that the planner sees through it; it names
-- what it means in full instead.
create function audit_seq_at(p_workspace_id uuid, p_at timestamptz) returns bigint
    language sql stable
    as $$
        select coalesce(
            (select e.seq from public.audit_events e where e.workspace_id = p_workspace_id and e.at >= p_at order by e.at, e.seq limit 1),
            9223372036854775807
        )
    $$;
revoke all on function audit_seq_at from public;
grant execute on function audit_seq_at to send0_app, send0_auditor;

-- What a session is asked to confirm, and what alone a passkey has confirmed in it. `proved_at` stays for everything.
alter table sessions
    add column asked_digest bytea constraint sessions_asked_length check (octet_length(asked_digest) = 32),
    add column asked_words text constraint sessions_asked_words_length check (length(asked_words) <= 1000),
    add column approved_digest bytea constraint sessions_approved_length check (octet_length(approved_digest) = 32),
    add column approved_at timestamptz;

set local role send0_lookup;
drop function session_find;
drop function session_prove;
set local role send0_owner;

-- The living session: idle at most 30 minutes, 12 hours old at most. Seeing it keeps it alive.
create function session_find(p_hash bytea, p_now timestamptz)
    returns table (
        session_id uuid, user_id uuid, name text, email text, time_zone text, theme text, level text, factor text,
        proved_at timestamptz, approved_digest bytea, approved_at timestamptz
    )
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    update sessions s set last_seen_at = p_now
        where s.session_hash = p_hash and s.last_seen_at < p_now - interval '1 minute'
            and s.last_seen_at > p_now - interval '30 minutes';
    return query
        select s.session_id, s.user_id, u.name, u.email, u.time_zone, u.theme, s.level, s.factor, s.proved_at,
            s.approved_digest, s.approved_at
        from sessions s join users u on u.user_id = s.user_id
        where s.session_hash = p_hash
            and s.last_seen_at > p_now - interval '30 minutes' and s.created_at > p_now - interval '12 hours';
end $$;

create function session_ask(p_session_id uuid, p_digest bytea, p_words text) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$ update sessions set asked_digest = p_digest, asked_words = p_words where session_id = p_session_id $$;

-- What a passkey has confirmed is done once: of several at once, one finds it.
create function session_spend(p_session_id uuid, p_digest bytea) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    update sessions set approved_digest = null, approved_at = null where session_id = p_session_id and approved_digest = p_digest;
    return found;
end $$;

create function session_asked(p_session_id uuid) returns table (digest bytea, words text)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select s.asked_digest, s.asked_words from sessions s where s.session_id = p_session_id and s.asked_digest is not null
    $$;

-- A proof was given: the session goes on under another token, and the one before opens nothing from this moment. What was
-- shown for one change alone is no proof for any other.
create function session_prove(p_old_hash bytea, p_new_hash bytea, p_factor text, p_only bytea, p_now timestamptz) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    update sessions set session_hash = p_new_hash, level = 'full', factor = p_factor, last_seen_at = p_now,
        proved_at = case when p_only is null then p_now else proved_at end,
        approved_digest = p_only, approved_at = case when p_only is not null then p_now end,
        -- Whatever else was asked for meanwhile still is.
        asked_digest = case when p_only is distinct from asked_digest and p_only is not null then asked_digest end,
        asked_words = case when p_only is distinct from asked_digest and p_only is not null then asked_words end
        where session_hash = p_old_hash;
    return found;
end $$;

-- When a member was last reminded of the date until which they may come in without a second factor: three days before, and
-- on the last day.
alter table members add column factor_reminded_at timestamptz;

create function is_reminder_due(p_due_at timestamptz, p_reminded_at timestamptz, p_now timestamptz) returns boolean
    language sql immutable set search_path = pg_catalog, pg_temp
    as $$
        select p_due_at > p_now and (
            (p_due_at <= p_now + interval '3 days' and p_reminded_at is null)
            or (p_due_at <= p_now + interval '1 day' and p_reminded_at < p_due_at - interval '1 day')
        )
    $$;
revoke all on function is_reminder_due from public;
grant execute on function is_reminder_due to send0_app, send0_lookup;

-- The workspaces with members to be reminded.
create function policy_reminders_due(p_now timestamptz) returns table (workspace_id uuid)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select distinct m.workspace_id from members m
            join policies p on p.workspace_id = m.workspace_id and p.require_two_factor
        where is_reminder_due(m.factor_due_at, m.factor_reminded_at, p_now)
            and not exists (select from passkeys k where k.user_id = m.user_id)
            and (p.require_passkey
                or not exists (select from totp_factors f where f.user_id = m.user_id and f.confirmed_at is not null))
    $$;

grant execute on function session_find, session_ask, session_asked, session_spend, session_prove to send0_auth;
grant execute on function policy_reminders_due to send0_worker;
call hand_over_functions('send0_lookup');
