-- Visitors who want to be told of changes of subprocessors. They belong to no tenant, and no login reads the table.

create table subscribers (
    subscriber_id uuid primary key,
    email text not null constraint subscribers_email_key unique,
    -- Of the link by which whoever reads the address's mail says yes.
    confirm_hash bytea constraint subscribers_confirm_key unique,
    expires_at timestamptz,
    confirmed_at timestamptz,
    -- Of the link that ends it, which stands in every mail: sealed, to be written again, and hashed, to be found.
    end_hash bytea not null constraint subscribers_end_key unique,
    end_sealed bytea not null,
    constraint subscribers_waits_or_is check (
        (confirm_hash is null) = (expires_at is null) and (confirm_hash is null) = (confirmed_at is not null)
    )
);

-- What each was told last of a notice, of which date.
create table subscriber_notices (
    subscriber_id uuid not null,
    notice_id uuid not null,
    told text not null,
    told_of timestamptz not null,
    primary key (subscriber_id, notice_id)
);
grant select, insert, update, delete on subscribers, subscriber_notices to send0_lookup;

-- False when the address has said yes already: then nothing is to be asked.
create function subscriber_ask(
    p_subscriber_id uuid, p_email text, p_confirm_hash bytea, p_expires_at timestamptz, p_end_hash bytea, p_end_sealed bytea
) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    insert into subscribers as known (subscriber_id, email, confirm_hash, expires_at, end_hash, end_sealed)
        values (p_subscriber_id, p_email, p_confirm_hash, p_expires_at, p_end_hash, p_end_sealed)
        on conflict (email) do update set confirm_hash = p_confirm_hash, expires_at = p_expires_at where known.confirmed_at is null;
    return found;
end $$;

create function subscriber_offer(p_confirm_hash bytea, p_now timestamptz) returns text
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select email from subscribers where confirm_hash = p_confirm_hash and expires_at > p_now $$;

-- The address, once.
create function subscriber_confirm(p_confirm_hash bytea, p_now timestamptz) returns table (subscriber_id uuid, email text)
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        update subscribers s set confirm_hash = null, expires_at = null, confirmed_at = p_now
            where s.confirm_hash = p_confirm_hash and s.expires_at > p_now returning s.subscriber_id, s.email
    $$;

create function subscriber_end(p_end_hash bytea) returns uuid
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        with gone as (delete from subscribers where end_hash = p_end_hash returning subscriber_id),
            told as (delete from subscriber_notices n using gone where n.subscriber_id = gone.subscriber_id)
        select subscriber_id from gone
    $$;

-- Who has still to be told what. Reminders are for customers; of what was over before they came nobody is told.
create function subscribers_to_tell(p_now timestamptz, p_limit integer)
    returns table (subscriber_id uuid, email text, end_sealed bytea, notice_id uuid, told text, told_of timestamptz)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select s.subscriber_id, s.email, s.end_sealed, n.notice_id, n.told, n.effective_at
        from (
            select notice_id, effective_at, case
                    when withdrawn_at is not null then 'withdrawn'
                    when in_effect_at is not null then 'in_effect'
                    when postponed_at is not null then 'postponed'
                    else 'published'
                end as told
            from subprocessor_notices
            where published_at is not null and coalesce(withdrawn_at, in_effect_at, p_now) > p_now - interval '7 days'
        ) n
            cross join subscribers s
            left join subscriber_notices t on t.subscriber_id = s.subscriber_id and t.notice_id = n.notice_id
        where s.confirmed_at is not null
            and case
                when t.notice_id is null then n.told not in ('withdrawn', 'in_effect')
                -- Its day alone is no news: that it was put off is told as such.
                when t.told = 'postponed' and n.told = 'postponed' then t.told_of <> n.effective_at
                else t.told <> n.told
            end
        order by n.notice_id, s.subscriber_id limit p_limit
    $$;

-- False when somebody else has told them meanwhile.
create function subscriber_told(p_subscriber_id uuid, p_notice_id uuid, p_told text, p_told_of timestamptz) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    insert into subscriber_notices as known (subscriber_id, notice_id, told, told_of)
        select subscriber_id, p_notice_id, p_told, p_told_of from subscribers where subscriber_id = p_subscriber_id
        on conflict (subscriber_id, notice_id) do update set told = p_told, told_of = p_told_of
            where (known.told, known.told_of) is distinct from (p_told, p_told_of);
    return found;
end $$;

create function subscribers_purge(p_now timestamptz) returns bigint
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        with gone as (delete from subscribers where confirmed_at is null and expires_at < p_now returning 1)
        select count(*) from gone
    $$;

grant execute on function subscriber_ask, subscriber_confirm, subscriber_end, subscriber_told to send0_app;
grant execute on function subscriber_offer to send0_auth;
grant execute on function subscribers_to_tell, subscribers_purge to send0_worker;
call hand_over_functions('send0_lookup');
