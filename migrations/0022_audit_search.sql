-- The readable half of the log: where its words, addresses and targets are found. A worker fills these tables behind the log,
-- because a trigram index on the log itself would cut appends to a third; readers scan what it has not come to yet.

-- Both are trusted: the owner of the schema may add them. In a schema of their own, where nobody has to look anything up.
create schema text_search;
create extension pg_trgm schema text_search;
create extension btree_gin schema text_search;

create table audit_search (
    workspace_id uuid not null,
    seq bigint not null,
    -- In lower case. First, so many characters of it, what identifies nobody; then what does.
    text text not null,
    plain_length int not null,
    address inet,
    primary key (workspace_id, seq)
);
-- With the block of 65 536 events that one is in, so that a search can go block by block: its rows lie side by side, and the
-- lists of its trigrams are read there alone. Readers look through all of what is pending, so that is kept short.
create index audit_search_by_text on audit_search using gin (workspace_id, (seq >> 16), text text_search.gin_trgm_ops)
    with (gin_pending_list_limit = 1024);

create table audit_targets (
    workspace_id uuid not null,
    target_id text not null,
    seq bigint not null,
    primary key (workspace_id, target_id, seq)
);

-- How far the worker has come: everything up to this event is in the two tables above.
create table audit_search_heads (
    workspace_id uuid not null,
    done bigint not null,
    primary key (workspace_id)
);

call protect_tenant_tables(array['audit_search', 'audit_targets', 'audit_search_heads'], array['send0_auditor'], true);
grant select on audit_search, audit_targets, audit_search_heads to send0_auditor;

create policy lookup on audit_search to send0_lookup using (true) with check (true);
create policy lookup on audit_targets to send0_lookup using (true) with check (true);
create policy lookup on audit_search_heads to send0_lookup using (true) with check (true);
create policy search on audit_events for select to send0_lookup using (true);
create policy search on audit_heads for select to send0_lookup using (true);
grant select, insert, delete, update (text, address) on audit_search to send0_lookup;
grant select, insert, delete on audit_targets to send0_lookup;
grant select, insert, update (done) on audit_search_heads to send0_lookup;
grant select (workspace_id, seq, personal) on audit_events to send0_lookup;
grant select (workspace_id, next_seq) on audit_heads to send0_lookup;

-- Workspaces whose log goes further than the worker has come.
create function audit_search_due(p_limit int) returns table (workspace_id uuid, done bigint)
    language sql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select h.workspace_id, coalesce(s.done, 0)
        from audit_heads h left join audit_search_heads s on s.workspace_id = h.workspace_id
        where h.next_seq - 1 > coalesce(s.done, 0)
        -- So that a few with much to do do not keep the others waiting.
        order by random() limit p_limit
    $$;

-- Takes in what the worker has read of the events after p_from, up to p_to. False if somebody else has done so. The lock is
-- that of an erasure (below): whichever comes second sees what the first has done, so that nothing erased is written again.
create function audit_search_put(
    p_workspace_id uuid, p_from bigint, p_to bigint, p_seqs bigint[], p_texts text[], p_plain_lengths int[], p_addresses text[],
    p_target_seqs bigint[], p_target_ids text[]
) returns boolean language plpgsql security definer
    set search_path = pg_catalog, public, pg_temp
    as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('audit_search ' || p_workspace_id, 0));
    insert into audit_search_heads as head (workspace_id, done) values (p_workspace_id, p_to)
        on conflict (workspace_id) do update set done = p_to where head.done = p_from;
    if not found then
        return false;
    end if;
    insert into audit_search (workspace_id, seq, text, plain_length, address)
        select p_workspace_id, e.seq, case when e.personal is null then left(new.text, new.plain_length) else new.text end,
            new.plain_length, case when e.personal is not null then new.address::inet end
        from unnest(p_seqs, p_texts, p_plain_lengths, p_addresses) as new (seq, text, plain_length, address)
        join audit_events e on e.workspace_id = p_workspace_id and e.seq = new.seq;
    insert into audit_targets (workspace_id, target_id, seq)
        select p_workspace_id, new.target_id, new.seq from unnest(p_target_seqs, p_target_ids) as new (seq, target_id)
        on conflict do nothing;
    return true;
end $$;

-- What identifies a person leaves the search with the event, and an event that is pruned leaves it whole. Nobody has to think
-- of it: it is part of the change of the event.
create function audit_search_follows() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public, pg_temp
    as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('audit_search ' || old.workspace_id, 0));
    if tg_op = 'UPDATE' then
        update audit_search set text = left(text, plain_length), address = null
            where workspace_id = old.workspace_id and seq = old.seq;
    else
        delete from audit_search where workspace_id = old.workspace_id and seq = old.seq;
        -- Not as text: that would read all of the body, and a NUL anywhere in it is an error then.
        delete from audit_targets
            where workspace_id = old.workspace_id and seq = old.seq
            and target_id in (select btrim((target -> 'id')::text, '"') from json_array_elements(old.body::json -> 'targets') as target);
    end if;
    return null;
end $$;
create trigger search_follows after update or delete on audit_events
    for each row execute function audit_search_follows();
alter table audit_events enable always trigger search_follows;

-- Events of the workspace of the transaction whose text is like the pattern, the newest or the oldest first: at least p_limit of
-- them, if there are so many and there is time. Under row-level security `like` would use no index. It goes through the index
-- block by block, and says how far it came: all beyond `reached`, from where it began, was looked at.
create function audit_search_find(
    p_pattern text, p_above bigint, p_below bigint, p_newest_first boolean, p_limit int, p_millis int,
    out seqs bigint[], out reached bigint
) language plpgsql stable security definer
    set search_path = pg_catalog, public, pg_temp
    -- A walk along the primary key is what the caller does where the index is no good.
    set enable_seqscan = off
    set enable_indexscan = off
    set enable_indexonlyscan = off
    set plan_cache_mode = force_custom_plan
    as $$
declare
    v_workspace_id uuid := nullif(current_setting('send0.workspace_id', true), '')::uuid;
    v_until timestamptz := clock_timestamp() + p_millis * interval '1 millisecond';
    v_step int := case when p_newest_first then -1 else 1 end;
    v_block bigint := (case when p_newest_first then p_below - 1 else p_above + 1 end) >> 16;
    v_found bigint[];
begin
    seqs := '{}';
    loop
        select array_agg(s.seq order by s.seq * v_step) into v_found from audit_search s
            where s.workspace_id = v_workspace_id and (s.seq >> 16) = v_block and s.text like p_pattern
            -- Sums, so that the primary key does not offer itself.
            and s.seq + 0 > p_above and s.seq + 0 < p_below;
        seqs := seqs || coalesce(v_found, '{}');
        reached := case when p_newest_first then greatest(p_above, (v_block << 16) - 1) else least(p_below, (v_block + 1) << 16) end;
        exit when reached = (case when p_newest_first then p_above else p_below end)
            or cardinality(seqs) >= p_limit or clock_timestamp() >= v_until;
        v_block := v_block + v_step;
    end loop;
end $$;

grant execute on function audit_search_due, audit_search_put to send0_worker;
grant execute on function audit_search_find to send0_auditor;
call hand_over_functions('send0_lookup');

-- Views -----------------------------------------------------------------------------------------------------------------

-- Searches that somebody wants to come back to.
create table audit_views (
    workspace_id uuid not null,
    view_id uuid not null,
    name text not null constraint audit_views_name_length check (length(name) between 1 and 64),
    -- In the language of queries, as it was typed.
    query text not null constraint audit_views_query_length check (length(query) <= 1000),
    -- Whose it is; empty: everybody's in the workspace.
    user_id uuid,
    -- What its owner, or everybody, sees first.
    is_default boolean not null default false,
    created_at timestamptz not null,
    primary key (workspace_id, view_id)
);
create unique index audit_views_names on audit_views (workspace_id, user_id, name) nulls not distinct;
create unique index audit_views_defaults on audit_views (workspace_id, user_id) nulls not distinct where is_default;
call protect_tenant_tables(array['audit_views'], array['send0_app']);
grant select, insert, delete, update (name, query, is_default) on audit_views to send0_app;
