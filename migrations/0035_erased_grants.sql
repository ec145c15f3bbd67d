-- Whoever is erased is not on the list of a document either: what they may still have is ended first, what they had says no more who
-- they were. Their addresses are looked for once in it, as that reads every log.

set local role send0_lookup;
drop function account_erase;
drop function account_erasure_awaits;
set local role send0_owner;

-- Why somebody cannot be erased yet: where they still are, under whatever address.
create function erasure_awaits(p_user_id uuid, p_emails text[], p_now timestamptz) returns setof text
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        with theirs (email) as (select unnest(p_emails))
        select 'a member of ' || w.name from member_directory d join workspaces w on w.workspace_id = d.workspace_id
            where d.user_id = p_user_id
        union all select 'invited to ' || w.name from theirs
            join invitations i on i.email = theirs.email join workspaces w on w.workspace_id = i.workspace_id
        union all select 'an operator' from operators where user_id = p_user_id
        union all select 'a security contact of ' || w.name from theirs
            join contacts c on c.email = theirs.email join workspaces w on w.workspace_id = c.workspace_id
        union all select 'told of changes of subprocessors' from theirs join subscribers s on s.email = theirs.email
        union all select distinct 'given the document ' || d.title from theirs
            join document_grants g on g.email = theirs.email join documents d on d.document_id = g.document_id
            where g.revoked_at is null and g.expires_at > p_now and d.retired_at is null
    $$;

create function account_erasure_awaits(p_user_id uuid, p_user text, p_now timestamptz) returns setof text
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select erasure_awaits(p_user_id, array(select account_addresses(p_user_id, p_user)), p_now) $$;

-- The account with everything that hangs on it, what identifies the person in every log, and what was asked of a log about them.
-- What they wrote about compliance stays.
create function account_erase(p_user_id uuid, p_user text, p_now timestamptz) returns table (workspace_id uuid, events bigint)
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
    if exists (select from erasure_awaits(p_user_id, v_emails, p_now)) then
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
    -- That somebody agreed to the terms is known, and to which; not who.
    update document_grants set email = 'erased@send0.invalid', accepted_by = case when accepted_by is not null then 'Erased' end
        where email = any (v_emails);

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
