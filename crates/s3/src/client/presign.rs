//! URLs that carry their own signature, for whoever holds them.

use hallpass_core::sigv4::{AmzDate, PathStyle, PayloadHash, Scope, Signer, presign};
use http::Method;
use jiff::Timestamp;

use super::{Client, ObjectId};
use crate::error::S3Error;

/// A URL that may be given away.
#[derive(Clone, PartialEq, Eq)]
pub struct Presigned {
    /// The URL. Whoever holds it may do what it says.
    pub url: String,
    /// When it ends: sooner than was asked for where the credentials do.
    pub expires_at: Option<Timestamp>,
}

impl std::fmt::Debug for Presigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Presigned").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl Client {
    /// A URL with which anybody may `GET` (or `PUT`, `HEAD`, `DELETE`) this object for `expires_s` seconds, up to seven
    /// days, and no longer than the credentials live that sign it. Asks the store nothing.
    ///
    /// # Errors
    /// [`S3Error::Usage`] for a life that AWS does not take, for one version of an object, and for an alias without
    /// credentials.
    pub async fn presign(&self, method: &Method, object: &ObjectId, expires_s: i64) -> Result<Presigned, S3Error> {
        if object.version.is_some() {
            return Err(S3Error::usage_with("a URL of one version cannot be made", "leave the version out"));
        }
        let call = object.call(method.clone())?;
        let Some(credentials) = self.0.credentials.current().await? else {
            return Err(S3Error::usage("an alias without credentials has nothing to sign a URL with"));
        };
        let now = self.0.now();
        let moved = self.0.region_of(&object.bucket);
        let (host, path) = self.0.endpoint.place(call.bucket, call.key, moved.as_deref())?;
        let at = AmzDate::at(now).ok_or_else(|| S3Error::usage("this machine's clock shows no year of ours"))?;
        let region = moved.as_deref().unwrap_or(&self.0.region);
        let scope = Scope::new(at.date(), region, "s3")
            .ok_or_else(|| S3Error::usage("the alias's region cannot be one: set it, as in `us-east-1`"))?;
        let key = self.0.keys.key(&credentials.access_key_id, credentials.secret_access_key.expose(), scope);
        let signer = Signer {
            access_key_id: &credentials.access_key_id,
            key: &key,
            token: credentials.session_token.as_ref().map(|token| token.expose()),
            at,
            payload: PayloadHash::Unsigned,
            send_content_sha256: false,
            path_style: PathStyle::S3,
        };
        let signed = presign(method.as_str(), host.authority(), &path, expires_s, &signer);
        let signed = signed.map_err(|e| S3Error::usage(e.to_string()))?;
        let scheme = if host.https() { "https" } else { "http" };
        let asked = now.checked_add(jiff::SignedDuration::from_secs(expires_s)).ok();
        let expires_at = [asked, credentials.expires_at].into_iter().flatten().min();
        Ok(Presigned { url: format!("{scheme}://{}{signed}", host.authority()), expires_at })
    }
}
