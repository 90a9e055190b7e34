//! Credentials of sessions without a keeper, for `credential-process`: a private file for each, used again until the
//! session ends or the credential is about to expire.

use std::io;
use std::path::PathBuf;

use hallpass_core::credential::Credential;
use hallpass_core::id::SessionId;
use hallpass_core::secret::Secret;
use serde::Deserialize;
use serde_json::json;

use super::place::{self, Root};

/// The file's name in the session's private folder.
const FILE: &str = "credential.json";

/// What `credential_process` prints and what the cache holds: one shape ("Sourcing credentials with an external
/// process", AWS CLI User Guide).
pub(crate) fn to_json(credential: &Credential) -> serde_json::Value {
    json!({
        "Version": 1,
        "AccessKeyId": credential.access_key_id,
        "SecretAccessKey": credential.secret_access_key.expose(),
        "SessionToken": credential.session_token.as_ref().map_or("", |token| token.expose()),
        "Expiration": credential.expires_at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
    })
}

/// Keeps the credential of a session.
///
/// # Errors
/// As the operating system says.
pub(crate) fn keep(root: &Root, session: &SessionId, credential: &Credential) -> io::Result<()> {
    if !root.path_of(session).exists() {
        root.place(session)?.keep();
    }
    place::replace(&path(root, session), to_json(credential).to_string().as_bytes())
}

/// The credential of a session, if it is kept and whole.
pub(crate) fn kept(root: &Root, session: &SessionId) -> Option<Credential> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Kept {
        access_key_id: String,
        secret_access_key: String,
        session_token: String,
        expiration: Option<jiff::Timestamp>,
    }
    let bytes = std::fs::read(path(root, session)).ok()?;
    let kept: Kept = serde_json::from_slice(&bytes).ok()?;
    Some(Credential {
        access_key_id: kept.access_key_id,
        secret_access_key: Secret::new(kept.secret_access_key),
        session_token: Some(kept.session_token).filter(|token| !token.is_empty()).map(Secret::new),
        expires_at: kept.expiration,
    })
}

fn path(root: &Root, session: &SessionId) -> PathBuf {
    root.path_of(session).join(FILE)
}

#[cfg(test)]
mod tests {
    use hallpass_core::credential::Credential;
    use hallpass_core::id::SessionId;
    use hallpass_core::secret::Secret;

    use super::{keep, kept};
    use crate::deliver::place::Root;

    #[test]
    fn a_kept_credential_comes_back_whole_and_goes_with_its_session() {
        let state = tempfile::tempdir().expect("folder");
        let root = Root::open(state.path()).expect("root");
        let id = SessionId::new("abc").expect("id");
        let credential = Credential {
            access_key_id: "ASIA1".to_owned(),
            secret_access_key: Secret::new("s"),
            session_token: Some(Secret::new("t")),
            expires_at: Some("2026-01-01T00:00:00Z".parse().expect("time")),
        };
        assert_eq!(kept(&root, &id), None);
        keep(&root, &id, &credential).expect("kept");
        keep(&root, &id, &credential).expect("kept again");
        assert_eq!(kept(&root, &id), Some(credential));
        root.remove(&id).expect("removed");
        assert_eq!(kept(&root, &id), None);
    }
}
