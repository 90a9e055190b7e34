//! One `[[aliases]]` table of the configuration file, read strictly and written gently.

use std::fmt;

use hallpass_core::limits::ALIAS_VALUE_BYTES_MAX;
use hallpass_core::secret::Secret;
use jiff::Timestamp;
use serde::de::IntoDeserializer;
use serde::{Deserialize, Deserializer};
use toml_edit::{Item, Table, Value};

use super::{Addressing, Alias, CredentialsSource, StaticCredentials, check_name, normalise_endpoint};
use crate::error::S3Error;

/// The region that stores without regions sign with.
pub(super) const REGION_WITHOUT_ANY: &str = "us-east-1";

/// Every key, in the order in which they are written.
const KEYS: [&str; 13] = [
    "name",
    "endpoint",
    "region",
    "addressing",
    "access_key",
    "secret_key",
    "session_token",
    "expires_at",
    "session",
    "role",
    "profile",
    "credential_process",
    "anonymous",
];

/// Keys of rustfs `rc` that say what is always so here; any other value of them is refused.
const GRANTED: [(&str, &str); 2] = [("signature", "v4"), ("insecure", "false")];

/// The table as it stands in the file. Whatever a later version brought may be missing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    name: String,
    endpoint: String,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    addressing: Addressing,
    #[serde(default)]
    access_key: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    secret_key: Option<Secret>,
    #[serde(default, deserialize_with = "secret")]
    session_token: Option<Secret>,
    #[serde(default)]
    expires_at: Option<Timestamp>,
    #[serde(default)]
    session: Option<String>,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    profile: Option<String>,
    #[serde(default)]
    credential_process: Option<String>,
    #[serde(default)]
    anonymous: bool,
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shape").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The alias that a table describes.
///
/// # Errors
/// The first thing that is wrong with it, without the value of any secret.
pub(super) fn read(table: &Table) -> Result<Alias, S3Error> {
    let mut table = table.clone();
    check_keys(&table)?;
    for (key, always) in GRANTED {
        if let Some(item) = table.remove(key)
            && item.as_str() != Some(always)
            && item.as_bool().map(|b| b.to_string()).as_deref() != Some(always)
        {
            return Err(wrong(format!("`{key}` can only be `{always}`"), format!("remove `{key}`")));
        }
    }
    for key in ["access_key", "secret_key", "session_token"] {
        // Said here, because the message of the TOML reader repeats the value.
        if table.get(key).is_some_and(|item| item.as_str().is_none()) {
            return Err(wrong(format!("`{key}` is not a string"), "put it between quotation marks"));
        }
    }
    if let Some(Item::Value(Value::Datetime(at))) = table.get("expires_at").cloned() {
        table.insert("expires_at", toml_edit::value(at.value().to_string()));
    }
    let shape =
        Shape::deserialize(Value::InlineTable(table.into_inline_table()).into_deserializer()).map_err(|error| {
            let said = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            wrong(said, "see `hallpass alias set --help`")
        })?;
    shape.checked()
}

/// The alias as a table of its own, secrets and all.
pub fn to_toml(alias: &Alias) -> Table {
    let mut table = Table::new();
    write(&mut table, alias);
    table
}

/// Changes a table to describe `alias`; keys that are not ours stay, and so do comments.
pub(super) fn write(table: &mut Table, alias: &Alias) {
    let mut values: Vec<(&str, Value)> = vec![
        ("name", alias.name.as_str().into()),
        ("endpoint", alias.endpoint.as_str().into()),
        ("region", alias.region.as_str().into()),
    ];
    if alias.addressing != Addressing::Auto {
        values.push(("addressing", alias.addressing.as_str().into()));
    }
    match &alias.credentials {
        CredentialsSource::Anonymous => values.push(("anonymous", true.into())),
        CredentialsSource::Static(keys) => {
            values.push(("access_key", keys.access_key_id.as_str().into()));
            values.push(("secret_key", keys.secret_access_key.expose().into()));
            values.extend(keys.session_token.as_ref().map(|token| ("session_token", token.expose().into())));
            values.extend(keys.expires_at.map(|at| ("expires_at", datetime(at))));
        }
        CredentialsSource::Session(id) => values.push(("session", id.as_str().into())),
        CredentialsSource::Role(role) => values.push(("role", role.as_str().into())),
        CredentialsSource::Profile(profile) => values.push(("profile", profile.as_str().into())),
        CredentialsSource::Process(command) => values.push(("credential_process", command.as_str().into())),
        // The built-in alias is in no file.
        CredentialsSource::Chain => {}
    }
    for key in KEYS {
        let new = values.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone());
        match (table.get_mut(key), new) {
            (Some(Item::Value(old)), Some(mut new)) => {
                *new.decor_mut() = old.decor().clone();
                *old = new;
            }
            (_, Some(new)) => {
                table.insert(key, Item::Value(new));
            }
            (_, None) => {
                table.remove(key);
            }
        }
    }
}

/// True for what may stand in a header: U+0021 to U+007E, at least one.
pub fn is_printable_ascii(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

impl Shape {
    fn checked(self) -> Result<Alias, S3Error> {
        check_name(&self.name)?;
        let region = self.region.unwrap_or_default();
        let region = if region.is_empty() { REGION_WITHOUT_ANY.to_owned() } else { region };
        check_region(&region)?;
        let empty = |text: &Option<String>| text.as_deref().is_none_or(str::is_empty);
        let no_secret = self.secret_key.as_ref().is_none_or(Secret::is_empty);
        let has_keys = !(empty(&self.access_key) && no_secret);
        let mut found = Vec::new();
        if has_keys {
            found.push(keys(self.access_key, self.secret_key, self.session_token, self.expires_at)?);
        } else if self.session_token.is_some() || self.expires_at.is_some() {
            return Err(wrong("has a session token or an expiry, but no keys", "add `access_key` and `secret_key`"));
        }
        found.extend(self.session.map(CredentialsSource::Session));
        found.extend(self.role.map(CredentialsSource::Role));
        found.extend(self.profile.map(CredentialsSource::Profile));
        found.extend(self.credential_process.map(CredentialsSource::Process));
        if self.anonymous {
            found.push(CredentialsSource::Anonymous);
        }
        let Some(credentials) = found.pop() else {
            return Err(wrong("has no credentials", "give it keys, or `anonymous = true` if it needs none"));
        };
        if !found.is_empty() {
            return Err(wrong("names more than one sort of credentials", "keep one of them"));
        }
        let endpoint = normalise_endpoint(&self.endpoint)?;
        let alias = Alias { name: self.name, endpoint, region, addressing: self.addressing, credentials };
        alias.check()?;
        Ok(alias)
    }
}

impl Alias {
    /// Checks what can be checked without asking anybody: the sizes and the characters of everything.
    ///
    /// # Errors
    /// The first thing that is wrong, without the value of any secret.
    pub fn check(&self) -> Result<(), S3Error> {
        check_region(&self.region)?;
        match &self.credentials {
            CredentialsSource::Static(keys) => {
                check_value("the access key", &keys.access_key_id, true)?;
                check_value("the secret key", keys.secret_access_key.expose(), false)?;
                keys.session_token.as_ref().map_or(Ok(()), |t| check_value("the session token", t.expose(), true))
            }
            CredentialsSource::Session(text) => check_value("the session", text, true),
            CredentialsSource::Role(text) => check_value("the role", text, true),
            CredentialsSource::Profile(text) => check_value("the profile", text, false),
            CredentialsSource::Process(text) => check_value("the command", text, false),
            CredentialsSource::Anonymous | CredentialsSource::Chain => Ok(()),
        }
    }
}

/// The key pair, with what belongs to it.
pub(super) fn keys(
    access_key: Option<String>,
    secret_key: Option<Secret>,
    session_token: Option<Secret>,
    expires_at: Option<Timestamp>,
) -> Result<CredentialsSource, S3Error> {
    let access_key = access_key.filter(|key| !key.is_empty());
    let secret_key = secret_key.filter(|key| !key.is_empty());
    match (access_key, secret_key) {
        (Some(access_key_id), Some(secret_access_key)) => Ok(CredentialsSource::Static(StaticCredentials {
            access_key_id,
            secret_access_key,
            session_token: session_token.filter(|token| !token.is_empty()),
            expires_at,
        })),
        (Some(_), None) => Err(wrong("has an access key without its secret key", "add the secret key")),
        (None, _) => Err(wrong("has a secret key without its access key", "add the access key")),
    }
}

fn check_keys(table: &Table) -> Result<(), S3Error> {
    for (key, _) in table {
        if KEYS.contains(&key) || GRANTED.iter().any(|(granted, _)| *granted == key) {
            continue;
        }
        let shown: String = key.chars().take(60).collect();
        let written = key.to_ascii_lowercase().replace('-', "_");
        let near = KEYS.iter().map(|known| (strsim::normalized_damerau_levenshtein(&written, known), *known));
        let best = near.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score > 0.5);
        let next = match best {
            _ if key == "bucket_lookup" => "write `addressing` = `auto`, `path` or `virtual-host`".to_owned(),
            Some((_, known)) => format!("write `{known}`, or remove the key"),
            None => format!("remove it; known are {}", KEYS.join(", ")),
        };
        return Err(wrong(format!("unknown key `{shown}`"), next));
    }
    Ok(())
}

fn check_region(region: &str) -> Result<(), S3Error> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if region.len() <= 64 && !region.is_empty() && region.bytes().all(legal) {
        return Ok(());
    }
    Err(wrong(format!("`{region}` is not a region"), "write it like `eu-west-1`"))
}

fn check_value(what: &str, value: &str, in_a_header: bool) -> Result<(), S3Error> {
    let legal = if in_a_header { is_printable_ascii(value) } else { !value.chars().any(char::is_control) };
    if value.is_empty() || value.len() > ALIAS_VALUE_BYTES_MAX {
        return Err(wrong(format!("{what} has {} bytes", value.len()), format!("it has 1 to {ALIAS_VALUE_BYTES_MAX}")));
    }
    if !legal {
        return Err(wrong(format!("{what} holds a space, a control character or the like"), "copy it again"));
    }
    Ok(())
}

fn wrong(message: impl Into<String>, next: impl Into<String>) -> S3Error {
    S3Error::usage_with(message, next)
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(Some(Secret::new(String::deserialize(deserializer)?)))
}

/// As TOML has it; a moment that TOML cannot say is said as text.
fn datetime(at: Timestamp) -> Value {
    let text = at.to_string();
    text.parse::<toml_edit::Datetime>().map_or_else(|_| text.as_str().into(), Value::from)
}

#[cfg(test)]
mod tests;
