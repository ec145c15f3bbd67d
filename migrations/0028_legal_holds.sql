-- Legal holds: while a workspace has one, nothing of its audit log is removed and nobody in it is erased.
create table legal_holds (
    workspace_id uuid not null,
    hold_id uuid not null,
    -- What it is for: a matter, a case number.
    name text not null,
    placed_by uuid,
    placed_at timestamptz not null,
    released_at timestamptz,
    primary key (workspace_id, hold_id)
);
call protect_tenant_tables(array['legal_holds'], array['send0_app']);
grant select, insert, update (released_at) on legal_holds to send0_app;
create policy look on legal_holds for select to send0_log, send0_lookup using (true);
grant select on legal_holds to send0_log, send0_lookup;

-- A hold and a removal wait for each other, so that what is removed was removed before the hold.
create function legal_holds_wait() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('legal_holds ' || new.workspace_id, 0));
    return new;
end $$;
create trigger waits before insert on legal_holds for each row execute function legal_holds_wait();

-- A log may begin later only where a finished tile ends that is sealed, where everything before is older than a year, and without a hold.
create or replace function audit_floors_demand_a_seal() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_op <> 'DELETE' then
        perform pg_advisory_xact_lock(hashtextextended('legal_holds ' || new.workspace_id, 0));
    end if;
    if tg_op <> 'DELETE' and (tg_op = 'INSERT' or new.first_seq > old.first_seq)
        and (new.first_seq - 1) % 256 = 0
        and exists (select from audit_trees t where t.workspace_id = new.workspace_id and t.size >= new.first_seq)
        and not exists (
            select from audit_events e
            where e.workspace_id = new.workspace_id and e.seq = new.first_seq - 1 and e.at > clock_timestamp() - interval '365 days')
        and not exists (select from legal_holds h where h.workspace_id = new.workspace_id and h.released_at is null)
    then
        return new;
    end if;
    raise exception 'only what is sealed, older than a year and not under a legal hold can be pruned' using errcode = '42501';
end $$;

-- As before, and which of the logs are under a hold: then whoever asked takes it all back.
drop function account_erase;
create function account_erase(p_user_id uuid, p_user text, p_name text)
    returns table (workspace_id uuid, events bigint, held text)
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
    return query
        select e.workspace_id, e.events, (
                select w.name from workspaces w join legal_holds h on h.workspace_id = w.workspace_id
                where w.workspace_id = e.workspace_id and h.released_at is null limit 1)
            from audit_erase(p_user, v_email, p_name) e;
end $$;
revoke all on function account_erase, legal_holds_wait from public;
grant execute on function account_erase to send0_auth;
call hand_over_functions('send0_lookup');
