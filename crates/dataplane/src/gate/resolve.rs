//! Third step: what does the request want? Which cloud, service, operation; which actions on which resources.

use bytes::Bytes;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::resolve::{self, AwsHost, Caller, Outcome, Partition, Protocol, Request, Resolved, Upstream};
use hallpass_core::sigv4::chunked::{ChunkChain, ChunkMode, Declared, Decoder};
use hallpass_core::sigv4::{Parts, PayloadHash, VerifyError};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::Timestamp;

use super::CallerIdentity;
use super::anonymous;
use super::body::{self, Child};
use super::fail_points::fail_point;
use super::headers;
use super::upstreams::Target;
use super::verify::{Authenticated, chunks_denied, denied};

/// A request that is understood, and what of it will be sent on.
pub(super) struct Understood {
    /// Boxed: it is held over every wait of the request.
    pub(super) resolved: Box<Resolved>,
    /// Headers to send on, not yet signed.
    pub(super) headers: HeaderMap,
    /// The body, where it had to be read.
    pub(super) body: Option<Bytes>,
    /// How the body will be covered by our signature.
    pub(super) payload: PayloadHash,
}

/// What a request means besides its own words.
#[derive(Debug, Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) caller: &'a CallerIdentity,
    /// The upstream, where it is not AWS itself.
    pub(super) instead: Option<&'a Target>,
    /// The AWS host that was asked for, through the proxy.
    pub(super) at: Option<&'a AwsHost>,
    /// Services whose operations may be allowed by a guessed action.
    pub(super) allow_unmapped: &'a [String],
    pub(super) now: Timestamp,
}

/// Resolves a request, reading its body where its head does not tell enough.
pub(super) async fn understand(
    parts: &Parts<'_>,
    inbound: &HeaderMap,
    who: &mut Authenticated<'_>,
    child: &mut Child,
    world: &World<'_>,
) -> Result<Understood, Denial> {
    let mut understood = meaning(parts, inbound, who, child, world).await?;
    // What proved it has left the query by now, and a policy may care.
    if who.verified.hoisted.is_some() && understood.resolved.protocol == Protocol::S3 {
        understood.resolved.context.set("s3:authType", "REST-QUERY-STRING");
    }
    if who.anonymous {
        anonymous::check(&understood.resolved)?;
    } else if who.key.is_none() && understood.resolved.protocol == Protocol::S3 {
        understood.resolved.context.set("s3:signatureversion", "AWS4-ECDSA-P256-SHA256");
    }
    Ok(understood)
}

async fn meaning(
    parts: &Parts<'_>,
    inbound: &HeaderMap,
    who: &mut Authenticated<'_>,
    child: &mut Child,
    world: &World<'_>,
) -> Result<Understood, Denial> {
    fail_point!("gate::resolve", Err(super::refuse::injected()));
    let mut headers = headers::forwardable(inbound, who.verified.signed_headers, who.path_style);
    headers::add_hoisted(&mut headers, who.verified.hoisted.as_deref().unwrap_or_default())?;
    let payload = who.verified.payload;
    let body = match who.body.take() {
        None if !child.has_body() => Some(nothing(payload)?),
        body => body,
    };
    let outcome = {
        let view = headers::view(&headers);
        resolve::head(&request(parts.method, who, &view, world))?
    };
    match (outcome, body) {
        (Outcome::Resolved(resolved), Some(body)) => {
            Ok(Understood { resolved: Box::new(resolved), headers, body: Some(body), payload })
        }
        (Outcome::Resolved(resolved), None) => {
            Ok(Understood { resolved: Box::new(resolved), headers, body: None, payload })
        }
        (Outcome::NeedsBody, body) => {
            let (headers, body) = match body {
                Some(body) => (headers, body),
                None => Box::pin(read(parts, who, child, headers)).await?,
            };
            let view = headers::view(&headers);
            let resolved = resolve::with_body(&request(parts.method, who, &view, world), &body)?;
            let payload = PayloadHash::of_body(&body);
            drop(view);
            Ok(Understood { resolved: Box::new(resolved), headers, body: Some(body), payload })
        }
    }
}

fn request<'a>(
    method: &'a str,
    who: &'a Authenticated<'_>,
    headers: &'a [(&'a str, &'a [u8])],
    world: &World<'a>,
) -> Request<'a> {
    Request {
        method,
        path: &who.verified.path,
        query: &who.verified.query,
        headers,
        service: who.verified.scope.service,
        region: who.verified.scope.region,
        catalog: hallpass_catalog::CATALOG,
        caller: world.caller.to_core(),
        upstream: if world.instead.is_some() { Upstream::Compatible } else { Upstream::Aws },
        at: world.at,
        allow_unmapped: world.allow_unmapped,
        secure_transport: world.instead.is_none_or(Target::is_https),
        now: world.now,
    }
}

/// The caller's partition, where it is one that we know.
pub(super) fn partition(caller: &CallerIdentity) -> Option<Partition> {
    Partition::by_name(&caller.partition)
}

impl CallerIdentity {
    /// As the rules see it.
    pub(super) fn to_core(&self) -> Caller<'_> {
        fn known(text: &str) -> Option<&str> {
            (!text.is_empty()).then_some(text)
        }
        Caller {
            partition: partition(self),
            account: known(&self.account),
            arn: known(&self.arn),
            role: self.role.as_deref(),
            tags: &self.tags,
            source_identity: self.source_identity.as_deref(),
        }
    }
}

/// The body of a request that has none: it must have been signed as such.
fn nothing(payload: PayloadHash) -> Result<Bytes, Denial> {
    match payload {
        PayloadHash::Unsigned => Ok(Bytes::new()),
        PayloadHash::Sha256(_) if payload == PayloadHash::EMPTY => Ok(Bytes::new()),
        PayloadHash::Sha256(_)
        | PayloadHash::StreamingUnsignedTrailer
        | PayloadHash::StreamingSigned
        | PayloadHash::StreamingSignedTrailer
        | PayloadHash::StreamingEvents => {
            Err(Denial::new(DenialCode::BodyMismatch, "the body that was signed is missing"))
        }
    }
}

/// Reads and verifies the body. An aws-chunked one loses its framing, and its checksums become headers: what is
/// sent on is then an ordinary body.
async fn read(
    parts: &Parts<'_>,
    who: &Authenticated<'_>,
    child: &mut Child,
    mut headers: HeaderMap,
) -> Result<(HeaderMap, Bytes), Denial> {
    if who.verified.payload == PayloadHash::StreamingEvents {
        return Err(super::events::not_here());
    }
    let Some(mode) = who.verified.payload.chunk_mode() else {
        let body = body::whole(child).await?;
        let signed = who.verified.payload;
        if matches!(signed, PayloadHash::Sha256(_)) && signed != PayloadHash::of_body(&body) {
            return Err(Denial::new(DenialCode::BodyMismatch, "the body is not the one that was signed"));
        }
        return Ok((headers, body));
    };
    let decoder = decoder(parts, who, mode)?;
    let decoded = body::decoded(child, decoder).await?;
    for name in ["x-amz-decoded-content-length", "x-amz-trailer"] {
        headers.remove(name);
    }
    if let Some(encoding) = headers.remove(header::CONTENT_ENCODING)
        && let Some(rest) = without_aws_chunked(&encoding)
    {
        headers.insert(header::CONTENT_ENCODING, rest);
    }
    for (name, value) in decoded.trailers {
        let malformed = |_| Denial::new(DenialCode::Malformed, "a trailer is malformed");
        let name = HeaderName::try_from(name).map_err(|_| malformed(()))?;
        headers.insert(name, HeaderValue::try_from(value).map_err(|_| malformed(()))?);
    }
    Ok((headers, decoded.data))
}

/// A decoder for the request's aws-chunked body.
pub(super) fn decoder(parts: &Parts<'_>, who: &Authenticated<'_>, mode: ChunkMode) -> Result<Decoder, Denial> {
    let declared = Declared::of(parts, mode).map_err(|e| chunks_denied(&e))?;
    let chain = match who.verified.payload {
        PayloadHash::StreamingUnsignedTrailer => None,
        _ => {
            let key = who.key.clone().ok_or_else(|| denied(VerifyError::PayloadMode("an asymmetric signature")))?;
            Some(ChunkChain::new(key, who.verified.at, who.verified.signature))
        }
    };
    Decoder::new(declared, chain).map_err(|e| chunks_denied(&e))
}

fn without_aws_chunked(value: &HeaderValue) -> Option<HeaderValue> {
    let text = value.to_str().unwrap_or_default();
    let rest: Vec<&str> =
        text.split(',').map(str::trim).filter(|token| !token.eq_ignore_ascii_case("aws-chunked")).collect();
    if rest.is_empty() { None } else { HeaderValue::try_from(rest.join(",")).ok() }
}
