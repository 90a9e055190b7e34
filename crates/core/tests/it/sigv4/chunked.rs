//! `aws-chunked`: the published chunk vectors, every split point, every kind of damage.

use std::sync::Arc;

use hallpass_core::denial::DenialCode;
use hallpass_core::limits::{CHUNK_HEADER_BYTES_MAX, SIGNED_CHUNK_BYTES_MAX};
use hallpass_core::sigv4::checksum::{Checksum, ChecksumAlgorithm};
use hallpass_core::sigv4::chunked::{
    Chunk, ChunkChain, ChunkError, ChunkMode, Declared, Decoder, Encoder, End, Event, LineEnding,
};
use hallpass_core::sigv4::{PayloadHash, Scope, Signature, SigningKey};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sha2::{Digest, Sha256};

use super::{AT, Party, Request, at, key};

const CHECKSUM: &str = "x-amz-checksum-crc32c";
/// The CRC-32C of nothing.
const OF_NOTHING: &str = "AAAAAA==";
/// The SHA-256 of nothing.
const SHA256_OF_NOTHING: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const MODES: [ChunkMode; 3] = [ChunkMode::Signed, ChunkMode::SignedTrailer, ChunkMode::UnsignedTrailer];

fn seed(digit: &str) -> Signature {
    Signature::parse(digit.repeat(64).as_bytes()).expect("a signature")
}

fn inbound(mode: ChunkMode) -> Option<ChunkChain> {
    (mode != ChunkMode::UnsignedTrailer).then(|| ChunkChain::new(key("us-east-1", "s3"), at(AT), seed("a")))
}

fn outbound(mode: ChunkMode) -> Option<ChunkChain> {
    let scope = Scope::new("20130524", "eu-west-1", "s3").expect("a scope");
    let key = Arc::new(SigningKey::derive("another secret", scope));
    (mode != ChunkMode::UnsignedTrailer).then(|| ChunkChain::new(key, at(AT), seed("b")))
}

fn declared(mode: ChunkMode, decoded_length: u64) -> Declared {
    let trailers = if mode == ChunkMode::Signed { vec![] } else { vec![CHECKSUM.to_owned()] };
    Declared { mode, decoded_length, trailers }
}

fn end(mode: ChunkMode, lines: LineEnding, data: &[&[u8]]) -> End {
    if mode == ChunkMode::Signed {
        return End { trailers: vec![], lines: LineEnding::CrLf };
    }
    End { trailers: vec![(CHECKSUM.into(), crc32c(data))], lines }
}

fn crc32c(data: &[&[u8]]) -> String {
    let mut checksum = Checksum::new(ChecksumAlgorithm::Crc32c).expect("verified here");
    data.iter().for_each(|piece| checksum.update(piece));
    checksum.finish()
}

/// A whole body, framed by the encoder.
fn framed(mode: ChunkMode, chain: Option<ChunkChain>, chunks: &[&[u8]], end: End) -> Vec<u8> {
    let mut encoder = Encoder::new(mode, chain).expect("an encoder");
    let mut out = Vec::new();
    let mut add = |event: &Event<'_>, data: &[u8]| {
        let frame = encoder.encode(event).expect("encodes");
        out.extend_from_slice(&frame.before);
        out.extend_from_slice(data);
        out.extend_from_slice(frame.after);
    };
    for data in chunks {
        if mode == ChunkMode::UnsignedTrailer {
            add(&Event::Start { size: data.len() as u64 }, b"");
            add(&Event::Data(data), data);
        } else {
            add(&Event::Chunk(Chunk { data: data.to_vec(), sha256: Sha256::digest(data).into() }), data);
        }
    }
    add(&Event::End(end), b"");
    out
}

fn body(mode: ChunkMode, chunks: &[&[u8]]) -> Vec<u8> {
    framed(mode, inbound(mode), chunks, end(mode, LineEnding::CrLf, chunks))
}

/// The decoded data, the bytes sent on, the end of the body.
type Relayed = (Vec<u8>, Vec<u8>, Option<End>);

/// Decodes in the given pieces, and frames everything again with the outbound key, as the gate does.
fn relay(mode: ChunkMode, decoder: &mut Decoder, pieces: &[&[u8]]) -> Result<Relayed, ChunkError> {
    let mut encoder = Encoder::new(mode, outbound(mode)).expect("an encoder");
    let (mut data, mut sent, mut ended) = (Vec::new(), Vec::new(), None);
    for piece in pieces {
        let mut rest = *piece;
        while let Some(event) = decoder.decode(&mut rest)? {
            let bytes = match &event {
                Event::Chunk(chunk) => chunk.data.as_slice(),
                Event::Data(data) => data,
                Event::Start { .. } => b"",
                Event::End(end) => {
                    ended = Some(end.clone());
                    b""
                }
            };
            let frame = encoder.encode(&event)?;
            sent.extend_from_slice(&frame.before);
            sent.extend_from_slice(bytes);
            sent.extend_from_slice(frame.after);
            data.extend_from_slice(bytes);
        }
        assert!(rest.is_empty(), "no event means that all input was taken");
    }
    decoder.finish()?;
    Ok((data, sent, ended))
}

fn decode(mode: ChunkMode, length: u64, wire: &[u8]) -> Result<Vec<u8>, ChunkError> {
    let mut decoder = Decoder::new(declared(mode, length), inbound(mode))?;
    relay(mode, &mut decoder, &[wire]).map(|(data, _, _)| data)
}

/// "Signature calculations … transferring payload in multiple chunks" and "… including trailing headers".
#[test]
fn the_published_chunk_signatures_are_made_and_verified() {
    let storage = ("x-amz-storage-class", "REDUCED_REDUNDANCY");
    let base = [
        ("host", "s3.amazonaws.com"),
        storage,
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
    ];
    let put = Request::new("PUT", "/examplebucket/chunkObject.txt", &base);
    let data = vec![b'a'; 66_560];
    let (first, second) = data.split_at(65_536);
    for (mode, request, payload, seed, signatures, length) in [
        (
            ChunkMode::Signed,
            put.clone().and("content-length", "66824"),
            PayloadHash::StreamingSigned,
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
            vec![
                "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
                "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
                "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
            ],
            66_824,
        ),
        (
            ChunkMode::SignedTrailer,
            put.and("x-amz-trailer", CHECKSUM),
            PayloadHash::StreamingSignedTrailer,
            "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
            vec![
                "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
                "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
                "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
                "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
            ],
            66_824 + 32 + 90,
        ),
    ] {
        let party = Party { token: None, payload, ..Party::s3() };
        let signed = party.sign(&request);
        assert_eq!(signed.signature.as_str(), seed);
        assert_eq!(payload.chunk_mode(), Some(mode));
        let chain = || ChunkChain::new(party.key.clone(), party.at, signed.signature);
        let wire = framed(mode, Some(chain()), &[first, second], end(mode, LineEnding::CrLf, &[&data]));
        let text = String::from_utf8(wire.clone()).expect("text");
        let found: Vec<_> = text.match_indices("signature").map(|(i, _)| &text[i + 10..i + 74]).collect();
        assert_eq!(found, signatures);
        assert_eq!(wire.len(), length);
        let announced = request.with(|parts| Declared::of(parts, mode)).expect("announced");
        let mut decoder = Decoder::new(announced, Some(chain())).expect("a decoder");
        let (decoded, sent, _) = relay(mode, &mut decoder, &[&wire]).expect("verifies");
        assert_eq!(decoded, data);
        assert_eq!(sent.len(), length, "content-length stays the same");
    }
}

#[test]
fn every_split_of_a_body_gives_the_same_bytes() {
    let data: [&[u8]; 3] = [b"hello, ", b"\r\n0\r\n\r\n", b"w"];
    let plain = data.concat();
    for mode in MODES {
        for lines in [LineEnding::CrLf, LineEnding::Lf] {
            let wire = framed(mode, inbound(mode), &data, end(mode, lines, &data));
            let new = || Decoder::new(declared(mode, plain.len() as u64), inbound(mode)).expect("a decoder");
            let (_, whole, _) = relay(mode, &mut new(), &[&wire]).expect("decodes");
            let check = |pieces: &[&[u8]]| {
                let (decoded, sent, ended) = relay(mode, &mut new(), pieces).expect("decodes");
                assert_eq!(decoded, plain, "{mode:?}");
                assert_eq!(sent.len(), wire.len(), "{mode:?}: framed again in the same length");
                assert_eq!(sent, whole, "{mode:?}: the split does not show upstream");
                assert_eq!(ended, Some(end(mode, lines, &data)));
            };
            for at in 0..=wire.len() {
                let (one, two) = wire.split_at(at);
                check(&[one, two]);
                check(&[one, b"", two]);
            }
            let bytes: Vec<&[u8]> = wire.chunks(1).collect();
            check(&bytes);
            if mode != ChunkMode::UnsignedTrailer {
                assert_ne!(whole, wire, "signed anew with another key");
            }
        }
    }
}

#[test]
fn a_body_cut_anywhere_is_not_complete() {
    for mode in MODES {
        let wire = body(mode, &[b"abc", b"defg"]);
        for at in 0..wire.len() {
            let result = decode(mode, 7, &wire[..at]);
            assert_eq!(result, Err(ChunkError::Truncated), "{mode:?} cut at {at}");
        }
        assert_eq!(decode(mode, 7, &wire).as_deref(), Ok(b"abcdefg".as_slice()));
        assert_eq!(decode(mode, 7, &[wire.as_slice(), b"\r"].concat()), Err(ChunkError::TrailingBytes));
    }
}

#[test]
fn no_bit_of_a_body_can_be_changed() {
    for mode in MODES {
        let wire = body(mode, &[b"abc", b"defg"]);
        let text = String::from_utf8(wire.clone()).expect("text");
        let names: Vec<_> = [CHECKSUM, "x-amz-trailer-signature"]
            .iter()
            .flat_map(|name| text.find(name).map(|start| start..start + name.len()))
            .collect();
        for at in 0..wire.len() {
            for bit in 0..8 {
                let mut changed = wire.clone();
                changed[at] ^= 1 << bit;
                // The names of trailers are not case sensitive.
                let case = wire[at].is_ascii_alphabetic() && bit == 5;
                let name = case && names.iter().any(|name| name.contains(&at));
                let result = decode(mode, 7, &changed);
                assert!(result.is_err() || name, "{mode:?}: bit {bit} of byte {at}: {:?}", wire[at] as char);
            }
        }
    }
}

#[test]
fn chunks_cannot_be_swapped_repeated_dropped_or_taken_from_another_body() {
    let mode = ChunkMode::Signed;
    let wire = body(mode, &[b"abc", b"def"]);
    let one = 1 + 17 + 64 + 2 + 3 + 2;
    let (first, rest) = wire.split_at(one);
    let (second, last) = rest.split_at(one);
    assert_eq!(decode(mode, 6, &[first, second, last].concat()).as_deref(), Ok(b"abcdef".as_slice()));
    for (length, pieces) in [
        (6, vec![second, first, last]),
        (9, vec![first, first, second, last]),
        (3, vec![first, last]),
        (3, vec![second, last]),
        (0, vec![last]),
    ] {
        assert_eq!(decode(mode, length, &pieces.concat()), Err(ChunkError::Signature));
    }
    let mut other = Decoder::new(declared(mode, 6), outbound(mode)).expect("a decoder");
    assert_eq!(relay(mode, &mut other, &[&wire]).map(|r| r.0), Err(ChunkError::Signature), "another key and seed");
    assert_eq!(ChunkError::Signature.code(), DenialCode::Signature);
}

#[test]
fn a_chunk_is_not_released_before_its_signature_is_verified() {
    let mode = ChunkMode::Signed;
    let mut wire = body(mode, &[b"abc", b"def"]);
    let second = wire.windows(3).rposition(|w| w == b"def").expect("the second chunk");
    wire[second] = b'D';
    let mut decoder = Decoder::new(declared(mode, 6), inbound(mode)).expect("a decoder");
    let mut input = wire.as_slice();
    let Ok(Some(Event::Chunk(first))) = decoder.decode(&mut input) else { panic!("the first chunk is right") };
    assert_eq!(first.data, b"abc");
    assert_eq!(decoder.decode(&mut input), Err(ChunkError::Signature));
    assert_eq!(decoder.decode(&mut input), Err(ChunkError::Signature), "once failed, it stays failed");
    assert_eq!(decoder.finish(), Err(ChunkError::Signature));
}

#[test]
fn the_decoded_length_must_be_the_announced_one() {
    for mode in MODES {
        let wire = body(mode, &[b"abc", b"defg"]);
        for length in [0, 3, 6, 8, u64::MAX] {
            assert_eq!(decode(mode, length, &wire), Err(ChunkError::LengthMismatch { declared: length }), "{mode:?}");
        }
        assert_eq!(decode(mode, 0, &body(mode, &[])).as_deref(), Ok(b"".as_slice()), "{mode:?}: an empty body");
    }
    assert_eq!(ChunkError::LengthMismatch { declared: 1 }.code(), DenialCode::BodyMismatch);
    let mut decoder = Decoder::new(declared(ChunkMode::UnsignedTrailer, 3), None).expect("a decoder");
    let mut input: &[u8] = b"4\r\nabcd";
    let refused = decoder.decode(&mut input).expect_err("too long");
    assert_eq!(refused, ChunkError::LengthMismatch { declared: 3 }, "before a byte of the chunk is passed on");
    assert_eq!(input, b"abcd");
}

#[test]
fn a_signed_chunk_past_its_limit_is_refused_before_it_is_held() {
    let signature = "0".repeat(64);
    let header = |size: usize| format!("{size:x};chunk-signature={signature}\r\n");
    let refused = |size: usize| {
        let mut decoder = Decoder::new(declared(ChunkMode::Signed, u64::MAX), inbound(ChunkMode::Signed)).expect("one");
        decoder.decode(&mut header(size).as_bytes()).map(|event| event.is_none())
    };
    assert_eq!(refused(SIGNED_CHUNK_BYTES_MAX), Ok(true));
    let error = refused(SIGNED_CHUNK_BYTES_MAX + 1).expect_err("too large");
    assert_eq!(error, ChunkError::ChunkTooLarge(SIGNED_CHUNK_BYTES_MAX as u64 + 1));
    assert_eq!(error.code(), DenialCode::TooLarge);
    // Unsigned chunks are not held, so they may have any size.
    let mut decoder = Decoder::new(declared(ChunkMode::UnsignedTrailer, u64::MAX), None).expect("a decoder");
    assert_eq!(decoder.decode(&mut b"ffffffffffffffff\r\n".as_slice()), Ok(Some(Event::Start { size: u64::MAX })));
}

#[test]
fn a_chunk_header_or_trailer_past_its_limit_is_refused() {
    for mode in MODES {
        let mut decoder = Decoder::new(declared(mode, 1), inbound(mode)).expect("a decoder");
        let flood = vec![b'0'; CHUNK_HEADER_BYTES_MAX];
        assert_eq!(decoder.decode(&mut flood.as_slice()), Ok(None));
        assert_eq!(decoder.decode(&mut b"0".as_slice()), Err(ChunkError::HeaderTooLong));
    }
    let mut decoder = Decoder::new(declared(ChunkMode::UnsignedTrailer, 0), None).expect("a decoder");
    let line = format!("{}:{}", CHECKSUM, "a".repeat(CHUNK_HEADER_BYTES_MAX));
    assert_eq!(decoder.decode(&mut format!("0\r\n{line}").as_bytes()), Err(ChunkError::HeaderTooLong));
    assert_eq!(ChunkError::HeaderTooLong.code(), DenialCode::TooLarge);
}

#[test]
fn a_malformed_frame_is_refused() {
    let signature = "0".repeat(64);
    let unsigned = [
        "\r\n",
        "g\r\n",
        "03\r\n",
        "00\r\n",
        "-1\r\n",
        "+1\r\n",
        "0x3\r\n",
        " 3\r\n",
        "3 \r\n",
        "3\n",
        "3;\r\n",
        "3\r\r\n",
        "3;chunk-signature=0\r\n",
        "10000000000000000\r\n",
        "3;a=b\r\n",
        "\u{e9}\r\n",
    ];
    for wire in unsigned {
        let refused = decode(ChunkMode::UnsignedTrailer, 3, wire.as_bytes()).expect_err(wire);
        assert!(matches!(refused, ChunkError::Header(_)), "{wire:?} {refused}");
    }
    for wire in [
        "3\r\n",
        "3;\r\n",
        "3;chunk-signature=\r\n",
        "3;Chunk-Signature=X\r\n",
        "3; chunk-signature=X\r\n",
        "3;chunk-signature=XX\r\n",
        "3;a=b;chunk-signature=X\r\n",
        "3;chunk-signature=X;a=b\r\n",
        "03;chunk-signature=X\r\n",
        "3;chunk-signature=X\n",
    ] {
        let wire = wire.replace('X', &signature);
        let refused = decode(ChunkMode::Signed, 3, wire.as_bytes()).expect_err(&wire);
        assert!(matches!(refused, ChunkError::Header(_)), "{wire:?} {refused}");
    }
    for wire in ["3\r\nabcd\r\n", "3\r\nabc\n", "3\r\nabc\rX", "3\r\nabcX"] {
        assert_eq!(decode(ChunkMode::UnsignedTrailer, 3, wire.as_bytes()), Err(ChunkError::ChunkEnd), "{wire:?}");
    }
}

#[test]
fn only_the_announced_trailers_are_taken_each_once() {
    let mode = ChunkMode::UnsignedTrailer;
    let line = format!("{CHECKSUM}:{OF_NOTHING}");
    let check = |trailer: &str| decode(mode, 0, format!("0\r\n{trailer}").as_bytes());
    for fine in [format!("{line}\r\n\r\n"), format!("{line}\n\r\n\r\n"), line.to_uppercase() + "\r\n\r\n"] {
        assert!(check(&fine).is_ok(), "{fine:?}");
    }
    for bad in [
        "\r\n".to_owned(),
        format!("{line}\r\n{line}\r\n\r\n"),
        format!("{line}\r\nx-amz-acl:public-read\r\n\r\n"),
        "x-amz-acl:public-read\r\n\r\n".to_owned(),
        format!("{line}\r\nx-amz-trailer-signature:{}\r\n\r\n", "0".repeat(64)),
        format!("{}:\r\n\r\n", CHECKSUM),
        format!("{}: v\r\n\r\n", CHECKSUM),
        format!("{}\r\n\r\n", CHECKSUM),
        format!("{}:a\tb\r\n\r\n", CHECKSUM),
        format!("{}:\u{e9}\r\n\r\n", CHECKSUM),
        format!("{line}\n\n\r\n\r\n"),
    ] {
        assert_eq!(check(&bad), Err(ChunkError::Trailer), "{bad:?}");
    }
    assert_eq!(check(&format!("{line}\n\r\n")), Err(ChunkError::Truncated), "the second CRLF is missing");
}

#[test]
fn one_trailer_twice_is_not_two_trailers_and_all_lines_share_one_limit() {
    let names = ["x-amz-checksum-crc32c", "x-amz-checksum-sha256"];
    let check = |lines: &str| {
        let trailers = names.map(str::to_owned).to_vec();
        let two = Declared { trailers, ..declared(ChunkMode::UnsignedTrailer, 0) };
        let mut decoder = Decoder::new(two, None).expect("a decoder");
        relay(ChunkMode::UnsignedTrailer, &mut decoder, &[format!("0\r\n{lines}\r\n").as_bytes()]).map(|r| r.0.len())
    };
    let line = |name: &str, value: &str| format!("{name}:{value}\r\n");
    assert_eq!(check(&[line(names[0], OF_NOTHING), line(names[1], SHA256_OF_NOTHING)].concat()), Ok(0));
    assert_eq!(check(&[line(names[0], OF_NOTHING), line(names[0], OF_NOTHING)].concat()), Err(ChunkError::Trailer));
    let half = "a".repeat(CHUNK_HEADER_BYTES_MAX / 2);
    assert_eq!(check(&[line(names[0], &half), line(names[1], &half)].concat()), Err(ChunkError::HeaderTooLong));
}

#[test]
fn data_that_does_not_have_its_checksum_is_not_complete() {
    for (name, right) in [
        ("x-amz-checksum-crc32", "NSRBwg=="),
        ("x-amz-checksum-crc32c", "Nks/tw=="),
        ("x-amz-checksum-crc64nvme", "BeXKuz/B+us="),
        ("x-amz-checksum-md5", "kAFQmDzST7DWlj99KOF/cg=="),
        ("x-amz-checksum-sha1", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="),
        ("x-amz-checksum-sha256", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
    ] {
        let check = |data: &str, value: &str| {
            let declared = Declared { trailers: vec![name.into()], ..declared(ChunkMode::UnsignedTrailer, 3) };
            let mut decoder = Decoder::new(declared, None).expect("a decoder");
            let wire = format!("3\r\n{data}\r\n0\r\n{name}:{value}\r\n\r\n");
            relay(ChunkMode::UnsignedTrailer, &mut decoder, &[wire.as_bytes()]).map(|_| ())
        };
        assert_eq!(check("abc", right), Ok(()), "{name}");
        assert_eq!(check("abd", right), Err(ChunkError::Checksum(name.into())));
        assert_eq!(check("abc", "AAAAAA=="), Err(ChunkError::Checksum(name.into())));
    }
    assert_eq!(ChunkError::Checksum(String::new()).code(), DenialCode::BodyMismatch);
}

#[test]
fn a_signed_trailer_cannot_be_left_out_or_moved() {
    let mode = ChunkMode::SignedTrailer;
    let wire = String::from_utf8(body(mode, &[b"abc"])).expect("text");
    let (head, signature) = wire.split_once("x-amz-trailer-signature").expect("a trailer signature");
    let (chunks, _) = head.split_once(CHECKSUM).expect("a trailer");
    for (damaged, error) in [
        (format!("{head}\r\n"), ChunkError::Trailer),
        (format!("{chunks}\r\n"), ChunkError::Trailer),
        (format!("{chunks}x-amz-trailer-signature{signature}"), ChunkError::Signature),
        (
            format!("{chunks}x-amz-trailer-signature{}{}:{}\r\n\r\n", &signature[..67], CHECKSUM, crc32c(&[b"abc"])),
            ChunkError::Signature,
        ),
        (format!("{head}x-amz-trailer-signature:0\r\n\r\n"), ChunkError::Trailer),
        (
            format!("{head}x-amz-trailer-signature{}x-amz-trailer-signature{signature}", &signature[..67]),
            ChunkError::Trailer,
        ),
        (format!("{head}x-amz-trailer-signature{}\n\r\n", &signature[..65]), ChunkError::Trailer),
    ] {
        assert_eq!(decode(mode, 3, damaged.as_bytes()), Err(error), "{damaged:?}");
    }
}

#[test]
fn the_headers_must_announce_length_and_trailers() {
    let of = |length: Option<&str>, trailer: Option<&str>, mode| {
        let mut request = Request::new("PUT", "/b/k", &[("host", "h")]);
        if let Some(length) = length {
            request = request.and("x-amz-decoded-content-length", length);
        }
        if let Some(trailer) = trailer {
            request = request.and("x-amz-trailer", trailer);
        }
        request.with(|parts| Declared::of(parts, mode))
    };
    let trailer = Some(CHECKSUM);
    assert_eq!(of(Some("7"), trailer, ChunkMode::UnsignedTrailer), Ok(declared(ChunkMode::UnsignedTrailer, 7)));
    assert_eq!(of(Some("7"), None, ChunkMode::Signed), Ok(declared(ChunkMode::Signed, 7)));
    let two =
        of(Some("7"), Some("X-Amz-Checksum-CRC32C, x-amz-checksum-sha256"), ChunkMode::SignedTrailer).expect("two");
    assert_eq!(two.trailers, ["x-amz-checksum-crc32c", "x-amz-checksum-sha256"]);
    for length in
        [None, Some(""), Some("-1"), Some("+1"), Some(" 1"), Some("1,1"), Some("0x1"), Some("18446744073709551616")]
    {
        assert_eq!(of(length, trailer, ChunkMode::SignedTrailer), Err(ChunkError::DecodedLength), "{length:?}");
    }
    for (trailer, mode) in [
        (None, ChunkMode::UnsignedTrailer),
        (None, ChunkMode::SignedTrailer),
        (trailer, ChunkMode::Signed),
        (Some(""), ChunkMode::UnsignedTrailer),
        (Some("x-amz-acl"), ChunkMode::UnsignedTrailer),
        (Some("content-length"), ChunkMode::UnsignedTrailer),
        (Some("x-amz-checksum-crc32c,x-amz-checksum-crc32c"), ChunkMode::UnsignedTrailer),
        (Some("x-amz-checksum-crc32c,"), ChunkMode::UnsignedTrailer),
        (Some("x-amz-checksum-a b"), ChunkMode::UnsignedTrailer),
    ] {
        assert_eq!(of(Some("7"), trailer, mode), Err(ChunkError::TrailerHeader), "{trailer:?} {mode:?}");
    }
}

#[test]
fn a_signed_mode_without_its_key_does_not_start() {
    for mode in MODES {
        let wrong = if mode == ChunkMode::UnsignedTrailer { inbound(ChunkMode::Signed) } else { None };
        assert!(matches!(Decoder::new(declared(mode, 0), wrong.clone()), Err(ChunkError::Mode)));
        assert!(matches!(Encoder::new(mode, wrong), Err(ChunkError::Mode)));
    }
}

#[test]
fn an_encoder_takes_only_the_events_of_its_mode_in_their_order() {
    let chunk = || Event::Chunk(Chunk { data: b"a".to_vec(), sha256: Sha256::digest(b"a").into() });
    let ended = |mode| Event::End(end(mode, LineEnding::CrLf, &[b"a"]));
    let refused = |mode: ChunkMode, events: &[Event<'_>]| {
        let mut encoder = Encoder::new(mode, outbound(mode)).expect("an encoder");
        let (last, before) = events.split_last().expect("events");
        before.iter().for_each(|event| drop(encoder.encode(event).expect("in order")));
        assert_eq!(encoder.encode(last), Err(ChunkError::Mode), "{events:?}");
    };
    let unsigned = ChunkMode::UnsignedTrailer;
    refused(unsigned, &[chunk()]);
    refused(unsigned, &[Event::Data(b"a")]);
    refused(unsigned, &[Event::Start { size: 0 }]);
    refused(unsigned, &[Event::Start { size: 2 }, Event::Data(b"abc")]);
    refused(unsigned, &[Event::Start { size: 2 }, Event::Data(b"a"), Event::Start { size: 1 }]);
    refused(unsigned, &[Event::Start { size: 2 }, Event::Data(b"a"), ended(unsigned)]);
    refused(unsigned, &[ended(unsigned), Event::Start { size: 1 }]);
    refused(ChunkMode::Signed, &[Event::Start { size: 1 }]);
    refused(ChunkMode::Signed, &[Event::Data(b"a")]);
    refused(ChunkMode::Signed, &[ended(ChunkMode::Signed), chunk()]);
}

#[test]
fn the_clients_data_does_not_show_in_debug_output() {
    let mut decoder = Decoder::new(declared(ChunkMode::Signed, 6), inbound(ChunkMode::Signed)).expect("a decoder");
    let wire = body(ChunkMode::Signed, &[b"CANARY"]);
    assert_eq!(decoder.decode(&mut &wire[..88]), Ok(None));
    assert!(wire[..88].windows(3).any(|w| w == b"CAN"), "some of it is held");
    let event = Event::Chunk(Chunk { data: b"CANARY".to_vec(), sha256: [0; 32] });
    let shown = format!("{decoder:?} {event:?} {:?}", Event::Data(b"CANARY"));
    assert!(!shown.contains("CAN") && !shown.contains("67, 65"), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes_never_panic_the_decoder(
        mode in select(MODES.to_vec()), length in any::<u64>(), wire in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let _ = decode(mode, length, &wire);
        let shaped: Vec<u8> = wire.iter().map(|b| b"0123af;:\r\n\nchunk-signature=x-amz-checksum-crc32c:"[usize::from(*b) % 49]).collect();
        let _ = decode(mode, length % 64, &shaped);
    }

    #[test]
    fn any_chunks_in_any_pieces_are_relayed_in_the_same_length(
        mode in select(MODES.to_vec()),
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 0..6),
        cuts in proptest::collection::vec(any::<Index>(), 0..12),
    ) {
        let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let plain = chunks.concat();
        let wire = body(mode, &chunks);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(wire.len())).collect();
        cuts.extend([0, wire.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|w| &wire[w[0]..w[1]]).collect();
        let mut decoder = Decoder::new(declared(mode, plain.len() as u64), inbound(mode)).expect("a decoder");
        let (decoded, sent, _) = relay(mode, &mut decoder, &pieces).expect("decodes");
        prop_assert_eq!(decoded, plain);
        prop_assert_eq!(sent, framed(mode, outbound(mode), &chunks, end(mode, LineEnding::CrLf, &chunks)));
    }
}
