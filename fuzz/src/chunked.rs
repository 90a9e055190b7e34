//! `aws-chunked` bodies: read whole and in pieces, framed anew, and with one bit changed.

use std::sync::Arc;

use hallpass_core::sigv4::checksum::{Checksum, ChecksumAlgorithm};
use hallpass_core::sigv4::chunked::{
    Chunk, ChunkChain, ChunkError, ChunkMode, Declared, Decoder, Encoder, End, Event, LineEnding,
};
use hallpass_core::sigv4::{AmzDate, Scope, Signature, SigningKey};
use sha2::{Digest, Sha256};

use crate::input;

/// The checksums that are verified in flight.
const ALGORITHMS: [(&str, ChecksumAlgorithm); 3] = [
    ("x-amz-checksum-crc32", ChecksumAlgorithm::Crc32),
    ("x-amz-checksum-crc32c", ChecksumAlgorithm::Crc32c),
    ("x-amz-checksum-sha256", ChecksumAlgorithm::Sha256),
];

/// The first byte says the mode and the checksum, the second how the rest is cut, then a line with the announced
/// length, then the body.
pub fn run(data: &[u8]) {
    let [first, cut, rest @ ..] = data else { return };
    let mode = [ChunkMode::Signed, ChunkMode::SignedTrailer, ChunkMode::UnsignedTrailer][usize::from(*first) % 3];
    let (name, algorithm) = ALGORITHMS[usize::from(*first) / 3 % 3];
    let cut = usize::from(*cut) % 61 + 1;
    as_received(mode, name, cut, rest);
    as_made(mode, name, algorithm, cut, rest);
}

/// What a body says, however its bytes arrive.
#[derive(Debug, PartialEq)]
struct Body {
    data: Vec<u8>,
    end: Option<(Vec<(String, String)>, usize)>,
    failed: Option<ChunkError>,
}

fn as_received(mode: ChunkMode, name: &str, cut: usize, rest: &[u8]) {
    let Some((length, body)) = input::line(rest) else { return };
    let Some(length) = std::str::from_utf8(length).ok().and_then(|text| text.parse().ok()) else { return };
    let whole = decoded(mode, name, length, body, body.len().max(1));
    let pieces = decoded(mode, name, length, body, cut);
    assert_eq!(whole.failed.is_some(), pieces.failed.is_some(), "{whole:?} {pieces:?}");
    if whole.failed.is_none() {
        assert_eq!(whole, pieces, "one reading however it arrives");
        assert_eq!(whole.data.len() as u64, length, "the announced length");
    }
}

/// A body made from the input, read back, and read with one bit changed.
fn as_made(mode: ChunkMode, name: &str, algorithm: ChecksumAlgorithm, cut: usize, data: &[u8]) {
    let trailers = if mode == ChunkMode::Signed { Vec::new() } else { vec![(name.to_owned(), sum(algorithm, data))] };
    let mut encoder = Encoder::new(mode, chain(mode)).expect("the mode's chain");
    let mut wire = Vec::new();
    let mut put = |event: &Event<'_>, data: &[u8]| {
        let frame = encoder.encode(event).expect("in order");
        wire.extend_from_slice(&frame.before);
        wire.extend_from_slice(data);
        wire.extend_from_slice(frame.after);
    };
    for piece in data.chunks(cut * 16) {
        if mode == ChunkMode::UnsignedTrailer {
            put(&Event::Start { size: piece.len() as u64 }, b"");
            put(&Event::Data(piece), piece);
        } else {
            put(&Event::Chunk(Chunk { data: piece.to_vec(), sha256: Sha256::digest(piece).into() }), piece);
        }
    }
    put(&Event::End(End { trailers: trailers.clone(), lines: LineEnding::CrLf }), b"");
    let length = data.len() as u64;
    let good = decoded(mode, name, length, &wire, cut);
    assert_eq!(good.failed, None, "what is framed can be read");
    assert_eq!(good.data, data);
    assert_eq!(good.end.as_ref().map(|end| (&end.0, end.1)), Some((&trailers, wire.len())), "as long as it came");

    let bit = input::choice(data) % (wire.len() * 8);
    wire[bit / 8] ^= 1 << (bit % 8);
    let bad = decoded(mode, name, length, &wire, cut);
    assert!(bad.failed.is_some() || bad.data == data, "a flipped bit became an object");
}

fn decoded(mode: ChunkMode, name: &str, length: u64, wire: &[u8], cut: usize) -> Body {
    let trailers = if mode == ChunkMode::Signed { Vec::new() } else { vec![name.to_owned()] };
    let declared = Declared { mode, decoded_length: length, trailers };
    let mut decoder = Decoder::new(declared, chain(mode)).expect("the mode's chain");
    let mut encoder = Encoder::new(mode, chain(mode)).expect("the mode's chain");
    let mut body = Body { data: Vec::new(), end: None, failed: None };
    let mut written = 0;
    for mut piece in wire.chunks(cut) {
        loop {
            let event = match decoder.decode(&mut piece) {
                Ok(Some(event)) => event,
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(
                        decoder.decode(&mut &b"0\r\n\r\n"[..]),
                        Err(error.clone()),
                        "failed once, failed for good"
                    );
                    body.failed = Some(error);
                    return body;
                }
            };
            let frame = encoder.encode(&event).expect("events come in order");
            written += frame.before.len() + frame.after.len();
            match event {
                Event::Chunk(chunk) => body.data.extend(chunk.data),
                Event::Data(data) => body.data.extend_from_slice(data),
                Event::Start { .. } => {}
                Event::End(end) => body.end = Some((end.trailers, written + body.data.len())),
            }
        }
    }
    body.failed = decoder.finish().err();
    if body.failed.is_none() {
        assert_eq!(body.end.as_ref().map(|end| end.1), Some(wire.len()), "framed anew, it is as long as it came");
    }
    body
}

fn chain(mode: ChunkMode) -> Option<ChunkChain> {
    let at = AmzDate::parse(b"20261122T101112Z").expect("a date");
    let key = SigningKey::derive("secret", Scope::new(at.date(), "eu-west-1", "s3").expect("legal"));
    let seed = Signature::parse("0123456789abcdef".repeat(4).as_bytes()).expect("64 digits");
    (mode != ChunkMode::UnsignedTrailer).then(|| ChunkChain::new(Arc::new(key), at, seed))
}

fn sum(algorithm: ChecksumAlgorithm, data: &[u8]) -> String {
    let mut checksum = Checksum::new(algorithm).expect("verified here");
    checksum.update(data);
    checksum.finish()
}
