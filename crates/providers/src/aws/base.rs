//! The caller's own identity: the standard chain, over the environment that was handed over.

use std::sync::OnceLock;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::attributes::AccountId;
use aws_credential_types::provider::ProvideCredentials;
use hallpass_core::credential::Credential;
use hallpass_core::provider::{CloudProvider, ProviderError};
use hallpass_core::secret::Secret;
use tokio::sync::OnceCell;

use super::error::{chain_of, timestamp};
use super::options::AwsOptions;
use super::transport::Transport;

/// Signs in where nothing else says so; STS is reachable from everywhere in the standard partition.
const REGION_WITHOUT_ANY: &str = "us-east-1";

/// Digits of an account's number.
const ACCOUNT_DIGITS: usize = 12;

/// The base identity.
#[derive(Debug)]
pub(crate) struct Base {
    options: AwsOptions,
    sdk: OnceCell<SdkConfig>,
    account: OnceLock<String>,
}

impl Base {
    pub(crate) fn new(options: AwsOptions) -> Self {
        Self { options, sdk: OnceCell::new(), account: OnceLock::new() }
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
        if let Some(profile) = super::profile::in_use(&self.options) {
            super::profile::check(&self.options, profile).await.map_err(|why| missing(&why))?;
        }
        let sdk = self.sdk().await?;
        let provider = sdk.credentials_provider().ok_or_else(|| missing("the SDK found no credential provider"))?;
        let found = provider.provide_credentials().await.map_err(|error| missing(&chain_of(&error)))?;
        self.told_account(found.account_id().map(AccountId::as_str));
        Ok(Credential {
            access_key_id: found.access_key_id().to_owned(),
            secret_access_key: Secret::new(found.secret_access_key()),
            session_token: found.session_token().map(Secret::new),
            expires_at: found.expiry().map(timestamp),
        })
    }

    /// The account of the identity, once a credential was given, where its source tells it: SSO, a role of a profile, a
    /// process, `aws_account_id` of a profile, `AWS_ACCOUNT_ID` beside keys.
    pub(crate) fn account(&self) -> Option<String> {
        self.account.get().cloned()
    }

    /// What is no account's number says nothing.
    fn told_account(&self, text: Option<&str>) {
        let number = |text: &&str| text.len() == ACCOUNT_DIGITS && text.bytes().all(|b| b.is_ascii_digit());
        if let Some(account) = text.filter(number) {
            self.account.get_or_init(|| account.to_owned());
        }
    }

    fn environment_keys(&self) -> Result<Option<Credential>, ProviderError> {
        if self.options.profile.is_some() {
            return Ok(None);
        }
        let key = self.options.variable("AWS_ACCESS_KEY_ID");
        let secret = self.options.variable("AWS_SECRET_ACCESS_KEY");
        match (key, secret) {
            (Some(key), Some(secret)) => {
                self.told_account(self.options.variable("AWS_ACCOUNT_ID"));
                Ok(Some(Credential {
                    access_key_id: key.to_owned(),
                    secret_access_key: Secret::new(secret),
                    session_token: self.options.variable("AWS_SESSION_TOKEN").map(Secret::new),
                    expires_at: self.options.variable("AWS_CREDENTIAL_EXPIRATION").and_then(|time| time.parse().ok()),
                }))
            }
            (None, None) => Ok(None),
            (Some(_), None) => Err(missing("AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not")),
            (None, Some(_)) => Err(missing("AWS_SECRET_ACCESS_KEY is set but AWS_ACCESS_KEY_ID is not")),
        }
    }

    /// The SDK's configuration, loaded once.
    ///
    /// # Errors
    /// [`ProviderError::Invalid`] when the caller's own authorities cannot be used.
    pub(crate) async fn sdk(&self) -> Result<&SdkConfig, ProviderError> {
        self.sdk
            .get_or_try_init(|| async {
                let client = self.transport()?.client().map_err(ProviderError::Invalid)?;
                let environment = super::profile::environment(&self.options).await;
                let region = self.region().await.unwrap_or_else(|| REGION_WITHOUT_ANY.to_owned());
                let mut loader = aws_config::defaults(BehaviorVersion::latest())
                    .env(aws_types::os_shim_internal::Env::from(environment))
                    .region(Region::new(region));
                if let Some(client) = client {
                    loader = loader.http_client(client);
                }
                if let Some(profile) = &self.options.profile {
                    loader = loader.profile_name(profile);
                }
                if let Some(url) = &self.options.endpoint_url {
                    loader = loader.endpoint_url(url);
                }
                Ok(loader.load().await)
            })
            .await
    }

    /// How the cloud is reached.
    ///
    /// # Errors
    /// [`ProviderError::Invalid`] when the caller's own authorities cannot be used.
    pub(crate) fn transport(&self) -> Result<Transport, ProviderError> {
        Transport::of(&self.options).map_err(ProviderError::Invalid)
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

    /// A profile of a file, in an environment that has keys of its own as well.
    async fn of_profile(config: &str, named: Option<&str>, pairs: &[(&str, &str)]) -> Result<String, String> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), config).expect("written");
        let path = file.path().to_str().expect("text");
        let more = [("AWS_CONFIG_FILE", path), ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")];
        let mut options = base(&[pairs, &more].concat()).options().clone();
        options.profile = named.map(str::to_owned);
        Base::new(options).credential().await.map(|c| c.access_key_id).map_err(|error| error.to_string())
    }

    const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "s")];
    const WORK: &str = "[profile work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = w\nregion = x\n";

    #[tokio::test]
    async fn the_account_is_the_one_that_stands_beside_the_keys_and_nothing_else() {
        for (told, expected) in [
            (Some("111122223333"), Some("111122223333")),
            (Some("1111-2222-3333"), None),
            (Some("*"), None),
            (None, None),
        ] {
            let more = told.map(|account| ("AWS_ACCOUNT_ID", account));
            let base = base(&KEYS.into_iter().chain(more).collect::<Vec<_>>());
            assert_eq!(base.account(), None, "before there is a credential");
            base.credential().await.expect("credential");
            assert_eq!(base.account().as_deref(), expected, "{told:?}");
        }
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), format!("{WORK}aws_account_id = 111122223333\n")).expect("written");
        let path = file.path().to_str().expect("text");
        let of_profile = base(&[
            ("AWS_CONFIG_FILE", path),
            ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere"),
            ("AWS_PROFILE", "work"),
            ("AWS_ACCOUNT_ID", "999999999999"),
        ]);
        of_profile.credential().await.expect("credential");
        assert_eq!(of_profile.account().as_deref(), Some("111122223333"));
    }

    #[tokio::test]
    async fn keys_of_the_environment_never_stand_in_for_a_named_profile() {
        assert_eq!(of_profile(WORK, Some("work"), &KEYS).await.as_deref(), Ok("AKIAWORK"));
        assert_eq!(of_profile(WORK, None, &KEYS).await.as_deref(), Ok("AKIAENV"));
        let unknown = of_profile(WORK, Some("wrok"), &KEYS).await.expect_err("no such profile");
        assert!(unknown.contains("`wrok`"), "{unknown}");
        let empty = of_profile("[profile work]\nregion = x\n", Some("work"), &KEYS).await;
        assert!(empty.is_err(), "a profile without credentials was answered with {empty:?}");
    }

    #[tokio::test]
    async fn a_profile_that_is_not_there_is_no_reason_to_ask_elsewhere() {
        let unknown = of_profile(WORK, None, &[("AWS_PROFILE", "wrok")]).await.expect_err("no such profile");
        assert!(unknown.contains("`wrok`"), "{unknown}");
        let known = of_profile(WORK, None, &[("AWS_PROFILE", "work")]).await;
        assert_eq!(known.as_deref(), Ok("AKIAWORK"));
    }

    #[tokio::test]
    async fn a_profile_over_the_environments_keys_is_refused_rather_than_skipped() {
        let config = "[profile up]\nrole_arn = arn:aws:iam::123456789012:role/r\ncredential_source = Environment\n";
        let refused = of_profile(config, Some("up"), &KEYS).await.expect_err("not followed");
        assert!(refused.contains("credential_source"), "{refused}");
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
