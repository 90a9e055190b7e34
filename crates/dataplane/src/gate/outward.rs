//! Which of the gate's own connections go through a proxy of the caller's, as every SDK's would: https ones, unless
//! `NO_PROXY` names the host. What is on this machine never does.

use std::net::IpAddr;

use super::passthrough::{OuterProxy, OuterProxyError};

/// The caller's proxy for https, and the hosts that are reached without it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outward {
    /// A proxy that cannot be gone through is told to whoever needs it: nothing goes another way instead.
    proxy: Option<Result<OuterProxy, OuterProxyError>>,
    direct: Vec<String>,
}

impl Outward {
    /// From the values of `HTTPS_PROXY` (`http://[user:password@]host[:port]`) and `NO_PROXY`: hosts, domains,
    /// addresses and networks (`10.0.0.0/8`) with commas between, `host:port` for one port; `*` is everything.
    pub fn new(https_proxy: Option<&str>, no_proxy: Option<&str>) -> Self {
        let proxy = https_proxy.map(str::trim).filter(|url| !url.is_empty()).map(OuterProxy::parse);
        let names = no_proxy.unwrap_or_default().split([',', ' ']).map(|name| name.trim().to_ascii_lowercase());
        Self { proxy, direct: names.filter(|name| !name.is_empty()).collect() }
    }

    /// The proxy of a connection over https, if it goes through one.
    ///
    /// # Errors
    /// Why it cannot.
    pub(super) fn before(&self, host: &str, port: u16) -> Result<Option<&OuterProxy>, &OuterProxyError> {
        match &self.proxy {
            Some(proxy) if !is_this_machine(host) && !self.direct.iter().any(|name| is_named(name, host, port)) => {
                proxy.as_ref().map(Some)
            }
            Some(_) | None => Ok(None),
        }
    }
}

fn is_this_machine(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let loopback = |ip: IpAddr| ip.to_canonical().is_loopback() || ip.is_unspecified();
    host == "localhost" || host.ends_with(".localhost") || host.parse().is_ok_and(loopback)
}

/// `example.com`, `.example.com` and `*.example.com` name the host and everything below it.
fn is_named(name: &str, host: &str, port: u16) -> bool {
    if name == "*" {
        return true;
    }
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if let Ok(ip) = host.parse::<IpAddr>()
        && let Some(within) = is_within(name, ip)
    {
        return within;
    }
    let (name, only) = match name.rsplit_once(':') {
        Some((name, only)) => (name, Some(only)),
        None => (name, None),
    };
    let domain = name.trim_start_matches('*').trim_start_matches('.').trim_matches(['[', ']']);
    let below = host.strip_suffix(domain).is_some_and(|rest| !domain.is_empty() && rest.ends_with('.'));
    (host == domain || below) && only.is_none_or(|only| only.parse() == Ok(port))
}

/// Whether an address is another, or in a network; `None` where the name is neither.
fn is_within(name: &str, ip: IpAddr) -> Option<bool> {
    let (network, bits) = name.split_once('/').map_or((name, None), |(network, bits)| (network, Some(bits)));
    let network: IpAddr = network.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    let wide = |ip: IpAddr| match ip.to_canonical() {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96, 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    };
    let ((one, length), (other, its_length)) = (wide(network), wide(ip));
    let bits: u32 = bits.map_or(Ok(length), str::parse).ok()?;
    let apart = (one ^ other).leading_zeros();
    Some(length == its_length && bits <= length && (apart >= bits || one == other))
}

#[cfg(test)]
mod tests {
    use super::Outward;

    fn goes_through(no_proxy: &str, host: &str) -> bool {
        let outward = Outward::new(Some("http://me:secret@proxy.corp:3128"), Some(no_proxy));
        outward.before(host, 443).expect("usable").is_some()
    }

    #[test]
    fn what_is_on_this_machine_never_goes_through_a_proxy() {
        for host in
            ["localhost", "LOCALHOST.", "x.localhost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "0.0.0.0"]
        {
            assert!(!goes_through("", host), "{host}");
        }
        for host in ["s3.us-east-1.amazonaws.com", "localhost.example.com", "10.0.0.1", "128.0.0.1"] {
            assert!(goes_through("", host), "{host}");
        }
        assert!(Outward::default().before("example.com", 443).expect("none").is_none());
        assert!(Outward::new(Some(" "), None).before("example.com", 443).expect("none").is_none());
    }

    #[test]
    fn no_proxy_names_hosts_domains_ports_addresses_and_networks() {
        for (no_proxy, host, through) in [
            ("*", "s3.amazonaws.com", false),
            ("amazonaws.com", "s3.amazonaws.com", false),
            (".amazonaws.com", "s3.amazonaws.com", false),
            ("*.amazonaws.com", "s3.AMAZONAWS.com.", false),
            ("x.example, s3.amazonaws.com", "s3.amazonaws.com", false),
            ("s3.amazonaws.com:443", "s3.amazonaws.com", false),
            ("s3.amazonaws.com:8443", "s3.amazonaws.com", true),
            ("zonaws.com", "s3.amazonaws.com", true),
            ("s3.amazonaws.com.evil", "s3.amazonaws.com", true),
            ("10.0.0.0/8", "10.1.2.3", false),
            ("10.0.0.0/8", "11.1.2.3", true),
            ("0.0.0.0/0", "11.1.2.3", false),
            ("10.0.0.0/33", "10.0.0.1", true),
            ("10.1.2.3", "10.1.2.3", false),
            ("fd00::/8", "fd12::1", false),
            ("[fd12::1]", "fd12::1", false),
            ("fd00::/8", "10.0.0.1", true),
            ("., ,", "s3.amazonaws.com", true),
        ] {
            assert_eq!(goes_through(no_proxy, host), through, "{no_proxy} {host}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_gone_through_is_an_error_and_never_another_way() {
        let outward = Outward::new(Some("socks5://me:secret@proxy.corp:1080"), None);
        let error = outward.before("s3.amazonaws.com", 443).expect_err("refused").to_string();
        assert!(error.contains("http://") && !error.contains("secret"), "{error}");
        assert!(outward.before("127.0.0.1", 443).expect("not needed").is_none());
    }
}
