//! What the AWS provider is told; it reads nothing else.

use std::collections::BTreeMap;

/// Options of the AWS provider.
#[derive(Clone, Default)]
pub struct AwsOptions {
    /// The environment to sign in with: the caller's own, which the process itself may no longer carry.
    pub environment: BTreeMap<String, String>,
    /// Profile of `~/.aws` to start from; overrides `AWS_PROFILE`.
    pub profile: Option<String>,
    /// Region; overrides `AWS_REGION`, `AWS_DEFAULT_REGION` and the profile.
    pub region: Option<String>,
    /// Endpoint of every service; overrides `AWS_ENDPOINT_URL`.
    pub endpoint_url: Option<String>,
    /// Endpoint of STS; overrides `AWS_ENDPOINT_URL_STS`.
    pub sts_endpoint_url: Option<String>,
    /// External id for AssumeRole (2 to 1,224 characters).
    pub external_id: Option<String>,
    /// Source identity for AssumeRole (2 to 64 characters); cannot change later in a chain.
    pub source_identity: Option<String>,
}

impl std::fmt::Debug for AwsOptions {
    /// Shows names of the environment, never values.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsOptions")
            .field("environment", &self.environment.keys())
            .field("profile", &self.profile)
            .field("region", &self.region)
            .field("endpoint_url", &self.endpoint_url)
            .field("sts_endpoint_url", &self.sts_endpoint_url)
            .finish_non_exhaustive()
    }
}

impl AwsOptions {
    /// A variable of the handed-over environment that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The STS endpoint, if one was named anywhere that the SDK looks too.
    pub(crate) fn sts_url(&self) -> Option<&str> {
        let ignored =
            self.variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|v| v.eq_ignore_ascii_case("true"));
        self.sts_endpoint().or_else(|| self.variable("AWS_ENDPOINT_URL").filter(|_| !ignored))
    }

    /// The STS endpoint, if one was named for STS or for every service.
    pub(crate) fn sts_endpoint(&self) -> Option<&str> {
        self.sts_endpoint_url
            .as_deref()
            .or_else(|| self.variable("AWS_ENDPOINT_URL_STS"))
            .or(self.endpoint_url.as_deref())
    }
}
