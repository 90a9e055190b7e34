//! The checksums that S3 uploads carry in their trailers and headers.
//!
//! Source: "Checking object integrity for data uploads in Amazon S3" (Amazon S3 User Guide); `ChecksumAlgorithm`
//! (Amazon S3 API Reference).

mod announced;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

pub use announced::{AnnouncedChecksums, ChecksumError};

/// What every name of a checksum header begins with.
pub const CHECKSUM_PREFIX: &str = "x-amz-checksum-";

/// A checksum algorithm of S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChecksumAlgorithm {
    /// CRC-32 (ISO-HDLC), as zip and Ethernet have it.
    Crc32,
    /// CRC-32C (Castagnoli), as iSCSI has it.
    Crc32c,
    /// CRC-64/NVME.
    Crc64Nvme,
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// XXH3, 64 and 128 bits, and XXH64: known by name, and verified by the store only.
    XxHash,
}

impl ChecksumAlgorithm {
    /// The algorithm of a header or trailer, whose name is in lower case.
    pub fn of_header(name: &str) -> Option<Self> {
        Some(match name.strip_prefix(CHECKSUM_PREFIX)? {
            "crc32" => Self::Crc32,
            "crc32c" => Self::Crc32c,
            "crc64nvme" => Self::Crc64Nvme,
            "md5" => Self::Md5,
            "sha1" => Self::Sha1,
            "sha256" => Self::Sha256,
            "sha512" => Self::Sha512,
            "xxhash3" | "xxhash64" | "xxhash128" => Self::XxHash,
            _ => return None,
        })
    }

    /// Length of the checksum, bytes; 0 where it differs within the family.
    fn checksum_bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
            Self::XxHash => 0,
        }
    }
}

/// A checksum over bytes as they pass.
#[derive(Clone)]
pub struct Checksum(State);

#[derive(Clone)]
enum State {
    Crc32(crc_fast::Digest),
    Crc64(crc_fast::Digest),
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Sha512),
}

impl std::fmt::Debug for Checksum {
    /// Not its state: that tells something about the client's data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Checksum")
    }
}

impl Checksum {
    /// A checksum of nothing yet; `None` for an algorithm that only the store verifies.
    pub fn new(algorithm: ChecksumAlgorithm) -> Option<Self> {
        Some(Self(match algorithm {
            ChecksumAlgorithm::Crc32 => State::Crc32(crc_fast::Digest::new(CrcAlgorithm::Crc32IsoHdlc)),
            ChecksumAlgorithm::Crc32c => State::Crc32(crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi)),
            ChecksumAlgorithm::Crc64Nvme => State::Crc64(crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme)),
            ChecksumAlgorithm::Md5 => State::Md5(Md5::new()),
            ChecksumAlgorithm::Sha1 => State::Sha1(Sha1::new()),
            ChecksumAlgorithm::Sha256 => State::Sha256(Sha256::new()),
            ChecksumAlgorithm::Sha512 => State::Sha512(Sha512::new()),
            ChecksumAlgorithm::XxHash => return None,
        }))
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Crc32(digest) | State::Crc64(digest) => digest.update(bytes),
            State::Md5(digest) => digest.update(bytes),
            State::Sha1(digest) => digest.update(bytes),
            State::Sha256(digest) => digest.update(bytes),
            State::Sha512(digest) => digest.update(bytes),
        }
    }

    /// The checksum as a header has it: base64 of its bytes, the most significant first.
    pub fn finish(self) -> String {
        match self.0 {
            // A digest of 32 bits has nothing in its upper half.
            State::Crc32(digest) => STANDARD.encode(&digest.finalize().to_be_bytes()[4..]),
            State::Crc64(digest) => STANDARD.encode(digest.finalize().to_be_bytes()),
            State::Md5(digest) => STANDARD.encode(digest.finalize()),
            State::Sha1(digest) => STANDARD.encode(digest.finalize()),
            State::Sha256(digest) => STANDARD.encode(digest.finalize()),
            State::Sha512(digest) => STANDARD.encode(digest.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Checksum, ChecksumAlgorithm};

    /// Check values of "123456789": the catalogue of parametrised CRC algorithms (reveng), RFC 1321, FIPS 180-4.
    #[test]
    fn every_algorithm_has_its_published_check_value() {
        let expected = [
            ("x-amz-checksum-crc32", "cbf43926"),
            ("x-amz-checksum-crc32c", "e3069283"),
            ("x-amz-checksum-crc64nvme", "ae8b14860a799888"),
            ("x-amz-checksum-md5", "25f9e794323b453885f5181f1b624d0b"),
            ("x-amz-checksum-sha1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            ("x-amz-checksum-sha256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
            (
                "x-amz-checksum-sha512",
                "d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274ad27fcd5811b313d681f7e55ec02d73d499c954\
                 55b6b5bb503acf574fba8ffe85",
            ),
        ];
        for (name, hex) in expected {
            let mut checksum = Checksum::new(ChecksumAlgorithm::of_header(name).expect(name)).expect(name);
            checksum.update(b"12345");
            checksum.update(b"6789");
            let bytes = hex::decode(hex).expect("hex");
            let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
            assert_eq!(checksum.finish(), text, "{name}");
        }
    }

    #[test]
    fn an_algorithm_that_nobody_published_is_unknown() {
        assert_eq!(ChecksumAlgorithm::of_header("x-amz-checksum-crc31"), None);
        assert_eq!(ChecksumAlgorithm::of_header("x-amz-meta-crc32"), None);
        assert!(Checksum::new(ChecksumAlgorithm::of_header("x-amz-checksum-xxhash3").expect("known")).is_none());
    }
}
