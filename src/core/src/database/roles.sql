-- Roles belong to the cluster: they are made here, never by a migration. Each property the product relies on is
-- spelled out, so that a cluster that has the roles already ends the same as a new one.
do $$
declare
    role record;
begin
    for role in values
        -- owns the schema; nobody logs in as it
        ('send0_owner', 'nologin noinherit'),
        -- changes the schema, and only after "set role send0_owner"
        ('send0_migrator', 'login noinherit'),
        ('send0_app', 'login noinherit'),
        ('send0_auth', 'login noinherit'),
        ('send0_worker', 'login noinherit'),
        ('send0_auditor', 'login noinherit'),
        -- pg_dump as anybody else silently loses rows
        ('send0_backup', 'login inherit bypassrls'),
        -- own the security-definer functions that append to the audit log, and that look up before the tenant is known
        ('send0_log', 'nologin noinherit'),
        ('send0_lookup', 'nologin noinherit')
    loop
        if not exists (select from pg_roles where rolname = role.column1) then
            execute format('create role %I', role.column1);
        end if;
        execute format('alter role %I %s', role.column1, role.column2);
    end loop;
end $$;

-- May become these roles, but never inherits from them: an owner that does is no longer held by row-level security.
-- PostgreSQL 15 sees to it by "noinherit" above, later versions by the grant itself.
do $$
declare
    may_become record;
    terms text := case when current_setting('server_version_num')::int >= 160000 then 'with inherit false, set true' else '' end;
begin
    for may_become in values
        ('send0_migrator', 'send0_owner'),
        ('send0_owner', 'send0_log'),
        ('send0_owner', 'send0_lookup')
    loop
        execute format('grant %I to %I %s', may_become.column2, may_become.column1, terms);
    end loop;
end $$;

grant pg_read_all_data to send0_backup;
