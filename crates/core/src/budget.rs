//! What a session may use up: money, requests, bytes, distinct resources. Pure accounting: what is about to be sent is
//! reserved first, and settled when its outcome is known. A refused request costs nothing.

mod account;
mod bytes;
mod excess;
pub mod price;
mod usd;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use account::{Account, Amounts, Exceeded, Reservation, Settled, Warning};
pub use bytes::{parse_bytes, shown_bytes};
pub use usd::{Usd, UsdError};

/// One of the four caps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cap {
    /// Estimated money.
    Budget,
    /// Requests sent upstream.
    Requests,
    /// Bytes of bodies, both ways.
    Bytes,
    /// Distinct resources touched.
    Resources,
}

impl Cap {
    /// Every cap, in the order in which they are looked at.
    pub const ALL: [Self; 4] = [Self::Requests, Self::Resources, Self::Bytes, Self::Budget];

    /// What it is called in a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Requests => "request cap",
            Self::Bytes => "byte cap",
            Self::Resources => "resource cap",
        }
    }

    /// The flag of `hallpass run` that sets it.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Budget => "--budget",
            Self::Requests => "--max-requests",
            Self::Bytes => "--max-bytes",
            Self::Resources => "--max-resources",
        }
    }

    /// An amount under this cap, with its unit. Money is always named as an estimate.
    pub fn shown(self, amount: u64) -> String {
        match self {
            Self::Budget => format!("{} (estimate)", Usd::from_nano(amount)),
            Self::Requests if amount == 1 => "1 request".to_owned(),
            Self::Resources if amount == 1 => "1 resource".to_owned(),
            Self::Requests => format!("{amount} requests"),
            Self::Bytes => shown_bytes(amount),
            Self::Resources => format!("{amount} resources"),
        }
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The caps of a session; what is absent is not limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Caps {
    /// Estimated money.
    pub budget: Option<Usd>,
    /// Requests sent upstream.
    pub requests: Option<u64>,
    /// Bytes of request and response bodies together.
    pub bytes: Option<u64>,
    /// Distinct resources, by their ARN.
    pub resources: Option<u64>,
}

impl Caps {
    /// The limit of one cap, in its own unit (nano-USD, requests, bytes, resources).
    pub fn limit(&self, cap: Cap) -> Option<u64> {
        match cap {
            Cap::Budget => self.budget.map(Usd::nano),
            Cap::Requests => self.requests,
            Cap::Bytes => self.bytes,
            Cap::Resources => self.resources,
        }
    }

    /// True when nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
