//! What must hold for every request, and for none that was changed.

use hallpass_core::sigv4::canonical::path::CanonicalPath;
use hallpass_core::sigv4::canonical::query;
use hallpass_core::sigv4::{PathStyle, PayloadHash};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::rules::decoded;
use super::{Party, Request, key};

/// Pieces from which ambiguous paths and queries are built.
const PIECES: [&str; 30] = [
    "a", "Z", "0", "-", ".", "_", "~", "/", "//", "..", ".", "%2F", "%2f", "%2e", "%2E%2E", "%25", "%20", "+", "%2B",
    "@", ":", "=", "$", "%C3%A4", "%ff", "ä", " ", "\\", ";", "!*'()",
];

fn text(pieces: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(select(pieces), 0..most).prop_map(|pieces| pieces.concat())
}

fn path() -> impl Strategy<Value = String> {
    text(&PIECES, 10).prop_map(|rest| format!("/{rest}"))
}

fn query_string() -> impl Strategy<Value = String> {
    const MORE: [&str; 33] = [
        "a", "Z", "0", "-", ".", "_", "~", "/", "%2F", "%2f", "%25", "%20", "+", "%2B", "@", ":", "=", "=", "=", "&",
        "&", "&", "$", "%C3%A4", "%ff", "%00", "ä", "?", "prefix=", "%26", "%3D", "%61", ";",
    ];
    text(&MORE, 12)
}

fn request() -> impl Strategy<Value = Request> {
    let methods = select(vec!["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH"]);
    let value = proptest::collection::vec(select(b" \tabc,;=\xff\xe4\"0".to_vec()), 0..12);
    let names = select(vec!["range", "x-amz-meta-a", "x-amz-meta-b", "x-amz-acl", "if-match", "content-md5"]);
    let headers = proptest::collection::vec((names, value), 0..5);
    (methods, path(), query_string(), headers).prop_map(|(method, path, query, headers)| {
        let mut request = Request::new(method, "/", &[("host", "127.0.0.1:9000")]);
        (request.path, request.query) = (path, query);
        request.headers.extend(headers.into_iter().map(|(name, value)| (name.to_owned(), value)));
        request
    })
}

fn party() -> impl Strategy<Value = Party> {
    let services =
        select(vec![("s3", PathStyle::S3), ("lambda", PathStyle::Normalised), ("x", PathStyle::NormalisedOnce)]);
    let token = proptest::option::of("[A-Za-z0-9/+=]{0,40}");
    (services, token, proptest::collection::vec(any::<u8>(), 0..40)).prop_map(|((service, style), token, body)| Party {
        key: key("us-east-1", service),
        token,
        payload: PayloadHash::of_body(&body),
        style,
        send_content_sha256: style == PathStyle::S3,
        ..Party::s3()
    })
}

/// Whether the strict reader refuses the request before any signature is made.
fn ambiguous(request: &Request, style: PathStyle) -> bool {
    CanonicalPath::new(&request.path, style).is_err() || query::canonical(&request.query).is_err()
}

/// What a signature says: the canonical text of everything that it covers.
fn meaning(party: &Party, request: &Request) -> Option<Request> {
    let path = CanonicalPath::new(&request.path, party.style).ok()?;
    let query = query::canonical(&request.query).ok()?;
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, value) in &request.headers {
        let folded: Vec<_> = value.split(|b| *b == b' ').filter(|word| !word.is_empty()).collect();
        let folded = folded.join(&b' ').trim_ascii().to_vec();
        match headers.iter_mut().find(|(n, _)| n == name) {
            Some((_, values)) => values.extend([b",".as_slice(), &folded].concat()),
            None => headers.push((name.clone(), folded)),
        }
    }
    headers.sort();
    Some(Request { method: request.method.clone(), path: path.signed().to_owned(), query, headers })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn what_is_signed_is_verified(request in request(), party in party()) {
        prop_assume!(!ambiguous(&request, party.style));
        let sent = party.signed(&request);
        prop_assert_eq!(party.verify(&sent), Ok((sent.path.clone(), sent.query.clone())));
    }

    #[test]
    fn a_flipped_bit_of_method_path_query_or_header_is_found(
        request in request(), party in party(), place in 0_usize..4, which in any::<Index>(), at in any::<Index>(), bit in 0_u32..8,
    ) {
        prop_assume!(!ambiguous(&request, party.style));
        let sent = party.signed(&request);
        let mut changed = sent.clone();
        let flip = |text: &mut String| {
            let mut bytes = std::mem::take(text).into_bytes();
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            // A string that is no longer UTF-8 cannot even be handed over.
            String::from_utf8(bytes).map(|b| *text = b).is_ok()
        };
        let readable = match place {
            0 => flip(&mut changed.method),
            1 => flip(&mut changed.path),
            2 => flip(&mut changed.query),
            _ => {
                let (_, value) = &mut changed.headers[which.index(sent.headers.len())];
                if !value.is_empty() {
                    let at = at.index(value.len());
                    value[at] ^= 1 << bit;
                }
                true
            }
        };
        prop_assume!(readable && meaning(&party, &changed) != meaning(&party, &sent));
        prop_assert!(party.verify(&changed).is_err(), "{:?} {:?}", sent, changed);
    }

    #[test]
    fn a_flipped_bit_of_the_body_is_found(request in request(), party in party(), body in proptest::collection::vec(any::<u8>(), 1..60), at in any::<Index>(), bit in 0_u32..8) {
        prop_assume!(!ambiguous(&request, party.style));
        let party = Party { payload: PayloadHash::of_body(&body), ..party };
        let sent = party.signed(&request);
        let mut other = body.clone();
        other[at.index(body.len())] ^= 1 << bit;
        let party = Party { payload: PayloadHash::of_body(&other), ..party };
        prop_assert!(party.verify(&sent).is_err());
    }

    #[test]
    fn a_header_taken_away_added_or_repeated_is_found(request in request(), party in party(), which in any::<Index>()) {
        prop_assume!(!ambiguous(&request, party.style));
        let sent = party.signed(&request);
        let which = which.index(sent.headers.len());
        let mut less = sent.clone();
        let (name, value) = less.headers.remove(which);
        prop_assert!(party.verify(&less).is_err(), "{name} taken away");
        let mut twice = sent.clone();
        twice.headers.push((name.clone(), value));
        prop_assert!(party.verify(&twice).is_err(), "{name} repeated");
        prop_assert!(party.verify(&sent.and("x-amz-tagging", "v")).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn the_policy_and_the_upstream_see_the_same_path(raw in path(), style in select(vec![PathStyle::S3, PathStyle::Normalised, PathStyle::NormalisedOnce])) {
        let Ok(path) = CanonicalPath::new(&raw, style) else { return Ok(()) };
        // The upstream makes its canonical path from what we sent; it must find the one that we signed.
        let upstream = CanonicalPath::new(&path.sent, style).expect("what is sent is legal");
        prop_assert_eq!(&upstream, &path);
        prop_assert!(path.sent.starts_with('/') && path.sent.bytes().all(|b| b.is_ascii_graphic()));
        if style == PathStyle::S3 {
            prop_assert_eq!(decoded(&raw), decoded(&path.sent), "the key's bytes");
        } else {
            let climbs = |s: &str| matches!(String::from_utf8_lossy(&decoded(s)).as_ref(), "." | "..");
            prop_assert!(!path.sent.split('/').any(climbs) && !path.sent.contains("//"));
        }
    }

    #[test]
    fn the_query_that_is_sent_carries_the_pairs_that_were_received(raw in query_string()) {
        let canonical = query::canonical(&raw).expect("legal");
        prop_assert_eq!(query::canonical(&canonical), Ok(canonical.clone()));
        let pairs = |text: &str| {
            let pieces = text.split('&').filter(|piece| !piece.is_empty());
            let mut pairs: Vec<_> = pieces
                .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
                .map(|(n, v)| (bytes(n), bytes(v)))
                .collect();
            pairs.sort();
            pairs
        };
        prop_assert_eq!(pairs(&raw), pairs(&canonical));
    }
}

fn bytes(text: &str) -> Vec<u8> {
    if text.is_empty() { Vec::new() } else { decoded(text) }
}
