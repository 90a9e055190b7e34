//! The chain of chunk signatures: each covers the one before it, the first covers the request's.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::sigv4::key::{Signature, SigningKey};
use crate::sigv4::scope::AmzDate;

/// SHA-256 of nothing, in hex: a constant line of every chunk's string to sign.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Makes the signatures of successive chunks. One for each direction: inbound starts at the client's signature,
/// outbound at ours.
#[derive(Debug, Clone)]
pub struct ChunkChain {
    key: Arc<SigningKey>,
    at: AmzDate,
    previous: Signature,
}

impl ChunkChain {
    /// Starts at the signature of the request itself; `at` is its `x-amz-date`.
    pub fn new(key: Arc<SigningKey>, at: AmzDate, seed: Signature) -> Self {
        Self { key, at, previous: seed }
    }

    /// The signature of the next chunk, whose data has this SHA-256.
    pub(crate) fn chunk(&mut self, data_sha256: [u8; 32]) -> Signature {
        let data = Signature::of_digest(data_sha256);
        self.next("AWS4-HMAC-SHA256-PAYLOAD", &[EMPTY_SHA256, data.as_str()])
    }

    /// The signature of the trailers. `name:value\n` of each is what is hashed.
    pub(crate) fn trailers(&mut self, trailers: &[(String, String)]) -> Signature {
        let mut hasher = Sha256::new();
        for (name, value) in trailers {
            for part in [name, ":", value, "\n"] {
                hasher.update(part);
            }
        }
        let hash = Signature::of_digest(hasher.finalize().into());
        self.next("AWS4-HMAC-SHA256-TRAILER", &[hash.as_str()])
    }

    fn next(&mut self, algorithm: &str, hashes: &[&str]) -> Signature {
        let head = [algorithm, self.at.as_str(), self.key.scope(), self.previous.as_str()].join("\n");
        let text = [&[head.as_str()], hashes].concat().join("\n");
        self.previous = Signature::of_digest(self.key.sign(text.as_bytes()));
        self.previous
    }
}
