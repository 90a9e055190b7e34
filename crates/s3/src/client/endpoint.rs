//! Where a store is, and how a bucket and a key get into a URL.

use std::net::IpAddr;
use std::sync::Arc;

use hallpass_core::limits::S3_BUCKET_BYTES_MAX;

use crate::alias::Addressing;
use crate::error::S3Error;

/// A store's endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    https: bool,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    addressing: Addressing,
}

/// Where one request goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Host(Arc<HostParts>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct HostParts {
    https: bool,
    name: String,
    port: u16,
    authority: String,
}

impl Host {
    fn new(https: bool, name: &str, port: u16) -> Self {
        let shown = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
        let own = if https { 443 } else { 80 };
        let authority = if port == own { shown } else { format!("{shown}:{port}") };
        Self(Arc::new(HostParts { https, name: name.to_owned(), port, authority }))
    }

    pub(crate) fn https(&self) -> bool {
        self.0.https
    }

    /// To connect to, and to be certified for.
    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port
    }

    /// The value of `Host`.
    pub(crate) fn authority(&self) -> &str {
        &self.0.authority
    }
}

impl Endpoint {
    /// Reads `http://host[:port]` or `https://host[:port]`.
    pub(crate) fn parse(url: &str, addressing: Addressing) -> Result<Self, S3Error> {
        let shown = url.rsplit_once('@').map_or(url, |(_, host)| host);
        let refuse = |why: &str| {
            S3Error::usage_with(
                format!("`{shown}` cannot be the endpoint of a store: {why}"),
                "give `http://host[:port]` or `https://host[:port]`",
            )
        };
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
        if uri.path() != "/" || uri.query().is_some() {
            return Err(refuse("it has a path or a query"));
        }
        let host = authority.host();
        if host.is_empty() {
            return Err(refuse("it names no host"));
        }
        if authority.as_str() != host && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(refuse("its port is not a port"));
        }
        let port = authority.port_u16().unwrap_or(if https { 443 } else { 80 });
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        Ok(Self { https, host, port, addressing })
    }

    pub(crate) fn https(&self) -> bool {
        self.https
    }

    /// The URL without more.
    pub(crate) fn shown(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}", Host::new(self.https, &self.host, self.port).authority())
    }

    /// True where nothing lies between us and the store.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// True for AWS itself.
    pub(crate) fn is_aws(&self) -> bool {
        self.host.ends_with(".amazonaws.com") || self.host.ends_with(".amazonaws.com.cn")
    }

    /// Host and percent-encoded path. `region`: where the bucket is, if that is not where the endpoint is.
    ///
    /// # Errors
    /// [`S3Error::Usage`] for a bucket name that cannot stand in a URL.
    pub(crate) fn place(
        &self,
        bucket: Option<&str>,
        key: Option<&str>,
        region: Option<&str>,
    ) -> Result<(Host, String), S3Error> {
        let base = region.and_then(|region| self.host_of_region(region));
        let base = base.as_deref().unwrap_or(&self.host);
        let Some(bucket) = bucket else { return Ok((Host::new(self.https, base, self.port), "/".to_owned())) };
        check_bucket(bucket)?;
        let mut path = String::with_capacity(2 + bucket.len() + key.map_or(0, |key| key.len() + key.len() / 4));
        path.push('/');
        let host = if self.by_host(bucket) {
            Host::new(self.https, &format!("{bucket}.{base}"), self.port)
        } else {
            path.push_str(bucket);
            Host::new(self.https, base, self.port)
        };
        if let Some(key) = key {
            if path.len() > 1 {
                path.push('/');
            }
            push_escaped_key(&mut path, key);
        }
        Ok((host, path))
    }

    /// AWS's endpoint of another region (`s3.<region>.amazonaws.com`); other stores have one endpoint.
    fn host_of_region(&self, region: &str) -> Option<String> {
        let plain = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !plain(region) {
            return None;
        }
        let (rest, suffix) = match self.host.strip_suffix(".amazonaws.com.cn") {
            Some(rest) => (rest, "amazonaws.com.cn"),
            None => (self.host.strip_suffix(".amazonaws.com")?, "amazonaws.com"),
        };
        (rest == "s3" || rest.strip_prefix("s3.").is_some_and(plain)).then(|| format!("s3.{region}.{suffix}"))
    }

    /// Whether the bucket becomes part of the host name. A name with dots has no certificate there.
    fn by_host(&self, bucket: &str) -> bool {
        let fits = bucket.len() >= 3
            && bucket.len() <= 63
            && bucket.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
            && !(self.https && bucket.contains('.'));
        match self.addressing {
            Addressing::Path => false,
            Addressing::VirtualHost => fits,
            Addressing::Auto => fits && self.is_aws(),
        }
    }
}

/// A bucket name that cannot be taken for something else in a URL. Stores are stricter, each in its own way.
fn check_bucket(bucket: &str) -> Result<(), S3Error> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let dots = bucket.bytes().all(|b| b == b'.');
    if dots || bucket.len() > S3_BUCKET_BYTES_MAX || !bucket.bytes().all(legal) {
        let shown = crate::error::text::cleaned_name(bucket);
        return Err(S3Error::usage_with(
            format!("`{shown}` cannot be the name of a bucket"),
            format!("use 3 to 63 of `a-z`, `0-9`, `-` and `.` (at most {S3_BUCKET_BYTES_MAX} bytes are ever taken)"),
        ));
    }
    Ok(())
}

/// Appends the key as a path: every byte but unreserved ones and `/` percent-encoded (RFC 3986, 2.1).
pub(crate) fn push_escaped_key(path: &mut String, key: &str) {
    for b in key.bytes() {
        if b == b'/' { path.push('/') } else { push_escaped(path, b) }
    }
}

/// Appends one byte as it stands in a name or value of a query.
pub(crate) fn push_escaped(out: &mut String, b: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
        out.push(char::from(b));
    } else {
        out.push('%');
        out.push(char::from(DIGITS[usize::from(b >> 4)]));
        out.push(char::from(DIGITS[usize::from(b & 15)]));
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::S3_BUCKET_BYTES_MAX;

    use super::Endpoint;
    use crate::alias::Addressing;

    fn place(url: &str, addressing: Addressing, bucket: &str, key: &str) -> (String, String) {
        let endpoint = Endpoint::parse(url, addressing).expect("legal");
        let (host, path) = endpoint.place(Some(bucket), Some(key), None).expect("legal");
        (host.authority().to_owned(), path)
    }

    #[test]
    fn aws_gets_virtual_hosts_and_everyone_else_gets_paths() {
        let auto = |url| place(url, Addressing::Auto, "reports", "a b/ü");
        assert_eq!(auto("https://s3.eu-west-1.amazonaws.com").0, "reports.s3.eu-west-1.amazonaws.com");
        assert_eq!(auto("https://s3.eu-west-1.amazonaws.com").1, "/a%20b/%C3%BC");
        assert_eq!(auto("http://127.0.0.1:9000"), ("127.0.0.1:9000".into(), "/reports/a%20b/%C3%BC".into()));
        let dotted = place("https://s3.amazonaws.com", Addressing::Auto, "my.reports", "k");
        assert_eq!(dotted, ("s3.amazonaws.com".into(), "/my.reports/k".into()));
        let asked = place("http://store.example", Addressing::VirtualHost, "reports", "k");
        assert_eq!(asked, ("reports.store.example".into(), "/k".into()));
    }

    #[test]
    fn a_key_is_kept_byte_for_byte() {
        let path = |key| place("http://[::1]:9", Addressing::Path, "bucket", key).1;
        assert_eq!(path("/lead//in/../x/."), "/bucket//lead//in/../x/.");
        assert_eq!(path("a+b%20c?d#e&f=g"), "/bucket/a%2Bb%2520c%3Fd%23e%26f%3Dg");
    }

    #[test]
    fn an_endpoint_that_could_mean_something_else_is_refused() {
        for bad in ["", "store", "ftp://a", "http://", "http://u:hunter2@a", "http://a/p", "http://a/?q", "http://a:0"]
        {
            let error = Endpoint::parse(bad, Addressing::Auto).expect_err(bad).to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_bucket_that_would_change_the_url_is_refused() {
        let endpoint = Endpoint::parse("http://a", Addressing::Auto).expect("legal");
        let long = "b".repeat(S3_BUCKET_BYTES_MAX + 1);
        for bad in ["", ".", "..", "a/b", "a?b", "a b", "a\u{e4}", "a@evil", long.as_str()] {
            let said = endpoint.place(Some(bad), None, None).expect_err(bad).to_string();
            assert!(bad.len() > 9 || said.starts_with(&format!("`{bad}` ")), "{said}");
        }
        assert!(endpoint.place(Some(&long[1..]), None, None).is_ok());
    }

    #[test]
    fn only_an_aws_endpoint_has_a_host_for_every_region() {
        let host = |url, region| {
            let endpoint = Endpoint::parse(url, Addressing::Path).expect("legal");
            endpoint.place(Some("bucket"), None, Some(region)).expect("legal").0.authority().to_owned()
        };
        assert_eq!(host("https://s3.us-east-1.amazonaws.com", "eu-west-1"), "s3.eu-west-1.amazonaws.com");
        assert_eq!(host("https://s3.amazonaws.com", "evil.com/"), "s3.amazonaws.com");
        assert_eq!(host("https://store.example", "eu-west-1"), "store.example");
    }
}
