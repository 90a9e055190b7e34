//! Delivery `file`: the real short-lived credential in a private shared-credentials file, renewed in place.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hallpass_core::clock::Clock;
use hallpass_core::credential::{Credential, CredentialSource};
use hallpass_core::limits::CREDENTIAL_REFRESH_EARLY_S;
use jiff::{SignedDuration, Timestamp};
use tokio_util::task::TaskTracker;

use super::environment::{Variables, set};
use super::place::{self, Place};

/// The profile's name in the file.
const PROFILE: &str = "hallpass";
/// After a renewal that failed, the next one is tried this much later.
const RETRY: Duration = Duration::from_secs(30);
/// Looked at this often, so that a suspended machine renews in time.
const RECHECK: Duration = Duration::from_secs(60);

/// The file, until the session's access ends. Every clone is the same file.
#[derive(Debug, Clone)]
pub(crate) struct CredentialFile(Arc<Mutex<Option<PathBuf>>>);

impl CredentialFile {
    /// Removes the file; it is not written again.
    pub(crate) fn refuse(&self) {
        if let Some(path) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Gone already when the child removed it.
            drop(std::fs::remove_file(path));
        }
    }

    /// Writes the next credential; false when the file is not to be written any more.
    fn renew(&self, credential: &Credential) -> std::io::Result<bool> {
        // Held while writing, so that a file that was removed does not come back.
        let path = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match path.as_deref() {
            Some(path) => place::replace(path, entry(credential)?.as_bytes()).map(|()| true),
            None => Ok(false),
        }
    }
}

/// Writes the file and points the child at it.
///
/// # Errors
/// When the file cannot be written, or the credential holds a character that would make another entry of it.
pub(super) fn deliver(
    variables: &mut Variables,
    place: &Place,
    credential: &Credential,
) -> std::io::Result<CredentialFile> {
    let path = place.file("credentials", entry(credential)?.as_bytes())?;
    set(variables, "AWS_SHARED_CREDENTIALS_FILE", path.as_os_str());
    set(variables, "AWS_PROFILE", PROFILE);
    Ok(CredentialFile(Arc::new(Mutex::new(Some(path)))))
}

/// Renews the file before the credential in it expires, until the session is over or the file is gone.
pub(super) fn keep_fresh(
    tasks: &TaskTracker,
    file: CredentialFile,
    source: Arc<dyn CredentialSource>,
    clock: Arc<dyn Clock>,
    first: Option<Timestamp>,
    until: Timestamp,
) {
    tasks.spawn(async move {
        let mut expires_at = first;
        while let Some(due) = expires_at.map(|at| at - early()).filter(|due| *due < until) {
            if clock.now() < due {
                let left = Duration::try_from(due.duration_since(clock.now())).unwrap_or_default();
                tokio::time::sleep(left.min(RECHECK)).await;
            } else {
                match renew(&file, source.as_ref()).await {
                    Ok(None) => return,
                    Ok(next) if next > expires_at => expires_at = next,
                    Ok(_) => tokio::time::sleep(RETRY).await,
                    Err(error) => {
                        tracing::warn!(%error, "the credentials file could not be renewed");
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
        }
    });
}

fn early() -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(CREDENTIAL_REFRESH_EARLY_S).unwrap_or(0))
}

/// When the new credential expires; `None` when there is nothing to renew any more.
async fn renew(file: &CredentialFile, source: &dyn CredentialSource) -> std::io::Result<Option<Timestamp>> {
    let credential = source.current().await.map_err(std::io::Error::other)?;
    Ok(file.renew(&credential)?.then_some(credential.expires_at).flatten())
}

fn entry(credential: &Credential) -> std::io::Result<String> {
    let token = credential.session_token.as_ref().map_or("", |token| token.expose());
    let secret = credential.secret_access_key.expose();
    let id = &credential.access_key_id;
    if [id, secret, token].iter().any(|text| text.chars().any(char::is_control)) {
        return Err(std::io::Error::other("the credential holds a control character"));
    }
    let mut text = format!("[{PROFILE}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    if !token.is_empty() {
        text.push_str(&format!("aws_session_token = {token}\n"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use hallpass_core::credential::Credential;
    use hallpass_core::secret::Secret;

    use super::{deliver, entry};
    use crate::deliver::environment::Variables;
    use crate::deliver::place::Root;

    #[test]
    fn a_file_that_was_taken_back_does_not_come_back() {
        let state = tempfile::tempdir().expect("folder");
        let root = Root::open(state.path()).expect("root");
        let place = root.place(&hallpass_core::id::SessionId::new("abc").expect("id")).expect("place");
        let credential = Credential {
            access_key_id: "ASIA1".to_owned(),
            secret_access_key: Secret::new("s"),
            session_token: None,
            expires_at: None,
        };
        let file = deliver(&mut Variables::new(), &place, &credential).expect("delivered");
        let path = place.path().join("credentials");
        assert!(file.renew(&credential).expect("renewed") && path.exists());
        file.refuse();
        assert!(!file.renew(&credential).expect("nothing to do") && !path.exists());
    }

    #[test]
    fn a_credential_cannot_add_an_entry_of_its_own() {
        let mut credential = Credential {
            access_key_id: "ASIA1".to_owned(),
            secret_access_key: Secret::new("s"),
            session_token: Some(Secret::new("t")),
            expires_at: None,
        };
        let text = entry(&credential).expect("plain");
        assert_eq!(text, "[hallpass]\naws_access_key_id = ASIA1\naws_secret_access_key = s\naws_session_token = t\n");
        credential.session_token = Some(Secret::new("t\ncredential_process = evil"));
        assert!(entry(&credential).is_err());
    }
}
