-- Security contacts: who is told what happens to the security of a workspace.

create table contacts (
    workspace_id uuid not null,
    contact_id uuid not null,
    -- One of the two: a member, or an address outside.
    user_id uuid,
    email text,
    kinds text[] not null constraint contacts_kinds check (
        kinds <> '{}' and kinds <@ array['members', 'keys', 'policies', 'sign_ins', 'log']
    ),
    -- Empty: it began with the workspace, or came from the command line.
    added_by uuid,
    created_at timestamptz not null,
    -- Of an address outside: when whoever reads its mail has said yes, and until when the link for that opens.
    confirmed_at timestamptz,
    expires_at timestamptz,
    tested_at timestamptz,
    primary key (workspace_id, contact_id),
    constraint contacts_user_key unique (workspace_id, user_id),
    constraint contacts_email_key unique (workspace_id, email),
    constraint contacts_one_of_two check ((user_id is null) <> (email is null)),
    constraint contacts_only_addresses_expire check ((expires_at is null) = (email is null))
);

-- Found by the hash of its token, before the tenant is known. One token per contact: a new one voids the one before.
create table contact_directory (
    token_hash bytea primary key constraint contact_directory_hash_length check (octet_length(token_hash) = 32),
    workspace_id uuid not null,
    contact_id uuid not null,
    constraint contact_directory_contact_key unique (workspace_id, contact_id)
);

-- Every workspace has a contact: those from before, their owners.
alter table members no force row level security;
insert into contacts (workspace_id, contact_id, user_id, kinds, created_at)
    select workspace_id, gen_random_uuid(), user_id, array['members', 'keys', 'policies', 'sign_ins', 'log'], now()
    from members where role = 'owner';
alter table members force row level security;

alter table contacts enable row level security, force row level security;
create policy tenant on contacts to send0_app, send0_worker
    using (workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid)
    with check (workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid);
create policy lookup on contacts for select to send0_lookup using (true);

grant select, insert, delete, update (kinds, confirmed_at, expires_at, tested_at) on contacts to send0_app;
grant select on contacts to send0_lookup;
grant select, insert, delete on contact_directory to send0_lookup;

create function contact_register(p_hash bytea, p_contact_id uuid) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        delete from contact_directory
            where workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid and contact_id = p_contact_id;
        insert into contact_directory (token_hash, workspace_id, contact_id)
            values (p_hash, nullif(current_setting('send0.workspace_id', true), '')::uuid, p_contact_id)
    $$;

create function contact_unregister(p_contact_id uuid) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        delete from contact_directory
            where workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid and contact_id = p_contact_id
    $$;

create function contact_find(p_hash bytea, p_now timestamptz)
    returns table (workspace_id uuid, workspace_name text, contact_id uuid, email text, added_by text)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select c.workspace_id, w.name, c.contact_id, c.email, u.name
        from contact_directory d
            join contacts c on c.workspace_id = d.workspace_id and c.contact_id = d.contact_id
            join workspaces w on w.workspace_id = d.workspace_id
            left join users u on u.user_id = c.added_by
        where d.token_hash = p_hash and c.expires_at > p_now
    $$;

-- The contact that the token is for, once: the row lock makes two that come at once wait for each other.
create function contact_take(p_hash bytea) returns uuid
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        delete from contact_directory
            where token_hash = p_hash and workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid
            returning contact_id
    $$;

-- Rights first: once handed over, the owner of the schema has no say over them.
revoke all on function contact_register, contact_unregister, contact_find, contact_take from public;
grant execute on function contact_register, contact_unregister, contact_take to send0_app;
grant execute on function contact_find to send0_auth;
alter function contact_register owner to send0_lookup;
alter function contact_unregister owner to send0_lookup;
alter function contact_find owner to send0_lookup;
alter function contact_take owner to send0_lookup;
