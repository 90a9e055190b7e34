//! Delivery `credential-endpoint`: the container-credentials protocol on loopback, from which SDKs refresh by
//! themselves, so that a long job never sees an expired credential and an ended session gets no new one.
//!
//! Source: "Container credential provider", AWS SDKs and Tools Reference Guide.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hallpass_core::clock::Clock;
use hallpass_core::credential::{Credential, CredentialSource};
use hallpass_core::limits::{
    CREDENTIAL_ENDPOINT_CONNECTIONS_MAX, CREDENTIAL_ENDPOINT_LIFE_S_MAX, REQUEST_HEAD_TIMEOUT_S,
};
use hallpass_core::secret::Secret;
use hallpass_dataplane::gate::{Closed, Placeholder};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::environment::{Variables, merge_no_proxy, set};

/// The one path that answers.
const PATH: &str = "/credentials";

/// What the endpoint hands out, and how long.
#[derive(Debug)]
pub(crate) struct Lending {
    /// Hands out the current real credential.
    pub(crate) source: Arc<dyn CredentialSource>,
    /// Tells the time.
    pub(crate) clock: Arc<dyn Clock>,
    /// End of the session.
    pub(crate) until: Timestamp,
    /// The role that the credential stands for, where it is known.
    pub(crate) role_arn: Option<String>,
}

/// A running endpoint.
#[derive(Debug)]
pub(crate) struct Endpoint {
    address: SocketAddr,
    token: Secret,
    switch: EndpointSwitch,
    stop: tokio_util::sync::CancellationToken,
}

/// Ends the endpoint's lending; every clone is the same switch.
#[derive(Debug, Clone, Default)]
pub(crate) struct EndpointSwitch(Arc<Mutex<Option<Closed>>>);

impl EndpointSwitch {
    /// Hands out nothing from the instant it returns. The first reason stays.
    pub(crate) fn refuse(&self, why: Closed) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }

    /// True when nothing is handed out any more.
    #[cfg(test)]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed().is_some()
    }

    fn closed(&self) -> Option<Closed> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Endpoint {
    /// Begins to listen on an ephemeral port of 127.0.0.1.
    ///
    /// # Errors
    /// When no socket or no randomness can be had.
    pub(crate) async fn bind(lending: Lending, tasks: &TaskTracker) -> io::Result<Self> {
        // The same generator, and the same 256 bits or more, as a placeholder's token.
        let token = Placeholder::generate().map_err(io::Error::other)?.session_token;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let switch = EndpointSwitch::default();
        let stop = tokio_util::sync::CancellationToken::new();
        let desk = Arc::new(Desk { lending, token: token.clone(), host: address.to_string(), switch: switch.clone() });
        let serving = serve(listener, desk, tasks.clone());
        tasks.spawn(stop.clone().run_until_cancelled_owned(serving));
        Ok(Self { address, token, switch, stop })
    }

    /// The handle that ends the lending.
    pub(crate) fn switch(&self) -> EndpointSwitch {
        self.switch.clone()
    }

    /// Points the child at the endpoint.
    pub(super) fn deliver(&self, variables: &mut Variables) {
        set(variables, "AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("http://{}{PATH}", self.address));
        set(variables, "AWS_CONTAINER_AUTHORIZATION_TOKEN", self.token.expose());
        merge_no_proxy(variables, false);
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.switch.refuse(Closed::Completed);
        self.stop.cancel();
    }
}

/// Everything that one answer needs.
#[derive(Debug)]
struct Desk {
    lending: Lending,
    token: Secret,
    host: String,
    switch: EndpointSwitch,
}

async fn serve(listener: TcpListener, desk: Arc<Desk>, tasks: TaskTracker) {
    let places = Arc::new(Semaphore::new(CREDENTIAL_ENDPOINT_CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors: wait, and do not spin.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let desk = Arc::clone(&desk);
        tasks.spawn(async move {
            let answer = service_fn(|request| {
                let desk = Arc::clone(&desk);
                async move { Ok::<_, Infallible>(desk.answer(&request).await) }
            });
            let timeout = Duration::from_secs(REQUEST_HEAD_TIMEOUT_S);
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(timeout).keep_alive(false);
            let connection = builder.serve_connection(TokioIo::new(stream), answer);
            if let Err(error) = tokio::time::timeout(2 * timeout, connection).await.unwrap_or(Ok(())) {
                tracing::debug!(%error, "a connection to the credential endpoint broke");
            }
            drop(place);
        });
    }
}

impl Desk {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if let Err((status, code, message)) = self.admit(request) {
            return reply(status, &json!({"code": code, "message": message}));
        }
        let credential = match self.lending.source.current().await {
            Ok(credential) => credential,
            Err(error) => {
                let message = format!("hallpass: no credential is to be had now: {error}");
                return reply(StatusCode::SERVICE_UNAVAILABLE, &json!({"code": "Unavailable", "message": message}));
            }
        };
        // The session may have been taken back while the cloud was asked.
        if let Err((status, code, message)) = self.open() {
            return reply(status, &json!({"code": code, "message": message}));
        }
        reply(StatusCode::OK, &self.body(&credential))
    }

    fn admit(&self, request: &Request<Incoming>) -> Result<(), Refusal> {
        let headers = request.headers();
        let only = |name: header::HeaderName| {
            let mut values = headers.get_all(name).iter();
            values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
        };
        let foreign = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
        if foreign || only(header::HOST) != Some(self.host.as_str()) {
            return Err((StatusCode::FORBIDDEN, "ForeignOrigin", "hallpass: not for web pages".to_owned()));
        }
        if request.uri().path_and_query().map(http::uri::PathAndQuery::as_str) != Some(PATH)
            || request.uri().authority().is_some()
        {
            return Err((StatusCode::NOT_FOUND, "NotFound", "hallpass: nothing here".to_owned()));
        }
        if request.method() != Method::GET {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "hallpass: only GET".to_owned()));
        }
        // `Secret` compares in constant time.
        if only(header::AUTHORIZATION).map(Secret::new).as_ref() != Some(&self.token) {
            return Err((StatusCode::UNAUTHORIZED, "Unauthorized", "hallpass: wrong or missing token".to_owned()));
        }
        self.open()
    }

    fn open(&self) -> Result<(), Refusal> {
        let ended = match self.switch.closed() {
            Some(Closed::Revoked) => "the session was revoked",
            Some(Closed::Completed) => "the session has ended",
            Some(Closed::BudgetExceeded) => "the session's budget or another of its caps is used up",
            Some(Closed::Expired) => "the session has expired",
            None if self.lending.clock.now() >= self.lending.until => "the session has expired",
            None => return Ok(()),
        };
        Err((StatusCode::FORBIDDEN, "AccessDenied", format!("hallpass: {ended}")))
    }

    fn body(&self, credential: &Credential) -> serde_json::Value {
        let life = SignedDuration::from_secs(i64::try_from(CREDENTIAL_ENDPOINT_LIFE_S_MAX).unwrap_or(0));
        let soon = self.lending.clock.now().checked_add(life).unwrap_or(Timestamp::MAX);
        let expiration = soon.min(self.lending.until).min(credential.expires_at.unwrap_or(Timestamp::MAX));
        json!({
            "AccessKeyId": credential.access_key_id,
            "SecretAccessKey": credential.secret_access_key.expose(),
            "Token": credential.session_token.as_ref().map_or("", |token| token.expose()),
            "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "RoleArn": self.lending.role_arn,
        })
    }
}

/// Status, code, sentence.
type Refusal = (StatusCode, &'static str, String);

fn reply(status: StatusCode, body: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream};
    use std::sync::Arc;

    use hallpass_core::clock::{Clock, ManualClock};
    use hallpass_core::credential::{Credential, FixedCredential};
    use hallpass_core::limits::{CREDENTIAL_ENDPOINT_CONNECTIONS_MAX, CREDENTIAL_ENDPOINT_LIFE_S_MAX};
    use hallpass_core::secret::Secret;
    use hallpass_dataplane::gate::Closed;
    use jiff::{SignedDuration, Timestamp};
    use tokio_util::task::TaskTracker;

    use super::{Endpoint, Lending, PATH};

    const CANARY: &str = "real-secret-canary";

    struct Bench {
        endpoint: Endpoint,
        clock: Arc<ManualClock>,
        _runtime: tokio::runtime::Runtime,
    }

    fn bench(life_s: i64) -> Bench {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("time");
        let clock = Arc::new(ManualClock::new(now));
        let credential = Credential {
            access_key_id: "ASIAREAL".to_owned(),
            secret_access_key: Secret::new(CANARY),
            session_token: Some(Secret::new("token")),
            expires_at: Some(now + SignedDuration::from_secs(7_200)),
        };
        let lending = Lending {
            source: Arc::new(FixedCredential(credential)),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            until: now + SignedDuration::from_secs(life_s),
            role_arn: None,
        };
        let endpoint = runtime.block_on(Endpoint::bind(lending, &TaskTracker::new())).expect("bound");
        Bench { endpoint, clock, _runtime: runtime }
    }

    fn send(to: SocketAddr, request: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(to).expect("connects");
        stream.write_all(request.as_bytes()).expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("read");
        let status = answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        (status, answer)
    }

    impl Bench {
        fn request(&self, method: &str, path: &str, host: Option<&str>, more: &str) -> (u16, String) {
            let own = self.endpoint.address.to_string();
            let host = host.unwrap_or(&own);
            send(self.endpoint.address, &format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n"))
        }

        fn token(&self) -> String {
            format!("Authorization: {}\r\n", self.endpoint.token.expose())
        }

        fn good(&self) -> (u16, String) {
            self.request("GET", PATH, None, &self.token())
        }
    }

    #[test]
    fn only_the_exact_request_with_the_token_gets_the_credential() {
        let bench = bench(3_600);
        let token = bench.token();
        assert!(bench.endpoint.token.len() >= 43);
        let (status, body) = bench.good();
        assert!(status == 200 && body.contains(CANARY), "{body}");
        let short = format!("{}\r\n", &token[..token.len() - 3]);
        let port = bench.endpoint.address.port();
        let refused = [
            ("GET", PATH, None, String::new()),
            ("GET", PATH, None, short),
            ("GET", PATH, None, format!("{token}{token}")),
            ("GET", "/credentials/", None, token.clone()),
            ("GET", "/credentials?x=1", None, token.clone()),
            ("GET", "/", None, token.clone()),
            ("POST", PATH, None, format!("{token}Content-Length: 0\r\n")),
            ("GET", PATH, Some(format!("localhost:{port}")), token.clone()),
            ("GET", PATH, Some("rebound.example".to_owned()), token.clone()),
            ("GET", PATH, None, format!("{token}Origin: http://127.0.0.1\r\n")),
            ("GET", PATH, None, format!("{token}Sec-Fetch-Site: cross-site\r\n")),
        ];
        for (method, path, host, more) in refused {
            let (status, body) = bench.request(method, path, host.as_deref(), &more);
            assert!((400..500).contains(&status) && !body.contains(CANARY), "{method} {path} {host:?} {more}: {body}");
        }
    }

    #[test]
    fn nothing_is_handed_out_after_the_kill_or_the_end() {
        let killed = bench(3_600);
        killed.endpoint.switch().refuse(Closed::Revoked);
        killed.endpoint.switch().refuse(Closed::Completed);
        let (status, body) = killed.good();
        assert!(status == 403 && body.contains("revoked") && !body.contains(CANARY), "{body}");
        let expired = bench(60);
        expired.clock.advance_s(60);
        let (status, body) = expired.good();
        assert!(status == 403 && body.contains("expired") && !body.contains(CANARY), "{body}");
    }

    #[test]
    fn the_expiration_makes_sdks_come_back_and_never_passes_the_session() {
        let limit = i64::try_from(CREDENTIAL_ENDPOINT_LIFE_S_MAX).expect("small");
        for (life_s, expected) in [(limit * 3, limit), (60, 60)] {
            let (_, answer) = bench(life_s).good();
            let body = answer.split("\r\n\r\n").nth(1).expect("body");
            let body: serde_json::Value = serde_json::from_str(body).expect("json");
            let expiration: Timestamp = body["Expiration"].as_str().expect("text").parse().expect("time");
            let start: Timestamp = "2026-01-01T00:00:00Z".parse().expect("time");
            assert_eq!(expiration.duration_since(start).as_secs(), expected);
        }
    }

    #[test]
    fn idle_connections_past_the_limit_wait_and_lock_nobody_out_for_ever() {
        let bench = bench(3_600);
        let mut idle: Vec<_> = (0..=CREDENTIAL_ENDPOINT_CONNECTIONS_MAX)
            .map(|_| TcpStream::connect(bench.endpoint.address).expect("connects"))
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(200));
        idle.clear();
        assert_eq!(bench.good().0, 200);
    }
}
