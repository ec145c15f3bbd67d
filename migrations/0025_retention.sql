-- How long a workspace keeps what: for now, its audit log. Without a row, as long as its plan comes with.
create table retention (
    workspace_id uuid primary key,
    audit_days integer not null constraint retention_audit_days check (audit_days between 365 and 3650),
    -- A shorter time waits for a while, so that a mistake can be called off.
    waiting_days integer constraint retention_waiting_days check (waiting_days between 365 and 3650 and waiting_days < audit_days),
    waiting_until timestamptz,
    constraint retention_waiting_whole check ((waiting_days is null) = (waiting_until is null))
);
call protect_tenant_tables(array['retention'], array['send0_app']);
grant select, insert, update on retention to send0_app;
