//! The audit log's rules: typed events, their bytes, the hash chain and the Merkle tree.
//!
//! An entry is one line of compact JSON, `{"seq":N,"prev":"<64 hex>","time":"<RFC 3339>",...}`. Its hash is
//! `SHA-256(0x00 || line)`, the leaf hash of RFC 6962; the next entry's `prev` is that hash. One hash per entry so
//! makes both the chain and the Merkle leaf. Everything is verified over the stored bytes, never over a re-serialisation.

pub mod checkpoint;
pub mod entry;
pub mod event;
pub mod merkle;
pub mod needs;

pub use entry::{Entry, EntryError, Outline};
pub use event::{Class, Event};
pub use needs::{Needed, Needs};
