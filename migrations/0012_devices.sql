-- From where a person has signed in before, as a hash of browser and network: who comes from elsewhere is told by mail.
create table known_devices (
    user_id uuid not null,
    device_hash bytea not null constraint known_devices_hash_length check (octet_length(device_hash) = 32),
    seen_at timestamptz not null,
    primary key (user_id, device_hash)
);
grant select, insert, update, delete on known_devices to send0_lookup;

-- `first`: the person's first one, `known`, or `new`. Forgotten after a year without use.
create function device_seen(p_user_id uuid, p_device_hash bytea, p_now timestamptz) returns text
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_others boolean;
begin
    delete from known_devices where user_id = p_user_id and seen_at < p_now - interval '365 days';
    v_others := exists (select from known_devices where user_id = p_user_id);
    update known_devices set seen_at = p_now where user_id = p_user_id and device_hash = p_device_hash;
    if found then
        return 'known';
    end if;
    insert into known_devices (user_id, device_hash, seen_at) values (p_user_id, p_device_hash, p_now)
        on conflict (user_id, device_hash) do update set seen_at = p_now;
    return case when v_others then 'new' else 'first' end;
end $$;

revoke all on function device_seen from public;
grant execute on function device_seen to send0_auth;
alter function device_seen owner to send0_lookup;
