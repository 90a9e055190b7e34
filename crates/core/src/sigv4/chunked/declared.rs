//! What the request's (signed) headers announce about its chunked body.

use super::{ChunkError, ChunkMode};
use crate::limits::CHUNK_TRAILERS_MAX;
use crate::sigv4::checksum::ChecksumAlgorithm;
use crate::sigv4::request::Parts;

/// The announced body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// How the body is covered.
    pub mode: ChunkMode,
    /// `x-amz-decoded-content-length`.
    pub decoded_length: u64,
    /// `x-amz-trailer`, lower case.
    pub trailers: Vec<String>,
}

impl Declared {
    /// Reads `x-amz-decoded-content-length` and `x-amz-trailer`.
    ///
    /// # Errors
    /// [`ChunkError::DecodedLength`] and [`ChunkError::TrailerHeader`]: a trailer mode must announce its trailers,
    /// the other must not have any, and only checksums are taken.
    pub fn of(parts: &Parts<'_>, mode: ChunkMode) -> Result<Self, ChunkError> {
        let length = parts.header("x-amz-decoded-content-length").ok_or(ChunkError::DecodedLength)?;
        if length.is_empty() || !length.iter().all(u8::is_ascii_digit) {
            return Err(ChunkError::DecodedLength);
        }
        let decoded_length =
            str::from_utf8(length).ok().and_then(|text| text.parse().ok()).ok_or(ChunkError::DecodedLength)?;
        let trailers = match (parts.header("x-amz-trailer"), mode) {
            (None, ChunkMode::Signed) => Vec::new(),
            (None, ChunkMode::SignedTrailer | ChunkMode::UnsignedTrailer) | (Some(_), ChunkMode::Signed) => {
                return Err(ChunkError::TrailerHeader);
            }
            (Some(value), ChunkMode::SignedTrailer | ChunkMode::UnsignedTrailer) => trailer_names(value)?,
        };
        Ok(Self { mode, decoded_length, trailers })
    }
}

fn trailer_names(value: &[u8]) -> Result<Vec<String>, ChunkError> {
    let text = str::from_utf8(value).map_err(|_| ChunkError::TrailerHeader)?;
    let mut names: Vec<String> = Vec::new();
    for name in text.split(',') {
        let name = name.trim_matches(' ').to_ascii_lowercase();
        // Anything else in an unsigned trailer would be an unsigned header.
        let legal = ChecksumAlgorithm::of_header(&name).is_some();
        if !legal || names.contains(&name) || names.len() == CHUNK_TRAILERS_MAX {
            return Err(ChunkError::TrailerHeader);
        }
        names.push(name);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::trailer_names;
    use crate::limits::CHUNK_TRAILERS_MAX;

    #[test]
    fn a_body_announces_no_more_trailers_than_the_limit() {
        let known = ["crc32", "crc32c", "crc64nvme", "md5", "sha1", "sha256", "sha512", "xxhash3", "xxhash64"];
        let names = |count: usize| known.map(|n| format!("x-amz-checksum-{n}"))[..count].join(",");
        assert!(trailer_names(names(CHUNK_TRAILERS_MAX).as_bytes()).is_ok());
        assert!(trailer_names(names(CHUNK_TRAILERS_MAX + 1).as_bytes()).is_err());
    }
}
