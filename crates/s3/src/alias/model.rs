//! What an alias is.

use std::fmt;

use hallpass_core::secret::Secret;
use serde::Deserialize;

use super::CredentialsSource;

/// How bucket names get into the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Addressing {
    /// Virtual hosts for AWS, paths for everyone else.
    #[default]
    Auto,
    /// `https://host/bucket/key`.
    Path,
    /// `https://bucket.host/key`.
    VirtualHost,
}

impl Addressing {
    /// The word for files and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Path => "path",
            Self::VirtualHost => "virtual-host",
        }
    }
}

/// A named store with what signs for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Alias {
    /// `[A-Za-z0-9_-]{1,64}`, starts with a letter or digit.
    pub name: String,
    /// `http://` or `https://`, host, port; no path, no user, no query.
    pub endpoint: String,
    /// Signing region.
    pub region: String,
    /// How bucket names get into the URL.
    pub addressing: Addressing,
    /// Where the credentials come from.
    pub credentials: CredentialsSource,
}

impl fmt::Debug for Alias {
    /// Every secret is a [`Secret`], which prints as `***REDACTED***`; written out so that a new field is looked at.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alias")
            .field("name", &self.name)
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("addressing", &self.addressing)
            .field("credentials", &self.credentials)
            .finish()
    }
}

impl Alias {
    /// The session token, if the alias holds one itself.
    pub fn session_token(&self) -> Option<&Secret> {
        match &self.credentials {
            CredentialsSource::Static(credentials) => credentials.session_token.as_ref(),
            _ => None,
        }
    }
}
