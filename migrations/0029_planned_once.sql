-- What every page, or every call, asks of the database, in plpgsql: it plans a statement once for each connection. A function in SQL
-- that cannot be inlined is planned anew at each call, which took many times longer than what it does.

create or replace function audit_seq_at(p_workspace_id uuid, p_at timestamptz) returns bigint
    language plpgsql stable set search_path = pg_catalog, public, pg_temp
    as $$
begin
    return coalesce(
        (select e.seq from audit_events e where e.workspace_id = p_workspace_id and e.at >= p_at order by e.at, e.seq limit 1),
        9223372036854775807);
end $$;

set local role send0_lookup;

create or replace function factors_of(p_user_id uuid) returns table (totp boolean, passkeys bigint, recovery_codes bigint)
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    return query
        select exists (select from totp_factors f where f.user_id = p_user_id and f.confirmed_at is not null),
            (select count(*) from passkeys p where p.user_id = p_user_id),
            (select count(*) from recovery_codes c where c.user_id = p_user_id);
end $$;

create or replace function account_memberships(p_user_id uuid) returns table (
    workspace_id uuid, slug text, workspace_name text, member_id uuid, role text, last_seen_at timestamptz,
    require_two_factor boolean, require_passkey boolean, factor_due_at timestamptz
)
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    return query
        select m.workspace_id, w.slug, w.name, m.member_id, m.role, m.last_seen_at,
            coalesce(p.require_two_factor, false), coalesce(p.require_passkey, false), m.factor_due_at
        from member_directory d
            join members m on m.workspace_id = d.workspace_id and m.user_id = d.user_id
            join workspaces w on w.workspace_id = d.workspace_id
            left join policies p on p.workspace_id = d.workspace_id
        where d.user_id = p_user_id order by w.name, w.workspace_id;
end $$;

create or replace function allowlist_verdict(p_workspace_id uuid, p_door text, p_address inet, p_now timestamptz) returns text
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    return (
        select case
                when stands.entries = 0 then 'off'
                when stands.named then 'let_in'
                when case when l.reverts_at <= p_now then l.previous_decide_by else l.decide_by end is null then 'blocked'
                else 'would_block'
            end
        from allowlists l, lateral (
            select count(*) as entries,
                coalesce(bool_or(e.network >>= p_address and (e.expires_at is null or e.expires_at > p_now)), false) as named
            from allowlist_entries e
            where e.workspace_id = l.workspace_id and e.door = l.door
                and case when l.reverts_at <= p_now then e.in_previous else e.in_force end
        ) stands
        where l.workspace_id = p_workspace_id and l.door = p_door);
end $$;

set local role send0_owner;
