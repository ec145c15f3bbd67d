-- What every migration that made tenant tables said again: now it is said once.

-- Puts tables under the tenant: row-level security, forced on the owner too, and the one policy that shows the logins named
-- (`send0_app`, `send0_worker`, `send0_auditor`) the rows of the workspace of their transaction and no others. Where logins
-- only look, the policy is for looking only.
create procedure protect_tenant_tables(p_tables text[], p_logins text[], p_look_only boolean default false) language plpgsql
    set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_table text;
    v_logins text := (select string_agg(format('%I', login), ', ') from unnest(p_logins) as named (login));
    v_ours text := '(workspace_id = nullif(current_setting(''send0.workspace_id'', true), '''')::uuid)';
begin
    foreach v_table in array p_tables loop
        execute format('alter table %I enable row level security, force row level security', v_table);
        if p_look_only then
            execute format('create policy tenant on %I for select to %s using %s', v_table, v_logins, v_ours);
        else
            execute format('create policy tenant on %I to %s using %s with check %s', v_table, v_logins, v_ours, v_ours);
        end if;
    end loop;
end $$;
revoke all on procedure protect_tenant_tables from public;
