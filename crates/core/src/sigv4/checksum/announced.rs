//! Checksums that a request's headers announce for its body, verified while the body streams past.
//!
//! Source: "Checking object integrity for data uploads in Amazon S3" (Amazon S3 User Guide); RFC 1864 for Content-MD5.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Checksum, ChecksumAlgorithm};
use crate::denial::DenialCode;

/// A body's checksums, as its headers have them. Hold back the last bytes until [`Self::finish`] has said yes.
#[derive(Debug)]
pub struct AnnouncedChecksums(Vec<Announced>);

#[derive(Debug)]
struct Announced {
    header: String,
    expected: String,
    running: Checksum,
}

/// Why a body is not the one that its checksum headers announce.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChecksumError {
    /// The value cannot be a checksum of its algorithm.
    #[error("the header `{header}` is not a checksum: send {bytes} bytes as base64")]
    Malformed {
        /// Its name.
        header: String,
        /// Length of the algorithm's checksum, bytes.
        bytes: usize,
    },
    /// The body has another checksum.
    #[error("the body does not have the checksum in its `{0}` header: it was changed on its way, send it again")]
    Mismatch(String),
}

impl ChecksumError {
    /// The stable code of this refusal.
    pub fn code(&self) -> DenialCode {
        match self {
            Self::Malformed { .. } => DenialCode::Malformed,
            Self::Mismatch(_) => DenialCode::BodyMismatch,
        }
    }
}

impl AnnouncedChecksums {
    /// Reads `content-md5` and `x-amz-checksum-ALGORITHM` of an operation whose headers mean *its own* body (names in
    /// lower case). XXHash is passed over: only the store knows it.
    ///
    /// # Errors
    /// [`ChecksumError::Malformed`] for a value that no body can have.
    pub fn of(headers: &[(&str, &[u8])]) -> Result<Self, ChecksumError> {
        let mut all = Vec::new();
        for (name, value) in headers {
            let algorithm = match *name {
                "content-md5" => Some(ChecksumAlgorithm::Md5),
                name => ChecksumAlgorithm::of_header(name),
            };
            let Some((algorithm, running)) = algorithm.and_then(|a| Some((a, Checksum::new(a)?))) else { continue };
            let bytes = algorithm.checksum_bytes();
            let expected = str::from_utf8(value).ok().map(str::trim).filter(|text| is_base64_of(text, bytes));
            let malformed = || ChecksumError::Malformed { header: (*name).to_owned(), bytes };
            let expected = expected.ok_or_else(malformed)?.to_owned();
            all.push(Announced { header: (*name).to_owned(), expected, running });
        }
        Ok(Self(all))
    }

    /// True when no header announces a checksum that can be verified here.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.iter_mut().for_each(|announced| announced.running.update(bytes));
    }

    /// The body is complete.
    ///
    /// # Errors
    /// [`ChecksumError::Mismatch`] with the first header that is not the body's.
    pub fn finish(self) -> Result<(), ChecksumError> {
        for Announced { header, expected, running } in self.0 {
            if running.finish() != expected {
                return Err(ChecksumError::Mismatch(header));
            }
        }
        Ok(())
    }
}

/// Exactly one text stands for the bytes: what compares equal here cannot be read as something else elsewhere.
fn is_base64_of(text: &str, bytes: usize) -> bool {
    STANDARD.decode(text).is_ok_and(|decoded| decoded.len() == bytes)
}

#[cfg(test)]
mod tests {
    use super::{AnnouncedChecksums, ChecksumError};
    use crate::denial::DenialCode;

    const OF_123456789: [(&str, &str); 6] = [
        ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw=="),
        ("x-amz-checksum-crc32", "y/Q5Jg=="),
        ("x-amz-checksum-crc32c", "4waSgw=="),
        ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
        ("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
        ("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
    ];

    fn of(name: &str, value: &str) -> Result<AnnouncedChecksums, ChecksumError> {
        AnnouncedChecksums::of(&[("content-type", b"x"), (name, value.as_bytes())])
    }

    #[test]
    fn a_body_is_the_one_that_was_announced_or_it_is_refused() {
        for (name, value) in OF_123456789 {
            for (body, right) in [("123456789", true), ("123456788", false), ("12345678", false), ("", false)] {
                let mut announced = of(name, value).expect(name);
                assert!(!announced.is_empty(), "{name}");
                body.as_bytes().chunks(4).for_each(|piece| announced.update(piece));
                let finished = announced.finish();
                let expected = if right { Ok(()) } else { Err(ChecksumError::Mismatch(name.to_owned())) };
                assert_eq!(finished, expected, "{name} of {body:?}");
            }
        }
        assert_eq!(ChecksumError::Mismatch(String::new()).code(), DenialCode::BodyMismatch);
    }

    #[test]
    fn every_announced_checksum_must_be_right_and_not_only_one() {
        let mut announced = AnnouncedChecksums::of(&[
            ("x-amz-checksum-crc32", b"y/Q5Jg=="),
            ("content-md5", b"AAAAAAAAAAAAAAAAAAAAAA=="),
        ])
        .expect("legal");
        announced.update(b"123456789");
        assert_eq!(announced.finish(), Err(ChecksumError::Mismatch("content-md5".into())));
    }

    #[test]
    fn a_value_that_no_body_can_have_is_refused_before_the_body_is_read() {
        for (name, value) in [
            ("content-md5", ""),
            ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw"),
            ("content-md5", "JfnnlDI7RTiF9RgfG2JNCx=="),
            ("x-amz-checksum-crc32", "y/Q5Jg==, y/Q5Jg=="),
            ("x-amz-checksum-crc32", "cbf43926"),
            ("x-amz-checksum-sha256", "y/Q5Jg=="),
            ("x-amz-checksum-crc64nvme", "\u{e4}"),
        ] {
            let error = of(name, value).expect_err(value);
            assert_eq!(error.code(), DenialCode::Malformed, "{name}: {value}");
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn headers_that_only_speak_of_checksums_announce_none() {
        for name in ["x-amz-checksum-algorithm", "x-amz-checksum-type", "x-amz-checksum-mode", "x-amz-checksum-xxhash3"]
        {
            assert!(of(name, "CRC32").expect(name).is_empty(), "{name}");
        }
    }
}
