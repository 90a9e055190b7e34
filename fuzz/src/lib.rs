//! Fuzz targets: each takes any bytes, and panics when a promise of the parser behind it does not hold.
//!
//! | target | what it feeds, and what must hold |
//! |---|---|
//! | [`sigv4`] | request heads: what is signed verifies to the same path and query; what is changed does not |
//! | [`chunked`] | aws-chunked bodies: one reading however they arrive; a flipped bit never becomes an object |
//! | [`policy`] | documents and flags: what is written reads back; a deny only narrows |
//! | [`glob`] | patterns: the matcher against a slow one; `covers` and `intersects` never lie |
//! | [`resolve`] | requests of every protocol: the same answer from the head and from the body, never nothing |
//! | [`audit`] | entries, checkpoints, keys and proofs: two readers agree; a proof proves one thing |
//! | [`wire`] | the bytes of a connection: one judgement of each head's framing, however the bytes arrive |
//! | [`presigned`] | presigned URLs: what is signed by the book verifies; what is changed or late does not |
//! | [`xml`] | XML bodies: what is read, another parser reads the same |
//! | [`config`] | two configuration files: a project's only narrows; every problem has a place and a sentence |
//! | [`catalogue`] | tables and names: any row is read or left out, and every lookup ends |
//! | [`control`] | messages of the control socket: what is written reads back |
//!
//! Inputs are text where the wire has text, so the corpus can be read and written by hand.

#![forbid(unsafe_code)]

pub mod audit;
pub mod catalogue;
pub mod chunked;
pub mod config;
pub mod control;
pub mod environment;
pub mod glob;
pub mod input;
pub mod policy;
pub mod presigned;
pub mod resolve;
pub mod sigv4;
pub mod wire;
pub mod xml;

/// One target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, also of its folder in `corpus/`.
    pub name: &'static str,
    /// Takes one input.
    pub run: fn(&[u8]),
    /// Longest input worth trying, bytes.
    pub bytes_max: usize,
}

/// Every target.
pub const TARGETS: [Target; 12] = [
    Target { name: "sigv4", run: sigv4::run, bytes_max: 4_096 },
    Target { name: "chunked", run: chunked::run, bytes_max: 4_096 },
    Target { name: "policy", run: policy::run, bytes_max: 4_096 },
    Target { name: "glob", run: glob::run, bytes_max: 256 },
    Target { name: "resolve", run: resolve::run, bytes_max: 4_096 },
    Target { name: "audit", run: audit::run, bytes_max: 4_096 },
    Target { name: "wire", run: wire::run, bytes_max: 2_048 },
    Target { name: "presigned", run: presigned::run, bytes_max: 2_048 },
    Target { name: "xml", run: xml::run, bytes_max: 2_048 },
    Target { name: "config", run: config::run, bytes_max: 2_048 },
    Target { name: "catalogue", run: catalogue::run, bytes_max: 768 },
    Target { name: "control", run: control::run, bytes_max: 1_024 },
];
