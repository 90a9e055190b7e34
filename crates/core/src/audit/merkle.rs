//! The Merkle tree of RFC 6962, kept as its right-hand edge: appending costs O(log n), never more.
//!
//! Proofs are made by passing over the leaves once ([`PathBuilder`]), so that they need no stored tree and no memory
//! that grows with the log.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::entry::Hash;

/// The right-hand edge of a tree: the roots of its perfect subtrees, largest first, one for each bit set in `size`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    nodes: Vec<Hash>,
}

impl Frontier {
    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds the next leaf, given as its leaf hash.
    pub fn append(&mut self, leaf: Hash) {
        let mut node = leaf;
        let mut rest = self.size;
        while rest & 1 == 1 {
            // A set bit has a node by construction; `from_bytes` checks it.
            let Some(left) = self.nodes.pop() else { break };
            node = node_hash(&left, &node);
            rest >>= 1;
        }
        self.nodes.push(node);
        self.size += 1;
    }

    /// The root hash; of the empty tree it is the hash of nothing (RFC 6962, section 2.1).
    pub fn root(&self) -> Hash {
        let mut nodes = self.nodes.iter().rev();
        let Some(last) = nodes.next() else { return Sha256::digest([]).into() };
        nodes.fold(*last, |right, left| node_hash(left, &right))
    }

    /// The nodes as stored: 32 bytes each, largest subtree first.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.nodes.concat()
    }

    /// Reads stored nodes; `None` when they cannot belong to a tree of `size` leaves.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (nodes, rest) = bytes.as_chunks::<32>();
        (rest.is_empty() && nodes.len() == size.count_ones() as usize).then(|| Self { size, nodes: nodes.to_vec() })
    }
}

/// The node hash of RFC 6962, section 2.1: `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// Collects the hashes of a proof while the leaves pass by once, in order. Holds O(log² n) hashes.
#[derive(Debug)]
pub struct PathBuilder {
    /// In the order of the proof.
    parts: Vec<(Range<u64>, Frontier)>,
    next: u64,
}

impl PathBuilder {
    /// For the audit path of leaf `index` in a tree of `size` leaves (RFC 6962, section 2.1.1).
    /// `None` when there is no such leaf.
    pub fn inclusion(index: u64, size: u64) -> Option<Self> {
        if index >= size {
            return None;
        }
        let mut parts = Vec::new();
        let (mut low, mut high) = (0, size);
        while high - low > 1 {
            let middle = low + split(high - low);
            let sibling = if index < middle { middle..high } else { low..middle };
            (low, high) = if index < middle { (low, middle) } else { (middle, high) };
            parts.push((sibling, Frontier::default()));
        }
        parts.reverse();
        Some(Self { parts, next: 0 })
    }

    /// For the proof that the tree of `old` leaves is a prefix of the tree of `new` leaves (RFC 6962, section 2.1.2).
    /// `None` unless `0 < old <= new`.
    pub fn consistency(old: u64, new: u64) -> Option<Self> {
        if old == 0 || old > new {
            return None;
        }
        let mut parts = Vec::new();
        let (mut low, mut high) = (0, new);
        while high > old {
            let middle = low + split(high - low);
            let sibling = if old <= middle { middle..high } else { low..middle };
            (low, high) = if old <= middle { (low, middle) } else { (middle, high) };
            parts.push((sibling, Frontier::default()));
        }
        if low > 0 {
            parts.push((low..high, Frontier::default()));
        }
        parts.reverse();
        Some(Self { parts, next: 0 })
    }

    /// Takes the next leaf hash, from leaf 0 on.
    pub fn push(&mut self, leaf: Hash) {
        let at = self.next;
        self.next += 1;
        if let Some((_, frontier)) = self.parts.iter_mut().find(|(range, _)| range.contains(&at)) {
            frontier.append(leaf);
        }
    }

    /// The proof; `None` when not all leaves have passed.
    pub fn finish(self) -> Option<Vec<Hash>> {
        let whole = |(range, frontier): &(Range<u64>, Frontier)| frontier.size == range.end - range.start;
        self.parts.iter().all(whole).then(|| self.parts.iter().map(|(_, frontier)| frontier.root()).collect())
    }
}

/// True when `path` leads from `leaf` at `index` to `root` in a tree of `size` leaves (RFC 9162, section 2.1.3.2).
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// True when `path` shows that the tree of `old` leaves with `old_root` is a prefix of the tree of `new` leaves with
/// `new_root` (RFC 9162, section 2.1.4.2).
pub fn verify_consistency(old: u64, new: u64, old_root: &Hash, new_root: &Hash, path: &[Hash]) -> bool {
    if old == 0 || old >= new {
        return old == new && old != 0 && path.is_empty() && old_root == new_root;
    }
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let mut path = path.iter();
    let first = if node == 0 { Some(old_root) } else { path.next() };
    let Some(first) = first else { return false };
    let (mut left, mut whole) = (*first, *first);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            left = node_hash(sibling, &left);
            whole = node_hash(sibling, &whole);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            whole = node_hash(&whole, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && left == *old_root && whole == *new_root
}

/// The largest power of two below `leaves`, which is 2 or more.
fn split(leaves: u64) -> u64 {
    1 << (63 - (leaves - 1).leading_zeros())
}
