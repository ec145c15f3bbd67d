-- The rights in the database itself, given once by a superuser who is connected to it. Repeatable.
revoke all on schema public from public;
grant usage on schema public to send0_owner, send0_log, send0_lookup, send0_app, send0_auth, send0_worker, send0_auditor, send0_backup;
-- To own a function one must be allowed to make it.
grant create on schema public to send0_owner, send0_log, send0_lookup;
