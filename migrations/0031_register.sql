-- What the register of checkpoints does not bear out is a finding like any other.
alter table audit_checks drop constraint audit_checks_failed_kind;
alter table audit_checks add constraint audit_checks_failed_kind
    check (failed_kind in ('edit', 'delete', 'insert', 'tree', 'checkpoint', 'register'));
