//! Signature Version 4A: one signature for several regions, with an ECDSA key that both sides derive from the secret.
//!
//! The signature is randomised, so it is verified and not compared. The curve's arithmetic is handed in, because it
//! needs randomness: [`Check`] and [`sign()`]'s caller have it, the texts and the key derivation are here.
//!
//! Sources: "AWS Signature Version 4 for API requests", "Derive a signing key" (IAM user guide); NIST SP 800-108,
//! counter mode; the `v4a` cases of the AWS signing test suite.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::authorization::{Fields, SignedHeaders};
use super::canonical::path::CanonicalPath;
use super::canonical::{Canonical, check_method, query};
use super::error::VerifyError;
use super::key::Signature;
use super::payload::PayloadHash;
use super::presigned::Presigned;
use super::request::{Parts, PathStyle, refuse_duplicates};
use super::scope::{AmzDate, Scope};
use super::sign::{MADE_HERE, SignError, Signed, covered};
use super::verify::{Verified, canonical_headers, check_coverage, check_payload, check_token};
use super::{ASYMMETRIC, TERMINATOR};
use crate::limits::{ECDSA_SIGNATURE_BYTES_MAX, REGION_SET_BYTES_MAX, REGION_SET_REGIONS_MAX, SIGNATURE_SKEW_S_MAX};

/// The header that holds the regions, which has to be signed.
pub const REGION_SET: &str = "x-amz-region-set";

/// The private key of a credential, a big-endian P-256 scalar: SP 800-108 in counter mode with HMAC-SHA256 over the
/// secret, the first candidate that is not above `n − 2`, plus one. `None` if no counter gives one, which no secret
/// is known to do.
pub fn private_key(access_key_id: &str, secret: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut start = Zeroizing::new(Vec::with_capacity(5 + secret.len()));
    start.extend_from_slice(b"AWS4A");
    start.extend_from_slice(secret.as_bytes());
    (1..=254_u8).find_map(|counter| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&start).ok()?;
        for part in [&1_u32.to_be_bytes()[..], ASYMMETRIC.as_bytes(), &[0], access_key_id.as_bytes(), &[counter]] {
            mac.update(part);
        }
        mac.update(&256_u32.to_be_bytes());
        let candidate = Zeroizing::new(<[u8; 32]>::from(mac.finalize().into_bytes()));
        plus_one(candidate)
    })
}

/// `n − 2`, where `n` is the order of P-256 (NIST SP 800-186, 3.2.1.3).
const ORDER_LESS_2: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x4f,
];

/// The candidate plus one, if it is not above [`ORDER_LESS_2`]. Reads every byte, whatever they are.
fn plus_one(mut candidate: Zeroizing<[u8; 32]>) -> Option<Zeroizing<[u8; 32]>> {
    let mut borrow = 0_u16;
    for (limit, byte) in ORDER_LESS_2.iter().zip(candidate.iter()).rev() {
        let left = 0x100 + u16::from(*limit) - u16::from(*byte) - borrow;
        borrow = 1 - (left >> 8);
    }
    let mut carry = 1_u16;
    for byte in candidate.iter_mut().rev() {
        let sum = u16::from(*byte) + carry;
        *byte = sum.to_be_bytes()[1];
        carry = sum >> 8;
    }
    (borrow == 0).then_some(candidate)
}

/// An asymmetric signature, read. Parsed is not verified.
#[derive(Debug, Clone)]
pub struct Claim<'a> {
    /// The access key id that the request claims.
    pub access_key_id: &'a str,
    /// Day and service; its region is the whole region set, as sent.
    pub scope: Scope<'a>,
    signed_headers: SignedHeaders<'a>,
    signature: Vec<u8>,
    presigned: Option<&'a Presigned>,
}

/// What a claim is checked against.
#[derive(Clone, Copy)]
pub struct Check<'a> {
    /// The session's access key id.
    pub access_key_id: &'a str,
    /// Whether a DER signature of a message, hashed with SHA-256, was made with the session's key.
    pub signed_by: &'a dyn Fn(&[u8], &[u8]) -> bool,
    /// The session token that must be sent and signed; `None`: none may be sent.
    pub token: Option<&'a str>,
    /// Our time.
    pub now: Timestamp,
    /// How the body is covered.
    pub payload: PayloadHash,
    /// How the service makes its canonical path.
    pub path_style: PathStyle,
}

impl fmt::Debug for Check<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("now", &self.now).finish_non_exhaustive()
    }
}

impl<'a> Claim<'a> {
    /// Reads a request for which [`Authorization::of`](super::Authorization::of) has said [`VerifyError::SigV4A`].
    /// `presigned` is its query, where that is where the signature is.
    ///
    /// # Errors
    /// [`VerifyError`], as for the other algorithm; also for a region set that is missing or no list of regions.
    pub fn of(parts: &Parts<'a>, presigned: Option<&'a Presigned>) -> Result<Self, VerifyError> {
        let text = match presigned {
            Some(presigned) => presigned.authorization_text().as_bytes(),
            None => parts.header("authorization").ok_or(VerifyError::Anonymous)?,
        };
        let fields = Fields::parse(text, ASYMMETRIC)?;
        let malformed = VerifyError::Authorization("the credential scope is not DATE/SERVICE/aws4_request");
        let (date, service) = fields
            .scope
            .strip_suffix(TERMINATOR)
            .and_then(|rest| rest.strip_suffix('/'))
            .and_then(|rest| rest.split_once('/'))
            .filter(|(date, service)| Scope::new(date, "us-east-1", service).is_some())
            .ok_or(malformed)?;
        let region = match presigned {
            Some(presigned) => presigned.hoisted_header(REGION_SET).map(str::as_bytes),
            None => parts.header(REGION_SET),
        };
        let region = region.and_then(|set| str::from_utf8(set).ok()).filter(|set| is_region_set(set));
        let region = region.ok_or(VerifyError::RegionSet)?;
        let bad_signature = VerifyError::Authorization("Signature is not an ECDSA signature in hex");
        let signature = hex::decode(fields.signature).ok().filter(|der| der.len() <= ECDSA_SIGNATURE_BYTES_MAX);
        Ok(Self {
            access_key_id: fields.access_key_id,
            scope: Scope { date, region, service },
            signed_headers: fields.signed_headers,
            signature: signature.ok_or(bad_signature)?,
            presigned,
        })
    }

    /// Checks the claim: the same rules as [`verify()`](super::verify()) and [`Presigned::verify`], except for the
    /// arithmetic. Chunks cannot be signed.
    ///
    /// # Errors
    /// [`VerifyError`], the first reason found.
    pub fn verify(&self, parts: &Parts<'a>, check: &Check<'_>) -> Result<Verified<'a>, VerifyError> {
        refuse_duplicates(parts.headers)?;
        check_method(parts.method)?;
        if self.access_key_id != check.access_key_id {
            return Err(VerifyError::UnknownKey);
        }
        match check.payload {
            PayloadHash::Sha256(_) | PayloadHash::Unsigned | PayloadHash::StreamingUnsignedTrailer => {}
            mode @ (PayloadHash::StreamingSigned
            | PayloadHash::StreamingSignedTrailer
            | PayloadHash::StreamingEvents) => return Err(VerifyError::PayloadMode(mode.literal())),
        }
        let at = match self.presigned {
            Some(presigned) => presigned.at(),
            None => {
                let at = parts.header("x-amz-date").ok_or(VerifyError::MissingHeader("x-amz-date"))?;
                AmzDate::parse(at).ok_or(VerifyError::Date)?
            }
        };
        if at.date() != self.scope.date {
            return Err(VerifyError::ScopeDate);
        }
        let s3 = PathStyle::for_service(self.scope.service) == PathStyle::S3;
        check_coverage(parts, self.signed_headers, s3)?;
        if self.presigned.is_none() || parts.header("x-amz-content-sha256").is_some() {
            check_payload(parts, check.payload, s3)?;
        }
        let path = CanonicalPath::new(parts.path, check.path_style)?;
        let raw_query = self.presigned.map_or(parts.query, Presigned::signed_query);
        let message = Canonical {
            method: parts.method,
            path: path.signed(),
            query: &query::canonical(raw_query)?,
            headers: &canonical_headers(parts, self.signed_headers)?,
            signed_headers: self.signed_headers.as_str(),
            payload: check.payload,
        }
        .string_to_sign(ASYMMETRIC, at, &scope_text(self.scope.date, self.scope.service));
        if !(check.signed_by)(message.as_bytes(), &self.signature) {
            return Err(VerifyError::Signature);
        }
        let query = match self.presigned {
            Some(presigned) => {
                presigned.check_token(parts, check.token)?;
                presigned.check_time(check.now)?;
                presigned.own_query()?
            }
            None => {
                check_token(parts, check.token)?;
                let ahead_s = at.unix_s().saturating_sub(check.now.as_second());
                if ahead_s.abs() > SIGNATURE_SKEW_S_MAX {
                    return Err(VerifyError::Skew(ahead_s));
                }
                query::canonical(parts.query)?
            }
        };
        Ok(Verified {
            access_key_id: self.access_key_id,
            scope: self.scope,
            signed_headers: self.signed_headers,
            at,
            payload: check.payload,
            path: path.sent,
            query,
            // The signature is another one each time, so what was signed stands for it.
            signature: Signature::of_digest(Sha256::digest(message.as_bytes()).into()),
            hoisted: self.presigned.map(|presigned| presigned.hoisted().to_vec()),
        })
    }
}

/// Who signs asymmetrically, when and how.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The access key id.
    pub access_key_id: &'a str,
    /// The session token of a temporary credential.
    pub token: Option<&'a str>,
    /// The signing name of the service.
    pub service: &'a str,
    /// The regions, as [`is_region_set`] takes them.
    pub region_set: &'a str,
    /// The time of signing.
    pub at: AmzDate,
    /// How the body is covered.
    pub payload: PayloadHash,
    /// Whether `x-amz-content-sha256` is sent.
    pub send_content_sha256: bool,
    /// How the service makes its canonical path.
    pub path_style: PathStyle,
}

impl fmt::Debug for Signer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("at", &self.at).finish_non_exhaustive()
    }
}

/// Signs a request that is about to be sent; `with_key` makes the DER signature of a message. The region set is added
/// as a header of its own: [`REGION_SET`].
///
/// # Errors
/// [`SignError`], when the request is ambiguous or the key cannot sign.
pub fn sign(
    parts: &Parts<'_>,
    signer: &Signer<'_>,
    with_key: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
) -> Result<Signed, SignError> {
    check_method(parts.method)?;
    if let Some(made) = MADE_HERE.iter().chain([&REGION_SET]).find(|made| parts.header(made).is_some()) {
        return Err(SignError::MadeHere(made));
    }
    if parts.header("host").is_none() {
        return Err(VerifyError::MissingHeader("host").into());
    }
    let path = CanonicalPath::new(parts.path, signer.path_style)?;
    let query = query::canonical(parts.query)?;
    let hashed = matches!(signer.payload, PayloadHash::Sha256(_));
    let content_sha256 = (signer.send_content_sha256 || !hashed).then(|| signer.payload.text());
    let mut headers: Vec<(&str, &[u8])> = parts.headers.to_vec();
    headers.push(("x-amz-date", signer.at.as_str().as_bytes()));
    headers.push((REGION_SET, signer.region_set.as_bytes()));
    headers.extend(content_sha256.as_deref().map(|hash| ("x-amz-content-sha256", hash.as_bytes())));
    headers.extend(signer.token.map(|token| ("x-amz-security-token", token.as_bytes())));
    let (lines, signed_headers) = covered(headers)?;
    let scope = scope_text(signer.at.date(), signer.service);
    let message = Canonical {
        method: parts.method,
        path: path.signed(),
        query: &query,
        headers: &lines,
        signed_headers: &signed_headers,
        payload: signer.payload,
    }
    .string_to_sign(ASYMMETRIC, signer.at, &scope);
    let signature = with_key(message.as_bytes()).ok_or(SignError::Key)?;
    let authorization = format!(
        "{ASYMMETRIC} Credential={}/{scope}, SignedHeaders={signed_headers}, Signature={}",
        signer.access_key_id,
        hex::encode(signature)
    );
    Ok(Signed {
        path: path.sent,
        query,
        authorization,
        at: signer.at,
        token: signer.token.map(str::to_owned),
        content_sha256,
        region_set: Some(signer.region_set.to_owned()),
        signature: Signature::of_digest([0; 32]),
    })
}

/// Whether a text is a list of regions, with commas: `us-east-1,eu-*`, `*`.
pub fn is_region_set(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'*';
    let region = |region: &str| (1..=64).contains(&region.len()) && region.bytes().all(legal);
    text.len() <= REGION_SET_BYTES_MAX
        && text.split(',').count() <= REGION_SET_REGIONS_MAX
        && text.split(',').all(region)
}

fn scope_text(date: &str, service: &str) -> String {
    format!("{date}/{service}/{TERMINATOR}")
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::{ORDER_LESS_2, is_region_set, plus_one, private_key};
    use crate::limits::{REGION_SET_BYTES_MAX, REGION_SET_REGIONS_MAX};

    #[test]
    fn a_candidate_above_the_order_less_two_is_not_a_key() {
        let with_last = |last: u8| {
            let mut bytes = ORDER_LESS_2;
            bytes[31] = last;
            plus_one(Zeroizing::new(bytes)).map(|key| key[31])
        };
        assert_eq!(with_last(0x4e), Some(0x4f));
        assert_eq!(with_last(0x4f), Some(0x50));
        assert_eq!(with_last(0x50), None);
        assert_eq!(plus_one(Zeroizing::new([0xff; 32])), None);
        let carried = plus_one(Zeroizing::new([0; 32])).expect("small");
        assert_eq!((carried[31], carried[0]), (1, 0));
        let mut low = [0; 32];
        low[31] = 0xff;
        assert_eq!(plus_one(Zeroizing::new(low)).map(|key| (key[30], key[31])), Some((1, 0)));
    }

    #[test]
    fn keys_differ_by_every_input() {
        let key = |id: &str, secret: &str| private_key(id, secret).expect("a key");
        assert_eq!(key("AKID", "secret"), key("AKID", "secret"));
        assert_ne!(key("AKID", "secret"), key("AKID", "secreT"));
        assert_ne!(key("AKID", "secret"), key("AKIE", "secret"));
    }

    #[test]
    fn a_region_set_is_a_bounded_list_of_regions() {
        for good in ["*", "us-east-1", "us-east-1,eu-*"] {
            assert!(is_region_set(good), "{good}");
        }
        for bad in ["", ",", "us-east-1,", "US-EAST-1", "us east", "us-east-1, eu-west-1", "a/b"] {
            assert!(!is_region_set(bad), "{bad}");
        }
        assert!(is_region_set(&vec!["a"; REGION_SET_REGIONS_MAX].join(",")));
        assert!(!is_region_set(&vec!["a"; REGION_SET_REGIONS_MAX + 1].join(",")));
        assert!(!is_region_set(&vec!["a".repeat(64); REGION_SET_BYTES_MAX / 64].join(",")));
    }
}
