//! The two versions of HTTP that an upstream connection speaks. What they have in common is a request at a time: a
//! connection of the child has one under way, so HTTP/2 multiplexes nothing here. It is spoken where it must be.

use std::future::Future;
use std::pin::Pin;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri, Version, header};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioExecutor;

use super::super::upload::Upload;

/// Sends requests on a connection.
#[derive(Debug)]
pub(super) enum Sender {
    One(http1::SendRequest<Upload>),
    Two(http2::SendRequest<Upload>),
}

/// What moves the bytes of a connection, as long as it is polled.
pub(super) type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Opens a connection on a socket that has agreed on HTTP/2, or on nothing.
///
/// # Errors
/// When the other side does not speak what it agreed on.
pub(super) async fn handshake<T>(io: T, two: bool) -> hyper::Result<(Sender, Driver)>
where
    T: Read + Write + Send + Unpin + 'static,
{
    if two {
        let (sender, driver) = http2::Builder::new(TokioExecutor::new()).handshake(io).await?;
        return Ok((Sender::Two(sender), Box::pin(async move { drop(driver.await) })));
    }
    let (sender, driver) = http1::Builder::new().handshake(io).await?;
    Ok((Sender::One(sender), Box::pin(async move { drop(driver.await) })))
}

impl Sender {
    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::One(sender) => sender.is_closed(),
            Self::Two(sender) => sender.is_closed(),
        }
    }

    pub(super) async fn ready(&mut self) -> hyper::Result<()> {
        match self {
            Self::One(sender) => sender.ready().await,
            Self::Two(sender) => sender.ready().await,
        }
    }

    /// Sends one request, whichever version it was written for. It comes back where nothing of it was begun.
    pub(super) async fn try_send(
        &mut self,
        mut request: Request<Upload>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Upload>>> {
        match self {
            Self::One(sender) => {
                for_one(&mut request);
                sender.try_send_request(request).await
            }
            Self::Two(sender) => {
                for_two(&mut request);
                let mut response = sender.try_send_request(request).await?;
                *response.version_mut() = Version::HTTP_11;
                Ok(response)
            }
        }
    }
}

/// The host as a header, the path alone in the line (RFC 9112, 3.2.1).
fn for_one<B>(request: &mut Request<B>) {
    let Some(host) = request.uri().authority().and_then(|a| HeaderValue::from_str(a.as_str()).ok()) else { return };
    request.headers_mut().insert(header::HOST, host);
    *request.uri_mut() = path(request.uri()).map_or_else(Uri::default, Uri::from);
    *request.version_mut() = Version::HTTP_11;
}

/// The host as `:authority`, which a signature covers as it covers the header (RFC 9113, 8.3.1), and no header that
/// is about a connection (8.2.2). A request that this cannot be done to stays as it is, and is refused by the sender.
fn for_two<B>(request: &mut Request<B>) {
    let host = request.headers().get(header::HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let Some(authority) = host else { return };
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = Some(authority);
    parts.path_and_query = path(request.uri());
    let Ok(uri) = Uri::from_parts(parts) else { return };
    *request.uri_mut() = uri;
    for name in [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE] {
        request.headers_mut().remove(name);
    }
    *request.version_mut() = Version::HTTP_2;
}

fn path(uri: &Uri) -> Option<PathAndQuery> {
    uri.path_and_query().cloned()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::{for_one, for_two};

    #[test]
    fn a_request_is_written_for_either_version_and_back_again() {
        let path = "/b/k//%20x/../%E2%82%AC?versionId=a%2Bb&acl";
        let mut request = Request::new(());
        *request.uri_mut() = path.parse().expect("a path");
        request.headers_mut().insert("host", "h.amazonaws.com:8443".parse().expect("a host"));
        request.headers_mut().insert("connection", "keep-alive".parse().expect("a value"));
        for_two(&mut request);
        assert_eq!(request.uri().to_string(), format!("https://h.amazonaws.com:8443{path}"));
        assert!(request.headers().is_empty());
        for_one(&mut request);
        assert_eq!(request.uri().to_string(), path);
        assert_eq!(request.headers()["host"], "h.amazonaws.com:8443");
    }
}
