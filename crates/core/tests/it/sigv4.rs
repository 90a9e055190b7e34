//! Signature Version 4: vectors, rules, properties, and the `aws-sigv4` crate as an oracle.

mod asymmetric;
mod chunked;
mod events;
mod oracle;
mod presigned;
mod properties;
mod refusals;
mod rules;
mod vectors;

use std::sync::Arc;

use hallpass_core::sigv4::{
    AmzDate, Authorization, Expected, Parts, PathStyle, PayloadHash, Scope, Signed, Signer, SigningKey, VerifyError,
    sign, verify,
};
use jiff::Timestamp;

pub(crate) const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub(crate) const AT: &str = "20130524T000000Z";

pub(crate) fn at(text: &str) -> AmzDate {
    AmzDate::parse(text.as_bytes()).expect("a date")
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(at(AT).unix_s()).expect("in range")
}

pub(crate) fn key(region: &str, service: &str) -> Arc<SigningKey> {
    Arc::new(SigningKey::derive(SECRET, Scope::new(at(AT).date(), region, service).expect("a scope")))
}

/// A request that owns its parts, so that tests can change them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl Request {
    pub(crate) fn new(method: &str, target: &str, headers: &[(&str, &str)]) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), v.as_bytes().to_vec())).collect();
        Self { method: method.into(), path: path.into(), query: query.into(), headers }
    }

    pub(crate) fn with<R>(&self, f: impl FnOnce(&Parts<'_>) -> R) -> R {
        let headers: Vec<_> = self.headers.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
        f(&Parts { method: &self.method, path: &self.path, query: &self.query, headers: &headers })
    }

    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(n, _)| n != name);
        self
    }

    pub(crate) fn replace(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    pub(crate) fn header(&self, name: &str) -> String {
        let (_, value) = self.headers.iter().find(|(n, _)| n == name).expect("the header is there");
        String::from_utf8(value.clone()).expect("text")
    }

    /// Rewrites the Authorization header.
    pub(crate) fn authorization(self, change: impl FnOnce(&str) -> String) -> Self {
        let changed = change(&self.header("authorization"));
        self.replace("authorization", &changed)
    }
}

/// One party to both sides of the tests: the same key, token and style sign and verify.
#[derive(Debug, Clone)]
pub(crate) struct Party {
    pub(crate) access_key_id: String,
    pub(crate) key: Arc<SigningKey>,
    pub(crate) token: Option<String>,
    pub(crate) payload: PayloadHash,
    pub(crate) style: PathStyle,
    pub(crate) send_content_sha256: bool,
    pub(crate) at: AmzDate,
    pub(crate) now: Timestamp,
}

impl Party {
    pub(crate) fn s3() -> Self {
        Self {
            access_key_id: ACCESS_KEY.into(),
            key: key("us-east-1", "s3"),
            token: Some("token".into()),
            payload: PayloadHash::of_body(b""),
            style: PathStyle::S3,
            send_content_sha256: true,
            at: at(AT),
            now: now(),
        }
    }

    pub(crate) fn dynamodb() -> Self {
        Self {
            key: key("eu-west-1", "dynamodb"),
            style: PathStyle::Normalised,
            send_content_sha256: false,
            payload: PayloadHash::of_body(b"{}"),
            ..Self::s3()
        }
    }

    pub(crate) fn sign(&self, request: &Request) -> Signed {
        let signer = Signer {
            access_key_id: &self.access_key_id,
            key: &self.key,
            token: self.token.as_deref(),
            at: self.at,
            payload: self.payload,
            send_content_sha256: self.send_content_sha256,
            path_style: self.style,
        };
        request.with(|parts| sign(parts, &signer)).expect("signs")
    }

    /// The request as it goes over the wire.
    pub(crate) fn signed(&self, request: &Request) -> Request {
        let signed = self.sign(request);
        let mut sent = request.clone();
        sent.path.clone_from(&signed.path);
        sent.query.clone_from(&signed.query);
        for (name, value) in signed.headers() {
            sent = sent.and(name, value);
        }
        sent
    }

    pub(crate) fn verify(&self, request: &Request) -> Result<(String, String), VerifyError> {
        let expected = Expected {
            access_key_id: &self.access_key_id,
            key: &self.key,
            token: self.token.as_deref(),
            now: self.now,
            payload: self.payload,
            path_style: self.style,
        };
        request.with(|parts| {
            let authorization = Authorization::of(parts)?;
            verify(parts, &authorization, &expected).map(|verified| (verified.path, verified.query))
        })
    }
}
