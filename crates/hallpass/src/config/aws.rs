//! `[aws]`: how the base identity signs in, and where requests go. Never in a project's file: it decides which
//! endpoint sees the real signature.

use std::collections::BTreeMap;

use hallpass_dataplane::gate::Upstreams;

use super::Entry;
use super::narrow;
use super::origin::Located;
use super::problem::Problem;
use super::section::Section;

/// The section.
#[derive(Debug, Clone, Default)]
pub(crate) struct AwsConfig {
    /// Where every request goes instead of the cloud.
    pub(crate) endpoint_url: Option<Located<String>>,
    /// Where STS is.
    pub(crate) sts_endpoint_url: Option<Located<String>>,
    /// External id for AssumeRole.
    pub(crate) external_id: Option<Located<String>>,
    /// Source identity for AssumeRole.
    pub(crate) source_identity: Option<Located<String>>,
    /// Profile of the AWS files that holds the base identity.
    pub(crate) profile: Option<Located<String>>,
    /// AWS hosts that are reached at another address.
    pub(crate) upstreams: Option<Located<BTreeMap<String, String>>>,
}

impl AwsConfig {
    /// Reads the section.
    pub(crate) fn read(section: &mut Section<'_>) -> Self {
        let config = Self {
            endpoint_url: section.text("endpoint_url"),
            sts_endpoint_url: section.text("sts_endpoint_url"),
            external_id: section.text("external_id"),
            source_identity: section.text("source_identity"),
            profile: section.text("profile"),
            upstreams: section.map("upstreams"),
        };
        for (key, value) in [("endpoint_url", &config.endpoint_url), ("sts_endpoint_url", &config.sts_endpoint_url)] {
            if let Some(url) = value
                && let Err(why) = check_url(&url.value)
            {
                section.problem(Problem::of(&url.origin, "config.bad_value", format!("`aws.{key}`: {why}")));
            }
        }
        if let Some(map) = &config.upstreams {
            for (host, url) in &map.value {
                if let Err(why) = Upstreams::aws().with_host(host, url) {
                    section.problem(Problem::of(&map.origin, "config.bad_value", format!("`aws.upstreams`: {why}")));
                }
            }
        }
        config
    }

    /// A project may say nothing here.
    pub(crate) fn check_project(&self, problems: &mut Vec<Problem>) {
        let set = self.all().into_iter().filter_map(|(key, value)| value.map(|v| narrow::forbidden(&v.origin, key)));
        problems.extend(set);
        problems.extend(self.upstreams.as_ref().map(|map| narrow::forbidden(&map.origin, "aws.upstreams")));
    }

    /// Every value, for `config show`.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let entry = |(key, value): (&'static str, Option<&Located<String>>)| {
            Entry::new(key, value.map(|v| v.value.clone()), value.map(|v| &v.origin))
        };
        let shown = |map: &BTreeMap<String, String>| {
            let all: Vec<String> = map.iter().map(|(host, url)| format!("{host}={url}")).collect();
            all.join(", ")
        };
        let map = self.upstreams.as_ref();
        let upstreams = Entry::new("aws.upstreams", map.map(|v| shown(&v.value)), map.map(|v| &v.origin));
        self.all().into_iter().map(entry).chain([upstreams]).collect()
    }

    fn all(&self) -> [(&'static str, Option<&Located<String>>); 5] {
        [
            ("aws.endpoint_url", self.endpoint_url.as_ref()),
            ("aws.sts_endpoint_url", self.sts_endpoint_url.as_ref()),
            ("aws.external_id", self.external_id.as_ref()),
            ("aws.source_identity", self.source_identity.as_ref()),
            ("aws.profile", self.profile.as_ref()),
        ]
    }
}

/// `http` or `https`, a host, nothing secret in it.
pub(super) fn check_url(text: &str) -> Result<(), String> {
    let uri: http::Uri = text.parse().map_err(|e| format!("is not a URL: {e}"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("must begin with http:// or https://".to_owned());
    }
    let Some(authority) = uri.authority() else { return Err("names no host".to_owned()) };
    if authority.as_str().contains('@') {
        return Err("must not hold a user or password".to_owned());
    }
    Ok(())
}
