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
//! | [`control`] | messages of the control socket: what is written reads back |
//!
//! Inputs are text where the wire has text, so the corpus can be read and written by hand.

#![forbid(unsafe_code)]

pub mod audit;
pub mod chunked;
pub mod control;
pub mod environment;
pub mod glob;
pub mod input;
pub mod policy;
pub mod resolve;
pub mod sigv4;
pub mod wire;

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
pub const TARGETS: [Target; 8] = [
    Target { name: "sigv4", run: sigv4::run, bytes_max: 4_096 },
    Target { name: "chunked", run: chunked::run, bytes_max: 4_096 },
    Target { name: "policy", run: policy::run, bytes_max: 4_096 },
    Target { name: "glob", run: glob::run, bytes_max: 256 },
    Target { name: "resolve", run: resolve::run, bytes_max: 4_096 },
    Target { name: "audit", run: audit::run, bytes_max: 4_096 },
    Target { name: "wire", run: wire::run, bytes_max: 2_048 },
    Target { name: "control", run: control::run, bytes_max: 1_024 },
];
