//! AWS: base credentials from the standard chain, roles through STS AssumeRole.
//!
//! Sources: STS API Reference (AssumeRole), IAM User Guide ("Revoking role temporary security credentials").

mod base;
mod error;
mod options;
pub(crate) mod profile;
mod request;
mod revoke;
mod scoped;
mod sign_in;
mod source;
mod transport;

use std::sync::Arc;

use hallpass_core::clock::Clock;
use hallpass_core::credential::CredentialSource;
use hallpass_core::permit::Permit;
use hallpass_core::provider::{
    BoxFuture, CloudProvider, Description, EnforcedBy, Issued, Provider, ProviderError, Revoked,
};
use hallpass_core::session::Session;

use base::Base;
pub use options::AwsOptions;
use request::RoleRequest;
use scoped::ScopeRequest;
pub use sign_in::SignIn;
use source::{Renewal, RenewingSource};

/// Lends AWS sessions.
#[derive(Debug)]
pub struct AwsProvider {
    base: Arc<Base>,
    clock: Arc<dyn Clock>,
}

impl AwsProvider {
    /// A provider over the given environment and options; makes no call and reads no file.
    pub fn new(options: AwsOptions, clock: Arc<dyn Clock>) -> Self {
        Self { base: Arc::new(Base::new(options)), clock }
    }

    /// The region for the child: option, environment, profile; never the network.
    pub async fn region(&self) -> Option<String> {
        self.base.region().await
    }

    async fn lend_base(&self, permit: &Permit) -> Result<Issued, ProviderError> {
        let why = match self.narrowed_base(permit).await? {
            Ok(issued) => return Ok(issued),
            Err(why) => why,
        };
        let source = self.source(Renewal::Base, permit);
        let credential = source.current().await?;
        Ok(Issued {
            not_narrowed: Some(why),
            source: Arc::new(source),
            enforced_by: EnforcedBy::Gate,
            base: self.base.describe(),
            session_policy_chars: None,
            access_key_id: credential.access_key_id,
            identity: None,
            account: self.base.account(),
            session_policy: None,
        })
    }

    /// The base identity narrowed by STS, or why it is not; the outer error is that there is no base identity.
    async fn narrowed_base(&self, permit: &Permit) -> Result<Result<Issued, String>, ProviderError> {
        let base = self.base.credential().await?;
        let request = match ScopeRequest::new(&self.base, &base, permit).await {
            Ok(request) => request,
            Err(why) => return Ok(Err(why)),
        };
        let compiled = request.compiled.clone();
        let source = self.source(Renewal::Scoped(Box::new(request)), permit);
        Ok(match source.current().await {
            Ok(credential) => Ok(Issued {
                enforced_by: EnforcedBy::GateAndCloud,
                base: self.base.describe(),
                session_policy_chars: Some(compiled.chars()),
                access_key_id: credential.access_key_id,
                identity: source.identity().await,
                account: self.base.account(),
                session_policy: compiled.json,
                not_narrowed: None,
                source: Arc::new(source),
            }),
            Err(error) => Err(error.to_string()),
        })
    }

    fn source(&self, renewal: Renewal, permit: &Permit) -> RenewingSource {
        RenewingSource::new(Arc::clone(&self.base), Arc::clone(&self.clock), renewal, permit.not_after())
    }

    async fn assume(&self, permit: &Permit) -> Result<Issued, ProviderError> {
        let request = RoleRequest::new(permit, self.base.options())?;
        let base = self.base.credential().await?;
        let renewal = Renewal::Role(Box::new(request.for_base(&base, permit, self.clock.now())?));
        let source = self.source(renewal, permit);
        let credential = source.current().await?;
        Ok(Issued {
            enforced_by: EnforcedBy::GateAndCloud,
            base: self.base.describe(),
            session_policy_chars: request.policy.as_ref().map(|policy| policy.chars().count()),
            access_key_id: credential.access_key_id,
            identity: source.identity().await,
            account: self.base.account(),
            session_policy: request.policy,
            not_narrowed: None,
            source: Arc::new(source),
        })
    }
}

impl Provider for AwsProvider {
    fn describe(&self) -> Description {
        let enforced_by = EnforcedBy::GateAndCloud;
        Description { provider: CloudProvider::Aws, base: self.base.describe(), enforced_by }
    }

    fn issue(&self, permit: Permit) -> BoxFuture<'_, Result<Issued, ProviderError>> {
        Box::pin(async move {
            if permit.provider() != CloudProvider::Aws {
                let asked = permit.provider();
                return Err(ProviderError::Invalid(format!("the AWS provider cannot issue for `{asked}`")));
            }
            match permit.role_arn() {
                "" => self.lend_base(&permit).await,
                _ => self.assume(&permit).await,
            }
        })
    }

    fn revoke<'a>(&'a self, session: &'a Session) -> BoxFuture<'a, Result<Revoked, ProviderError>> {
        Box::pin(revoke::revoke(&self.base, session, self.clock.now()))
    }
}
