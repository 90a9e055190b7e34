//! Uploaded event streams: framed here by the published encoding, signed with the official crate's functions.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use hallpass_core::limits::EVENT_MESSAGE_BYTES_MAX;
use hallpass_core::sigv4::events::{EventDecoder, EventError, EventSigner, KeyOfDay, is_event_stream};
use hallpass_core::sigv4::{Scope, Signature, SigningKey};
use jiff::Timestamp;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

const SEED: [u8; 64] = [b'5'; 64];
const INBOUND: &str = "inbound-secret";
const OUTBOUND: &str = "outbound-secret";
/// 2026-11-23T23:59:58Z: the third second is another day's.
const BEGUN_S: u64 = 1_795_478_398;

/// CRC-32 bit by bit, so that nothing is shared with the code under test.
fn crc32(bytes: &[u8]) -> [u8; 4] {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    (!bytes.iter().fold(!0_u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))).to_be_bytes()
}

fn message(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(16 + headers.len() + payload.len()).expect("small").to_be_bytes().to_vec();
    out.extend(u32::try_from(headers.len()).expect("small").to_be_bytes());
    out.extend(crc32(&out));
    out.extend([headers, payload].concat());
    let crc = crc32(&out);
    out.extend(crc);
    out
}

fn date_header(at_ms: u64) -> Vec<u8> {
    [b"\x05:date\x08".as_slice(), &at_ms.to_be_bytes()].concat()
}

/// A client that signs as the SDKs do.
struct Client {
    secret: &'static str,
    previous: String,
    date_first: bool,
}

impl Client {
    fn new(secret: &'static str) -> Self {
        Self { secret, previous: String::from_utf8(SEED.to_vec()).expect("text"), date_first: true }
    }

    fn signature(&mut self, at_ms: u64, payload: &[u8]) -> String {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(at_ms);
        let at =
            Timestamp::from_second((at_ms / 1_000) as i64).expect("in range").strftime("%Y%m%dT%H%M%SZ").to_string();
        let scope = format!("{}/us-east-1/lex/aws4_request", &at[..8]);
        let (date, hash) = (Sha256::digest(date_header(at_ms)), Sha256::digest(payload));
        let text = format!(
            "AWS4-HMAC-SHA256-PAYLOAD\n{at}\n{scope}\n{}\n{}\n{}",
            self.previous,
            hex::encode(date),
            hex::encode(hash)
        );
        let key = generate_signing_key(self.secret, time, "us-east-1", "lex");
        self.previous = calculate_signature(key, text.as_bytes());
        self.previous.clone()
    }

    fn event(&mut self, at_ms: u64, payload: &[u8]) -> Vec<u8> {
        let digest = hex::decode(self.signature(at_ms, payload)).expect("hex");
        let signature = [b"\x10:chunk-signature\x06\x00\x20".as_slice(), &digest].concat();
        let date = date_header(at_ms);
        let headers = if self.date_first { [date, signature].concat() } else { [signature, date].concat() };
        message(&headers, payload)
    }
}

fn keys(secret: &'static str) -> KeyOfDay {
    Box::new(move |day| Some(Arc::new(SigningKey::derive(secret, Scope::new(day, "us-east-1", "lex")?))))
}

fn seed() -> Signature {
    Signature::parse(&SEED).expect("a signature")
}

fn decoder() -> EventDecoder {
    EventDecoder::new(keys(INBOUND), seed())
}

/// Payloads of a stream that arrives in reads of `size` bytes.
fn decoded(stream: &[u8], size: usize) -> Result<Vec<Vec<u8>>, EventError> {
    let mut decoder = decoder();
    let mut out = Vec::new();
    for mut read in stream.chunks(size) {
        while let Some(event) = decoder.decode(&mut read)? {
            out.push(event.payload);
        }
    }
    decoder.finish().map(|()| out)
}

fn conversation(date_first: bool) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let inner = [b"".as_slice(), b"audio", &[7; 300]].map(|payload| message(b"\x01a\x07\x00\x01b", payload));
    let mut client = Client { date_first, ..Client::new(INBOUND) };
    let payloads: Vec<Vec<u8>> = inner.into_iter().chain([Vec::new()]).collect();
    let second = |n: usize| BEGUN_S * 1_000 + 1_000 * n as u64 + 7;
    let messages = payloads.iter().enumerate().map(|(n, payload)| client.event(second(n), payload)).collect();
    (payloads, messages)
}

#[test]
fn events_are_verified_however_their_bytes_arrive_and_across_midnight() {
    for date_first in [true, false] {
        let (payloads, messages) = conversation(date_first);
        let stream = messages.concat();
        for size in [1, 2, 11, 12, 13, 83, 300, stream.len()] {
            assert_eq!(decoded(&stream, size).as_ref(), Ok(&payloads), "reads of {size} bytes");
        }
    }
}

#[test]
fn what_is_sent_on_is_what_an_sdk_with_the_outbound_key_would_send_and_as_long() {
    let (_, messages) = conversation(true);
    let (mut decoder, mut signer) = (decoder(), EventSigner::new(keys(OUTBOUND), seed()));
    let mut sdk = Client::new(OUTBOUND);
    for (n, message) in messages.iter().enumerate() {
        let second = BEGUN_S + n as u64;
        let event = decoder.decode(&mut message.as_slice()).expect("right").expect("whole");
        let expected = sdk.event(second * 1_000, &event.payload);
        let now = Timestamp::from_millisecond((second * 1_000 + 499) as i64).expect("in range");
        let sent = signer.encode(event, now).expect("signs");
        assert_eq!(sent, expected, "event {n}");
        assert_eq!(sent.len(), message.len());
    }
}

#[test]
fn a_flipped_bit_anywhere_is_refused_before_its_event_is_released() {
    let (payloads, messages) = conversation(true);
    let stream = messages.concat();
    for place in 0..stream.len() {
        let mut flipped = stream.clone();
        flipped[place] ^= 0x10;
        let mut decoder = decoder();
        let (mut input, mut released) = (flipped.as_slice(), 0);
        let refused = loop {
            match decoder.decode(&mut input) {
                Ok(Some(event)) => {
                    assert_eq!(event.payload, payloads[released], "byte {place}");
                    released += 1;
                }
                Ok(None) => break decoder.finish().is_err(),
                Err(_) => break true,
            }
        };
        assert!(refused, "byte {place}");
        let begins: usize = messages[..released].iter().map(Vec::len).sum();
        assert!(place >= begins, "byte {place} of a released event");
    }
}

/// The CRCs are right: what is refused is the signature.
#[test]
fn events_that_are_changed_left_out_swapped_doubled_or_added_are_refused() {
    let (_, messages) = conversation(true);
    let [one, two, three, end] = &messages[..] else { panic!("four") };
    let mut forger = Client::new("another secret");
    for (what, stream, error) in [
        ("left out", [one.as_slice(), three, end].concat(), EventError::Signature),
        ("swapped", [two.as_slice(), one, three, end].concat(), EventError::Signature),
        ("doubled", [one.as_slice(), one, two, three, end].concat(), EventError::Signature),
        ("forged", forger.event(BEGUN_S * 1_000, b"x"), EventError::Signature),
        ("no end", [one.as_slice(), two, three].concat(), EventError::Truncated),
        ("half an event", [one.as_slice(), &two[..20]].concat(), EventError::Truncated),
        ("nothing", Vec::new(), EventError::Truncated),
        ("more", [one.as_slice(), two, three, end, b"x"].concat(), EventError::TrailingBytes),
    ] {
        assert_eq!(decoded(&stream, 4_096.min(stream.len().max(1))), Err(error), "{what}");
    }
}

#[test]
fn a_header_that_no_signature_covers_is_refused() {
    let mut client = Client::new(INBOUND);
    let digest = hex::decode(client.signature(BEGUN_S * 1_000, b"x")).expect("hex");
    let (date, sum) =
        (date_header(BEGUN_S * 1_000), [b"\x10:chunk-signature\x06\x00\x20".as_slice(), &digest].concat());
    let more = b"\x01a\x07\x00\x01b".to_vec();
    for headers in [
        [date.clone(), sum.clone(), more.clone()],
        [more.clone(), date.clone(), sum.clone()],
        [date.clone(), date.clone(), Vec::new()],
        [sum.clone(), sum.clone(), Vec::new()],
        [sum, Vec::new(), Vec::new()],
        [date, Vec::new(), Vec::new()],
        [more, Vec::new(), Vec::new()],
    ] {
        let refused = decoded(&message(&headers.concat(), b"x"), 4_096);
        assert!(matches!(refused, Err(EventError::Malformed(_))), "{refused:?}");
    }
}

#[test]
fn an_event_past_the_limit_is_refused_by_its_first_bytes() {
    for (bytes, refused) in [(EVENT_MESSAGE_BYTES_MAX, false), (EVENT_MESSAGE_BYTES_MAX + 1, true)] {
        let mut prelude = u32::try_from(bytes).expect("fits").to_be_bytes().to_vec();
        prelude.extend(67_u32.to_be_bytes());
        prelude.extend(crc32(&prelude));
        let told = decoder().decode(&mut prelude.as_slice());
        assert_eq!(told == Err(EventError::TooLarge(bytes as u64)), refused, "{told:?}");
    }
}

#[test]
fn a_decoder_that_has_failed_never_goes_on() {
    let (_, messages) = conversation(true);
    let mut decoder = decoder();
    assert_eq!(decoder.decode(&mut messages[1].as_slice()), Err(EventError::Signature));
    assert_eq!(decoder.decode(&mut messages[0].as_slice()), Err(EventError::Signature));
    assert_eq!(decoder.finish(), Err(EventError::Signature));
}

#[test]
fn only_the_operations_that_upload_events_may() {
    for (service, operation) in [
        ("lex", "StartConversation"),
        ("bedrock", "InvokeModelWithBidirectionalStream"),
        ("transcribe", "StartStreamTranscription"),
    ] {
        assert!(is_event_stream(service, operation), "{operation}");
    }
    for (service, operation) in
        [("s3", "SelectObjectContent"), ("bedrock", "InvokeModel"), ("polly", "StartConversation")]
    {
        assert!(!is_event_stream(service, operation), "{operation}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_decoder_release_an_event(bytes in proptest::collection::vec(any::<u8>(), 0..400), size in 1..64_usize) {
        prop_assert!(decoded(&bytes, size).is_err());
    }
}
