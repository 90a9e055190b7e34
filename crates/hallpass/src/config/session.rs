//! `[session]`: what `run` takes when the command line does not say.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use hallpass_core::delivery::Delivery;
use hallpass_core::limits::{TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_MAX};

use super::Entry;
use super::duration::Ttl;
use super::origin::{Located, Origin};
use super::problem::Problem;
use super::section::Section;
use crate::environment;

/// Life of a session when nobody says, seconds: the least that STS grants, so that a role session fits exactly.
pub(crate) const TTL_S_DEFAULT: u64 = 900;

/// What happens to the child when its session's time is over. The gate refuses in both cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum OnExpiry {
    /// End the child's processes: TERM, a grace, KILL
    #[default]
    Terminate,
    /// Let the child run on; every request is refused
    Refuse,
}

impl OnExpiry {
    /// The name in files and on the command line.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Terminate => "terminate",
            Self::Refuse => "refuse",
        }
    }
}

impl fmt::Display for OnExpiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OnExpiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "terminate" => Ok(Self::Terminate),
            "refuse" => Ok(Self::Refuse),
            other => Err(format!("`{other}` is not a way to end (terminate, refuse)")),
        }
    }
}

/// The section as one file, or all layers together, have it. `None`: nobody said.
#[derive(Debug, Clone, Default)]
pub(crate) struct SessionConfig {
    /// Life.
    pub(crate) ttl: Option<Located<Ttl>>,
    /// Region of the child.
    pub(crate) region: Option<Located<String>>,
    /// Role to borrow.
    pub(crate) role: Option<Located<String>>,
    /// How it is handed over.
    pub(crate) delivery: Option<Located<Delivery>>,
    /// What happens at expiry.
    pub(crate) on_expiry: Option<Located<OnExpiry>>,
    /// Refuse to start when the self-check finds a leak.
    pub(crate) strict: Option<Located<bool>>,
    /// Labels.
    pub(crate) tags: Option<Located<BTreeMap<String, String>>>,
}

impl SessionConfig {
    /// Reads the section.
    pub(crate) fn read(section: &mut Section<'_>) -> Self {
        let config = Self {
            ttl: section.ttl("ttl"),
            region: section.text("region"),
            role: section.text("role"),
            delivery: section.parsed("delivery"),
            on_expiry: section.parsed("on_expiry"),
            strict: section.flag("strict"),
            tags: section.map("tags"),
        };
        if let Some(tags) = &config.tags
            && let Err(why) = check_tags(&tags.value)
        {
            section.problem(Problem::of(&tags.origin, "config.bad_value", format!("`session.tags`: {why}")));
        }
        config
    }

    /// Reads the variables.
    pub(crate) fn from_environment(variable: &dyn Fn(&str) -> Option<String>, problems: &mut Vec<Problem>) -> Self {
        let mut read = Variables { variable, problems };
        Self {
            ttl: read.parsed(environment::HALLPASS_TTL),
            region: read.parsed(environment::HALLPASS_REGION),
            role: read.parsed(environment::HALLPASS_ROLE),
            delivery: read.parsed(environment::HALLPASS_DELIVERY),
            ..Self::default()
        }
    }

    /// This layer, and `weaker` where it says nothing.
    pub(crate) fn over(self, weaker: Self) -> Self {
        Self {
            ttl: self.ttl.or(weaker.ttl),
            region: self.region.or(weaker.region),
            role: self.role.or(weaker.role),
            delivery: self.delivery.or(weaker.delivery),
            on_expiry: self.on_expiry.or(weaker.on_expiry),
            strict: self.strict.or(weaker.strict),
            tags: self.tags.or(weaker.tags),
        }
    }

    /// Finds what a project's layer may not say over `own`, the user's. Region only chooses where the child looks
    /// first, so it is free; tags can open doors (`aws:PrincipalTag`), so they are not.
    pub(crate) fn check_project(&self, own: &Self, allowed_roles: &[String], problems: &mut Vec<Problem>) {
        if let Some(ttl) = &self.ttl {
            super::narrow::ttl(ttl, own.ttl(), "session.ttl", problems);
        }
        if let Some(role) = &self.role {
            super::narrow::role(role, own.role(), allowed_roles, "session.role", problems);
        }
        if let Some(delivery) = &self.delivery
            && delivery.value.exposes_real_credential()
        {
            let asked = delivery.value.as_str();
            problems.push(super::narrow::widens(&delivery.origin, "session.delivery", asked, Delivery::Proxy.as_str()));
        }
        if let Some(on_expiry) = &self.on_expiry
            && on_expiry.value != OnExpiry::Terminate
        {
            let asked = on_expiry.value.as_str();
            problems.push(super::narrow::widens(&on_expiry.origin, "session.on_expiry", asked, "terminate"));
        }
        if let Some(strict) = &self.strict
            && !strict.value
        {
            problems.push(super::narrow::widens(&strict.origin, "session.strict", "false", "true"));
        }
        if let Some(tags) = &self.tags {
            problems.push(super::narrow::forbidden(&tags.origin, "session.tags"));
        }
    }

    /// Life of a session.
    pub(crate) fn ttl(&self) -> u64 {
        self.ttl.as_ref().map_or(TTL_S_DEFAULT, |ttl| ttl.value.seconds())
    }

    /// Role to borrow, if any.
    pub(crate) fn role(&self) -> Option<&str> {
        self.role.as_ref().map(|role| role.value.as_str())
    }

    /// Region of the child, if configured.
    pub(crate) fn region(&self) -> Option<&str> {
        self.region.as_ref().map(|region| region.value.as_str())
    }

    /// How it is handed over.
    pub(crate) fn delivery(&self) -> Delivery {
        self.delivery.as_ref().map_or(Delivery::default(), |delivery| delivery.value)
    }

    /// What happens at expiry.
    pub(crate) fn on_expiry(&self) -> OnExpiry {
        self.on_expiry.as_ref().map_or(OnExpiry::default(), |on_expiry| on_expiry.value)
    }

    /// Refuse to start when the self-check finds a leak.
    pub(crate) fn strict(&self) -> bool {
        self.strict.as_ref().is_some_and(|strict| strict.value)
    }

    /// Labels.
    pub(crate) fn tags(&self) -> BTreeMap<String, String> {
        self.tags.as_ref().map(|tags| tags.value.clone()).unwrap_or_default()
    }

    /// Every value, for `config show`.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let ttl = format!("{}s", self.ttl());
        vec![
            Entry::new("session.ttl", Some(ttl), self.ttl.as_ref().map(|v| &v.origin)),
            Entry::new("session.region", self.region().map(str::to_owned), self.region.as_ref().map(|v| &v.origin)),
            Entry::new("session.role", self.role().map(str::to_owned), self.role.as_ref().map(|v| &v.origin)),
            Entry::new(
                "session.delivery",
                Some(self.delivery().as_str().to_owned()),
                self.delivery.as_ref().map(|v| &v.origin),
            ),
            Entry::new(
                "session.on_expiry",
                Some(self.on_expiry().to_string()),
                self.on_expiry.as_ref().map(|v| &v.origin),
            ),
            Entry::new("session.strict", Some(self.strict().to_string()), self.strict.as_ref().map(|v| &v.origin)),
            Entry::new("session.tags", shown_tags(&self.tags()), self.tags.as_ref().map(|v| &v.origin)),
        ]
    }
}

fn shown_tags(tags: &BTreeMap<String, String>) -> Option<String> {
    let all: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// STS's rules for session tags (API reference, `Tag`).
///
/// # Errors
/// One sentence: which rule is broken.
pub(crate) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), String> {
    if tags.len() > TAGS_MAX {
        return Err(format!("a session may have {TAGS_MAX} tags, not {}", tags.len()));
    }
    for (key, value) in tags {
        let shown: String = key.chars().take(40).collect();
        if key.is_empty() || key.chars().count() > TAG_KEY_CHARS_MAX {
            return Err(format!("the key `{shown}` must have 1 to {TAG_KEY_CHARS_MAX} characters"));
        }
        if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            return Err(format!("the key `{shown}` begins with `aws:`, which AWS keeps for itself"));
        }
        if value.chars().count() > TAG_VALUE_CHARS_MAX {
            return Err(format!("the value of `{shown}` may have {TAG_VALUE_CHARS_MAX} characters"));
        }
        let legal = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@');
        if !key.chars().chain(value.chars()).all(legal) {
            return Err(format!("`{shown}` holds a character other than letters, digits, space and `_.:/=+-@`"));
        }
    }
    Ok(())
}

struct Variables<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    problems: &'a mut Vec<Problem>,
}

impl Variables<'_> {
    fn parsed<T: FromStr<Err: fmt::Display>>(&mut self, name: &'static str) -> Option<Located<T>> {
        let origin = Origin::Environment(name);
        match (self.variable)(name)?.parse() {
            Ok(value) => Some(Located { value, origin }),
            Err(error) => {
                self.problems.push(Problem::of(&origin, "environment.bad_value", error.to_string()));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use hallpass_core::limits::{TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_MAX};

    use super::check_tags;

    #[test]
    fn tags_beyond_what_sts_takes_are_refused() {
        let one = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        assert!(check_tags(&one("team", "data platform/eu-1")).is_ok());
        assert!(check_tags(&one(&"k".repeat(TAG_KEY_CHARS_MAX), &"v".repeat(TAG_VALUE_CHARS_MAX))).is_ok());
        assert!(check_tags(&one(&"k".repeat(TAG_KEY_CHARS_MAX + 1), "v")).is_err());
        assert!(check_tags(&one("k", &"v".repeat(TAG_VALUE_CHARS_MAX + 1))).is_err());
        assert!(check_tags(&one("", "v")).is_err());
        assert!(check_tags(&one("k", "a\nb")).is_err());
        let many: BTreeMap<_, _> = (0..=TAGS_MAX).map(|n| (format!("k{n}"), String::new())).collect();
        assert!(check_tags(&many).is_err());
    }
}
