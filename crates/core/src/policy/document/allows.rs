//! Allow statements as plain texts, for whoever makes or merges policies.

use serde_json::{Map, Value, json};

use super::read::VERSION;
use super::{DocumentError, Effect, PolicyDocument, Scope};
use crate::policy::action::ActionPattern;
use crate::policy::resource::ResourcePattern;

/// One Allow: each of the actions on each of the resources, where all terms hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// Action patterns.
    pub actions: Vec<String>,
    /// `*` and ARN patterns.
    pub resources: Vec<String>,
    /// Condition operator, key and values.
    pub terms: Vec<(String, String, Vec<String>)>,
}

impl PolicyDocument {
    /// A document of these statements, in their order; `None` when there are none.
    ///
    /// # Errors
    /// As [`Self::parse`], also past its limits.
    pub fn of(allows: &[Allow]) -> Result<Option<Self>, DocumentError> {
        if allows.is_empty() {
            return Ok(None);
        }
        let statements: Vec<Value> = allows.iter().map(Allow::to_json).collect();
        Self::parse(&json!({ "Version": VERSION, "Statement": statements }).to_string()).map(Some)
    }

    /// What [`Self::of`] would make this document of.
    ///
    /// # Errors
    /// The first statement that is no plain Allow, and what it is: a Deny, or one with `NotAction` or `NotResource`.
    pub fn to_allows(&self) -> Result<Vec<Allow>, (String, &'static str)> {
        let mut all = Vec::with_capacity(self.statements.len());
        for (n, statement) in self.statements.iter().enumerate() {
            let refused = |what| (statement.name(n + 1), what);
            if statement.effect == Effect::Deny {
                return Err(refused("denies"));
            }
            let Scope::Only(actions) = &statement.actions else { return Err(refused("has `NotAction`")) };
            let Scope::Only(resources) = &statement.resources else { return Err(refused("has `NotResource`")) };
            let term = |c: &super::Condition| (c.operator.to_string(), c.key.clone(), c.values.clone());
            all.push(Allow {
                actions: actions.iter().map(ToString::to_string).collect(),
                resources: resources.iter().map(|resource| resource.as_str().to_owned()).collect(),
                terms: statement.conditions.iter().map(term).collect(),
            });
        }
        Ok(all)
    }

    /// True when a statement can be written for this action and resource.
    pub(crate) fn can_name(action: &str, resource: &str) -> bool {
        ActionPattern::parse(action).is_ok() && ResourcePattern::parse(resource).is_ok()
    }
}

/// True when every resource that `narrow` means is meant by `wide`; false for what is neither `*` nor an ARN.
pub(crate) fn resource_covers(wide: &str, narrow: &str) -> bool {
    match (ResourcePattern::parse(wide), ResourcePattern::parse(narrow)) {
        (Ok(wide), Ok(narrow)) => wide.covers(&narrow),
        _ => false,
    }
}

impl Allow {
    fn to_json(&self) -> Value {
        let mut statement = Map::new();
        statement.insert("Effect".to_owned(), json!("Allow"));
        statement.insert("Action".to_owned(), json!(self.actions));
        statement.insert("Resource".to_owned(), json!(self.resources));
        if !self.terms.is_empty() {
            let mut block = Map::new();
            for (operator, key, values) in &self.terms {
                let keys = block.entry(operator.clone()).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(keys) = keys {
                    keys.insert(key.clone(), json!(values));
                }
            }
            statement.insert("Condition".to_owned(), Value::Object(block));
        }
        Value::Object(statement)
    }
}

#[cfg(test)]
mod tests {
    use super::{Allow, PolicyDocument};

    #[test]
    fn statements_come_back_as_they_were_given() {
        let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let allows = [
            Allow {
                actions: owned(&["s3:ListBucket"]),
                resources: owned(&["arn:aws:s3:::b"]),
                terms: vec![("StringEquals".into(), "s3:prefix".into(), owned(&["a/", "b/"]))],
            },
            Allow { actions: owned(&["ec2:*"]), resources: owned(&["*"]), terms: Vec::new() },
        ];
        let document = PolicyDocument::of(&allows).expect("reads").expect("some");
        assert_eq!(document.to_allows().as_deref(), Ok(allows.as_slice()));
        assert_eq!(PolicyDocument::of(&[]), Ok(None));
    }

    #[test]
    fn what_is_no_plain_allow_is_named() {
        for (statement, what) in [
            (r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#, "denies"),
            (r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#, "has `NotAction`"),
            (r#"{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::b"}"#, "has `NotResource`"),
        ] {
            let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
            let document = PolicyDocument::parse(&text).expect("reads");
            assert_eq!(document.to_allows(), Err(("statement 1".to_owned(), what)));
        }
    }
}
