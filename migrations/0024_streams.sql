-- Streams: the audit log of a workspace on its way to a system of the customer's own (a SIEM), in order, at least once.

create table audit_streams (
    workspace_id uuid not null,
    stream_id uuid not null,
    name text not null constraint audit_streams_name_length check (length(name) between 1 and 64),
    -- What kind of target, and where. Without any secret.
    target jsonb not null,
    -- The authorities whose certificates are accepted, in PEM; none: the public ones.
    authorities text not null constraint audit_streams_authorities_length check (length(authorities) <= 16384),
    -- Sealed. Empty: this kind of target has none.
    secret bytea,
    state text not null constraint audit_streams_state check (state in ('active', 'paused')),
    created_at timestamptz not null,
    from_seq bigint not null constraint audit_streams_from check (from_seq >= 1),
    -- The first event that the target has not yet said it has. Moves forward only.
    next_seq bigint not null,
    -- The last event of the batch under way: until the target has it, the same batch is sent, whatever has happened since.
    batch_to bigint,
    -- The size of the newest checkpoint that the target has. One is sent only after all the events that it covers.
    checkpoint_size bigint not null default 0,
    -- Counts claims and changes: who has lost the stream to somebody else changes nothing any more.
    lease bigint not null default 0,
    -- When there is something to do at the earliest. While a server sends, this is when its lease is over.
    due_at timestamptz not null,
    -- Failed attempts since the last that did not.
    attempts integer not null default 0,
    last_ok_at timestamptz,
    failing_since timestamptz,
    -- Ours, with the beginning of what the target said, escaped.
    last_error text constraint audit_streams_error_length check (length(last_error) <= 2000),
    -- Whether the log says that it fails, and when the contacts were told.
    is_failing boolean not null default false,
    told_at timestamptz,
    tested_at timestamptz,
    primary key (workspace_id, stream_id),
    constraint audit_streams_forward check (next_seq >= from_seq and batch_to >= next_seq)
);
create unique index audit_streams_name_key on audit_streams (workspace_id, lower(name));
create index audit_streams_due on audit_streams (workspace_id, due_at) where state = 'active';

call protect_tenant_tables(array['audit_streams'], array['send0_app']);
create policy delivery on audit_streams to send0_lookup using (true) with check (true);
create policy lookup on audit_trees for select to send0_lookup using (true);

grant select, insert, delete on audit_streams to send0_app;
grant update (
    name, target, authorities, secret, state, next_seq, batch_to, checkpoint_size, lease, due_at, attempts, last_ok_at, failing_since, last_error,
    is_failing, told_at, tested_at
) on audit_streams to send0_app;
grant select on audit_streams, audit_trees to send0_lookup;
grant update (next_seq, batch_to, checkpoint_size, lease, due_at, attempts, last_ok_at, failing_since, last_error)
    on audit_streams to send0_lookup;

-- Gives streams with something to send to one server, until its lease is over. Two that ask at once get different streams.
-- What a batch holds is decided here, before anything is sent, so that it is the same when it is sent again: the batch under way,
-- else the checkpoint that all events of are there (no `batch_to`), else the next events.
create function audit_streams_claim(p_limit integer, p_batch integer, p_now timestamptz, p_until timestamptz)
    returns table (workspace_id uuid, stream_id uuid, lease bigint)
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        with due as materialized (
            select s.workspace_id, s.stream_id,
                case when t.size > s.checkpoint_size and t.size < s.next_seq then null
                    else least(h.next_seq - 1, s.next_seq + p_batch - 1) end as batch_to
            from audit_streams s
                join audit_heads h on h.workspace_id = s.workspace_id
                left join audit_trees t on t.workspace_id = s.workspace_id
            where s.state = 'active' and s.due_at <= p_now
                and (s.next_seq < h.next_seq or (t.size > s.checkpoint_size and t.size < s.next_seq))
            order by s.due_at limit p_limit for update of s skip locked
        )
        update audit_streams s set lease = s.lease + 1, due_at = p_until, batch_to = coalesce(s.batch_to, due.batch_to)
            from due where s.workspace_id = due.workspace_id and s.stream_id = due.stream_id
            returning s.workspace_id, s.stream_id, s.lease
    $$;

-- The target has everything before this event, and the checkpoint of this size. What happens every day is no event of the log: it
-- would send itself for ever.
create function audit_stream_sent(
    p_workspace_id uuid, p_stream_id uuid, p_lease bigint, p_next_seq bigint, p_checkpoint_size bigint, p_now timestamptz
) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        update audit_streams set next_seq = p_next_seq, checkpoint_size = p_checkpoint_size, batch_to = null, due_at = p_now,
                attempts = 0, last_ok_at = p_now, failing_since = null, last_error = null
            where workspace_id = p_workspace_id and stream_id = p_stream_id and lease = p_lease
    $$;

create function audit_stream_failed(
    p_workspace_id uuid, p_stream_id uuid, p_lease bigint, p_error text, p_now timestamptz, p_due_at timestamptz
) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        update audit_streams set attempts = attempts + 1, due_at = p_due_at, failing_since = coalesce(failing_since, p_now),
                last_error = p_error
            where workspace_id = p_workspace_id and stream_id = p_stream_id and lease = p_lease
    $$;

grant execute on function audit_streams_claim, audit_stream_sent, audit_stream_failed to send0_worker;
call hand_over_functions('send0_lookup');
