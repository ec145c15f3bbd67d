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

-- Beside the trigger that demands a seal: a log does not begin later while there is a hold.
create function audit_floors_demand_no_hold() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('legal_holds ' || new.workspace_id, 0));
    if exists (select from legal_holds h where h.workspace_id = new.workspace_id and h.released_at is null) then
        raise exception 'nothing is pruned under a legal hold' using errcode = '42501';
    end if;
    return new;
end $$;
create trigger demand_no_hold before insert or update on audit_floors
    for each row execute function audit_floors_demand_no_hold();
alter table audit_floors enable always trigger demand_no_hold;

-- The names of those of these workspaces that are under a hold: whoever was to be erased there stays.
create function legal_holds_in(p_workspaces uuid[]) returns setof text
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select w.name from workspaces w
        where w.workspace_id = any (p_workspaces)
            and exists (select from legal_holds h where h.workspace_id = w.workspace_id and h.released_at is null)
        order by w.name
    $$;
revoke all on function audit_floors_demand_no_hold, legal_holds_wait from public;
grant execute on function legal_holds_in to send0_auth;
call hand_over_functions('send0_lookup');
