//! The only place where secret bytes may live.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// A secret string: no `Display`, no `Serialize`, wiped from memory when its last clone is dropped. Clones share the
/// bytes, so that they lie in one place, and a request does not copy them.
///
/// [`Secret::expose`] is called only in the rooms that sign, sign in or deliver; a test greps for it.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes ownership of secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(Zeroizing::new(text.into())))
    }

    /// The secret itself. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Length in bytes; public, because it is not the secret.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there is no secret at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***REDACTED***")
    }
}

impl PartialEq for Secret {
    /// Constant time for equal lengths.
    fn eq(&self, other: &Self) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.as_bytes(), other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_never_shows_itself_in_debug_output() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?}"), "***REDACTED***");
        assert_eq!(format!("{:?}", Some(&secret)), "Some(***REDACTED***)");
    }
}
