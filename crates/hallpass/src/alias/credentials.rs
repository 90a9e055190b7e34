//! What signs for an alias: its own keys, or what is asked for when it is needed, and asked for again before it ends.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use hallpass_core::clock::Clock;
use hallpass_core::limits::CREDENTIAL_REFRESH_EARLY_S;
use hallpass_core::provider::ProviderError;
use hallpass_providers::aws::{AwsOptions, SignIn};
use hallpass_s3::alias::{Alias, Credentials, CredentialsSource, Fixed, StaticCredentials, normalise_endpoint};
use hallpass_s3::error::{Answer, ErrorKind, S3Error};
use jiff::SignedDuration;
use tokio::sync::Mutex;

use crate::command::Context;
use crate::environment;

/// Begins every placeholder's access key id.
const PLACEHOLDER_PREFIX: &str = "ASIAHALLPASS";

/// An alias with what signs for it.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    /// The alias; inside a session, one that borrows goes to the session's gate.
    pub(crate) alias: Alias,
    /// What signs.
    pub(crate) credentials: Arc<dyn Credentials>,
}

/// Finds what signs for `alias`. Makes no call.
///
/// # Errors
/// For a session or a role that cannot be borrowed from here.
pub(crate) fn ready(context: &Context, alias: &Alias) -> Result<Ready, S3Error> {
    let inside = inside();
    let chain = || {
        // What is not text is no variable of the SDK's.
        let pairs = environment::all().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        let region = Some(alias.region.clone());
        SignIn::chain(AwsOptions { environment: pairs.collect(), region, ..AwsOptions::default() })
    };
    let renewing = |sign_in| -> Arc<dyn Credentials> { Arc::new(Renewing::new(sign_in, context.clock())) };
    let mut endpoint = alias.endpoint.clone();
    let credentials = match &alias.credentials {
        CredentialsSource::Anonymous => Arc::new(Fixed::anonymous()),
        CredentialsSource::Static(keys) => Arc::new(Fixed::keys(keys.clone())),
        CredentialsSource::Profile(profile) => renewing(SignIn::profile(profile, &alias.region)),
        CredentialsSource::Process(command) => renewing(SignIn::process(command.clone())),
        CredentialsSource::Chain => renewing(chain()),
        CredentialsSource::Role(_) => match inside {
            Some(session) => {
                endpoint = session.gate;
                renewing(chain())
            }
            None => return Err(not_borrowed(&alias.name)),
        },
        CredentialsSource::Session(id) => match inside.filter(|session| names(id, &session.id)) {
            Some(session) => {
                endpoint = session.gate;
                renewing(chain())
            }
            None => return Err(not_inside(&alias.name, id)),
        },
    };
    Ok(Ready { alias: Alias { endpoint, ..alias.clone() }, credentials })
}

/// True when this runs inside a session, with its placeholder.
pub(crate) fn is_inside() -> bool {
    inside().is_some()
}

/// The session that this runs in.
struct Inside {
    id: String,
    gate: String,
}

fn inside() -> Option<Inside> {
    let id = environment::text(environment::HALLPASS_SESSION_ID)?;
    environment::text(environment::AWS_ACCESS_KEY_ID).filter(|key| key.starts_with(PLACEHOLDER_PREFIX))?;
    let gate = environment::text(environment::AWS_ENDPOINT_URL_S3)
        .or_else(|| environment::text(environment::AWS_ENDPOINT_URL))?;
    Some(Inside { id, gate: normalise_endpoint(&gate).ok()? })
}

/// As everywhere: an id, or at least four characters of its beginning.
fn names(short: &str, id: &str) -> bool {
    short == id || short.len() >= 4 && id.starts_with(short)
}

fn not_borrowed(alias: &str) -> S3Error {
    S3Error::refused(
        ErrorKind::Unsupported,
        "role_not_borrowed",
        format!("the alias `{alias}` borrows a role, and this command cannot borrow"),
        "run it inside `hallpass run --role …`",
    )
}

fn not_inside(alias: &str, id: &str) -> S3Error {
    S3Error::refused(
        ErrorKind::Unsupported,
        "session_out_of_reach",
        format!("the alias `{alias}` borrows from session `{id}`, whose placeholder only its own command holds"),
        "run this inside of that session, or borrow with `hallpass alias set … --role ROLE`",
    )
}

/// Credentials that somebody else hands out.
struct Renewing {
    sign_in: SignIn,
    clock: Arc<dyn Clock>,
    kept: Mutex<Option<StaticCredentials>>,
}

impl Renewing {
    fn new(sign_in: SignIn, clock: Arc<dyn Clock>) -> Self {
        Self { sign_in, clock, kept: Mutex::new(None) }
    }

    async fn asked(&self) -> Result<StaticCredentials, S3Error> {
        let found = self.sign_in.credential().await.map_err(failed)?;
        Ok(StaticCredentials {
            access_key_id: found.access_key_id,
            secret_access_key: found.secret_access_key,
            session_token: found.session_token,
            expires_at: found.expires_at,
        })
    }

    fn is_fresh(&self, keys: &StaticCredentials) -> bool {
        let early = SignedDuration::from_secs(i64::try_from(CREDENTIAL_REFRESH_EARLY_S).unwrap_or(i64::MAX));
        let soon = self.clock.now().checked_add(early);
        keys.expires_at.is_none_or(|at| soon.is_ok_and(|soon| at > soon))
    }
}

impl fmt::Debug for Renewing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewing").field("sign_in", &self.sign_in).finish_non_exhaustive()
    }
}

type Future<'a, T> = Pin<Box<dyn std::future::Future<Output = Result<T, S3Error>> + Send + 'a>>;

impl Credentials for Renewing {
    fn current(&self) -> Future<'_, Option<StaticCredentials>> {
        Box::pin(async move {
            let mut kept = self.kept.lock().await;
            if let Some(keys) = kept.as_ref().filter(|keys| self.is_fresh(keys)) {
                return Ok(Some(keys.clone()));
            }
            let keys = self.asked().await?;
            *kept = Some(keys.clone());
            Ok(Some(keys))
        })
    }

    fn renew(&self, refused: &str) -> Future<'_, bool> {
        let refused = refused.to_owned();
        Box::pin(async move {
            let mut kept = self.kept.lock().await;
            // Another request has renewed them meanwhile.
            if kept.as_ref().is_some_and(|keys| keys.access_key_id != refused) {
                return Ok(true);
            }
            let keys = self.asked().await?;
            let is_other = kept.as_ref().is_none_or(|old| *old != keys) && keys.access_key_id != refused;
            *kept = Some(keys);
            Ok(is_other)
        })
    }
}

fn failed(error: ProviderError) -> S3Error {
    let (kind, code) = match &error {
        ProviderError::Unreachable { .. } => (ErrorKind::Network, "SignInUnreachable"),
        _ => (ErrorKind::Auth, "NoCredentials"),
    };
    let (code, message) = (code.to_owned(), error.to_string());
    S3Error::Store(kind, Answer { code, message, status: None, retryable: kind == ErrorKind::Network })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hallpass_core::clock::ManualClock;
    use hallpass_core::limits::CREDENTIAL_REFRESH_EARLY_S;
    use hallpass_providers::aws::SignIn;
    use hallpass_s3::alias::Credentials;
    use hallpass_s3::error::ErrorKind;
    use jiff::{SignedDuration, Timestamp};

    use super::{Renewing, names};

    /// A program that prints other keys each time it runs, for `life_s` seconds from `now`.
    fn world(now: Timestamp, life_s: i64) -> (tempfile::TempDir, Arc<ManualClock>, Renewing) {
        let folder = tempfile::tempdir().expect("a folder");
        let count = folder.path().join("count");
        let end = now + SignedDuration::from_secs(life_s);
        let script = format!(
            "echo x >> {0}; n=$(wc -l < {0} | tr -d ' '); echo \"{{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"AK$n\\\",\
             \\\"SecretAccessKey\\\":\\\"S\\\",\\\"SessionToken\\\":\\\"T\\\",\\\"Expiration\\\":\\\"{end}\\\"}}\"",
            count.display()
        );
        let clock = Arc::new(ManualClock::new(now));
        (folder, clock.clone(), Renewing::new(SignIn::process(script), clock))
    }

    async fn key(credentials: &Renewing) -> String {
        credentials.current().await.expect("credentials").expect("some").access_key_id
    }

    #[tokio::test]
    async fn borrowed_keys_are_asked_for_again_before_they_end_and_when_they_are_refused() {
        let now: Timestamp = "2999-01-01T00:00:00Z".parse().expect("a time");
        let life_s = i64::try_from(CREDENTIAL_REFRESH_EARLY_S).expect("fits") + 60;
        let (_folder, clock, credentials) = world(now, life_s);
        assert_eq!(key(&credentials).await, "AK1");
        assert_eq!(key(&credentials).await, "AK1", "they are kept");
        clock.advance_s(60);
        assert_eq!(key(&credentials).await, "AK2", "they are about to end");
        assert!(credentials.renew("AK1").await.expect("renews"), "somebody else has renewed them");
        assert!(credentials.renew("AK2").await.expect("renews"));
        assert_eq!(credentials.kept.lock().await.as_ref().expect("kept").access_key_id, "AK3");
    }

    #[tokio::test]
    async fn a_program_that_prints_no_keys_is_a_failure_to_sign_in() {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let error = Renewing::new(SignIn::process("exit 3"), clock).current().await.expect_err("no keys");
        assert_eq!((error.kind(), error.code()), (ErrorKind::Auth, "NoCredentials"));
    }

    #[test]
    fn a_session_is_named_by_its_beginning() {
        assert!(names("3f2a91c0-1", "3f2a91c0-1") && names("3f2a", "3f2a91c0-1"));
        assert!(!names("3f2", "3f2a91c0-1") && !names("3f2b", "3f2a91c0-1"));
    }
}
