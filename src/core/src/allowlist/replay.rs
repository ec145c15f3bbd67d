//! A dry run: a draft played against who came from where, before it counts.

use super::{Entry, Rules, State};
use std::{collections::BTreeMap, net::IpAddr};
use time::{Duration, OffsetDateTime};

/// How far back a dry run looks.
pub const LOOK_BACK: Duration = Duration::days(30);

/// Somebody who can come through a door: a member, or a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Somebody {
    /// The id by which the log knows them.
    pub id: String,
    /// How they are called today.
    pub name: String,
}

/// Requests of one actor from one address, as the log has them.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage {
    /// Whose.
    pub actor: String,
    /// Origin where; `None` where it is not known.
    pub address: Option<String>,
    /// How many.
    pub requests: i64,
    /// The last of them.
    pub last_at: OffsetDateTime,
}

/// One address of somebody, and what the draft makes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The address.
    pub address: String,
    /// How many requests came from it.
    pub requests: i64,
    /// The last of them.
    pub last_at: OffsetDateTime,
    /// The entry that lets it in.
    pub by: Option<Entry>,
}

/// Somebody with those of their addresses that fare alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Who.
    pub who: Somebody,
    /// Their requests from these addresses.
    pub requests: i64,
    /// The addresses, the busiest first.
    pub from: Vec<Origin>,
}

/// What a draft would have done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replay {
    /// Who would still get in, and from where.
    pub gets_in: Vec<Seen>,
    /// Who would be shut out, and from where. Somebody with several addresses may be in both.
    pub shut_out: Vec<Seen>,
    /// Who has not come at all, so that nothing can be said.
    pub unseen: Vec<Somebody>,
}

/// Plays rules, enforced or not, against what came in.
pub fn replay(rules: &Rules, people: Vec<Somebody>, usage: Vec<Usage>, now: OffsetDateTime) -> Replay {
    let mut by_actor = BTreeMap::<String, Vec<Usage>>::new();
    for usage in usage {
        by_actor.entry(usage.actor.clone()).or_default().push(usage);
    }
    let mut replay = Replay::default();
    for who in people {
        let Some(usage) = by_actor.remove(&who.id) else {
            replay.unseen.push(who);
            continue;
        };
        let everybody = rules.state() == State::Off;
        let (inside, outside): (Vec<Origin>, Vec<Origin>) =
            usage.into_iter().map(|usage| judged(rules, usage, now)).partition(|from| everybody || from.by.is_some());
        replay.gets_in.extend(seen(&who, inside));
        replay.shut_out.extend(seen(&who, outside));
    }
    replay
}

fn judged(rules: &Rules, usage: Usage, now: OffsetDateTime) -> Origin {
    let address = usage.address.as_deref().and_then(|address| address.parse::<IpAddr>().ok());
    let by = address.and_then(|address| rules.naming(address, now)).cloned();
    let address = usage.address.unwrap_or_else(|| "an address that is not known".into());
    Origin { address, requests: usage.requests, last_at: usage.last_at, by }
}

fn seen(who: &Somebody, mut from: Vec<Origin>) -> Option<Seen> {
    from.sort_by(|a, b| b.requests.cmp(&a.requests).then_with(|| a.address.cmp(&b.address)));
    let requests = from.iter().map(|from| from.requests).sum();
    (!from.is_empty()).then(|| Seen { who: who.clone(), requests, from })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{allowlist::Network, ids::AllowlistEntryId};

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn usage(actor: &str, address: &str, requests: i64) -> Usage {
        Usage { actor: actor.into(), address: Some(address.into()), requests, last_at: NOW }
    }

    fn people(names: &[&str]) -> Vec<Somebody> {
        names.iter().map(|name| Somebody { id: (*name).into(), name: (*name).into() }).collect()
    }

    fn rules(cidrs: &[&str]) -> Rules {
        let entry = |cidr: &&str| Entry {
            id: AllowlistEntryId::new(),
            network: Network::parse(cidr).expect("network"),
            note: String::new(),
            expires_at: None,
            added_at: NOW,
        };
        Rules { entries: cidrs.iter().map(entry).collect(), decide_by: None }
    }

    #[test]
    fn everybody_is_named_once_for_each_fate() {
        let usage = vec![
            usage("ana", "10.0.0.1", 5),
            usage("ana", "192.0.2.1", 2),
            usage("bo", "192.0.2.9", 7),
            usage("gone", "192.0.2.9", 9),
        ];
        let replay = replay(&rules(&["10.0.0.0/8"]), people(&["ana", "bo", "cy"]), usage, NOW);
        let names = |seen: &[Seen]| seen.iter().map(|seen| (seen.who.name.clone(), seen.requests)).collect::<Vec<_>>();
        assert_eq!(names(&replay.gets_in), [("ana".to_owned(), 5)]);
        assert_eq!(names(&replay.shut_out), [("ana".to_owned(), 2), ("bo".to_owned(), 7)]);
        assert_eq!(replay.unseen, people(&["cy"]));
        assert_eq!(
            replay.gets_in[0].from[0].by.as_ref().map(|entry| entry.network.to_string()),
            Some("10.0.0.0/8".into())
        );
    }

    #[test]
    fn an_empty_draft_shuts_nobody_out() {
        let nowhere = Usage { address: None, ..usage("ana", "", 1) };
        let off = replay(&Rules::default(), people(&["ana"]), vec![nowhere.clone()], NOW);
        assert!(off.shut_out.is_empty() && off.gets_in.len() == 1);
        let enforced = replay(&rules(&["10.0.0.0/8"]), people(&["ana"]), vec![nowhere], NOW);
        assert!(enforced.gets_in.is_empty() && enforced.shut_out.len() == 1);
    }
}
