//! The Merkle tree of RFC 9162 §2.1, over leaves that are hashes already.
//!
//! Indices are 0-based. Stored nodes: `node(level, index)` is the root of the perfect subtree over the leaves
//! `index << level` to `(index + 1) << level`, the end excluded; level 0 is the leaves.

use crate::Hash;
use sha2::{Digest, Sha256};

/// The root of the tree without leaves: SHA-256 of nothing.
pub const EMPTY: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// `SHA-256(0x01 ‖ left ‖ right)`.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

/// The perfect subtrees of a prefix of the log, largest first: one for each bit of its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

impl Frontier {
    /// Of no leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// As stored. `None` when so many hashes are not those of so many leaves.
    pub fn from_parts(size: u64, hashes: Vec<Hash>) -> Option<Self> {
        (hashes.len() == size.count_ones() as usize).then_some(Self { size, hashes })
    }

    /// One more leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.add(0, leaf);
    }

    /// The leaves up to `to`, as [`range`] gives them. False, and nothing changed, when so many hashes are not theirs.
    pub fn extend(&mut self, to: u64, hashes: &[Hash]) -> bool {
        let pieces = pieces(self.size, to);
        let fits = pieces.len() == hashes.len() && self.size <= to;
        if fits {
            pieces.iter().zip(hashes).for_each(|(piece, hash)| self.add(piece.0, *hash));
        }
        fits
    }

    /// A perfect subtree of `1 << level` leaves, of which the size is a multiple.
    pub(crate) fn add(&mut self, level: u8, hash: Hash) {
        let merged = (self.size >> level).trailing_ones() as usize;
        let left = self.hashes.split_off(self.hashes.len() - merged);
        self.hashes.push(left.iter().rev().fold(hash, |right, left| node(left, &right)));
        self.size += 1 << level;
    }

    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The subtrees, largest first.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The root of the tree over exactly these leaves.
    pub fn root(&self) -> Hash {
        fold(&self.hashes).unwrap_or(EMPTY)
    }
}

/// The root over subtrees from left to right.
pub(crate) fn fold(hashes: &[Hash]) -> Option<Hash> {
    let (last, left) = hashes.split_last()?;
    Some(left.iter().rev().fold(*last, |right, left| node(left, &right)))
}

/// The largest perfect subtrees that make up the leaves `from..to`, from left to right, as (level, index).
fn pieces(from: u64, to: u64) -> Vec<(u8, u64)> {
    let mut pieces = vec![];
    let mut at = from;
    while at < to {
        let level = at.trailing_zeros().min((to - at).ilog2());
        pieces.push((level as u8, at >> level));
        at += 1 << level;
    }
    pieces
}

/// The hashes of the largest perfect subtrees that make up the leaves `from..to`, from left to right. With `from` 0 that is
/// the frontier; otherwise what leads from a frontier to a later one ([`Frontier::extend`]).
///
/// # Errors
/// What `node` says.
pub fn range<E>(from: u64, to: u64, mut node: impl FnMut(u8, u64) -> Result<Hash, E>) -> Result<Vec<Hash>, E> {
    pieces(from, to).into_iter().map(|(level, index)| node(level, index)).collect()
}

/// The root of the leaves `from..to`, which are a subtree of the tree over all.
fn subtree<E>(from: u64, to: u64, node: &mut impl FnMut(u8, u64) -> Result<Hash, E>) -> Result<Hash, E> {
    Ok(fold(&range(from, to, node)?).unwrap_or(EMPTY))
}

/// The root of the tree over the first `size` leaves.
///
/// # Errors
/// What `node` says.
pub fn root<E>(size: u64, mut node: impl FnMut(u8, u64) -> Result<Hash, E>) -> Result<Hash, E> {
    subtree(0, size, &mut node)
}

/// Where a tree over more than one leaf is split: the largest power of two below the number of leaves.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// The inclusion proof of RFC 9162 §2.1.3.1 for the leaf at `index`. Empty when there is no such leaf: such a proof is refused.
///
/// # Errors
/// What `node` says.
pub fn inclusion<E>(index: u64, size: u64, mut node: impl FnMut(u8, u64) -> Result<Hash, E>) -> Result<Vec<Hash>, E> {
    let mut proof = vec![];
    let (mut from, mut to) = (0, size);
    while index < to && to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            proof.push(subtree(middle, to, &mut node)?);
            to = middle;
        } else {
            proof.push(subtree(from, middle, &mut node)?);
            from = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The consistency proof of RFC 9162 §2.1.4.1 between the first `from` and the first `to` leaves. Empty when there is nothing
/// to prove: `from` is 0 or not below `to`.
///
/// # Errors
/// What `node` says.
pub fn consistency<E>(from: u64, to: u64, mut node: impl FnMut(u8, u64) -> Result<Hash, E>) -> Result<Vec<Hash>, E> {
    let mut proof = vec![];
    if from == 0 || from >= to {
        return Ok(proof);
    }
    let (mut left, mut right) = (0, to);
    while from < right {
        let middle = left + split(right - left);
        if from <= middle {
            proof.push(subtree(middle, right, &mut node)?);
            right = middle;
        } else {
            proof.push(subtree(left, middle, &mut node)?);
            left = middle;
        }
    }
    if left > 0 {
        proof.push(subtree(left, right, &mut node)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Whether the proof leads from the leaf at `index` to the root over `size` leaves (RFC 9162 §2.1.3.2).
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(sibling, &hash);
            let border = if at & 1 == 1 { 0 } else { at.trailing_zeros().min(63) };
            at >>= border;
            last >>= border;
        } else {
            hash = node(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// The root that an inclusion proof leads to. It takes no size: of the sizes that a proof of this length can be for, each leads to
/// the same root. `None` when there is no such size.
pub fn root_of_inclusion(index: u64, leaf: &Hash, proof: &[Hash]) -> Option<Hash> {
    let length = proof.len() as u32;
    // Below the level where the paths of this leaf and the last one meet, siblings stand on both sides; above, to the left.
    let meet = (0..64).find(|level| level + (index >> level).count_ones() == length)?;
    let fold = |hash, (level, sibling): (u32, &Hash)| match level {
        _ if level >= meet || index >> level & 1 == 1 => node(sibling, &hash),
        _ => node(&hash, sibling),
    };
    Some((0..).zip(proof).fold(*leaf, fold))
}

/// Whether the proof shows that the tree over `from` leaves is the beginning of the one over `to` (RFC 9162 §2.1.4.2). About
/// the tree without leaves nothing can be shown: `from` 0 is refused, as others do.
pub fn verify_consistency(from: u64, to: u64, from_root: &Hash, to_root: &Hash, proof: &[Hash]) -> bool {
    if from == 0 || from > to {
        return false;
    }
    if from == to {
        return proof.is_empty() && from_root == to_root;
    }
    // The proof begins with the subtree that ends the smaller tree, which is left out when it is that tree.
    let (first, rest) = match proof.split_first() {
        _ if from.is_power_of_two() => (*from_root, proof),
        Some((first, rest)) => (*first, rest),
        None => return false,
    };
    let level = from.trailing_zeros();
    let (mut at, mut last) = ((from - 1) >> level, (to - 1) >> level);
    let (mut smaller, mut larger) = (first, first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            smaller = node(sibling, &smaller);
            larger = node(sibling, &larger);
            let border = if at & 1 == 1 { 0 } else { at.trailing_zeros().min(63) };
            at >>= border;
            last >>= border;
        } else {
            larger = node(&larger, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && smaller == *from_root && larger == *to_root
}
