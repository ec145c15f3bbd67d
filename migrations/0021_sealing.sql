-- The proof that a log is whole: one Merkle tree for each workspace (RFC 9162), over the events as they were committed. See
-- docs/audit-log-format.md. No login writes here: the worker seals through functions that only ever go forward.

-- How far a log is sealed. `tails[l + 1]` are the hashes of the unfinished tile of level l; `note` is the newest checkpoint.
create table audit_trees (
    workspace_id uuid primary key,
    size bigint not null constraint audit_trees_size check (size > 0),
    tails bytea[] not null,
    root bytea not null constraint audit_trees_root_length check (octet_length(root) = 32),
    note text not null,
    sealed_at timestamptz not null
);

-- Finished tiles: 256 hashes each, of leaves (level 0), of the roots of 256 leaves (level 1), and so on. Never changed, never pruned.
create table audit_tiles (
    workspace_id uuid not null,
    level smallint not null,
    tile bigint not null,
    hashes bytea not null constraint audit_tiles_length check (octet_length(hashes) = 8192),
    primary key (workspace_id, level, tile)
);

-- What was found when the rows were last held against the tree. A pass goes through the whole log bit by bit, from `next_seq`.
create table audit_checks (
    workspace_id uuid primary key,
    checked_to bigint not null,
    checked_at timestamptz not null,
    next_seq bigint not null,
    whole_at timestamptz,
    failed_seq bigint,
    failed_kind text constraint audit_checks_failed_kind check (failed_kind in ('edit', 'delete', 'insert', 'tree', 'checkpoint')),
    constraint audit_checks_failure_whole check ((failed_seq is null) = (failed_kind is null))
);

-- Where a log begins, since something was pruned; and what was pruned, with the receipt that was signed for it.
create table audit_floors (
    workspace_id uuid primary key,
    first_seq bigint not null constraint audit_floors_first check (first_seq > 1)
);
create table audit_prunes (
    workspace_id uuid not null,
    first_seq bigint not null,
    from_seq bigint not null,
    pruned_at timestamptz not null,
    -- The last moment of what is gone, and the checkpoint of its size.
    last_at timestamptz not null,
    note text not null,
    primary key (workspace_id, first_seq)
);

call protect_tenant_tables(array['audit_trees', 'audit_tiles', 'audit_checks', 'audit_floors', 'audit_prunes'], array['send0_auditor'], true);
grant select on audit_trees, audit_tiles, audit_checks, audit_floors, audit_prunes to send0_auditor;

create policy seal on audit_trees to send0_log using (true) with check (true);
create policy seal on audit_tiles to send0_log using (true) with check (true);
create policy seal on audit_checks to send0_log using (true) with check (true);
create policy seal on audit_floors to send0_log using (true) with check (true);
create policy seal on audit_prunes to send0_log using (true) with check (true);
create policy prune on audit_events for delete to send0_log using (true);
create policy look on audit_events for select to send0_log using (true);
grant select, insert, update on audit_trees, audit_checks, audit_floors to send0_log;
grant select, insert on audit_tiles, audit_prunes to send0_log;
grant select, delete on audit_events to send0_log;

-- What is sealed stays sealed, whoever asks.
create function audit_tiles_never_change() returns trigger language plpgsql set search_path = pg_catalog, pg_temp
    as $$ begin raise exception 'what is sealed stays sealed' using errcode = '42501'; end $$;
create trigger never_changed before update or delete on audit_tiles for each row execute function audit_tiles_never_change();
create trigger never_truncated before truncate on audit_tiles for each statement execute function audit_tiles_never_change();
create trigger never_changed before update or delete on audit_prunes for each row execute function audit_tiles_never_change();
create trigger never_truncated before truncate on audit_prunes for each statement execute function audit_tiles_never_change();
create trigger never_truncated before truncate on audit_trees for each statement execute function audit_tiles_never_change();
alter table audit_tiles enable always trigger never_changed, enable always trigger never_truncated;
alter table audit_prunes enable always trigger never_changed, enable always trigger never_truncated;

create function audit_trees_only_grow() returns trigger language plpgsql set search_path = pg_catalog, pg_temp
    as $$
begin
    if tg_op = 'UPDATE' and new.workspace_id = old.workspace_id and new.size > old.size then
        return new;
    end if;
    raise exception 'a tree only grows' using errcode = '42501';
end $$;
create trigger only_grows before update or delete on audit_trees for each row execute function audit_trees_only_grow();
alter table audit_trees enable always trigger only_grows, enable always trigger never_truncated;

-- A log may begin later only where a finished tile ends that is sealed, and where everything before is older than a year.
create function audit_floors_demand_a_seal() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_op <> 'DELETE' and (tg_op = 'INSERT' or new.first_seq > old.first_seq)
        and (new.first_seq - 1) % 256 = 0
        and exists (select from audit_trees t where t.workspace_id = new.workspace_id and t.size >= new.first_seq)
        and not exists (
            select from audit_events e
            where e.workspace_id = new.workspace_id and e.seq = new.first_seq - 1 and e.at > clock_timestamp() - interval '365 days')
    then
        return new;
    end if;
    raise exception 'only what is sealed and older than a year can be pruned' using errcode = '42501';
end $$;
create trigger demand_a_seal before insert or update or delete on audit_floors
    for each row execute function audit_floors_demand_a_seal();
create trigger never_truncated before truncate on audit_floors for each statement execute function audit_tiles_never_change();
alter table audit_floors enable always trigger demand_a_seal, enable always trigger never_truncated;

-- The two narrow exceptions to append-only: what identifies people may be emptied, and what lies below the floor may go.
create or replace function audit_events_are_append_only() returns trigger language plpgsql
    set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_op = 'UPDATE' then
        if new.personal is null and new.salt is null
            and (new.workspace_id, new.seq, new.event_id, new.at, new.action, new.outcome, new.actor_kind, new.actor_id, new.body)
                is not distinct from
                (old.workspace_id, old.seq, old.event_id, old.at, old.action, old.outcome, old.actor_kind, old.actor_id, old.body)
        then
            return new;
        end if;
    elsif tg_op = 'DELETE' then
        if exists (select from audit_floors f where f.workspace_id = old.workspace_id and old.seq < f.first_seq) then
            return old;
        end if;
    end if;
    raise exception 'audit events are append-only' using errcode = '42501';
end $$;

-- Functions of the sealer ----------------------------------------------------------------------------------------

-- The logs with something to seal, and how much.
create function audit_unsealed() returns table (workspace_id uuid, size bigint, events bigint)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select h.workspace_id, coalesce(t.size, 0), h.next_seq - 1
        from audit_heads h left join audit_trees t on t.workspace_id = h.workspace_id
        where h.next_seq - 1 > coalesce(t.size, 0)
        order by t.sealed_at nulls first
        limit 1000
    $$;

-- Every log, and how far it is sealed and checked: what the register lists and the checker goes by.
create function audit_logs() returns table (workspace_id uuid, size bigint, note text, checked_to bigint, checked_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select t.workspace_id, t.size, t.note, coalesce(c.checked_to, 0), c.checked_at
        from audit_trees t left join audit_checks c on c.workspace_id = t.workspace_id
        order by t.workspace_id
    $$;

-- Moves a tree from one size to the next. Of several sealers one finds the size that it began with: the others have done nothing.
create function audit_seal(
    p_workspace_id uuid, p_from bigint, p_to bigint, p_tails bytea[], p_levels smallint[], p_tiles bigint[], p_hashes bytea[],
    p_root bytea, p_note text, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if p_from = 0 then
        insert into audit_trees (workspace_id, size, tails, root, note, sealed_at)
            values (p_workspace_id, p_to, p_tails, p_root, p_note, p_now) on conflict do nothing;
    else
        update audit_trees set size = p_to, tails = p_tails, root = p_root, note = p_note, sealed_at = p_now
            where workspace_id = p_workspace_id and size = p_from;
    end if;
    if not found then
        return false;
    end if;
    insert into audit_tiles (workspace_id, level, tile, hashes)
        select p_workspace_id, made.level, made.tile, made.hashes
        from unnest(p_levels, p_tiles, p_hashes) as made (level, tile, hashes);
    return true;
end $$;

create function audit_checked(
    p_workspace_id uuid, p_to bigint, p_next_seq bigint, p_whole_at timestamptz, p_failed_seq bigint, p_failed_kind text, p_now timestamptz
) returns void language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        insert into audit_checks as known (workspace_id, checked_to, checked_at, next_seq, whole_at, failed_seq, failed_kind)
            values (p_workspace_id, p_to, p_now, p_next_seq, p_whole_at, p_failed_seq, p_failed_kind)
        on conflict (workspace_id) do update
            set checked_to = p_to, checked_at = p_now, next_seq = p_next_seq, whole_at = coalesce(p_whole_at, known.whole_at),
                failed_seq = p_failed_seq, failed_kind = p_failed_kind
    $$;

-- Lets a log begin later and keeps the receipt, in the transaction of the caller. What lies below goes afterwards, bit by bit.
create function audit_prune(p_from_seq bigint, p_first_seq bigint, p_last_at timestamptz, p_note text, p_now timestamptz) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_workspace_id uuid := nullif(current_setting('send0.workspace_id', true), '')::uuid;
begin
    if p_from_seq = 1 then
        insert into audit_floors (workspace_id, first_seq) values (v_workspace_id, p_first_seq) on conflict do nothing;
    else
        update audit_floors set first_seq = p_first_seq where workspace_id = v_workspace_id and first_seq = p_from_seq;
    end if;
    if not found then
        return false;
    end if;
    insert into audit_prunes (workspace_id, first_seq, from_seq, pruned_at, last_at, note)
        values (v_workspace_id, p_first_seq, p_from_seq, p_now, p_last_at, p_note);
    return true;
end $$;

-- Removes what lies below the floors, so many rows at most.
create function audit_sweep(p_limit bigint) returns bigint language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_floor audit_floors;
    v_count bigint;
    v_total bigint := 0;
begin
    for v_floor in select * from audit_floors order by workspace_id loop
        delete from audit_events e using (
                select low.seq from audit_events low
                where low.workspace_id = v_floor.workspace_id and low.seq < v_floor.first_seq
                order by low.seq limit p_limit - v_total
            ) as gone
            where e.workspace_id = v_floor.workspace_id and e.seq = gone.seq;
        get diagnostics v_count = row_count;
        v_total := v_total + v_count;
        exit when v_total >= p_limit;
    end loop;
    return v_total;
end $$;

revoke all on function audit_tiles_never_change, audit_trees_only_grow, audit_floors_demand_a_seal from public;
grant execute on function audit_unsealed, audit_logs, audit_seal, audit_checked, audit_sweep to send0_worker;
grant execute on function audit_prune to send0_app;
call hand_over_functions('send0_log');
