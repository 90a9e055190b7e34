//! What the child holds instead of a credential.

use hallpass_core::secret::Secret;

/// Begins every placeholder's access key id: shaped like a temporary AWS key, and visibly ours.
const ID_PREFIX: &str = "ASIAHALLPASS";
/// Begins every placeholder's session token.
const TOKEN_PREFIX: &str = "hallpass-placeholder.";
/// Characters after [`ID_PREFIX`], so that the id has the 20 characters of an AWS one.
const ID_RANDOM_CHARS: usize = 8;
/// Length of an AWS secret key. 40 characters of 6 bits are 240 bits.
const SECRET_CHARS: usize = 40;
/// Random characters of the token: 43 of 6 bits are 258 bits.
const TOKEN_CHARS: usize = 43;

/// RFC 4648 base 32, the alphabet of AWS access key ids.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Base 64 for URLs: no character of it needs quoting in a shell, a file or a query.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The per-session stand-in: worth one session at its own gate, and nothing anywhere else.
#[derive(Debug, Clone)]
pub struct Placeholder {
    /// `ASIAHALLPASS` and eight characters of `A-Z2-7`.
    pub access_key_id: String,
    /// 40 characters.
    pub secret_access_key: Secret,
    /// `hallpass-placeholder.` and at least 256 bits.
    pub session_token: Secret,
}

/// The operating system gave no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no randomness, so no session can be made")]
pub struct RandomnessError;

impl Placeholder {
    /// A fresh one.
    ///
    /// # Errors
    /// [`RandomnessError`] when the system's generator fails.
    pub fn generate() -> Result<Self, RandomnessError> {
        Ok(Self {
            access_key_id: text(ID_PREFIX, ID_RANDOM_CHARS, BASE32)?,
            secret_access_key: Secret::new(text("", SECRET_CHARS, BASE64)?),
            session_token: Secret::new(text(TOKEN_PREFIX, TOKEN_CHARS, BASE64)?),
        })
    }
}

/// The path under which a session's services are reached: 258 bits that no page and no other user can guess.
pub(super) fn prefix() -> Result<Secret, RandomnessError> {
    text("/", TOKEN_CHARS, BASE64).map(Secret::new)
}

/// The password of a session's proxy: 258 bits, no character that a URL would escape.
pub(super) fn password() -> Result<Secret, RandomnessError> {
    text("", TOKEN_CHARS, BASE64).map(Secret::new)
}

/// `prefix` and `count` random characters. The alphabet's size divides 256, so every character is equally likely.
fn text<const N: usize>(prefix: &str, count: usize, alphabet: &[u8; N]) -> Result<String, RandomnessError> {
    const { assert!(256 % N == 0, "a character would be more likely than another") };
    let mut bytes = [0_u8; TOKEN_CHARS];
    let bytes = bytes.get_mut(..count).ok_or(RandomnessError)?;
    getrandom::fill(bytes).map_err(|_| RandomnessError)?;
    let mut out = String::with_capacity(prefix.len() + count);
    out.push_str(prefix);
    out.extend(bytes.iter().map(|b| char::from(alphabet[usize::from(*b) % N])));
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Placeholder;

    #[test]
    fn a_placeholder_is_shaped_like_an_aws_credential_and_visibly_ours() {
        let one = Placeholder::generate().expect("randomness");
        assert_eq!(one.access_key_id.len(), 20);
        let tail = one.access_key_id.strip_prefix("ASIAHALLPASS").expect("ours");
        assert!(tail.bytes().all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b)), "{tail}");
        assert_eq!(one.secret_access_key.len(), 40);
        let random = one.session_token.expose().strip_prefix("hallpass-placeholder.").expect("ours");
        assert!(random.len() * 6 >= 256);
    }

    #[test]
    fn no_two_placeholders_share_a_part() {
        let all: Vec<_> = (0..64).map(|_| Placeholder::generate().expect("randomness")).collect();
        let ids: HashSet<_> = all.iter().map(|p| p.access_key_id.clone()).collect();
        let secrets: HashSet<_> = all.iter().map(|p| p.secret_access_key.expose().to_owned()).collect();
        let tokens: HashSet<_> = all.iter().map(|p| p.session_token.expose().to_owned()).collect();
        assert_eq!((ids.len(), secrets.len(), tokens.len()), (64, 64, 64));
    }

    #[test]
    fn a_placeholder_shows_no_secret_in_debug_output() {
        let one = Placeholder::generate().expect("randomness");
        let shown = format!("{one:?}");
        assert!(!shown.contains(one.secret_access_key.expose()) && !shown.contains(one.session_token.expose()));
    }
}
