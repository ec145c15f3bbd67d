//! One event by itself: whether it says what its leaf says it said.

use crate::{Finding, Hash, Kind, export::Event, hex, leaf, timestamp, tree};

/// How far a renumbering is looked for, in events: only to name it.
const RENUMBERED: u64 = 64;

/// An event that is what its leaf says.
pub(crate) struct Content {
    pub leaf: Hash,
    pub sealed: bool,
    pub erased: bool,
    /// The root that its own proof leads to.
    pub root: Option<Hash>,
}

/// Checks leaf, commitment and proof of an event of this workspace.
pub(crate) fn check(event: &Event<'_>, expected: Option<u64>) -> Result<Content, Finding> {
    let edit = |detail: &str| Finding::new(Kind::Edit, event.seq, detail);
    let body = event.body.stated.as_ref().ok_or_else(|| edit("its body is not that of an event"))?;
    if body.workspace != event.workspace {
        return Err(Finding::new(Kind::Foreign, event.seq, "its body is of another workspace"));
    }
    let time = timestamp::micros(event.time).ok_or_else(|| edit("its time is none"))?;
    let hash = |seq| leaf::hash(event.workspace, seq, time, event.body.text.as_bytes());
    let leaf = hash(event.seq);
    if let Some(sealed) = event.leaf {
        let sealed = hex::hash(sealed).ok_or_else(|| edit("its leaf is no hash"))?;
        if sealed != leaf {
            return Err(mismatch(event.seq, expected, |seq| hash(seq) == sealed));
        }
    }
    let erased = is_erased(event, body.commitment).map_err(edit)?;
    let root = event.proof.as_ref().map(|proof| root(event.seq, &leaf, proof)).transpose().map_err(edit)?;
    Ok(Content { leaf, sealed: event.leaf.is_some(), erased, root })
}

/// What it means that a leaf is not that of its event: under another number it may be.
fn mismatch(seq: u64, expected: Option<u64>, fits: impl Fn(u64) -> bool) -> Finding {
    let edit = |seq| Finding::new(Kind::Edit, seq, "it is not what was sealed");
    if expected.is_some_and(|expected| expected != seq && fits(expected)) {
        return edit(expected.unwrap_or(seq));
    }
    let before = (1..=RENUMBERED.min(seq - 1)).find(|by| fits(seq - by));
    let after = || (1..=RENUMBERED).find(|by| seq.checked_add(*by).is_some_and(&fits));
    match before {
        _ if expected.is_some_and(|expected| expected != seq) => edit(seq),
        Some(by) if expected.is_none() => edit(seq - by),
        Some(by) => Finding::new(Kind::Insert, seq - by, "the events from here on were numbered anew, upwards"),
        None if expected.is_some() && after().is_some() => {
            Finding::new(Kind::Delete, seq, "the events from here on were numbered anew, downwards")
        }
        None => edit(seq),
    }
}

fn is_erased(event: &Event<'_>, commitment: &str) -> Result<bool, &'static str> {
    let (salt, personal) = match (event.salt, event.personal) {
        (None, None) => return Ok(true),
        (Some(salt), Some(personal)) => (salt, personal),
        _ => return Err("only one of salt and personal data is there"),
    };
    let committed = hex::bytes(salt).map(|salt| leaf::commitment_hash(&salt, personal.get().as_bytes()));
    let fits = committed.is_some() && committed == hex::hash(commitment);
    fits.then_some(false).ok_or("salt and personal data are not those that its body vouches for")
}

fn root(seq: u64, leaf: &Hash, proof: &[&str]) -> Result<Hash, &'static str> {
    let proof: Option<Vec<Hash>> = proof.iter().map(|hash| hex::hash(hash)).collect();
    proof.and_then(|proof| tree::root_of_inclusion(seq - 1, leaf, &proof)).ok_or("its proof is none")
}
