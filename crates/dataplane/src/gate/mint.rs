//! A call that mints credentials, allowed by name: the gate makes it itself, with the session's policy as a ceiling and
//! within its time, and answers with another placeholder, which stands for a child session.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use hallpass_core::audit::Event;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::limits::STS_ANSWER_BYTES_MAX;
use hallpass_core::policy::{CompileError, Compiled};
use hallpass_core::provider::EnforcedBy;
use hallpass_core::resolve::Resolved;
use hallpass_core::session::Revocation;
use hallpass_core::sigv4::{PathStyle, PayloadHash};
use hallpass_core::sts::{Answer as StsAnswer, Call, Handed, Mint, Wrapping, wrapping};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use jiff::SignedDuration;

use super::body::Child;
use super::children::Issued;
use super::connection::Connection;
use super::download::Answer;
use super::forward::{Allowed, Body, forward};
use super::registry::{Change, NewChild, Opened, Registry};
use super::sign::{Proof, Unsigned};
use super::upstreams::Route;
use super::{CallerIdentity, Placeholder, Shared};

/// A minting call that was resolved and decided.
pub(super) struct Wish<'a> {
    pub(super) kind: Mint,
    pub(super) resolved: &'a Resolved,
    pub(super) would_deny: Option<Denial>,
    pub(super) route: &'a Route,
    pub(super) query: &'a str,
    pub(super) body: Bytes,
    /// Set as soon as the request has an entry in the log.
    pub(super) recorded: &'a AtomicBool,
}

/// The kind of minting call that a request is, if it is one.
///
/// # Errors
/// The denial of a call whose credentials could be neither narrowed nor held back.
pub(super) fn kind(resolved: &Resolved) -> Result<Option<Mint>, Denial> {
    match wrapping(&resolved.service, &resolved.operation) {
        Wrapping::Passes => Ok(None),
        Wrapping::Wrapped(kind) => Ok(Some(kind)),
        Wrapping::Refused(denial) => Err(denial),
    }
}

/// Opens the child session, makes the call, and answers with the placeholder. The upstream's own refusal is passed on.
///
/// # Errors
/// Why there is no child session.
pub(super) async fn serve(
    gate: &Arc<Shared>,
    connection: &Arc<Connection>,
    wish: Wish<'_>,
    child: &mut Child,
) -> Result<Response<Answer>, Denial> {
    let registry = gate.children.registry(gate.depth)?;
    let call = Call::read(wish.kind, wish.query, &wish.body)?;
    let policy = call.policy_under(gate.policy.policy());
    let compiled = compile(wish.kind, &policy, &gate.caller)?;
    let now = gate.clock.now();
    let left_s = u64::try_from(gate.expires_at.duration_since(now).as_secs()).unwrap_or(0);
    let life = call.life(left_s);
    let ends = now.checked_add(SignedDuration::from_secs(i64::try_from(life.child_s).unwrap_or(i64::MAX)));
    let opened = registry.open(NewChild {
        parent: gate.session.clone(),
        policy,
        role_arn: call.role_arn.clone(),
        expires_at: ends.map_or(gate.expires_at, |ends| ends.min(gate.expires_at)),
        operation: wish.kind.as_str(),
    });
    let opened = opened.await?;
    let guard =
        Pending { gate: Arc::clone(gate), registry: registry.clone(), session: Some(opened.permit.session().clone()) };
    let form = Bytes::from(call.form(compiled.as_ref(), life));
    match ask(gate, connection, &wish, form, child).await? {
        Asked::Refused(response) => Ok(response),
        Asked::Minted(answer) => issue(gate, &registry, guard, opened, &wish, &answer, compiled.as_ref()).await,
    }
}

/// The session policy, where the call takes one.
fn compile(
    kind: Mint,
    policy: &hallpass_core::policy::ScopedPolicy,
    caller: &CallerIdentity,
) -> Result<Option<Compiled>, Denial> {
    if !kind.takes_policy() {
        return Ok(None);
    }
    policy.compile(&caller.partition).map(Some).map_err(|error| {
        let (code, why, how) = match &error {
            CompileError::NothingAllowed => (
                DenialCode::NotAllowed,
                "the child session could do nothing: its `Policy` and this session's have nothing in common".to_owned(),
                "ask with a `Policy` for some of what this session may do",
            ),
            _ => (
                DenialCode::Unresolved,
                format!("no child session can be held to this session's policy by the cloud: {error}"),
                "ask with a narrower `Policy`, or start a session with a shorter policy",
            ),
        };
        Denial { how_to_ask: Some(how.to_owned()), ..Denial::new(code, why) }
    })
}

enum Asked {
    /// The upstream said no, in its own words.
    Refused(Response<Answer>),
    Minted(Box<StsAnswer>),
}

/// Recorded, signed and sent like every request of the session; only the body is ours.
async fn ask(
    gate: &Arc<Shared>,
    connection: &Arc<Connection>,
    wish: &Wish<'_>,
    form: Bytes,
    child: &mut Child,
) -> Result<Asked, Denial> {
    let mut headers = HeaderMap::new();
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, form_type);
    let unsigned = Unsigned {
        method: &Method::POST,
        path: "/",
        query: "",
        headers: &headers,
        service: &wish.resolved.service,
        route: wish.route,
        payload: PayloadHash::of_body(&form),
        path_style: PathStyle::for_service(&wish.resolved.service),
        content_sha256: false,
        proof: Proof::Symmetric,
    };
    let allowed = Allowed {
        unsigned,
        resolved: wish.resolved,
        would_deny: wish.would_deny.clone(),
        body: Body::Whole(form),
        recorded: wish.recorded,
    };
    let (head, body) = forward(gate, connection, allowed, child).await?.into_parts();
    let whole = Limited::new(body, STS_ANSWER_BYTES_MAX).collect().await;
    let whole = whole.map_err(|_| unusable("it broke off, or is too large"))?.to_bytes();
    if head.status == StatusCode::OK {
        let answer = StsAnswer::read(wish.kind, &whole).map_err(unusable)?;
        return Ok(Asked::Minted(Box::new(answer)));
    }
    if head.status.is_success() || head.status.is_redirection() {
        return Err(unusable("it is neither credentials nor a refusal"));
    }
    let mut response = Response::new(Answer::Made(Full::new(whole)));
    *response.status_mut() = head.status;
    for name in ["content-type", "x-amzn-requestid"] {
        if let Some(value) = head.headers.get(name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    Ok(Asked::Refused(response))
}

fn unusable(why: &str) -> Denial {
    Denial::new(DenialCode::UpstreamUnreachable, format!("the answer of STS cannot be used: {why}"))
}

/// The child session becomes active, and its placeholder goes to the child.
async fn issue(
    gate: &Arc<Shared>,
    registry: &Registry,
    mut pending: Pending,
    opened: Opened,
    wish: &Wish<'_>,
    answer: &StsAnswer,
    compiled: Option<&Compiled>,
) -> Result<Response<Answer>, Denial> {
    let placeholder = Placeholder::generate().map_err(|error| unrecorded(&error.to_string()))?;
    let session = opened.permit.session().clone();
    let credential = answer.credential.clone();
    let expires_at = credential.expires_at.map_or(opened.permit.not_after(), |end| end.min(opened.permit.not_after()));
    let event = Event::CredentialsIssued {
        access_key_id: credential.access_key_id.clone(),
        placeholder_key_id: Some(placeholder.access_key_id.clone()),
        base: format!("session {}", gate.session.short()),
        identity: answer.identity.clone().or_else(|| identity(gate)),
        expires_at: credential.expires_at,
        enforced_by: if compiled.is_some() { EnforcedBy::GateAndCloud } else { EnforcedBy::Gate },
        session_policy_chars: compiled.map(Compiled::chars),
        revocation: Revocation::Instant,
    };
    let change = Change::Issued(Box::new(event), placeholder.access_key_id.clone());
    registry.alter(session.clone(), change).await.map_err(|error| unrecorded(&error.to_string()))?;
    let caller = answer.identity.as_deref().map_or_else(|| gate.caller.clone(), |arn| caller(arn, &gate.caller));
    let issued =
        Issued { permit: opened.permit, journal: opened.journal, placeholder: placeholder.clone(), credential, caller };
    gate.adopt(issued, registry.clone())?;
    pending.session = None;
    let number = gate.tally.refusals.fetch_add(1, Ordering::Relaxed);
    let request_id = format!("hallpass-{}-{number:08x}", session.short());
    let handed = Handed {
        access_key_id: &placeholder.access_key_id,
        secret_access_key: placeholder.secret_access_key.expose(),
        session_token: placeholder.session_token.expose(),
        expires_at,
        request_id: &request_id,
    };
    let mut response = Response::new(Answer::Made(Full::new(answer.with_placeholder(wish.kind, &handed).into())));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    if let Ok(id) = HeaderValue::try_from(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    if let Ok(id) = HeaderValue::try_from(session.as_str()) {
        headers.insert("x-hallpass-session", id);
    }
    Ok(response)
}

fn unrecorded(why: &str) -> Denial {
    tracing::error!(%why, "a child session could not be opened");
    Denial::new(DenialCode::AuditUnavailable, "the child session could not be recorded, so it was not opened")
}

fn identity(gate: &Shared) -> Option<String> {
    (!gate.caller.arn.is_empty()).then(|| gate.caller.arn.clone())
}

/// Whom the child session's credential stands for: `arn:PARTITION:sts::ACCOUNT:…`.
fn caller(arn: &str, parent: &CallerIdentity) -> CallerIdentity {
    let mut parts = arn.split(':').skip(1);
    let partition = parts.next().filter(|p| !p.is_empty()).map_or_else(|| parent.partition.clone(), str::to_owned);
    let account = parts.nth(2).unwrap_or_default().to_owned();
    CallerIdentity { partition, account, arn: arn.to_owned(), ..CallerIdentity::default() }
}

/// A recorded child session without a credential. When it is dropped so, its record says that it failed.
struct Pending {
    gate: Arc<Shared>,
    registry: Registry,
    session: Option<hallpass_core::id::SessionId>,
}

impl Drop for Pending {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        let failing = self.registry.alter(session, Change::Failed("no credential was issued for it".to_owned()));
        let tasks = self.gate.tasks.clone();
        tasks.spawn_on(
            async move {
                if let Err(error) = failing.await {
                    tracing::warn!(%error, "the end of a child session could not be recorded");
                }
            },
            &self.gate.runtime,
        );
    }
}
