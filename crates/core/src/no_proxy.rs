//! Which hosts are reached without the caller's proxy: what is on this machine, and what `NO_PROXY` names, as curl, Go and
//! Python read it.

use std::net::IpAddr;

/// The value of `NO_PROXY`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoProxy(Vec<String>);

impl NoProxy {
    /// Hosts, domains, addresses and networks (`10.0.0.0/8`) with commas or spaces between, `host:port` for one port;
    /// `*` is everything.
    pub fn new(value: &str) -> Self {
        let names = value.split([',', ' ']).map(|name| name.trim().to_ascii_lowercase());
        Self(names.filter(|name| !name.is_empty()).collect())
    }

    /// True when no proxy stands before this host. An IPv6 address comes without brackets.
    pub fn holds(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        is_this_machine(&host) || self.0.iter().any(|name| is_named(name, &host, port))
    }
}

fn is_this_machine(host: &str) -> bool {
    let loopback = |ip: IpAddr| ip.to_canonical().is_loopback() || ip.is_unspecified();
    host == "localhost" || host.ends_with(".localhost") || host.parse().is_ok_and(loopback)
}

/// `example.com`, `.example.com` and `*.example.com` name the host and everything below it.
fn is_named(name: &str, host: &str, port: u16) -> bool {
    if name == "*" {
        return true;
    }
    let address = host.parse::<IpAddr>().ok();
    if let Some(within) = address.and_then(|ip| is_within(name, ip)) {
        return within;
    }
    let (name, only) = match name.rsplit_once(':') {
        Some((name, only)) => (name, Some(only)),
        None => (name, None),
    };
    let domain = name.trim_start_matches('*').trim_start_matches('.').trim_end_matches('.').trim_matches(['[', ']']);
    let ends = host.strip_suffix(domain).is_some_and(|rest| !domain.is_empty() && rest.ends_with('.'));
    (host == domain || ends && address.is_none()) && only.is_none_or(|only| only.parse() == Ok(port))
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
    use super::NoProxy;

    #[test]
    fn what_is_on_this_machine_never_goes_through_a_proxy() {
        for host in
            ["localhost", "LOCALHOST.", "x.localhost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "0.0.0.0"]
        {
            assert!(NoProxy::default().holds(host, 443), "{host}");
        }
        for host in ["s3.us-east-1.amazonaws.com", "localhost.example.com", "10.0.0.1", "128.0.0.1"] {
            assert!(!NoProxy::default().holds(host, 443), "{host}");
        }
    }

    #[test]
    fn no_proxy_names_hosts_domains_ports_addresses_and_networks() {
        for (no_proxy, host, holds) in [
            ("*", "s3.amazonaws.com", true),
            ("amazonaws.com", "s3.amazonaws.com", true),
            (".amazonaws.com", "s3.amazonaws.com", true),
            (".amazonaws.com", "amazonaws.com", true),
            ("*.amazonaws.com", "s3.AMAZONAWS.com.", true),
            ("AmazonAWS.com.", "s3.amazonaws.com", true),
            ("x.example, s3.amazonaws.com", "s3.amazonaws.com", true),
            ("x.example s3.amazonaws.com", "s3.amazonaws.com", true),
            ("s3.amazonaws.com:443", "s3.amazonaws.com", true),
            ("s3.amazonaws.com:8443", "s3.amazonaws.com", false),
            ("s3.amazonaws.com:x", "s3.amazonaws.com", false),
            ("zonaws.com", "s3.amazonaws.com", false),
            ("s3.amazonaws.com.evil", "s3.amazonaws.com", false),
            ("s3.amazonaws.com", "amazonaws.com", false),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("10.0.0.0/8", "x10.1.2.3", false),
            ("0.0.0.0/0", "11.1.2.3", true),
            ("10.0.0.0/33", "10.0.0.1", false),
            ("10.0.0.0/x", "10.0.0.1", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3:443", "10.1.2.3", true),
            ("10.1.2.3:80", "10.1.2.3", false),
            ("2.3", "10.1.2.3", false),
            ("fd00::/8", "fd12::1", true),
            ("[fd12::1]", "fd12::1", true),
            ("[fd12::1]:443", "fd12::1", true),
            ("[fd12::1]:80", "fd12::1", false),
            ("fd00::/8", "10.0.0.1", false),
            ("., ,", "s3.amazonaws.com", false),
            ("", "s3.amazonaws.com", false),
        ] {
            assert_eq!(NoProxy::new(no_proxy).holds(host, 443), holds, "{no_proxy} {host}");
        }
    }
}
