-- Whoever runs the server can close an account, at once and everywhere, and open it again (ASVS 7.4.2).

alter table users add column disabled_at timestamptz;
grant update (disabled_at) on users to send0_lookup;

set local role send0_lookup;
drop function session_find;
set local role send0_owner;

-- The living session: idle at most 30 minutes, 12 hours old at most, of an account that is open. Seeing it keeps it alive.
create function session_find(p_hash bytea, p_now timestamptz)
    returns table (
        session_id uuid, user_id uuid, name text, email text, time_zone text, theme text, level text, factor text,
        proved_at timestamptz, approved_digest bytea, approved_at timestamptz
    )
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    update sessions s set last_seen_at = p_now
        where s.session_hash = p_hash and s.last_seen_at < p_now - interval '1 minute'
            and s.last_seen_at > p_now - interval '30 minutes';
    return query
        select s.session_id, s.user_id, u.name, u.email, u.time_zone, u.theme, s.level, s.factor, s.proved_at,
            s.approved_digest, s.approved_at
        from sessions s join users u on u.user_id = s.user_id
        where s.session_hash = p_hash and u.disabled_at is null
            and s.last_seen_at > p_now - interval '30 minutes' and s.created_at > p_now - interval '12 hours';
end $$;

create function account_is_disabled(p_user_id uuid) returns boolean
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select coalesce((select disabled_at is not null from users where user_id = p_user_id), false) $$;

-- With every session and every link that sets a password. False when it was so already.
create function account_disable(p_user_id uuid, p_now timestamptz) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    update users set disabled_at = p_now where user_id = p_user_id and disabled_at is null;
    if not found then
        return false;
    end if;
    delete from sessions where user_id = p_user_id;
    delete from password_resets where user_id = p_user_id;
    return true;
end $$;

create function account_enable(p_user_id uuid) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    update users set disabled_at = null where user_id = p_user_id and disabled_at is not null;
    return found;
end $$;

grant execute on function session_find, account_is_disabled, account_disable, account_enable to send0_auth;
call hand_over_functions('send0_lookup');
