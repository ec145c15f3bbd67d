-- The plan of a workspace, which operators set, and the time zone in which everybody there reads a deadline.

alter table workspaces
    add column plan text not null default 'free'
        constraint workspaces_plan check (plan in ('free', 'growth', 'scale', 'enterprise')),
    -- Empty: UTC.
    add column time_zone text not null default ''
        constraint workspaces_time_zone_length check (length(time_zone) <= 64);

-- Workspaces as operators see them, or one of them: how much there is, and no content. send0's own is none.
create function workspaces_on_plans(p_now timestamptz, p_workspace_id uuid)
    returns table (
        workspace_id uuid, slug text, name text, plan text, created_at timestamptz, members bigint, keys bigint
    )
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select w.workspace_id, w.slug, w.name, w.plan, w.created_at,
            (select count(*) from members m where m.workspace_id = w.workspace_id),
            (select count(*) from api_keys k where k.workspace_id = w.workspace_id and k.revoked_at is null
                and (k.expires_at is null or k.expires_at > p_now))
        from workspaces w
        where w.slug <> 'platform' and (p_workspace_id is null or w.workspace_id = p_workspace_id)
        order by lower(w.name), w.workspace_id
    $$;
grant execute on function workspaces_on_plans to send0_app;
call hand_over_functions('send0_lookup');
