//! Verified chunks in, framed and newly signed bytes out.

use sha2::{Digest, Sha256};

use super::chain::ChunkChain;
use super::{ChunkError, ChunkMode, Event, LineEnding};

/// Frames one `aws-chunked` body in the mode in which it was decoded.
#[derive(Debug)]
pub struct Encoder {
    mode: ChunkMode,
    chain: Option<ChunkChain>,
    /// Bytes still missing of an unsigned chunk.
    remaining: u64,
    ended: bool,
}

/// What to send for an event: `before`, then the event's data, then `after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The chunk header, or the whole end of the body.
    pub before: Vec<u8>,
    /// The CRLF after a chunk's last byte, or nothing.
    pub after: &'static [u8],
}

impl Encoder {
    /// An encoder. `chain` starts at the outbound signature with the *outbound* key.
    ///
    /// # Errors
    /// [`ChunkError::Mode`] when a signed mode has no chain or the unsigned mode has one.
    pub fn new(mode: ChunkMode, chain: Option<ChunkChain>) -> Result<Self, ChunkError> {
        if chain.is_some() != (mode != ChunkMode::UnsignedTrailer) {
            return Err(ChunkError::Mode);
        }
        Ok(Self { mode, chain, remaining: 0, ended: false })
    }

    /// The bytes around an event's data. The data itself is not copied.
    ///
    /// # Errors
    /// [`ChunkError::Mode`] for events that do not belong to the mode or come out of order.
    pub fn encode(&mut self, event: &Event<'_>) -> Result<Frame, ChunkError> {
        if self.ended {
            return Err(ChunkError::Mode);
        }
        match (event, self.chain.as_mut()) {
            (Event::Chunk(chunk), Some(chain)) => {
                let signature = chain.chunk(chunk.sha256);
                let before = format!("{:x};chunk-signature={}\r\n", chunk.data.len(), signature.as_str());
                Ok(Frame { before: before.into_bytes(), after: b"\r\n" })
            }
            (Event::Start { size }, None) if self.remaining == 0 && *size > 0 => {
                self.remaining = *size;
                Ok(Frame { before: format!("{size:x}\r\n").into_bytes(), after: b"" })
            }
            (Event::Data(data), None) if data.len() as u64 <= self.remaining && !data.is_empty() => {
                self.remaining -= data.len() as u64;
                Ok(Frame { before: Vec::new(), after: if self.remaining == 0 { b"\r\n" } else { b"" } })
            }
            (Event::End(end), chain) if self.remaining == 0 => {
                self.ended = true;
                Ok(Frame { before: end_of_body(self.mode, chain, &end.trailers, end.lines), after: b"" })
            }
            _ => Err(ChunkError::Mode),
        }
    }
}

fn end_of_body(
    mode: ChunkMode,
    mut chain: Option<&mut ChunkChain>,
    trailers: &[(String, String)],
    lines: LineEnding,
) -> Vec<u8> {
    let mut out = String::from("0");
    if let Some(chain) = chain.as_mut() {
        out.push_str(";chunk-signature=");
        out.push_str(chain.chunk(Sha256::digest(b"").into()).as_str());
    }
    out.push_str("\r\n");
    for (name, value) in trailers {
        out.push_str(name);
        out.push(':');
        out.push_str(value);
        out.push_str(match lines {
            LineEnding::CrLf => "\r\n",
            LineEnding::Lf => "\n",
        });
    }
    if lines == LineEnding::Lf {
        out.push_str("\r\n");
    }
    if let (Some(chain), ChunkMode::SignedTrailer) = (chain, mode) {
        out.push_str("x-amz-trailer-signature:");
        out.push_str(chain.trailers(trailers).as_str());
        out.push_str("\r\n");
    }
    out.push_str("\r\n");
    out.into_bytes()
}
