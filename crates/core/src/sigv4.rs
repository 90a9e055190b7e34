//! AWS Signature Version 4: the one canonicaliser, which verifies what came in and signs what goes out.
//!
//! | file | what it knows |
//! |---|---|
//! | [`request`] | what is signed: method, path, query, headers, all borrowed as on the wire |
//! | [`canonical`] | the canonical path, query and headers; the only place where they are made |
//! | [`payload`] | what `x-amz-content-sha256` says about the body |
//! | [`scope`] | `x-amz-date` and the credential scope |
//! | [`authorization`] | the `Authorization` header, and the total answer to "how is this request authenticated?" |
//! | [`key`] | derived signing keys and their bounded cache |
//! | [`mod@verify`] | inbound: does the signature cover exactly this request? |
//! | [`presigned`] | inbound: the same for a signature in the query |
//! | [`mod@sign`] | outbound: the headers to add, and the path and query that must be sent |
//! | [`mod@presign`] | outbound: a URL that carries its own signature |
//! | [`chunked`] | `aws-chunked` bodies: decode and verify, encode and sign |
//! | [`asymmetric`] | Signature Version 4A: both directions, for several regions at once |
//! | [`events`] | event streams that a client uploads: verify, and sign again |
//! | [`error`] | every reason to refuse |
//!
//! The order of use: [`Authorization::of`] (who asks, decided before routing) → [`PayloadHash::declared`] →
//! the session's [`SigningKey`] → [`verify()`] → resolve and decide from [`Verified::path`] and
//! [`Verified::query`], *never* from the raw bytes → [`sign()`] → send [`Signed::path`] and [`Signed::query`].
//!
//! Header and query authentication. SigV2 is recognised and refused by name.
//!
//! Sources: "Create a signed AWS API request" (IAM User Guide), "Authenticating Requests (AWS Signature Version 4)"
//! and "Signature calculations … transferring payload in multiple chunks" (Amazon S3 API Reference).

pub mod asymmetric;
pub mod authorization;
pub mod canonical;
pub mod checksum;
pub mod chunked;
pub mod error;
pub mod events;
pub mod key;
pub mod payload;
pub mod presign;
pub mod presigned;
pub mod request;
pub mod scope;
pub mod sign;
pub mod verify;

pub use authorization::{Authorization, SignedHeaders};
pub use error::VerifyError;
pub use key::{KeyCache, Signature, SigningKey};
pub use payload::{BodyHasher, PayloadHash};
pub use presign::presign;
pub use presigned::Presigned;
pub use request::{Parts, PathStyle, refuse_duplicates};
pub use scope::{AmzDate, Scope};
pub use sign::{SignError, Signed, Signer, sign};
pub use verify::{Expected, Verified, verify};

/// Of Signature Version 4A: ECDSA on P-256 with SHA-256.
pub(crate) const ASYMMETRIC: &str = "AWS4-ECDSA-P256-SHA256";
/// Of Signature Version 4: HMAC with SHA-256.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Ends every scope and every key derivation.
pub(crate) const TERMINATOR: &str = "aws4_request";
