-- Whoever is erased and whoever places a legal hold wait for each other, as a removal and a hold do: asked just before the end, this
-- answer stays true until the erasure is.
set local role send0_lookup;
create or replace function legal_holds_in(p_workspaces uuid[]) returns setof text
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_workspace_id uuid;
begin
    for v_workspace_id in select distinct place from unnest(p_workspaces) as place order by place loop
        perform pg_advisory_xact_lock(hashtextextended('legal_holds ' || v_workspace_id, 0));
    end loop;
    return query
        select w.name from workspaces w
        where w.workspace_id = any (p_workspaces)
            and exists (select from legal_holds h where h.workspace_id = w.workspace_id and h.released_at is null)
        order by w.name;
end $$;
set local role send0_owner;
