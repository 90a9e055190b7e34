//! The Merkle tree of RFC 6962, kept as its right-hand edge: appending costs O(log n), never more.
