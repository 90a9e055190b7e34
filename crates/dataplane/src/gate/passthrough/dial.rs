//! Connecting to a host that is passed through: its name is resolved once, and what was checked is connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::limits::UPSTREAM_CONNECT_TIMEOUT_S;
use tokio::net::TcpStream;

use super::super::socket::Ahead;
use super::Reach;
use super::outer::OuterProxy;

/// Serves the virtual machines of Azure with their configuration, at an address like any other.
const AZURE_WIRE_SERVER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// A connection, and where it leads to for the log.
#[derive(Debug)]
pub(super) struct Dialled {
    pub(super) far: Ahead,
    pub(super) address: String,
}

/// A stream of any bytes to `host`, directly or through another proxy.
///
/// # Errors
/// [`DenialCode::ForeignOrigin`] when no address of the host may be reached, [`DenialCode::UpstreamUnreachable`] when
/// none could be within [`UPSTREAM_CONNECT_TIMEOUT_S`].
pub(super) async fn stream(outer: Option<&OuterProxy>, host: &str, port: u16, reach: Reach) -> Result<Dialled, Denial> {
    let dialling = async {
        match outer {
            None => direct(host, port, reach).await,
            Some(outer) => {
                may_leave(host, reach)?;
                outer.tunnel(host, port).await.map_err(|why| unreachable(host, &why))
            }
        }
    };
    bounded(host, dialling).await
}

/// A connection for a plain request: to `host`, or to the proxy before it.
///
/// # Errors
/// As [`stream`].
pub(super) async fn plain(outer: Option<&OuterProxy>, host: &str, port: u16, reach: Reach) -> Result<Dialled, Denial> {
    let dialling = async {
        match outer {
            None => direct(host, port, reach).await,
            Some(outer) => {
                may_leave(host, reach)?;
                outer.connect().await.map_err(|why| unreachable(host, &why))
            }
        }
    };
    bounded(host, dialling).await
}

async fn bounded(host: &str, dialling: impl Future<Output = Result<Dialled, Denial>>) -> Result<Dialled, Denial> {
    let limit = Duration::from_secs(UPSTREAM_CONNECT_TIMEOUT_S);
    let late = || unreachable(host, &format!("no answer within {UPSTREAM_CONNECT_TIMEOUT_S} s"));
    tokio::time::timeout(limit, dialling).await.unwrap_or_else(|_| Err(late()))
}

async fn direct(host: &str, port: u16, reach: Reach) -> Result<Dialled, Denial> {
    let found = tokio::net::lookup_host((host, port)).await.map_err(|e| unreachable(host, &e.to_string()))?;
    let (within, beyond): (Vec<SocketAddr>, Vec<SocketAddr>) = found.partition(|found| admits(reach, found.ip()));
    let mut last = None;
    for address in within {
        match TcpStream::connect(address).await {
            Ok(tcp) => {
                let address = address.to_string();
                return Ok(Dialled { far: Ahead { bytes: Bytes::new(), tcp }, address });
            }
            Err(error) => last = Some(error),
        }
    }
    match (last, beyond.first()) {
        (None, Some(address)) => Err(out_of_reach(host, address.ip())),
        (None, None) => Err(unreachable(host, "it has no address")),
        (Some(error), _) => Err(unreachable(host, &error.to_string())),
    }
}

/// Names are resolved by the other proxy, in its own network; addresses are judged here.
fn may_leave(host: &str, reach: Reach) -> Result<(), Denial> {
    match host.parse::<IpAddr>() {
        Ok(ip) if !admits(reach, ip) => Err(out_of_reach(host, ip)),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn unreachable(host: &str, why: &str) -> Denial {
    Denial::new(DenialCode::UpstreamUnreachable, format!("`{host}` could not be reached: {why}"))
}

fn out_of_reach(host: &str, ip: IpAddr) -> Denial {
    let why = format!("`{host}` is at {ip}, an address of this machine, of a private network or of a metadata service");
    let how = "an address of a private network or of this machine is reached when `--passthrough` names the host \
               itself; a metadata service is never reached";
    Denial { how_to_ask: Some(how.to_owned()), ..Denial::new(DenialCode::ForeignOrigin, why) }
}

/// Whether a connection that may reach so far may be made to this address.
fn admits(reach: Reach, ip: IpAddr) -> bool {
    match meant(ip) {
        IpAddr::V4(v4) => !never_v4(v4) && (reach == Reach::Machine || nearest_v4(v4) <= reach),
        IpAddr::V6(v6) => !never_v6(v6) && (reach == Reach::Machine || nearest_v6(v6) <= reach),
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped (RFC 4291), translated (RFC 6052), 6to4 (RFC 3056).
fn meant(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip.to_canonical() else { return ip.to_canonical() };
    let four = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => four(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => four(high, low),
        [0x2002, high, low, ..] => four(high, low),
        _ => IpAddr::V6(v6),
    }
}

/// Nobody, everybody, the link (where metadata services live), and what is not given out.
fn never_v4(ip: Ipv4Addr) -> bool {
    let [first, ..] = ip.octets();
    first == 0 || first >= 224 || ip.is_link_local() || ip == AZURE_WIRE_SERVER
}

fn never_v6(ip: Ipv6Addr) -> bool {
    // fd00:ec2::/32 has the metadata service of EC2, and what is like it.
    let metadata = ip.segments()[..2] == [0xfd00, 0x0ec2];
    ip.is_unspecified() || ip.is_unicast_link_local() || ip.is_multicast() || metadata
}

/// What it takes to reach an address (IANA's registries of special-purpose addresses).
fn nearest_v4(ip: Ipv4Addr) -> Reach {
    let private = match ip.octets() {
        // Shared by carriers; IETF's protocols; documentation; benchmarks.
        [100, 64..=127, ..] | [192, 0, 0 | 2, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        _ => ip.is_private(),
    };
    if ip.is_loopback() {
        Reach::Machine
    } else if private {
        Reach::Private
    } else {
        Reach::Public
    }
}

fn nearest_v6(ip: Ipv6Addr) -> Reach {
    // Only 2000::/3 is given out, and 2001:db8::/32 is for documentation.
    let [first, second, ..] = ip.segments();
    if ip.is_loopback() {
        Reach::Machine
    } else if first & 0xe000 != 0x2000 || (first, second) == (0x2001, 0xdb8) {
        Reach::Private
    } else {
        Reach::Public
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reach;
    use super::{admits, may_leave};

    fn reaches(reach: Reach, addresses: &[&str]) -> Vec<bool> {
        addresses.iter().map(|ip| admits(reach, ip.parse().expect("an address"))).collect()
    }

    #[test]
    fn no_name_leads_to_a_metadata_service_or_to_nobody() {
        let never = [
            "169.254.169.254",
            "169.254.170.2",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "fd00:ec2::254",
            "168.63.129.16",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "fe80::1",
            "ff02::1",
        ];
        for reach in [Reach::Public, Reach::Private, Reach::Machine] {
            assert!(!reaches(reach, &never).contains(&true), "{reach:?}: {:?}", reaches(reach, &never));
        }
        assert!(may_leave("169.254.169.254", Reach::Machine).is_err() && may_leave("a.example", Reach::Public).is_ok());
    }

    #[test]
    fn this_machine_and_private_networks_are_reached_by_name_only() {
        let machine = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"];
        let private = ["10.1.2.3", "172.16.0.1", "192.168.0.1", "100.100.100.200", "198.18.0.1", "fd12::1", "fc00::1"];
        let public = ["140.82.121.3", "172.32.0.1", "2606:50c0::1"];
        for (reach, expected) in [
            (Reach::Public, [false, false, true]),
            (Reach::Private, [false, true, true]),
            (Reach::Machine, [true, true, true]),
        ] {
            for (addresses, expected) in [&machine[..], &private, &public].into_iter().zip(expected) {
                assert!(reaches(reach, addresses).iter().all(|is| *is == expected), "{reach:?}: {addresses:?}");
            }
        }
    }
}
