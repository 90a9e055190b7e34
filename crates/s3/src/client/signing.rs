//! From a call to the request that is sent: place, headers, signature.

use std::sync::Arc;

use hallpass_core::sigv4::canonical::path::CanonicalPath;
use hallpass_core::sigv4::canonical::query;
use hallpass_core::sigv4::{AmzDate, Parts, PathStyle, PayloadHash, Scope, Signer, sign};
use http::header::{CONTENT_LENGTH, HOST, HeaderName, USER_AGENT};
use http::{HeaderValue, Method, Request, Uri};

use super::call::Call;
use super::endpoint::Host;
use super::flow::Transit;
use super::payload::Upload;
use super::{Inner, PayloadSigning};
use crate::alias::StaticCredentials;
use crate::error::S3Error;
use hallpass_core::limits::S3_SIGNED_BODY_BYTES_MAX;

/// Who we say we are.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("hallpass-s3/", env!("CARGO_PKG_VERSION")));

impl Inner {
    /// See [`Client::hashes`](super::Client::hashes). Over TLS, and on loopback, where nothing lies
    /// between, large bodies are covered by their checksum header alone, which is signed; over plain HTTP every byte is.
    pub(crate) fn hashes(&self, length: u64) -> bool {
        let sealed = self.endpoint.https();
        let near = self.endpoint.is_loopback() && length > S3_SIGNED_BODY_BYTES_MAX;
        match self.options.payload_signing {
            PayloadSigning::Always => true,
            PayloadSigning::Auto => !(sealed || near),
            PayloadSigning::Never => false,
        }
    }

    /// How the signature covers the body.
    async fn payload_hash(&self, call: &Call<'_>) -> Result<PayloadHash, S3Error> {
        if call.payload.is_empty() {
            return Ok(PayloadHash::of_body(b""));
        }
        if !self.hashes(call.payload.len()) {
            return Ok(PayloadHash::Unsigned);
        }
        call.payload.sha256().await.map(PayloadHash::Sha256)
    }

    /// The request, signed now.
    pub(crate) async fn request(
        &self,
        call: &Call<'_>,
        credentials: Option<&StaticCredentials>,
        transit: &Arc<Transit>,
    ) -> Result<(Host, Request<Upload>), S3Error> {
        let region = call.bucket.and_then(|bucket| self.region_of(bucket));
        let (host, root) = self.endpoint.place(call.bucket, call.key, region.as_deref())?;
        let path = call.place.clone().unwrap_or(root);
        let mut request = Request::new(call.payload.upload(&call.flow, transit));
        *request.method_mut() = call.method.clone();
        let (path, query) = match credentials {
            None => {
                let path = CanonicalPath::new(&path, PathStyle::S3).map_err(|e| unsendable(&e))?;
                (path.sent, query::canonical(&call.query).map_err(|e| unsendable(&e))?)
            }
            Some(credentials) => {
                let payload = self.payload_hash(call).await?;
                let region = region.as_deref().unwrap_or(&self.region);
                self.sign(call, credentials, payload, (&host, &path, region), &mut request)?
            }
        };
        *request.uri_mut() = uri(path, &query)?;
        let headers = request.headers_mut();
        headers.insert(HOST, value(host.authority())?);
        headers.insert(USER_AGENT, AGENT);
        for (name, text) in &call.headers {
            headers.append(HeaderName::from_bytes(name.as_bytes()).map_err(|_| illegal(name))?, value(text)?);
        }
        if !call.payload.is_empty() || [Method::PUT, Method::POST].contains(&call.method) {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(call.payload.len()));
        }
        Ok((host, request))
    }

    fn sign(
        &self,
        call: &Call<'_>,
        credentials: &StaticCredentials,
        payload: PayloadHash,
        (host, path, region): (&Host, &str, &str),
        request: &mut Request<Upload>,
    ) -> Result<(String, String), S3Error> {
        let at = AmzDate::at(self.now()).ok_or_else(|| S3Error::usage("this machine's clock shows no year of ours"))?;
        let scope = Scope::new(at.date(), region, "s3").ok_or_else(|| {
            S3Error::usage_with(
                format!("`{}` cannot be a region", crate::error::text::cleaned(region)),
                "set the alias's region, as in `us-east-1`",
            )
        })?;
        let key = self.keys.key(&credentials.access_key_id, credentials.secret_access_key.expose(), scope);
        let mut headers: Vec<(&str, &[u8])> = Vec::with_capacity(call.headers.len() + 1);
        headers.push(("host", host.authority().as_bytes()));
        headers.extend(call.headers.iter().map(|(name, value)| (name.as_ref(), value.as_bytes())));
        let parts = Parts { method: call.method.as_str(), path, query: &call.query, headers: &headers };
        let signer = Signer {
            access_key_id: &credentials.access_key_id,
            key: &key,
            token: credentials.session_token.as_ref().map(|token| token.expose()),
            at,
            payload,
            send_content_sha256: true,
            path_style: PathStyle::S3,
        };
        let signed = sign(&parts, &signer).map_err(|e| unsendable(&e))?;
        for (name, text) in signed.headers() {
            let mut value = value(text)?;
            value.set_sensitive(name == "authorization" || name == "x-amz-security-token");
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        Ok((signed.path, signed.query))
    }
}

fn uri(mut path: String, query: &str) -> Result<Uri, S3Error> {
    if !query.is_empty() {
        path.push('?');
        path.push_str(query);
    }
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = Some(path.try_into().map_err(|e: http::uri::InvalidUri| unsendable(&e))?);
    Uri::from_parts(parts).map_err(|e| unsendable(&e))
}

fn value(text: &str) -> Result<HeaderValue, S3Error> {
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| illegal(text))
}

fn illegal(text: &str) -> S3Error {
    // What is illegal may be a key that somebody pasted with a line break: it is not shown.
    S3Error::usage_with(
        format!("a header, a key or a token of {} bytes holds a control character", text.len()),
        "look for line breaks in the alias's keys and in the metadata",
    )
}

fn unsendable(error: &dyn std::error::Error) -> S3Error {
    S3Error::usage(format!("the request cannot be sent: {error}"))
}
