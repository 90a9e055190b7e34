//! Identifiers that reach a path, an ARN, a header or a terminal: a closed alphabet, checked once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits::SESSION_ID_BYTES_MAX;

/// A session's identifier: 1 to 64 of `A-Z a-z 0-9 - _`. Ours are UUIDv4 texts, whose first eight characters
/// are random (a UUIDv7 begins with the time, and two sessions of one minute would share their short id).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionId(String);

/// The text is not a session id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a session id (1 to 64 letters, digits, `-` or `_`)")]
pub struct SessionIdError(String);

impl SessionId {
    /// Checks and takes the text.
    pub fn new(text: impl Into<String>) -> Result<Self, SessionIdError> {
        let text = text.into();
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if text.is_empty() || text.len() > SESSION_ID_BYTES_MAX || !text.bytes().all(legal) {
            let shown = text.chars().filter(|c| !c.is_control()).take(SESSION_ID_BYTES_MAX).collect();
            return Err(SessionIdError(shown));
        }
        Ok(Self(text))
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight characters, or the whole id if it is shorter.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SessionId {
    type Err = SessionIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl TryFrom<String> for SessionId {
    type Error = SessionIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::SessionId;
    use crate::limits::SESSION_ID_BYTES_MAX;

    #[test]
    fn an_id_is_never_a_path_and_never_multibyte() {
        for bad in ["", "../../etc/passwd", "a/b", "a b", "ä", "a\n", "%2e", &"x".repeat(SESSION_ID_BYTES_MAX + 1)] {
            assert!(SessionId::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(SessionId::new("abc").expect("legal").short(), "abc");
        assert_eq!(SessionId::new("0123456789").expect("legal").short(), "01234567");
    }
}
