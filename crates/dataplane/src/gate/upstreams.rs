//! Where requests go: an override for everything, an override for one service, else AWS's own rules.

use std::collections::BTreeMap;

use http::Uri;

/// The text is not the base of an upstream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{url}` cannot be an upstream: {why}; give http://host[:port] or https://host[:port]")]
pub struct UpstreamUrlError {
    /// What was given.
    pub url: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Where requests go.
#[derive(Debug, Clone, Default)]
pub struct Upstreams {
    base: Option<Uri>,
    services: BTreeMap<String, Uri>,
}

impl Upstreams {
    /// AWS itself: hosts follow from partition, service and region.
    pub fn aws() -> Self {
        Self::default()
    }

    /// Sends every service to `url`, `http://host[:port]` or `https://host[:port]` (`AWS_ENDPOINT_URL`).
    ///
    /// # Errors
    /// [`UpstreamUrlError`] when it is not such a URL.
    pub fn with_base(mut self, url: &str) -> Result<Self, UpstreamUrlError> {
        self.base = Some(parse(url)?);
        Ok(self)
    }

    /// Sends one service, by its signing name, to `url` (`AWS_ENDPOINT_URL_<SERVICE>`); wins over the base.
    ///
    /// # Errors
    /// [`UpstreamUrlError`] when it is not such a URL.
    pub fn with_service(mut self, signing_name: &str, url: &str) -> Result<Self, UpstreamUrlError> {
        self.services.insert(signing_name.to_owned(), parse(url)?);
        Ok(self)
    }
}

fn parse(url: &str) -> Result<Uri, UpstreamUrlError> {
    let refuse = |why| UpstreamUrlError { url: url.to_owned(), why };
    let uri: Uri = url.parse().map_err(|_| refuse("it is not a URL"))?;
    match uri.scheme_str() {
        Some("http" | "https") => {}
        _ => return Err(refuse("its scheme is neither http nor https")),
    }
    let authority = uri.authority().ok_or_else(|| refuse("it names no host"))?;
    if authority.as_str().contains('@') {
        return Err(refuse("it carries a user name"));
    }
    if uri.path() != "/" || uri.query().is_some() {
        return Err(refuse("it has a path or a query"));
    }
    Ok(uri)
}
