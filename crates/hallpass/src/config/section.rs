//! Reads one table of a TOML file, key by key. What nobody asked for is an error; so every key that a concern reads
//! is also a key that the file may have, and no list of names can drift away from the code.

use std::collections::BTreeMap;
use std::str::FromStr;

use hallpass_core::limits::PROFILE_NAME_BYTES_MAX;
use hallpass_core::policy::{SyntaxError, parse_actions, parse_resource};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::duration::Ttl;
use super::file::Source;
use super::origin::{Located, Origin};
use super::problem::{Problem, nearest};

/// One table while it is read.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    source: &'a Source,
    path: String,
    table: &'a DeTable<'a>,
    asked: Vec<&'static str>,
    problems: Vec<Problem>,
}

impl<'a> Section<'a> {
    /// Begins to read `table`; `path` is its name in messages, empty for the file's own table.
    pub(crate) fn new(source: &'a Source, path: impl Into<String>, table: &'a DeTable<'a>) -> Self {
        Self { source, path: path.into(), table, asked: Vec::new(), problems: Vec::new() }
    }

    /// A text that must not be empty.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<Located<String>> {
        let value = self.value(key)?;
        match value.get_ref().as_str() {
            Some("") => self.bad(value, key, "must not be empty; leave the key out instead"),
            Some(text) => Some(self.located(value, text.to_owned())),
            None => self.wrong_type(value, key, "a string"),
        }
    }

    /// A text in a syntax of its own.
    pub(crate) fn parsed<T>(&mut self, key: &'static str) -> Option<Located<T>>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        let value = self.value(key)?;
        let Some(text) = value.get_ref().as_str() else { return self.wrong_type(value, key, "a string") };
        match text.parse() {
            Ok(parsed) => Some(self.located(value, parsed)),
            Err(error) => self.bad(value, key, error),
        }
    }

    /// A session's life: a duration text, or whole seconds.
    pub(crate) fn ttl(&mut self, key: &'static str) -> Option<Located<Ttl>> {
        let value = self.value(key)?;
        let text = match value.get_ref() {
            DeValue::String(text) => text.as_ref(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            _ => return self.wrong_type(value, key, "a duration such as \"15m\""),
        };
        match text.parse() {
            Ok(ttl) => Some(self.located(value, ttl)),
            Err(error) => self.bad(value, key, error),
        }
    }

    /// A number, or a text with a unit, in a syntax of its own.
    pub(crate) fn amount<T, E: std::fmt::Display>(
        &mut self,
        key: &'static str,
        wanted: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Located<T>> {
        let value = self.value(key)?;
        let text = match value.get_ref() {
            DeValue::String(text) => text.as_ref(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            _ => return self.wrong_type(value, key, wanted),
        };
        match parse(text) {
            Ok(parsed) => Some(self.located(value, parsed)),
            Err(error) => self.bad(value, key, error),
        }
    }

    /// True or false.
    pub(crate) fn flag(&mut self, key: &'static str) -> Option<Located<bool>> {
        let value = self.value(key)?;
        match value.get_ref().as_bool() {
            Some(flag) => Some(self.located(value, flag)),
            None => self.wrong_type(value, key, "true or false"),
        }
    }

    /// A whole number, 0 to `max`.
    pub(crate) fn count(&mut self, key: &'static str, max: u64) -> Option<Located<u64>> {
        let value = self.value(key)?;
        let Some(number) = value.get_ref().as_integer() else { return self.wrong_type(value, key, "a whole number") };
        match u64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) if number <= max => Some(self.located(value, number)),
            _ => self.bad(value, key, format!("must be a whole number from 0 to {max}")),
        }
    }

    /// A list of texts in a syntax of their own. An empty list is refused: "none" and "any" look the same in it.
    pub(crate) fn list<T>(&mut self, key: &'static str) -> Option<Located<Vec<T>>>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        let value = self.value(key)?;
        let Some(array) = value.get_ref().as_array() else {
            return self.wrong_type(value, key, "a list of strings");
        };
        let mut items = Vec::new();
        for item in array.iter() {
            let Some(text) = item.get_ref().as_str() else { return self.wrong_type(item, key, "a list of strings") };
            match text.parse() {
                Ok(_) if text.is_empty() => return self.bad(item, key, "must not hold an empty string"),
                Ok(parsed) => items.push(parsed),
                Err(error) => return self.bad(item, key, error),
            }
        }
        if items.is_empty() {
            return self.bad(value, key, "must not be an empty list; leave the key out instead");
        }
        Some(self.located(value, items))
    }

    /// A list of action patterns, as on the command line.
    pub(crate) fn actions(&mut self, key: &'static str) -> Option<Located<Vec<String>>> {
        self.list::<Actions>(key).map(|list| list.map(|all| all.into_iter().map(|item| item.0).collect()))
    }

    /// A list of resource patterns, as on the command line.
    pub(crate) fn resources(&mut self, key: &'static str) -> Option<Located<Vec<String>>> {
        self.list::<Resource>(key).map(|list| list.map(|all| all.into_iter().map(|item| item.0).collect()))
    }

    /// Names with texts.
    pub(crate) fn map(&mut self, key: &'static str) -> Option<Located<BTreeMap<String, String>>> {
        let value = self.value(key)?;
        let Some(table) = value.get_ref().as_table() else {
            return self.wrong_type(value, key, "a table of strings");
        };
        let mut map = BTreeMap::new();
        for (name, item) in table.iter() {
            let Some(text) = item.get_ref().as_str() else { return self.wrong_type(item, key, "a table of strings") };
            map.insert(name.get_ref().to_string(), text.to_owned());
        }
        Some(self.located(value, map))
    }

    /// Where a key stands that somebody else reads.
    pub(crate) fn place_of(&mut self, key: &'static str) -> Option<Origin> {
        self.value(key).map(|value| self.source.origin(value.span().start))
    }

    /// A table inside this one, read by `read`.
    pub(crate) fn section<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let value = self.value(key)?;
        let Some(table) = value.get_ref().as_table() else { return self.wrong_type(value, key, "a table") };
        let mut inner = Section::new(self.source, self.name(key), table);
        let result = read(&mut inner);
        self.problems.extend(inner.finish());
        Some(result)
    }

    /// Every table inside the table `key`, whatever its name.
    pub(crate) fn named<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&mut Self) -> T,
    ) -> Option<BTreeMap<String, Located<T>>> {
        let value = self.value(key)?;
        let Some(table) = value.get_ref().as_table() else { return self.wrong_type(value, key, "a table of tables") };
        let mut all = BTreeMap::new();
        for (name, item) in table.iter() {
            let text = name.get_ref().to_string();
            if let Err(why) = check_name(&text) {
                let position = self.source.position(name.span().start);
                self.problems.push(Problem::at(position, "config.bad_value", format!("`{key}.{text}`: {why}")));
                continue;
            }
            let Some(inner_table) = item.get_ref().as_table() else {
                self.wrong_type::<()>(item, key, "a table of tables");
                continue;
            };
            let mut inner = Section::new(self.source, format!("{key}.{text}"), inner_table);
            let result = read(&mut inner);
            self.problems.extend(inner.finish());
            let origin = self.source.origin(name.span().start);
            all.insert(text, Located { value: result, origin });
        }
        Some(all)
    }

    /// Adds a problem that the caller found.
    pub(crate) fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Every problem, unknown keys included.
    pub(crate) fn finish(mut self) -> Vec<Problem> {
        for (key, _) in self.table.iter() {
            let written = key.get_ref().as_ref();
            if self.asked.contains(&written) {
                continue;
            }
            let place = if self.path.is_empty() { "the file".to_owned() } else { format!("[{}]", self.path) };
            let shown: String = written.chars().take(60).collect();
            let mut problem = Problem::at(
                self.source.position(key.span().start),
                "config.unknown_key",
                format!("unknown key `{shown}` in {place}"),
            );
            let mut known = self.asked.clone();
            known.sort_unstable();
            problem = match nearest(written, self.asked.iter().copied()) {
                Some(name) => {
                    problem.message.push_str(&format!("; did you mean `{name}`?"));
                    problem.next(format!("write `{name}`, or remove the key"))
                }
                None => problem.next(format!("remove it; known here: {}", known.join(", "))),
            };
            self.problems.push(problem);
        }
        self.problems
    }

    fn value(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.push(key);
        self.table.get(key)
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn located<T>(&self, at: &Spanned<DeValue<'_>>, value: T) -> Located<T> {
        Located { value, origin: self.source.origin(at.span().start) }
    }

    fn wrong_type<T>(&mut self, at: &Spanned<DeValue<'_>>, key: &str, wanted: &str) -> Option<T> {
        let found = at.get_ref().type_str();
        let message = format!("`{}` must be {wanted}, not {found}", self.name(key));
        self.problems.push(Problem::at(self.source.position(at.span().start), "config.wrong_type", message));
        None
    }

    fn bad<T>(&mut self, at: &Spanned<DeValue<'_>>, key: &str, why: impl std::fmt::Display) -> Option<T> {
        let message = format!("`{}`: {why}", self.name(key));
        self.problems.push(Problem::at(self.source.position(at.span().start), "config.bad_value", message));
        None
    }
}

/// Text that is an action list; what it stands for is worked out where it is used.
struct Actions(String);

/// Text that is a resource pattern.
struct Resource(String);

impl FromStr for Actions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_actions(text).map(|_| Self(text.to_owned())).map_err(|error| in_one_line(&error))
    }
}

impl FromStr for Resource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_resource(text).map(|_| Self(text.to_owned())).map_err(|error| in_one_line(&error))
    }
}

/// A picture with a caret under the text does not fit into one line of a list of problems.
fn in_one_line(error: &SyntaxError) -> String {
    let shown: String = error.input().chars().take(60).collect();
    let at = error.position() + 1;
    let meant = error.suggestion().map(|text| format!("; did you mean `{text}`?")).unwrap_or_default();
    format!("`{shown}`, character {at}: expected {}{meant}", error.expected())
}

fn check_name(name: &str) -> Result<(), String> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if name.is_empty() || name.len() > PROFILE_NAME_BYTES_MAX || !name.bytes().all(legal) {
        return Err(format!("a name has 1 to {PROFILE_NAME_BYTES_MAX} letters, digits, `-` or `_`"));
    }
    Ok(())
}
