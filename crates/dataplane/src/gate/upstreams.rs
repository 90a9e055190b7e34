//! Where requests go: an override for one service, another address for one host, an override for everything, else AWS's
//! own rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use hallpass_catalog::CATALOG;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::resolve::catalog::Variant;
use hallpass_core::resolve::host::AwsHost;
use hallpass_core::resolve::{Partition, Resolved, endpoint};

use super::outward::Outward;

/// The text is not the base of an upstream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{url}` cannot be an upstream: {why}; give http://host[:port][/path] or https://host[:port][/path]")]
pub struct UpstreamUrlError {
    /// What was given, without a password.
    pub url: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// The endpoints of access points, which are named by their hosts only.
const ACCESS_POINTS: [&str; 2] = ["s3-accesspoint", "s3-global"];

/// Where requests go. The child has no say in it: neither its `Host` nor any redirect is followed.
#[derive(Debug, Clone, Default)]
pub struct Upstreams {
    base: Option<Target>,
    services: BTreeMap<String, Target>,
    /// By the host that the rules make.
    hosts: BTreeMap<String, Target>,
    /// What has no target of its own goes nowhere, instead of to AWS.
    closed: bool,
    /// Which of AWS's endpoints every request goes to, whatever the child says.
    variant: Variant,
    /// Through which proxy of the caller's.
    outward: Outward,
}

impl Upstreams {
    /// AWS itself: hosts follow from partition, service and region, always over https.
    pub fn aws() -> Self {
        Self::default()
    }

    /// An S3-compatible store at `url`, and nothing else: no request ever goes to AWS.
    ///
    /// # Errors
    /// [`UpstreamUrlError`] when it is not the URL of a host.
    pub fn store(url: &str) -> Result<Self, UpstreamUrlError> {
        Self { closed: true, ..Self::default() }.with_service("s3", url)
    }

    /// Sends every service to `url`, `http://host[:port]` or `https://host[:port]` (`AWS_ENDPOINT_URL`).
    ///
    /// # Errors
    /// [`UpstreamUrlError`] when it is not such a URL.
    pub fn with_base(mut self, url: &str) -> Result<Self, UpstreamUrlError> {
        self.base = Some(Target::parse(url)?);
        Ok(self)
    }

    /// Sends one service, by its signing name, to `url` (`AWS_ENDPOINT_URL_<SERVICE>`); wins over the base.
    ///
    /// # Errors
    /// [`UpstreamUrlError`] when it is not such a URL.
    pub fn with_service(mut self, signing_name: &str, url: &str) -> Result<Self, UpstreamUrlError> {
        self.services.insert(signing_name.to_owned(), Target::parse(url)?);
        Ok(self)
    }

    /// Reaches the AWS host `host` at the address of `url`: a VPC endpoint, an emulator. It is still addressed by its
    /// own name, and over https it must prove this name. Wins over the base, and loses to a service's own.
    ///
    /// # Errors
    /// [`UpstreamUrlError`] when `url` is no such URL, or `host` is no AWS host of the rules without a bucket.
    pub fn with_host(mut self, host: &str, url: &str) -> Result<Self, UpstreamUrlError> {
        let known = AwsHost::named(CATALOG, None, host).ok().filter(|known| known.bucket.is_none());
        let why = "the host that it stands for is no AWS endpoint that hallpass knows";
        known.ok_or_else(|| UpstreamUrlError { url: host.to_owned(), why })?;
        self.hosts.insert(host.to_owned(), Target::parse(url)?.named(host));
        Ok(self)
    }

    /// Sends every request to FIPS or dual-stack endpoints, and none where there is no such endpoint.
    #[must_use]
    pub fn with_variant(self, variant: Variant) -> Self {
        Self { variant, ..self }
    }

    /// Goes through the caller's own proxy where that is the way out.
    #[must_use]
    pub fn through(self, outward: Outward) -> Self {
        Self { outward, ..self }
    }

    /// The way out.
    pub(super) fn outward(&self) -> &Outward {
        &self.outward
    }

    /// Which endpoint a request goes to that was made for `asked`: what the session demands is added.
    pub(super) fn variant(&self, asked: Variant) -> Variant {
        let Variant { fips, dual_stack } = self.variant;
        Variant { fips: fips || asked.fips, dual_stack: dual_stack || asked.dual_stack }
    }

    /// Whether requests of the session go to this host, whatever stands for it: then the child has no business there.
    pub(super) fn lead_to(&self, host: &str) -> bool {
        let targets = self.base.iter().chain(self.services.values()).chain(self.hosts.values());
        targets.into_iter().any(|target| target.host().eq_ignore_ascii_case(host))
    }

    /// Where a service goes in a region if not to AWS itself; `at` is the AWS host that was asked for, if one was.
    pub(super) fn instead(
        &self,
        partition: Option<Partition>,
        service: &str,
        region: &str,
        variant: Variant,
        at: Option<&AwsHost>,
    ) -> Option<&Target> {
        let of_host = || {
            if let Some(target) = at.and_then(|at| self.hosts.get(&at.host)) {
                return Some(target);
            }
            if self.hosts.is_empty() {
                return None;
            }
            let hosts = endpoint::hosts(CATALOG, partition, service, region, variant);
            hosts.iter().find_map(|host| self.hosts.get(host))
        };
        self.services.get(service).or_else(of_host).or(self.base.as_ref())
    }

    /// Whether there is an upstream for a service at all: what a store has not got, no policy allows.
    ///
    /// # Errors
    /// [`DenialCode::Unmapped`] for whatever is not S3, where a store is lent.
    pub(super) fn serve(&self, resolved: &Resolved) -> Result<(), Denial> {
        if self.closed && !self.services.contains_key(&resolved.service) {
            let why = format!("this session is for an S3-compatible store, which has no `{}`", resolved.service);
            return Err(Denial::new(DenialCode::Unmapped, why));
        }
        Ok(())
    }

    /// The upstream of a request that is understood. Follows from the credential scope and the operation alone.
    pub(super) fn route(
        &self,
        partition: Option<Partition>,
        resolved: &Resolved,
        variant: Variant,
    ) -> Result<Route, Denial> {
        let as_signed = |target: &Target| Route { target: target.clone(), region: resolved.region.clone() };
        if let Some(target) = self.services.get(&resolved.service) {
            only_buckets(resolved)?;
            return Ok(as_signed(target));
        }
        self.serve(resolved)?;
        let ruled = endpoint::endpoint_of(CATALOG, partition, &resolved.endpoint, &resolved.region, variant);
        let ruled = ruled.map(|rule| (format!("{}{}", resolved.host_prefix, rule.host), rule.region));
        if let Ok((host, region)) = &ruled
            && let Some(target) = self.hosts.get(host)
        {
            return Ok(Route { target: target.clone(), region: region.clone() });
        }
        if let Some(target) = &self.base {
            if ACCESS_POINTS.contains(&resolved.endpoint.as_str()) {
                only_buckets(resolved)?;
            }
            return Ok(as_signed(target));
        }
        let (host, region) = ruled?;
        Ok(Route { target: Target::https(host), region })
    }
}

/// Another store knows buckets by the path and nothing else: what is an access point's key here, or a path of S3
/// Control, would be a bucket there.
fn only_buckets(resolved: &Resolved) -> Result<(), Denial> {
    if resolved.service != "s3" || resolved.endpoint == "s3" {
        return Ok(());
    }
    let why = format!("`{}` is served by AWS only, and this session sends S3 elsewhere", resolved.endpoint);
    Err(Denial::new(DenialCode::Unmapped, why))
}

/// Where one request goes, and for which region it is signed.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) target: Target,
    pub(super) region: String,
}

/// A host to connect to. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    https: bool,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    /// The `Host` header: with the port, unless it is the scheme's own.
    authority: String,
    /// Before the path of every request: empty, or `/` and plain segments without a final `/`.
    prefix: String,
    /// The name that it must prove over https; `None`: its host.
    name: Option<String>,
}

impl Target {
    fn https(host: String) -> Self {
        let (authority, prefix) = (host.clone(), String::new());
        Self(Arc::new(Inner { https: true, authority, host, port: 443, prefix, name: None }))
    }

    fn parse(url: &str) -> Result<Self, UpstreamUrlError> {
        let shown = url.rsplit_once('@').map_or(url, |(_, host)| host);
        let refuse = |why| UpstreamUrlError { url: shown.to_owned(), why };
        let uri: http::Uri = url.parse().map_err(|_| refuse("it is not a URL"))?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(refuse("its scheme is neither http nor https")),
        };
        let authority = uri.authority().ok_or_else(|| refuse("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(refuse("it carries a user name"));
        }
        if uri.query().is_some() || url.contains('#') {
            return Err(refuse("it has a query or a fragment"));
        }
        let prefix = uri.path().trim_end_matches('/');
        if !prefix.is_empty() && !prefix.split('/').skip(1).all(is_plain_segment) {
            return Err(refuse("its path can be read in more ways than one"));
        }
        let host = authority.host();
        if host.is_empty() {
            return Err(refuse("it names no host"));
        }
        if authority.as_str() != host && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(refuse("its port is not a port"));
        }
        let own = if https { 443 } else { 80 };
        let port = authority.port_u16().unwrap_or(own);
        let shown = if port == own { host.to_owned() } else { format!("{host}:{port}") };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self(Arc::new(Inner { https, host, port, authority: shown, prefix: prefix.to_owned(), name: None })))
    }

    /// The same address, addressed as `host`.
    fn named(&self, host: &str) -> Self {
        let Inner { https, host: address, port, prefix, .. } = &*self.0;
        let (authority, name) = (host.to_owned(), Some(host.to_owned()));
        let (host, prefix) = (address.clone(), prefix.clone());
        Self(Arc::new(Inner { https: *https, host, port: *port, authority, prefix, name }))
    }

    /// The name that its certificate must have.
    pub(super) fn certified_name(&self) -> &str {
        self.0.name.as_deref().unwrap_or(&self.0.host)
    }

    /// For people and the log: also where it really is.
    pub(super) fn shown(&self) -> String {
        match &self.0.name {
            Some(name) => format!("{name} at {}:{}", self.0.host, self.0.port),
            None => self.0.authority.clone(),
        }
    }

    pub(super) fn is_https(&self) -> bool {
        self.0.https
    }

    pub(super) fn host(&self) -> &str {
        &self.0.host
    }

    pub(super) fn port(&self) -> u16 {
        self.0.port
    }

    /// What stands before the path of every request.
    pub(super) fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// The value of the `Host` header.
    pub(super) fn authority(&self) -> &str {
        &self.0.authority
    }
}

fn is_plain_segment(segment: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    !matches!(segment, "" | "." | "..") && segment.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::{Target, Upstreams, Variant};

    #[test]
    fn an_upstream_is_a_scheme_a_host_and_a_port() {
        let parts = |url: &str| {
            let target = Target::parse(url).expect("legal");
            (target.is_https(), target.host().to_owned(), target.port(), target.authority().to_owned())
        };
        assert_eq!(parts("http://127.0.0.1:9000"), (false, "127.0.0.1".into(), 9000, "127.0.0.1:9000".into()));
        assert_eq!(parts("https://s3.example.com/"), (true, "s3.example.com".into(), 443, "s3.example.com".into()));
        assert_eq!(parts("https://s3.example.com:443"), (true, "s3.example.com".into(), 443, "s3.example.com".into()));
        assert_eq!(parts("http://[::1]:80"), (false, "::1".into(), 80, "[::1]".into()));
    }

    #[test]
    fn the_path_of_an_upstream_stands_before_every_request() {
        let prefix = |url: &str| Target::parse(url).expect("legal").prefix().to_owned();
        assert_eq!((prefix("http://a").as_str(), prefix("http://a/").as_str()), ("", ""));
        assert_eq!(prefix("http://127.0.0.1:1/Se-cret_1/"), "/Se-cret_1");
        assert_eq!(prefix("https://store.example/api/s3.v1"), "/api/s3.v1");
    }

    #[test]
    fn an_upstream_that_could_mean_something_else_is_refused() {
        for bad in [
            "",
            "s3.example.com",
            "ftp://a",
            "http://",
            "http://user:hunter2@a",
            "http://a/?q",
            "http://a/b?q",
            "http://a/b#c",
            "http://a//b",
            "http://a/../b",
            "http://a/./b",
            "http://a/b%2fc",
            "http://a/b;c",
            "http://a:0",
            "http://a:99999",
            "unix:/x",
        ] {
            let error = Upstreams::aws().with_base(bad).expect_err(bad).to_string();
            assert!(!error.contains("hunter2"), "{error}");
            assert!(Upstreams::aws().with_service("s3", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_service_of_its_own_wins_over_the_base() {
        let upstreams = Upstreams::aws().with_base("http://a:1").and_then(|u| u.with_service("s3", "http://b:2"));
        let upstreams = upstreams.expect("legal");
        let host = |service| upstreams.instead(None, service, "us-east-1", Variant::default(), None).map(Target::host);
        assert_eq!((host("s3"), host("sts")), (Some("b"), Some("a")));
        assert_eq!(Upstreams::aws().instead(None, "s3", "us-east-1", Variant::default(), None), None);
    }

    #[test]
    fn a_host_at_another_address_keeps_its_name_and_is_of_one_region() {
        let upstreams = Upstreams::aws().with_base("http://a:1").expect("legal");
        let upstreams = upstreams.with_host("s3.eu-west-1.amazonaws.com", "https://vpce.example:8443").expect("legal");
        let target = upstreams.instead(None, "s3", "eu-west-1", Variant::default(), None).expect("there").clone();
        assert_eq!((target.host(), target.port()), ("vpce.example", 8443));
        assert_eq!((target.authority(), target.certified_name()), ("s3.eu-west-1.amazonaws.com", target.authority()));
        assert_eq!(target.shown(), "s3.eu-west-1.amazonaws.com at vpce.example:8443");
        assert_eq!(upstreams.instead(None, "s3", "us-east-1", Variant::default(), None).map(Target::host), Some("a"));
        let own = upstreams.with_service("s3", "http://b:2").expect("legal");
        assert_eq!(own.instead(None, "s3", "eu-west-1", Variant::default(), None).map(Target::host), Some("b"));
    }

    /// botocore's endpoint cases with an endpoint of the caller's own: what it gives its client is what we send to.
    #[test]
    fn every_own_endpoint_of_botocores_cases_is_taken_as_it_is_or_refused() {
        let cases = include_str!("../../../catalog/testdata/endpoints-other.txt");
        let (mut taken, mut errors, mut refused) = (0, 0, Vec::new());
        for line in cases.lines().filter(|line| line.starts_with("own\t")) {
            let url = line.split('\t').nth(4).expect("a URL");
            if url.starts_with('!') {
                errors += 1;
                continue;
            }
            match Target::parse(url) {
                Ok(target) => {
                    let scheme = if target.is_https() { "https" } else { "http" };
                    let made = format!("{scheme}://{}{}", target.authority(), target.prefix());
                    assert_eq!(made, url, "{line}");
                    taken += 1;
                }
                Err(error) => refused.push((url, error.why)),
            }
        }
        // A bucket that an SDK has put into the path, and no endpoint that anybody would give.
        assert!(refused.iter().all(|(url, _)| *url == "http://foo.com/bucket%21"), "{refused:?}");
        assert_eq!((taken, errors, refused.len()), (912, 907, 4));
    }

    #[test]
    fn only_aws_hosts_can_be_at_another_address() {
        for host in ["example.com", "b.s3.us-east-1.amazonaws.com", "", "S3.us-east-1.amazonaws.com", "127.0.0.1"] {
            assert!(Upstreams::aws().with_host(host, "http://a").is_err(), "{host}");
        }
        assert!(Upstreams::aws().with_host("iam.amazonaws.com", "ftp://a").is_err());
    }
}
