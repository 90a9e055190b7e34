//! A plain request, `http://`, for a host that is passed through: sent on as it is, less what concerns our proxy.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hallpass_core::denial::{Denial, DenialCode};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, Version, header, request};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::super::download::{Answer, DownloadError};
use super::super::switch::Live;
use super::Passthrough;
use super::carry::Passage;
use super::outer::OuterProxy;

/// What belongs to one connection and not to the request (RFC 9110, 7.6.1).
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

type Driver = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

/// The body of an answer that is passed through, with the connection that it comes over.
pub(in super::super) struct Plain {
    rest: Incoming,
    driver: Option<Driver>,
    passage: Passage,
    live: Arc<Live>,
}

/// Sends a request on over its passage, and gives the answer.
///
/// # Errors
/// [`DenialCode::UpstreamUnreachable`] when nothing was sent, [`DenialCode::OutcomeUnknown`] when no answer came.
pub(in super::super) async fn forward(
    live: &Arc<Live>,
    head: &request::Parts,
    body: Incoming,
    pass: &Passthrough,
    mut passage: Passage,
) -> Result<Response<Answer>, Denial> {
    if [Method::CONNECT, Method::TRACE].contains(&head.method) {
        return Err(Denial::new(DenialCode::Malformed, "this method is not passed on"));
    }
    let broken = |code, error: hyper::Error| Denial::new(code, format!("the host broke off: {error}"));
    let gone = || Denial::new(DenialCode::UpstreamUnreachable, "the connection was used before");
    let far = passage.take().ok_or_else(gone)?;
    let up = Arc::clone(&passage.up);
    let body = body.map_frame(move |frame| {
        up.fetch_add(frame.data_ref().map_or(0, |data| data.len() as u64), Ordering::Relaxed);
        frame
    });
    let (mut sender, connection) = http1::Builder::new()
        .handshake(TokioIo::new(far))
        .await
        .map_err(|error| broken(DenialCode::UpstreamUnreachable, error))?;
    let mut driver: Option<Driver> = Some(Box::pin(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection that was passed through broke");
        }
    }));
    let answer = {
        let mut sending = pin!(sender.send_request(onward(head, body, pass.before_plain())?));
        poll_fn(|cx| {
            drive(&mut driver, cx);
            sending.as_mut().poll(cx)
        })
        .await
    };
    let (mut answer, rest) = answer.map_err(|error| broken(DenialCode::OutcomeUnknown, error))?.into_parts();
    strip(&mut answer.headers);
    answer.version = Version::HTTP_11;
    live.answer();
    let body = Plain { rest, driver, passage, live: Arc::clone(live) };
    Ok(Response::from_parts(answer, Answer::Plain(Box::new(body))))
}

/// The request for the host itself, or for the proxy before it.
fn onward<B>(head: &request::Parts, body: B, outer: Option<&OuterProxy>) -> Result<Request<B>, Denial> {
    let malformed = || Denial::new(DenialCode::Malformed, "the request cannot be sent on");
    let mut onward = Request::new(body);
    *onward.method_mut() = head.method.clone();
    *onward.headers_mut() = head.headers.clone();
    strip(onward.headers_mut());
    // The request line decides (RFC 9112, 3.2.2).
    let host = head.uri.authority().and_then(|authority| HeaderValue::try_from(authority.as_str()).ok());
    onward.headers_mut().insert(header::HOST, host.ok_or_else(malformed)?);
    onward.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    *onward.uri_mut() = match outer {
        Some(_) => head.uri.clone(),
        None => {
            let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
            path.parse::<Uri>().map_err(|_| malformed())?
        }
    };
    if let Some(who) = outer.and_then(OuterProxy::authorization) {
        let mut who = HeaderValue::try_from(who.expose()).map_err(|_| malformed())?;
        who.set_sensitive(true);
        onward.headers_mut().insert(header::PROXY_AUTHORIZATION, who);
    }
    Ok(onward)
}

/// Removes what belongs to one connection, by name and by what `Connection` lists.
fn strip(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&listed) {
        headers.remove(name);
    }
}

fn drive(driver: &mut Option<Driver>, cx: &mut Context<'_>) {
    if driver.as_mut().is_some_and(|driver| driver.as_mut().poll(cx).is_ready()) {
        *driver = None;
    }
}

impl Plain {
    pub(in super::super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, DownloadError>>> {
        drive(&mut self.driver, cx);
        loop {
            match ready!(Pin::new(&mut self.rest).poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => {
                    self.passage.fault("broken off by the host");
                    return Poll::Ready(Some(Err(DownloadError::Upstream(error))));
                }
                // Trailers are hop-by-hop here: their announcement was removed with `Trailer`.
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        self.passage.down.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                        return Poll::Ready(Some(Ok(Frame::data(bytes))));
                    }
                }
            }
        }
    }

    pub(in super::super) fn is_end_stream(&self) -> bool {
        self.rest.is_end_stream()
    }

    pub(in super::super) fn size_hint(&self) -> SizeHint {
        self.rest.size_hint()
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.live.end();
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plain").field("passage", &self.passage).finish_non_exhaustive()
    }
}
