//! Retention and legal holds (Amazon S3 User Guide, "Locking objects with Object Lock").

use http::Method;
use jiff::Timestamp;

use super::{NAMESPACE, Owner, absent};
use crate::client::Client;
use crate::client::object::ObjectId;
use crate::error::S3Error;

/// How strict retention is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionMode {
    /// Who may bypass it can.
    Governance,
    /// Nobody can, the owner of the account included.
    Compliance,
}

impl RetentionMode {
    /// The word of S3.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }

    fn of(text: Option<&str>) -> Option<Self> {
        [Self::Governance, Self::Compliance].into_iter().find(|mode| text == Some(mode.as_str()))
    }
}

/// Until when an object's version is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How strictly.
    pub mode: RetentionMode,
    /// Until then.
    pub until: Timestamp,
}

/// How long new objects of a bucket are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultRetention {
    /// So many days.
    Days(RetentionMode, u32),
    /// So many years.
    Years(RetentionMode, u32),
}

/// The object lock of a bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ObjectLock {
    /// The bucket was made with it.
    pub enabled: bool,
    /// What new objects get.
    pub default: Option<DefaultRetention>,
}

/// What stores answer where nothing is locked.
const NOTHING: [&str; 4] = [
    "NoSuchObjectLockConfiguration",
    "NoSuchObjectLegalHold",
    "ObjectLockConfigurationNotFoundError",
    "ObjectLockConfigurationNotFound",
];

impl Client {
    /// Until when an object is kept; `None`: it is not.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `General` (`InvalidRequest`) in a bucket without object lock.
    pub async fn retention(&self, object: &ObjectId) -> Result<Option<Retention>, S3Error> {
        let call = Owner::Object(object).call(Method::GET, "retention")?;
        let Some(answer) = absent(self.0.whole(&call).await, &NOTHING)? else { return Ok(None) };
        let root = answer.document("Retention")?;
        let mode = RetentionMode::of(root.value("Mode"));
        let until = root.value("RetainUntilDate").and_then(|text| text.trim().parse().ok());
        Ok(mode.zip(until).map(|(mode, until)| Retention { mode, until }))
    }

    /// Keeps an object until then; `None`: no longer. `bypass`: shorten or end governance, for who may.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `Auth` when what is kept may not be shortened.
    pub async fn set_retention(
        &self,
        object: &ObjectId,
        retention: Option<Retention>,
        bypass: bool,
    ) -> Result<(), S3Error> {
        let inside = retention.map_or(String::new(), |Retention { mode, until }| {
            let until = until.strftime("%Y-%m-%dT%H:%M:%SZ");
            format!("<Mode>{}</Mode><RetainUntilDate>{until}</RetainUntilDate>", mode.as_str())
        });
        let call = Owner::Object(object).call(Method::PUT, "retention")?.header("content-type", "application/xml");
        let call = if bypass { call.header("x-amz-bypass-governance-retention", "true") } else { call };
        self.0.put_call(call, format!("<Retention xmlns=\"{NAMESPACE}\">{inside}</Retention>")).await
    }

    /// Whether an object is held.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `General` (`InvalidRequest`) in a bucket without object lock.
    pub async fn legal_hold(&self, object: &ObjectId) -> Result<bool, S3Error> {
        let call = Owner::Object(object).call(Method::GET, "legal-hold")?;
        let Some(answer) = absent(self.0.whole(&call).await, &NOTHING)? else { return Ok(false) };
        Ok(answer.document("LegalHold")?.value("Status") == Some("ON"))
    }

    /// Holds an object, or lets it go.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn set_legal_hold(&self, object: &ObjectId, held: bool) -> Result<(), S3Error> {
        let status = if held { "ON" } else { "OFF" };
        let document = format!("<LegalHold xmlns=\"{NAMESPACE}\"><Status>{status}</Status></LegalHold>");
        self.0.put_setting(Owner::Object(object), "legal-hold", document).await
    }

    /// The object lock of a bucket.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn object_lock(&self, bucket: &str) -> Result<ObjectLock, S3Error> {
        let call = Owner::Bucket(bucket).call(Method::GET, "object-lock")?;
        let Some(answer) = absent(self.0.whole(&call).await, &NOTHING)? else { return Ok(ObjectLock::default()) };
        let root = answer.document("ObjectLockConfiguration")?;
        let enabled = root.value("ObjectLockEnabled") == Some("Enabled");
        let rule = root.first("Rule").and_then(|rule| rule.first("DefaultRetention"));
        let default = rule.and_then(|rule| {
            let mode = RetentionMode::of(rule.value("Mode"))?;
            let number = |name| rule.number(name).and_then(|number| u32::try_from(number).ok());
            let days = number("Days").map(|days| DefaultRetention::Days(mode, days));
            days.or_else(|| number("Years").map(|years| DefaultRetention::Years(mode, years)))
        });
        Ok(ObjectLock { enabled, default })
    }

    /// Sets what new objects of a bucket get; `None`: nothing. The bucket must have object lock.
    ///
    /// # Errors
    /// [`S3Error`]; of sort `Conflict` for a bucket without object lock.
    pub async fn set_default_retention(&self, bucket: &str, default: Option<DefaultRetention>) -> Result<(), S3Error> {
        let rule = default.map_or(String::new(), |default| {
            let (mode, length) = match default {
                DefaultRetention::Days(mode, days) => (mode, format!("<Days>{days}</Days>")),
                DefaultRetention::Years(mode, years) => (mode, format!("<Years>{years}</Years>")),
            };
            let mode = mode.as_str();
            format!("<Rule><DefaultRetention><Mode>{mode}</Mode>{length}</DefaultRetention></Rule>")
        });
        let document = format!(
            "<ObjectLockConfiguration xmlns=\"{NAMESPACE}\"><ObjectLockEnabled>Enabled</ObjectLockEnabled>{rule}\
             </ObjectLockConfiguration>"
        );
        self.0.put_setting(Owner::Bucket(bucket), "object-lock", document).await
    }
}
