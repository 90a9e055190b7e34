//! Who asks: one total function from a request to its authentication, decided before routing.

use super::canonical::query;
use super::error::VerifyError;
use super::key::Signature;
use super::request::{Parts, is_lower_case_token, printable, refuse_duplicates};
use super::scope::Scope;
use super::{ALGORITHM, ASYMMETRIC};
use crate::limits::AUTHORIZATION_BYTES_MAX;

/// A parsed `Authorization: AWS4-HMAC-SHA256 …` header. Parsed is not verified.
#[derive(Debug, Clone, Copy)]
pub struct Authorization<'a> {
    /// The access key id that the request claims: 1 to 128 of `A-Z a-z 0-9 _`.
    pub access_key_id: &'a str,
    /// The credential scope.
    pub scope: Scope<'a>,
    /// The headers that the signature covers.
    pub signed_headers: SignedHeaders<'a>,
    /// The signature that the request claims.
    pub signature: Signature,
}

/// The value of `SignedHeaders`: lower-case names in strictly ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedHeaders<'a>(&'a str);

impl<'a> SignedHeaders<'a> {
    /// What an unsigned call may send: what says what it asks for, and the token that some have of their own.
    pub(super) const UNSIGNED_CALL: SignedHeaders<'static> =
        SignedHeaders("content-type;x-amz-sso_bearer_token;x-amz-target;x-amz-user-agent;x-amzn-query-mode");

    /// The names in ascending order.
    pub fn names(self) -> impl Iterator<Item = &'a str> {
        self.0.split(';')
    }

    /// Whether the signature covers the header. `name` is lower case.
    pub fn contains(self, name: &str) -> bool {
        // As bytes: looking for a character in a text is made for long ones, and this is asked for each header.
        self.0.as_bytes().split(|b| *b == b';').any(|known| known == name.as_bytes())
    }

    /// As in the header: joined with `;`.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    fn parse(text: &'a str) -> Option<Self> {
        let mut previous = "";
        for name in text.split(';') {
            if name <= previous || !name.bytes().all(is_lower_case_token) {
                return None;
            }
            previous = name;
        }
        Some(Self(text))
    }
}

impl<'a> Authorization<'a> {
    /// How a request is authenticated. Total over (header, query): exactly one Signature Version 4 header is
    /// accepted, everything else is refused with its own reason. Also refuses duplicated headers and duplicated or
    /// misplaced `x-amz-*` query parameters, so that nothing later can read the request in a second way.
    ///
    /// # Errors
    /// [`VerifyError`]; [`VerifyError::Anonymous`] when there is no authentication at all.
    pub fn of(parts: &Parts<'a>) -> Result<Self, VerifyError> {
        refuse_duplicates(parts.headers)?;
        let in_query = QueryAuthentication::of(parts.query)?;
        match (parts.header("authorization"), in_query) {
            (Some(_), QueryAuthentication::Refused(_)) => Err(VerifyError::TwoAuthentications),
            (None, QueryAuthentication::Refused(reason)) => Err(reason),
            (Some(_), QueryAuthentication::Parameter(name)) => Err(VerifyError::AmzQueryParameter(name)),
            (Some(value), QueryAuthentication::Absent) => Self::parse(value),
            (None, QueryAuthentication::Absent | QueryAuthentication::Parameter(_)) => Err(VerifyError::Anonymous),
        }
    }

    /// Reads the header's value: the algorithm, then `Credential`, `SignedHeaders` and `Signature`, each once, in any
    /// order, separated by commas with optional spaces.
    ///
    /// # Errors
    /// [`VerifyError::SigV2`], [`VerifyError::SigV4A`], [`VerifyError::OtherScheme`] for other schemes,
    /// [`VerifyError::AuthorizationTooLong`] and [`VerifyError::Authorization`] for everything malformed.
    pub fn parse(value: &'a [u8]) -> Result<Self, VerifyError> {
        let fields = Fields::parse(value, ALGORITHM)?;
        let malformed_scope =
            VerifyError::Authorization("the credential scope is not DATE/REGION/SERVICE/aws4_request");
        let malformed_signature = VerifyError::Authorization("Signature is not 64 lower-case hex digits");
        Ok(Self {
            access_key_id: fields.access_key_id,
            scope: Scope::parse(fields.scope).ok_or(malformed_scope)?,
            signed_headers: fields.signed_headers,
            signature: Signature::parse(fields.signature.as_bytes()).ok_or(malformed_signature)?,
        })
    }
}

/// The three fields that both algorithms have.
pub(super) struct Fields<'a> {
    pub(super) access_key_id: &'a str,
    pub(super) scope: &'a str,
    pub(super) signed_headers: SignedHeaders<'a>,
    pub(super) signature: &'a str,
}

impl<'a> Fields<'a> {
    /// `Credential`, `SignedHeaders` and `Signature`, each once, in any order, after the name of the algorithm.
    pub(super) fn parse(value: &'a [u8], algorithm: &str) -> Result<Self, VerifyError> {
        if value.len() > AUTHORIZATION_BYTES_MAX {
            return Err(VerifyError::AuthorizationTooLong(value.len()));
        }
        let text = str::from_utf8(value).map_err(|_| VerifyError::Authorization("it is not ASCII"))?;
        let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
        match scheme {
            scheme if scheme == algorithm => {}
            ASYMMETRIC => return Err(VerifyError::SigV4A),
            "AWS" | "AWS3" | "AWS3-HTTPS" => return Err(VerifyError::SigV2),
            _ => return Err(VerifyError::OtherScheme),
        }
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for field in rest.split(',') {
            let (name, value) =
                field.trim_matches(' ').split_once('=').ok_or(VerifyError::Authorization("a field has no value"))?;
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return Err(VerifyError::Authorization("it has an unknown field")),
            };
            if slot.replace(value).is_some() {
                return Err(VerifyError::Authorization("a field occurs twice"));
            }
        }
        let (access_key_id, scope) = credential
            .and_then(|text| text.split_once('/'))
            .ok_or(VerifyError::Authorization("send Credential=KEY/DATE/REGION/SERVICE/aws4_request"))?;
        if !is_access_key_id(access_key_id) {
            return Err(VerifyError::Authorization("the access key id is not letters and digits"));
        }
        let malformed_names = VerifyError::Authorization("SignedHeaders is not a sorted list of lower-case names");
        Ok(Self {
            access_key_id,
            scope,
            signed_headers: signed_headers.and_then(SignedHeaders::parse).ok_or(malformed_names)?,
            signature: signature.ok_or(VerifyError::Authorization("Signature is missing"))?,
        })
    }
}

fn is_access_key_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// What the query says about authentication.
enum QueryAuthentication {
    /// No parameter of the `x-amz-` family.
    Absent,
    /// No authentication, but a parameter of the family.
    Parameter(String),
    /// Authentication in the query: the reason to refuse it.
    Refused(VerifyError),
}

impl QueryAuthentication {
    fn of(raw: &str) -> Result<Self, VerifyError> {
        let mut found = Self::Absent;
        let mut seen: Vec<Vec<u8>> = Vec::new();
        for (name, value) in query::pairs(raw)? {
            let name = query::decode(name)?;
            let family = name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"x-amz-"));
            if !family && !name.eq_ignore_ascii_case(b"AWSAccessKeyId") {
                continue;
            }
            let name = name.to_ascii_lowercase();
            let shown = printable(&String::from_utf8_lossy(&name));
            if seen.contains(&name) {
                return Err(VerifyError::DuplicateQueryParameter(shown));
            }
            let refused = match name.as_slice() {
                b"awsaccesskeyid" => Some(VerifyError::SigV2),
                b"x-amz-algorithm" if query::decode(value)?.as_ref() == ASYMMETRIC.as_bytes() => {
                    Some(VerifyError::SigV4A)
                }
                b"x-amz-algorithm" | b"x-amz-credential" | b"x-amz-signature" => Some(VerifyError::Presigned),
                _ => None,
            };
            found = match (found, refused) {
                (Self::Refused(VerifyError::Presigned), Some(better)) => Self::Refused(better),
                (earlier @ Self::Refused(_), _) => earlier,
                (_, Some(reason)) => Self::Refused(reason),
                (_, None) => Self::Parameter(shown),
            };
            seen.push(name);
        }
        Ok(found)
    }
}
