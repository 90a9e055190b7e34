//! Deletes of many keys at once (DeleteObjects).

use std::time::Duration;

use hallpass_core::limits::{S3_ATTEMPTS_MAX, S3_BACKOFF_MS_MIN, S3_DELETE_KEYS_MAX};
use hallpass_core::sigv4::checksum::ChecksumAlgorithm;
use http::Method;

use super::call::Call;
use super::object::ObjectId;
use super::xml::{is_xml_text, push_text};
use super::{Client, Payload};
use crate::error::code::meaning;
use crate::error::{Answer, S3Error, text};

/// A key to delete, or one version of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Doomed {
    /// The key.
    pub key: String,
    /// One version; `None`: the current one.
    pub version: Option<String>,
}

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchDeleted {
    /// What is gone now. That a key was not there before is not told by stores.
    pub deleted: Vec<Doomed>,
    /// What is still there, and why.
    pub failed: Vec<(Doomed, S3Error)>,
}

impl Client {
    /// Deletes any number of keys of one bucket, 1,000 a call. Keys that fail for a passing reason are tried again.
    ///
    /// # Errors
    /// [`S3Error`] when a whole call fails; keys that fail one by one are in [`BatchDeleted::failed`].
    pub async fn delete_many(
        &self,
        bucket: &str,
        keys: &[Doomed],
        bypass_governance: bool,
    ) -> Result<BatchDeleted, S3Error> {
        let mut outcome = BatchDeleted::default();
        // What XML cannot hold goes alone.
        let (plain, odd): (Vec<&Doomed>, Vec<&Doomed>) = keys.iter().partition(|doomed| is_xml_text(&doomed.key));
        for doomed in odd {
            let object = ObjectId { bucket: bucket.into(), key: doomed.key.clone(), version: doomed.version.clone() };
            match self.delete(&object).await {
                Ok(_) => outcome.deleted.push(doomed.clone()),
                Err(error @ S3Error::TokenExpired(_)) => return Err(error),
                Err(error) => outcome.failed.push((doomed.clone(), error)),
            }
        }
        for batch in plain.chunks(S3_DELETE_KEYS_MAX) {
            let mut left: Vec<Doomed> = batch.iter().map(|doomed| (*doomed).clone()).collect();
            for attempt in 1..=S3_ATTEMPTS_MAX {
                let failed = self.delete_batch(bucket, &left, bypass_governance).await?;
                let is_failed = |doomed: &Doomed| failed.iter().any(|(other, _)| other == doomed);
                outcome.deleted.extend(left.iter().filter(|doomed| !is_failed(doomed)).cloned());
                let passing = |(_, error): &(Doomed, S3Error)| error.retryable() && attempt < S3_ATTEMPTS_MAX;
                let (again, lost): (Vec<_>, Vec<_>) = failed.into_iter().partition(passing);
                outcome.failed.extend(lost);
                left = again.into_iter().map(|(doomed, _)| doomed).collect();
                if left.is_empty() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(S3_BACKOFF_MS_MIN << attempt)).await;
            }
        }
        Ok(outcome)
    }

    /// One call; gives what failed.
    async fn delete_batch(
        &self,
        bucket: &str,
        keys: &[Doomed],
        bypass_governance: bool,
    ) -> Result<Vec<(Doomed, S3Error)>, S3Error> {
        let payload = Payload::bytes(document(keys));
        let md5 = payload.checksum(ChecksumAlgorithm::Md5).await?.unwrap_or_default();
        let call = Call::new(Method::POST, Some(bucket), None).query("delete", "").payload(payload);
        // Every store takes this one; some refuse the newer ones.
        let mut call = call.header("content-md5", md5).header("content-type", "application/xml");
        if bypass_governance {
            call = call.header("x-amz-bypass-governance-retention", "true");
        }
        let root = self.0.whole(&call).await?.document("DeleteResult")?;
        let mut failed = Vec::new();
        for entry in root.all("Error") {
            let key = entry.value("Key").unwrap_or_default().to_owned();
            let version = entry.value("VersionId").map(str::to_owned);
            // A store may name a version that was not asked for.
            let asked =
                keys.iter().find(|doomed| doomed.key == key && (doomed.version.is_none() || doomed.version == version));
            let code = entry.value("Code").map_or_else(|| "Unknown".to_owned(), text::code);
            let meaning = meaning(&code, 400);
            let said = match meaning.sentence {
                "" => entry.value("Message").map_or_else(|| format!("the store answered {code}"), text::cleaned),
                sentence => sentence.to_owned(),
            };
            let message = format!("`{}`: {said}", text::cleaned_name(&format!("{bucket}/{key}")));
            let answer = Answer { code, message, status: None, retryable: meaning.retryable };
            let doomed = asked.cloned().unwrap_or(Doomed { key, version });
            failed.push((doomed, S3Error::Store(meaning.kind, answer)));
        }
        Ok(failed)
    }
}

/// Quiet: only what failed is answered.
fn document(keys: &[Doomed]) -> String {
    let mut document = String::with_capacity(128 + keys.len() * 96);
    document.push_str("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for doomed in keys {
        document.push_str("<Object><Key>");
        push_text(&mut document, &doomed.key);
        document.push_str("</Key>");
        if let Some(version) = &doomed.version {
            document.push_str("<VersionId>");
            push_text(&mut document, version);
            document.push_str("</VersionId>");
        }
        document.push_str("</Object>");
    }
    document.push_str("<Quiet>true</Quiet></Delete>");
    document
}
