//! The child's body: read into memory where the signature, the operation or its resources need it.

use bytes::{Bytes, BytesMut};
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::limits::BUFFERED_BODY_BYTES_MAX;
use hallpass_core::sigv4::chunked::{Decoder, Event};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::fail_points::fail_point;
use super::verify::chunks_denied;
use super::wire::Framing;

/// The body of a request, as long as nobody has taken it. Not polling it is what keeps back `100 Continue`.
#[derive(Debug)]
pub(super) struct Child {
    framing: Framing,
    incoming: Option<Incoming>,
    /// It was read to its end.
    complete: bool,
}

/// An aws-chunked body, read and verified to its end.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) data: Bytes,
    pub(super) trailers: Vec<(String, String)>,
}

impl Child {
    pub(super) fn new(framing: Framing, incoming: Incoming) -> Self {
        Self { framing, incoming: Some(incoming), complete: false }
    }

    pub(super) fn framing(&self) -> Framing {
        self.framing
    }

    pub(super) fn has_body(&self) -> bool {
        match self.framing {
            Framing::None | Framing::Length(0) => false,
            Framing::Length(_) | Framing::Chunked => true,
        }
    }

    /// True when bytes of the body may still be on their way: the connection cannot be used again.
    pub(super) fn is_unread(&self) -> bool {
        self.has_body() && !self.complete
    }

    /// The stream, to be sent on. Once.
    pub(super) fn take(&mut self) -> Result<Incoming, Denial> {
        self.incoming.take().ok_or_else(|| Denial::new(DenialCode::Malformed, "the body was already read"))
    }
}

/// Reads the whole body.
///
/// # Errors
/// [`DenialCode::TooLarge`] past [`BUFFERED_BODY_BYTES_MAX`]; [`DenialCode::Malformed`] when it breaks off.
pub(super) async fn whole(child: &mut Child) -> Result<Bytes, Denial> {
    let mut reader = Reader::new(child)?;
    let mut body = reader.next().await?.unwrap_or_default();
    if let Some(second) = reader.next().await? {
        let mut all = BytesMut::from(body);
        all.extend_from_slice(&second);
        while let Some(more) = reader.next().await? {
            all.extend_from_slice(&more);
        }
        body = all.freeze();
    }
    child.complete = true;
    Ok(body)
}

/// Reads a whole aws-chunked body, verifies it, and removes its framing.
///
/// # Errors
/// As [`whole`], and what the decoder refuses.
pub(super) async fn decoded(child: &mut Child, mut decoder: Decoder) -> Result<Decoded, Denial> {
    let mut reader = Reader::new(child)?;
    let mut data = BytesMut::new();
    let mut trailers = Vec::new();
    while let Some(bytes) = reader.next().await? {
        let mut input = bytes.as_ref();
        while let Some(event) = decoder.decode(&mut input).map_err(|e| chunks_denied(&e))? {
            match event {
                Event::Chunk(chunk) => data.extend_from_slice(&chunk.data),
                Event::Data(piece) => data.extend_from_slice(piece),
                Event::Start { .. } => {}
                Event::End(end) => trailers = end.trailers,
            }
        }
    }
    decoder.finish().map_err(|e| chunks_denied(&e))?;
    child.complete = true;
    Ok(Decoded { data: data.freeze(), trailers })
}

struct Reader {
    incoming: Incoming,
    seen: usize,
}

impl Reader {
    fn new(child: &mut Child) -> Result<Self, Denial> {
        fail_point!("gate::body", Err(super::refuse::injected()));
        match child.framing {
            Framing::Length(bytes) if bytes > BUFFERED_BODY_BYTES_MAX as u64 => return Err(too_large()),
            Framing::None | Framing::Length(_) | Framing::Chunked => {}
        }
        Ok(Self { incoming: child.take()?, seen: 0 })
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Denial> {
        loop {
            let Some(frame) = self.incoming.frame().await else { return Ok(None) };
            let bytes = data_of(frame)?;
            self.seen += bytes.len();
            if self.seen > BUFFERED_BODY_BYTES_MAX {
                return Err(too_large());
            }
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
    }
}

/// The bytes of a frame of the child's body.
///
/// # Errors
/// When the body broke off, and for HTTP trailers: nothing signs them.
pub(super) fn data_of(frame: Result<hyper::body::Frame<Bytes>, hyper::Error>) -> Result<Bytes, Denial> {
    let broken = |why| Denial::new(DenialCode::Malformed, why);
    let frame = frame.map_err(|_| broken("the body broke off or is malformed"))?;
    frame.into_data().map_err(|_| broken("HTTP trailers are not signed, so they are not taken"))
}

fn too_large() -> Denial {
    let why = format!("the body must be read before this call can be decided, at most {BUFFERED_BODY_BYTES_MAX} bytes");
    Denial::new(DenialCode::TooLarge, why)
}
