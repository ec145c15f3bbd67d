//! A contiguous part of the tree while it streams by, before the receipt says what comes in front of it.

use crate::{
    Hash,
    tree::{self, Frontier},
};

/// The perfect subtrees over the leaves from a point on, in memory that grows with the logarithm.
pub(crate) struct Span {
    from: u64,
    to: u64,
    /// With their levels, those at the left edge: the left sibling of each lies before the span, so they stay as they are.
    edge: Vec<(u8, Hash)>,
    /// What comes after the edge, largest first.
    rest: Vec<Hash>,
}

/// What a root at one point takes, when the part in front is known.
pub(crate) struct Snapshot {
    pub size: u64,
    edge: usize,
    rest: Option<Hash>,
}

impl Span {
    pub fn new(from: u64) -> Self {
        Self { from, to: from, edge: vec![], rest: vec![] }
    }

    pub fn push(&mut self, leaf: Hash) {
        let (mut level, mut index, mut hash) = (0, self.to, leaf);
        self.to += 1;
        while index & 1 == 1 {
            let Some(left) = self.rest.pop() else {
                self.edge.push((level, hash));
                return;
            };
            hash = tree::node(&left, &hash);
            index >>= 1;
            level += 1;
        }
        self.rest.push(hash);
    }

    /// The tree as it is now. What is not at the edge is never merged with what comes before, so it may be folded.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { size: self.to, edge: self.edge.len(), rest: tree::fold(&self.rest) }
    }

    /// The root at a snapshot, behind this prefix of as many leaves as the span leaves out.
    pub fn root(&self, prefix: &Frontier, snapshot: &Snapshot) -> Hash {
        let mut left = prefix.clone();
        self.edge[..snapshot.edge].iter().for_each(|(level, hash)| left.add(*level, *hash));
        let folded = [left.hashes(), snapshot.rest.as_slice()].concat();
        tree::fold(&folded).unwrap_or(tree::EMPTY)
    }

    /// Everything up to the end of the span.
    pub fn frontier(&self, prefix: &Frontier) -> Frontier {
        let mut frontier = prefix.clone();
        let hashes: Vec<Hash> = self.edge.iter().map(|(_, hash)| *hash).chain(self.rest.iter().copied()).collect();
        let fits = frontier.extend(self.to, &hashes);
        debug_assert!(fits && prefix.size() == self.from);
        frontier
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_gives_every_root() {
        let leaf = |at: u64| crate::leaf::hash("", at, 0, b"");
        let mut roots = vec![Frontier::new()];
        for at in 0..80 {
            let mut next = roots[at as usize].clone();
            next.push(leaf(at));
            roots.push(next);
        }
        for from in 0..=80 {
            let mut span = Span::new(from);
            let mut snapshots = vec![span.snapshot()];
            for at in from..80 {
                span.push(leaf(at));
                snapshots.push(span.snapshot());
                assert_eq!(span.frontier(&roots[from as usize]), roots[at as usize + 1], "{from} to {at}");
            }
            for snapshot in snapshots {
                let root = span.root(&roots[from as usize], &snapshot);
                assert_eq!(root, roots[snapshot.size as usize].root(), "{from} to {}", snapshot.size);
            }
        }
    }
}
