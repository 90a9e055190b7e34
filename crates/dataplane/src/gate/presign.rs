//! Real presigned URLs, made by the gate for whoever keeps the session: the one thing that leaves it and works without
//! it. So each is decided by the session's policy, lives no longer than the session, and has an entry of its own.

use std::sync::Arc;

use hallpass_core::audit::Event;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::limits::PRESIGN_LIFE_S_MAX;
use hallpass_core::resolve::catalog::Variant;
use hallpass_core::resolve::{self, Outcome, Request, Resolved, Upstream};
use hallpass_core::secret::Secret;
use hallpass_core::sigv4::{self, AmzDate, PathStyle, PayloadHash, Scope, Signer};
use jiff::{SignedDuration, Timestamp};

use super::Shared;
use super::decide::decide;
use super::record::entry;
use super::resolve::partition;
use super::sign::credential;
use super::switch::Closed;
use super::upstreams::Route;

/// What a presigned URL is to be good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlWish {
    /// `GET` or `PUT`.
    pub method: String,
    /// The bucket.
    pub bucket: String,
    /// The key, as it is, not percent-encoded.
    pub key: String,
    /// The bucket's region.
    pub region: String,
    /// How long it is to work, seconds.
    pub life_s: u64,
}

/// A presigned URL.
#[derive(Debug, Clone)]
pub struct PresignedUrl {
    /// The URL: whoever has it, has the access.
    pub url: Secret,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// The position of its entry in the audit log.
    pub entry: u64,
}

/// Makes presigned URLs for a gate's session. Cheap to clone; it does not keep the gate open.
#[derive(Debug, Clone)]
pub struct Presigner(Arc<Shared>);

impl Presigner {
    pub(super) fn new(gate: &Arc<Shared>) -> Self {
        Self(Arc::clone(gate))
    }

    /// Decides, records and signs, in this order. The life is cut to what is left of the session and of the real
    /// credential, and to [`PRESIGN_LIFE_S_MAX`].
    ///
    /// # Errors
    /// A [`Denial`], which is recorded too: the session is over, its policy says no, the wish is malformed, the log
    /// cannot be written, or the credential is not to be had.
    pub async fn presign(&self, wish: &UrlWish) -> Result<PresignedUrl, Denial> {
        let made = self.made(wish).await;
        if let Err(denial) = &made {
            let (service, region) = (Some("s3".to_owned()), Some(wish.region.clone()));
            let (method, denial) = (wish.method.clone(), denial.clone());
            let event = Event::RequestDenied { service, region, operation: None, method, denial, count: 1 };
            if let Err(error) = self.0.journal.record(event).await {
                tracing::warn!(%error, "a refusal could not be recorded; it is refused all the same");
            }
        }
        made
    }

    async fn made(&self, wish: &UrlWish) -> Result<PresignedUrl, Denial> {
        let gate = &*self.0;
        let now = gate.clock.now();
        if let Some(why) = gate.switch.closed() {
            return Err(why.denial());
        }
        if !["GET", "PUT"].contains(&wish.method.as_str()) || wish.key.is_empty() {
            return Err(malformed("a URL is presigned for GET or PUT of one object"));
        }
        let path = format!("/{}/{}", wish.bucket, encoded(&wish.key));
        let resolved = understood(gate, wish, &path, now)?;
        // A URL cannot be recalled: what a tried-out policy would refuse is refused.
        decide(&gate.policy, &resolved)?.map_or(Ok(()), Err)?;
        if gate.budget.is_capped() {
            let why = "what a presigned URL is used for cannot be counted, and this session has a cap";
            let how = "start a session without `--budget` and `--max-…` for it".to_owned();
            return Err(Denial { how_to_ask: Some(how), ..Denial::new(DenialCode::BudgetExceeded, why) });
        }
        let route = gate.upstreams.route(partition(&gate.caller), &resolved, plain_or_demanded(gate))?;
        let credential = credential(gate).await?;
        let asked = i64::try_from(wish.life_s.min(PRESIGN_LIFE_S_MAX)).unwrap_or(i64::MAX);
        let end = credential.expires_at.map_or(gate.expires_at, |at| at.min(gate.expires_at));
        let life_s = asked.min(end.duration_since(now).as_secs());
        if life_s < 1 {
            return Err(Closed::Expired.denial());
        }
        let at = AmzDate::at(now).ok_or_else(|| malformed("the clock is out of range"))?;
        // The date has whole seconds: what is said must not be later than what is true.
        let expires_at = Timestamp::from_second(at.unix_s()).unwrap_or(now) + SignedDuration::from_secs(life_s);
        let entry = gate.journal.record(event(&resolved, &wish.method, &route, expires_at)).await;
        let entry = entry.map_err(|_| {
            Denial::new(DenialCode::AuditUnavailable, "the audit log cannot be written, so nothing is signed")
        })?;
        // The session may have been taken back while the entry was written.
        if let Some(why) = gate.switch.closed() {
            return Err(why.denial());
        }
        let scope = Scope::new(at.date(), &route.region, "s3").ok_or_else(|| malformed("the region is malformed"))?;
        let key = gate.signing_keys.key(&credential.access_key_id, credential.secret_access_key.expose(), scope);
        let signer = Signer {
            access_key_id: &credential.access_key_id,
            key: &key,
            token: credential.session_token.as_ref().map(Secret::expose),
            at,
            payload: PayloadHash::Unsigned,
            send_content_sha256: false,
            path_style: PathStyle::S3,
        };
        let path = format!("{}{path}", route.target.prefix());
        let signed = sigv4::presign(&wish.method, route.target.authority(), (&path, ""), life_s, &signer);
        let signed = signed.map_err(|error| malformed(&error.to_string()))?;
        let scheme = if route.target.is_https() { "https" } else { "http" };
        let url = Secret::new(format!("{scheme}://{}{signed}", route.target.authority()));
        Ok(PresignedUrl { url, expires_at, entry })
    }
}

fn understood(gate: &Shared, wish: &UrlWish, path: &str, now: Timestamp) -> Result<Resolved, Denial> {
    let partition = partition(&gate.caller);
    let instead = gate.upstreams.instead(partition, "s3", &wish.region, plain_or_demanded(gate), None);
    let outcome = resolve::head(&Request {
        catalog: hallpass_catalog::CATALOG,
        method: &wish.method,
        path,
        query: "",
        headers: &[],
        service: "s3",
        region: &wish.region,
        caller: gate.caller.to_core(),
        upstream: if instead.is_some() { Upstream::Compatible } else { Upstream::Aws },
        at: None,
        allow_unmapped: &[],
        secure_transport: instead.is_none_or(super::upstreams::Target::is_https),
        now,
    })?;
    let Outcome::Resolved(mut resolved) = outcome else {
        return Err(malformed("the operation cannot be decided without its body"));
    };
    resolved.context.set("s3:authType", "REST-QUERY-STRING");
    Ok(resolved)
}

/// The entry of the URL: as of the request that it stands for, with its end.
fn event(resolved: &Resolved, method: &str, route: &Route, expires_at: Timestamp) -> Event {
    match entry(resolved, method, &route.target.shown(), None) {
        Event::RequestAllowed { operation, actions, resources, method, upstream, .. } => {
            Event::UrlPresigned { method, operation, actions, resources, upstream, expires_at }
        }
        other => other,
    }
}

/// Percent-encodes a key; slashes stay (Amazon S3 API Reference, "UriEncode").
fn encoded(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for b in key.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'/') {
            out.push(char::from(b));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([b]));
        }
    }
    out
}

fn malformed(why: &str) -> Denial {
    Denial::new(DenialCode::Malformed, why)
}

/// The plain endpoint, unless the session demands another.
fn plain_or_demanded(gate: &Shared) -> Variant {
    gate.upstreams.variant(Variant::default())
}
