//! What in a policy document is legal and yet hardly meant: parts that never match, and parts that are broader than
//! they look.

use serde::Serialize;

use super::action::ActionPattern;
use super::condition::{Condition, Operator, Set};
use super::document::{Effect, Place, PolicyDocument, Scope, Statement};
use super::resource::ResourcePattern;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// It has no effect, or not the one that its words suggest.
    Useless,
    /// It lets through more than its words suggest.
    Broad,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable code, `never-matches`.
    pub code: &'static str,
    /// How bad it is.
    pub weight: Weight,
    /// `Sid`, or `statement 2`; empty for the whole document.
    pub statement: String,
    /// Where.
    pub place: Place,
    /// One sentence: what is wrong, and what to write instead.
    pub message: String,
}

/// Condition keys, or their beginnings, that only AWS knows: no request carries them.
const UNKNOWABLE: [&str; 13] = [
    "aws:ResourceTag/",
    "ec2:ResourceTag/",
    "iam:ResourceTag/",
    "kms:ViaService",
    "s3:ExistingObjectTag/",
    "secretsmanager:ResourceTag/",
    "ssm:resourceTag/",
    "aws:SourceVpc",
    "aws:VpcSourceIp",
    "aws:MultiFactorAuth",
    "aws:ResourceOrg",
    "aws:ResourceAccount",
    "aws:PrincipalOrg",
];

/// S3 actions on buckets that are mistaken for actions on objects, and the other way round (service authorization
/// reference, "Actions, resources, and condition keys for Amazon S3").
const BUCKET_ACTIONS: [&str; 5] =
    ["ListBucket", "ListBucketVersions", "ListBucketMultipartUploads", "GetBucketLocation", "DeleteBucket"];
const OBJECT_ACTIONS: [&str; 10] = [
    "GetObject",
    "PutObject",
    "DeleteObject",
    "GetObjectVersion",
    "DeleteObjectVersion",
    "GetObjectTagging",
    "PutObjectTagging",
    "GetObjectAcl",
    "PutObjectAcl",
    "AbortMultipartUpload",
];

/// Services whose actions work on ARNs of their own service only.
const OWN_ARNS: [&str; 7] = ["s3", "dynamodb", "sqs", "sns", "kms", "secretsmanager", "iam"];

impl PolicyDocument {
    /// Everything suspicious, in the document's order. A document without findings may still be wrong; one with
    /// findings is still enforced as written.
    pub fn lint(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.allows_nothing() {
            let message = "there is no Allow, so a session under this document may do nothing".to_owned();
            findings.push(Finding {
                code: "allows-nothing",
                weight: Weight::Useless,
                statement: String::new(),
                place: Place::Path("Statement".to_owned()),
                message,
            });
        }
        for (n, statement) in self.statements().iter().enumerate() {
            let mut notes = Notes { statement, n, findings: &mut findings };
            notes.shadowed(self.statements());
            notes.breadth();
            notes.arns();
            notes.literal_variables();
            statement.conditions.iter().for_each(|condition| notes.condition(condition));
        }
        findings
    }
}

struct Notes<'a> {
    statement: &'a Statement,
    n: usize,
    findings: &'a mut Vec<Finding>,
}

impl Notes<'_> {
    fn add(&mut self, code: &'static str, weight: Weight, member: &str, message: String) {
        self.findings.push(Finding {
            code,
            weight,
            statement: self.statement.name(self.n + 1),
            place: Place::Path(format!("Statement[{}]{member}", self.n)),
            message,
        });
    }

    fn allows(&self) -> bool {
        self.statement.effect == Effect::Allow
    }

    /// Statements that another one makes useless, whatever the request.
    fn shadowed(&mut self, all: &[Statement]) {
        let covering = all.iter().enumerate().find(|(at, other)| {
            let useless = match (self.statement.effect, other.effect) {
                (Effect::Allow, Effect::Deny) => true,
                (Effect::Deny, Effect::Allow) => false,
                // Of two that say the same, the later is the one too many.
                (Effect::Allow, Effect::Allow) | (Effect::Deny, Effect::Deny) => *at != self.n,
            };
            let covers = useless && other.conditions.is_empty() && other.covers_scope(self.statement);
            let twins = covers
                && other.effect == self.statement.effect
                && *at > self.n
                && self.statement.conditions.is_empty()
                && self.statement.covers_scope(other);
            covers && !twins
        });
        let Some((at, other)) = covering else { return };
        let name = other.name(at + 1);
        if other.effect == self.statement.effect {
            self.add("redundant", Weight::Useless, "", format!("{name} already says all of this: leave one out"));
        } else {
            self.add("never-matches", Weight::Useless, "", format!("{name} denies all that this allows"));
        }
    }

    fn breadth(&mut self) {
        if !self.allows() {
            return;
        }
        let all_actions = matches!(&self.statement.actions, Scope::Only(p) if p.contains(&ActionPattern::all()));
        let all_resources =
            matches!(&self.statement.resources, Scope::Only(p) if p.iter().any(ResourcePattern::is_everything));
        if all_actions && all_resources && self.statement.conditions.is_empty() {
            let message = "this allows everything: name actions, or narrow it with `--allow` or another document";
            self.add("allows-everything", Weight::Broad, "", message.to_owned());
        }
        if matches!(self.statement.actions, Scope::AllBut(_)) {
            let message = "`NotAction` in an Allow allows every action of every other service, also those that AWS \
                           adds tomorrow: write a Deny with `Action`, or name what is allowed";
            self.add("not-action-in-allow", Weight::Broad, ".NotAction", message.to_owned());
        }
        if matches!(self.statement.resources, Scope::AllBut(_)) {
            let message = "`NotResource` in an Allow allows every other resource of every account: write a Deny with \
                           `Resource`, or name what is allowed";
            self.add("not-resource-in-allow", Weight::Broad, ".NotResource", message.to_owned());
        }
    }

    /// Actions and resources that never meet.
    fn arns(&mut self) {
        let (Scope::Only(actions), Scope::Only(resources)) = (&self.statement.actions, &self.statement.resources)
        else {
            return;
        };
        for (n, action) in actions.iter().enumerate() {
            let own = |service: &str| OWN_ARNS.iter().any(|known| known.eq_ignore_ascii_case(service));
            let elsewhere = |resource: &ResourcePattern| {
                resource.service().is_some_and(|service| own(service) && !service.eq_ignore_ascii_case(&action.service))
            };
            let member = if actions.len() == 1 { ".Action".to_owned() } else { format!(".Action[{n}]") };
            let first = resources.first().map(ResourcePattern::as_str).unwrap_or_default();
            if own(&action.service) && resources.iter().all(elsewhere) {
                let message = format!("`{action}` never works on `{first}`: that is an ARN of another service");
                self.add("never-matches", Weight::Useless, &member, message);
            } else if is_one_of(action, &OBJECT_ACTIONS) && resources.iter().all(names_a_bucket) {
                let message = format!("`{action}` works on objects, and `{first}` is a bucket: write `{first}/*`");
                self.add("never-matches", Weight::Useless, &member, message);
            } else if is_one_of(action, &BUCKET_ACTIONS) && resources.iter().all(names_objects) {
                let bucket = first.split('/').next().unwrap_or_default();
                let message = format!("`{action}` works on the bucket, and `{first}` names objects: write `{bucket}`");
                self.add("never-matches", Weight::Useless, &member, message);
            }
        }
    }

    /// `${…}` in a document of the version that has no variables.
    fn literal_variables(&mut self) {
        let resources = self.statement.resources.items().iter().map(ResourcePattern::as_str);
        let values = self.statement.conditions.iter().flat_map(|c| &c.values).map(String::as_str);
        if resources.chain(values).any(|text| text.contains("${$}{")) {
            let message = "`${` is plain text here: only `\"Version\": \"2012-10-17\"` has policy variables";
            self.add("literal-variable", Weight::Useless, "", message.to_owned());
        }
    }

    fn condition(&mut self, condition: &Condition) {
        let (operator, key) = (condition.operator, condition.key.as_str());
        let member = format!(".Condition.{operator}[{key:?}]");
        let wildcard = |value: &String| value.contains(['*', '?']) && !value.contains("${");
        if operator.takes_wildcards_literally() && condition.values.iter().any(wildcard) {
            let like = if operator.negated() { "StringNotLike" } else { "StringLike" };
            let message = format!("`{operator}` compares `*` and `?` as they stand: write `{like}` for wildcards");
            self.add("literal-wildcard", Weight::Useless, &member, message);
        }
        let unknowable = |known: &str| key.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known));
        if UNKNOWABLE.iter().any(|known| unknowable(known)) {
            let (weight, effect) = match self.statement.effect {
                Effect::Allow => (Weight::Useless, "this Allow never holds at the gate"),
                Effect::Deny => (Weight::Useless, "this Deny holds for every request that the rest matches"),
            };
            let message = format!("the gate cannot know `{key}`, which only AWS does, so {effect}");
            self.add("unknowable-key", weight, &member, message);
        } else if self.allows() && self.holds_without_its_key(condition) {
            let message = format!(
                "`{operator}` also holds when `{key}` is absent: add `\"Null\": {{\"{key}\": \"false\"}}` if it must be \
                 there"
            );
            self.add("holds-when-absent", Weight::Broad, &member, message);
        }
        if operator.set == Some(Set::Any) && operator.negated() {
            let plain = operator.to_string().replace("ForAnyValue", "ForAllValues");
            let message = format!(
                "`{operator}` holds as soon as one value differs: write `{plain}` when none of the values may match"
            );
            let weight = if self.allows() { Weight::Broad } else { Weight::Useless };
            self.add("negated-any", weight, &member, message);
        }
    }

    fn holds_without_its_key(&self, condition: &Condition) -> bool {
        let negated = |operator: Operator| operator.negated() && operator.set.is_none() && !operator.if_exists;
        let demanded = self
            .statement
            .conditions
            .iter()
            .any(|c| c.operator.null_test(&c.values) == Some(false) && c.key.eq_ignore_ascii_case(&condition.key));
        negated(condition.operator) && !demanded
    }
}

fn is_one_of(action: &ActionPattern, names: &[&str]) -> bool {
    action.service.eq_ignore_ascii_case("s3") && names.iter().any(|name| name.eq_ignore_ascii_case(&action.action))
}

/// `arn:aws:s3:::bucket`, of which no object is a part.
fn names_a_bucket(resource: &ResourcePattern) -> bool {
    s3_name(resource).is_some_and(|name| !name.contains(['/', '*', '?', '$', ':']))
}

/// `arn:aws:s3:::bucket/key`, which no bucket is.
fn names_objects(resource: &ResourcePattern) -> bool {
    s3_name(resource).is_some_and(|name| name.contains('/') && !name.contains(':'))
}

/// The last part of an ARN of the plain S3 form, without region and account.
fn s3_name(resource: &ResourcePattern) -> Option<&str> {
    let mut parts = resource.as_str().splitn(6, ':').skip(2);
    let (service, region, account) = (parts.next()?, parts.next()?, parts.next()?);
    (service == "s3" && region.is_empty() && account.is_empty()).then(|| parts.next()).flatten()
}

impl ResourcePattern {
    /// The service part of an ARN, which has no wildcard.
    pub(super) fn service(&self) -> Option<&str> {
        self.as_str().split(':').nth(2)
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::document::PolicyDocument;

    fn codes(statements: &str) -> Vec<(&'static str, String)> {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        let document = PolicyDocument::parse(&text).expect(statements);
        document.lint().into_iter().map(|finding| (finding.code, finding.place.to_string())).collect()
    }

    fn only(statements: &str) -> &'static str {
        match codes(statements).as_slice() {
            [(code, _)] => code,
            other => unreachable!("{statements}: {other:?}"),
        }
    }

    #[test]
    fn a_plain_policy_has_no_findings() {
        for statements in [
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}"#,
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:eu-west-1:123456789012:thing"}"#,
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:example:::thing"}"#,
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:example:eu-west-1::thing"}"#,
            r#"{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}"#,
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b*"}"#,
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:Delete*","Resource":"*"}"#,
            r#"{"Effect":"Deny","NotAction":"s3:*","NotResource":"*"},{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":
                {"StringNotLike":{"s3:prefix":"x*"},"Null":{"s3:prefix":"false"}}}"#,
        ] {
            assert_eq!(codes(statements), Vec::new(), "{statements}");
        }
    }

    #[test]
    fn what_never_matches_is_found() {
        for statements in [
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket"}"#,
            r#"{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::bucket/*"}"#,
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:dynamodb:*:*:table/t"}"#,
            r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b/*"},{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#,
        ] {
            assert_eq!(only(statements), "never-matches", "{statements}");
        }
    }

    #[test]
    fn each_trap_has_its_code() {
        let with = |condition: &str| {
            format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/*","Condition":{condition}}}"#)
        };
        for (statements, code) in [
            (r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#.to_owned(), "allows-nothing"),
            (r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#.to_owned(), "allows-everything"),
            (
                r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"arn:aws:s3:::b/*"}"#.to_owned(),
                "not-action-in-allow",
            ),
            (
                r#"{"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::b/*"}"#.to_owned(),
                "not-resource-in-allow",
            ),
            (with(r#"{"StringEquals":{"s3:prefix":"home/*"}}"#), "literal-wildcard"),
            (with(r#"{"StringEquals":{"aws:resourcetag/team":"x"}}"#), "unknowable-key"),
            (with(r#"{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}"#), "unknowable-key"),
            (with(r#"{"StringNotEquals":{"s3:prefix":"x"}}"#), "holds-when-absent"),
            (with(r#"{"ForAnyValue:StringNotEquals":{"aws:TagKeys":"x"}}"#), "negated-any"),
        ] {
            assert_eq!(only(&statements), code, "{statements}");
        }
        let old = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*"}}"#;
        let found = PolicyDocument::parse(old).expect("old").lint();
        assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), ["literal-variable"]);
    }

    #[test]
    fn a_finding_names_its_statement_its_place_and_the_statement_that_makes_it_useless() {
        let text = r#"{"Statement":[{"Effect":"Deny","Action":"ec2:*","Resource":"*"},
            {"Effect":"Deny","Action":"s3:*","Resource":"*"},
            {"Effect":"Allow","Action":"s3:Get*","Resource":"*"},
            {"Effect":"Allow","Action":["sqs:SendMessage","kms:Decrypt"],"Resource":"arn:aws:sqs:*:*:q"},
            {"Effect":"Allow","Action":"sns:Publish","Resource":"arn:aws:sqs:*:*:q"}]}"#;
        let found = PolicyDocument::parse(text).expect("a document").lint();
        let shown: Vec<(&str, String)> = found.iter().map(|f| (f.statement.as_str(), f.place.to_string())).collect();
        let place = |text: &str| format!("`Statement{text}`");
        assert_eq!(
            shown,
            [
                ("statement 3", place("[2]")),
                ("statement 4", place("[3].Action[1]")),
                ("statement 5", place("[4].Action"))
            ]
        );
        assert_eq!(found[0].message, "statement 2 denies all that this allows");
    }

    #[test]
    fn of_two_statements_that_say_the_same_one_is_redundant() {
        let one = r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}"#;
        assert_eq!(codes(&format!("{one},{one}")), [("redundant", "`Statement[1]`".to_owned())]);
        let wide = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
        assert_eq!(codes(&format!("{one},{wide}")), [("redundant", "`Statement[0]`".to_owned())]);
        // What mints credentials is allowed by its name only, so a wildcard does not make the name useless.
        let named = r#"{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}"#;
        let stars = r#"{"Effect":"Allow","Action":"sts:*","Resource":"*"}"#;
        assert_eq!(codes(&format!("{named},{stars}")), Vec::new());
    }
}
