//! The caller's own identity: the standard chain, over the environment that was handed over.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use hallpass_core::credential::Credential;
use hallpass_core::provider::{CloudProvider, ProviderError};
use hallpass_core::secret::Secret;
use tokio::sync::OnceCell;

use super::error::{chain_of, timestamp};
use super::options::AwsOptions;

/// Signs in where nothing else says so; STS is reachable from everywhere in the standard partition.
const REGION_WITHOUT_ANY: &str = "us-east-1";

/// The base identity.
#[derive(Debug)]
pub(crate) struct Base {
    options: AwsOptions,
    sdk: OnceCell<SdkConfig>,
}

impl Base {
    pub(crate) fn new(options: AwsOptions) -> Self {
        Self { options, sdk: OnceCell::new() }
    }

    pub(crate) fn options(&self) -> &AwsOptions {
        &self.options
    }

    /// The base credential now. Keys from the environment are taken as they are, so that the common case starts no
    /// SDK; everything else (profile, SSO, web identity, container, instance metadata, process) is the SDK's chain.
    pub(crate) async fn credential(&self) -> Result<Credential, ProviderError> {
        if let Some(credential) = self.environment_keys()? {
            return Ok(credential);
        }
        let sdk = self.sdk().await;
        let provider = sdk.credentials_provider().ok_or_else(|| missing("the SDK found no credential provider"))?;
        let found = provider.provide_credentials().await.map_err(|error| missing(&chain_of(&error)))?;
        Ok(Credential {
            access_key_id: found.access_key_id().to_owned(),
            secret_access_key: Secret::new(found.secret_access_key()),
            session_token: found.session_token().map(Secret::new),
            expires_at: found.expiry().map(timestamp),
        })
    }

    fn environment_keys(&self) -> Result<Option<Credential>, ProviderError> {
        if self.options.profile.is_some() {
            return Ok(None);
        }
        let key = self.options.variable("AWS_ACCESS_KEY_ID");
        let secret = self.options.variable("AWS_SECRET_ACCESS_KEY");
        match (key, secret) {
            (Some(key), Some(secret)) => Ok(Some(Credential {
                access_key_id: key.to_owned(),
                secret_access_key: Secret::new(secret),
                session_token: self.options.variable("AWS_SESSION_TOKEN").map(Secret::new),
                expires_at: self.options.variable("AWS_CREDENTIAL_EXPIRATION").and_then(|time| time.parse().ok()),
            })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(missing("AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not")),
            (None, Some(_)) => Err(missing("AWS_SECRET_ACCESS_KEY is set but AWS_ACCESS_KEY_ID is not")),
        }
    }

    /// The SDK's configuration, loaded once.
    pub(crate) async fn sdk(&self) -> &SdkConfig {
        self.sdk
            .get_or_init(|| async {
                let environment: std::collections::HashMap<String, String> =
                    self.options.environment.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
                let region = self.region().await.unwrap_or_else(|| REGION_WITHOUT_ANY.to_owned());
                let mut loader = aws_config::defaults(BehaviorVersion::latest())
                    .env(aws_types::os_shim_internal::Env::from(environment))
                    .region(Region::new(region));
                if let Some(profile) = &self.options.profile {
                    loader = loader.profile_name(profile);
                }
                if let Some(url) = &self.options.endpoint_url {
                    loader = loader.endpoint_url(url);
                }
                loader.load().await
            })
            .await
    }

    /// Region by option, environment or profile. Instance metadata is not asked: it costs seconds off EC2.
    pub(crate) async fn region(&self) -> Option<String> {
        let told = self.options.region.as_deref();
        let told = told.or_else(|| self.options.variable("AWS_REGION"));
        let told = told.or_else(|| self.options.variable("AWS_DEFAULT_REGION"));
        match told {
            Some(region) => Some(region.to_owned()),
            None => super::profile::region(&self.options).await,
        }
    }

    /// Where the base credential comes from, in words and without a call; the order is the chain's.
    pub(crate) fn describe(&self) -> String {
        let options = &self.options;
        let set = |name: &str| options.variable(name).is_some();
        if let Some(profile) = &options.profile {
            return format!("profile `{profile}`");
        }
        if set("AWS_ACCESS_KEY_ID") {
            return "environment variables".to_owned();
        }
        if let Some(profile) = options.variable("AWS_PROFILE") {
            return format!("profile `{profile}` (AWS_PROFILE)");
        }
        if super::profile::exists(options) {
            return "profile `default`".to_owned();
        }
        if set("AWS_WEB_IDENTITY_TOKEN_FILE") {
            return "web identity token file".to_owned();
        }
        if set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") || set("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            return "container credentials endpoint".to_owned();
        }
        "instance metadata".to_owned()
    }
}

fn missing(detail: &str) -> ProviderError {
    ProviderError::NoBaseCredential { provider: CloudProvider::Aws, detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{AwsOptions, Base};

    fn base(pairs: &[(&str, &str)]) -> Base {
        let environment: BTreeMap<String, String> =
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Base::new(AwsOptions { environment, ..AwsOptions::default() })
    }

    #[tokio::test]
    async fn keys_of_the_handed_over_environment_are_taken_without_the_sdk() {
        let base = base(&[("AWS_ACCESS_KEY_ID", "AKIA1"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_REGION", "eu-west-1")]);
        let credential = base.credential().await.expect("credential");
        assert_eq!(credential.access_key_id, "AKIA1");
        assert!(base.sdk.get().is_none(), "the SDK was started");
        assert_eq!(base.region().await.as_deref(), Some("eu-west-1"));
        assert_eq!(base.describe(), "environment variables");
    }

    #[tokio::test]
    async fn half_a_key_pair_is_an_error_and_never_another_identity() {
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            let error = base(&[(name, "x")]).credential().await.expect_err("half a pair");
            assert!(error.to_string().contains("is not"), "{error}");
        }
    }

    #[test]
    fn the_options_never_show_a_value_of_the_environment() {
        let shown = format!("{:?}", base(&[("AWS_SECRET_ACCESS_KEY", "canary")]).options());
        assert!(shown.contains("AWS_SECRET_ACCESS_KEY") && !shown.contains("canary"), "{shown}");
    }
}
