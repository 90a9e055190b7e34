//! `aws-chunked` bodies: decoded and verified with the inbound key, framed and signed again with the outbound key.
//!
//! ```text
//! hex-size[;chunk-signature=SIG]CRLF data CRLF … 0[;chunk-signature=SIG]CRLF
//! [name:value CRLF …][x-amz-trailer-signature:SIG CRLF] CRLF
//! ```
//!
//! Inbound signatures chain from the inbound seed and are worthless upstream, so every chunk is signed anew; its
//! SHA-256 is computed once and enters both chains. **What [`Encoder`] writes for an event is exactly as long as what
//! [`Decoder`] read for it**, so the gate forwards `content-length` unchanged.
//!
//! Memory is one chunk in the signed modes (at most [`SIGNED_CHUNK_BYTES_MAX`]) and nothing in the unsigned one.
//!
//! Source: "Signature calculations for the Authorization header: transferring payload in multiple chunks" and
//! "… including trailing headers" (Amazon S3 API Reference).

mod chain;
mod declared;
mod decoder;
mod encoder;

use std::fmt;

use crate::denial::DenialCode;
use crate::limits::{CHUNK_HEADER_BYTES_MAX, SIGNED_CHUNK_BYTES_MAX};

pub use chain::ChunkChain;
pub use declared::Declared;
pub use decoder::Decoder;
pub use encoder::{Encoder, Frame};

/// How an `aws-chunked` body is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChunkMode {
    /// Every chunk is signed, there is no trailer.
    Signed,
    /// Every chunk and the trailer are signed.
    SignedTrailer,
    /// Neither chunks nor trailer are signed.
    UnsignedTrailer,
}

/// What a decoder found, in the order: chunks, then one [`Event::End`].
#[derive(PartialEq, Eq)]
pub enum Event<'i> {
    /// Signed modes: a whole chunk whose signature is right.
    Chunk(Chunk),
    /// Unsigned mode: a chunk of `size` bytes begins.
    Start {
        /// Length of the chunk's data, bytes, above zero.
        size: u64,
    },
    /// Unsigned mode: the next bytes of the chunk, borrowed from the input.
    Data(&'i [u8]),
    /// The body is complete: its length is the declared one, its trailers are the declared ones and are the checksums
    /// of the data, and in the signed modes the final signatures are right.
    End(End),
}

/// A verified chunk.
#[derive(PartialEq, Eq)]
pub struct Chunk {
    /// The data; never empty.
    pub data: Vec<u8>,
    /// SHA-256 of the data.
    pub sha256: [u8; 32],
}

impl fmt::Debug for Event<'_> {
    /// Lengths only: the data is the client's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chunk(chunk) => chunk.fmt(f),
            Self::Start { size } => write!(f, "Start({size} bytes)"),
            Self::Data(data) => write!(f, "Data({} bytes)", data.len()),
            Self::End(end) => end.fmt(f),
        }
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chunk({} bytes)", self.data.len())
    }
}

/// The end of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The trailers in the order received: lower-case names.
    pub trailers: Vec<(String, String)>,
    /// How the client ends its trailer lines; kept so that the length stays the same.
    pub lines: LineEnding,
}

/// How trailer lines end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineEnding {
    /// CRLF after each line: the AWS SDKs.
    #[default]
    CrLf,
    /// LF after each trailer, then CRLF before the signature: the MinIO clients.
    Lf,
}

/// Why a chunked body was refused. After an error nothing more may be sent upstream, least of all a final chunk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// `x-amz-decoded-content-length` is missing or not a number.
    #[error("x-amz-decoded-content-length is missing or malformed: send the length of the decoded body")]
    DecodedLength,
    /// `x-amz-trailer` does not fit the mode, or names something that is not a checksum.
    #[error("x-amz-trailer is missing or malformed: name each checksum that the trailer will carry, once")]
    TrailerHeader,
    /// A chunk header does not have the one legal form.
    #[error("a chunk header is malformed: send SIZE in hex without leading zeros{0}")]
    Header(&'static str),
    /// A chunk header or the trailer section is too long.
    #[error("a chunk header or the trailer is longer than {CHUNK_HEADER_BYTES_MAX} bytes")]
    HeaderTooLong,
    /// A signed chunk is too large to hold until its signature is verified.
    #[error("a signed chunk has {0} bytes: send chunks of at most {SIGNED_CHUNK_BYTES_MAX} bytes")]
    ChunkTooLarge(u64),
    /// The data of a chunk is not followed by CRLF.
    #[error("a chunk is not followed by CRLF")]
    ChunkEnd,
    /// The trailer section is malformed or is not what `x-amz-trailer` announced.
    #[error("the trailer is malformed or not the one that x-amz-trailer announced")]
    Trailer,
    /// A chunk's or the trailer's signature is wrong.
    #[error("a chunk signature does not match: the body is not the one that was signed")]
    Signature,
    /// The data does not have the checksum of the trailer.
    #[error("the data does not have the checksum in its `{0}` trailer: it was changed on its way, send it again")]
    Checksum(String),
    /// The decoded body has another length than announced.
    #[error("the decoded body does not have the {declared} bytes that x-amz-decoded-content-length announced")]
    LengthMismatch {
        /// What was announced.
        declared: u64,
    },
    /// The body ended before its final chunk.
    #[error("the body ended before its final chunk")]
    Truncated,
    /// Bytes follow the end.
    #[error("the body goes on after its final chunk")]
    TrailingBytes,
    /// An event of the other mode was given to an encoder: a mistake of the caller.
    #[error("this body cannot be framed that way: use one mode from end to end")]
    Mode,
}

impl ChunkError {
    /// The stable code of this refusal.
    pub fn code(&self) -> DenialCode {
        match self {
            Self::HeaderTooLong | Self::ChunkTooLarge(_) => DenialCode::TooLarge,
            Self::Signature => DenialCode::Signature,
            Self::Checksum(_) | Self::LengthMismatch { .. } | Self::Truncated => DenialCode::BodyMismatch,
            Self::DecodedLength
            | Self::TrailerHeader
            | Self::Header(_)
            | Self::ChunkEnd
            | Self::Trailer
            | Self::TrailingBytes
            | Self::Mode => DenialCode::Malformed,
        }
    }
}
