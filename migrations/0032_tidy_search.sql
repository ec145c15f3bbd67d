-- The index of words keeps a list of what is new, and each block of a search reads all of it. Whoever owns the index may put the list
-- in order; a function of the owner does that, and nothing else.
create or replace procedure hand_over_functions(p_owner text) language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_signature text;
begin
    for v_signature in
        select p.oid::regprocedure::text from pg_proc p
        where p.pronamespace = 'public'::regnamespace and p.prosecdef and p.proowner = 'send0_owner'::regrole
            and p.proname <> 'audit_search_tidy'
    loop
        execute format('revoke all on function %s from public', v_signature);
        execute format('alter function %s owner to %I', v_signature, p_owner);
    end loop;
end $$;

create function audit_search_tidy() returns bigint language sql volatile security definer
    set search_path = pg_catalog, public, pg_temp
    as $$ select gin_clean_pending_list('audit_search_by_text'::regclass) $$;
revoke all on function audit_search_tidy from public;
grant execute on function audit_search_tidy to send0_worker;
