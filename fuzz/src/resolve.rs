//! Requests of every protocol: S3's router, query forms, JSON, CBOR and the XML bodies.

use hallpass_catalog::CATALOG;
use hallpass_core::policy::{ScopedPolicy, parse_actions};
use hallpass_core::resolve::endpoint::{self, Partition};
use hallpass_core::resolve::{self, Caller, Outcome, Request, Upstream};
use jiff::Timestamp;

use crate::input;

/// A line with the signing name and the region, then a request as text.
pub fn run(data: &[u8]) {
    let Some((first, rest)) = input::line(data) else { return };
    let Some((service, region)) = std::str::from_utf8(first).ok().and_then(|text| text.split_once(' ')) else { return };
    let Some(plain) = input::request(rest) else { return };
    // The gate refuses these before it resolves anything.
    if ["GET", "HEAD"].contains(&plain.method) && !plain.body.is_empty() {
        return;
    }
    let chosen = input::choice(data);
    let request = Request {
        catalog: CATALOG,
        method: plain.method,
        path: plain.path,
        query: plain.query,
        headers: &plain.headers,
        service,
        region,
        caller: Caller {
            partition: [None, Some(Partition::by_name("aws").expect("known"))][chosen & 1],
            account: [None, Some("123456789012")][chosen >> 1 & 1],
            ..Caller::default()
        },
        upstream: [Upstream::Aws, Upstream::Compatible][chosen >> 2 & 1],
        at: None,
        allow_unmapped: &[],
        secure_transport: chosen & 8 == 0,
        now: Timestamp::from_second(1_795_000_000).expect("a time"),
    };
    let head = resolve::head(&request);
    let whole = resolve::with_body(&request, plain.body);
    if let Ok(Outcome::Resolved(resolved)) = &head {
        assert_eq!(Ok(resolved), whole.as_ref(), "the body changed what the head had said");
    }
    assert!(head.is_ok() || whole.is_err(), "refused from its head, and understood from its body");
    let Ok(resolved) = whole else { return };
    assert!(!resolved.accesses.is_empty() && !resolved.operation.is_empty(), "understood, and nothing is asked");
    let _ = endpoint::endpoint(CATALOG, request.caller.partition, &resolved.endpoint, &resolved.region);
    let nothing = ScopedPolicy::default();
    let everything =
        ScopedPolicy { actions: parse_actions("*").expect("legal"), resources: vec!["*".into()], ..nothing.clone() };
    for access in &resolved.accesses {
        assert!(nothing.evaluate(access, &resolved.context).is_err(), "an empty policy allowed {}", access.action);
        let _ = everything.evaluate(access, &resolved.context);
    }
}
