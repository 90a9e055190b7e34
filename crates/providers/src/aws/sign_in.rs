//! The caller's own credentials, for tools of ours that sign for themselves (`hallpass s3`): nothing is lent here.

use aws_config::Region;
use aws_config::credential_process::CredentialProcessProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::ProvideCredentials;
use hallpass_core::credential::Credential;
use hallpass_core::provider::{CloudProvider, ProviderError};
use hallpass_core::secret::Secret;

use super::base::Base;
use super::error::{chain_of, timestamp};
use super::options::AwsOptions;

/// A way to sign in; asked anew at every call.
#[derive(Debug)]
pub struct SignIn(Way);

#[derive(Debug)]
enum Way {
    /// Boxed: the options are much larger than a command.
    Chain(Box<Base>),
    Profile {
        name: String,
        region: String,
    },
    Process(String),
}

impl SignIn {
    /// The standard chain; makes no call and reads no file.
    pub fn chain(options: AwsOptions) -> Self {
        Self(Way::Chain(Box::new(Base::new(options))))
    }

    /// One profile of the shared files and nothing else: the keys of the environment do not stand in for it, as they
    /// would in the chain. Where the files are, the process's own environment says.
    pub fn profile(name: impl Into<String>, region: impl Into<String>) -> Self {
        Self(Way::Profile { name: name.into(), region: region.into() })
    }

    /// A program that prints credentials (AWS SDKs and Tools Reference Guide, "Process credential provider").
    pub fn process(command: impl Into<String>) -> Self {
        Self(Way::Process(command.into()))
    }

    /// The credential now.
    ///
    /// # Errors
    /// [`ProviderError::NoBaseCredential`] with the reason.
    pub async fn credential(&self) -> Result<Credential, ProviderError> {
        let found = match &self.0 {
            Way::Chain(base) => return base.credential().await,
            Way::Profile { name, region } => {
                let config = ProviderConfig::without_region().with_region(Some(Region::new(region.clone())));
                let provider = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(name).build();
                provider.provide_credentials().await
            }
            Way::Process(command) => CredentialProcessProvider::new(command.clone()).provide_credentials().await,
        };
        let found = found.map_err(|error| ProviderError::NoBaseCredential {
            provider: CloudProvider::S3,
            detail: chain_of(&error),
        })?;
        Ok(Credential {
            access_key_id: found.access_key_id().to_owned(),
            secret_access_key: Secret::new(found.secret_access_key()),
            session_token: found.session_token().map(Secret::new),
            expires_at: found.expiry().map(timestamp),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::SignIn;

    #[tokio::test]
    async fn a_process_that_prints_credentials_is_believed_with_its_expiry() {
        let json = r#"{"Version":1,"AccessKeyId":"AK","SecretAccessKey":"S","SessionToken":"T","Expiration":"2999-01-02T03:04:05Z"}"#;
        let credential = SignIn::process(format!("echo '{json}'")).credential().await.expect("a credential");
        assert_eq!((credential.access_key_id.as_str(), credential.session_token.is_some()), ("AK", true));
        assert_eq!(credential.expires_at.map(|at| at.to_string()).as_deref(), Some("2999-01-02T03:04:05Z"));
    }

    #[tokio::test]
    async fn a_process_that_fails_is_an_error_without_its_output() {
        for bad in
            ["exit 1", "echo canary", "echo '{\"Version\":2,\"AccessKeyId\":\"AK\",\"SecretAccessKey\":\"canary\"}'"]
        {
            let error = SignIn::process(bad).credential().await.expect_err("no credential");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }
}
