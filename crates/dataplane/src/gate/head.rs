//! First step: is this a request that can be read in exactly one way, from the child and not from a web page?

use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::resolve::host::AwsHost;
use http::request::Parts;
use http::{Method, Version, header};

use super::address::Address;
use super::fail_points::fail_point;
use super::wire::{Fault, Framing};

/// The request lines of an AWS call. OPTIONS belongs to browsers; CONNECT and TRACE to proxies.
const METHODS: [Method; 6] = [Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::DELETE, Method::PATCH];

/// Headers that browsers send and no AWS client does (CVE-2025-66414 and its kin: pages that drive loopback servers).
const FOREIGN: [&str; 6] = ["origin", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "sec-websocket-key", "dnt"];

/// Headers by which some servers read another method, host or path than the request line's.
const OVERRIDES: [&str; 7] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "x-forwarded-host",
    "forwarded",
];

/// Headers that may come on several lines, because they are lists for whose order nobody decides anything.
const LISTS: [header::HeaderName; 3] = [header::ACCEPT, header::ACCEPT_ENCODING, header::ACCEPT_LANGUAGE];

/// The names by which the gate may be addressed.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    /// As the child was given it.
    own: [String; 2],
    /// Behind a bucket. A name under `localhost` never leaves the machine (RFC 6761, 6.3).
    behind_bucket: [String; 2],
}

impl Hosts {
    pub(super) fn new(port: u16) -> Self {
        Self {
            own: [format!("127.0.0.1:{port}"), format!("localhost:{port}")],
            behind_bucket: [format!(".s3.localhost:{port}"), format!(".localhost:{port}")],
        }
    }

    fn address(&self, named: &[u8]) -> Option<Address> {
        let named = str::from_utf8(named).ok()?;
        if self.own.iter().any(|ours| ours == named) {
            return Some(Address::Gate);
        }
        let bucket = self.behind_bucket.iter().find_map(|behind| named.strip_suffix(behind.as_str()))?;
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
        (!bucket.is_empty() && bucket.bytes().all(legal)).then(|| Address::Bucket(bucket.to_owned()))
    }
}

/// Where a request arrived: at the gate itself, in a tunnel to a host, or as a proxy's plain request for a host.
#[derive(Debug, Clone, Copy)]
pub(super) enum Arrival<'a> {
    Gate(&'a Hosts),
    For(&'a AwsHost),
}

/// Checks a head. Everything refused here is refused without a look at who asks.
pub(super) fn check(
    parts: &Parts,
    framing: Result<Framing, Fault>,
    arrival: Arrival<'_>,
) -> Result<(Framing, Address), Denial> {
    fail_point!("gate::head", Err(super::refuse::injected()));
    let framing = framing.map_err(|fault| match fault {
        Fault::Malformed(why) => malformed(why),
        Fault::TooLarge => Denial::new(DenialCode::TooLarge, "the request's head is too large"),
    })?;
    if parts.version != Version::HTTP_11 {
        return Err(malformed("send HTTP/1.1"));
    }
    if !METHODS.contains(&parts.method) {
        return Err(malformed("this method is not used by any AWS call"));
    }
    if !parts.uri.path().starts_with('/') {
        return Err(malformed("the request line must name a path that begins with `/`"));
    }
    let address = check_origin(parts, arrival)?;
    check_hop_by_hop(parts)?;
    if parts.headers.keys().any(|name| OVERRIDES.contains(&name.as_str())) {
        return Err(malformed("a header asks for another method, host or path than the request line"));
    }
    if parts.headers.len() != parts.headers.keys_len() {
        check_repeated(parts)?;
    }
    check_body(parts, framing)?;
    Ok((framing, address))
}

/// A GET says everything in its URL. What a body says beside it, some servers read, and nobody here would have.
fn check_body(parts: &Parts, framing: Framing) -> Result<(), Denial> {
    let bodiless = [Method::GET, Method::HEAD].contains(&parts.method);
    if bodiless && !matches!(framing, Framing::None | Framing::Length(0)) {
        return Err(malformed("a GET or HEAD request has no body"));
    }
    Ok(())
}

/// One value on two lines and the same value on one line have the same signature, and not always the same meaning.
fn check_repeated(parts: &Parts) -> Result<(), Denial> {
    let repeated = |name: &&header::HeaderName| parts.headers.get_all(*name).iter().nth(1).is_some();
    match parts.headers.keys().filter(repeated).find(|name| !LISTS.contains(name)) {
        Some(name) => Err(malformed(&format!("the header `{name}` occurs more than once"))),
        None => Ok(()),
    }
}

/// Only the exact address that the child was given, or the host of its tunnel, and nothing that a browser sent.
fn check_origin(parts: &Parts, arrival: Arrival<'_>) -> Result<Address, Denial> {
    let foreign = |why: &str| Err(Denial::new(DenialCode::ForeignOrigin, why));
    let mut host = parts.headers.get_all(header::HOST).iter();
    let (Some(named), None) = (host.next(), host.next()) else {
        return foreign("the request must name this gate in exactly one Host header");
    };
    let address = match arrival {
        Arrival::Gate(hosts) => hosts.address(named.as_bytes()),
        Arrival::For(host) => is_host(named.as_bytes(), &host.host).then(|| Address::Aws(host.clone())),
    };
    let Some(address) = address else { return foreign("the request is for another host") };
    if parts.headers.keys().any(|name| FOREIGN.contains(&name.as_str())) {
        return foreign("requests of web pages are not served");
    }
    Ok(address)
}

/// `host`, or `host:443`, letter by letter.
fn is_host(named: &[u8], host: &str) -> bool {
    named.strip_suffix(b":443").unwrap_or(named) == host.as_bytes()
}

/// `Connection` may say `close` or `keep-alive`; a header that it names would be signed and then removed.
fn check_hop_by_hop(parts: &Parts) -> Result<(), Denial> {
    if parts.headers.contains_key(header::UPGRADE) || parts.headers.contains_key("http2-settings") {
        return Err(malformed("no other protocol is spoken here"));
    }
    for value in parts.headers.get_all(header::CONNECTION) {
        for token in value.as_bytes().split(|b| *b == b',') {
            let token = token.trim_ascii();
            if !token.eq_ignore_ascii_case(b"close") && !token.eq_ignore_ascii_case(b"keep-alive") {
                return Err(malformed("Connection may only say `close` or `keep-alive`"));
            }
        }
    }
    let mut expectations = parts.headers.get_all(header::EXPECT).iter();
    if expectations.any(|value| !value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        return Err(malformed("Expect may only say `100-continue`"));
    }
    Ok(())
}

fn malformed(why: &str) -> Denial {
    Denial::new(DenialCode::Malformed, why)
}
