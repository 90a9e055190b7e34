//! A client that signs with the official `aws-sigv4` crate, so that gate and tests share no code.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use hallpass_core::clock::Clock;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::world::World;

/// How a request is signed, where that is not the usual way.
#[derive(Clone)]
pub(crate) struct Sign {
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
    pub(crate) service: &'static str,
    pub(crate) host: String,
    pub(crate) time: SystemTime,
    pub(crate) payload: Payload,
}

#[derive(Clone)]
pub(crate) enum Payload {
    Hash,
    Unsigned,
    Literal(&'static str),
    /// As services other than S3: signed, and not said in a header.
    Silent,
}

impl Sign {
    pub(crate) fn with(world: &World) -> Self {
        let now = world.clock.now();
        Self {
            key: world.placeholder.access_key_id.clone(),
            secret: world.placeholder.secret_access_key.expose().to_owned(),
            token: Some(world.placeholder.session_token.expose().to_owned()),
            service: "s3",
            host: world.gate.address().to_string(),
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(now.as_second().unsigned_abs()),
            payload: Payload::Hash,
        }
    }

    pub(crate) fn payload(mut self, payload: Payload) -> Self {
        self.payload = payload;
        self
    }

    pub(crate) fn service(mut self, service: &'static str) -> Self {
        self.service = service;
        self.payload = Payload::Silent;
        self
    }

    /// Headers of a signed request: `host`, those given, and those of the signature.
    pub(crate) fn headers(&self, method: &Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> HeaderMap {
        self.signed(method, path, headers, body).0
    }

    /// The headers and the signature.
    pub(crate) fn signed(
        &self,
        method: &Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (HeaderMap, String) {
        let identity = Credentials::new(&self.key, &self.secret, self.token.clone(), None, "test").into();
        let mut settings = SigningSettings::default();
        let s3 = self.service == "s3";
        settings.percent_encoding_mode = if s3 { PercentEncodingMode::Single } else { PercentEncodingMode::Double };
        settings.uri_path_normalization_mode =
            if s3 { UriPathNormalizationMode::Disabled } else { UriPathNormalizationMode::Enabled };
        settings.payload_checksum_kind = match self.payload {
            Payload::Silent => PayloadChecksumKind::NoHeader,
            Payload::Hash | Payload::Unsigned | Payload::Literal(_) => PayloadChecksumKind::XAmzSha256,
        };
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name(self.service)
            .time(self.time)
            .settings(settings)
            .build()
            .expect("complete")
            .into();
        let uri = format!("http://{}{path}", self.host);
        let mut all = vec![("host", self.host.as_str())];
        all.extend_from_slice(headers);
        let payload = match self.payload {
            Payload::Hash | Payload::Silent => SignableBody::Bytes(body),
            Payload::Unsigned => SignableBody::UnsignedPayload,
            Payload::Literal(literal) => SignableBody::Precomputed(literal.to_owned()),
        };
        let request = SignableRequest::new(method.as_str(), &uri, all.iter().copied(), payload).expect("signable");
        let (instructions, signature) = sign(request, &params).expect("signs").into_parts();
        let mut request = Request::builder().method(method).uri(&uri);
        for (name, value) in &all {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).expect("a request");
        instructions.apply_to_request_http1x(&mut request);
        (request.headers().clone(), signature)
    }

    /// The path and query of a presigned URL.
    pub(crate) fn presigned(&self, method: &Method, path: &str, headers: &[(&str, &str)], life: Duration) -> String {
        let identity = Credentials::new(&self.key, &self.secret, self.token.clone(), None, "test").into();
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(life);
        if self.service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        let params = v4::SigningParams::builder().identity(&identity).region("us-east-1").name(self.service);
        let params = params.time(self.time).settings(settings).build().expect("complete").into();
        let uri = format!("http://{}{path}", self.host);
        let payload = match self.payload {
            Payload::Silent => SignableBody::Bytes(b""),
            Payload::Hash | Payload::Unsigned => SignableBody::UnsignedPayload,
            Payload::Literal(literal) => SignableBody::Precomputed(literal.to_owned()),
        };
        let mut all = vec![("host", self.host.as_str())];
        all.extend_from_slice(headers);
        let signable = SignableRequest::new(method.as_str(), &uri, all.into_iter(), payload).expect("signable");
        let (instructions, _) = sign(signable, &params).expect("signs").into_parts();
        let mut request = Request::builder().method(method).uri(&uri).body(()).expect("a request");
        instructions.apply_to_request_http1x(&mut request);
        request.uri().path_and_query().expect("a path").to_string()
    }

    /// A whole signed request.
    pub(crate) fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Request<Full<Bytes>> {
        let signed = self.headers(&method, path, headers, body);
        built(method, path, signed, Full::new(Bytes::copy_from_slice(body)))
    }
}

/// A request with exactly these headers.
pub(crate) fn built<B>(method: Method, path: &str, headers: HeaderMap, body: B) -> Request<B> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().expect("a path");
    *request.headers_mut() = headers;
    request
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn reason(&self) -> &str {
        self.headers.get("x-hallpass-reason").map_or("", |value| value.to_str().expect("text"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A connection to the gate.
pub(crate) struct Client<B> {
    sender: SendRequest<B>,
    _driver: JoinSet<()>,
}

impl<B: Body<Data = Bytes> + Send + 'static> Client<B>
where
    B::Error: std::error::Error + Send + Sync,
{
    pub(crate) async fn connect(world: &World) -> Self {
        let socket = TcpStream::connect(world.gate.address()).await.expect("connects");
        socket.set_nodelay(true).expect("no delay");
        let (sender, driver) = handshake(TokioIo::new(socket)).await.expect("handshake");
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let _ = driver.await;
        });
        Self { sender, _driver: tasks }
    }

    pub(crate) async fn begin(&mut self, request: Request<B>) -> Result<Response<Incoming>, hyper::Error> {
        self.sender.ready().await?;
        self.sender.send_request(request).await
    }

    pub(crate) async fn ask(&mut self, request: Request<B>) -> Answer {
        let (head, body) = self.begin(request).await.expect("an answer").into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Answer { status: head.status, headers: head.headers, body }
    }
}

/// One request on a connection of its own.
pub(crate) async fn ask(world: &World, request: Request<Full<Bytes>>) -> Answer {
    Client::connect(world).await.ask(request).await
}

/// GET, signed as it should be.
pub(crate) async fn get(world: &World, path: &str) -> Answer {
    ask(world, Sign::with(world).request(Method::GET, path, &[], b"")).await
}

/// PUT, signed as it should be.
pub(crate) async fn put(world: &World, path: &str, body: &[u8]) -> Answer {
    ask(world, Sign::with(world).request(Method::PUT, path, &[], body)).await
}

/// A request as bytes, with one header per line.
pub(crate) fn raw(method: &str, path: &str, headers: &HeaderMap, more: &str, body: &[u8]) -> Vec<u8> {
    let mut out = format!("{method} {path} HTTP/1.1\r\n").into_bytes();
    for (name, value) in headers {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(more.as_bytes());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out
}

/// Sends bytes, and reads until the gate closes or is silent for a while.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).await.expect("connects");
    // The gate may refuse and close before it has everything.
    let _ = socket.write_all(bytes).await;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(Ok(read)) = tokio::time::timeout(Duration::from_millis(700), socket.read(&mut buffer)).await {
        if read == 0 {
            answer.extend_from_slice(b"<closed>");
            break;
        }
        answer.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}
