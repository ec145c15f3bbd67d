-- A log that somebody has damaged is found out, and holds up nothing but itself.

-- That a log begins later, and no signed receipt says so, is a finding like any other.
alter table audit_checks drop constraint audit_checks_failed_kind;
alter table audit_checks add constraint audit_checks_failed_kind
    check (failed_kind in ('edit', 'delete', 'insert', 'tree', 'checkpoint', 'prune', 'register'));

-- As before, of events that cannot be read as well: their targets are looked for by their number, which takes longer.
create function audit_search_keeps_up() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public, pg_temp
    as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('audit_search ' || old.workspace_id, 0));
    if tg_op = 'UPDATE' then
        update audit_search set text = left(text, plain_length), address = null
            where workspace_id = old.workspace_id and seq = old.seq;
        return null;
    end if;
    delete from audit_search where workspace_id = old.workspace_id and seq = old.seq;
    begin
        -- Not as text: that would read all of the body, and a NUL anywhere in it is an error then.
        delete from audit_targets
            where workspace_id = old.workspace_id and seq = old.seq
            and target_id in (select btrim((target -> 'id')::text, '"') from json_array_elements(old.body::json -> 'targets') as target);
    exception when invalid_text_representation or invalid_parameter_value then
        delete from audit_targets where workspace_id = old.workspace_id and seq = old.seq;
    end;
    return null;
end $$;
drop trigger search_follows on audit_events;
create trigger search_follows after update or delete on audit_events
    for each row execute function audit_search_keeps_up();
alter table audit_events enable always trigger search_follows;
set local role send0_lookup;
drop function audit_search_follows;
set local role send0_owner;
call hand_over_functions('send0_lookup');
