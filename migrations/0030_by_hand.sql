-- What came from no key: in the log of a workspace whose programs call all day, a page of it lay behind millions of calls. Of those
-- calls the index has nothing, so it costs them nothing.
create index audit_events_by_hand on audit_events (workspace_id, actor_kind, seq) where actor_kind <> 'api_key';
