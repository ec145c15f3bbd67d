-- send0's own staff. Their accounts are apart from those of customers: an operator is nobody's member.

create table operators (
    user_id uuid primary key,
    created_at timestamptz not null
);
grant select, insert, delete on operators to send0_lookup;

-- Whoever comes second waits for the first, and is refused.
create function operators_stay_apart() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    perform from users where user_id = new.user_id for update;
    if (tg_table_name = 'operators' and exists (select from member_directory d where d.user_id = new.user_id))
        or (tg_table_name = 'member_directory' and exists (select from operators o where o.user_id = new.user_id))
    then
        raise exception using errcode = 'check_violation', constraint = 'operators_are_no_members',
            message = 'an operator is nobody''s member';
    end if;
    return new;
end $$;
revoke all on function operators_stay_apart from public;

create trigger apart before insert on operators for each row execute function operators_stay_apart();
create trigger apart before insert on member_directory for each row execute function operators_stay_apart();

create function operator_add(p_user_id uuid, p_now timestamptz) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$ insert into operators (user_id, created_at) values (p_user_id, p_now) $$;

create function operator_is(p_user_id uuid) returns boolean
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select exists (select from operators where user_id = p_user_id) $$;

-- With every session of theirs.
create function operator_remove(p_user_id uuid) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    delete from sessions where user_id = p_user_id;
    delete from operators where user_id = p_user_id;
    return found;
end $$;

create function operators_exist() returns boolean
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select exists (select from operators) $$;

create function operators_all() returns table (user_id uuid, name text, email text, created_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select o.user_id, u.name, u.email, o.created_at from operators o join users u on u.user_id = o.user_id
        order by o.created_at, o.user_id
    $$;

grant execute on function operator_add, operator_remove, operators_all to send0_app;
grant execute on function operator_is, operators_exist to send0_auth;
call hand_over_functions('send0_lookup');

-- An event of a workspace's transaction that the platform is told as well: objections, and what operators answer.
create function append_platform_event(
    p_event_id uuid, p_action text, p_outcome text, p_actor_kind text, p_actor_id text, p_body text, p_personal text, p_salt bytea
) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select append_events(
            array['00000000-0000-4000-8000-000000000000']::uuid[], array[p_event_id], array[p_action], array[p_outcome],
            array[p_actor_kind], array[p_actor_id], array[p_body], array[p_personal], array[p_salt]
        )
    $$;
grant execute on function append_platform_event to send0_app;
call hand_over_functions('send0_log');
