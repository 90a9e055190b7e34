//! Event streams that the child uploads: which requests may be one, and the keys of both directions.

use std::sync::Arc;

use hallpass_core::credential::Credential;
use hallpass_core::denial::Denial;
use hallpass_core::resolve::Resolved;
use hallpass_core::sigv4::events::{EventDecoder, EventSigner, KeyOfDay, is_event_stream};
use hallpass_core::sigv4::{PayloadHash, Scope, VerifyError};

use super::Shared;
use super::sign::Outbound;
use super::verify::{Authenticated, denied};

/// A decoder for the request's event stream; `None` when its body is something else.
///
/// # Errors
/// When the operation takes no event stream: the body would be verified as one thing and read as another.
pub(super) fn decoder(
    gate: &Arc<Shared>,
    who: &Authenticated<'_>,
    resolved: &Resolved,
) -> Result<Option<Box<EventDecoder>>, Denial> {
    if who.verified.payload != PayloadHash::StreamingEvents {
        return Ok(None);
    }
    if !is_event_stream(&resolved.service, &resolved.operation) {
        return Err(not_here());
    }
    let (gate, scope) = (Arc::clone(gate), who.verified.scope);
    let (region, service) = (scope.region.to_owned(), scope.service.to_owned());
    let keys: KeyOfDay = Box::new(move |day| {
        let placeholder = &gate.placeholder;
        let scope = Scope::new(day, &region, &service)?;
        Some(gate.keys.key(&placeholder.access_key_id, placeholder.secret_access_key.expose(), scope))
    });
    Ok(Some(Box::new(EventDecoder::new(keys, who.verified.signature))))
}

/// Signs with the credential that the request was signed with, for as long as the stream lasts.
pub(super) fn signer(
    gate: &Arc<Shared>,
    credential: &Credential,
    region: &str,
    service: &str,
    outbound: &Outbound,
) -> Result<EventSigner, Denial> {
    let (gate, credential) = (Arc::clone(gate), credential.clone());
    let (region, service) = (region.to_owned(), service.to_owned());
    let keys: KeyOfDay = Box::new(move |day| {
        let scope = Scope::new(day, &region, &service)?;
        Some(gate.signing_keys.key(&credential.access_key_id, credential.secret_access_key.expose(), scope))
    });
    outbound.seed.map(|seed| EventSigner::new(keys, seed)).ok_or_else(not_here)
}

/// The refusal of an event stream where none belongs.
pub(super) fn not_here() -> Denial {
    denied(VerifyError::PayloadMode("STREAMING-AWS4-HMAC-SHA256-EVENTS"))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;

    use bytes::Bytes;
    use hallpass_core::clock::{Clock, ManualClock};
    use hallpass_core::denial::DenialCode;
    use hallpass_core::sigv4::events::{Event, EventDecoder, EventError, EventSigner, KeyOfDay};
    use hallpass_core::sigv4::{Scope, Signature, SigningKey};
    use http::{Request, Response};
    use http_body_util::{BodyExt, Empty};
    use hyper::body::Incoming;
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use jiff::Timestamp;
    use tokio::io::{AsyncWriteExt, DuplexStream};
    use tokio::sync::mpsc;

    use super::super::switch::Switch;
    use super::super::upload::Upload;

    const HEAD: &[u8] = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";

    fn keys(secret: &'static str) -> KeyOfDay {
        Box::new(move |day| Some(Arc::new(SigningKey::derive(secret, Scope::new(day, "us-east-1", "lex")?))))
    }

    fn seed() -> Signature {
        Signature::parse(&[b'5'; 64]).expect("a signature")
    }

    /// What goes upstream of a request whose body is an event stream signed with `inbound`: bytes, or why it broke off.
    async fn relay(request: Request<Incoming>, out: mpsc::Sender<Result<Bytes, DenialCode>>) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_second(1_795_478_398).expect("in range")));
        let (decoder, signer) =
            (EventDecoder::new(keys("inbound"), seed()), EventSigner::new(keys("outbound"), seed()));
        let mut upload = Upload::events(request.into_body(), decoder, signer, clock, None, Switch::default());
        assert!(upload.wait().is_none(), "a conversation does not wait for an invitation");
        let transit = upload.transit();
        while let Some(frame) = upload.frame().await {
            let sent = match frame {
                Ok(frame) => Ok(frame.into_data().unwrap_or_default()),
                Err(_) => Err(transit.fault().expect("a reason").code),
            };
            let _ = out.send(sent).await;
        }
    }

    fn serve(socket: DuplexStream) -> (mpsc::Receiver<Result<Bytes, DenialCode>>, tokio::task::JoinSet<()>) {
        let (out, sent) = mpsc::channel(16);
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(async move {
            let service = service_fn(move |request| {
                let out = out.clone();
                async move {
                    relay(request, out).await;
                    Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
                }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
        });
        (sent, tasks)
    }

    /// Events as the child signs them, in one HTTP chunk each.
    fn chunks(secret: &'static str, payloads: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut signer = EventSigner::new(keys(secret), seed());
        let now = ManualClock::new(Timestamp::from_second(1_795_478_398).expect("in range")).now();
        let chunk = |payload: &&[u8]| {
            let message = signer.encode(Event { payload: payload.to_vec() }, now).expect("signs");
            [format!("{:x}\r\n", message.len()).as_bytes(), &message, b"\r\n"].concat()
        };
        payloads.iter().map(chunk).collect()
    }

    #[tokio::test]
    async fn each_event_is_sent_on_at_once_with_a_signature_of_ours() {
        let (mut child, socket) = tokio::io::duplex(1 << 16);
        let (mut sent, _tasks) = serve(socket);
        child.write_all(HEAD).await.expect("sent");
        let mut upstream = EventDecoder::new(keys("outbound"), seed());
        let payloads = [b"one".as_slice(), &[7; 5_000], b""];
        for (chunk, payload) in chunks("inbound", &payloads).iter().zip(payloads) {
            child.write_all(chunk).await.expect("sent");
            let message = sent.recv().await.expect("before the next one comes").expect("right");
            let event = upstream.decode(&mut message.as_ref()).expect("ours").expect("whole");
            assert_eq!(event.payload, payload);
            assert_eq!(chunk.len(), format!("{:x}", message.len()).len() + 4 + message.len(), "the length is kept");
        }
        child.write_all(b"0\r\n\r\n").await.expect("sent");
        drop(child);
        assert!(sent.recv().await.is_none(), "nothing follows the end");
        assert_eq!(upstream.finish(), Ok(()));
    }

    #[tokio::test]
    async fn an_event_that_the_child_did_not_sign_breaks_the_stream_off() {
        let good = chunks("inbound", &[b"one", b"two", b""]);
        let forged = chunks("another", &[b"one"]);
        for (events, code) in [
            (vec![&good[0], &forged[0]], DenialCode::Signature),
            (vec![&good[0], &good[2]], DenialCode::Signature),
            (vec![&good[0], &good[1]], DenialCode::BodyMismatch),
            (vec![&good[0], &good[1], &good[2], &good[0]], DenialCode::Malformed),
        ] {
            let (mut child, socket) = tokio::io::duplex(1 << 16);
            let (mut sent, _tasks) = serve(socket);
            child.write_all(HEAD).await.expect("sent");
            for event in &events {
                child.write_all(event).await.expect("sent");
            }
            child.write_all(b"0\r\n\r\n").await.expect("sent");
            let mut passed = 0;
            let fault = loop {
                match sent.recv().await.expect("an end with a reason") {
                    Ok(_) => passed += 1,
                    Err(code) => break code,
                }
            };
            assert_eq!(fault, code);
            assert!(passed <= events.len() && !(code == DenialCode::Signature && passed > 1), "{code:?} {passed}");
        }
        assert_eq!(EventError::Truncated.code(), DenialCode::BodyMismatch);
    }
}
