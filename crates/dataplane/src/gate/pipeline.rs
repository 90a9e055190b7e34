//! The way of one request: head → authenticate → state → resolve → decide → record → sign → forward → stream → settle.

use std::borrow::Cow;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::resolve::host::AwsHost;
use hallpass_core::sigv4::Parts;
use http::{HeaderValue, Method, Request, Response, header, request};
use hyper::body::Incoming;

use super::Shared;
use super::address::Address;
use super::anonymous;
use super::body::Child;
use super::connection::Connection;
use super::decide::decide;
use super::download::Answer;
use super::events;
use super::fail_points::fail_point;
use super::forward::{Allowed, Body, forward};
use super::head::{self, Arrival};
use super::headers;
use super::mint;
use super::refuse::{self, Asked, Known, Refused};
use super::replay;
use super::resolve::{self, Understood, World, understand};
use super::sign::{Proof, Unsigned};
use super::switch::{Closed, Switch};
use super::tunnel;
use super::verify::{Authenticated, authenticate};
use super::wire::Framing;

/// Serves one request: an answer of the upstream, or a refusal. There is no third way out.
pub(super) async fn serve(
    gate: Arc<Shared>,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Response<Answer> {
    let (parts, incoming) = request.into_parts();
    let view = headers::view(&parts.headers);
    let judged = connection.verdicts.next();
    if parts.method == Method::CONNECT && connection.within.is_none() {
        // Boxed: rare, and large.
        return Box::pin(tunnel::connect(&gate, &connection, &parts, &view, judged)).await;
    }
    if let Some(host) = tunnel::passes_on(&gate, &parts).filter(|_| connection.within.is_none()) {
        return Box::pin(tunnel::pass_on(&gate, &connection, &parts, &view, judged, incoming, host)).await;
    }
    let checked = match addressed(&gate, &connection, &parts) {
        Ok(host) => head::check(&parts, judged, host.as_deref().map_or(Arrival::Gate(&gate.hosts), Arrival::For)),
        Err(denial) => Err(denial),
    };
    // A head that was refused says nothing reliable about where the next request begins.
    let mut last = matches!(checked, Err(_) | Ok((Framing::Chunked, _)));
    let framing = checked.as_ref().map_or(Framing::Chunked, |(framing, _)| *framing);
    let mut child = Child::new(framing, incoming);
    let gate = gate.serving(&parts, &view);
    let served = match checked {
        Ok((_, address)) => way(&gate, &connection, &parts, &view, &mut child, &address).await,
        Err(denial) => Err(Refused { denial, known: Known::default() }),
    };
    let mut response = match served {
        Ok(response) => response,
        Err(refused) => {
            connection.live.end();
            break_with(&connection, &parts.method, &refused.denial).await;
            last |= child.is_unread();
            let asked = Asked { method: parts.method.as_str(), path: parts.uri.path(), headers: &view };
            refuse::answer(&gate, asked, refused).await
        }
    };
    if last {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A read (RFC 9110, 9.2.1) that the upstream broke off is broken off here as well: whoever asked may ask again, by
/// its own rule. Everything else is told that nobody knows what became of it, in a form that no SDK sends again.
async fn break_with(connection: &Connection, method: &Method, denial: &Denial) {
    if denial.code == DenialCode::OutcomeUnknown && [Method::GET, Method::HEAD].contains(method) {
        connection.live.break_off();
        pending().await
    }
}

/// The AWS host that a request is for: its tunnel's, or the one that a proxy's plain request names. `None`: the gate.
fn addressed<'a>(
    gate: &Shared,
    connection: &'a Connection,
    head: &request::Parts,
) -> Result<Option<Cow<'a, AwsHost>>, Denial> {
    match (&connection.within, head.uri.authority()) {
        (Some(host), None) => Ok(Some(Cow::Borrowed(host))),
        (None, None) => Ok(None),
        (None, Some(authority)) if head.uri.scheme_str() == Some("http") => {
            tunnel::authorized(gate, head)?;
            let host = authority.as_str();
            tunnel::known(gate, host.strip_suffix(":80").unwrap_or(host)).map(|host| Some(Cow::Owned(host)))
        }
        (_, Some(_)) => {
            Err(Denial::new(DenialCode::Malformed, "the request line must name a path that begins with `/`"))
        }
    }
}

async fn way(
    gate: &Arc<Shared>,
    connection: &Arc<Connection>,
    head: &request::Parts,
    view: &[(&str, &[u8])],
    child: &mut Child,
    address: &Address,
) -> Result<Response<Answer>, Refused> {
    let query = head.uri.query().unwrap_or_default();
    let parts = Parts { method: head.method.as_str(), path: head.uri.path(), query, headers: view };
    let presigned = OnceLock::new();
    let now = gate.clock.now();
    let authenticated = authenticate(&gate.placeholder, &gate.keys, now, &parts, &presigned, child).await;
    let authenticated = match authenticated {
        Err(_) if anonymous::is(&parts) => anonymous::admitted(gate, address, &parts, now),
        authenticated => authenticated,
    };
    let who = authenticated.map_err(|denial| Refused { denial, known: Known::default() })?;

    let mut known = Known {
        authenticated: true,
        service: Some(who.verified.scope.service.to_owned()),
        region: Some(who.verified.scope.region.to_owned()),
        ..Known::default()
    };
    connection.live.begin(gate.is_child().then_some(&gate.switch));
    let recorded = AtomicBool::new(false);
    let passed = {
        let passing = pin!(pass(gate, connection, head, &parts, who, child, &recorded, &mut known, address));
        unless_closed(&gate.switch, passing).await
    };
    let denial = match passed {
        Ok(Ok(response)) => return Ok(response),
        Ok(Err(denial)) => denial,
        Err(why) => why.denial(),
    };
    // Whatever is still being uploaded must not complete.
    known.allowed = recorded.load(Ordering::Relaxed);
    if known.allowed {
        connection.link.cut();
    }
    Err(Refused { denial, known })
}

/// From here on the switch cuts the request at every point at which it waits.
#[expect(clippy::too_many_arguments, reason = "one call, and each argument is one thing that the way needs")]
async fn pass(
    gate: &Arc<Shared>,
    connection: &Arc<Connection>,
    head: &request::Parts,
    parts: &Parts<'_>,
    mut who: Authenticated<'_>,
    child: &mut Child,
    recorded: &AtomicBool,
    known: &mut Known,
    address: &Address,
) -> Result<Response<Answer>, Denial> {
    fail_point!("gate::state", Err(super::refuse::injected()));
    let now = gate.clock.now();
    if now >= gate.expires_at {
        gate.switch.refuse(Closed::Expired);
        return Err(Closed::Expired.denial());
    }
    let service = who.verified.scope.service;
    address.check_scope(who.verified.scope)?;
    address.rewrite(&gate.prefix, &mut who.verified);
    let (partition, region) = (resolve::partition(&gate.caller), who.verified.scope.region);
    let variant = gate.upstreams.variant(address.variant());
    let instead = gate.upstreams.instead(partition, service, region, variant, address.aws());
    let world = World { caller: &gate.caller, instead, at: address.aws(), allow_unmapped: &gate.allow_unmapped, now };
    let understood = understand(parts, &head.headers, &mut who, child, &world).await?;
    let Understood { resolved, headers, body, payload } = understood;
    known.operation = Some(resolved.operation.clone());
    known.protocol = Some(resolved.protocol);
    address.check_operation(&resolved)?;
    gate.upstreams.serve(&resolved)?;
    let would_deny = decide(&gate.policy, &resolved)?;
    let route = gate.upstreams.route(partition, &resolved, variant)?;
    let claim = replay::claim(gate, &who, &resolved, now, recorded)?;
    if let Some(kind) = mint::kind(&resolved)? {
        let body = body.unwrap_or_default();
        let wish =
            mint::Wish { kind, resolved: &resolved, would_deny, route: &route, query: parts.query, body, recorded };
        // Boxed: rare, and large.
        return replay::settled(claim, Box::pin(mint::serve(gate, connection, wish, child)).await);
    }
    let body = match body {
        Some(body) => Body::Whole(body),
        None => match (events::decoder(gate, &who, &resolved)?, payload.chunk_mode()) {
            (Some(decoder), _) => Body::Events(Some(decoder)),
            (None, Some(mode)) => Body::Stream(Some(Box::new(resolve::decoder(parts, &who, mode)?))),
            (None, None) => Body::Stream(None),
        },
    };
    let unsigned = Unsigned {
        method: &head.method,
        path: resolved.path.as_deref().filter(|_| instead.is_none()).unwrap_or(&who.verified.path),
        query: &who.verified.query,
        headers: &headers,
        service,
        route: &route,
        payload,
        path_style: who.path_style,
        content_sha256: parts.header("x-amz-content-sha256").is_some(),
        proof: Proof::of(&who),
    };
    let allowed = Allowed { unsigned, resolved: &resolved, would_deny, body, recorded };
    replay::settled(claim, forward(gate, connection, allowed, child).await)
}

/// Runs a step until it is done or the switch is thrown. The switch wakes the task, so this needs no waker of its own.
/// The step stays where it is: it is large.
pub(super) async fn unless_closed<T>(
    switch: &Switch,
    mut step: Pin<&mut impl Future<Output = T>>,
) -> Result<T, Closed> {
    poll_fn(|cx| match switch.closed() {
        Some(why) => Poll::Ready(Err(why)),
        None => step.as_mut().poll(cx).map(Ok),
    })
    .await
}
