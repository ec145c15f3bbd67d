-- Workspaces, people and their memberships; the directories that are read before the tenant is known.
-- Runs as send0_owner. The roles themselves belong to the cluster and are made at bootstrap.

create table workspaces (
    workspace_id uuid primary key,
    slug text not null constraint workspaces_slug_form check (slug ~ '^[a-z0-9-]{3,40}$'),
    name text not null constraint workspaces_name_length check (length(name) between 1 and 64),
    created_at timestamptz not null
);

create table members (
    workspace_id uuid not null,
    member_id uuid not null,
    user_id uuid not null,
    role text not null constraint members_role check (role in ('owner', 'admin', 'developer', 'security', 'billing', 'viewer')),
    joined_at timestamptz not null,
    primary key (workspace_id, member_id),
    constraint members_user_key unique (workspace_id, user_id)
);

-- Wrapped data keys: useless without the key-encryption key, which never enters the database.
create table data_keys (
    workspace_id uuid not null,
    data_key_id uuid not null,
    purpose text not null,
    wrapped bytea not null,
    created_at timestamptz not null,
    primary key (workspace_id, data_key_id),
    constraint data_keys_purpose_key unique (workspace_id, purpose)
);

-- Outside row-level security, because they are needed before the tenant is known. No login may touch them:
-- they are reached through the functions of 0003 only.
create table workspace_directory (
    slug text primary key,
    workspace_id uuid not null
);

create table member_directory (
    user_id uuid not null,
    workspace_id uuid not null,
    primary key (user_id, workspace_id)
);

create table users (
    user_id uuid primary key,
    email text not null constraint users_email_key unique,
    name text not null,
    password_hash text not null,
    created_at timestamptz not null
);

create table sessions (
    session_hash bytea primary key constraint sessions_hash_length check (octet_length(session_hash) = 32),
    session_id uuid not null constraint sessions_id_key unique,
    user_id uuid not null,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    address text,
    agent text
);
create index sessions_user on sessions (user_id);
create index sessions_created on sessions (created_at);

create table setup_tokens (
    token_hash bytea primary key,
    created_at timestamptz not null
);

create table throttles (
    bucket bytea primary key,
    failures integer not null,
    last_at timestamptz not null,
    blocked_until timestamptz not null
);

-- What is shown once: read by whoever holds the cookie, on the page it was made for, and gone.
create table flashes (
    flash_hash bytea primary key constraint flashes_hash_length check (octet_length(flash_hash) = 32),
    workspace_id uuid not null,
    place text not null,
    sealed bytea not null,
    expires_at timestamptz not null
);
create index flashes_expiry on flashes (expires_at);

-- Tenancy. No setting, or an empty one (what PostgreSQL leaves behind after `set local`): no rows.
do $$
declare tenant_table text;
begin
    foreach tenant_table in array array['workspaces', 'members', 'data_keys'] loop
        execute format('alter table %I enable row level security, force row level security', tenant_table);
        execute format(
            'create policy tenant on %I to send0_app, send0_worker '
            'using (workspace_id = nullif(current_setting(''send0.workspace_id'', true), '''')::uuid) '
            'with check (workspace_id = nullif(current_setting(''send0.workspace_id'', true), '''')::uuid)', tenant_table);
    end loop;
end $$;

grant select, insert, update on workspaces, members to send0_app;
grant delete on members to send0_app;
grant select, insert on data_keys to send0_app;

-- The narrow owner of the functions that look across tenants.
create policy lookup on workspaces for select to send0_lookup using (true);
create policy lookup on members for select to send0_lookup using (true);
grant select on workspaces, members to send0_lookup;
grant select, insert on workspace_directory, member_directory, users to send0_lookup;
grant select, insert, update, delete on sessions, setup_tokens, throttles, flashes to send0_lookup;

-- send0's own workspace, where what belongs to no customer is logged. Row-level security is forced on the
-- owner too, so it is lifted for this one row.
alter table workspaces no force row level security;
insert into workspaces (workspace_id, slug, name, created_at)
    values ('00000000-0000-4000-8000-000000000000', 'platform', 'send0', now());
alter table workspaces force row level security;
insert into workspace_directory (slug, workspace_id) values ('platform', '00000000-0000-4000-8000-000000000000');
