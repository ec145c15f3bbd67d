-- Mail waits here until a relay has taken it: an outbox that is tried again, and given up after about a day.

alter table mails
    add column attempts integer not null default 0,
    -- When it is tried next; empty: there is nothing more to do. While a worker has it, this is when its lease is over.
    add column next_at timestamptz,
    add column sent_at timestamptz,
    -- A word or a code of our own, never what a server said: that may name people.
    add column last_error text constraint mails_last_error_length check (length(last_error) <= 100);
-- Those from before were for the local mailbox.
update mails set sent_at = created_at;
create index mails_due on mails (next_at) where next_at is not null;

grant update (attempts, next_at, sent_at, last_error) on mails to send0_lookup;

-- This says more than it used to.
set local role send0_lookup;
drop function mail_put;
set local role send0_owner;

-- Without a relay the local mailbox has it at once.
create function mail_put(p_mail_id uuid, p_workspace_id uuid, p_sealed bytea, p_now timestamptz, p_relayed boolean) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        insert into mails (mail_id, workspace_id, sealed, created_at, next_at, sent_at)
            values (
                p_mail_id, p_workspace_id, p_sealed, p_now,
                case when p_relayed then p_now end, case when not p_relayed then p_now end
            )
    $$;

-- Gives what is due to one worker, until its lease is over. Two that ask at once get different mails.
create function mail_claim(p_limit integer, p_now timestamptz, p_until timestamptz)
    returns table (mail_id uuid, workspace_id uuid, sealed bytea, attempts integer)
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        with due as materialized (
            select m.mail_id from mails m where m.next_at <= p_now order by m.next_at limit p_limit for update skip locked
        )
        update mails m set attempts = m.attempts + 1, next_at = p_until from due where m.mail_id = due.mail_id
            returning m.mail_id, m.workspace_id, m.sealed, m.attempts
    $$;

create function mail_sent(p_mail_id uuid, p_now timestamptz) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$ update mails set sent_at = p_now, next_at = null, last_error = null where mail_id = p_mail_id $$;

-- The number of attempts is the lease: who has lost it to another worker changes nothing any more.
create function mail_retry(p_mail_id uuid, p_attempts integer, p_error text, p_next_at timestamptz) returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
        update mails set next_at = p_next_at, last_error = p_error
            where mail_id = p_mail_id and attempts = p_attempts and sent_at is null
    $$;

create function mail_give_up(p_mail_id uuid, p_attempts integer, p_error text) returns boolean
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    update mails set next_at = null, last_error = p_error
        where mail_id = p_mail_id and attempts = p_attempts and sent_at is null and next_at is not null
            and workspace_id = nullif(current_setting('send0.workspace_id', true), '')::uuid;
    return found;
end $$;

-- Rights first: once handed over, the owner of the schema has no say over them.
revoke all on function mail_put, mail_claim, mail_sent, mail_retry, mail_give_up from public;
grant execute on function mail_put to send0_app, send0_auth;
grant execute on function mail_give_up to send0_app;
grant execute on function mail_claim, mail_sent, mail_retry to send0_worker;
alter function mail_put owner to send0_lookup;
alter function mail_claim owner to send0_lookup;
alter function mail_sent owner to send0_lookup;
alter function mail_retry owner to send0_lookup;
alter function mail_give_up owner to send0_lookup;
