//! Whether a bucket keeps old versions (GetBucketVersioning, PutBucketVersioning).

use http::Method;

use super::{NAMESPACE, Owner};
use crate::client::Client;
use crate::error::S3Error;

/// Whether old versions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioning {
    /// Never was.
    Off,
    /// They are.
    Enabled,
    /// They were; those that there are stay.
    Suspended,
}

impl Versioning {
    /// The word: `off`, `enabled`, `suspended`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Enabled => "enabled",
            Self::Suspended => "suspended",
        }
    }
}

impl Client {
    /// Whether a bucket keeps old versions.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn versioning(&self, bucket: &str) -> Result<Versioning, S3Error> {
        let call = Owner::Bucket(bucket).call(Method::GET, "versioning")?;
        // The second is moto's, of a bucket that never kept any.
        let answer = self.0.whole(&call).await?;
        let root = answer.document_or("VersioningConfiguration", "GetBucketVersioningResponse")?;
        Ok(match root.value("Status") {
            Some("Enabled") => Versioning::Enabled,
            Some("Suspended") => Versioning::Suspended,
            _ => Versioning::Off,
        })
    }

    /// Begins to keep old versions, or stops; it cannot be as if it never had been.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `Conflict` where object lock demands versions.
    pub async fn set_versioning(&self, bucket: &str, enabled: bool) -> Result<(), S3Error> {
        let status = if enabled { "Enabled" } else { "Suspended" };
        let document = format!(
            "<VersioningConfiguration xmlns=\"{NAMESPACE}\"><Status>{status}</Status></VersioningConfiguration>"
        );
        self.0.put_setting(Owner::Bucket(bucket), "versioning", document).await
    }
}
