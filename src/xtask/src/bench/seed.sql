with number as (
    -- The 25th bit belongs to the 9 before the number.
    select n, lpad(to_hex(n), 6, '0') as hexadecimal,
        (select string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', 1 + (((n | (1 << 24)) >> shift) & 31), 1), '' order by shift desc)
            from unnest(array[0, 5, 10, 15, 20]) as shift) as crockford
    from generate_series({first}, {last}) as n
),
kind as (
    select n, hexadecimal, crockford,
        case when n % 100 = 7 then 'api_key.revoked' when n % 10 = 8 then 'session.started' else 'api.called' end as action,
        case when n % 10 = 9 then 'denied' else 'success' end as outcome
    from number
),
actor as (
    select *, case when action = 'api.called' then 'api_key' else 'user' end as actor_kind,
        case when action = 'api.called' then '{key}' else 'usr_01h455vb4pex5vsknk084s0' || lpad((n % 50)::text, 3, '0') end as actor_id,
        sha256(convert_to('salt ' || n, 'UTF8')) as salt,
        '{"actor":' || case when action = 'api.called' then '"Deploy from CI"' else '"Ana Lindqvist"' end
            || ',"address":"192.0.2.' || n % 250 || '","agent":"' || case when action = 'api.called' then 'curl/8.5.0'
                else 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0' end
            || '","changes":' || case when action = 'api_key.revoked'
                then '[{"after":"revoked","before":"active"},{"after":"no longer needed","before":null}],"targets":["Staging"]}'
                else '[],"targets":[]}' end as personal
    from kind
),
body as (
    select *, '{"action":"' || action || '","actor":{"id":"' || actor_id || '","kind":"' || actor_kind || '","permission":'
            || case when action = 'api_key.revoked' then '"keys.revoke"' else 'null' end
            || case when actor_kind = 'user' then ',"role":"owner","session":"ses_01h455vb4pex5vsknk084' || crockford || '"'
                else ',"role":null,"session":null' end
            || '},"changed":' || case when action = 'api_key.revoked' then '["status","reason"]' else '[]' end
            || ',"commitment":"' || encode(sha256('\x01'::bytea || convert_to('send0 audit personal v1', 'UTF8') || '\x00'::bytea
                || salt || convert_to(personal, 'UTF8')), 'hex')
            || '","id":"evt_01h455vb4pex5vsknk084' || crockford || '","outcome":"' || outcome || '","reason":'
            || case when outcome = 'denied' then '"missing_permission"' else 'null' end
            || ',"request":{"id":"req_01h455vb4pex5vsknk084' || crockford || '","method":"' || case action
                when 'api.called' then 'GET","path":"/v1/api-keys' when 'api_key.revoked' then 'DELETE","path":"/v1/api-keys/key_01h455vb4pex5vsknk084' || crockford
                else 'POST","path":"/_fn/app/accounts/server_fns/sign_in' end
            || '"},"schema":1,"targets":' || case when action = 'api_key.revoked'
                then '[{"id":"key_01h455vb4pex5vsknk084' || crockford || '","kind":"api_key"}]' else '[]' end
            || ',"workspace":"{workspace}"}' as body
    from actor
)
select append_events(
    array_agg(workspace_id order by n), array_agg(('01890a5d-ac96-774b-bcce-b30209' || hexadecimal)::uuid order by n),
    array_agg(action order by n), array_agg(outcome order by n), array_agg(actor_kind order by n), array_agg(actor_id order by n),
    array_agg(body order by n), array_agg(personal order by n), array_agg(salt order by n)
)
from body, (select workspace_id from workspaces where slug = '{slug}') as workspace
-- As many at once as the product writes: those of a batch have the same time.
group by n / 64
