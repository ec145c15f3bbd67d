-- From which addresses people and keys get in: one list for the dashboard, one for the API.

create table allowlists (
    workspace_id uuid not null,
    door text not null constraint allowlists_door check (door in ('dashboard', 'api')),
    -- Counts every change, so that nobody overwrites what they have not seen.
    version bigint not null,
    -- Report-only until somebody decides: nobody is kept out. Empty: enforced. In the draft, in force, and before.
    draft_decide_by timestamptz,
    decide_by timestamptz,
    previous_decide_by timestamptz,
    -- When a saved change goes back to what was before, because nobody has confirmed it. Empty: confirmed.
    reverts_at timestamptz,
    primary key (workspace_id, door)
);
create index allowlists_pending on allowlists (workspace_id, reverts_at) where reverts_at is not null;

-- An entry never changes. It is in the draft, in force, in what was before, or in several of these; in none it is gone.
create table allowlist_entries (
    workspace_id uuid not null,
    entry_id uuid not null,
    door text not null constraint allowlist_entries_door check (door in ('dashboard', 'api')),
    network cidr not null,
    note text not null constraint allowlist_entries_note_length check (length(note) <= 100),
    expires_at timestamptz,
    added_at timestamptz not null,
    in_draft boolean not null,
    in_force boolean not null default false,
    in_previous boolean not null default false,
    primary key (workspace_id, entry_id)
);
create index allowlist_entries_by_door on allowlist_entries (workspace_id, door);
create unique index allowlist_entries_network_key on allowlist_entries (workspace_id, door, network) where in_draft;

do $$
declare tenant_table text;
begin
    foreach tenant_table in array array['allowlists', 'allowlist_entries'] loop
        execute format('alter table %I enable row level security, force row level security', tenant_table);
        execute format(
            'create policy tenant on %I to send0_app, send0_worker '
            'using (workspace_id = nullif(current_setting(''send0.workspace_id'', true), '''')::uuid) '
            'with check (workspace_id = nullif(current_setting(''send0.workspace_id'', true), '''')::uuid)', tenant_table);
        execute format('create policy lookup on %I for select to send0_lookup using (true)', tenant_table);
    end loop;
end $$;

grant select, insert on allowlists to send0_app;
grant update (version, draft_decide_by, decide_by, previous_decide_by, reverts_at) on allowlists to send0_app;
grant select, insert, delete on allowlist_entries to send0_app;
grant update (in_draft, in_force, in_previous) on allowlist_entries to send0_app;
grant select on allowlists, allowlist_entries to send0_lookup;

-- What a list says of an address; nothing where there never was a list. A change that nobody confirmed in time counts as
-- gone back already. Nobody's address is in no entry.
create function allowlist_verdict(p_workspace_id uuid, p_door text, p_address inet, p_now timestamptz) returns text
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select case
                when stands.entries = 0 then 'off'
                when stands.named then 'let_in'
                when case when l.reverts_at <= p_now then l.previous_decide_by else l.decide_by end is null then 'blocked'
                else 'would_block'
            end
        from allowlists l, lateral (
            select count(*) as entries,
                coalesce(bool_or(e.network >>= p_address and (e.expires_at is null or e.expires_at > p_now)), false) as named
            from allowlist_entries e
            where e.workspace_id = l.workspace_id and e.door = l.door
                and case when l.reverts_at <= p_now then e.in_previous else e.in_force end
        ) stands
        where l.workspace_id = p_workspace_id and l.door = p_door
    $$;

-- The lists with a change that nobody has confirmed in time.
create function allowlists_overdue(p_now timestamptz) returns table (workspace_id uuid, door text)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select l.workspace_id, l.door from allowlists l where l.reverts_at <= p_now $$;

-- Rights first: once handed over, the owner of the schema has no say over them.
revoke all on function allowlist_verdict, allowlists_overdue from public;
grant execute on function allowlist_verdict to send0_auth;
grant execute on function allowlists_overdue to send0_worker;
alter function allowlist_verdict owner to send0_lookup;
alter function allowlists_overdue owner to send0_lookup;
