//! The tree against an implementation that is nothing but the definitions of RFC 9162, for every size up to 257, and against
//! the test data of transparency-dev/merkle.

use base64::{Engine, prelude::BASE64_STANDARD};
use send0_verify::{
    Hash, hex,
    tree::{self, Frontier},
};
use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::{cell::RefCell, collections::HashMap, convert::Infallible};

const SIZES: u64 = 257;

fn leaves() -> Vec<Hash> {
    (0..SIZES).map(|seq| send0_verify::leaf::hash("wsp_test", seq, 0, b"")).collect()
}

/// The definitions, each root of a part of the log computed once.
struct Definition {
    leaves: Vec<Hash>,
    roots: RefCell<HashMap<(usize, usize), Hash>>,
}

fn split(from: usize, to: usize) -> usize {
    from + (to - from).next_power_of_two() / 2
}

impl Definition {
    fn new() -> Self {
        Self { leaves: leaves(), roots: RefCell::default() }
    }

    /// MTH, §2.1.1, of the leaves `from..to`.
    fn root(&self, from: usize, to: usize) -> Hash {
        match to - from {
            0 => return tree::EMPTY,
            1 => return self.leaves[from],
            _ => {}
        }
        let known = self.roots.borrow().get(&(from, to)).copied();
        known.unwrap_or_else(|| {
            let middle = split(from, to);
            let root = tree::node(&self.root(from, middle), &self.root(middle, to));
            self.roots.borrow_mut().insert((from, to), root);
            root
        })
    }

    /// PATH, §2.1.3.1.
    fn path(&self, index: usize, from: usize, to: usize) -> Vec<Hash> {
        if to - from <= 1 {
            return vec![];
        }
        let middle = split(from, to);
        let (mut proof, sibling) = if index < middle {
            (self.path(index, from, middle), self.root(middle, to))
        } else {
            (self.path(index, middle, to), self.root(from, middle))
        };
        proof.push(sibling);
        proof
    }

    /// SUBPROOF, §2.1.4.1, of the tree that ends at `end`.
    fn subproof(&self, end: usize, from: usize, to: usize, whole: bool) -> Vec<Hash> {
        if end == to {
            return if whole { vec![] } else { vec![self.root(from, to)] };
        }
        let middle = split(from, to);
        let (mut proof, sibling) = if end <= middle {
            (self.subproof(end, from, middle, whole), self.root(middle, to))
        } else {
            (self.subproof(end, middle, to, false), self.root(from, middle))
        };
        proof.push(sibling);
        proof
    }

    /// Every perfect subtree, as a server stores them.
    fn stored(&self) -> impl Fn(u8, u64) -> Result<Hash, Infallible> {
        |level, index| Ok(self.root((index << level) as usize, ((index + 1) << level) as usize))
    }
}

fn ok<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
    }
}

/// Each hash of the proof with one bit the other way, one too few, one too many.
fn spoilt(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut spoilt: Vec<_> = (0..proof.len())
        .map(|at| {
            let mut proof = proof.to_vec();
            proof[at][at % 32] ^= 1 << (at % 8);
            proof
        })
        .collect();
    spoilt.push([proof, &[tree::EMPTY]].concat());
    if let Some((_, rest)) = proof.split_last() {
        spoilt.push(rest.to_vec());
    }
    spoilt
}

fn flipped(mut hash: Hash) -> Hash {
    hash[31] ^= 0x80;
    hash
}

#[test]
fn nothing_has_the_hash_of_nothing() {
    assert_eq!(tree::EMPTY, <Hash>::from(Sha256::digest(b"")));
    assert_eq!(Frontier::new().root(), tree::EMPTY);
}

#[test]
fn roots_and_frontiers_of_every_size() {
    let log = Definition::new();
    let node = log.stored();
    let mut frontier = Frontier::new();
    for size in 0..=SIZES {
        assert_eq!(frontier.size(), size);
        assert_eq!(frontier.root(), log.root(0, size as usize));
        assert_eq!(ok(tree::root(size, &node)), frontier.root());
        assert_eq!(ok(tree::range(0, size, &node)), frontier.hashes());
        assert_eq!(Frontier::from_parts(size, frontier.hashes().to_vec()).as_ref(), Some(&frontier));
        assert_eq!(Frontier::from_parts(size, [frontier.hashes(), &[tree::EMPTY]].concat()), None);
        if let Some(leaf) = log.leaves.get(size as usize) {
            frontier.push(*leaf);
        }
    }
}

#[test]
fn every_range_leads_from_one_frontier_to_another() {
    let log = Definition::new();
    let node = log.stored();
    for from in 0..=SIZES {
        let start = Frontier::from_parts(from, ok(tree::range(0, from, &node))).expect("a frontier");
        for to in from..=SIZES {
            let range = ok(tree::range(from, to, &node));
            let mut frontier = start.clone();
            assert!(!frontier.extend(to, &[range.as_slice(), &[tree::EMPTY]].concat()));
            assert_eq!(frontier, start, "nothing happened");
            assert!(frontier.extend(to, &range));
            assert_eq!(frontier.root(), log.root(0, to as usize), "{from} to {to}");
        }
    }
}

#[test]
fn inclusion_of_every_leaf_in_every_size() {
    let log = Definition::new();
    let node = log.stored();
    for size in 1..=SIZES {
        let root = ok(tree::root(size, &node));
        for index in 0..size {
            let (leaf, proof) = (&log.leaves[index as usize], ok(tree::inclusion(index, size, &node)));
            assert_eq!(proof, log.path(index as usize, 0, size as usize), "{index} of {size}");
            assert!(tree::verify_inclusion(index, size, leaf, &proof, &root));
            assert_eq!(tree::root_of_inclusion(index, leaf, &proof), Some(root), "{index} of {size}");
            assert!(!tree::verify_inclusion(index, size, &flipped(*leaf), &proof, &root));
            assert!(!tree::verify_inclusion(index, size, leaf, &proof, &flipped(root)));
            assert!(!tree::verify_inclusion(index ^ 1, size, leaf, &proof, &root) || size == 1);
            for proof in spoilt(&proof) {
                assert!(!tree::verify_inclusion(index, size, leaf, &proof, &root), "{index} of {size}");
            }
        }
        assert!(!tree::verify_inclusion(size, size, &root, &[], &root), "no such leaf");
        assert_eq!(ok(tree::inclusion(size, size, &node)), Vec::<Hash>::new());
    }
}

#[test]
fn consistency_of_every_pair_of_sizes() {
    let log = Definition::new();
    let node = log.stored();
    let roots: Vec<Hash> = (0..=SIZES).map(|size| ok(tree::root(size, &node))).collect();
    for to in 1..=SIZES {
        for from in 1..=to {
            let (before, after) = (&roots[from as usize], &roots[to as usize]);
            let proof = ok(tree::consistency(from, to, &node));
            assert_eq!(proof, log.subproof(from as usize, 0, to as usize, true), "{from} to {to}");
            assert!(tree::verify_consistency(from, to, before, after, &proof), "{from} to {to}");
            assert!(!tree::verify_consistency(from, to, &flipped(*before), after, &proof));
            assert!(!tree::verify_consistency(from, to, before, &flipped(*after), &proof));
            assert!(from == to || !tree::verify_consistency(to, from, after, before, &proof));
            for proof in spoilt(&proof) {
                assert!(!tree::verify_consistency(from, to, before, after, &proof), "{from} to {to}");
            }
        }
        assert!(!tree::verify_consistency(0, to, &tree::EMPTY, &roots[to as usize], &[]), "nothing is shown");
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    leaf_idx: u64,
    tree_size: u64,
    root: Option<String>,
    leaf_hash: Option<String>,
    proof: Option<Vec<String>>,
    desc: String,
    want_err: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consistency {
    size1: u64,
    size2: u64,
    root1: Option<String>,
    root2: Option<String>,
    proof: Option<Vec<String>>,
    desc: String,
    want_err: bool,
}

/// What is no hash cannot even be asked about, which is a refusal.
fn decoded(text: &Option<String>) -> Option<Hash> {
    BASE64_STANDARD.decode(text.as_deref()?).ok()?.try_into().ok()
}

/// Some roots there are no hashes, and what matters is whether they are equal.
fn root(text: &Option<String>) -> Hash {
    decoded(text).unwrap_or_else(|| Sha256::digest(text.as_deref().unwrap_or_default()).into())
}

fn proof(hashes: Option<Vec<String>>) -> Option<Vec<Hash>> {
    hashes.unwrap_or_default().into_iter().map(|hash| decoded(&Some(hash))).collect()
}

fn cases<T: DeserializeOwned>(file: &str) -> Vec<T> {
    let cases: Vec<T> = file.lines().map(|line| serde_json::from_str(line).expect("a case")).collect();
    assert_eq!(cases.len(), 98);
    cases
}

#[test]
fn inclusion_as_others_see_it() {
    for case in cases::<Inclusion>(include_str!("data/merkle-inclusion.ndjson")) {
        let accepted = || {
            let (leaf, root, proof) = (decoded(&case.leaf_hash)?, decoded(&case.root)?, proof(case.proof)?);
            tree::verify_inclusion(case.leaf_idx, case.tree_size, &leaf, &proof, &root).then_some(())
        };
        assert_eq!(accepted().is_none(), case.want_err, "{}", case.desc);
    }
}

#[test]
fn consistency_as_others_see_it() {
    for case in cases::<Consistency>(include_str!("data/merkle-consistency.ndjson")) {
        let accepted = || {
            let (before, after, proof) = (root(&case.root1), root(&case.root2), proof(case.proof)?);
            tree::verify_consistency(case.size1, case.size2, &before, &after, &proof).then_some(())
        };
        assert_eq!(accepted().is_none(), case.want_err, "{}", case.desc);
    }
}

#[test]
fn hashes_are_written_and_read_in_one_way() {
    let hash = leaves()[0];
    assert_eq!(hex::hash(&hex::encode(&hash)), Some(hash));
    assert_eq!(hex::hash(&hex::encode(&hash).to_uppercase()), None);
    assert_eq!(hex::hash(&hex::encode(&hash[1..])), None);
}

/// Computed with Python's hashlib, not with this crate.
#[test]
fn leaf_and_commitment_are_as_documented() {
    let leaf = send0_verify::leaf::hash("wsp_00000000000000000000000000", 1042, 1_764_000_000_123_456, br#"{"a":1}"#);
    assert_eq!(hex::encode(&leaf), LEAF);
    assert_eq!(send0_verify::leaf::commitment(&[7; 32], br#"{"actor":null}"#), COMMITMENT);
}

const LEAF: &str = "f18f704d6e535ae1fa2036794ac29b0d4ab1a6b218a517070e9fd4617e1466c7";
const COMMITMENT: &str = "bb4346d7d1dfb1b71f97cca3f16a52c63dc7df1cf8ca29f341530372d86e2c32";
