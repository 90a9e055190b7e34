//! Real credentials that renew themselves, never past the session's own end.

use std::sync::Arc;

use aws_sdk_sts::types::{PolicyDescriptorType, Tag};
use hallpass_core::clock::Clock;
use hallpass_core::credential::{Credential, CredentialSource};
use hallpass_core::limits::CREDENTIAL_REFRESH_EARLY_S;
use hallpass_core::provider::{BoxFuture, ProviderError};
use hallpass_core::secret::Secret;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::base::Base;
use super::error::translate;
use super::request::RoleRequest;
use super::scoped::ScopeRequest;

/// What was issued last.
#[derive(Debug, Default)]
struct Held {
    credential: Option<Credential>,
    identity: Option<String>,
    stale: bool,
}

/// Decides when a held credential must be renewed.
fn must_renew(held: &Held, now: Timestamp) -> bool {
    let Some(credential) = held.credential.as_ref().filter(|_| !held.stale) else { return true };
    let early = SignedDuration::from_secs(i64::try_from(CREDENTIAL_REFRESH_EARLY_S).unwrap_or(i64::MAX));
    credential.expires_at.is_some_and(|end| now.checked_add(early).unwrap_or(Timestamp::MAX) >= end)
}

/// After a failed renewal: the old credential serves on while it is valid, and was not called stale.
fn still_valid(held: &Held, now: Timestamp) -> Option<Credential> {
    let credential = held.credential.as_ref().filter(|_| !held.stale)?;
    credential.expires_at.is_none_or(|end| now < end).then(|| credential.clone())
}

/// How a credential is renewed. What failed is never replaced by something stronger.
#[derive(Debug)]
pub(crate) enum Renewal {
    /// The base identity itself, behind the gate.
    Base,
    /// A role, assumed again with the same request.
    Role(Box<RoleRequest>),
    /// The base identity, narrowed again.
    Scoped(Box<ScopeRequest>),
}

/// A real credential that renews itself: the base identity, or a role assumed again with the same request.
#[derive(Debug)]
pub(crate) struct RenewingSource {
    base: Arc<Base>,
    clock: Arc<dyn Clock>,
    renewal: Renewal,
    not_after: Timestamp,
    held: Mutex<Held>,
}

impl RenewingSource {
    pub(crate) fn new(base: Arc<Base>, clock: Arc<dyn Clock>, renewal: Renewal, not_after: Timestamp) -> Self {
        Self { base, clock, renewal, not_after, held: Mutex::default() }
    }

    /// ARN of the assumed role session, once there is one.
    pub(crate) async fn identity(&self) -> Option<String> {
        self.held.lock().await.identity.clone()
    }

    async fn renew(&self) -> Result<Held, ProviderError> {
        match &self.renewal {
            Renewal::Role(request) => self.assume(request).await,
            Renewal::Base => {
                self.base.credential().await.map(|fresh| Held { credential: Some(fresh), ..Held::default() })
            }
            Renewal::Scoped(request) => {
                let base = self.base.credential().await?;
                let answer = request.narrow(&base, self.clock.now()).await?;
                Ok(Held { credential: Some(answer.credential), identity: answer.identity, stale: false })
            }
        }
    }

    async fn assume(&self, request: &RoleRequest) -> Result<Held, ProviderError> {
        const OPERATION: &str = "sts:AssumeRole";
        let sdk = self.base.sdk().await?;
        let mut config = aws_sdk_sts::config::Builder::from(sdk);
        if let Some(url) = self.base.options().sts_endpoint() {
            config = config.endpoint_url(url);
        }
        let client = aws_sdk_sts::Client::from_conf(config.build());
        let mut call = client
            .assume_role()
            .role_arn(&request.role_arn)
            .role_session_name(&request.session_name)
            .duration_seconds(i32::try_from(request.duration_s).unwrap_or(i32::MAX))
            .set_policy(request.policy.clone())
            .set_external_id(request.external_id.clone())
            .set_source_identity(request.source_identity.clone());
        for arn in &request.policy_arns {
            call = call.policy_arns(PolicyDescriptorType::builder().arn(arn).build());
        }
        for (key, value) in &request.tags {
            let tag = Tag::builder().key(key).value(value).build();
            call = call.tags(tag.map_err(|error| ProviderError::Invalid(error.to_string()))?);
        }
        let endpoint = self.base.options().sts_endpoint().unwrap_or("STS");
        let answer = call.send().await.map_err(|error| translate(OPERATION, endpoint, &error))?;
        let identity = answer.assumed_role_user().map(|user| user.arn().to_owned());
        let issued = answer.credentials().ok_or_else(|| ProviderError::Refused {
            operation: OPERATION.to_owned(),
            code: "NoCredentials".to_owned(),
            message: "the answer held no credentials".to_owned(),
        })?;
        let expires = Timestamp::from_second(issued.expiration().secs()).unwrap_or(Timestamp::MAX);
        let credential = Credential {
            access_key_id: issued.access_key_id().to_owned(),
            secret_access_key: Secret::new(issued.secret_access_key()),
            session_token: Some(Secret::new(issued.session_token())),
            expires_at: Some(expires),
        };
        Ok(Held { credential: Some(credential), identity, stale: false })
    }
}

impl CredentialSource for RenewingSource {
    fn current(&self) -> BoxFuture<'_, Result<Credential, ProviderError>> {
        Box::pin(async {
            let now = self.clock.now();
            if now >= self.not_after {
                return Err(ProviderError::Expired);
            }
            let mut held = self.held.lock().await;
            if must_renew(&held, now) {
                match self.renew().await {
                    Ok(fresh) => *held = fresh,
                    Err(error) => return still_valid(&held, now).ok_or(error),
                }
            }
            held.credential.clone().ok_or(ProviderError::Expired)
        })
    }

    fn invalidate(&self) {
        if let Ok(mut held) = self.held.try_lock() {
            held.stale = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::credential::Credential;
    use hallpass_core::limits::CREDENTIAL_REFRESH_EARLY_S;
    use hallpass_core::secret::Secret;
    use jiff::{SignedDuration, Timestamp};

    use super::{Held, must_renew, still_valid};

    fn held(expires_at: Option<Timestamp>, stale: bool) -> Held {
        let credential = Credential {
            access_key_id: "ASIA".into(),
            secret_access_key: Secret::new("s"),
            session_token: None,
            expires_at,
        };
        Held { credential: Some(credential), identity: None, stale }
    }

    #[test]
    fn a_credential_is_renewed_five_minutes_early_and_serves_on_when_renewal_fails() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("time");
        let early = i64::try_from(CREDENTIAL_REFRESH_EARLY_S).expect("fits");
        let soon = held(Some(now + SignedDuration::from_secs(early)), false);
        assert!(must_renew(&soon, now) && still_valid(&soon, now).is_some());
        let later = held(Some(now + SignedDuration::from_secs(early + 1)), false);
        assert!(!must_renew(&later, now));
        let over = held(Some(now), false);
        assert!(must_renew(&over, now) && still_valid(&over, now).is_none());
        assert!(!must_renew(&held(None, false), now));
    }

    #[test]
    fn a_credential_that_the_cloud_called_expired_is_never_used_again() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("time");
        let refused = held(None, true);
        assert!(must_renew(&refused, now) && still_valid(&refused, now).is_none());
    }
}
