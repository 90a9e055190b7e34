//! Event streams that a client uploads (`STREAMING-AWS4-HMAC-SHA256-EVENTS`): each message is verified with the inbound
//! key and signed again with the outbound key.
//!
//! ```text
//! message = length(4) headers-length(4) CRC-32 of both(4)  headers  payload  CRC-32 of everything before(4)
//! header  = name-length(1) name type(1) value
//! ```
//!
//! On the wire each message wraps one of the client's in its payload, and has exactly two headers: `:date` (type 8,
//! milliseconds) and `:chunk-signature` (type 6, 32 bytes). An empty payload ends the stream. Every message is held
//! until its signature is verified (at most [`EVENT_MESSAGE_BYTES_MAX`]), and released at once: these streams are
//! conversations. **What [`encode`](EventSigner::encode) writes is exactly as long as what was read.**
//!
//! Source: "Event stream encoding" (Amazon Transcribe Developer Guide; Smithy `application/vnd.amazon.eventstream`).

mod decoder;
mod frame;
mod signer;

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::key::{Signature, SigningKey};
use super::scope::AmzDate;
use crate::denial::DenialCode;
use crate::limits::EVENT_MESSAGE_BYTES_MAX;

pub use decoder::EventDecoder;
pub use signer::EventSigner;

/// The operations whose request is an event stream, by signing name. Source: the models of botocore 1.44.5; those of
/// Transcribe, which botocore leaves out, from the Amazon Transcribe API Reference.
const OPERATIONS: [(&str, &str); 9] = [
    ("bedrock", "InvokeModelWithBidirectionalStream"),
    ("health-agent", "StartMedicalScribeListeningSession"),
    ("lex", "StartConversation"),
    ("polly", "StartSpeechSynthesisStream"),
    ("qbusiness", "Chat"),
    ("transcribe", "StartCallAnalyticsStreamTranscription"),
    ("transcribe", "StartMedicalScribeStream"),
    ("transcribe", "StartMedicalStreamTranscription"),
    ("transcribe", "StartStreamTranscription"),
];

/// Whether the request of an operation may be an event stream.
pub fn is_event_stream(signing_name: &str, operation: &str) -> bool {
    OPERATIONS.contains(&(signing_name, operation))
}

/// Derives the key of a day (`YYYYMMDD`): a stream may be open at midnight, and its messages are signed with the key of
/// their own day. `None` where there is none.
pub type KeyOfDay = Box<dyn Fn(&str) -> Option<Arc<SigningKey>> + Send + Sync>;

/// A message whose signature is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The client's message; empty at the end of the stream.
    pub payload: Vec<u8>,
}

/// Why an event stream was refused. After an error nothing more may be sent upstream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The lengths of a message contradict each other.
    #[error("an event message is malformed: {0}")]
    Malformed(&'static str),
    /// A message is too large to hold until its signature is verified.
    #[error("an event message has {0} bytes: send messages of at most {EVENT_MESSAGE_BYTES_MAX} bytes")]
    TooLarge(u64),
    /// A CRC is wrong.
    #[error("an event message was changed on its way: its CRC-32 differs, send it again")]
    Crc,
    /// The signature is wrong, or is of a day for which there is no key.
    #[error("the signature of an event does not match: it is not the one that was signed")]
    Signature,
    /// The stream ended without its empty message.
    #[error("the event stream ended before its last message, which is empty and signed")]
    Truncated,
    /// Bytes follow the end.
    #[error("the event stream goes on after its last message")]
    TrailingBytes,
    /// The time of signing cannot be written.
    #[error("an event cannot be signed: the clock is out of range")]
    Clock,
}

impl EventError {
    /// The stable code of this refusal.
    pub fn code(&self) -> DenialCode {
        match self {
            Self::TooLarge(_) => DenialCode::TooLarge,
            Self::Signature => DenialCode::Signature,
            Self::Crc | Self::Truncated => DenialCode::BodyMismatch,
            Self::Malformed(_) | Self::TrailingBytes | Self::Clock => DenialCode::Malformed,
        }
    }
}

/// The chain of signatures: each covers the one before it, the first covers the request's.
struct EventChain {
    keys: KeyOfDay,
    key: Option<Arc<SigningKey>>,
    previous: Signature,
}

impl EventChain {
    fn new(keys: KeyOfDay, seed: Signature) -> Self {
        Self { keys, key: None, previous: seed }
    }

    /// The signature of the next message, whose `:date` header is `date_header` and stands for `at`.
    fn next(&mut self, at: AmzDate, date_header: &[u8], payload: &[u8]) -> Result<Signature, EventError> {
        let of_the_day = |key: &Arc<SigningKey>| key.scope().starts_with(at.date());
        let key = match self.key.take().filter(of_the_day) {
            Some(key) => key,
            None => (self.keys)(at.date()).filter(of_the_day).ok_or(EventError::Signature)?,
        };
        let hash = |bytes: &[u8]| Signature::of_digest(Sha256::digest(bytes).into());
        let (date, payload) = (hash(date_header), hash(payload));
        let lines = [
            "AWS4-HMAC-SHA256-PAYLOAD",
            at.as_str(),
            key.scope(),
            self.previous.as_str(),
            date.as_str(),
            payload.as_str(),
        ];
        self.previous = Signature::of_digest(key.sign(lines.join("\n").as_bytes()));
        self.key = Some(key);
        Ok(self.previous)
    }
}
