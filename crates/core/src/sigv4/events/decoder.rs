//! Bytes in, verified events out.

use std::fmt;

use jiff::Timestamp;

use super::{Event, EventChain, EventError, KeyOfDay, frame};
use crate::limits::EVENT_MESSAGE_BYTES_MAX;
use crate::sigv4::key::Signature;
use crate::sigv4::scope::AmzDate;

/// Decodes one uploaded event stream.
pub struct EventDecoder {
    chain: EventChain,
    /// The part of a message that has come.
    message: Vec<u8>,
    /// Its whole length, once its prelude is known.
    length: Option<usize>,
    ended: bool,
    failed: Option<EventError>,
}

impl EventDecoder {
    /// A decoder whose chain starts at the request's own signature, with *inbound* keys.
    pub fn new(keys: KeyOfDay, seed: Signature) -> Self {
        Self { chain: EventChain::new(keys, seed), message: Vec::new(), length: None, ended: false, failed: None }
    }

    /// Takes bytes from the front of `input` until there is an event; `None` when more input is needed, and then
    /// `input` is empty. Call again with the rest until it says `None`.
    ///
    /// # Errors
    /// [`EventError`]; once failed, every further call fails the same way.
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Event>, EventError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.step(input).inspect_err(|error| self.failed = Some(error.clone()))
    }

    /// The input has ended.
    ///
    /// # Errors
    /// [`EventError::Truncated`] when the last message was not the empty one, or the earlier error.
    pub fn finish(&self) -> Result<(), EventError> {
        match &self.failed {
            Some(error) => Err(error.clone()),
            None if self.ended => Ok(()),
            None => Err(EventError::Truncated),
        }
    }

    fn step(&mut self, input: &mut &[u8]) -> Result<Option<Event>, EventError> {
        while !input.is_empty() {
            if self.ended {
                return Err(EventError::TrailingBytes);
            }
            let Some(length) = self.length else {
                self.take(input, frame::PRELUDE_BYTES);
                if self.message.len() == frame::PRELUDE_BYTES {
                    let length = frame::length(&self.message)?;
                    let held = usize::try_from(length).ok().filter(|held| *held <= EVENT_MESSAGE_BYTES_MAX);
                    self.length = Some(held.ok_or(EventError::TooLarge(length))?);
                }
                continue;
            };
            self.take(input, length);
            if self.message.len() == length {
                self.length = None;
                let message = std::mem::take(&mut self.message);
                return self.verified(&message).map(Some);
            }
        }
        Ok(None)
    }

    fn take(&mut self, input: &mut &[u8], until: usize) {
        let (now, rest) = input.split_at(input.len().min(until.saturating_sub(self.message.len())));
        self.message.extend_from_slice(now);
        *input = rest;
    }

    fn verified(&mut self, message: &[u8]) -> Result<Event, EventError> {
        let signed = frame::parse(message)?;
        let instant = Timestamp::from_millisecond(signed.date_ms).ok().and_then(AmzDate::at);
        let at = instant.ok_or(EventError::Malformed("its `:date` is not a time"))?;
        if !self.chain.next(at, signed.date_header, signed.payload)?.matches(&signed.signature) {
            return Err(EventError::Signature);
        }
        self.ended = signed.payload.is_empty();
        Ok(Event { payload: signed.payload.to_vec() })
    }
}

impl fmt::Debug for EventDecoder {
    /// Without the data that it holds: that is the client's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventDecoder").field("held", &self.message.len()).field("ended", &self.ended).finish()
    }
}
