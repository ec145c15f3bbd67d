-- The clock of a made-up past. A log that begins with it (`send0 demo`, tests) takes its times from it until it is
-- stopped. Only the migrator can, only for a log that nothing is in, and never into the future.

alter table audit_heads add column demo_clock timestamptz;

set local role send0_log;

create or replace function append_event(
    p_event_id uuid, p_action text, p_outcome text, p_actor_kind text, p_actor_id text,
    p_body text, p_personal text, p_salt bytea
) returns void language plpgsql security definer
    set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_workspace_id uuid := nullif(current_setting('send0.workspace_id', true), '')::uuid;
    v_seq bigint;
    v_at timestamptz;
begin
    insert into audit_heads as head (workspace_id, next_seq, last_at) values (v_workspace_id, 2, clock_timestamp())
        on conflict (workspace_id) do update
            set next_seq = head.next_seq + 1, last_at = greatest(head.last_at, coalesce(head.demo_clock, clock_timestamp()))
        returning next_seq - 1, last_at into v_seq, v_at;
    insert into audit_events (workspace_id, seq, event_id, at, action, outcome, actor_kind, actor_id, body, personal, salt)
        values (v_workspace_id, v_seq, p_event_id, v_at, p_action, p_outcome, p_actor_kind, p_actor_id, p_body, p_personal, p_salt);
end $$;

create or replace function append_events(
    p_workspace_ids uuid[], p_event_ids uuid[], p_actions text[], p_outcomes text[], p_actor_kinds text[], p_actor_ids text[],
    p_bodies text[], p_personals text[], p_salts bytea[]
) returns void language plpgsql security definer
    set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_workspace_id uuid;
    v_count bigint;
    v_next bigint;
    v_at timestamptz;
begin
    for v_workspace_id, v_count in
        select workspace_id, count(*) from unnest(p_workspace_ids) as batch (workspace_id) group by workspace_id order by workspace_id
    loop
        insert into audit_heads as head (workspace_id, next_seq, last_at) values (v_workspace_id, 1 + v_count, clock_timestamp())
            on conflict (workspace_id) do update
                set next_seq = head.next_seq + v_count, last_at = greatest(head.last_at, coalesce(head.demo_clock, clock_timestamp()))
            returning next_seq, last_at into v_next, v_at;
        insert into audit_events (workspace_id, seq, event_id, at, action, outcome, actor_kind, actor_id, body, personal, salt)
            select v_workspace_id, v_next - v_count - 1 + row_number() over (order by batch.place), batch.event_id, v_at,
                batch.action, batch.outcome, batch.actor_kind, batch.actor_id, batch.body, batch.personal, batch.salt
            from unnest(p_workspace_ids, p_event_ids, p_actions, p_outcomes, p_actor_kinds, p_actor_ids, p_bodies, p_personals, p_salts)
                with ordinality as batch (workspace_id, event_id, action, outcome, actor_kind, actor_id, body, personal, salt, place)
            where batch.workspace_id = v_workspace_id;
    end loop;
end $$;

-- Begins a log that runs by this clock. A log that exists, empty or not, is refused by its primary key.
create function demo_clock_begin(p_workspace_id uuid, p_at timestamptz) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        insert into audit_heads (workspace_id, next_seq, last_at, demo_clock)
            values (p_workspace_id, 1, least(p_at, clock_timestamp()), least(p_at, clock_timestamp()))
    $$;

-- Sets the clock; null stops it for good. A log that does not run by it stays as it is.
create function demo_clock_set(p_workspace_id uuid, p_at timestamptz) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        update audit_heads set demo_clock = case when p_at is not null then least(p_at, clock_timestamp()) end
            where workspace_id = p_workspace_id and demo_clock is not null
    $$;

revoke all on function demo_clock_begin, demo_clock_set from public;
grant execute on function demo_clock_begin, demo_clock_set to send0_migrator;

set local role send0_owner;
