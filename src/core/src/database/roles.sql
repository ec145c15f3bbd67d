-- The roles of the cluster, made once by a superuser. Repeatable. Passwords are set apart.
do $$
declare role_name text;
begin
    foreach role_name in array array['send0_owner', 'send0_log', 'send0_lookup'] loop
        if not exists (select from pg_roles where rolname = role_name) then
            execute format('create role %I nologin noinherit', role_name);
        end if;
    end loop;
    foreach role_name in array array['send0_migrator', 'send0_app', 'send0_auth', 'send0_worker', 'send0_auditor', 'send0_backup'] loop
        if not exists (select from pg_roles where rolname = role_name) then
            execute format('create role %I login noinherit', role_name);
        end if;
    end loop;
end $$;

-- pg_dump as anybody else would lose rows without a word. It can read everything and change nothing.
alter role send0_backup bypassrls;
grant pg_read_all_data to send0_backup;
alter role send0_backup inherit;

-- noinherit: the owner may hand functions to these roles, but has none of their rights. An owner that inherited them
-- would see every tenant's rows in spite of forced row-level security.
grant send0_owner to send0_migrator;
grant send0_log, send0_lookup to send0_owner;
