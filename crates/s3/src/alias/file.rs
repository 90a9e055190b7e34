//! The user's configuration file, as far as aliases go: `schema_version` and `[[aliases]]`. Everything else in it belongs
//! to others and stays as it is.
//!
//! A change is made under a lock, on a copy in memory, and put in place by a rename: whoever reads at any moment, or
//! after any crash, finds the old file or the new one.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hallpass_core::limits::{ALIASES_MAX, CONFIG_BYTES_MAX};
use rustix::fs::OFlags;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};
use zeroize::Zeroizing;

use super::{Alias, CredentialsSource, StaticCredentials, entry, lock, migrations};
use crate::error::{ErrorKind, S3Error};

/// The file; it need not exist.
#[derive(Debug, Clone)]
pub struct AliasFile {
    path: PathBuf,
}

/// An alias by its name, or why it cannot be used.
pub type StoredAlias = (String, Result<Alias, S3Error>);

/// What stands in the file.
#[derive(Debug, Default)]
pub struct Stored {
    /// Every alias by its name, in the file's order, readable or not.
    pub aliases: Vec<StoredAlias>,
    /// True when others than the owner may read the file.
    pub readable_by_others: bool,
}

/// A change while it is made.
#[derive(Debug)]
pub struct Change {
    document: DocumentMut,
}

impl AliasFile {
    /// The file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it. A file that is not there holds nothing.
    ///
    /// # Errors
    /// A file that cannot be read, belongs to somebody else, is no TOML, or is newer than we are. One alias that is
    /// wrong spoils only itself.
    pub fn load(&self) -> Result<Stored, S3Error> {
        let Some((text, mode)) = read(&self.path)? else { return Ok(Stored::default()) };
        let (document, _) = parse(&self.path, &text)?;
        let aliases = aliases(&document)?;
        Ok(Stored { readable_by_others: mode & 0o044 != 0 && !aliases.is_empty(), aliases })
    }

    /// Changes the file, and makes it (0600) where there is none. When `change` fails or changes nothing, nothing is
    /// written. A file of an older version is kept as `config.toml.v<version>.bak`.
    ///
    /// # Errors
    /// Those of `change` and of [`Self::load`], and what the system says.
    pub fn edit<T>(&self, change: impl FnOnce(&mut Change) -> Result<T, S3Error>) -> Result<T, S3Error> {
        // A link stays a link: what it points to is changed.
        let path = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|e| local(folder, &e))?;
        let _lock = lock::lock(&path)?;
        let before = read(&path)?.map(|(text, _)| text);
        let (document, version) = match &before {
            Some(text) => parse(&path, text)?,
            None => parse(&path, &format!("schema_version = {}\n", migrations::SCHEMA_VERSION))?,
        };
        // Refuses a file in which `aliases` is something else.
        aliases(&document)?;
        let migrated = document.to_string();
        let mut changed = Change { document };
        let answer = change(&mut changed)?;
        let after = Zeroizing::new(changed.document.to_string());
        if *after == migrated && before.is_some() {
            return Ok(answer);
        }
        if after.len() as u64 > CONFIG_BYTES_MAX {
            let why = format!("would be larger than {CONFIG_BYTES_MAX} bytes");
            return Err(S3Error::Local { path: path.display().to_string(), message: why, kind: ErrorKind::Usage });
        }
        if let Some(text) = before.filter(|_| version != migrations::SCHEMA_VERSION) {
            put(&beside(&path, &format!(".v{version}.bak")), folder, text.as_bytes())?;
        }
        put(&path, folder, after.as_bytes())?;
        Ok(answer)
    }
}

impl Change {
    /// The alias of that name, if it stands in the file.
    pub fn find(&self, name: &str) -> Option<Result<Alias, S3Error>> {
        let tables = self.document.get("aliases").and_then(Item::as_array_of_tables)?;
        tables.iter().find(|table| name_of(table) == Some(name)).map(entry::read)
    }

    /// Adds the alias, or changes the one of its name; true when there was one.
    ///
    /// # Errors
    /// An alias that is not legal, or too many of them.
    pub fn set(&mut self, alias: &Alias) -> Result<bool, S3Error> {
        alias.check()?;
        let tables = self.tables()?;
        if let Some(table) = tables.iter_mut().find(|table| name_of(table) == Some(&alias.name)) {
            entry::write(table, alias);
            return Ok(true);
        }
        if tables.len() >= ALIASES_MAX {
            return Err(S3Error::usage_with(
                format!("there are {ALIASES_MAX} aliases already"),
                "remove some with `hallpass alias remove`",
            ));
        }
        let mut table = entry::to_toml(alias);
        table.decor_mut().set_prefix("\n");
        tables.push(table);
        Ok(false)
    }

    /// Removes every alias of that name; true when there was one.
    ///
    /// # Errors
    /// None that [`AliasFile::edit`] has not found before.
    pub fn remove(&mut self, name: &str) -> Result<bool, S3Error> {
        let tables = self.tables()?;
        let before = tables.len();
        tables.retain(|table| name_of(table) != Some(name));
        Ok(tables.len() != before)
    }

    /// Removes the alias if its keys are still those that were refused: somebody may have renewed them meanwhile. True
    /// when it was removed.
    ///
    /// # Errors
    /// None that [`AliasFile::edit`] has not found before.
    pub fn remove_refused(&mut self, name: &str, refused: &StaticCredentials) -> Result<bool, S3Error> {
        let same = |keys: &StaticCredentials| {
            keys.access_key_id == refused.access_key_id
                && keys.secret_access_key == refused.secret_access_key
                && keys.session_token == refused.session_token
        };
        match self.find(name) {
            Some(Ok(Alias { credentials: CredentialsSource::Static(keys), .. })) if same(&keys) => self.remove(name),
            _ => Ok(false),
        }
    }

    /// Gives an alias another name; true when there was one. Nothing else of it is looked at.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when the new name is taken.
    pub fn rename(&mut self, from: &str, to: &str) -> Result<bool, S3Error> {
        let tables = self.tables()?;
        if from != to && tables.iter().any(|table| name_of(table) == Some(to)) {
            return Err(S3Error::refused(
                ErrorKind::Conflict,
                "alias_exists",
                format!("there is an alias `{to}` already"),
                format!("choose another name, or remove it first: `hallpass alias remove {to}`"),
            ));
        }
        let Some(table) = tables.iter_mut().find(|table| name_of(table) == Some(from)) else { return Ok(false) };
        if let Some(Item::Value(value)) = table.get_mut("name") {
            let decor = value.decor().clone();
            *value = to.into();
            *value.decor_mut() = decor;
        }
        Ok(true)
    }

    /// The tables; an array of inline tables becomes one of tables, which says the same.
    fn tables(&mut self) -> Result<&mut ArrayOfTables, S3Error> {
        let item = self.document.entry("aliases").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        item.as_array_of_tables_mut().ok_or_else(not_tables)
    }
}

pub(super) fn aliases(document: &DocumentMut) -> Result<Vec<StoredAlias>, S3Error> {
    let tables = match document.get("aliases") {
        None => return Ok(Vec::new()),
        Some(item) => item.as_array_of_tables().ok_or_else(not_tables)?,
    };
    if tables.len() > ALIASES_MAX {
        return Err(S3Error::usage_with(format!("there are more than {ALIASES_MAX} aliases"), "remove some"));
    }
    let named = |table: &Table, index: usize| name_of(table).map_or_else(|| format!("#{}", index + 1), str::to_owned);
    let mut all: Vec<_> =
        tables.iter().enumerate().map(|(index, table)| (named(table, index), entry::read(table))).collect();
    for index in 1..all.len() {
        let (before, rest) = all.split_at_mut(index);
        if let Some((name, second)) = rest.first_mut()
            && let Some((_, first)) = before.iter_mut().find(|(other, _)| other == name)
        {
            let why = S3Error::usage_with("stands twice in the file", "remove one of the two");
            (*first, *second) = (Err(why.clone()), Err(why));
        }
    }
    Ok(all)
}

fn name_of(table: &Table) -> Option<&str> {
    table.get("name").and_then(Item::as_str)
}

fn not_tables() -> S3Error {
    S3Error::usage_with("`aliases` in the configuration is no list of tables", "write each one as `[[aliases]]`")
}

/// The document in today's version, and the version that it had.
pub(super) fn parse(path: &Path, text: &str) -> Result<(DocumentMut, i64), S3Error> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        // The error's own text shows the line, which may hold a secret.
        let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let message = format!("line {line} is no TOML: {}", error.message());
        S3Error::Local { path: path.display().to_string(), message, kind: ErrorKind::Usage }
    })?;
    let version = migrations::migrate(&mut document)?;
    if document.get("aliases").is_some_and(|item| item.as_array_of_tables().is_none())
        && let Some(item) = document.remove("aliases")
    {
        let item = item.into_array_of_tables().map_or_else(|other| other, Item::ArrayOfTables);
        document.insert("aliases", item);
    }
    Ok((document, version))
}

/// The text and the mode, or nothing when there is no such file.
fn read(path: &Path) -> Result<Option<(Zeroizing<String>, u32)>, S3Error> {
    let refused =
        |message: String| Err(S3Error::Local { path: path.display().to_string(), message, kind: ErrorKind::Usage });
    // Without NONBLOCK, a pipe of that name would hold us up for ever.
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path);
    let file = match file {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(local(path, &error)),
    };
    let meta = file.metadata().map_err(|e| local(path, &e))?;
    if !meta.is_file() {
        return refused("is not a regular file".to_owned());
    }
    if meta.uid() != rustix::process::geteuid().as_raw() && meta.uid() != 0 {
        return refused("belongs to another user, so it is not obeyed".to_owned());
    }
    if meta.mode() & 0o002 != 0 {
        return refused("can be written by every user, so it is not obeyed".to_owned());
    }
    let mut text = Zeroizing::new(String::new());
    file.take(CONFIG_BYTES_MAX + 1).read_to_string(&mut text).map_err(|e| local(path, &e))?;
    if text.len() as u64 > CONFIG_BYTES_MAX {
        return refused(format!("is larger than {CONFIG_BYTES_MAX} bytes"));
    }
    Ok(Some((text, meta.mode())))
}

/// Replaces `path`. The temporary file has one name, which the lock protects: what a killed process left is overwritten
/// by the next change, and no secret lies around twice.
fn put(path: &Path, folder: &Path, bytes: &[u8]) -> Result<(), S3Error> {
    let temporary = beside(path, ".new");
    let written = || -> io::Result<()> {
        match std::fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        File::open(folder)?.sync_all()
    };
    written().map_err(|e| local(path, &e))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn local(path: &Path, error: &io::Error) -> S3Error {
    S3Error::Local { path: path.display().to_string(), message: error.to_string(), kind: ErrorKind::General }
}

#[cfg(test)]
mod tests;
