//! Action patterns, `service:Action` with `*` and `?`.

use serde::{Deserialize, Serialize};

/// One action pattern, kept as the two parts that session files use.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ActionPattern {
    /// IAM service prefix, `s3`.
    pub service: String,
    /// Action name or pattern, `GetObject`, `Get*`.
    pub action: String,
}
