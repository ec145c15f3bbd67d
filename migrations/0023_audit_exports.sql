-- Exports of the audit log that the server writes by itself, so that nobody has to keep a page open.

create table audit_exports (
    workspace_id uuid not null,
    export_id uuid not null,
    requested_by uuid not null,
    format text not null constraint audit_exports_format check (format in ('ndjson', 'csv', 'ocsf', 'ecs', 'cef')),
    -- What was asked for, as it stands in a URL; a mail address has become an id.
    filter jsonb not null,
    state text not null constraint audit_exports_state check (state in ('queued', 'running', 'done', 'cancelled', 'failed')),
    -- The first and the last event that are looked at; empty: there were none.
    first_seq bigint,
    last_seq bigint,
    -- Up to which event it is written.
    next_seq bigint not null,
    rows bigint not null default 0,
    bytes bigint not null default 0,
    sha256 bytea constraint audit_exports_sha256_length check (octet_length(sha256) = 32),
    -- What says that it is complete, as JSON.
    receipt text,
    -- The random name of its file; empty: there is none, or none any more.
    file_id uuid,
    -- The number of attempts is the lease: who has lost it to another worker changes nothing any more.
    attempts integer not null default 0,
    leased_until timestamptz not null,
    created_at timestamptz not null,
    finished_at timestamptz,
    -- After this its file is gone.
    expires_at timestamptz,
    primary key (workspace_id, export_id),
    constraint audit_exports_done_is_whole check (
        state <> 'done' or (sha256 is not null and receipt is not null and finished_at is not null and expires_at is not null)
    )
);
-- One at a time: a log is read once, however many people ask for it.
create unique index audit_exports_one_at_a_time on audit_exports (workspace_id) where state in ('queued', 'running');

call protect_tenant_tables(array['audit_exports'], array['send0_app']);
create policy lookup on audit_exports to send0_lookup using (true) with check (true);

grant select, insert on audit_exports to send0_app;
grant update (state, next_seq, rows, bytes, sha256, receipt, finished_at, expires_at) on audit_exports to send0_app;
grant select, delete on audit_exports to send0_lookup;
grant update (state, next_seq, rows, bytes, file_id, attempts, leased_until) on audit_exports to send0_lookup;

-- Gives one export to one worker, with a new file, until its lease is over. One that nobody finished begins anew.
create function audit_export_claim(p_file_id uuid, p_now timestamptz, p_until timestamptz)
    returns table (
        workspace_id uuid, export_id uuid, format text, filter jsonb, first_seq bigint, last_seq bigint, attempts integer
    )
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        with due as materialized (
            select e.workspace_id, e.export_id from audit_exports e
                where e.state in ('queued', 'running') and e.leased_until <= p_now
                order by e.created_at limit 1 for update skip locked
        )
        update audit_exports e
            set state = 'running', file_id = p_file_id, attempts = e.attempts + 1, leased_until = p_until,
                next_seq = coalesce(e.first_seq, 0), rows = 0, bytes = 0
            from due where e.workspace_id = due.workspace_id and e.export_id = due.export_id
            returning e.workspace_id, e.export_id, e.format, e.filter, e.first_seq, e.last_seq, e.attempts
    $$;

-- Says how far an export is, and keeps its lease. False: it was cancelled, or belongs to another worker by now.
create function audit_export_progress(
    p_workspace_id uuid, p_export_id uuid, p_attempts integer, p_next_seq bigint, p_rows bigint, p_bytes bigint, p_until timestamptz
) returns boolean language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    update audit_exports e set next_seq = p_next_seq, rows = p_rows, bytes = p_bytes, leased_until = p_until
        where e.workspace_id = p_workspace_id and e.export_id = p_export_id and e.attempts = p_attempts and e.state = 'running';
    return found;
end $$;

-- Forgets the files of exports that have expired, or that nobody will finish, and whatever a workspace has more than it keeps.
-- Returns the files that are left: any other that lies there belongs to nothing.
create function audit_exports_sweep(p_now timestamptz, p_kept integer) returns table (file_id uuid)
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    delete from audit_exports e using (
        select n.workspace_id, n.export_id,
            row_number() over (partition by n.workspace_id order by n.created_at desc, n.export_id desc) as place
        from audit_exports n
    ) numbered
        where e.workspace_id = numbered.workspace_id and e.export_id = numbered.export_id
            and numbered.place > p_kept and e.state not in ('queued', 'running');
    update audit_exports e set file_id = null
        where e.file_id is not null and (e.state in ('cancelled', 'failed') or e.expires_at <= p_now);
    return query select e.file_id from audit_exports e where e.file_id is not null;
end $$;

grant execute on function audit_export_claim, audit_export_progress, audit_exports_sweep to send0_worker;
call hand_over_functions('send0_lookup');
