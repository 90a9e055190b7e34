//! Sixth step: the request is built from nothing and signed with the real credential, which exists only here.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hallpass_core::credential::Credential;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::provider::ProviderError;
use hallpass_core::secret::Secret;
use hallpass_core::sigv4::{
    AmzDate, Parts, PathStyle, PayloadHash, Scope, Signature, Signed, Signer, SigningKey, asymmetric, sign,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};

use super::Shared;
use super::asymmetric::Pair;
use super::fail_points::fail_point;
use super::headers;
use super::upstreams::Route;
use super::verify::Authenticated;

/// What is to be signed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unsigned<'a> {
    pub(super) method: &'a Method,
    /// As verified and decided on.
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) service: &'a str,
    pub(super) route: &'a Route,
    pub(super) payload: PayloadHash,
    pub(super) path_style: PathStyle,
    /// The child sent `x-amz-content-sha256`, so the upstream may want it.
    pub(super) content_sha256: bool,
    /// How it goes on: as it came.
    pub(super) proof: Proof,
}

/// What proves to the upstream who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Signature Version 4.
    Symmetric,
    /// Signature Version 4A.
    Asymmetric,
    /// Nothing: AWS takes the call without a signature.
    None,
}

impl Proof {
    pub(super) fn of(who: &Authenticated<'_>) -> Self {
        match &who.key {
            _ if who.anonymous => Self::None,
            Some(_) => Self::Symmetric,
            None => Self::Asymmetric,
        }
    }
}

/// A signed request without its body, and what signed chunks go on from.
pub(super) struct Outbound {
    pub(super) request: Request<()>,
    /// `None` for an asymmetric signature, behind which no chunk is signed.
    pub(super) key: Option<Arc<SigningKey>>,
    pub(super) at: AmzDate,
    /// `None` where nothing is signed.
    pub(super) seed: Option<Signature>,
}

/// The real credential.
///
/// # Errors
/// [`DenialCode::CredentialUnavailable`], or [`DenialCode::Expired`] when the session's own time is over.
pub(super) async fn credential(gate: &Shared) -> Result<Credential, Denial> {
    fail_point!("gate::credential", Err(super::refuse::injected()));
    gate.source.current().await.map_err(|error| match error {
        ProviderError::Expired => Denial::new(DenialCode::Expired, "the session has expired"),
        error => {
            tracing::warn!(%error, "the real credential is not to be had");
            Denial::new(DenialCode::CredentialUnavailable, "the real credential is not to be had at the moment")
        }
    })
}

/// Builds and signs. Every signature of a gate is made here and counted here.
///
/// # Errors
/// When the request cannot be signed: a mistake of ours, since it was verified by the same rules.
pub(super) fn sign_request(
    gate: &Shared,
    unsigned: &Unsigned<'_>,
    credential: &Credential,
) -> Result<Outbound, Denial> {
    fail_point!("gate::sign", Err(super::refuse::injected()));
    let at = AmzDate::at(gate.clock.now()).ok_or_else(|| failed("the clock is out of range"))?;
    let authority = unsigned.route.target.authority();
    let mut view = headers::view(unsigned.headers);
    view.push(("host", authority.as_bytes()));
    let path = format!("{}{}", unsigned.route.target.prefix(), unsigned.path);
    let parts = Parts { method: unsigned.method.as_str(), path: &path, query: unsigned.query, headers: &view };
    let (signed, key) = match unsigned.proof {
        Proof::None => (None, None),
        Proof::Asymmetric => (Some(asymmetric(&parts, unsigned, credential, at)?), None),
        Proof::Symmetric => {
            let scope = Scope::new(at.date(), &unsigned.route.region, unsigned.service);
            let scope = scope.ok_or_else(|| failed("its scope is malformed"))?;
            let key = gate.signing_keys.key(&credential.access_key_id, credential.secret_access_key.expose(), scope);
            let signer = Signer {
                access_key_id: &credential.access_key_id,
                key: &key,
                token: credential.session_token.as_ref().map(Secret::expose),
                at,
                payload: unsigned.payload,
                send_content_sha256: unsigned.sends_content_sha256(),
                path_style: unsigned.path_style,
            };
            (Some(sign(&parts, &signer).map_err(|e| failed(&e.to_string()))?), Some(key))
        }
    };
    if signed.is_some() {
        gate.tally.signed.fetch_add(1, Ordering::Relaxed);
    }
    let mut headers = unsigned.headers.clone();
    headers.insert(header::HOST, value(authority).ok_or_else(|| failed("the upstream's name is malformed"))?);
    for (name, text) in signed.iter().flat_map(Signed::headers) {
        let mut made = value(text).ok_or_else(|| failed("a header is malformed"))?;
        made.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), made);
    }
    let (path, query) = signed.as_ref().map_or((unsigned.path, unsigned.query), |made| (&made.path, &made.query));
    let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    let mut request = Request::new(());
    *request.uri_mut() = Uri::try_from(target).map_err(|_| failed("its path is malformed"))?;
    *request.method_mut() = unsigned.method.clone();
    *request.headers_mut() = headers;
    fail_point!("gate::signed", Err(super::refuse::injected()));
    Ok(Outbound { request, key, at, seed: signed.map(|made| made.signature) })
}

fn failed(why: &str) -> Denial {
    Denial::new(DenialCode::Unresolved, format!("the request cannot be signed: {why}"))
}

fn asymmetric(
    parts: &Parts<'_>,
    unsigned: &Unsigned<'_>,
    credential: &Credential,
    at: AmzDate,
) -> Result<Signed, Denial> {
    let pair = Pair::of(&credential.access_key_id, credential.secret_access_key.expose());
    let pair = pair.ok_or_else(|| failed("the credential gives no asymmetric key"))?;
    let signer = asymmetric::Signer {
        access_key_id: &credential.access_key_id,
        token: credential.session_token.as_ref().map(Secret::expose),
        service: unsigned.service,
        region_set: &unsigned.route.region,
        at,
        payload: unsigned.payload,
        send_content_sha256: unsigned.sends_content_sha256(),
        path_style: unsigned.path_style,
    };
    asymmetric::sign(parts, &signer, |message| pair.sign(message)).map_err(|e| failed(&e.to_string()))
}

impl Unsigned<'_> {
    fn sends_content_sha256(&self) -> bool {
        self.content_sha256 || self.path_style == PathStyle::S3
    }
}

fn value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}
