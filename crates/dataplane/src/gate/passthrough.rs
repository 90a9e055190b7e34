//! Hosts that are no business of the gate's: what goes there passes the proxy untouched, unseen and unsigned.
//!
//! Only hosts that whoever started the session has named, only on port 443, and never an address of this machine or
//! of its metadata service, whatever the name resolves to.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::limits::{PASSTHROUGH_HOSTS_MAX, UPSTREAM_CONNECT_TIMEOUT_S};
use tokio::net::TcpStream;

use super::Shared;
use super::socket::Ahead;

/// Names of hosts: `example.com`, `*.example.com` for everything under it, `*` for everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passthrough(Vec<String>);

/// A name is none that traffic could be passed to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PassthroughError {
    /// Not in the syntax.
    #[error("`{0}` is not the name of a host: write `example.com`, `*.example.com` or `*`")]
    Name(String),
    /// Too many.
    #[error("more than {PASSTHROUGH_HOSTS_MAX} hosts to pass through: name what they share as `*.example.com`")]
    TooMany,
}

impl Passthrough {
    /// Reads the names.
    ///
    /// # Errors
    /// [`PassthroughError`] for an address, a port, an upper-case letter or a star elsewhere, and past
    /// [`PASSTHROUGH_HOSTS_MAX`].
    pub fn new(names: Vec<String>) -> Result<Self, PassthroughError> {
        if names.len() > PASSTHROUGH_HOSTS_MAX {
            return Err(PassthroughError::TooMany);
        }
        match names.iter().find(|name| !is_name(name)) {
            Some(bad) => Err(PassthroughError::Name(bad.chars().take(80).collect())),
            None => Ok(Self(names)),
        }
    }

    /// Whether traffic to `host` passes.
    pub(super) fn covers(&self, host: &str) -> bool {
        self.0.iter().any(|name| match name.strip_prefix('*') {
            Some("") => true,
            Some(under) => host.strip_suffix(under).is_some_and(|rest| !rest.is_empty()),
            None => name == host,
        })
    }
}

fn is_name(name: &str) -> bool {
    let rest = name.strip_prefix("*.").unwrap_or(name);
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(legal);
    name == "*" || (rest.len() <= 253 && rest.split('.').all(label) && rest.parse::<IpAddr>().is_err())
}

/// Connects to `host`: resolves, checks, and connects to the very address that was checked.
pub(super) async fn connect(host: &str) -> Result<TcpStream, Denial> {
    let failed = |why: String| Denial::new(DenialCode::UpstreamUnreachable, why);
    let limit = Duration::from_secs(UPSTREAM_CONNECT_TIMEOUT_S);
    let connecting = async {
        let found: Vec<SocketAddr> =
            tokio::net::lookup_host((host, 443)).await.map_err(|e| failed(e.to_string()))?.collect();
        let Some(address) = found.into_iter().find(|address| is_elsewhere(address.ip())) else {
            let why = "the host has no address outside of this machine";
            return Err(Denial::new(DenialCode::ForeignOrigin, why));
        };
        TcpStream::connect(address).await.map_err(|e| failed(format!("{host} is not to be reached: {e}")))
    };
    match tokio::time::timeout(limit, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(failed(format!("{host} did not answer within {UPSTREAM_CONNECT_TIMEOUT_S} s"))),
    }
}

/// Not this machine, not its link (where metadata services live), not everybody.
fn is_elsewhere(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            let [first, ..] = v4.octets();
            !(first == 0 || v4.is_loopback() || v4.is_link_local() || v4.is_multicast() || v4.is_broadcast())
        }
        IpAddr::V6(v6) => {
            // fd00:ec2::254 is the metadata service of EC2.
            let metadata = v6.segments()[..2] == [0xfd00, 0x0ec2];
            !(v6.is_unspecified() || v6.is_loopback() || v6.is_unicast_link_local() || v6.is_multicast() || metadata)
        }
    }
}

/// Moves bytes both ways until one side ends, or the session does.
pub(super) async fn carry(gate: &Shared, tcp: TcpStream, bytes: Bytes, mut far: TcpStream) {
    let mut near = Ahead { bytes, tcp };
    tokio::select! {
        () = gate.phase.closing() => {}
        carried = tokio::io::copy_bidirectional(&mut near, &mut far) => {
            if let Err(error) = carried {
                tracing::debug!(%error, "a tunnel that passes through broke");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::PASSTHROUGH_HOSTS_MAX;

    use super::{Passthrough, PassthroughError, is_elsewhere};

    #[test]
    fn a_name_covers_itself_and_a_star_what_is_under_it() {
        let names = |names: &[&str]| Passthrough::new(names.iter().map(|n| (*n).to_owned()).collect());
        let some = names(&["github.com", "*.example.com"]).expect("names");
        for host in ["github.com", "a.example.com", "a.b.example.com"] {
            assert!(some.covers(host), "{host}");
        }
        for host in ["api.github.com", "example.com", "notgithub.com", "github.com.evil", ".example.com", ""] {
            assert!(!some.covers(host), "{host}");
        }
        assert!(names(&["*"]).expect("a name").covers("anything.at.all"));
        assert!(!Passthrough::default().covers("github.com"));
        for bad in ["", "*.", "a.*", "*a", "127.0.0.1", "[::1]", "a:443", "A.example", "a..b", "https://a", "a/b"] {
            assert_eq!(names(&[bad]), Err(PassthroughError::Name(bad.to_owned())), "{bad}");
        }
        let many = vec!["a.example"; PASSTHROUGH_HOSTS_MAX + 1];
        assert_eq!(names(&many), Err(PassthroughError::TooMany));
    }

    #[test]
    fn no_name_leads_to_this_machine_or_its_metadata_service() {
        let no = ["127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "169.254.169.254", "224.0.0.1", "255.255.255.255"];
        let also = ["::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "fe80::1", "ff02::1", "fd00:ec2::254"];
        for ip in no.into_iter().chain(also) {
            assert!(!is_elsewhere(ip.parse().expect("an address")), "{ip}");
        }
        for ip in ["140.82.121.3", "10.1.2.3", "2606:50c0::1", "fd12::1"] {
            assert!(is_elsewhere(ip.parse().expect("an address")), "{ip}");
        }
    }
}
