//! Any S3-compatible store: static keys of the caller behind the gate, which alone holds the session to its scope.
//! The store has no roles and no expiring keys of its own, so nothing of it ever leaves; AWS is never called.

use std::sync::Arc;

use hallpass_core::clock::Clock;
use hallpass_core::credential::{Credential, CredentialSource};
use hallpass_core::permit::Permit;
use hallpass_core::provider::{
    BoxFuture, CloudProvider, Description, EnforcedBy, Issued, Provider, ProviderError, Revoked,
};
use hallpass_core::secret::Secret;
use hallpass_core::session::{Revocation, Session};
use jiff::Timestamp;

use crate::aws::{AwsOptions, profile};

/// Lends sessions on an S3-compatible store.
#[derive(Debug)]
pub struct S3Provider {
    options: AwsOptions,
    clock: Arc<dyn Clock>,
}

/// The store's own keys, until the session's end.
#[derive(Debug)]
struct StaticSource {
    credential: Credential,
    clock: Arc<dyn Clock>,
    not_after: Timestamp,
}

impl S3Provider {
    /// A provider over the given environment and profile; makes no call. Keys are looked for where every S3 client
    /// looks: the environment, then the profile's own lines in the shared files. Nothing that signs in somewhere
    /// (roles, SSO, processes, metadata) is followed.
    pub fn new(options: AwsOptions, clock: Arc<dyn Clock>) -> Self {
        Self { options, clock }
    }

    async fn keys(&self) -> Result<Credential, ProviderError> {
        let from_environment = |name: &str| {
            let named = self.options.profile.is_some();
            self.options.variable(name).filter(|_| !named).map(str::to_owned)
        };
        let mut key = from_environment("AWS_ACCESS_KEY_ID");
        let mut secret = from_environment("AWS_SECRET_ACCESS_KEY");
        let mut token = from_environment("AWS_SESSION_TOKEN");
        if key.is_none() && secret.is_none() {
            key = profile::value(&self.options, "aws_access_key_id").await;
            secret = profile::value(&self.options, "aws_secret_access_key").await;
            token = profile::value(&self.options, "aws_session_token").await;
        }
        match (key, secret) {
            (Some(access_key_id), Some(secret)) => Ok(Credential {
                access_key_id,
                secret_access_key: Secret::new(secret),
                session_token: token.map(Secret::new),
                expires_at: None,
            }),
            (Some(_), None) => Err(missing("there is an access key id without its secret")),
            (None, Some(_)) => Err(missing("there is a secret without its access key id")),
            (None, None) => Err(missing(
                "neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY nor static keys in the profile were found",
            )),
        }
    }

    fn base(&self) -> String {
        match &self.options.profile {
            Some(profile) => format!("static keys of profile `{profile}`"),
            None if self.options.variable("AWS_ACCESS_KEY_ID").is_some() => "environment variables".to_owned(),
            None => "static keys of the default profile".to_owned(),
        }
    }
}

impl Provider for S3Provider {
    fn describe(&self) -> Description {
        Description { provider: CloudProvider::S3, base: self.base(), enforced_by: EnforcedBy::Gate }
    }

    fn issue(&self, permit: Permit) -> BoxFuture<'_, Result<Issued, ProviderError>> {
        Box::pin(async move {
            if permit.provider() != CloudProvider::S3 {
                let asked = permit.provider();
                return Err(ProviderError::Invalid(format!("the S3 provider cannot issue for `{asked}`")));
            }
            if !permit.role_arn().is_empty() {
                return Err(ProviderError::Invalid(
                    "an S3-compatible store has no roles: leave out `--role`".to_owned(),
                ));
            }
            let credential = self.keys().await?;
            let access_key_id = credential.access_key_id.clone();
            let source = StaticSource { credential, clock: Arc::clone(&self.clock), not_after: permit.not_after() };
            Ok(Issued {
                source: Arc::new(source),
                enforced_by: EnforcedBy::Gate,
                base: self.base(),
                session_policy_chars: None,
                access_key_id,
                identity: None,
                account: None,
                session_policy: None,
                not_narrowed: Some("an S3-compatible store has no session policies".to_owned()),
            })
        })
    }

    fn revoke<'a>(&'a self, _session: &'a Session) -> BoxFuture<'a, Result<Revoked, ProviderError>> {
        let detail = "the store's keys never left the gate, which refuses every request".to_owned();
        Box::pin(std::future::ready(Ok(Revoked { reach: Revocation::Instant, detail })))
    }
}

impl CredentialSource for StaticSource {
    fn current(&self) -> BoxFuture<'_, Result<Credential, ProviderError>> {
        let over = self.clock.now() >= self.not_after;
        let current = if over { Err(ProviderError::Expired) } else { Ok(self.credential.clone()) };
        Box::pin(std::future::ready(current))
    }
}

fn missing(detail: &str) -> ProviderError {
    ProviderError::NoBaseCredential { provider: CloudProvider::S3, detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hallpass_core::clock::{Clock, ManualClock};
    use hallpass_core::credential::CredentialSource;
    use hallpass_core::provider::ProviderError;
    use jiff::{SignedDuration, Timestamp};

    use super::{AwsOptions, S3Provider, StaticSource};

    fn provider(pairs: &[(&str, &str)], profile: Option<&str>) -> S3Provider {
        let environment = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let options = AwsOptions { environment, profile: profile.map(str::to_owned), ..AwsOptions::default() };
        S3Provider::new(options, Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH)))
    }

    #[tokio::test]
    async fn keys_come_from_the_environment_or_from_a_profiles_own_lines_and_from_nowhere_else() {
        let set = [("AWS_ACCESS_KEY_ID", "K"), ("AWS_SECRET_ACCESS_KEY", "S"), ("AWS_PROFILE", "other")];
        assert_eq!(provider(&set, None).keys().await.expect("keys").access_key_id, "K");
        let half = provider(&set[..1], None).keys().await.expect_err("half a pair");
        assert!(half.to_string().contains("without its secret"), "{half}");

        let folder = std::env::temp_dir().join(format!("hallpass-s3-{}", std::process::id()));
        std::fs::write(
            &folder,
            "[minio]\naws_access_key_id = FILE\naws_secret_access_key=SECRET\n[sso]\nsso_session = corp\n",
        )
        .expect("written");
        let file = [("AWS_SHARED_CREDENTIALS_FILE", folder.to_str().expect("text")), set[0], set[1]];
        assert_eq!(provider(&file, Some("minio")).keys().await.expect("keys").access_key_id, "FILE");
        let sso = provider(&file, Some("sso")).keys().await.expect_err("nothing is signed in for");
        assert!(matches!(sso, ProviderError::NoBaseCredential { .. }), "the environment does not stand in: {sso}");
        std::fs::remove_file(folder).expect("removed");
    }

    #[tokio::test]
    async fn the_stores_keys_are_not_handed_out_after_the_sessions_end() {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let keys = provider(&[("AWS_ACCESS_KEY_ID", "K"), ("AWS_SECRET_ACCESS_KEY", "S")], None);
        let credential = keys.keys().await.expect("keys");
        let not_after = clock.now() + SignedDuration::from_secs(60);
        let source = StaticSource { credential, clock: clock.clone(), not_after };
        assert!(source.current().await.is_ok());
        clock.advance_s(60);
        assert_eq!(source.current().await, Err(ProviderError::Expired));
    }
}
