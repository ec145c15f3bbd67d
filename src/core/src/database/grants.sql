do $$
begin
    execute format('revoke all on database %I from public', current_database());
    execute format(
        'grant connect on database %I to send0_migrator, send0_app, send0_auth, send0_worker, send0_auditor, send0_backup',
        current_database()
    );
    -- For schemas and trusted extensions. Whoever owns the database, as in production, has it anyway.
    execute format('grant create on database %I to send0_owner', current_database());
end $$;

alter schema public owner to send0_owner;
revoke all on schema public from public;
grant usage on schema public
    to send0_migrator, send0_app, send0_auth, send0_worker, send0_auditor, send0_backup, send0_log, send0_lookup;

-- "alter function … owner to" demands that the new owner may create in the schema. Nobody can log in as these two.
grant create on schema public to send0_log, send0_lookup;
