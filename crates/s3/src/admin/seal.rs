//! How MinIO's admin API hides bodies: a key from the caller's secret key, then fragments under an AEAD.
//!
//! ```text
//! salt (32) | algorithm (1) | nonce (8) | fragments of 16 KiB, each with its tag (16)
//! ```
//!
//! The key is Argon2id (RFC 9106; 1 pass, 64 MiB, 4 lanes) of the secret key, or PBKDF2-HMAC-SHA-256 (8,192 rounds) where
//! the server is a FIPS build. A fragment's nonce is the stream's followed by its number (32 bits, little endian) from 1
//! on. Its associated data is one byte, 0x80 for the last fragment and 0 before, and the tag of an empty message sealed
//! as number 0. So nothing can be left out, doubled, moved or cut off.
//!
//! Sources: `madmin-go` (`encrypt.go`: layout, parameters), `secure-io/sio-go` (`sio.go`, `writer.go`: fragments).

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::pbkdf2;
use hallpass_core::secret::Secret;
use zeroize::Zeroizing;

use crate::error::{Answer, ErrorKind, S3Error};

const SALT_BYTES: usize = 32;
const NONCE_BYTES: usize = 8;
const HEAD_BYTES: usize = SALT_BYTES + 1 + NONCE_BYTES;
const TAG_BYTES: usize = 16;
const FRAGMENT_BYTES: usize = 16 * 1024;
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 1;
const LANES: u32 = 4;
const ROUNDS: std::num::NonZeroU32 = std::num::NonZeroU32::new(8_192).expect("not zero");

/// Key derivation and cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suite {
    Argon2idAes,
    Argon2idChaCha,
    Pbkdf2Aes,
}

impl Suite {
    fn of(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Argon2idAes),
            1 => Some(Self::Argon2idChaCha),
            2 => Some(Self::Pbkdf2Aes),
            _ => None,
        }
    }

    fn stream(self, secret: &Secret, salt: &[u8], nonce: [u8; NONCE_BYTES]) -> Option<Stream> {
        let mut key = Zeroizing::new([0; 32]);
        match self {
            Self::Argon2idAes | Self::Argon2idChaCha => {
                let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(key.len())).ok()?;
                let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
                argon.hash_password_into(secret.expose().as_bytes(), salt, &mut *key).ok()?;
            }
            Self::Pbkdf2Aes => {
                pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, salt, secret.expose().as_bytes(), &mut *key);
            }
        }
        let algorithm = if self == Self::Argon2idChaCha { &CHACHA20_POLY1305 } else { &AES_256_GCM };
        Stream::new(LessSafeKey::new(UnboundKey::new(algorithm, &*key).ok()?), nonce)
    }
}

/// The fragments of one body.
struct Stream {
    key: LessSafeKey,
    nonce: [u8; NONCE_BYTES],
    associated: [u8; 1 + TAG_BYTES],
}

impl Stream {
    fn new(key: LessSafeKey, nonce: [u8; NONCE_BYTES]) -> Option<Self> {
        let mut stream = Self { key, nonce, associated: [0; 1 + TAG_BYTES] };
        let tag = stream.key.seal_in_place_separate_tag(stream.nonce_of(0), Aad::empty(), &mut []).ok()?;
        stream.associated.get_mut(1..)?.copy_from_slice(tag.as_ref());
        Some(stream)
    }

    fn nonce_of(&self, number: u32) -> Nonce {
        let mut nonce = [0; 12];
        let (stream, counter) = nonce.split_at_mut(NONCE_BYTES);
        stream.copy_from_slice(&self.nonce);
        counter.copy_from_slice(&number.to_le_bytes());
        Nonce::assume_unique_for_key(nonce)
    }

    fn associated(&self, is_last: bool) -> Aad<[u8; 1 + TAG_BYTES]> {
        let mut associated = self.associated;
        associated[0] = if is_last { 0x80 } else { 0 };
        Aad::from(associated)
    }
}

/// Hides `plain`. `random`: 40 fresh random bytes.
///
/// # Errors
/// When the key cannot be derived, which takes 64 MiB of memory.
pub(crate) fn seal(secret: &Secret, plain: &[u8], random: [u8; SALT_BYTES + NONCE_BYTES]) -> Result<Vec<u8>, S3Error> {
    sealed(Suite::Argon2idAes, secret, plain, random).ok_or_else(|| unsealed("the body cannot be encrypted"))
}

fn sealed(suite: Suite, secret: &Secret, plain: &[u8], random: [u8; SALT_BYTES + NONCE_BYTES]) -> Option<Vec<u8>> {
    let (salt, nonce) = random.split_at(SALT_BYTES);
    let stream = suite.stream(secret, salt, nonce.try_into().ok()?)?;
    let mut out = Vec::with_capacity(HEAD_BYTES + plain.len() + (plain.len() / FRAGMENT_BYTES + 1) * TAG_BYTES);
    out.extend_from_slice(salt);
    out.push(suite as u8);
    out.extend_from_slice(nonce);
    let mut rest = plain;
    for number in 1..=u32::MAX {
        let (fragment, after) = rest.split_at(rest.len().min(FRAGMENT_BYTES));
        let begin = out.len();
        out.extend_from_slice(fragment);
        let (nonce, associated) = (stream.nonce_of(number), stream.associated(after.is_empty()));
        let tag = stream.key.seal_in_place_separate_tag(nonce, associated, out.get_mut(begin..)?).ok()?;
        out.extend_from_slice(tag.as_ref());
        if after.is_empty() {
            return Some(out);
        }
        rest = after;
    }
    None
}

/// Reads what a server has hidden.
///
/// # Errors
/// [`S3Error::Integrity`]: it was changed on the way, hidden under another secret key, or not hidden at all.
pub(crate) fn open(secret: &Secret, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, S3Error> {
    opened(secret, sealed).ok_or_else(|| {
        S3Error::Integrity(
            "the store's answer is not encrypted with the secret key of the alias, or was changed".into(),
        )
    })
}

fn opened(secret: &Secret, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (head, mut rest) = sealed.split_at_checked(HEAD_BYTES)?;
    let (salt, after) = head.split_at(SALT_BYTES);
    let (suite, nonce) = after.split_first()?;
    let stream = Suite::of(*suite)?.stream(secret, salt, nonce.try_into().ok()?)?;
    let mut out = Zeroizing::new(Vec::with_capacity(rest.len()));
    for number in 1..=u32::MAX {
        let (fragment, after) = rest.split_at(rest.len().min(FRAGMENT_BYTES + TAG_BYTES));
        let mut fragment = Zeroizing::new(fragment.to_vec());
        let (nonce, associated) = (stream.nonce_of(number), stream.associated(after.is_empty()));
        out.extend_from_slice(stream.key.open_in_place(nonce, associated, &mut fragment).ok()?);
        if after.is_empty() {
            return Some(out);
        }
        rest = after;
    }
    None
}

fn unsealed(message: &str) -> S3Error {
    let (code, message) = ("admin_encryption".to_owned(), message.to_owned());
    S3Error::Store(ErrorKind::General, Answer { code, message, status: None, retryable: false })
}

#[cfg(test)]
mod tests {
    use hallpass_core::secret::Secret;

    use super::{FRAGMENT_BYTES, HEAD_BYTES, Suite, TAG_BYTES, open, seal, sealed};

    const RANDOM: [u8; 40] = [7; 40];

    fn secret() -> Secret {
        Secret::new("secret of the alias")
    }

    #[test]
    fn what_another_implementation_sealed_is_opened() {
        // Interoperability vectors of madmin-go's own tests: an empty body without a password, and 32 zero bytes.
        let vectors = [
            (
                "",
                "828aa81599df0651c0461adb82283e8b89956baee9f6e719947ef9cddc849028001dc9d3ac0938f66b07bacc9751437e1985f8a976\
                 3c240e81",
                0,
            ),
            (
                r#"xPl.8/rhR"Q_1xLt"#,
                "b5c016e93b84b473fc8a37af94936563630c36d6df1841d23a86ee51ca161f9e00ac19116b32f643ff6a56a212b265d8c56195bb0d\
                 12ce199e13dfdc5272f80c1564da2c6fc2fa18da91d8062de02af5cdafea491c6f3cae1f",
                32,
            ),
        ];
        for (password, hex, length) in vectors {
            let opened = open(&Secret::new(password), &hex::decode(hex).expect("hex")).expect("opened");
            assert_eq!(*opened, vec![0; length]);
        }
    }

    #[test]
    fn a_body_of_any_length_comes_back() {
        for length in [0, 1, FRAGMENT_BYTES - 1, FRAGMENT_BYTES, FRAGMENT_BYTES + 1, 2 * FRAGMENT_BYTES] {
            let plain: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let sealed = seal(&secret(), &plain, RANDOM).expect("sealed");
            assert_eq!(sealed.len(), HEAD_BYTES + length + length.div_ceil(FRAGMENT_BYTES).max(1) * TAG_BYTES);
            assert_eq!(*open(&secret(), &sealed).expect("opened"), plain, "{length}");
        }
    }

    #[test]
    fn every_suite_of_a_server_is_read() {
        for suite in [Suite::Argon2idAes, Suite::Argon2idChaCha, Suite::Pbkdf2Aes] {
            let sealed = sealed(suite, &secret(), b"users", RANDOM).expect("sealed");
            assert_eq!(**open(&secret(), &sealed).expect("opened"), *b"users", "{suite:?}");
        }
    }

    #[test]
    fn what_was_changed_cut_moved_or_sealed_under_another_key_is_refused() {
        let plain = vec![1; 2 * FRAGMENT_BYTES + 5];
        let good = sealed(Suite::Pbkdf2Aes, &secret(), &plain, RANDOM).expect("sealed");
        let whole = FRAGMENT_BYTES + TAG_BYTES;
        let mut swapped = good.clone();
        swapped[HEAD_BYTES..HEAD_BYTES + 2 * whole].rotate_left(whole);
        let without_first = [&good[..HEAD_BYTES], &good[HEAD_BYTES + whole..]].concat();
        for bad in [&good[..HEAD_BYTES + whole], &good[..good.len() - 1], &good[..40], b"", &swapped, &without_first] {
            assert!(open(&secret(), bad).is_err(), "{} bytes", bad.len());
        }
        for at in [0, 32, 33, HEAD_BYTES, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(open(&secret(), &bad).is_err(), "byte {at}");
        }
        assert!(open(&Secret::new("another"), &good).is_err());
        assert!(
            open(&secret(), br#"{"user":{"status":"enabled"},"padding":"of an answer that is not encrypted"}"#)
                .is_err()
        );
    }
}
