//! The canonical request. Nothing else in the product makes one.

pub mod path;
pub mod query;

use sha2::{Digest, Sha256};

use super::ALGORITHM;
use super::error::VerifyError;
use super::key::{Signature, SigningKey};
use super::payload::PayloadHash;
use super::scope::AmzDate;

/// Everything that is hashed, already in canonical form.
pub(crate) struct Canonical<'a> {
    pub(crate) method: &'a str,
    /// The path as it is signed, which for most services is not the path as it is sent.
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    /// `name:value\n` of every signed header, sorted.
    pub(crate) headers: &'a [u8],
    pub(crate) signed_headers: &'a str,
    pub(crate) payload: PayloadHash,
}

impl Canonical<'_> {
    /// The signature with `key` at `at`; the scope is the key's.
    pub(crate) fn signature(&self, key: &SigningKey, at: AmzDate) -> Signature {
        Signature::of_digest(key.sign(self.string_to_sign(ALGORITHM, at, key.scope()).as_bytes()))
    }

    /// What is signed in the end.
    pub(crate) fn string_to_sign(&self, algorithm: &str, at: AmzDate, scope: &str) -> String {
        let payload = self.payload.text();
        let mut request = Vec::with_capacity(
            self.method.len()
                + self.path.len()
                + self.query.len()
                + self.headers.len()
                + self.signed_headers.len()
                + payload.len()
                + 5,
        );
        for line in [self.method.as_bytes(), self.path.as_bytes(), self.query.as_bytes(), self.headers] {
            request.extend_from_slice(line);
            request.push(b'\n');
        }
        request.extend_from_slice(self.signed_headers.as_bytes());
        request.push(b'\n');
        request.extend_from_slice(payload.as_bytes());
        let hash = Signature::of_digest(Sha256::digest(&request).into());
        [algorithm, at.as_str(), scope, hash.as_str()].join("\n")
    }
}

/// Writes `name:value,value\n`: values in the order received, each trimmed, runs of spaces folded to one.
/// Tabs inside a value and bytes above ASCII stay as they are.
pub(crate) fn write_header<'a>(out: &mut Vec<u8>, name: &str, values: impl Iterator<Item = &'a [u8]>) {
    out.extend_from_slice(name.as_bytes());
    let mut separator = b':';
    for value in values {
        out.push(separator);
        separator = b',';
        let blank = |b: &u8| *b == b' ' || *b == b'\t';
        let start = value.iter().position(|b| !blank(b)).unwrap_or(value.len());
        let end = value.iter().rposition(|b| !blank(b)).map_or(start, |i| i + 1);
        let trimmed = &value[start..end];
        if !trimmed.contains(&b' ') {
            out.extend_from_slice(trimmed);
            continue;
        }
        let mut space = false;
        for &b in trimmed {
            if !(space && b == b' ') {
                out.push(b);
            }
            space = b == b' ';
        }
    }
    out.push(b'\n');
}

/// A method is an upper-case HTTP token.
pub(crate) fn check_method(method: &str) -> Result<(), VerifyError> {
    let legal = |b: u8| b.is_ascii_uppercase() || b == b'-' || b == b'_';
    if !method.is_empty() && method.len() <= 32 && method.bytes().all(legal) {
        Ok(())
    } else {
        Err(VerifyError::Method)
    }
}

/// `A-Z a-z 0-9 - . _ ~` (RFC 3986, 2.3): the only bytes that are never percent-encoded.
pub(crate) fn is_unreserved(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~')
}

/// Appends `%XX` in upper-case hex.
pub(crate) fn push_escaped(out: &mut String, b: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(b >> 4)]));
    out.push(char::from(DIGITS[usize::from(b & 15)]));
}

/// The byte that `%XX` at `text[i]` stands for; `None` when it is not followed by two hex digits.
pub(crate) fn escaped_byte(text: &[u8], i: usize) -> Option<u8> {
    let digit = |at: usize| text.get(at).and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    Some(digit(i + 1)? << 4 | digit(i + 2)?)
}
