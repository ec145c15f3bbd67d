-- A server claims streams that are among some, or those that are not: however many targets hang, there are places for the others.
set local role send0_lookup;
drop function audit_streams_claim;
set local role send0_owner;
create function audit_streams_claim(
    p_limit integer, p_batch integer, p_now timestamptz, p_until timestamptz, p_some uuid[], p_is_among boolean
)
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
            where s.state = 'active' and s.due_at <= p_now and (s.stream_id = any (p_some)) = p_is_among
                and (s.next_seq < h.next_seq or (t.size > s.checkpoint_size and t.size < s.next_seq))
            order by s.due_at limit p_limit for update of s skip locked
        )
        update audit_streams s set lease = s.lease + 1, due_at = p_until, batch_to = coalesce(s.batch_to, due.batch_to)
            from due where s.workspace_id = due.workspace_id and s.stream_id = due.stream_id
            returning s.workspace_id, s.stream_id, s.lease
    $$;
grant execute on function audit_streams_claim to send0_worker;
call hand_over_functions('send0_lookup');
