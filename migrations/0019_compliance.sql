-- What send0 says of compliance, no more than it can show; requests about it; and the documents behind it.

-- Public content: no tenant's.
create table frameworks (
    framework_id text primary key constraint frameworks_id check (framework_id ~ '^[a-z0-9-]{2,40}$'),
    position integer not null,
    name text not null constraint frameworks_name_length check (length(name) between 1 and 100),
    status text not null constraint frameworks_status check (
        status in ('not_in_scope', 'in_progress', 'on_request', 'compliant', 'certified')
    ),
    scope text not null constraint frameworks_scope_length check (length(scope) between 1 and 500),
    -- Who answers for it at send0.
    owner text not null constraint frameworks_owner_length check (length(owner) between 1 and 100),
    -- After this day it is overdue, and says so.
    review_on date not null,
    changed_at timestamptz not null
);

-- A document that is handed out one by one, sealed under the platform's key. What it holds is never public.
create table documents (
    document_id uuid primary key,
    title text not null constraint documents_title_length check (length(title) between 1 and 100),
    file_name text not null constraint documents_file_name check (file_name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    media_type text not null constraint documents_media_type check (media_type in ('application/pdf', 'text/plain', 'text/markdown', 'text/csv')),
    size integer not null constraint documents_size check (size between 1 and 10485760),
    sha256 bytea not null constraint documents_sha256_length check (octet_length(sha256) = 32),
    -- What whoever gets it agrees to first.
    terms text not null constraint documents_terms_length check (length(terms) between 1 and 4000),
    sealed bytea not null,
    added_at timestamptz not null,
    -- Empty: it is handed out.
    retired_at timestamptz
);

create table framework_evidence (
    evidence_id uuid primary key,
    framework_id text not null,
    title text not null constraint framework_evidence_title_length check (length(title) between 1 and 200),
    -- Of one's own word, or of somebody independent: only that certifies.
    kind text not null constraint framework_evidence_kind check (kind in ('statement', 'attestation')),
    -- One of the two: where anybody reads it, or what is asked for.
    link text constraint framework_evidence_link check (link ~ '^(https://|/)' and length(link) <= 500),
    document_id uuid,
    valid_until date,
    added_at timestamptz not null,
    removed_at timestamptz,
    constraint framework_evidence_one_place check ((link is null) <> (document_id is null)),
    constraint framework_evidence_attestation_ends check (kind = 'statement' or valid_until is not null)
);
create index framework_evidence_by_framework on framework_evidence (framework_id) where removed_at is null;

-- A row cannot say more than its evidence. Whether that is still valid on the day is said when the row is shown.
create function frameworks_can_show_it() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_framework text := new.framework_id;
    v_status text;
begin
    select status into v_status from frameworks where framework_id = v_framework for update;
    if (v_status = 'compliant' and not exists (
            select from framework_evidence where framework_id = v_framework and removed_at is null))
        or (v_status = 'certified' and not exists (
            select from framework_evidence where framework_id = v_framework and removed_at is null and kind = 'attestation'))
    then
        raise exception using errcode = 'check_violation', constraint = 'frameworks_say_no_more_than_their_evidence',
            message = 'a framework says no more than its evidence';
    end if;
    return null;
end $$;
revoke all on function frameworks_can_show_it from public;
create constraint trigger can_show_it after insert or update on frameworks
    deferrable initially deferred for each row execute function frameworks_can_show_it();
create constraint trigger can_show_it after update on framework_evidence
    deferrable initially deferred for each row execute function frameworks_can_show_it();

grant select, update on frameworks to send0_app;
grant select, insert on framework_evidence to send0_app;
grant update (removed_at) on framework_evidence to send0_app;
grant insert, select (document_id, retired_at), update (retired_at) on documents to send0_app;
grant select on frameworks, framework_evidence to send0_auth;
grant select (document_id, title, file_name, media_type, size, sha256, added_at, retired_at) on documents to send0_auth;

-- As published in 2026.
insert into frameworks (framework_id, position, name, status, scope, owner, review_on, changed_at) values
    ('soc-2', 1, 'SOC 2 Type II', 'in_progress',
        'Security, availability and confidentiality of the console, the API and their hosting. The period that is looked at ends in 2026; there is no report yet.',
        'Security team', '2026-12-31', '2026-04-01 00:00Z'),
    ('gdpr', 2, 'GDPR', 'compliant',
        'send0 as processor of what its customers send, and as controller of their accounts.',
        'Data protection team', '2027-04-01', '2026-04-01 00:00Z'),
    ('hipaa', 3, 'HIPAA BAA', 'on_request',
        'A business associate agreement for workspaces on the Scale plan and above. Without one, no health data belongs into send0.',
        'Legal team', '2027-04-01', '2026-04-01 00:00Z'),
    ('pci-dss', 4, 'PCI DSS', 'not_in_scope',
        'Payments are made with Stripe; numbers of cards never reach send0.',
        'Security team', '2027-04-01', '2026-04-01 00:00Z');
insert into framework_evidence (evidence_id, framework_id, title, kind, link, added_at) values
    ('01963000-0000-7000-8000-000000000011', 'gdpr', 'Every processor behind send0, and 30 days'' notice of a change (Art. 28)', 'statement', '/subprocessors', '2026-04-01 00:00Z'),
    ('01963000-0000-7000-8000-000000000012', 'gdpr', 'What protects the data, practice by practice (Art. 32)', 'statement', '/security', '2026-04-01 00:00Z'),
    ('01963000-0000-7000-8000-000000000013', 'pci-dss', 'Stripe stands in the list of subprocessors for billing', 'statement', '/subprocessors', '2026-04-01 00:00Z');

-- Requests ---------------------------------------------------------------------------------------------------------

-- Of a workspace; a visitor's belong to the platform.
create table compliance_requests (
    workspace_id uuid not null,
    request_id uuid not null,
    kind text not null constraint compliance_requests_kind check (kind in ('baa', 'dpa', 'questionnaire', 'control', 'document')),
    -- Of a document: which.
    document_id uuid,
    state text not null constraint compliance_requests_state check (state in ('open', 'answered', 'closed', 'declined')),
    name text not null constraint compliance_requests_name_length check (length(name) between 1 and 100),
    email text not null constraint compliance_requests_email_length check (length(email) between 3 and 254),
    company text not null constraint compliance_requests_company_length check (length(company) between 1 and 100),
    requested_by uuid,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    primary key (workspace_id, request_id),
    constraint compliance_requests_document check ((kind = 'document') = (document_id is not null))
);
create index compliance_requests_newest on compliance_requests (workspace_id, created_at desc, request_id);

create table compliance_messages (
    workspace_id uuid not null,
    request_id uuid not null,
    message_id uuid not null,
    side text not null constraint compliance_messages_side check (side in ('requester', 'send0')),
    author text not null constraint compliance_messages_author_length check (length(author) between 1 and 100),
    body text not null constraint compliance_messages_body_length check (length(body) between 1 and 4000),
    at timestamptz not null,
    primary key (workspace_id, request_id, message_id)
);

do $$
declare tenant_table text;
begin
    foreach tenant_table in array array['compliance_requests', 'compliance_messages'] loop
        execute format('alter table %I enable row level security, force row level security', tenant_table);
        execute format(
            'create policy tenant on %I to send0_app, send0_worker '
            'using (workspace_id = nullif(current_setting(''send0.workspace_id'', true), '''')::uuid) '
            'with check (workspace_id = nullif(current_setting(''send0.workspace_id'', true), '''')::uuid)', tenant_table);
        execute format('create policy lookup on %I for select to send0_lookup using (true)', tenant_table);
    end loop;
end $$;
grant select, insert on compliance_requests, compliance_messages to send0_app;
grant update (state, changed_at) on compliance_requests to send0_app;
grant select on compliance_requests, compliance_messages to send0_lookup;

-- A visitor's link: it sends what was written, and later shows what was said. Found by its hash.
create table visitor_links (
    token_hash bytea primary key constraint visitor_links_hash_length check (octet_length(token_hash) = 32),
    request_id uuid not null constraint visitor_links_request_key unique,
    expires_at timestamptz not null,
    -- What waits until the address has said that it wants it sent; empty once it is.
    waiting jsonb
);
grant select, insert, update, delete on visitor_links to send0_lookup;

create function visitor_link_put(p_hash bytea, p_request_id uuid, p_expires_at timestamptz, p_waiting jsonb) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        insert into visitor_links (token_hash, request_id, expires_at, waiting) values (p_hash, p_request_id, p_expires_at, p_waiting)
    $$;

create function visitor_link_find(p_hash bytea, p_now timestamptz) returns table (request_id uuid, expires_at timestamptz, waiting jsonb)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select l.request_id, l.expires_at, l.waiting from visitor_links l where l.token_hash = p_hash and l.expires_at > p_now $$;

-- Takes what waits, once.
create function visitor_link_take(p_hash bytea, p_now timestamptz, p_expires_at timestamptz) returns table (request_id uuid, waiting jsonb)
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_link visitor_links;
begin
    select * into v_link from visitor_links l where l.token_hash = p_hash and l.expires_at > p_now and l.waiting is not null for update;
    if found then
        update visitor_links l set waiting = null, expires_at = p_expires_at where l.token_hash = p_hash;
        return query select v_link.request_id, v_link.waiting;
    end if;
end $$;

-- Another link in every answer: who lost the one before has the newest.
create function visitor_link_renew(p_request_id uuid, p_hash bytea, p_expires_at timestamptz) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$ update visitor_links set token_hash = p_hash, expires_at = p_expires_at where request_id = p_request_id $$;

create function visitor_links_purge(p_now timestamptz) returns bigint
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    v_count bigint;
begin
    delete from visitor_links where expires_at < p_now;
    get diagnostics v_count = row_count;
    return v_count;
end $$;

-- For operators: the requests of all workspaces and visitors, those first that wait.
create function compliance_requests_all()
    returns table (
        workspace_id uuid, workspace_name text, request_id uuid, kind text, document_id uuid, state text, name text, email text,
        company text, created_at timestamptz, changed_at timestamptz
    )
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select r.workspace_id, w.name, r.request_id, r.kind, r.document_id, r.state, r.name, r.email, r.company, r.created_at, r.changed_at
        from compliance_requests r join workspaces w on w.workspace_id = r.workspace_id
        order by (r.state = 'open') desc, r.changed_at desc, r.request_id
    $$;

-- The access list ------------------------------------------------------------------------------------------------

create table document_grants (
    grant_id uuid primary key,
    document_id uuid not null,
    email text not null constraint document_grants_email_length check (length(email) between 3 and 254),
    token_hash bytea not null constraint document_grants_token_key unique constraint document_grants_hash_length check (octet_length(token_hash) = 32),
    granted_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    -- The terms as they were agreed to, by whom.
    accepted_at timestamptz,
    accepted_by text constraint document_grants_accepted_by_length check (length(accepted_by) between 1 and 100),
    accepted_terms text,
    downloads integer not null default 0,
    last_download_at timestamptz,
    constraint document_grants_ends check (expires_at > granted_at and expires_at <= granted_at + interval '90 days'),
    constraint document_grants_accepted_whole check (
        (accepted_at is null) = (accepted_by is null) and (accepted_at is null) = (accepted_terms is null)
    ),
    constraint document_grants_terms_first check (downloads = 0 or accepted_at is not null)
);
create index document_grants_by_document on document_grants (document_id, granted_at desc);
grant select, insert, update on document_grants to send0_lookup;
grant select on documents to send0_lookup;

create function document_grant_add(p_grant_id uuid, p_document_id uuid, p_email text, p_hash bytea, p_now timestamptz, p_expires_at timestamptz)
    returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        insert into document_grants (grant_id, document_id, email, token_hash, granted_at, expires_at)
            values (p_grant_id, p_document_id, p_email, p_hash, p_now, p_expires_at)
    $$;

create function document_grants_of(p_document_id uuid)
    returns table (
        grant_id uuid, email text, granted_at timestamptz, expires_at timestamptz, revoked_at timestamptz, accepted_at timestamptz,
        accepted_by text, downloads integer, last_download_at timestamptz
    )
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select g.grant_id, g.email, g.granted_at, g.expires_at, g.revoked_at, g.accepted_at, g.accepted_by, g.downloads, g.last_download_at
        from document_grants g where g.document_id = p_document_id order by g.granted_at desc, g.grant_id
    $$;

create function document_grant_revoke(p_grant_id uuid, p_now timestamptz) returns table (document_id uuid, email text)
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        update document_grants g set revoked_at = p_now where g.grant_id = p_grant_id and g.revoked_at is null and g.expires_at > p_now
        returning g.document_id, g.email
    $$;

-- What the link opens, while it does.
create function document_grant_find(p_hash bytea, p_now timestamptz)
    returns table (
        grant_id uuid, document_id uuid, email text, title text, file_name text, media_type text, size integer, terms text,
        expires_at timestamptz, accepted_at timestamptz
    )
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select g.grant_id, g.document_id, g.email, d.title, d.file_name, d.media_type, d.size, d.terms, g.expires_at, g.accepted_at
        from document_grants g join documents d on d.document_id = g.document_id
        where g.token_hash = p_hash and g.revoked_at is null and g.expires_at > p_now and d.retired_at is null
    $$;

-- The terms are kept as they were when they were agreed to. Once.
create function document_grant_accept(p_hash bytea, p_by text, p_now timestamptz) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    update document_grants g set accepted_at = p_now, accepted_by = p_by, accepted_terms = d.terms
        from documents d
        where d.document_id = g.document_id and d.retired_at is null
            and g.token_hash = p_hash and g.revoked_at is null and g.expires_at > p_now and g.accepted_at is null;
    return found;
end $$;

-- Hands it out, and counts it.
create function document_grant_open(p_hash bytea, p_now timestamptz) returns bytea
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        with opened as (
            update document_grants g set downloads = g.downloads + 1, last_download_at = p_now
            from documents d
            where d.document_id = g.document_id and d.retired_at is null
                and g.token_hash = p_hash and g.revoked_at is null and g.expires_at > p_now and g.accepted_at is not null
            returning d.sealed
        )
        select sealed from opened
    $$;

grant execute on function visitor_link_put, visitor_link_take, visitor_link_renew, compliance_requests_all,
    document_grant_add, document_grants_of, document_grant_revoke, document_grant_accept, document_grant_open to send0_app;
grant execute on function visitor_link_find, document_grant_find to send0_auth;
grant execute on function visitor_links_purge to send0_worker;
call hand_over_functions('send0_lookup');
