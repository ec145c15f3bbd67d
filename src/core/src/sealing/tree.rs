//! The tree as it is stored: finished tiles of 256 hashes, and the unfinished one of each level.

use super::TILE;
use send0_verify::{Hash, tree};
use std::collections::{BTreeSet, HashMap};

const HASH: usize = 32;
/// Levels of the binary tree within one tile: 256 = 2⁸.
const TILE_LEVELS: u8 = 8;

/// A finished tile.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tile {
    pub level: u8,
    pub index: u64,
    pub hashes: Vec<u8>,
}

/// Which tile: its level and its index there.
pub(super) type TileId = (u8, u64);

/// A tree that grows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tree {
    size: u64,
    /// The hashes of the unfinished tile of each level, from the leaves up.
    tails: Vec<Vec<u8>>,
}

impl Tree {
    /// As stored. `None` when the lengths do not fit the size.
    pub fn from_parts(size: u64, tails: Vec<Vec<u8>>) -> Option<Self> {
        let fits = |(level, tail): (usize, &Vec<u8>)| {
            let nodes = u32::try_from(level).ok().and_then(|level| size.checked_shr(level * u32::from(TILE_LEVELS)));
            tail.len() as u64 == nodes.unwrap_or(0) % TILE * HASH as u64
        };
        let tree = Self { size, tails };
        let whole = size.checked_shr(8 * u32::try_from(tree.tails.len()).ok()?).unwrap_or(0) == 0;
        (whole && tree.tails.iter().enumerate().all(fits)).then_some(tree)
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn tails(&self) -> &[Vec<u8>] {
        &self.tails
    }

    /// Adds a leaf. Tiles that it finishes are put with the others.
    pub fn push(&mut self, leaf: Hash, finished: &mut Vec<Tile>) {
        self.size += 1;
        let (mut level, mut hash) = (0u8, leaf);
        loop {
            let place = usize::from(level);
            if self.tails.len() == place {
                self.tails.push(Vec::new());
            }
            self.tails[place].extend(hash);
            if self.tails[place].len() < TILE as usize * HASH {
                return;
            }
            let hashes = std::mem::take(&mut self.tails[place]);
            hash = fold(&hashes);
            level += 1;
            finished.push(Tile {
                level: level - 1,
                index: (self.size >> (u32::from(level) * u32::from(TILE_LEVELS))) - 1,
                hashes,
            });
        }
    }

    /// The perfect subtrees that the tree is made of, the largest first.
    pub fn frontier(&self) -> Vec<Hash> {
        let mut hashes = Vec::new();
        for tail in self.tails.iter().rev() {
            let (count, mut done) = (tail.len() / HASH, 0);
            for bit in (0..TILE_LEVELS).rev().map(|bit| 1usize << bit).filter(|bit| count & bit != 0) {
                hashes.push(fold(&tail[done * HASH..(done + bit) * HASH]));
                done += bit;
            }
        }
        hashes
    }

    pub fn root(&self) -> Hash {
        tree::Frontier::from_parts(self.size, self.frontier()).map_or(tree::EMPTY, |frontier| frontier.root())
    }

    fn tail(&self, (level, index): TileId) -> Option<&[u8]> {
        let unfinished = self.size.checked_shr(u32::from(TILE_LEVELS) * (u32::from(level) + 1)).unwrap_or(0);
        (index == unfinished).then(|| self.tails.get(usize::from(level)).map(Vec::as_slice)).flatten()
    }
}

/// The nodes of a tree, from its tails and the tiles that were fetched.
pub(super) struct Nodes<'t> {
    pub tree: &'t Tree,
    pub tiles: HashMap<TileId, Vec<u8>>,
}

/// A node that is not stored: the tiles and the size do not fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Missing;

impl Nodes<'_> {
    /// The root of the perfect subtree over the leaves from `index << level`.
    pub fn node(&self, level: u8, index: u64) -> Result<Hash, Missing> {
        let (tile, from, count) = place(level, index);
        let hashes = self.tree.tail(tile).or_else(|| self.tiles.get(&tile).map(Vec::as_slice)).ok_or(Missing)?;
        Ok(fold(hashes.get(from * HASH..(from + count) * HASH).ok_or(Missing)?))
    }
}

/// Gives a node, or only notes that it is asked for.
pub(super) type Ask<'a> = dyn FnMut(u8, u64) -> Result<Hash, Missing> + 'a;

/// The finished tiles that an answer is made of: it is asked for once with nothing behind it, to see what it looks at.
pub(super) fn tiles_for<T>(tree: &Tree, ask: impl FnOnce(&mut Ask<'_>) -> T) -> Vec<TileId> {
    let mut seen = BTreeSet::new();
    ask(&mut |level, index| {
        let (tile, ..) = place(level, index);
        if tree.tail(tile).is_none() {
            seen.insert(tile);
        }
        Ok(tree::EMPTY)
    });
    seen.into_iter().collect()
}

/// Where the hashes below a node stand: the tile, the first of them, and how many.
fn place(level: u8, index: u64) -> (TileId, usize, usize) {
    let within = level % TILE_LEVELS;
    let first = index << within;
    let offset = usize::try_from(first % TILE).unwrap_or(0);
    ((level / TILE_LEVELS, first / TILE), offset, 1 << within)
}

/// The root over a power of two of hashes.
pub(super) fn fold(hashes: &[u8]) -> Hash {
    let mut row: Vec<Hash> = hashes.as_chunks::<HASH>().0.to_vec();
    while row.len() > 1 {
        row = row.as_chunks::<2>().0.iter().map(|[left, right]| tree::node(left, right)).collect();
    }
    row.first().copied().unwrap_or(tree::EMPTY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(n: u64) -> Hash {
        send0_verify::leaf::hash("wsp_00000000000000000000000000", n, 0, b"{}")
    }

    /// Past the end of the second level, with the trees of the format crate beside it.
    #[test]
    fn tiles_and_tails_give_the_tree_of_the_format_at_every_size() {
        let (mut grown, mut finished, mut frontier) = (Tree::default(), vec![], tree::Frontier::new());
        for n in 1..=(TILE * TILE + TILE + 3) {
            grown.push(leaf(n), &mut finished);
            frontier.push(leaf(n));
            assert_eq!(Tree::from_parts(n, grown.tails.clone()).as_ref(), Some(&grown));
            if n < 600 || n % 251 == 0 || n >= TILE * TILE - 2 {
                assert_eq!((grown.root(), grown.frontier()), (frontier.root(), frontier.hashes().to_vec()), "{n}");
            }
        }
        let tiles: HashMap<TileId, Vec<u8>> =
            finished.iter().map(|tile| ((tile.level, tile.index), tile.hashes.clone())).collect();
        assert_eq!(tiles.len(), 257 + 1, "each once");
        let nodes = Nodes { tree: &grown, tiles };
        let node = |level, index| nodes.node(level, index);
        for (index, size) in
            [(0, 1), (0, grown.size), (255, 256), (256, 65_537), (65_535, 65_536), (65_700, grown.size)]
        {
            let root = tree::root(size, node).expect("root");
            let proof = tree::inclusion(index, size, node).expect("proof");
            assert!(tree::verify_inclusion(index, size, &leaf(index + 1), &proof, &root), "{index} in {size}");
        }
        let (old, new) = (tree::root(1000, node).expect("root"), grown.root());
        let proof = tree::consistency(1000, grown.size, node).expect("proof");
        assert!(tree::verify_consistency(1000, grown.size, &old, &new, &proof));
    }

    #[test]
    fn what_does_not_fit_its_size_is_no_tree() {
        let (mut grown, mut finished) = (Tree::default(), vec![]);
        for n in 1..=300 {
            grown.push(leaf(n), &mut finished);
        }
        for size in [0, 299, 301, 44, 300 + 256, u64::MAX] {
            assert_eq!(Tree::from_parts(size, grown.tails.clone()), None, "{size}");
        }
        assert_eq!(Tree::from_parts(300, vec![]), None);
    }

    #[test]
    fn only_the_tiles_that_are_looked_at_are_fetched() {
        let (mut grown, mut finished) = (Tree::default(), vec![]);
        for n in 1..=1000 {
            grown.push(leaf(n), &mut finished);
        }
        assert_eq!(tiles_for(&grown, |node| tree::inclusion(300, 1000, node)), [(0, 1)]);
        assert_eq!(tiles_for(&grown, |node| tree::root(1000, node)), []);
    }
}
