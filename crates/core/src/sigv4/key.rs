//! Derived signing keys, their bounded cache, and signatures.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::TERMINATOR;
use super::scope::Scope;
use crate::limits::SIGNING_KEYS_CACHED_MAX;

/// A signature: 64 lower-case hex digits.
#[derive(Clone, Copy)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Reads 64 lower-case hex digits; `None` for anything else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let digits: [u8; 64] = text.try_into().ok()?;
        digits.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b)).then_some(Self(digits))
    }

    /// As on the wire.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether both are the same, in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    pub(crate) fn of_digest(digest: [u8; 32]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(digest) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Self(text)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(…)")
    }
}

/// A derived key: valid for one secret, day, region and service. Wiped from memory when dropped.
pub struct SigningKey {
    mac: Hmac<Sha256>,
    scope: String,
}

impl SigningKey {
    /// Derives the key: a chain of HMACs from the secret over date, region, service and `aws4_request`.
    pub fn derive(secret: &str, scope: Scope<'_>) -> Self {
        let mut start = Zeroizing::new(Vec::with_capacity(4 + secret.len()));
        start.extend_from_slice(b"AWS4");
        start.extend_from_slice(secret.as_bytes());
        let date = step(&start, scope.date);
        let region = step(date.as_slice(), scope.region);
        let service = step(region.as_slice(), scope.service);
        let key = step(service.as_slice(), TERMINATOR);
        Self { mac: keyed(key.as_slice()), scope: scope.to_string() }
    }

    /// HMAC-SHA256 of `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    /// The scope that it was derived for, as text.
    pub fn scope(&self) -> &str {
        &self.scope
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("scope", &self.scope).finish_non_exhaustive()
    }
}

fn step(key: &[u8], message: &str) -> Zeroizing<[u8; 32]> {
    let mut mac = keyed(key);
    mac.update(message.as_bytes());
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[expect(
    clippy::expect_used,
    reason = "HMAC takes a key of any length (RFC 2104); the error type exists for other MACs"
)]
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

/// Derived keys, most recently used first, at most [`SIGNING_KEYS_CACHED_MAX`].
///
/// An entry is found only by *every* input of its derivation: access key id, secret (as SHA-256), day, region,
/// service. Deriving costs more than half of a verification, so this is what keeps the gate fast.
#[derive(Default)]
pub struct KeyCache(Mutex<Vec<CachedKey>>);

struct CachedKey {
    access_key_id: String,
    secret_sha256: Zeroizing<[u8; 32]>,
    key: Arc<SigningKey>,
}

impl KeyCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// The key for these inputs, derived if it is not cached.
    pub fn key(&self, access_key_id: &str, secret: &str, scope: Scope<'_>) -> Arc<SigningKey> {
        let secret_sha256 = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(secret)));
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hit = entries.iter().position(|e| {
            e.access_key_id == access_key_id
                && scope.is_written_as(e.key.scope())
                && bool::from(e.secret_sha256.as_slice().ct_eq(secret_sha256.as_slice()))
        });
        if let Some(i) = hit {
            entries[..=i].rotate_right(1);
        } else {
            let key = Arc::new(SigningKey::derive(secret, scope));
            entries.truncate(SIGNING_KEYS_CACHED_MAX - 1);
            entries.insert(0, CachedKey { access_key_id: access_key_id.to_owned(), secret_sha256, key });
        }
        Arc::clone(&entries[0].key)
    }

    /// How many keys are held.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// True when no key is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache").field("len", &self.len()).finish()
    }
}
