//! What is done to the bytes of an upload on their way: they are checked, or framed and signed anew.

use std::collections::VecDeque;

use bytes::Bytes;
use hallpass_core::denial::Denial;
use hallpass_core::sigv4::BodyHasher;
use hallpass_core::sigv4::checksum::AnnouncedChecksums;
use hallpass_core::sigv4::chunked::{Decoder, Encoder, Event};

use super::super::verify::{checksum_denied, chunks_denied, denied};

/// The work on one body, wherever it is done.
#[derive(Debug)]
pub(super) enum Work {
    Checked(Checked),
    Chunked(Box<Chunked>),
}

impl Work {
    /// Takes the next bytes that came. What may go on is put into `ready`.
    pub(super) fn feed(&mut self, bytes: Bytes, ready: &mut VecDeque<Bytes>) -> Result<(), Denial> {
        match self {
            Self::Checked(checked) => checked.feed(bytes, ready),
            Self::Chunked(chunked) => chunked.feed(&bytes, ready)?,
        }
        Ok(())
    }

    /// No more bytes come: what was held back goes on, if the whole was right.
    pub(super) fn finish(&mut self, ready: &mut VecDeque<Bytes>) -> Result<(), Denial> {
        match self {
            Self::Checked(checked) => checked.finish(ready),
            Self::Chunked(chunked) => chunked.finish(ready),
        }
    }
}

/// A body that must have a hash or checksums; its last bytes are held back.
#[derive(Debug)]
pub(super) struct Checked {
    check: Option<Check>,
    held: Bytes,
}

/// What the whole body must have.
#[derive(Debug)]
pub(super) enum Check {
    Signed(BodyHasher),
    Announced(AnnouncedChecksums),
}

impl Checked {
    pub(super) fn new(check: Check) -> Self {
        Self { check: Some(check), held: Bytes::new() }
    }

    fn feed(&mut self, bytes: Bytes, ready: &mut VecDeque<Bytes>) {
        // An empty piece must not push out the one that is held back.
        if bytes.is_empty() {
            return;
        }
        if let Some(check) = &mut self.check {
            check.update(&bytes);
        }
        let held = std::mem::replace(&mut self.held, bytes);
        ready.extend((!held.is_empty()).then_some(held));
    }

    fn finish(&mut self, ready: &mut VecDeque<Bytes>) -> Result<(), Denial> {
        if let Some(check) = self.check.take() {
            check.finish()?;
        }
        let held = std::mem::take(&mut self.held);
        ready.extend((!held.is_empty()).then_some(held));
        Ok(())
    }
}

impl Check {
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Signed(hasher) => hasher.update(bytes),
            Self::Announced(checksums) => checksums.update(bytes),
        }
    }

    fn finish(self) -> Result<(), Denial> {
        match self {
            Self::Signed(hasher) => hasher.finish().map_err(denied),
            Self::Announced(checksums) => checksums.finish().map_err(|e| checksum_denied(&e)),
        }
    }
}

/// An aws-chunked body, verified, framed and signed anew.
#[derive(Debug)]
pub(super) struct Chunked {
    decoder: Decoder,
    encoder: Encoder,
    /// The last data and what follows it: sent when more data comes, or when the body has ended as it should.
    /// Some stores take a body as complete as soon as they have all its data.
    held: Vec<Bytes>,
}

impl Chunked {
    pub(super) fn new(decoder: Decoder, encoder: Encoder) -> Self {
        Self { decoder, encoder, held: Vec::new() }
    }

    fn feed(&mut self, bytes: &Bytes, ready: &mut VecDeque<Bytes>) -> Result<(), Denial> {
        let mut input = bytes.as_ref();
        while let Some(event) = self.decoder.decode(&mut input).map_err(|e| chunks_denied(&e))? {
            let frame = self.encoder.encode(&event).map_err(|e| chunks_denied(&e))?;
            let data = match event {
                Event::Chunk(chunk) => Bytes::from(chunk.data),
                Event::Data(data) => bytes.slice_ref(data),
                Event::Start { .. } | Event::End(_) => Bytes::new(),
            };
            if !data.is_empty() {
                ready.extend(self.held.drain(..));
            }
            let pieces = [Bytes::from(frame.before), data, Bytes::from_static(frame.after)];
            self.held.extend(pieces.into_iter().filter(|piece| !piece.is_empty()));
        }
        Ok(())
    }

    fn finish(&mut self, ready: &mut VecDeque<Bytes>) -> Result<(), Denial> {
        self.decoder.finish().map_err(|e| chunks_denied(&e))?;
        ready.extend(self.held.drain(..));
        Ok(())
    }
}
