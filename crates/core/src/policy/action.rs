//! Action patterns, `service:Action` with `*` and `?`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::glob::Glob;
use super::matcher::Part;
use super::parse::parse_action;
use super::syntax::SyntaxError;
use crate::provider::CloudProvider;

/// One action pattern, kept as the two parts that session files use. Compared without regard to case (IAM user
/// guide, "Action"); `PartialEq` and `Hash` compare the text as written.
///
/// Files of earlier tools also hold GCP permissions (`storage` + `objects.get`) and Azure operations
/// (`Microsoft.Storage` + `storageAccounts/read`): they are read and shown, and as AWS policy they match nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionPattern {
    /// IAM service prefix, `s3`.
    pub service: String,
    /// Action name or pattern, `GetObject`, `Get*`.
    pub action: String,
}

impl ActionPattern {
    /// Every action of every service; written `*`.
    pub fn all() -> Self {
        Self { service: "*".to_owned(), action: "*".to_owned() }
    }

    /// Reads `service:Action` or `*`.
    ///
    /// # Errors
    /// A [`SyntaxError`] that points at the character.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        parse_action(text)
    }

    /// True when it names exactly one action: no `*`, no `?`.
    pub fn is_literal(&self) -> bool {
        !has_wildcard(&self.service) && !has_wildcard(&self.action)
    }

    /// True for a pattern that [`Self::parse`] could have made. Any other matches nothing.
    pub fn is_well_formed(&self) -> bool {
        parse_action(&format!("{}:{}", self.service, self.action)).is_ok_and(|parsed| parsed == *self)
    }

    /// True when the IAM action `service:name` is one of those meant.
    pub fn matches(&self, service: &str, name: &str) -> bool {
        Part::of(&self.service).matches(service) && Part::of(&self.action).matches(name)
    }

    /// True when every action of `other` is one of ours.
    pub fn covers(&self, other: &Self) -> bool {
        let covers = |wide: &str, narrow: &str| match (has_wildcard(wide), has_wildcard(narrow)) {
            (false, false) => wide.eq_ignore_ascii_case(narrow),
            (false, true) => false,
            (true, _) => Glob::folded(wide).covers(&Glob::folded(narrow)),
        };
        covers(&self.service, &other.service) && covers(&self.action, &other.action)
    }

    /// True when some action is meant by both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let meets = |a: &str, b: &str| match has_wildcard(a) || has_wildcard(b) {
            false => a.eq_ignore_ascii_case(b),
            true => Glob::folded(a).intersects(&Glob::folded(b)),
        };
        meets(&self.service, &other.service) && meets(&self.action, &other.action)
    }

    /// As people of that cloud write it: `s3:GetObject`, `storage.objects.get`, `Microsoft.Storage/…/read`.
    pub fn shown(&self, provider: CloudProvider) -> String {
        match provider {
            CloudProvider::Gcp => format!("{}.{}", self.service, self.action),
            CloudProvider::Azure => format!("{}/{}", self.service, self.action),
            CloudProvider::Aws | CloudProvider::Kubernetes | CloudProvider::S3 => self.to_string(),
        }
    }

    /// In lower case, the form in which two spellings of one pattern are equal.
    pub(crate) fn folded(&self) -> Self {
        Self { service: self.service.to_ascii_lowercase(), action: self.action.to_ascii_lowercase() }
    }

    pub(crate) fn service_has_wildcard(&self) -> bool {
        has_wildcard(&self.service)
    }
}

/// True when some action is meant by both patterns. A deny that overlaps an allow takes its part out of it.
pub fn overlaps(a: &ActionPattern, b: &ActionPattern) -> bool {
    a.overlaps(b)
}

impl fmt::Display for ActionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.service == "*" && self.action == "*" {
            return f.write_str("*");
        }
        write!(f, "{}:{}", self.service, self.action)
    }
}

impl FromStr for ActionPattern {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use super::{ActionPattern, overlaps};
    use crate::provider::CloudProvider;

    fn pattern(text: &str) -> ActionPattern {
        ActionPattern::parse(text).expect("parses")
    }

    #[test]
    fn case_does_not_matter_and_wildcards_stand_anywhere() {
        for text in ["s3:GetObject", "S3:getobject", "s3:Get*", "s3:*Object", "s3:G?tObject", "*", "s?:*", "*:*Obj*"] {
            assert!(pattern(text).matches("s3", "GetObject"), "{text}");
        }
        for text in ["s3:GetObjects", "s3:Put*", "s4:GetObject", "s3:GetObject?", "s33:*", "s3:G??tObject"] {
            assert!(!pattern(text).matches("s3", "GetObject"), "{text}");
        }
    }

    #[test]
    fn a_wildcard_that_covers_a_denied_action_overlaps_it() {
        for wide in ["iam:*", "iam:Create*", "*", "*:?*", "iam:?reateUser", "IAM:createuser"] {
            assert!(overlaps(&pattern(wide), &pattern("iam:CreateUser")), "{wide}");
        }
        assert!(!overlaps(&pattern("iam:Get*"), &pattern("iam:CreateUser")));
        assert!(pattern("iam:*").covers(&pattern("IAM:Create*")));
        assert!(!pattern("iam:Create*").covers(&pattern("iam:*")));
    }

    #[test]
    fn patterns_of_other_clouds_are_read_and_shown_and_match_no_aws_action() {
        let gcp: ActionPattern =
            serde_json::from_str(r#"{"service":"storage","action":"objects.get"}"#).expect("reads");
        assert_eq!(gcp.shown(CloudProvider::Gcp), "storage.objects.get");
        assert!(!gcp.is_well_formed());
        let azure: ActionPattern =
            serde_json::from_str(r#"{"service":"Microsoft.Storage","action":"storageAccounts/read"}"#).expect("reads");
        assert_eq!(azure.shown(CloudProvider::Azure), "Microsoft.Storage/storageAccounts/read");
        assert_eq!(pattern("s3:GetObject").shown(CloudProvider::Aws), "s3:GetObject");
        assert_eq!(ActionPattern::all().to_string(), "*");
    }
}
