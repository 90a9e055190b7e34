//! One request of the admin API.

use std::sync::Arc;

use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::AdminClient;
use super::seal::{open, seal};
use crate::alias::{Fixed, StaticCredentials};
use crate::client::{Client, Payload};
use crate::error::{Answer, ErrorKind, S3Error};

/// Where the API is.
const PREFIX: &str = "/minio/admin/v3/";
/// Codes of the API's own begin so.
const OWN_CODES: &str = "XMinio";

/// A request before it is signed.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    method: Method,
    /// Below [`PREFIX`]; a bucket and a prefix may follow.
    path: &'a str,
    below: Option<&'a str>,
    query: Vec<(&'static str, &'a str)>,
    body: Body,
}

/// What is sent.
#[derive(Debug)]
enum Body {
    Nothing,
    Plain(Vec<u8>),
    /// Holds secrets: encrypted with the key that signs.
    Hidden(Zeroizing<Vec<u8>>),
}

/// What came back, with the keys that signed for it.
struct Told {
    bytes: Zeroizing<Vec<u8>>,
    keys: StaticCredentials,
}

impl<'a> Ask<'a> {
    pub(super) fn new(method: Method, path: &'a str) -> Self {
        Self { method, path, below: None, query: Vec::new(), body: Body::Nothing }
    }

    pub(super) fn get(path: &'a str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(super) fn query(mut self, name: &'static str, value: &'a str) -> Self {
        self.query.push((name, value));
        self
    }

    pub(super) fn below(mut self, place: &'a str) -> Self {
        self.below = Some(place);
        self
    }

    pub(super) fn plain(mut self, value: &impl Serialize) -> Result<Self, S3Error> {
        self.body = Body::Plain(serde_json::to_vec(value).map_err(|error| unwritable(&error))?);
        Ok(self)
    }

    pub(super) fn hidden(mut self, value: &impl Serialize) -> Result<Self, S3Error> {
        self.body = Body::Hidden(Zeroizing::new(serde_json::to_vec(value).map_err(|error| unwritable(&error))?));
        Ok(self)
    }
}

impl AdminClient {
    /// Asks for a JSON document.
    pub(super) async fn told<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<T, S3Error> {
        self.read(&self.answer(ask).await?.bytes)
    }

    /// Asks for a document that comes encrypted.
    pub(super) async fn told_hidden<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<T, S3Error> {
        let told = self.answer(ask).await?;
        self.read(&open(&told.keys.secret_access_key, &told.bytes)?)
    }

    /// Has something changed. To a store without this API a change may look like an object to be written, so it is
    /// asked first whether it has one: for what the caller's own account is.
    pub(super) async fn change(&self, ask: &Ask<'_>) -> Result<(), S3Error> {
        self.answer_of_change(ask).await.map(drop)
    }

    /// The same, with an encrypted answer.
    pub(super) async fn change_told_hidden<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<T, S3Error> {
        let told = self.answer_of_change(ask).await?;
        self.read(&open(&told.keys.secret_access_key, &told.bytes)?)
    }

    /// The same, with a plain one.
    pub(super) async fn change_told<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<T, S3Error> {
        self.read(&self.answer_of_change(ask).await?.bytes)
    }

    async fn answer_of_change(&self, ask: &Ask<'_>) -> Result<Told, S3Error> {
        self.is_there.get_or_try_init(|| self.look()).await?;
        self.answer(ask).await
    }

    async fn look(&self) -> Result<(), S3Error> {
        let account: serde_json::Value = self.told(&Ask::get("accountinfo")).await?;
        account.get("AccountName").map(drop).ok_or_else(|| no_admin_api(&self.alias.name))
    }

    /// Asks; keys that turn out to be dead are renewed once where they can be, and the body is encrypted anew.
    async fn answer(&self, ask: &Ask<'_>) -> Result<Told, S3Error> {
        let mut renewed = false;
        loop {
            let keys = self.credentials.current().await?.ok_or_else(|| {
                let message =
                    format!("the alias `{}` has no keys, and the admin API takes none without", self.alias.name);
                S3Error::refused(ErrorKind::Auth, "anonymous", message, "use an alias with keys")
            })?;
            match self.once(ask, &keys).await {
                Ok(bytes) => return Ok(Told { bytes, keys }),
                Err(S3Error::TokenExpired(_)) if !renewed && self.credentials.renew(&keys.access_key_id).await? => {
                    renewed = true;
                }
                Err(error) => return Err(self.judged(error)),
            }
        }
    }

    async fn once(&self, ask: &Ask<'_>, keys: &StaticCredentials) -> Result<Zeroizing<Vec<u8>>, S3Error> {
        let body = match &ask.body {
            Body::Nothing => Payload::empty(),
            Body::Plain(bytes) => Payload::bytes(bytes.clone()),
            Body::Hidden(plain) => {
                let mut random = [0; 40];
                getrandom::fill(&mut random).map_err(|error| unwritable(&error))?;
                Payload::bytes(seal(&keys.secret_access_key, plain, random)?)
            }
        };
        // Signed by the keys that encrypted, so that a renewal in between cannot part the two.
        let client = Client::new(&self.alias, Arc::new(Fixed::keys(keys.clone())), self.options.clone())?;
        let path = format!("{PREFIX}{}", ask.path);
        let whole = client.elsewhere(ask.method.clone(), &path, ask.below, &ask.query, body).await?;
        Ok(Zeroizing::new(whole.bytes.to_vec()))
    }

    fn read<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, S3Error> {
        if !matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[')) {
            return Err(no_admin_api(&self.alias.name));
        }
        serde_json::from_slice(bytes).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            S3Error::Store(
                ErrorKind::General,
                Answer {
                    code: "UnexpectedAnswer".to_owned(),
                    message: format!("the admin API's answer is not what it is known to answer ({place})"),
                    status: None,
                    retryable: false,
                },
            )
        })
    }

    /// What a store without this API says about it.
    fn judged(&self, error: S3Error) -> S3Error {
        let S3Error::Store(kind, answer) = &error else { return error };
        if answer.code == "XMinioAdminVersionMismatch" {
            return no_admin_api(&self.alias.name);
        }
        let is_own = answer.code.starts_with(OWN_CODES);
        let unknown =
            matches!(kind, ErrorKind::NotFound | ErrorKind::Unsupported) || answer.code == "PermanentRedirect";
        if !is_own && unknown && !OF_ACCOUNTS.contains(&answer.code.as_str()) {
            return no_admin_api(&self.alias.name);
        }
        error
    }
}

/// Codes of other servers with the same API for what is not there.
const OF_ACCOUNTS: [&str; 4] = ["NoSuchUser", "NoSuchGroup", "NoSuchPolicy", "NoSuchServiceAccount"];

/// The store has no such API.
pub(super) fn no_admin_api(alias: &str) -> S3Error {
    S3Error::refused(
        ErrorKind::Unsupported,
        "no_admin_api",
        format!("the store of alias `{alias}` has no admin API as MinIO has it"),
        "manage its users with its own tools (AWS: `aws iam`)",
    )
}

fn unwritable(error: &dyn std::error::Error) -> S3Error {
    S3Error::usage(format!("the request cannot be written: {error}"))
}
