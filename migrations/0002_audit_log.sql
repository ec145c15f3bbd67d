-- The audit log. Events are appended by one function and never changed: see docs/architecture.md, "Audit log".

create table audit_heads (
    workspace_id uuid primary key,
    next_seq bigint not null,
    last_at timestamptz not null
);

create table audit_events (
    workspace_id uuid not null,
    seq bigint not null,
    event_id uuid not null,
    at timestamptz not null,
    action text not null,
    outcome text not null constraint audit_events_outcome check (outcome in ('success', 'denied', 'failed')),
    actor_kind text not null,
    actor_id text not null,
    -- RFC 8785 canonical JSON of everything known before the lock, without what identifies people.
    body text not null,
    -- What identifies people, and the salt of the commitment to it that the body holds. Erasing a person empties both.
    personal text,
    salt bytea,
    primary key (workspace_id, seq),
    constraint audit_events_personal_with_salt check ((personal is null) = (salt is null))
) partition by hash (workspace_id);

create index audit_events_by_id on audit_events (workspace_id, event_id);
create index audit_events_by_time on audit_events (workspace_id, at);
create index audit_events_by_action on audit_events (workspace_id, action, seq);
create index audit_events_by_actor on audit_events (workspace_id, actor_id, seq);
create index audit_events_refused on audit_events (workspace_id, outcome, seq) where outcome <> 'success';

create function audit_events_are_append_only() returns trigger language plpgsql
    set search_path = pg_catalog, pg_temp
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
    end if;
    raise exception 'audit events are append-only' using errcode = '42501';
end $$;

create trigger append_only before update or delete on audit_events
    for each row execute function audit_events_are_append_only();
create trigger never_truncated before truncate on audit_events
    for each statement execute function audit_events_are_append_only();

do $$
declare part text;
begin
    for n in 0..15 loop
        part := format('audit_events_%s', n);
        execute format('create table %I partition of audit_events for values with (modulus 16, remainder %s)', part, n);
        -- Reached through the parent only; by itself a partition shows nothing to anybody.
        execute format('alter table %I enable row level security, force row level security', part);
        execute format('create trigger never_truncated before truncate on %I for each statement execute function audit_events_are_append_only()', part);
        execute format('alter table %I enable always trigger append_only, enable always trigger never_truncated', part);
    end loop;
end $$;

alter table audit_events
    enable always trigger append_only,
    enable always trigger never_truncated,
    enable row level security,
    force row level security;
alter table audit_heads enable row level security, force row level security;

create policy tenant on audit_events for select to send0_app, send0_auditor
    using (workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid);
create policy tenant on audit_heads for select to send0_auditor
    using (workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid);
create policy append on audit_events for insert to send0_log with check (true);
create policy append on audit_heads to send0_log using (true) with check (true);

grant select on audit_events to send0_app, send0_auditor;
grant select on audit_heads to send0_auditor;
grant insert on audit_events to send0_log;
grant select, insert, update on audit_heads to send0_log;

-- Appends one event to the workspace of the transaction. Called last before commit: it takes the row lock that
-- gives events their order, `seq` 1, 2, 3, … in commit order, and time never runs back.
create function append_event(
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
            set next_seq = head.next_seq + 1, last_at = greatest(head.last_at, clock_timestamp())
        returning next_seq - 1, last_at into v_seq, v_at;
    insert into audit_events (workspace_id, seq, event_id, at, action, outcome, actor_kind, actor_id, body, personal, salt)
        values (v_workspace_id, v_seq, p_event_id, v_at, p_action, p_outcome, p_actor_kind, p_actor_id, p_body, p_personal, p_salt);
end $$;

-- Appends a batch, for calls that change nothing and for account events, which several workspaces share. Heads are
-- locked in the order of the workspaces: two batches can wait for each other, but never in a circle.
create function append_events(
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
                set next_seq = head.next_seq + v_count, last_at = greatest(head.last_at, clock_timestamp())
            returning next_seq, last_at into v_next, v_at;
        insert into audit_events (workspace_id, seq, event_id, at, action, outcome, actor_kind, actor_id, body, personal, salt)
            select v_workspace_id, v_next - v_count - 1 + row_number() over (order by batch.place), batch.event_id, v_at,
                batch.action, batch.outcome, batch.actor_kind, batch.actor_id, batch.body, batch.personal, batch.salt
            from unnest(p_workspace_ids, p_event_ids, p_actions, p_outcomes, p_actor_kinds, p_actor_ids, p_bodies, p_personals, p_salts)
                with ordinality as batch (workspace_id, event_id, action, outcome, actor_kind, actor_id, body, personal, salt, place)
            where batch.workspace_id = v_workspace_id;
    end loop;
end $$;

-- Rights first: once handed over, the owner of the schema has no say over them.
revoke all on function append_event, append_events from public;
grant execute on function append_event to send0_app;
grant execute on function append_events to send0_auth;
alter function append_event owner to send0_log;
alter function append_events owner to send0_log;
