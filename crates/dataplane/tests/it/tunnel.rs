//! A client of the forward proxy: CONNECT, TLS with the session's certificate, then requests.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hallpass_dataplane::gate::Proxy;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::{Answer, Sign};
use crate::world::World;

pub(crate) const S3: &str = "s3.us-east-1.amazonaws.com";

/// The header that the URL of the proxy stands for.
pub(crate) fn basic(proxy: &Proxy) -> String {
    let (_, rest) = proxy.url.expose().split_once("//").expect("a URL");
    let (credentials, _) = rest.split_once('@').expect("a user");
    format!("Basic {}", STANDARD.encode(credentials))
}

/// Sends a CONNECT and gives the head of the answer with the connection.
pub(crate) async fn connect(world: &World, authority: &str, headers: &str) -> (String, TcpStream) {
    let mut socket = TcpStream::connect(world.gate.address()).await.expect("connects");
    let ask = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{headers}\r\n");
    socket.write_all(ask.as_bytes()).await.expect("sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    (String::from_utf8(head).expect("text"), socket)
}

/// TLS to `host` with trust in the session's certificate alone.
pub(crate) async fn encrypted(proxy: &Proxy, socket: TcpStream, host: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(proxy.certificate.as_bytes()).expect("PEM")).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder.expect("versions").with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, socket).await
}

/// An open tunnel.
pub(crate) struct Tunnel {
    sender: SendRequest<Full<Bytes>>,
    _driver: JoinSet<()>,
}

impl Tunnel {
    /// To `host`, with the right password.
    pub(crate) async fn to(world: &World, proxy: &Proxy, host: &str) -> Self {
        let auth = format!("Proxy-Authorization: {}\r\n", basic(proxy));
        let (head, socket) = connect(world, &format!("{host}:443"), &auth).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let stream = encrypted(proxy, socket, host).await.expect("the session's certificate is trusted");
        let (sender, driver) = handshake(TokioIo::new(stream)).await.expect("handshake");
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let _ = driver.await;
        });
        Self { sender, _driver: tasks }
    }

    pub(crate) async fn ask(&mut self, request: Request<Full<Bytes>>) -> Answer {
        self.sender.ready().await.expect("still open");
        let (head, body) = self.sender.send_request(request).await.expect("an answer").into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Answer { status: head.status, headers: head.headers, body }
    }
}

/// A signature for a host behind the proxy.
pub(crate) fn sign_for(world: &World, host: &str) -> Sign {
    let mut sign = Sign::with(world);
    host.clone_into(&mut sign.host);
    sign
}

/// One signed GET in a tunnel of its own.
pub(crate) async fn get_within(world: &World, proxy: &Proxy, host: &str, path: &str) -> Answer {
    let request = sign_for(world, host).request(Method::GET, path, &[], b"");
    Tunnel::to(world, proxy, host).await.ask(request).await
}
