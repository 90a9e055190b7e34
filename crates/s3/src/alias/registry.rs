//! Every alias there is, and which one a name means.

use super::{Alias, Named, Stored};
use crate::error::{ErrorKind, S3Error};

/// Where an alias comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The variable of that name.
    Environment(String),
    /// The user's configuration file.
    File,
    /// Always there.
    BuiltIn,
}

impl Origin {
    /// The word for JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Environment(_) => "environment",
            Self::File => "file",
            Self::BuiltIn => "built-in",
        }
    }
}

/// One alias, usable or not.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// True when another one of that name is meant.
    pub shadowed: bool,
    /// The alias, or why it cannot be used.
    pub alias: Result<Alias, S3Error>,
}

/// All of them, strongest first: variables, the file, the built-in one.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    entries: Vec<Entry>,
}

impl Registry {
    /// Puts them together. A variable that is wrong still shadows: another store than the one that was meant must not
    /// answer in its place.
    pub fn new(variables: Vec<Named>, stored: Stored, built_in: Alias) -> Self {
        let variables = variables.into_iter().map(|n| (n.name, Origin::Environment(n.variable), n.alias));
        let file = stored.aliases.into_iter().map(|(name, alias)| (name, Origin::File, alias));
        let built_in = (built_in.name.clone(), Origin::BuiltIn, Ok(built_in));
        let mut entries: Vec<Entry> = Vec::new();
        for (name, origin, alias) in variables.chain(file).chain([built_in]) {
            let shadowed = entries.iter().any(|entry| entry.name == name);
            entries.push(Entry { name, origin, shadowed, alias });
        }
        Self { entries }
    }

    /// All of them.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The names that mean something, each once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|entry| !entry.shadowed).map(|entry| entry.name.as_str())
    }

    /// The entry that a name means.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The alias that a name means.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], with the name that was probably meant; [`ErrorKind::Usage`] and the exact reason when
    /// there is one that cannot be used.
    pub fn find(&self, name: &str) -> Result<&Alias, S3Error> {
        let Some(entry) = self.entry(name) else { return Err(self.not_found(name)) };
        entry.alias.as_ref().map_err(|error| {
            let place = match &entry.origin {
                Origin::Environment(variable) => format!("the variable {variable}"),
                Origin::File | Origin::BuiltIn => format!("the alias `{name}`"),
            };
            S3Error::Refused {
                kind: ErrorKind::Usage,
                code: "alias_broken",
                message: format!("{place} cannot be used: {error}"),
                suggestion: error.suggestion().map(str::to_owned),
            }
        })
    }

    /// That there is no such alias.
    pub fn not_found(&self, name: &str) -> S3Error {
        let shown: String = name.chars().take(80).collect();
        let near = self.names().map(|known| (strsim::normalized_damerau_levenshtein(name, known), known));
        let next = match near.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score > 0.5) {
            Some((_, known)) => format!("did you mean `{known}`? see `hallpass alias list`"),
            None => "see `hallpass alias list`, or make it with `hallpass alias set`".to_owned(),
        };
        S3Error::refused(ErrorKind::NotFound, "alias_not_found", format!("there is no alias `{shown}`"), next)
    }
}

#[cfg(test)]
mod tests {
    use super::{Origin, Registry};
    use crate::alias::{Addressing, Alias, CredentialsSource, Stored, parse_variable};
    use crate::error::ErrorKind;

    fn alias(name: &str, endpoint: &str) -> Alias {
        Alias {
            name: name.to_owned(),
            endpoint: endpoint.to_owned(),
            region: "r".to_owned(),
            addressing: Addressing::Auto,
            credentials: CredentialsSource::Anonymous,
        }
    }

    fn registry(variables: &[(&str, &str)], stored: &[&str]) -> Registry {
        let variables = parse_variable(variables.iter().map(|(n, v)| ((*n).into(), (*v).into())));
        let aliases = stored.iter().map(|name| ((*name).to_owned(), Ok(alias(name, "http://file")))).collect();
        let stored = Stored { aliases, ..Stored::default() };
        Registry::new(variables, stored, alias("aws", "https://s3.amazonaws.com"))
    }

    #[test]
    fn a_variable_shadows_the_file_and_the_list_says_so() {
        let all = registry(&[("MC_HOST_m", "http://mc"), ("HALLPASS_HOST_m", "http://own")], &["m", "n"]);
        assert_eq!(all.find("m").expect("found").endpoint, "http://own");
        let seen: Vec<_> = all.entries().iter().map(|e| (e.name.as_str(), e.origin.as_str(), e.shadowed)).collect();
        assert_eq!(
            seen,
            [
                ("m", "environment", false),
                ("m", "environment", true),
                ("m", "file", true),
                ("n", "file", false),
                ("aws", "built-in", false)
            ]
        );
    }

    #[test]
    fn a_broken_variable_is_said_to_be_broken_and_nothing_stands_in_for_it() {
        let all = registry(&[("HALLPASS_HOST_m", "http://canary@h"), ("MC_HOST_aws", "http://h")], &["m"]);
        let error = all.find("m").expect_err("broken");
        assert_eq!((error.kind(), error.code()), (ErrorKind::Usage, "alias_broken"));
        assert!(error.to_string().contains("HALLPASS_HOST_m") && !error.to_string().contains("canary"), "{error}");
        assert!(all.find("aws").expect_err("reserved").to_string().contains("reserved"));
        assert_eq!(all.entry("aws").expect("there").origin, Origin::Environment("MC_HOST_aws".to_owned()));
    }

    #[test]
    fn a_name_that_nobody_has_is_not_found_and_the_near_one_is_offered() {
        let error = registry(&[], &["minio"]).find("mino").expect_err("none");
        assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, "alias_not_found"));
        assert!(error.suggestion().expect("a step").contains("`minio`"));
    }
}
