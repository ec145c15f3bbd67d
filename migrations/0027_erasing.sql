-- A person is erased: whoever runs the server takes out what identifies them, once they are in no workspace any more. What they did
-- stays in the logs, under an id that nothing leads from; the proof of each log stays as it is (docs/audit-log-format.md).

create policy erase on audit_events for update to send0_log using (true) with check (personal is null and salt is null);
grant update (personal, salt) on audit_events to send0_log;

create policy erase on compliance_requests for update to send0_lookup using (true) with check (email = 'erased@send0.invalid');
create policy erase on compliance_messages for update to send0_lookup using (true) with check (author = 'Erased');
grant update (name, email) on compliance_requests to send0_lookup;
grant update (author) on compliance_messages to send0_lookup;
grant delete on users to send0_lookup;

-- Empties what identifies somebody in every event that they did or that is about them (by their ids), that holds their address, or that
-- holds their name in a log where they were. How many events of which workspace. The name is a JSON string, quotes and all.
create function audit_erase(p_user text, p_email text, p_name text) returns table (workspace_id uuid, events bigint)
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
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
                or position(p_email in lower(e.personal)) > 0
                or e.workspace_id = any (v_places) and position(p_name in e.personal) > 0
            )
            returning e.workspace_id
        )
        select erased.workspace_id, count(*) from erased group by erased.workspace_id;
end $$;
revoke all on function audit_erase from public;
grant execute on function audit_erase to send0_lookup;
alter function audit_erase owner to send0_log;

-- Why somebody cannot be erased yet: where they still are.
create function account_erasure_awaits(p_user_id uuid) returns setof text
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select 'a member of ' || w.name from member_directory d join workspaces w on w.workspace_id = d.workspace_id
            where d.user_id = p_user_id
        union all select 'invited to ' || w.name from users u
            join invitations i on i.email = u.email join workspaces w on w.workspace_id = i.workspace_id
            where u.user_id = p_user_id
        union all select 'an operator' from operators where user_id = p_user_id
        union all select 'a security contact of ' || w.name from users u
            join contacts c on c.email = u.email join workspaces w on w.workspace_id = c.workspace_id
            where u.user_id = p_user_id
        union all select 'told of changes of subprocessors' from users u join subscribers s on s.email = u.email
            where u.user_id = p_user_id
    $$;

-- The account with everything that hangs on it, and what identifies the person in every log. What they wrote about compliance stays.
create function account_erase(p_user_id uuid, p_user text, p_name text) returns table (workspace_id uuid, events bigint)
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_email text;
    v_name text;
begin
    if exists (select from account_erasure_awaits(p_user_id)) then
        raise exception 'somebody who is still somewhere is not erased' using errcode = '42501';
    end if;
    delete from users where user_id = p_user_id returning email, name into v_email, v_name;
    delete from sessions where user_id = p_user_id;
    delete from totp_factors where user_id = p_user_id;
    delete from recovery_codes where user_id = p_user_id;
    delete from passkeys where user_id = p_user_id;
    delete from password_resets where user_id = p_user_id;
    delete from address_changes where user_id = p_user_id;
    delete from known_devices where user_id = p_user_id;
    update compliance_messages m set author = 'Erased' from compliance_requests r
        where r.email = v_email and m.workspace_id = r.workspace_id and m.request_id = r.request_id and m.author = v_name;
    update compliance_requests set name = 'Erased', email = 'erased@send0.invalid' where email = v_email;
    return query select * from audit_erase(p_user, v_email, p_name);
end $$;

grant execute on function account_erase, account_erasure_awaits to send0_auth;
call hand_over_functions('send0_lookup');
