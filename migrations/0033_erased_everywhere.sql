-- Whoever is erased is nowhere: not under an address that they had before, not in a search of somebody else's, whether that is in
-- the log, is kept as a view, or was exported. What an export was asked for stays as it was typed, unlike the remark in 0023 says.

set local role send0_lookup;
drop function account_erase;
drop function account_erasure_awaits;
set local role send0_log;
drop function audit_erase;
set local role send0_owner;

create policy lookup on audit_views to send0_lookup using (true) with check (true);
grant select, delete on audit_views to send0_lookup;

-- Every address of somebody that the logs tell of: what they came in with, and what they changed. One that they only asked for may
-- be somebody else's.
create function audit_addresses(p_user text) returns setof text
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select distinct lower(btrim(given.address::text, '"'))
        from audit_events e,
            json_array_elements_text(e.body::json -> 'changed') with ordinality as changed (field, place),
            lateral (select e.personal::json -> 'changes' -> (changed.place - 1)::int as value) as change,
            lateral (values
                (change.value -> 'before'),
                (case when e.action <> 'account.address_change_requested' then change.value -> 'after' end)
            ) as given (address)
        where e.action in ('member.joined', 'account.address_changed', 'account.address_change_requested')
            and position(p_user in e.body) > 0
            -- Of one with a NUL anywhere in it PostgreSQL reads no field.
            and e.personal is not null and position('\u0000' in e.personal) = 0
            and changed.field = 'email' and position('@' in given.address::text) > 0
    $$;

-- Empties what identifies somebody in every event that they did or that is about them (by their ids), that holds an address of
-- theirs (the pattern is the address with its ends), or that names them in a log where they were: in any of these forms, as a target,
-- and in what was typed to look for something as these words as well. How many events of which workspace. All of it is in lower case
-- and without backslashes, so that it does not matter how often a text was quoted.
create function audit_erase(
    p_user text, p_emails text[], p_patterns text[], p_forms text[], p_target text, p_words text
) returns table (workspace_id uuid, events bigint)
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_typed text[] := array['audit_log.searched', 'audit_log.exported', 'audit_view.saved', 'audit_view.removed'];
    v_places uuid[];
    v_ids text[];
begin
    select array_agg(distinct e.workspace_id) into v_places from audit_events e
        where e.actor_id = p_user or position(p_user in e.body) > 0;
    -- A member of a workspace has an id of their own there; events about them name both.
    select array_agg(distinct other.of ->> 'id') into v_ids
        from audit_events e, jsonb_array_elements(e.body::jsonb -> 'targets') as own (of), jsonb_array_elements(e.body::jsonb -> 'targets') as other (of)
        where e.workspace_id = any (v_places) and position(p_user in e.body) > 0
            and own.of ->> 'id' = p_user and other.of ->> 'kind' = 'member';
    return query
        with erased as (
            update audit_events e set personal = null, salt = null
            where e.personal is not null and (
                e.actor_id = p_user
                or position(p_user in e.body) > 0
                or exists (select from unnest(v_ids) as id where position(id in e.body) > 0)
                or exists (
                    select from unnest(p_emails, p_patterns) as theirs (email, pattern)
                    where case when position(email in lower(e.personal)) > 0 then lower(e.personal) ~ pattern end
                )
                or e.workspace_id = any (v_places) and (
                    exists (select from unnest(p_forms) as form where position(form in replace(lower(e.personal), '\', '')) > 0)
                    or position(p_target in split_part(replace(lower(e.personal), '\', ''), '"targets":', 2)) > 0
                    or e.action = any (v_typed) and position(p_words in replace(lower(e.personal), '\', '')) > 0
                )
            )
            returning e.workspace_id
        )
        select erased.workspace_id, count(*) from erased group by erased.workspace_id;
end $$;

grant execute on function audit_addresses, audit_erase to send0_lookup;
call hand_over_functions('send0_log');

-- The address of somebody and those that they had before. What has become somebody else's since is not theirs any more.
create function account_addresses(p_user_id uuid, p_user text) returns setof text
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select u.email from users u where u.user_id = p_user_id
        union
        select known.email from audit_addresses(p_user) as known (email)
            where not exists (select from users u where u.email = known.email and u.user_id <> p_user_id)
    $$;

-- Why somebody cannot be erased yet: where they still are, under whatever address.
create function account_erasure_awaits(p_user_id uuid, p_user text) returns setof text
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        with theirs (email) as materialized (select account_addresses(p_user_id, p_user))
        select 'a member of ' || w.name from member_directory d join workspaces w on w.workspace_id = d.workspace_id
            where d.user_id = p_user_id
        union all select 'invited to ' || w.name from theirs
            join invitations i on i.email = theirs.email join workspaces w on w.workspace_id = i.workspace_id
        union all select 'an operator' from operators where user_id = p_user_id
        union all select 'a security contact of ' || w.name from theirs
            join contacts c on c.email = theirs.email join workspaces w on w.workspace_id = c.workspace_id
        union all select 'told of changes of subprocessors' from theirs join subscribers s on s.email = theirs.email
    $$;

-- The account with everything that hangs on it, what identifies the person in every log, and what was asked of a log about them.
-- What they wrote about compliance stays.
create function account_erase(p_user_id uuid, p_user text) returns table (workspace_id uuid, events bigint)
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_emails text[] := array(select account_addresses(p_user_id, p_user));
    v_name text;
    v_patterns text[];
    v_words text;
    v_asked text[];
    v_forms text[];
    v_target text;
    v_places uuid[];
    v_events bigint[];
begin
    if exists (select from account_erasure_awaits(p_user_id, p_user)) then
        raise exception 'somebody who is still somewhere is not erased' using errcode = '42501';
    end if;
    delete from users where user_id = p_user_id returning name into v_name;
    delete from sessions where user_id = p_user_id;
    delete from totp_factors where user_id = p_user_id;
    delete from recovery_codes where user_id = p_user_id;
    delete from passkeys where user_id = p_user_id;
    delete from password_resets where user_id = p_user_id;
    delete from address_changes where user_id = p_user_id;
    delete from known_devices where user_id = p_user_id;
    update compliance_messages m set author = 'Erased' from compliance_requests r
        where r.email = any (v_emails) and m.workspace_id = r.workspace_id and m.request_id = r.request_id and m.author = v_name;
    update compliance_requests set name = 'Erased', email = 'erased@send0.invalid' where email = any (v_emails);

    -- No part of a longer address.
    v_patterns := array(
        select '(^|[^a-z0-9._%+-])' || regexp_replace(email, '([^a-z0-9@])', '\\\1', 'g') || '($|[^a-z0-9.-]|[.-]($|[^a-z0-9]))'
        from unnest(v_emails) as email
    );
    -- Whom a search asks for; a whole value, or what stands in quotes. A name of one word is anybody's word ("owner", "live") but where
    -- names stand.
    v_words := replace(lower(v_name), '\', '');
    v_asked := array['actor:' || v_words || '"', 'actor:' || v_words || ' '];
    if position(' ' in v_words) > 0 then
        v_forms := v_asked || ('"' || v_words || '"');
    else
        v_forms := v_asked || ('"actor":"' || v_words || '"');
        v_target := '"' || v_words || '"';
        v_words := null;
    end if;
    select array_agg(erased.workspace_id), array_agg(erased.events) into v_places, v_events
        from audit_erase(p_user, v_emails, v_patterns, v_forms, v_target, v_words) as erased;

    -- What others are about to confirm is asked for again.
    update sessions set asked_digest = null, asked_words = null
        where exists (select from unnest(v_emails || v_name) as named where position(lower(named) in lower(asked_words)) > 0);
    -- An address that nobody has finds nothing any more. The file of an export goes when the next sweep finds that it is nobody's.
    delete from audit_views v
        using (
            select s.workspace_id, s.view_id,
                replace(lower(regexp_replace(format('"%s" "%s"', s.query, s.name), '\s+', ' ', 'g')), '\', '') as text
            from audit_views s
        ) said
        where v.workspace_id = said.workspace_id and v.view_id = said.view_id and (
            v.user_id = p_user_id
            or exists (select from unnest(v_patterns) as pattern where said.text ~ pattern)
            or v.workspace_id = any (v_places)
                and exists (select from unnest(v_asked || v_words) as form where position(form in said.text) > 0)
        );
    delete from audit_exports x
        using (
            select e.workspace_id, e.export_id, replace(lower(concat_ws(' ', e.filter, e.receipt)), '\', '') as text from audit_exports e
        ) said
        where x.workspace_id = said.workspace_id and x.export_id = said.export_id and (
            exists (select from unnest(v_patterns) as pattern where said.text ~ pattern)
            or x.workspace_id = any (v_places)
                and exists (select from unnest(v_asked || v_words) as form where position(form in said.text) > 0)
        );
    return query select * from unnest(v_places, v_events);
end $$;

grant execute on function account_erase, account_erasure_awaits to send0_auth;
call hand_over_functions('send0_lookup');
