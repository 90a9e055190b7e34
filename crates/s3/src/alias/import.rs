//! Aliases from and for other files: our own TOML, rustfs's `rc` (TOML) and MinIO's `mc` (JSON, `config.json` version 10).

use std::collections::BTreeMap;
use std::path::Path;

use hallpass_core::limits::{ALIASES_MAX, CONFIG_BYTES_MAX};
use hallpass_core::secret::Secret;
use serde::Deserialize;
use toml_edit::{ArrayOfTables, DocumentMut, Item, value};
use zeroize::Zeroizing;

use super::entry::{self, REGION_WITHOUT_ANY};
use super::file::{StoredAlias, aliases, parse};
use super::{Addressing, Alias, CredentialsSource, SCHEMA_VERSION, check_name, normalise_endpoint};
use crate::error::S3Error;

/// The version of `mc`'s file that has aliases.
const MC_VERSION: &str = "10";

/// What a new file of `mc` has instead of keys.
const MC_NO_KEY: &str = "YOUR-ACCESS-KEY-HERE";
/// Tables of an alias of `rc` that are left out.
const RC_PACE: [&str; 2] = ["retry", "timeout"];

#[derive(Deserialize)]
struct McFile {
    version: String,
    #[serde(default)]
    aliases: BTreeMap<String, McAlias>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct McAlias {
    url: String,
    #[serde(default)]
    access_key: String,
    #[serde(default)]
    secret_key: String,
    #[serde(default)]
    session_token: String,
    #[serde(default)]
    api: String,
    #[serde(default)]
    path: String,
}

/// Every alias in `text`, or why it is none. `from` is for messages.
///
/// # Errors
/// A text that is none of the three; no message repeats a part of it.
pub fn import(from: &Path, text: &str) -> Result<Vec<StoredAlias>, S3Error> {
    if text.len() as u64 > CONFIG_BYTES_MAX {
        return Err(S3Error::usage(format!("the file is larger than {CONFIG_BYTES_MAX} bytes")));
    }
    if text.trim_start().starts_with('{') {
        return from_mc(text);
    }
    let (mut document, _) = parse(from, text)?;
    // They say how rc goes about its requests, and nothing about the store.
    if let Some(tables) = document.get_mut("aliases").and_then(Item::as_array_of_tables_mut) {
        for table in tables.iter_mut() {
            RC_PACE.iter().for_each(|key| drop(table.remove(key)));
        }
    }
    aliases(&document)
}

/// The aliases as a file that [`import`] reads. Without `secrets`, keys are left out.
pub fn export(aliases: &[&Alias], secrets: bool) -> Zeroizing<String> {
    let mut tables = ArrayOfTables::new();
    for alias in aliases {
        let mut table = entry::to_toml(alias);
        if !secrets {
            for key in ["access_key", "secret_key", "session_token", "credential_process"] {
                table.remove(key);
            }
        }
        tables.push(table);
    }
    let mut document = DocumentMut::new();
    document.insert("schema_version", value(SCHEMA_VERSION));
    document.insert("aliases", Item::ArrayOfTables(tables));
    Zeroizing::new(document.to_string())
}

fn from_mc(text: &str) -> Result<Vec<StoredAlias>, S3Error> {
    // The reader's own message may repeat a value.
    let file: McFile = serde_json::from_str(text).map_err(|error| {
        S3Error::usage_with(
            format!("line {} is not what a config.json of mc has", error.line()),
            "name mc's config.json, rc's config.toml, or a file that `hallpass alias export` made",
        )
    })?;
    if file.version != MC_VERSION {
        return Err(S3Error::usage_with(
            format!("the config.json of mc has another version than {MC_VERSION}"),
            "run any command of a current mc once: it brings its file up to date",
        ));
    }
    if file.aliases.len() > ALIASES_MAX {
        return Err(S3Error::usage(format!("there are more than {ALIASES_MAX} aliases")));
    }
    Ok(file.aliases.into_iter().map(|(name, alias)| (name.clone(), alias.checked(name))).collect())
}

impl McAlias {
    fn checked(self, name: String) -> Result<Alias, S3Error> {
        check_name(&name)?;
        if !self.api.is_empty() && !self.api.eq_ignore_ascii_case("S3v4") {
            return Err(S3Error::usage_with("it signs with version 2", "use a store that takes Signature Version 4"));
        }
        if self.access_key == MC_NO_KEY {
            return Err(S3Error::usage_with(
                "it holds no keys, only the place for them",
                "set it with `hallpass alias set`",
            ));
        }
        let addressing = match self.path.as_str() {
            "on" => Addressing::Path,
            "off" | "dns" => Addressing::VirtualHost,
            _ => Addressing::Auto,
        };
        let credentials = if self.access_key.is_empty() && self.secret_key.is_empty() {
            CredentialsSource::Anonymous
        } else {
            let token = Some(Secret::new(self.session_token));
            entry::keys(Some(self.access_key), Some(Secret::new(self.secret_key)), token, None)?
        };
        let endpoint = normalise_endpoint(&self.url)?;
        let alias = Alias { name, endpoint, region: REGION_WITHOUT_ANY.to_owned(), addressing, credentials };
        alias.check()?;
        Ok(alias)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use hallpass_core::limits::CONFIG_BYTES_MAX;

    use super::{export, import};
    use crate::alias::{Addressing, Alias};

    fn imported(text: &str) -> Vec<(String, Option<Alias>)> {
        let all = import(Path::new("f"), text).expect("understood");
        all.into_iter().map(|(name, alias)| (name, alias.ok())).collect()
    }

    #[test]
    fn the_file_of_mc_is_understood() {
        let all = imported(
            r#"{"version":"10","aliases":{
            "play":{"url":"https://play.min.io","accessKey":"AK","secretKey":"SK","api":"S3v4","path":"on"},
            "temp":{"url":"http://h","accessKey":"AK","secretKey":"SK","sessionToken":"T","api":"s3v4","path":"auto"},
            "open":{"url":"http://h","accessKey":"","secretKey":"","api":"","path":"dns"},
            "local":{"url":"http://localhost:9000","accessKey":"","secretKey":"","api":"","path":"auto"},
            "s3":{"url":"https://s3.amazonaws.com","accessKey":"YOUR-ACCESS-KEY-HERE","secretKey":"YOUR-SECRET-KEY-HERE",
                "api":"S3v4","path":"dns"},
            "old":{"url":"http://h","accessKey":"AK","secretKey":"SK","api":"S3v2","path":"auto"}}}"#,
        );
        let seen: Vec<_> = all
            .iter()
            .map(|(name, alias)| {
                let alias = alias.as_ref().map(|a| (a.addressing, a.session_token().is_some()));
                (name.as_str(), alias)
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("local", None),
                ("old", None),
                ("open", Some((Addressing::VirtualHost, false))),
                ("play", Some((Addressing::Path, false))),
                ("s3", None),
                ("temp", Some((Addressing::Auto, true))),
            ]
        );
    }

    #[test]
    fn the_file_of_rc_is_understood_and_what_was_exported_comes_back() {
        let rc = "schema_version = 1\n[defaults]\ncolor = \"auto\"\n[[aliases]]\nname = \"m\"\nendpoint = \"http://h:9\"\n\
            access_key = \"AK\"\nsecret_key = \"SK\"\nregion = \"r\"\nsignature = \"v4\"\nbucket_lookup = \"path\"\n\
            anonymous = false\ninsecure = false\n[aliases.retry]\nmax_attempts = 5\n[aliases.timeout]\nread_ms = 9\n\
            [[aliases]]\nname = \"open\"\nendpoint = \"http://h\"\naccess_key = \"\"\nsecret_key = \"\"\nanonymous = true\n";
        let all = imported(rc);
        let alias = all[0].1.clone().expect("an alias");
        let open = all[1].1.clone().expect("an alias without keys");
        let text = export(&[&alias, &open], true);
        assert_eq!(imported(&text), all);
        let bare = export(&[&alias], false);
        assert!(!bare.contains("SK") && !bare.contains("AK") && bare.contains("http://h:9"), "{}", *bare);
    }

    #[test]
    fn a_text_that_is_neither_is_refused_without_being_repeated() {
        let long = "#".repeat(usize::try_from(CONFIG_BYTES_MAX).expect("fits") + 1);
        for bad in [r#"{"secretKey":"canary"}"#, r#"{"version":"9"}"#, "{canary", "a = canary", &long] {
            let error = import(Path::new("f"), bad).expect_err("refused");
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
    }
}
