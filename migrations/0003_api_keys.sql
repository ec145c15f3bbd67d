-- API keys. The key itself is never stored: its SHA-256 lies in the directory, which no login can read.

create table api_keys (
    workspace_id uuid not null,
    key_id uuid not null,
    name text not null constraint api_keys_name_length check (length(name) between 1 and 64),
    kind text not null constraint api_keys_kind check (kind in ('live', 'test', 'restricted')),
    mode text not null constraint api_keys_mode check (mode in ('live', 'test')),
    last4 text not null,
    scopes text[] not null,
    -- Empty: the command line of the server.
    created_by uuid,
    created_at timestamptz not null,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    revoked_by text,
    reason text constraint api_keys_reason_length check (length(reason) <= 200),
    primary key (workspace_id, key_id),
    constraint api_keys_kind_and_mode check (kind = 'restricted' or kind = mode),
    constraint api_keys_revoked_whole check ((revoked_at is null) = (revoked_by is null))
);

create table key_directory (
    key_hash bytea primary key constraint key_directory_hash_length check (octet_length(key_hash) = 32),
    workspace_id uuid not null,
    key_id uuid not null
);

alter table api_keys enable row level security, force row level security;
create policy tenant on api_keys to send0_app, send0_worker
    using (workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid)
    with check (workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid);
create policy lookup on api_keys for select to send0_lookup using (true);
create policy last_use on api_keys for update to send0_lookup using (true) with check (true);

grant select, insert on api_keys to send0_app;
grant update (revoked_at, revoked_by, reason) on api_keys to send0_app;
grant select, update (last_used_at) on api_keys to send0_lookup;
grant select, insert on key_directory to send0_lookup;
