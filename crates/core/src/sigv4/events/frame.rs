//! One message: its lengths, its CRCs, and the two headers of a signed one.

use crc_fast::{CrcAlgorithm, Digest};

use super::EventError;
use crate::sigv4::key::Signature;

/// Lengths and their CRC.
pub(super) const PRELUDE_BYTES: usize = 12;
/// `:date`, type 8, milliseconds since the Unix epoch.
pub(super) const DATE_NAME: &[u8] = b"\x05:date\x08";
/// `:chunk-signature`, type 6, 32 bytes.
const SIGNATURE_NAME: &[u8] = b"\x10:chunk-signature\x06\x00\x20";
const HEADERS_BYTES: usize = DATE_NAME.len() + 8 + SIGNATURE_NAME.len() + 32;
/// What a signed message has besides its payload.
pub(super) const OVERHEAD_BYTES: usize = PRELUDE_BYTES + HEADERS_BYTES + 4;

fn crc32(bytes: &[u8]) -> [u8; 4] {
    let mut digest = Digest::new(CrcAlgorithm::Crc32IsoHdlc);
    digest.update(bytes);
    let [.., a, b, c, d] = digest.finalize().to_be_bytes();
    [a, b, c, d]
}

fn number(bytes: &[u8], from: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(from..from + 4)?.try_into().ok()?))
}

/// The whole length of the message that begins with this prelude.
pub(super) fn length(prelude: &[u8]) -> Result<u64, EventError> {
    let malformed = EventError::Malformed("its lengths are missing");
    let (Some(total), Some(headers)) = (number(prelude, 0), number(prelude, 4)) else { return Err(malformed) };
    if prelude.get(8..PRELUDE_BYTES) != Some(&crc32(prelude.get(..8).unwrap_or_default())) {
        return Err(EventError::Crc);
    }
    let total = u64::from(total);
    if usize::try_from(headers) != Ok(HEADERS_BYTES) || total < OVERHEAD_BYTES as u64 {
        return Err(EventError::Malformed("it must have the headers `:date` and `:chunk-signature`, and no other"));
    }
    Ok(total)
}

/// A signed message, taken apart; its signature is not verified yet.
pub(super) struct Signed<'m> {
    /// The `:date` header as on the wire: this is what is signed.
    pub(super) date_header: &'m [u8],
    /// Milliseconds since the Unix epoch.
    pub(super) date_ms: i64,
    pub(super) signature: Signature,
    pub(super) payload: &'m [u8],
}

/// Takes a whole message apart.
pub(super) fn parse(message: &[u8]) -> Result<Signed<'_>, EventError> {
    let (content, crc) = message.split_last_chunk::<4>().ok_or(EventError::Malformed("it is too short"))?;
    if crc32(content) != *crc {
        return Err(EventError::Crc);
    }
    let headers = content.get(PRELUDE_BYTES..PRELUDE_BYTES + HEADERS_BYTES).unwrap_or_default();
    let payload = content.get(PRELUDE_BYTES + HEADERS_BYTES..).unwrap_or_default();
    // In either order; the names and types leave no other reading.
    let date_bytes = DATE_NAME.len() + 8;
    let (date_header, signature) = if headers.starts_with(DATE_NAME) {
        headers.split_at(date_bytes)
    } else {
        let (signature, date) = headers.split_at(headers.len().saturating_sub(date_bytes));
        (date, signature)
    };
    let date = date_header.strip_prefix(DATE_NAME).and_then(|date| <[u8; 8]>::try_from(date).ok());
    let digest = signature.strip_prefix(SIGNATURE_NAME).and_then(|digest| <[u8; 32]>::try_from(digest).ok());
    match (date, digest) {
        (Some(date), Some(digest)) => {
            let (date_ms, signature) = (i64::from_be_bytes(date), Signature::of_digest(digest));
            Ok(Signed { date_header, date_ms, signature, payload })
        }
        _ => Err(EventError::Malformed("it must have the headers `:date` and `:chunk-signature`, and no other")),
    }
}

/// The `:date` header of an instant.
pub(super) fn date_header(date_ms: i64) -> Vec<u8> {
    [DATE_NAME, &date_ms.to_be_bytes()].concat()
}

/// A signed message, without its payload: what comes before it, and what comes behind it.
pub(super) fn around(date_header: &[u8], signature: [u8; 32], payload: &[u8]) -> Option<(Vec<u8>, [u8; 4])> {
    let total = u32::try_from(OVERHEAD_BYTES + payload.len()).ok()?;
    let headers = u32::try_from(HEADERS_BYTES).ok()?;
    let mut before = Vec::with_capacity(PRELUDE_BYTES + HEADERS_BYTES);
    before.extend_from_slice(&total.to_be_bytes());
    before.extend_from_slice(&headers.to_be_bytes());
    let crc = crc32(&before);
    before.extend_from_slice(&crc);
    before.extend_from_slice(date_header);
    before.extend_from_slice(SIGNATURE_NAME);
    before.extend_from_slice(&signature);
    let mut digest = Digest::new(CrcAlgorithm::Crc32IsoHdlc);
    digest.update(&before);
    digest.update(payload);
    let [.., a, b, c, d] = digest.finalize().to_be_bytes();
    Some((before, [a, b, c, d]))
}
