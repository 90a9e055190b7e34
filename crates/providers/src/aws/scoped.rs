//! `sts:GetScopedCredentials`: the base identity with less power and less time, where no role is borrowed.
//!
//! No SDK has the call, so it is signed here. It takes temporary credentials only, and only a regional endpoint; where
//! it is not to be had, the base identity is lent as it is and the gate alone enforces, which the banner says.
//! Source: STS API reference, GetScopedCredentials (announced 2026-11-19).

use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use hallpass_core::credential::Credential;
use hallpass_core::limits::{SCOPED_CREDENTIALS_TIMEOUT_S, STS_ANSWER_BYTES_MAX};
use hallpass_core::permit::Permit;
use hallpass_core::policy::Compiled;
use hallpass_core::provider::ProviderError;
use hallpass_core::resolve::{Partition, endpoint};
use hallpass_core::secret::Secret;
use hallpass_core::sigv4::{AmzDate, KeyCache, Parts, PathStyle, PayloadHash, Scope, Signer, sign};
use hallpass_core::sts::{Answer, Call, Life, Mint};
use jiff::Timestamp;

use super::base::Base;
use super::transport::Transport;

const OPERATION: &str = "sts:GetScopedCredentials";
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// What the base identity is narrowed to, each time that it is renewed.
#[derive(Debug, Clone)]
pub(crate) struct ScopeRequest {
    /// The session policy, inline.
    pub(crate) compiled: Compiled,
    not_after: Timestamp,
    region: String,
    url: String,
    transport: Transport,
}

impl ScopeRequest {
    /// `Err` says in words why this base cannot be narrowed.
    pub(crate) async fn new(base: &Base, credential: &Credential, permit: &Permit) -> Result<Self, String> {
        if credential.session_token.is_none() {
            return Err("it takes temporary credentials only, and yours are long-term keys".to_owned());
        }
        let region = base.region().await.ok_or("it is regional, and no region is known")?;
        let partition = Partition::of_region(&region).map_err(|denial| denial.reason)?;
        let compiled = permit.policy().compile(partition.as_str()).map_err(|error| error.to_string())?;
        if compiled.json.is_none() {
            return Err("the session's policy has no inline form".to_owned());
        }
        if permit.delivery().exposes_real_credential() && !compiled.exact {
            return Err(format!("a session policy cannot say all of this scope ({})", compiled.notes.join("; ")));
        }
        let url = match base.options().sts_url() {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => {
                let rule = endpoint::regional_sts(&region).map_err(|denial| denial.reason)?;
                format!("https://{}", rule.host)
            }
        };
        let transport = base.transport().map_err(|error| error.to_string())?;
        Ok(Self { compiled, not_after: permit.not_after(), region, url, transport })
    }

    /// Makes the call with `base`, for as long as the session lives and `base` does.
    ///
    /// # Errors
    /// [`ProviderError::Refused`] with STS's code, or [`ProviderError::Unreachable`].
    pub(crate) async fn narrow(&self, base: &Credential, now: Timestamp) -> Result<Answer, ProviderError> {
        let end = base.expires_at.map_or(self.not_after, |end| end.min(self.not_after));
        let left_s = u64::try_from(end.duration_since(now).as_secs()).unwrap_or(0).max(1);
        let plain = Call::read(Mint::GetScopedCredentials, "", b"");
        let plain = plain.map_err(|denial| ProviderError::Invalid(denial.reason))?;
        let form = plain.form(Some(&self.compiled), Life { child_s: left_s, asked_s: left_s });
        let limit = Duration::from_secs(SCOPED_CREDENTIALS_TIMEOUT_S);
        let (status, body) = match tokio::time::timeout(limit, self.send(base, form, now)).await {
            Ok(sent) => sent?,
            Err(_) => return Err(self.unreachable(&format!("no answer within {SCOPED_CREDENTIALS_TIMEOUT_S} s"))),
        };
        if status != 200 {
            let text = String::from_utf8_lossy(&body);
            let member = |name: &str| {
                let (_, rest) = text.split_once(&format!("<{name}>"))?;
                rest.split_once(&format!("</{name}>"))
                    .map(|(value, _)| unescaped(value).chars().take(200).collect::<String>())
            };
            return Err(ProviderError::Refused {
                operation: OPERATION.to_owned(),
                code: member("Code").unwrap_or_else(|| format!("HTTP {status}")),
                message: member("Message").unwrap_or_else(|| "no message".to_owned()),
            });
        }
        Answer::read(Mint::GetScopedCredentials, &body).map_err(|why| ProviderError::Refused {
            operation: OPERATION.to_owned(),
            code: "NoCredentials".to_owned(),
            message: why.to_owned(),
        })
    }

    async fn send(&self, base: &Credential, form: String, now: Timestamp) -> Result<(u16, Vec<u8>), ProviderError> {
        let request = self.signed(base, form, now).map_err(|why| ProviderError::Invalid(why.to_owned()))?;
        // As the SDK's own sign-in: through the caller's proxy, where there is one. An endpoint in plain http is on
        // this machine.
        let outward = if self.url.starts_with("https:") { ProxyConfig::from_env() } else { ProxyConfig::disabled() };
        let connector = self.transport.once(outward).map_err(ProviderError::Invalid)?;
        let answer =
            connector.call(request).await.map_err(|error| self.unreachable(&super::error::chain_of(&error)))?;
        let status = answer.status().as_u16();
        let mut stream = ByteStream::new(answer.into_body());
        let mut body = Vec::new();
        while let Some(piece) = stream.next().await {
            body.extend_from_slice(&piece.map_err(|error| self.unreachable(&error.to_string()))?);
            if body.len() > STS_ANSWER_BYTES_MAX {
                return Err(self.unreachable("the answer is too large"));
            }
        }
        Ok((status, body))
    }

    fn signed(&self, base: &Credential, form: String, now: Timestamp) -> Result<HttpRequest, &'static str> {
        let (_, authority) = self.url.split_once("://").ok_or("the endpoint of STS is not a URL")?;
        let at = AmzDate::at(now).ok_or("the clock is out of range")?;
        let scope = Scope::new(at.date(), &self.region, "sts").ok_or("the region is malformed")?;
        let key = KeyCache::new().key(&base.access_key_id, base.secret_access_key.expose(), scope);
        let headers = [("content-type", FORM.as_bytes()), ("host", authority.as_bytes())];
        let parts = Parts { method: "POST", path: "/", query: "", headers: &headers };
        let signer = Signer {
            access_key_id: &base.access_key_id,
            key: &key,
            token: base.session_token.as_ref().map(Secret::expose),
            at,
            payload: PayloadHash::of_body(form.as_bytes()),
            send_content_sha256: false,
            path_style: PathStyle::for_service("sts"),
        };
        let signed = sign(&parts, &signer).map_err(|_| "the call cannot be signed")?;
        let mut request = HttpRequest::new(SdkBody::from(form));
        request.set_method("POST").map_err(|_| "the method is malformed")?;
        request.set_uri(format!("{}/", self.url)).map_err(|_| "the endpoint of STS is not a URL")?;
        request.headers_mut().insert("content-type", FORM);
        request.headers_mut().insert("host", authority.to_owned());
        for (name, value) in signed.headers() {
            request.headers_mut().insert(name, value.to_owned());
        }
        Ok(request)
    }

    fn unreachable(&self, detail: &str) -> ProviderError {
        let (operation, endpoint) = (OPERATION.to_owned(), self.url.clone());
        ProviderError::Unreachable { operation, endpoint, detail: detail.to_owned() }
    }
}

/// The text behind the five entities that XML predefines.
fn unescaped(xml: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    entities.iter().fold(xml.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

#[cfg(test)]
mod tests;
