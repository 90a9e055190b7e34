//! Bytes in, verified chunks out.

use std::fmt;

use sha2::{Digest, Sha256};

use super::chain::ChunkChain;
use super::declared::Declared;
use super::{Chunk, ChunkError, ChunkMode, End, Event, LineEnding};
use crate::limits::{CHUNK_HEADER_BYTES_MAX, SIGNED_CHUNK_BYTES_MAX};
use crate::sigv4::checksum::{Checksum, ChecksumAlgorithm};
use crate::sigv4::key::Signature;

/// Room reserved for a chunk before its bytes arrive: a peer's word is not worth more memory than this.
const RESERVED_AT_FIRST: u64 = 128 * 1024;

/// Decodes one `aws-chunked` body.
pub struct Decoder {
    declared: Declared,
    chain: Option<ChunkChain>,
    received: u64,
    state: State,
    line: Vec<u8>,
    trailer: TrailerSection,
    /// One for each announced trailer that can be verified here.
    checksums: Vec<(String, Checksum)>,
}

enum State {
    /// Reading `size[;chunk-signature=…]`.
    Header,
    /// Reading the data of a signed chunk into memory.
    Held {
        data: Vec<u8>,
        size: usize,
        signature: Signature,
    },
    /// Passing the data of an unsigned chunk on.
    Passing {
        remaining: u64,
    },
    /// The CRLF after a chunk's data.
    DataEnd,
    /// The trailer section, up to its empty line.
    Trailer,
    Done,
    Failed(ChunkError),
}

/// What has been read of the trailer section.
#[derive(Default)]
struct TrailerSection {
    bytes: usize,
    trailers: Vec<(String, String)>,
    lines: Option<LineEnding>,
    /// The CRLF between LF-terminated trailers and what follows has been read.
    divided: bool,
    signed: bool,
}

impl Decoder {
    /// A decoder for a body as announced. `chain` starts at the inbound signature with the *inbound* key.
    ///
    /// # Errors
    /// [`ChunkError::Mode`] when a signed mode has no chain or the unsigned mode has one.
    pub fn new(declared: Declared, chain: Option<ChunkChain>) -> Result<Self, ChunkError> {
        if chain.is_some() != (declared.mode != ChunkMode::UnsignedTrailer) {
            return Err(ChunkError::Mode);
        }
        let verified = |name: &String| Some((name.clone(), Checksum::new(ChecksumAlgorithm::of_header(name)?)?));
        let checksums = declared.trailers.iter().filter_map(verified).collect();
        Ok(Self {
            checksums,
            declared,
            chain,
            received: 0,
            state: State::Header,
            line: Vec::new(),
            trailer: TrailerSection::default(),
        })
    }

    /// Takes bytes from the front of `input` until there is an event; `None` when more input is needed, and then
    /// `input` is empty. Call again with the rest until it says `None`.
    ///
    /// # Errors
    /// [`ChunkError`]; once failed, every further call fails the same way.
    pub fn decode<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Event<'i>>, ChunkError> {
        if let State::Failed(error) = &self.state {
            return Err(error.clone());
        }
        self.step(input).inspect_err(|error| self.state = State::Failed(error.clone()))
    }

    /// The input has ended.
    ///
    /// # Errors
    /// [`ChunkError::Truncated`] when the body is not complete, or the earlier error.
    pub fn finish(&self) -> Result<(), ChunkError> {
        match &self.state {
            State::Done => Ok(()),
            State::Failed(error) => Err(error.clone()),
            _ => Err(ChunkError::Truncated),
        }
    }

    fn step<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Event<'i>>, ChunkError> {
        while !input.is_empty() {
            match &mut self.state {
                State::Header => {
                    if self.take_line(input, 0)?
                        && let Some(event) = self.header()?
                    {
                        return Ok(Some(event));
                    }
                }
                State::Held { data, size, .. } => {
                    let (now, rest) = input.split_at(input.len().min(*size - data.len()));
                    data.extend_from_slice(now);
                    *input = rest;
                    if data.len() == *size {
                        return self.held().map(Some);
                    }
                }
                State::Passing { remaining } => {
                    let room = usize::try_from(*remaining).unwrap_or(usize::MAX);
                    let (now, rest) = input.split_at(input.len().min(room));
                    *remaining -= now.len() as u64;
                    *input = rest;
                    self.checksums.iter_mut().for_each(|(_, checksum)| checksum.update(now));
                    if *remaining == 0 {
                        self.state = State::DataEnd;
                    }
                    return Ok(Some(Event::Data(now)));
                }
                State::DataEnd => {
                    if self.take_line(input, 0)? {
                        if self.line != b"\r\n" {
                            return Err(ChunkError::ChunkEnd);
                        }
                        self.line.clear();
                        self.state = State::Header;
                    } else if !b"\r\n".starts_with(&self.line) {
                        return Err(ChunkError::ChunkEnd);
                    }
                }
                State::Trailer => {
                    if self.take_line(input, self.trailer.bytes)?
                        && let Some(end) = self.trailer_line()?
                    {
                        return Ok(Some(Event::End(end)));
                    }
                }
                State::Done => return Err(ChunkError::TrailingBytes),
                State::Failed(error) => return Err(error.clone()),
            }
        }
        Ok(None)
    }

    /// Moves bytes into `self.line` up to and with the next LF. True when the line is complete.
    fn take_line(&mut self, input: &mut &[u8], before: usize) -> Result<bool, ChunkError> {
        let end = input.iter().position(|b| *b == b'\n').map(|i| i + 1);
        let (now, rest) = input.split_at(end.unwrap_or(input.len()));
        if before + self.line.len() + now.len() > CHUNK_HEADER_BYTES_MAX {
            return Err(ChunkError::HeaderTooLong);
        }
        self.line.extend_from_slice(now);
        *input = rest;
        Ok(end.is_some())
    }

    /// A chunk header is complete in `self.line`.
    fn header(&mut self) -> Result<Option<Event<'static>>, ChunkError> {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r\n").ok_or(ChunkError::Header(", then CRLF"))?;
        let (size, signature) = parse_header(line, self.chain.is_some())?;
        let total = self.received.checked_add(size).filter(|total| *total <= self.declared.decoded_length);
        self.received = total.ok_or(ChunkError::LengthMismatch { declared: self.declared.decoded_length })?;
        if size == 0 {
            if self.received != self.declared.decoded_length {
                return Err(ChunkError::LengthMismatch { declared: self.declared.decoded_length });
            }
            if let Some(signature) = signature {
                self.check_chunk(Sha256::digest(b"").into(), &signature)?;
            }
            self.state = State::Trailer;
            return Ok(None);
        }
        let Some(signature) = signature else {
            self.state = State::Passing { remaining: size };
            return Ok(Some(Event::Start { size }));
        };
        let held = usize::try_from(size).ok().filter(|held| *held <= SIGNED_CHUNK_BYTES_MAX);
        let held = held.ok_or(ChunkError::ChunkTooLarge(size))?;
        let reserved = usize::try_from(size.min(RESERVED_AT_FIRST)).unwrap_or(0);
        self.state = State::Held { data: Vec::with_capacity(reserved), size: held, signature };
        Ok(None)
    }

    /// All bytes of a signed chunk are there.
    fn held(&mut self) -> Result<Event<'static>, ChunkError> {
        let State::Held { data, signature, .. } = std::mem::replace(&mut self.state, State::DataEnd) else {
            return Err(ChunkError::Mode);
        };
        let sha256 = Sha256::digest(&data).into();
        self.check_chunk(sha256, &signature)?;
        self.checksums.iter_mut().for_each(|(_, checksum)| checksum.update(&data));
        Ok(Event::Chunk(Chunk { data, sha256 }))
    }

    fn check_chunk(&mut self, sha256: [u8; 32], claimed: &Signature) -> Result<(), ChunkError> {
        let chain = self.chain.as_mut().ok_or(ChunkError::Mode)?;
        if chain.chunk(sha256).matches(claimed) { Ok(()) } else { Err(ChunkError::Signature) }
    }

    /// A line of the trailer section is complete in `self.line`.
    fn trailer_line(&mut self) -> Result<Option<End>, ChunkError> {
        let line = std::mem::take(&mut self.line);
        let section = &mut self.trailer;
        section.bytes += line.len();
        let (line, ending) = match line.strip_suffix(b"\r\n") {
            Some(line) => (line, LineEnding::CrLf),
            None => (line.strip_suffix(b"\n").unwrap_or(&line), LineEnding::Lf),
        };
        if line.is_empty() && ending == LineEnding::CrLf {
            if section.lines == Some(LineEnding::Lf) && !section.divided {
                section.divided = true;
                return Ok(None);
            }
            return self.end().map(Some);
        }
        let text = str::from_utf8(line).map_err(|_| ChunkError::Trailer)?;
        let (name, value) = text.split_once(':').ok_or(ChunkError::Trailer)?;
        if section.signed {
            return Err(ChunkError::Trailer);
        }
        if name.eq_ignore_ascii_case("x-amz-trailer-signature") {
            let in_place = ending == LineEnding::CrLf && (section.lines != Some(LineEnding::Lf) || section.divided);
            if !in_place || self.declared.mode != ChunkMode::SignedTrailer {
                return Err(ChunkError::Trailer);
            }
            section.signed = true;
            let claimed = Signature::parse(value.as_bytes()).ok_or(ChunkError::Trailer)?;
            let chain = self.chain.as_mut().ok_or(ChunkError::Mode)?;
            let right = chain.trailers(&section.trailers).matches(&claimed);
            return if right { Ok(None) } else { Err(ChunkError::Signature) };
        }
        let name = name.to_ascii_lowercase();
        let legal = !value.is_empty() && value.bytes().all(|b| b.is_ascii_graphic());
        let announced = self.declared.trailers.contains(&name) && section.trailers.iter().all(|(n, _)| *n != name);
        if !legal || !announced || section.divided || *section.lines.get_or_insert(ending) != ending {
            return Err(ChunkError::Trailer);
        }
        section.trailers.push((name, value.to_owned()));
        Ok(None)
    }

    fn end(&mut self) -> Result<End, ChunkError> {
        let section = std::mem::take(&mut self.trailer);
        let signed = section.signed == (self.declared.mode == ChunkMode::SignedTrailer);
        if !signed || section.trailers.len() != self.declared.trailers.len() {
            return Err(ChunkError::Trailer);
        }
        for (name, checksum) in self.checksums.drain(..) {
            let computed = checksum.finish();
            if !section.trailers.contains(&(name.clone(), computed)) {
                return Err(ChunkError::Checksum(name));
            }
        }
        self.state = State::Done;
        Ok(End { trailers: section.trailers, lines: section.lines.unwrap_or_default() })
    }
}

impl fmt::Debug for Decoder {
    /// Without the data that it holds: that is the client's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("declared", &self.declared)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

/// `size` in hex without leading zeros, with exactly the extension that the mode demands.
fn parse_header(line: &[u8], signed: bool) -> Result<(u64, Option<Signature>), ChunkError> {
    const SIGNED_FORM: &str = ", then `;chunk-signature=` and 64 lower-case hex digits";
    let text = str::from_utf8(line).map_err(|_| ChunkError::Header(""))?;
    let (size, signature) = if signed {
        let (size, signature) = text.split_once(";chunk-signature=").ok_or(ChunkError::Header(SIGNED_FORM))?;
        (size, Some(Signature::parse(signature.as_bytes()).ok_or(ChunkError::Header(SIGNED_FORM))?))
    } else {
        (text, None)
    };
    let digits = !size.is_empty() && size.bytes().all(|b| b.is_ascii_hexdigit());
    if !digits || (size.len() > 1 && size.starts_with('0')) {
        return Err(ChunkError::Header(""));
    }
    let size = u64::from_str_radix(size, 16).map_err(|_| ChunkError::Header(""))?;
    Ok((size, signature))
}
