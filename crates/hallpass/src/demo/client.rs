//! The smallest S3 client that can tell the story: it signs with whatever keys its environment holds, like any SDK.

use std::fmt;

use bytes::Bytes;
use hallpass_core::sigv4::{self, AmzDate, Parts, PathStyle, PayloadHash, Scope, Signer, SigningKey};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::environment;

/// A client over the AWS variables of this process.
pub(crate) struct Client {
    host: String,
    region: String,
    access_key_id: String,
    secret: String,
    token: Option<String>,
    connections: JoinSet<()>,
}

/// A request that did not get an answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ClientError(String);

impl ClientError {
    fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl Client {
    /// Reads the variables that every AWS SDK reads.
    pub(crate) fn from_environment() -> Result<Self, ClientError> {
        let need = |name: &str| environment::text(name).ok_or_else(|| ClientError(format!("{name} is not set")));
        let endpoint = need("AWS_ENDPOINT_URL")?;
        let host =
            endpoint.strip_prefix("http://").ok_or_else(|| ClientError::new("the endpoint is not plain HTTP"))?;
        Ok(Self {
            host: host.trim_end_matches('/').to_owned(),
            region: need("AWS_REGION")?,
            access_key_id: need("AWS_ACCESS_KEY_ID")?,
            secret: need("AWS_SECRET_ACCESS_KEY")?,
            token: environment::text("AWS_SESSION_TOKEN"),
            connections: JoinSet::new(),
        })
    }

    /// Sends one signed request on a connection of its own.
    pub(crate) async fn send(
        &mut self,
        now: Timestamp,
        method: &str,
        path: &str,
        query: &str,
        body: &'static str,
    ) -> Result<Response<Incoming>, ClientError> {
        let length = body.len().to_string();
        let mut headers: Vec<(&str, &[u8])> = vec![("host", self.host.as_bytes())];
        if !body.is_empty() {
            headers.push(("content-length", length.as_bytes()));
        }
        let at =
            AmzDate::at(now).ok_or_else(|| ClientError::new("the clock is outside the years that SigV4 can write"))?;
        let scope =
            Scope::new(at.date(), &self.region, "s3").ok_or_else(|| ClientError::new("AWS_REGION is not a region"))?;
        let key = SigningKey::derive(&self.secret, scope);
        let signer = Signer {
            access_key_id: &self.access_key_id,
            key: &key,
            token: self.token.as_deref(),
            at,
            payload: PayloadHash::of_body(body.as_bytes()),
            send_content_sha256: true,
            path_style: PathStyle::S3,
        };
        let signed =
            sigv4::sign(&Parts { method, path, query, headers: &headers }, &signer).map_err(ClientError::new)?;
        let target =
            if signed.query.is_empty() { signed.path.clone() } else { format!("{}?{}", signed.path, signed.query) };
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers.iter().copied().chain(signed.headers().map(|(n, v)| (n, v.as_bytes()))) {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from_static(body.as_bytes()))).map_err(ClientError::new)?;
        let socket = TcpStream::connect(&self.host).await.map_err(ClientError::new)?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.map_err(ClientError::new)?;
        self.connections.spawn(async move { drop(connection.await) });
        sender.send_request(request).await.map_err(ClientError::new)
    }
}

/// The whole body as text.
pub(crate) async fn text(response: Response<Incoming>) -> Result<String, ClientError> {
    let body = response.into_body().collect().await.map_err(ClientError::new)?;
    Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
}

/// The content of the first `<tag>…</tag>`.
pub(crate) fn element<'a>(xml: &'a str, tag: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{tag}>"))?;
    Some(rest.split_once(&format!("</{tag}>"))?.0)
}
