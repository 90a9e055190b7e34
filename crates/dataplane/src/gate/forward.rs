//! Records, signs and sends one allowed request, and passes the answer on.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use hallpass_core::credential::Credential;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::limits::{UPSTREAM_ERROR_PEEK_BYTES_MAX, UPSTREAM_RESPONSE_TIMEOUT_S};
use hallpass_core::resolve::Resolved;
use hallpass_core::sigv4::checksum::AnnouncedChecksums;
use hallpass_core::sigv4::chunked::{ChunkChain, Decoder, Encoder};
use hallpass_core::sigv4::events::EventDecoder;
use hallpass_core::sigv4::{PathStyle, PayloadHash};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::Shared;
use super::body::Child;
use super::budget::Tab;
use super::connection::Connection;
use super::download::{Answer, Download};
use super::events;
use super::fail_points::fail_point;
use super::headers;
use super::invitation::Invitation;
use super::link::LinkError;
use super::record::{entry, record};
use super::refusal::refusal_code;
use super::settle::Settle;
use super::sign::{Outbound, Unsigned, credential, sign_request};
use super::tls::Offer;
use super::upload::{Held, Transit, Upload};
use super::verify::checksum_denied;
use super::wire::Framing;

/// A request that was decided on.
pub(super) struct Allowed<'a> {
    pub(super) unsigned: Unsigned<'a>,
    pub(super) resolved: &'a Resolved,
    /// What a policy that is only tried out says against it.
    pub(super) would_deny: Option<Denial>,
    pub(super) body: Body,
    /// Set as soon as the request has an entry in the log.
    pub(super) recorded: &'a AtomicBool,
}

/// The body of a request that was decided on.
pub(super) enum Body {
    /// In memory, so the request can be sent twice.
    Whole(Bytes),
    /// Still with the child.
    Stream(Option<Box<Decoder>>),
    /// Still with the child, event by event.
    Events(Option<Box<EventDecoder>>),
}

/// Sends an allowed request. When the upstream says that *our* credential has expired, a new one is asked for and
/// the request is recorded, signed and sent once more, if its body is in memory.
///
/// # Errors
/// Why no answer of the upstream can be passed on.
pub(super) async fn forward(
    gate: &Arc<Shared>,
    connection: &Arc<Connection>,
    mut allowed: Allowed<'_>,
    child: &mut Child,
) -> Result<Response<Answer>, Denial> {
    let expired = "the real credential has expired and could not be renewed";
    for last in [false, true] {
        let (mut settle, outbound, credential) = recorded_and_signed(gate, &allowed, child).await?;
        let upload = upload(gate, &mut allowed, child, &outbound, &credential, settle.tab())
            .inspect_err(|denial| settle.fault(format!("not sent: {}", denial.code.as_str())))?;
        let sent = send(gate, connection, &allowed, outbound, upload, &mut settle).await?;
        let (mut head, mut rest) = sent.response.into_parts();
        let ahead = peek(head.status, &mut rest).await;
        let length = hyper::body::Body::size_hint(&rest).exact().unwrap_or(0).saturating_add(ahead.len() as u64);
        settle.tab().download(length).inspect_err(|denial| settle.fault(denial.code.as_str()))?;
        if !credential_expired(gate, &allowed, &credential, &head, &ahead) {
            settle.refusal = refusal_code(head.status, &head.headers, &ahead);
            headers::strip_answer(&mut head.headers);
            if sent.unwanted {
                // The child may be sending its body already; there is nobody to read it.
                head.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            return Ok(answer(gate, connection, head, ahead, rest, settle));
        }
        settle.fault("the real credential had expired");
        drop((rest, settle));
        gate.source.invalidate();
        if last || !matches!(allowed.body, Body::Whole(_)) {
            break;
        }
    }
    Err(Denial::new(DenialCode::CredentialUnavailable, expired))
}

/// Invariant 4: first the entry, then the credential and the signature. Before both, room in the session's account.
async fn recorded_and_signed(
    gate: &Arc<Shared>,
    allowed: &Allowed<'_>,
    child: &Child,
) -> Result<(Settle, Outbound, Credential), Denial> {
    let since = Instant::now();
    let (body, bytes_in) = match &allowed.body {
        Body::Whole(body) => (Some(body.as_ref()), Some(body.len() as u64)),
        Body::Stream(_) | Body::Events(_) => (None, declared(child)),
    };
    let tab = Tab::open(gate, allowed.resolved, allowed.unsigned.query, body, bytes_in).await?;
    let (method, host) = (allowed.unsigned.method.as_str(), allowed.unsigned.route.target.shown());
    let event = entry(allowed.resolved, method, &host, allowed.would_deny.as_ref());
    #[cfg(feature = "failpoints")]
    if super::fail_points::broken_order() {
        let credential = credential(gate).await?;
        let outbound = sign_request(gate, &allowed.unsigned, &credential)?;
        return Ok((record(gate, event, since, tab).await?, outbound, credential));
    }
    #[cfg(feature = "failpoints")]
    if super::fail_points::broken_wait() {
        let credential = credential(gate).await?;
        let outbound = sign_request(gate, &allowed.unsigned, &credential)?;
        let (late, late_tab) = (Arc::clone(gate), Arc::clone(&tab));
        let entry_comes_late = async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            drop(record(&late, event, since, late_tab).await);
        };
        gate.tasks.spawn_on(entry_comes_late, &gate.runtime);
        return Ok((Settle::new(Arc::clone(gate), 0, since, tab), outbound, credential));
    }
    let mut settle = record(gate, event, since, tab).await?;
    allowed.recorded.store(true, Ordering::Relaxed);
    let unsigned = |denial: &Denial| format!("not signed: {}", denial.code.as_str());
    let credential = credential(gate).await.inspect_err(|denial| settle.fault(unsigned(denial)))?;
    let outbound =
        sign_request(gate, &allowed.unsigned, &credential).inspect_err(|denial| settle.fault(unsigned(denial)))?;
    Ok((settle, outbound, credential))
}

/// Bytes of the child's body, where it says so.
fn declared(child: &Child) -> Option<u64> {
    match child.framing() {
        Framing::Length(bytes) => Some(bytes),
        Framing::None | Framing::Chunked => None,
    }
}

fn upload(
    gate: &Arc<Shared>,
    allowed: &mut Allowed<'_>,
    child: &mut Child,
    outbound: &Outbound,
    credential: &Credential,
    tab: &Arc<Tab>,
) -> Result<Upload, Denial> {
    let (decoder, events) = match &mut allowed.body {
        Body::Whole(body) => return Ok(Upload::whole(body.clone(), gate.switch.clone())),
        Body::Stream(decoder) => (decoder.take(), None),
        Body::Events(decoder) => (None, decoder.take()),
    };
    let length = declared(child);
    let incoming = child.take()?;
    let switch = gate.switch.clone();
    if let Some(decoder) = events {
        let Unsigned { route, service, .. } = allowed.unsigned;
        let signer = events::signer(gate, credential, &route.region, service, outbound)?;
        let upload = Upload::events(incoming, *decoder, signer, Arc::clone(&gate.clock), length, switch);
        return Ok(upload.metered(Arc::clone(tab)));
    }
    let upload = match (allowed.unsigned.payload, decoder) {
        (PayloadHash::Unsigned, _) => match announced(allowed)? {
            checksums if checksums.is_empty() => Upload::plain(incoming, length, switch),
            checksums => Upload::announced(incoming, checksums, length, switch),
        },
        (PayloadHash::Sha256(sha256), _) => Upload::hashed(incoming, sha256, length, switch),
        (streaming, Some(decoder)) => {
            let mode = streaming.chunk_mode().ok_or_else(unframed)?;
            let signed = streaming != PayloadHash::StreamingUnsignedTrailer;
            let key = outbound.key.as_ref().zip(outbound.seed).filter(|_| signed);
            let chain = key.map(|(key, seed)| ChunkChain::new(Arc::clone(key), outbound.at, seed));
            let encoder = Encoder::new(mode, chain).map_err(|_| unframed())?;
            Upload::chunked(incoming, *decoder, encoder, length, switch)
        }
        (_, None) => return Err(unframed()),
    };
    Ok(upload.metered(Arc::clone(tab)))
}

/// The checksums that the headers of a plain upload announce for its body. Elsewhere (`CompleteMultipartUpload`) the
/// same headers mean a whole object, which does not pass here.
fn announced(allowed: &Allowed<'_>) -> Result<AnnouncedChecksums, Denial> {
    let of_the_body = allowed.unsigned.path_style == PathStyle::S3
        && ["PutObject", "UploadPart"].contains(&allowed.resolved.operation.as_str());
    let view = if of_the_body { headers::view(allowed.unsigned.headers) } else { Vec::new() };
    AnnouncedChecksums::of(&view).map_err(|e| checksum_denied(&e))
}

fn unframed() -> Denial {
    Denial::new(DenialCode::Malformed, "the body is not framed as it was announced")
}

async fn send(
    gate: &Shared,
    connection: &Connection,
    allowed: &Allowed<'_>,
    outbound: Outbound,
    mut upload: Upload,
    settle: &mut Settle,
) -> Result<Sent, Denial> {
    let (mut head, ()) = outbound.request.into_parts();
    declare_length(&mut head.headers, allowed.unsigned.method, &upload);
    let transit = upload.transit();
    settle.watch(Arc::clone(&transit));
    fail_point!("gate::forward", Err(super::refuse::injected()));
    let announced = invitation(connection, allowed, &mut upload).map(|held| (held, head.clone()));
    let mut request = http::Request::from_parts(head, upload);
    if let Some(((invitation, _), _)) = &announced {
        invitation.ask(&mut request);
    }
    settle.tab().sent();
    let target = &allowed.unsigned.route.target;
    let offer = if matches!(allowed.body, Body::Events(_)) { Offer::Both } else { Offer::One };
    let stalled = |settle: &mut Settle| {
        settle.fault("neither the body nor an answer moved for too long");
        unknown("neither the body nor an answer has moved for too long")
    };
    let sending = connection.link.send(target, gate.way_out(offer), request);
    let mut sent = unless_stalled(sending, &transit).await.ok_or_else(|| stalled(settle))?;
    let (mut unwanted, mut silent) = (false, false);
    if let (Some(((invitation, held), head)), Ok(response)) = (announced, &sent) {
        unwanted = invitation.decline();
        silent = invitation.was_silent();
        // What is not sent is let go of, for the child's sake.
        let body = held.take().filter(|_| unwanted && response.status() == StatusCode::EXPECTATION_FAILED);
        if let Some(body) = body {
            // It cannot wait (RFC 9110, 10.1.1), and nothing of the body has gone out: the same request, unannounced.
            connection.link.cut();
            let again = connection.link.send(target, gate.way_out(offer), http::Request::from_parts(head, body));
            sent = unless_stalled(again, &transit).await.ok_or_else(|| stalled(settle))?;
            (unwanted, silent) = (false, true);
        }
    }
    fail_point!("gate::answer", Err(super::refuse::injected()));
    match sent {
        Ok(response) if response.status().is_informational() => {
            settle.fault("the upstream wanted to speak another protocol");
            Err(unknown("the upstream wanted to speak another protocol"))
        }
        Ok(response) => {
            settle.status = Some(response.status().as_u16());
            settle.upstream_request_id = request_id(response.headers());
            if silent {
                connection.link.silent();
            }
            Ok(Sent { response, unwanted })
        }
        Err(error) => Err(unanswered(transit.fault(), error, settle)),
    }
}

/// What is said of a request that got no answer, and recorded.
fn unanswered(upload: Option<&Denial>, error: LinkError, settle: &mut Settle) -> Denial {
    match (upload, error) {
        (Some(denial), _) => {
            settle.fault(denial.code.as_str());
            denial.clone()
        }
        (None, LinkError::Connect(why)) => {
            settle.tab().not_sent();
            settle.fault("not sent: the upstream is not to be reached");
            unreachable(&format!("the upstream is not to be reached: {why}"))
        }
        (None, error @ LinkError::Unsent(_)) => {
            tracing::debug!(%error, "the upstream took no request");
            settle.fault("not sent: the upstream closed the connection");
            unreachable("the upstream closed the connection before the request was sent")
        }
        (None, error @ LinkError::Broken(_)) => {
            tracing::debug!(%error, "no answer of the upstream");
            settle.fault("the upstream broke the connection");
            unknown("the upstream broke the connection before it answered")
        }
    }
}

/// The upstream's answer.
struct Sent {
    response: Response<Incoming>,
    /// It came before the upstream asked for the body, which is not sent.
    unwanted: bool,
}

/// Where a large body waits for the upstream's word. Not for one that was silent before.
fn invitation(connection: &Connection, allowed: &Allowed<'_>, upload: &mut Upload) -> Option<(Invitation, Held)> {
    let silent = connection.link.is_silent(&allowed.unsigned.route.target);
    if silent { None } else { upload.wait() }
}

/// The request was sent. Whether it was carried out is for the upstream to know, so nothing here invites a retry.
fn unknown(why: &str) -> Denial {
    let mut denial = Denial::new(DenialCode::OutcomeUnknown, format!("{why}: the call may have been carried out"));
    denial.how_to_ask = Some("look whether it was before you send it again".to_owned());
    denial
}

fn unreachable(why: &str) -> Denial {
    Denial::new(DenialCode::UpstreamUnreachable, why)
}

/// A streamed body keeps its length; an empty one of a method that usually has one says so, as AWS demands.
fn declare_length(headers: &mut HeaderMap, method: &Method, upload: &Upload) {
    let length = hyper::body::Body::size_hint(upload).exact();
    if let Some(length) = length.filter(|n| *n > 0 || [Method::PUT, Method::POST, Method::PATCH].contains(method)) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
}

/// The answer's head, or `None` when neither it nor a byte of the upload moved for [`UPSTREAM_RESPONSE_TIMEOUT_S`].
async fn unless_stalled<T>(sending: impl Future<Output = T>, transit: &Transit) -> Option<T> {
    let mut sending = pin!(sending);
    let mut seen = 0;
    loop {
        let limit = Duration::from_secs(UPSTREAM_RESPONSE_TIMEOUT_S);
        match tokio::time::timeout(limit, sending.as_mut()).await {
            Ok(sent) => return Some(sent),
            Err(_) if transit.bytes() == seen => return None,
            Err(_) => seen = transit.bytes(),
        }
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let named = ["x-amz-request-id", "x-amzn-requestid"].into_iter().find_map(|name| headers.get(name));
    let text = named.and_then(|value| value.to_str().ok())?;
    Some(text.chars().take(128).collect())
}

/// Reads the beginning of an answer that may say that a credential has expired.
async fn peek(status: StatusCode, rest: &mut Incoming) -> Bytes {
    if !matches!(status.as_u16(), 400 | 401 | 403) {
        return Bytes::new();
    }
    let mut ahead = BytesMut::new();
    let limit = Duration::from_secs(UPSTREAM_RESPONSE_TIMEOUT_S);
    while ahead.len() < UPSTREAM_ERROR_PEEK_BYTES_MAX {
        match tokio::time::timeout(limit, rest.frame()).await {
            Ok(Some(Ok(frame))) => ahead.extend_from_slice(&frame.into_data().unwrap_or_default()),
            Ok(Some(Err(_)) | None) | Err(_) => break,
        }
    }
    ahead.freeze()
}

/// True when the upstream refused *our* credential as expired: by the code of its error, or, where an answer has no
/// body (HEAD), when the credential's time is over by our clock too.
fn credential_expired(
    gate: &Shared,
    allowed: &Allowed<'_>,
    credential: &Credential,
    head: &http::response::Parts,
    ahead: &[u8],
) -> bool {
    if !matches!(head.status.as_u16(), 400 | 401 | 403) {
        return false;
    }
    let header = head.headers.get("x-amzn-errortype").map(HeaderValue::as_bytes).unwrap_or_default();
    let over = || credential.expires_at.is_some_and(|at| at <= gate.clock.now());
    names_expiry(header) || names_expiry(ahead) || (*allowed.unsigned.method == Method::HEAD && over())
}

/// The codes of all protocols: `ExpiredToken`, `ExpiredTokenException`, and EC2's `RequestExpired`.
fn names_expiry(text: &[u8]) -> bool {
    let contains = |code: &[u8]| memchr::memmem::find(text, code).is_some();
    [b">ExpiredToken".as_slice(), b">RequestExpired<", b"ExpiredTokenException", b"\"ExpiredToken\""]
        .into_iter()
        .any(contains)
}

fn answer(
    gate: &Shared,
    connection: &Connection,
    head: http::response::Parts,
    ahead: Bytes,
    rest: Incoming,
    settle: Settle,
) -> Response<Answer> {
    let live = Arc::clone(&connection.live);
    let download = Download::new(ahead, rest, settle, gate.switch.clone(), live);
    Response::from_parts(head, Answer::Download(Box::new(download)))
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Duration;

    use hallpass_core::limits::UPSTREAM_RESPONSE_TIMEOUT_S;
    use tokio::time::Instant;

    use super::{Transit, names_expiry, unless_stalled};

    #[tokio::test(start_paused = true)]
    async fn an_upstream_that_never_answers_is_given_up_after_the_limit() {
        let begun = Instant::now();
        assert_eq!(unless_stalled(pending::<()>(), &Transit::default()).await, None);
        assert_eq!(begun.elapsed(), Duration::from_secs(UPSTREAM_RESPONSE_TIMEOUT_S));
    }

    #[test]
    fn an_expired_credential_is_recognised_in_every_protocol_and_nowhere_else() {
        for text in [
            "<Error><Code>ExpiredToken</Code>",
            "<Errors><Error><Code>RequestExpired</Code>",
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ExpiredTokenException"}"#,
            r#"{"code":"ExpiredToken"}"#,
            "ExpiredTokenException",
        ] {
            assert!(names_expiry(text.as_bytes()), "{text}");
        }
        for text in
            ["<Error><Code>AccessDenied</Code><Message>no ExpiredToken</Message>", "", "ExpiredIteratorException"]
        {
            assert!(!names_expiry(text.as_bytes()), "{text}");
        }
    }
}
