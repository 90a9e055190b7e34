//! How a session is handed to the child.

use serde::{Deserialize, Serialize};

/// One way of handing a session over. The file that does it is `hallpass/src/deliver/<kind>.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Placeholder keys and `AWS_ENDPOINT_URL`; every request passes the gate. The default.
    #[default]
    Proxy,
    /// The real short-lived credential in environment variables.
    Env,
    /// The real short-lived credential in a private shared-credentials file.
    File,
    /// The container-credentials protocol on loopback, from which SDKs refresh by themselves.
    CredentialEndpoint,
}

impl Delivery {
    /// Every kind, in the order shown to people.
    pub const ALL: [Self; 4] = [Self::Proxy, Self::Env, Self::File, Self::CredentialEndpoint];

    /// The name on the command line, in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Env => "env",
            Self::File => "file",
            Self::CredentialEndpoint => "credential-endpoint",
        }
    }

    /// True when the real credential leaves the gate, so that only the cloud can enforce its scope.
    pub fn exposes_real_credential(self) -> bool {
        match self {
            Self::Proxy => false,
            Self::Env | Self::File | Self::CredentialEndpoint => true,
        }
    }
}

impl std::str::FromStr for Delivery {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a delivery (proxy, env, file, credential-endpoint)"))
    }
}
