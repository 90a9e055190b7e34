//! What `x-amz-content-sha256` says about the body.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::chunked::ChunkMode;
use super::error::VerifyError;
use super::key::Signature;
use super::request::Parts;

/// The last line of the canonical request: how the body is covered by the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadHash {
    /// The whole body is signed through its SHA-256. Whoever streams the body checks it with a [`BodyHasher`].
    Sha256([u8; 32]),
    /// The body is not covered (S3 over TLS).
    Unsigned,
    /// `aws-chunked`, chunks not signed, trailer not signed.
    StreamingUnsignedTrailer,
    /// `aws-chunked`, every chunk signed.
    StreamingSigned,
    /// `aws-chunked`, every chunk and the trailer signed.
    StreamingSignedTrailer,
    /// An event stream, every message signed. Only for [`events::is_event_stream`](super::events::is_event_stream).
    StreamingEvents,
}

impl PayloadHash {
    /// The hash of a body that is wholly in memory.
    pub fn of_body(body: &[u8]) -> Self {
        Self::Sha256(Sha256::digest(body).into())
    }

    /// The hash of a body that is empty.
    pub const EMPTY: Self = Self::Sha256([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae,
        0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ]);

    /// Reads `x-amz-content-sha256`; `None` when it is absent, then the body must be buffered and hashed.
    ///
    /// # Errors
    /// [`VerifyError::PayloadMode`] for SigV4A, [`VerifyError::PayloadHash`] for anything unknown.
    pub fn declared(parts: &Parts<'_>) -> Result<Option<Self>, VerifyError> {
        parts.header("x-amz-content-sha256").map(Self::parse).transpose()
    }

    /// Reads a value of `x-amz-content-sha256`: one of the literals, or 64 lower-case hex digits.
    ///
    /// # Errors
    /// As [`Self::declared`].
    pub fn parse(value: &[u8]) -> Result<Self, VerifyError> {
        Ok(match value {
            b"UNSIGNED-PAYLOAD" => Self::Unsigned,
            b"STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Self::StreamingUnsignedTrailer,
            b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Self::StreamingSigned,
            b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Self::StreamingSignedTrailer,
            b"STREAMING-AWS4-HMAC-SHA256-EVENTS" => Self::StreamingEvents,
            b"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD" | b"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER" => {
                return Err(VerifyError::PayloadMode("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"));
            }
            hash if hash.len() == 64 && hash.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b)) => {
                let mut bytes = [0; 32];
                hex::decode_to_slice(hash, &mut bytes).map_err(|_| VerifyError::PayloadHash)?;
                Self::Sha256(bytes)
            }
            _ => return Err(VerifyError::PayloadHash),
        })
    }

    /// The text that is signed, and sent in `x-amz-content-sha256`.
    pub fn text(&self) -> String {
        match self {
            Self::Sha256(hash) => Signature::of_digest(*hash).as_str().to_owned(),
            Self::Unsigned
            | Self::StreamingUnsignedTrailer
            | Self::StreamingSigned
            | Self::StreamingSignedTrailer
            | Self::StreamingEvents => self.literal().to_owned(),
        }
    }

    /// The `aws-chunked` mode of the body, or `None` when it is not framed.
    pub fn chunk_mode(&self) -> Option<ChunkMode> {
        match self {
            Self::Sha256(_) | Self::Unsigned | Self::StreamingEvents => None,
            Self::StreamingUnsignedTrailer => Some(ChunkMode::UnsignedTrailer),
            Self::StreamingSigned => Some(ChunkMode::Signed),
            Self::StreamingSignedTrailer => Some(ChunkMode::SignedTrailer),
        }
    }

    /// The wire literal of a mode; `SHA-256` for a hash.
    pub(crate) fn literal(self) -> &'static str {
        match self {
            Self::Sha256(_) => "SHA-256",
            Self::Unsigned => "UNSIGNED-PAYLOAD",
            Self::StreamingUnsignedTrailer => "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            Self::StreamingSigned => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            Self::StreamingSignedTrailer => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            Self::StreamingEvents => "STREAMING-AWS4-HMAC-SHA256-EVENTS",
        }
    }
}

/// Checks a body that streams past against the SHA-256 that was signed. Hold back the last bytes until
/// [`Self::finish`] has said yes.
#[derive(Debug, Clone)]
pub struct BodyHasher {
    state: Sha256,
    expected: [u8; 32],
}

impl BodyHasher {
    /// A check against `expected`.
    pub fn new(expected: [u8; 32]) -> Self {
        Self { state: Sha256::new(), expected }
    }

    /// The next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
    }

    /// The body is complete.
    ///
    /// # Errors
    /// [`VerifyError::BodyMismatch`] when it is not the body that was signed.
    pub fn finish(self) -> Result<(), VerifyError> {
        let actual: [u8; 32] = self.state.finalize().into();
        if bool::from(actual.ct_eq(&self.expected)) { Ok(()) } else { Err(VerifyError::BodyMismatch) }
    }
}

#[cfg(test)]
mod tests {
    use super::PayloadHash;

    #[test]
    fn the_hash_of_an_empty_body_is_the_one_that_is_written_down() {
        assert_eq!(PayloadHash::EMPTY, PayloadHash::of_body(b""));
    }
}
