//! Verified events in, newly signed messages out.

use std::fmt;

use jiff::Timestamp;

use super::{Event, EventChain, EventError, KeyOfDay, frame};
use crate::sigv4::key::Signature;
use crate::sigv4::scope::AmzDate;

/// Signs the events of one stream.
pub struct EventSigner(EventChain);

impl EventSigner {
    /// A signer whose chain starts at the outbound request's signature, with *outbound* keys.
    pub fn new(keys: KeyOfDay, seed: Signature) -> Self {
        Self(EventChain::new(keys, seed))
    }

    /// The message to send for an event, signed at `now`.
    ///
    /// # Errors
    /// [`EventError::Clock`] when `now` cannot be written, [`EventError::Signature`] when its day has no key.
    pub fn encode(&mut self, event: Event, now: Timestamp) -> Result<Vec<u8>, EventError> {
        // To the second, as in the text that is signed.
        let at = AmzDate::at(now).ok_or(EventError::Clock)?;
        let date_header = frame::date_header(at.unix_s().saturating_mul(1_000));
        let signature = self.0.next(at, &date_header, &event.payload)?;
        let mut digest = [0; 32];
        hex::decode_to_slice(signature.as_str(), &mut digest).map_err(|_| EventError::Signature)?;
        let length = (frame::OVERHEAD_BYTES + event.payload.len()) as u64;
        let around = frame::around(&date_header, digest, &event.payload);
        let (mut message, crc) = around.ok_or(EventError::TooLarge(length))?;
        message.extend_from_slice(&event.payload);
        message.extend_from_slice(&crc);
        Ok(message)
    }
}

impl fmt::Debug for EventSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventSigner")
    }
}
