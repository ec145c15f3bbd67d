-- Keys are recognised many at a time: one statement for all calls that wait (docs/architecture.md, "Allowlists"). plpgsql, because a
-- function in SQL is planned anew at each call, which took longer than finding the key.

set local role send0_lookup;
drop function key_find;
set local role send0_owner;

-- The keys with these hashes, `place` saying which; of each, what the allowlist of the API says of the address that the call came from.
create function keys_find(p_hashes bytea[], p_addresses text[], p_times timestamptz[]) returns table (
    place bigint, workspace_id uuid, slug text, workspace_name text, key_id uuid, name text, kind text, mode text, scopes text[],
    expires_at timestamptz, revoked_at timestamptz, verdict text
)
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    return query
        select asked.place, k.workspace_id, w.slug, w.name, k.key_id, k.name, k.kind, k.mode, k.scopes, k.expires_at, k.revoked_at,
            case when l.workspace_id is null then 'off'
                else allowlist_verdict(k.workspace_id, 'api', asked.address::inet, asked.at) end
        from unnest(p_hashes, p_addresses, p_times) with ordinality as asked (hash, address, at, place)
            join key_directory d on d.key_hash = asked.hash
            join api_keys k on k.workspace_id = d.workspace_id and k.key_id = d.key_id
            join workspaces w on w.workspace_id = d.workspace_id
            left join allowlists l on l.workspace_id = d.workspace_id and l.door = 'api';
end $$;

grant execute on function keys_find to send0_auth;
call hand_over_functions('send0_lookup');
