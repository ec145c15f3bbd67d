//! What the audit log says afterwards, read through the API as a customer would.

use std::collections::HashMap;

use crate::{
    error::{Error, Result},
    http::{Client, Request},
    installation::Installation,
    json,
};

/// All events of the workspace, newest first.
#[derive(Debug, Default)]
pub struct Evidence {
    sequence: Vec<u64>,
    of_request: HashMap<String, usize>,
}

impl Evidence {
    /// Follows the cursor from the newest event to the first.
    pub fn read(installation: &Installation, key: &str) -> Result<Self> {
        let (mut client, mut evidence) = (installation.client(), Self::default());
        let mut path = "/v1/audit-events?limit=100".to_owned();
        loop {
            let page = get(&mut client, key, &path)?;
            evidence.add(&page);
            match json::first(&page, "next_cursor") {
                Some(cursor) => path = format!("/v1/audit-events?limit=100&cursor={cursor}"),
                None => return Ok(evidence),
            }
        }
    }

    fn add(&mut self, page: &str) {
        self.sequence.extend(json::all(page, "seq").filter_map(|seq| seq.parse::<u64>().ok()));
        for id in json::all(page, "request_id") {
            *self.of_request.entry(id.to_owned()).or_default() += 1;
        }
    }

    /// How many events there are.
    pub fn count(&self) -> usize {
        self.sequence.len()
    }

    /// The answered calls that no event speaks of.
    pub fn missing(&self, answered: &[String]) -> Vec<String> {
        self.of(answered, |events| events == 0)
    }

    /// The answered calls that several events speak of.
    pub fn repeated(&self, answered: &[String]) -> Vec<String> {
        self.of(answered, |events| events > 1)
    }

    fn of(&self, answered: &[String], wrong: fn(usize) -> bool) -> Vec<String> {
        let is_wrong = |id: &&String| wrong(self.of_request.get(*id).copied().unwrap_or(0));
        answered.iter().filter(is_wrong).cloned().collect()
    }

    /// Where the sequence, which must end with 1, does not go down by 1.
    pub fn gaps(&self) -> usize {
        let steps = self.sequence.iter().zip(self.sequence.iter().skip(1).chain([&0]));
        steps.filter(|(newer, older)| **newer != **older + 1).count()
    }
}

/// The keys among these that are not revoked.
pub fn unrevoked(installation: &Installation, key: &str, revoked: &[String]) -> Result<Vec<String>> {
    let mut client = installation.client();
    let mut open = Vec::new();
    for id in revoked {
        let found = get(&mut client, key, &format!("/v1/api-keys/{id}"))?;
        if json::first(&found, "status") != Some("revoked") {
            open.push(id.clone());
        }
    }
    Ok(open)
}

/// What the API says to this key there, which must be answered 200.
pub fn get(client: &mut Client, key: &str, path: &str) -> Result<String> {
    let answer = client.send(&Request { bearer: Some(key), ..Request::get(path) }).map_err(Error::file(path))?;
    match answer.status {
        200 => Ok(answer.text()),
        status => Err(Error::failed(format!("reading {path} (answered {status})"), "")),
    }
}

#[cfg(test)]
mod tests {
    use super::Evidence;

    fn evidence(events: &[(u64, &str)]) -> Evidence {
        let mut evidence = Evidence::default();
        for (seq, id) in events {
            evidence.add(&format!(r#"{{"seq":{seq},"request":{{"id":"{id}"}},"request_id":"{id}"}}"#));
        }
        evidence
    }

    #[test]
    fn calls_without_an_event_and_with_two_are_found() {
        let evidence = evidence(&[(3, "a"), (2, "b"), (1, "a")]);
        let answered = ["a", "b", "c"].map(str::to_owned);
        assert_eq!((evidence.missing(&answered), evidence.repeated(&answered)), (vec!["c".into()], vec!["a".into()]));
    }

    #[test]
    fn gaps_are_counted_down_to_1() {
        assert_eq!(evidence(&[(3, ""), (2, ""), (1, "")]).gaps(), 0);
        assert_eq!(evidence(&[(4, ""), (2, ""), (2, "")]).gaps(), 3);
    }
}
