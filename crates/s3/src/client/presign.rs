//! Links that carry their own signature (Amazon S3 User Guide, "Sharing objects with presigned URLs"; "Browser-based
//! uploads using POST").

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hallpass_core::limits::PRESIGNED_EXPIRES_S_MAX;
use hallpass_core::sigv4::{AmzDate, PathStyle, PayloadHash, Scope, Signer, presign};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::Client;
use super::object::ObjectId;
use crate::alias::StaticCredentials;
use crate::error::{ErrorKind, S3Error};

/// A URL that works for whoever has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Presigned {
    /// The URL.
    pub url: String,
    /// When its signature ends.
    pub expires_at: Timestamp,
    /// It was signed with a session token, and dies with it, at this time if that is known.
    pub token: Option<Option<Timestamp>>,
}

/// A form that a browser may post.
#[derive(Clone, PartialEq, Eq)]
pub struct Form {
    /// Where to, and until when.
    pub link: Presigned,
    /// Its fields, in order; the file comes after them.
    pub fields: Vec<(String, String)>,
}

/// Whoever has it may use it: a log is no place for it.
impl fmt::Debug for Presigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presigned").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form").field("link", &self.link).finish_non_exhaustive()
    }
}

/// What may be posted.
#[derive(Debug, Clone, Default)]
pub struct FormOptions {
    /// Any key that begins with the object's key, not only this one.
    pub prefix: bool,
    /// At most so many bytes.
    pub size_max: Option<u64>,
    /// Only this content type.
    pub content_type: Option<String>,
}

/// One signing: who, where, when.
struct Signing {
    credentials: StaticCredentials,
    region: String,
    now: Timestamp,
    at: AmzDate,
}

impl Client {
    /// Signs a URL. No request is made: nothing says that the object is there, or that the keys are good.
    ///
    /// # Errors
    /// [`S3Error::Usage`] for a life of less than a second or more than [`PRESIGNED_EXPIRES_S_MAX`]; of sort `Auth` for
    /// keys that have ended, and for an alias without keys.
    pub async fn presign(&self, method: &Method, object: &ObjectId, expires_s: i64) -> Result<Presigned, S3Error> {
        let call = object.call(method.clone())?;
        let signing = self.signing(&object.bucket, expires_s).await?;
        let region = self.0.region_of(&object.bucket);
        let (host, path) = self.0.endpoint.place(call.bucket, call.key, region.as_deref())?;
        let scope = signing.scope()?;
        let Signing { credentials, at, .. } = &signing;
        let key = self.0.keys.key(&credentials.access_key_id, credentials.secret_access_key.expose(), scope);
        let signer = Signer {
            access_key_id: &credentials.access_key_id,
            key: &key,
            token: credentials.session_token.as_ref().map(|token| token.expose()),
            at: *at,
            payload: PayloadHash::Unsigned,
            send_content_sha256: false,
            path_style: PathStyle::S3,
        };
        let signed = presign(method.as_str(), host.authority(), (&path, &call.query), expires_s, &signer)
            .map_err(|error| S3Error::usage(format!("the link cannot be signed: {error}")))?;
        let scheme = if host.https() { "https" } else { "http" };
        Ok(signing.link(format!("{scheme}://{}{signed}", host.authority()), expires_s))
    }

    /// Signs a form by which a browser may upload one object, or objects below a prefix.
    ///
    /// # Errors
    /// Those of [`Self::presign`].
    pub async fn presign_form(
        &self,
        object: &ObjectId,
        expires_s: i64,
        options: &FormOptions,
    ) -> Result<Form, S3Error> {
        let signing = self.signing(&object.bucket, expires_s).await?;
        let region = self.0.region_of(&object.bucket);
        let (host, path) = self.0.endpoint.place(Some(&object.bucket), None, region.as_deref())?;
        let Signing { credentials, at, .. } = &signing;
        let scope = signing.scope()?;
        let key = self.0.keys.key(&credentials.access_key_id, credentials.secret_access_key.expose(), scope);
        let mut fields = vec![
            ("x-amz-algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("x-amz-credential", format!("{}/{}", credentials.access_key_id, key.scope())),
            ("x-amz-date", at.as_str().to_owned()),
        ];
        if let Some(token) = &credentials.session_token {
            fields.push(("x-amz-security-token", token.expose().to_owned()));
        }
        let mut conditions = vec![json!({"bucket": object.bucket})];
        if options.prefix {
            conditions.push(json!(["starts-with", "$key", object.key]));
        } else {
            conditions.push(json!({"key": object.key}));
        }
        if let Some(kind) = &options.content_type {
            fields.push(("content-type", kind.clone()));
        }
        conditions.extend(fields.iter().map(|(name, value)| json!({*name: value})));
        if let Some(size) = options.size_max {
            conditions.push(json!(["content-length-range", 0, size]));
        }
        let link = signing.link(String::new(), expires_s);
        let expiration = link.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let policy = STANDARD.encode(json!({"expiration": expiration, "conditions": conditions}).to_string());
        let signature = hex::encode(key.sign(policy.as_bytes()));
        // A browser puts the file's name in the place of `${filename}`.
        let name = if options.prefix { format!("{}${{filename}}", object.key) } else { object.key.clone() };
        let all = [("key", name)].into_iter().chain(fields).chain([("policy", policy), ("x-amz-signature", signature)]);
        let fields = all.map(|(name, value)| (name.to_owned(), value)).collect();
        let scheme = if host.https() { "https" } else { "http" };
        let url = format!("{scheme}://{}{path}", host.authority());
        Ok(Form { link: Presigned { url, ..link }, fields })
    }

    async fn signing(&self, bucket: &str, expires_s: i64) -> Result<Signing, S3Error> {
        if !(1..=PRESIGNED_EXPIRES_S_MAX).contains(&expires_s) {
            let days = PRESIGNED_EXPIRES_S_MAX / 86_400;
            return Err(S3Error::usage_with(
                format!("a link cannot live {expires_s} s"),
                format!("choose 1s to {days}d"),
            ));
        }
        let Some(credentials) = self.0.credentials.current().await? else {
            return Err(S3Error::refused(
                ErrorKind::Auth,
                "anonymous",
                format!("the alias `{}` has no keys to sign with", self.0.alias),
                "objects that everybody may read need no link: use their URL",
            ));
        };
        let now = self.0.now();
        if credentials.session_token.is_some() && credentials.expires_at.is_some_and(|end| end <= now) {
            // Not `TokenExpired`, which removes the alias: no store has said so, and this machine's clock may be wrong.
            return Err(S3Error::refused(
                ErrorKind::Auth,
                "ExpiredToken",
                format!("the session token of alias `{}` has ended, and a link would be dead at once", self.0.alias),
                "get new temporary keys, then set the alias again with `hallpass alias set`",
            ));
        }
        let at = AmzDate::at(now).ok_or_else(|| S3Error::usage("this machine's clock shows no year of ours"))?;
        let region = self.0.region_of(bucket).unwrap_or_else(|| self.0.region.clone());
        Ok(Signing { credentials, region, now, at })
    }
}

impl Signing {
    fn scope(&self) -> Result<Scope<'_>, S3Error> {
        Scope::new(self.at.date(), &self.region, "s3")
            .ok_or_else(|| S3Error::usage("the alias's region cannot be a region: set another one"))
    }

    fn link(&self, url: String, expires_s: i64) -> Presigned {
        let expires_at = self.now.checked_add(SignedDuration::from_secs(expires_s)).unwrap_or(Timestamp::MAX);
        let token = self.credentials.session_token.as_ref().map(|_| self.credentials.expires_at);
        Presigned { url, expires_at, token }
    }
}
