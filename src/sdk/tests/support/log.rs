//! A log made up for the tests, its exports, and all that somebody could do to them.

use send0_verify::{
    Hash, Kind,
    checkpoint::{self, Checkpoint},
    hex, leaf,
    note::Signer,
    tree,
};
use serde_json::{Value, json};
use std::{convert::Infallible, fmt};

pub const WORKSPACE: &str = "wsp_01jdq3x5c8f0a9rk2m4n6p8q0s";
pub const FOREIGN: &str = "wsp_7zzzzzzzzzzzzzzzzzzzzzzzzz";

pub fn signer(seed: u8) -> Signer {
    Signer::new(checkpoint::KEY_NAME, &[seed; 32]).expect("a signer")
}

/// One event line, its parts as they are written.
#[derive(Clone)]
pub struct Row {
    pub seq: u64,
    pub time_us: i64,
    pub workspace: String,
    pub body: String,
    pub personal: Option<String>,
    pub salt: Option<String>,
    pub leaf: Option<String>,
    pub proof: Option<Vec<String>>,
}

impl Row {
    pub const START_US: i64 = 1_795_457_045_000_000;

    pub fn new(workspace: &str, seq: u64, note: &str) -> Self {
        let personal = format!(r#"{{"actor":"Ana é {note}","address":"203.0.113.{}","targets":[null]}}"#, seq % 256);
        let salt: Vec<u8> = (0..32).map(|at| (seq as u8).wrapping_mul(31).wrapping_add(at)).collect();
        let commitment = leaf::commitment(&salt, personal.as_bytes());
        let body = format!(
            r#"{{"action":"api_key.issued","actor":{{"id":"usr_{seq}","kind":"user"}},"commitment":"{commitment}","note":"{note}","outcome":"success","workspace":"{workspace}"}}"#
        );
        let row = Self {
            seq,
            time_us: Self::START_US + seq as i64,
            workspace: workspace.to_owned(),
            body,
            personal: Some(personal),
            salt: Some(hex::encode(&salt)),
            leaf: None,
            proof: None,
        };
        Self { leaf: Some(hex::encode(&row.hash())), ..row }
    }

    pub fn hash(&self) -> Hash {
        leaf::hash(&self.workspace, self.seq, self.time_us, self.body.as_bytes())
    }

    pub fn sealed_anew(self) -> Self {
        Self { leaf: Some(hex::encode(&self.hash())), ..self }
    }

    pub fn erased(self) -> Self {
        Self { salt: None, personal: None, ..self }
    }

    fn time(&self) -> String {
        format!("2026-11-23T18:04:05.{:06}Z", self.time_us - Self::START_US)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &Option<String>| text.as_ref().map_or("null".to_owned(), |text| format!("{text:?}"));
        let personal = self.personal.as_deref().unwrap_or("null");
        let (seq, time, workspace, body, salt) = (self.seq, self.time(), &self.workspace, &self.body, text(&self.salt));
        write!(
            f,
            r#"{{"seq":{seq},"time":"{time}","workspace":"{workspace}","body":{body},"personal":{personal},"salt":{salt}"#
        )?;
        if let Some(leaf) = &self.leaf {
            write!(f, r#","leaf":"{leaf}""#)?;
        }
        if let Some(proof) = &self.proof {
            write!(f, r#","proof":{}"#, json!(proof))?;
        }
        f.write_str("}")
    }
}

/// What a server has.
pub struct Log {
    pub workspace: &'static str,
    pub rows: Vec<Row>,
    pub key: Signer,
}

impl Log {
    pub fn new(workspace: &'static str, events: u64, note: &str) -> Self {
        Self { workspace, rows: (1..=events).map(|seq| Row::new(workspace, seq, note)).collect(), key: signer(1) }
    }

    pub fn node(&self) -> impl Fn(u8, u64) -> Result<Hash, Infallible> {
        |level, index| {
            let leaves = (index << level) as usize..((index + 1) << level) as usize;
            let mut hashes: Vec<Hash> = self.rows[leaves].iter().map(Row::hash).collect();
            while hashes.len() > 1 {
                hashes = hashes.chunks(2).map(|pair| tree::node(&pair[0], &pair[1])).collect();
            }
            Ok(hashes[0])
        }
    }

    pub fn checkpoint(&self, size: u64) -> String {
        self.checkpoint_by(size, &self.key)
    }

    pub fn checkpoint_by(&self, size: u64, key: &Signer) -> String {
        let Ok(root) = tree::root(size, self.node());
        let text = Checkpoint { origin: checkpoint::origin(self.workspace), size, root }.to_string();
        key.sign(&text).expect("signed")
    }

    /// The events `first..=last`, held against the checkpoint of `size`.
    pub fn export(&self, first: u64, last: u64, size: u64) -> Export {
        let rows = self.rows[first as usize - 1..last as usize].iter().cloned();
        let rows = rows.map(|row| Row { leaf: row.leaf.clone().filter(|_| row.seq <= size), ..row }).collect();
        let hashes = |from, to| {
            let Ok(range) = tree::range(from, to, self.node());
            range.iter().map(|hash| hex::encode(hash)).collect::<Vec<_>>()
        };
        let from_prefix = if first - 1 <= size { hashes(0, first - 1) } else { vec![] };
        let receipt = json!({
            "workspace": self.workspace, "query": null, "first": first, "last": last, "count": last + 1 - first,
            "from_prefix": from_prefix, "to_suffix": hashes(last, size), "checkpoint": self.checkpoint(size),
        });
        Export { rows, receipt }
    }

    /// Every third event of the first so many, as a server exports what a search finds.
    pub fn filtered(&self, size: u64) -> Export {
        let mut export = self.proven(size, size);
        export.rows.retain(|row| row.seq % 3 == 0);
        export.receipt["query"] = json!("action:api_key.issued");
        export.receipt["from_prefix"] = Value::Null;
        export.receipt["to_suffix"] = Value::Null;
        export.fit();
        export
    }

    /// The first events, each of those that are sealed with its proof.
    pub fn proven(&self, last: u64, size: u64) -> Export {
        let mut export = self.export(1, last, size);
        for row in export.rows.iter_mut().filter(|row| row.leaf.is_some()) {
            let Ok(proof) = tree::inclusion(row.seq - 1, size, self.node());
            row.proof = Some(proof.iter().map(|hash| hex::encode(hash)).collect());
        }
        export
    }
}

/// What somebody has downloaded.
#[derive(Clone)]
pub struct Export {
    pub rows: Vec<Row>,
    pub receipt: Value,
}

impl Export {
    /// With a receipt that says what is there. What a search looked at is not what it found.
    pub fn fit(&mut self) {
        if self.receipt["query"] == Value::Null {
            self.receipt["first"] = json!(self.rows.first().map(|row| row.seq));
            self.receipt["last"] = json!(self.rows.last().map(|row| row.seq));
        }
        self.receipt["count"] = json!(self.rows.len());
    }

    /// As a server writes it that has nothing to prove the export by.
    pub fn untie(&mut self) {
        ["from_prefix", "to_suffix", "checkpoint"].iter().for_each(|field| self.receipt[field] = Value::Null);
    }

    /// Of which no event was looked at.
    pub fn nothing(&mut self) {
        self.rows.clear();
        self.untie();
        ["first", "last"].iter().for_each(|field| self.receipt[field] = Value::Null);
        self.receipt["count"] = json!(0);
    }

    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub fn row(&mut self, seq: u64) -> &mut Row {
        self.rows.iter_mut().find(|row| row.seq == seq).expect("an event")
    }

    pub fn lines(&self) -> String {
        self.rows.iter().map(|row| format!("{row}\n")).collect()
    }

    pub fn text(&self) -> String {
        format!("{}{}\n", self.lines(), json!({ "receipt": self.receipt }))
    }
}

/// The line of a checkpoints file.
pub fn line(workspace: &str, note: &str) -> String {
    format!("{}\n", json!({ "time": "2026-11-23T18:04:06Z", "workspace": workspace, "note": note }))
}

/// What an export has to be judged as.
pub struct Case {
    pub name: &'static str,
    pub export: String,
    pub checkpoints: String,
    pub expected: Expected,
}

/// Kind and number, or events, sealed and erased.
#[derive(Debug, PartialEq)]
pub enum Expected {
    Found(Kind, u64),
    Holds(u64, u64, u64),
}

pub use Expected::{Found, Holds};
