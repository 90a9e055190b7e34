//! Checksums of parts, put together to the checksum of the whole.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use hallpass_core::sigv4::checksum::ChecksumAlgorithm;

use crate::client::ObjectHead;

/// The checksum of two pieces that follow each other, from theirs; `None` for an algorithm that cannot do that.
pub(crate) fn joined(algorithm: ChecksumAlgorithm, first: &str, second: &str, second_length: u64) -> Option<String> {
    let (crc, bytes) = match algorithm {
        ChecksumAlgorithm::Crc32 => (CrcAlgorithm::Crc32IsoHdlc, 4),
        ChecksumAlgorithm::Crc32c => (CrcAlgorithm::Crc32Iscsi, 4),
        ChecksumAlgorithm::Crc64Nvme => (CrcAlgorithm::Crc64Nvme, 8),
        _ => return None,
    };
    let sum = crc_fast::checksum_combine(crc, number(first, bytes)?, number(second, bytes)?, second_length);
    Some(STANDARD.encode(sum.to_be_bytes().get(8 - bytes..)?))
}

/// The checksum of all parts in order: theirs, and their lengths.
pub(crate) fn of_parts<'a>(
    algorithm: ChecksumAlgorithm,
    parts: impl Iterator<Item = (Option<&'a str>, u64)>,
) -> Option<String> {
    let mut whole: Option<String> = None;
    for (sum, length) in parts {
        whole = Some(match whole {
            None => sum?.to_owned(),
            Some(before) => joined(algorithm, &before, sum?, length)?,
        });
    }
    whole
}

fn number(base64: &str, bytes: usize) -> Option<u64> {
    let decoded = STANDARD.decode(base64).ok().filter(|decoded| decoded.len() == bytes)?;
    Some(decoded.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// What a download can be held to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Promise {
    pub(crate) algorithm: ChecksumAlgorithm,
    /// Base64.
    pub(crate) sum: String,
}

impl Promise {
    /// The cheapest checksum of the whole object that the store gives; `None`: it gives none.
    pub(crate) fn of(head: &ObjectHead) -> Option<Self> {
        use ChecksumAlgorithm::{Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
        let known =
            [("crc64nvme", Crc64Nvme), ("crc32", Crc32), ("crc32c", Crc32c), ("sha256", Sha256), ("sha1", Sha1)];
        for (name, algorithm) in known {
            if let Some((_, sum)) = head.checksums.iter().find(|(other, _)| other == name) {
                return Some(Self { algorithm, sum: sum.clone() });
            }
        }
        let md5 = hex::decode(head.md5()?).ok()?;
        Some(Self { algorithm: Md5, sum: STANDARD.encode(md5) })
    }

    /// Whether the checksums of ranges can be put together to this one.
    pub(crate) fn joins(&self) -> bool {
        matches!(self.algorithm, ChecksumAlgorithm::Crc32 | ChecksumAlgorithm::Crc32c | ChecksumAlgorithm::Crc64Nvme)
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::sigv4::checksum::{Checksum, ChecksumAlgorithm};

    use super::{joined, of_parts};

    fn sum(algorithm: ChecksumAlgorithm, bytes: &[u8]) -> String {
        let mut checksum = Checksum::new(algorithm).expect("known");
        checksum.update(bytes);
        checksum.finish()
    }

    #[test]
    fn the_checksums_of_parts_make_that_of_the_whole() {
        for algorithm in [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Crc32c, ChecksumAlgorithm::Crc64Nvme] {
            let parts = [b"12345".as_slice(), b"", b"67", b"89"];
            let sums: Vec<_> = parts.iter().map(|part| sum(algorithm, part)).collect();
            let each = sums.iter().zip(parts).map(|(sum, part)| (Some(sum.as_str()), part.len() as u64));
            assert_eq!(of_parts(algorithm, each), Some(sum(algorithm, b"123456789")), "{algorithm:?}");
        }
        assert_eq!(joined(ChecksumAlgorithm::Sha256, "", "", 1), None);
        assert_eq!(joined(ChecksumAlgorithm::Crc32, "AAAA", "AAAA", 1), None);
    }
}
