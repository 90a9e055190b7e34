//! Request resolution, seen from outside.

mod body;
mod conditions;
mod endpoint;
mod further;
mod guards;
mod host;
mod named;
mod names;
mod operations;
mod places;
mod points;
mod refusal;
mod request_keys;
mod rest;
mod s3;
mod unsigned;

use hallpass_core::denial::Denial;
use hallpass_core::policy::Resource;
use hallpass_core::resolve::{AwsHost, Caller, Outcome, Request, Resolved, Upstream, head, with_body};

/// A request in the making.
struct Asked<'a> {
    method: &'a str,
    target: &'a str,
    headers: Vec<(&'a str, &'a [u8])>,
    service: &'a str,
    region: &'a str,
    account: Option<&'a str>,
    upstream: Upstream,
    at: Option<AwsHost>,
    allow_unmapped: Vec<String>,
    caller: Caller<'a>,
}

fn asked<'a>(service: &'a str, method: &'a str, target: &'a str) -> Asked<'a> {
    let account = Some("123456789012");
    Asked {
        method,
        target,
        headers: vec![],
        service,
        region: "eu-west-1",
        account,
        upstream: Upstream::Aws,
        at: None,
        allow_unmapped: vec![],
        caller: Caller::default(),
    }
}

impl<'a> Asked<'a> {
    fn header(mut self, name: &'a str, value: &'a str) -> Self {
        self.headers.push((name, value.as_bytes()));
        self
    }

    fn request(&self) -> Request<'_> {
        let (path, query) = self.target.split_once('?').unwrap_or((self.target, ""));
        Request {
            method: self.method,
            path,
            query,
            headers: &self.headers,
            service: self.service,
            region: self.region,
            catalog: hallpass_catalog::CATALOG,
            caller: Caller { account: self.account, ..self.caller },
            upstream: self.upstream,
            at: self.at.as_ref(),
            allow_unmapped: &self.allow_unmapped,
            secure_transport: true,
            now: "2026-11-22T07:45:06.9Z".parse().expect("time"),
        }
    }

    fn head(&self) -> Result<Outcome, Denial> {
        head(&self.request())
    }

    fn with_body(&self, body: impl AsRef<[u8]>) -> Result<Resolved, Denial> {
        with_body(&self.request(), body.as_ref())
    }

    /// Resolved from the head alone.
    #[expect(clippy::panic, reason = "a helper of tests")]
    fn resolved(&self) -> Resolved {
        match self.head() {
            Ok(Outcome::Resolved(resolved)) => resolved,
            other => panic!("{} {}: {other:?}", self.method, self.target),
        }
    }
}

/// `Operation action@resource action@resource`; a pattern is written `~arn`, an unknown resource `?`.
fn shown(resolved: &Resolved) -> String {
    let mut out = resolved.operation.clone();
    for access in &resolved.accesses {
        let resource = match &access.resource {
            Resource::Exact(arn) => arn.clone(),
            Resource::Pattern(arn) => format!("~{arn}"),
            Resource::Opaque => "?".to_owned(),
        };
        out.push_str(&format!(" {}@{resource}", access.action));
    }
    out
}

/// The same, or the code of the refusal.
fn outcome(result: Result<Resolved, Denial>) -> String {
    result.map_or_else(|denial| denial.code.as_str().to_owned(), |resolved| shown(&resolved))
}

/// From the head alone; `needs-body`, or the code of the refusal.
fn bare(request: &Asked<'_>) -> String {
    match request.head() {
        Ok(Outcome::Resolved(resolved)) => shown(&resolved),
        Ok(Outcome::NeedsBody) => "needs-body".to_owned(),
        Err(denial) => denial.code.as_str().to_owned(),
    }
}
