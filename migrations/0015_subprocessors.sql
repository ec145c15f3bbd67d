-- Whom send0 gives data to, and the notices by which that changes: 30 days ahead, and answered by every workspace.

-- Public content: no tenant's.
create table subprocessors (
    subprocessor_id uuid primary key,
    vendor text not null constraint subprocessors_vendor_length check (length(vendor) between 1 and 100),
    purpose text not null constraint subprocessors_purpose_length check (length(purpose) between 1 and 300),
    data text not null constraint subprocessors_data_length check (length(data) between 1 and 300),
    regions text[] not null constraint subprocessors_regions check (cardinality(regions) between 1 and 20),
    since timestamptz not null,
    -- Empty: it is one now.
    until timestamptz
);
create unique index subprocessors_vendor_key on subprocessors (lower(vendor)) where until is null;

create table subprocessor_notices (
    notice_id uuid primary key,
    subprocessor_id uuid not null,
    kind text not null constraint subprocessor_notices_kind check (kind in ('add', 'change', 'remove')),
    -- What it is to be; of a removal, what it was. And what it was when the notice was published; of an addition, nothing.
    vendor text not null,
    purpose text not null,
    data text not null,
    regions text[] not null,
    before jsonb,
    why text not null constraint subprocessor_notices_why_length check (length(why) between 1 and 1000),
    drafted_at timestamptz not null,
    published_at timestamptz,
    effective_at timestamptz not null,
    -- As it was published with: later when postponed.
    first_effective_at timestamptz,
    postponed_at timestamptz,
    withdrawn_at timestamptz,
    withdrawal text constraint subprocessor_notices_withdrawal_length check (length(withdrawal) between 1 and 1000),
    in_effect_at timestamptz,
    -- 30 full days, as 720 hours: a day of an interval is 23 or 25 hours long where clocks change.
    constraint subprocessor_notices_30_days check (published_at is null or effective_at >= published_at + interval '720 hours'),
    constraint subprocessor_notices_never_early check (in_effect_at >= effective_at),
    constraint subprocessor_notices_one_end check (in_effect_at is null or withdrawn_at is null),
    constraint subprocessor_notices_withdrawn_with_reason check ((withdrawn_at is null) = (withdrawal is null)),
    constraint subprocessor_notices_ends_once_public check (published_at is not null or (in_effect_at is null and withdrawn_at is null))
);
-- One change at a time.
create unique index subprocessor_notices_open_key on subprocessor_notices (subprocessor_id)
    where published_at is not null and withdrawn_at is null and in_effect_at is null;
create index subprocessor_notices_effective on subprocessor_notices (effective_at) where withdrawn_at is null and in_effect_at is null;

-- What is public says what it said. It may be put off, never brought forward; withdrawn, or come into effect, once.
create function subprocessor_notices_keep_their_word() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if old.published_at is null then
        return case when tg_op = 'DELETE' then old else new end;
    end if;
    if tg_op = 'DELETE' then
        raise exception using errcode = 'check_violation', constraint = 'subprocessor_notices_are_kept', message = 'a notice is kept';
    end if;
    if (new.notice_id, new.subprocessor_id, new.kind, new.vendor, new.purpose, new.data, new.regions, new.before, new.why,
            new.drafted_at, new.published_at, new.first_effective_at)
        is distinct from (old.notice_id, old.subprocessor_id, old.kind, old.vendor, old.purpose, old.data, old.regions, old.before, old.why,
            old.drafted_at, old.published_at, old.first_effective_at)
        or new.effective_at < old.effective_at
        or (old.withdrawn_at is not null and new is distinct from old)
        or (old.in_effect_at is not null and new is distinct from old)
    then
        raise exception using errcode = 'check_violation', constraint = 'subprocessor_notices_keep_their_word',
            message = 'what is published stays as it is, and is never brought forward';
    end if;
    return new;
end $$;
revoke all on function subprocessor_notices_keep_their_word from public;
create trigger keep_their_word before update or delete on subprocessor_notices
    for each row execute function subprocessor_notices_keep_their_word();

grant select, insert, update on subprocessors to send0_app;
grant select, insert, update, delete on subprocessor_notices to send0_app;
grant select on subprocessors, subprocessor_notices to send0_auth, send0_worker, send0_lookup;

-- Those of April 2026.
insert into subprocessors (subprocessor_id, vendor, purpose, data, regions, since) values
    ('01963000-0000-7000-8000-000000000001', 'AWS', 'Primary compute and storage', 'Everything that customers store, encrypted', array['us-east-1', 'eu-west-1'], '2026-04-01 00:00Z'),
    ('01963000-0000-7000-8000-000000000002', 'Cloudflare', 'DNS, CDN, DDoS protection', 'Network addresses and traffic of console and API in passing', array['global'], '2026-04-01 00:00Z'),
    ('01963000-0000-7000-8000-000000000003', 'Upstash', 'Redis cache and job queues', 'Queued jobs and cached metadata', array['us-east-1', 'eu-west-1'], '2026-04-01 00:00Z'),
    ('01963000-0000-7000-8000-000000000004', 'Amazon SES', 'Upstream email transit (phase 1)', 'Messages and addresses of recipients, in transit', array['us-east-1'], '2026-04-01 00:00Z'),
    ('01963000-0000-7000-8000-000000000005', 'Stripe', 'Billing and payments', 'Billing contacts and means of payment', array['global'], '2026-04-01 00:00Z'),
    ('01963000-0000-7000-8000-000000000006', 'Sentry', 'Error tracking, redacted', 'Reports of errors, without personal data', array['us-east-1'], '2026-04-01 00:00Z');

-- A notice as a workspace has it ----------------------------------------------------------------------------------

create table workspace_notices (
    workspace_id uuid not null,
    notice_id uuid not null,
    received_at timestamptz not null,
    -- What its contacts were told last, of which date.
    told text not null constraint workspace_notices_told check (
        told in ('published', 'postponed', 'in_14_days', 'in_3_days', 'withdrawn', 'in_effect')
    ),
    told_of timestamptz not null,
    -- When somebody has looked.
    seen_at timestamptz,
    answer text constraint workspace_notices_answer check (answer in ('acknowledged', 'objected')),
    reason text constraint workspace_notices_reason_length check (length(reason) between 1 and 2000),
    answered_by uuid,
    answered_at timestamptz,
    reply text constraint workspace_notices_reply_length check (length(reply) between 1 and 2000),
    replied_at timestamptz,
    primary key (workspace_id, notice_id),
    constraint workspace_notices_answer_has_time check ((answer is null) = (answered_at is null)),
    constraint workspace_notices_objection_has_reason check ((reason is not null) = (answer is not distinct from 'objected')),
    constraint workspace_notices_reply_to_objection check ((reply is null) = (replied_at is null) and (reply is null or answer = 'objected'))
);

-- Each mail about a notice, for each contact.
create table notice_deliveries (
    workspace_id uuid not null,
    mail_id uuid not null,
    notice_id uuid not null,
    about text not null,
    email text not null,
    told_at timestamptz not null,
    attempts integer not null default 0,
    last_error text,
    delivered_at timestamptz,
    failed_at timestamptz,
    primary key (workspace_id, mail_id)
);
create index notice_deliveries_by_notice on notice_deliveries (workspace_id, notice_id, told_at);
create index notice_deliveries_open on notice_deliveries (workspace_id, mail_id) where delivered_at is null and failed_at is null;

do $$
declare tenant_table text;
begin
    foreach tenant_table in array array['workspace_notices', 'notice_deliveries'] loop
        execute format('alter table %I enable row level security, force row level security', tenant_table);
        execute format(
            'create policy tenant on %I to send0_app, send0_worker '
            'using (workspace_id = nullif(current_setting(''send0.workspace_id'', true), '''')::uuid) '
            'with check (workspace_id = nullif(current_setting(''send0.workspace_id'', true), '''')::uuid)', tenant_table);
        execute format('create policy lookup on %I for select to send0_lookup using (true)', tenant_table);
    end loop;
end $$;
create policy settled on notice_deliveries for update to send0_lookup using (true) with check (true);
grant select, insert on workspace_notices, notice_deliveries to send0_app;
grant update (told, told_of, seen_at, answer, reason, answered_by, answered_at, reply, replied_at) on workspace_notices to send0_app;
grant select on workspace_notices, notice_deliveries to send0_lookup;
grant update (attempts, last_error, delivered_at, failed_at) on notice_deliveries to send0_lookup;

-- What there is to be told of a notice at a time.
create function notice_stage(
    p_effective_at timestamptz, p_postponed_at timestamptz, p_withdrawn_at timestamptz, p_in_effect_at timestamptz, p_now timestamptz
) returns text
    language sql immutable set search_path = pg_catalog, pg_temp
    as $$
        select case
            when p_withdrawn_at is not null then 'withdrawn'
            when p_in_effect_at is not null then 'in_effect'
            when p_effective_at <= p_now + interval '72 hours' then 'in_3_days'
            when p_effective_at <= p_now + interval '336 hours' then 'in_14_days'
            when p_postponed_at is not null then 'postponed'
            else 'published'
        end
    $$;
revoke all on function notice_stage from public;
grant execute on function notice_stage to send0_lookup, send0_app;

-- The workspaces that have something still to be told. What is over for a week is no news any more for who never heard of it.
create function notices_to_tell(p_now timestamptz, p_limit integer) returns table (workspace_id uuid, notice_id uuid)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select w.workspace_id, n.notice_id
        from subprocessor_notices n
            cross join workspaces w
            cross join lateral notice_stage(n.effective_at, n.postponed_at, n.withdrawn_at, n.in_effect_at, p_now) as stage
            left join workspace_notices wn on wn.workspace_id = w.workspace_id and wn.notice_id = n.notice_id
        where n.published_at is not null
            and (wn.notice_id is not null or coalesce(n.withdrawn_at, n.in_effect_at, p_now) > p_now - interval '7 days')
            and w.slug <> 'platform'
            and case
                when wn.notice_id is null then stage not in ('withdrawn', 'in_effect')
                else (wn.told, wn.told_of) is distinct from (stage, n.effective_at)
            end
        order by n.published_at, w.workspace_id limit p_limit
    $$;

-- What became of the mails, from the outbox, which forgets them after a week.
create function notice_deliveries_settle(p_now timestamptz) returns bigint
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        with settled as (
            update notice_deliveries d set attempts = m.attempts, last_error = m.last_error, delivered_at = m.sent_at,
                failed_at = case when m.sent_at is null and m.next_at is null then p_now end
            from mails m
            where m.mail_id = d.mail_id and d.delivered_at is null and d.failed_at is null
                and (m.sent_at is not null or m.next_at is null or (m.attempts, m.last_error) is distinct from (d.attempts, d.last_error))
            returning 1
        ), lost as (
            -- The outbox has forgotten it before it was sent.
            update notice_deliveries d set failed_at = p_now, last_error = 'lost'
            where d.delivered_at is null and d.failed_at is null and d.told_at < p_now - interval '7 days'
                and not exists (select from mails m where m.mail_id = d.mail_id)
            returning 1
        )
        select (select count(*) from settled) + (select count(*) from lost)
    $$;

-- What workspaces say to a notice, for operators: who has answered how, and no content of theirs besides.
create function notice_answers(p_notice_id uuid)
    returns table (
        workspace_id uuid, workspace_name text, answer text, reason text, answered_at timestamptz, reply text, replied_at timestamptz,
        seen_at timestamptz, mails bigint, delivered bigint, failed bigint
    )
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select wn.workspace_id, w.name, wn.answer, wn.reason, wn.answered_at, wn.reply, wn.replied_at, wn.seen_at,
            count(d.mail_id), count(d.delivered_at), count(d.failed_at)
        from workspace_notices wn join workspaces w on w.workspace_id = wn.workspace_id
            left join notice_deliveries d on d.workspace_id = wn.workspace_id and d.notice_id = wn.notice_id
        where wn.notice_id = p_notice_id
        group by wn.workspace_id, w.name, wn.answer, wn.reason, wn.answered_at, wn.reply, wn.replied_at, wn.seen_at
        order by (wn.answer is not distinct from 'objected' and wn.reply is null) desc, w.name, wn.workspace_id
    $$;

create function objections_unanswered() returns bigint
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select count(*) from workspace_notices where answer = 'objected' and reply is null $$;

grant execute on function notices_to_tell, notice_deliveries_settle to send0_worker;
grant execute on function notice_answers, objections_unanswered to send0_app;
call hand_over_functions('send0_lookup');
