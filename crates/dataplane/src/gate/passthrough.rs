//! Hosts that are no business of the gate's: what goes there passes the proxy untouched and unsigned, and is recorded.
//!
//! A host of AWS is never one of them, and no name leads to a metadata service, whatever it resolves to.

mod carry;
mod dial;
mod outer;
mod plain;

use std::net::IpAddr;

use hallpass_core::limits::PASSTHROUGH_HOSTS_MAX;
use hallpass_core::resolve::host::belongs_to_aws;

pub(super) use carry::{Passage, carry, open};
pub use outer::{OuterProxy, OuterProxyError};
pub(super) use plain::{Plain, forward};

/// The word for every host that has a name and addresses of the public internet.
const PUBLIC: &str = "public";

/// Endings of names that only this machine or its network gives a meaning to (RFC 6761, 6762, 8375, 9476).
const PRIVATE_ENDINGS: [&str; 8] =
    ["localhost", "local", "internal", "intranet", "lan", "home.arpa", "onion", "localdomain"];

/// Hosts to pass through: `public`, `example.com`, `*.example.com` for everything under it, `*` for everything, or an
/// address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passthrough {
    hosts: Vec<String>,
    /// Before tunnels, and before plain requests.
    outer: [Option<OuterProxy>; 2],
}

/// How far a connection to a host may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// Addresses of the public internet.
    Public,
    /// Also those of private networks: somebody has named a pattern that covers the host.
    Private,
    /// Also this machine: somebody has named exactly this host.
    Machine,
}

/// A name is none that traffic could be passed to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PassthroughError {
    /// Not in the syntax.
    #[error("`{0}` is not the name of a host: write `example.com`, `*.example.com`, `*`, an address, or `public`")]
    Name(String),
    /// It would lead past the gate.
    #[error("`{0}` is a host of AWS, which never passes the gate untouched: leave it out")]
    Aws(String),
    /// Too many.
    #[error("more than {PASSTHROUGH_HOSTS_MAX} hosts to pass through: name what they share as `*.example.com`")]
    TooMany,
}

impl Passthrough {
    /// Reads the names.
    ///
    /// # Errors
    /// [`PassthroughError`] for a port, an upper-case letter, a star elsewhere or a host of AWS, and past
    /// [`PASSTHROUGH_HOSTS_MAX`].
    pub fn new(names: Vec<String>) -> Result<Self, PassthroughError> {
        if names.len() > PASSTHROUGH_HOSTS_MAX {
            return Err(PassthroughError::TooMany);
        }
        let short = |name: &str| name.chars().take(80).collect();
        if let Some(bad) = names.iter().find(|name| !is_entry(name)) {
            return Err(PassthroughError::Name(short(bad)));
        }
        match names.iter().find(|name| belongs_to_aws(name.trim_start_matches("*."))) {
            Some(bad) => Err(PassthroughError::Aws(short(bad))),
            None => Ok(Self { hosts: names, ..Self::default() }),
        }
    }

    /// Every host with a name and addresses of the public internet.
    pub fn public() -> Self {
        Self { hosts: vec![PUBLIC.to_owned()], ..Self::default() }
    }

    /// Reaches the hosts through the proxies that the caller itself has: `tunnels` for `https`, `plain` for `http`.
    #[must_use]
    pub fn through(self, tunnels: Option<OuterProxy>, plain: Option<OuterProxy>) -> Self {
        Self { outer: [tunnels, plain], ..self }
    }

    /// How far traffic to `host` may reach; `None` when it does not pass.
    pub(super) fn covers(&self, host: &str) -> Option<Reach> {
        if !is_host(host) || belongs_to_aws(host) {
            return None;
        }
        let reach = |name: &String| match name.strip_prefix('*') {
            Some("") => Some(Reach::Private),
            Some(under) => host.strip_suffix(under).filter(|rest| !rest.is_empty()).map(|_| Reach::Private),
            None if name == PUBLIC => is_public_name(host).then_some(Reach::Public),
            None => (name == host).then_some(Reach::Machine),
        };
        self.hosts.iter().filter_map(reach).max()
    }

    fn before_tunnels(&self) -> Option<&OuterProxy> {
        self.outer[0].as_ref()
    }

    fn before_plain(&self) -> Option<&OuterProxy> {
        self.outer[1].as_ref()
    }
}

fn is_entry(name: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(under) => is_host(under) && under.parse::<IpAddr>().is_err(),
        None => name == "*" || is_host(name),
    }
}

/// A name in lower case without a final dot, or an address without brackets.
fn is_host(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(legal);
    name.parse::<IpAddr>().is_ok() || (name.len() <= 253 && name.split('.').all(label))
}

/// What a resolver reads as an address, `127.1` and `0x7f.1` too, has a number for its last label.
fn is_public_name(host: &str) -> bool {
    let Some((_, last)) = host.rsplit_once('.') else { return false };
    let is_private = |end: &str| host.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    last.starts_with(|c: char| c.is_ascii_lowercase()) && !PRIVATE_ENDINGS.iter().any(|end| is_private(end))
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::PASSTHROUGH_HOSTS_MAX;

    use super::{Passthrough, PassthroughError, Reach};

    fn names(names: &[&str]) -> Result<Passthrough, PassthroughError> {
        Passthrough::new(names.iter().map(|n| (*n).to_owned()).collect())
    }

    #[test]
    fn a_name_covers_itself_and_a_star_what_is_under_it() {
        let some = names(&["github.com", "*.example.com", "10.1.2.3", "fd12::1"]).expect("names");
        for host in ["github.com", "10.1.2.3", "fd12::1"] {
            assert_eq!(some.covers(host), Some(Reach::Machine), "{host}");
        }
        for host in ["a.example.com", "a.b.example.com"] {
            assert_eq!(some.covers(host), Some(Reach::Private), "{host}");
        }
        for host in
            ["api.github.com", "example.com", "notgithub.com", "github.com.evil", ".example.com", "", "10.1.2.4"]
        {
            assert_eq!(some.covers(host), None, "{host}");
        }
        assert_eq!(names(&["*"]).expect("a name").covers("anything.at.all"), Some(Reach::Private));
        assert_eq!(Passthrough::default().covers("github.com"), None);
        for bad in ["", "*.", "a.*", "*a", "*.127.0.0.1", "[::1]", "a:443", "A.example", "a..b", "https://a", "a/b"] {
            assert_eq!(names(&[bad]), Err(PassthroughError::Name(bad.to_owned())), "{bad}");
        }
        let many = vec!["a.example"; PASSTHROUGH_HOSTS_MAX + 1];
        assert_eq!(names(&many), Err(PassthroughError::TooMany));
    }

    #[test]
    fn public_covers_names_of_the_internet_and_nothing_that_could_be_nearer() {
        let public = Passthrough::public();
        assert_eq!(names(&["public"]), Ok(public.clone()));
        for host in ["api.anthropic.com", "github.com", "xn--bcher-kva.example", "a_b.example"] {
            assert_eq!(public.covers(host), Some(Reach::Public), "{host}");
        }
        for host in [
            "localhost",
            "a.localhost",
            "intranet",
            "metadata.google.internal",
            "instance-data.ec2.internal",
            "printer.local",
            "140.82.121.3",
            "127.1",
            "0x7f.0.0.1",
            "0x7f000001",
            "2130706433",
            "1.0x7f",
            "2606:50c0::1",
            "example.com.",
            "API.example.com",
            "a%2eexample.com",
            "public",
        ] {
            assert_eq!(public.covers(host), None, "{host}");
        }
        assert_eq!(names(&["public", "intranet"]).expect("names").covers("intranet"), Some(Reach::Machine));
    }

    #[test]
    fn no_host_of_aws_is_ever_passed_through() {
        for host in ["s3.us-east-1.amazonaws.com", "x.elb.eu-west-1.amazonaws.com", "sqs.cn-north-1.amazonaws.com.cn"] {
            for pass in [Passthrough::public(), names(&["*"]).expect("a name")] {
                assert_eq!(pass.covers(host), None, "{host}");
            }
            assert_eq!(names(&[host]), Err(PassthroughError::Aws(host.to_owned())));
        }
        assert!(matches!(names(&["*.amazonaws.com"]), Err(PassthroughError::Aws(_))));
        let wide = names(&["*.com"]).expect("a pattern");
        assert_eq!(wide.covers("s3.amazonaws.com"), None);
    }
}
