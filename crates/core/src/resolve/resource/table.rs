//! Resources by the catalogue's rules: an ARN template, and the members of the input that fill its variables.
//! Exact where every variable is given, a pattern where one is not, unknown where the text is not a plain name.

use super::Given;
use super::arn::{Scope, is_account, plain};
use crate::denial::Denial;
use crate::policy::Resource;
use crate::resolve::catalog::{ActionRule, Member, Slot};

/// Every resource that the request names for an action; never empty.
pub(super) fn resources(scope: &Scope<'_>, rule: &ActionRule, given: Given<'_>) -> Result<Vec<Resource>, Denial> {
    let mut found = Gathered::default();
    for slot in &rule.slots {
        match slot {
            Slot::All => found.push(Resource::Exact("*".to_owned())),
            Slot::Unknown => found.push(Resource::Opaque),
            Slot::Arn { template, optional, paths, variables } => {
                let arn = Template { scope, template, optional: *optional, paths: *paths, variables };
                arn.gather(given, &mut found)?;
            }
        }
    }
    let unmet = found.given.iter().any(|text| !found.met.contains(text));
    if unmet || found.resources.is_empty() {
        found.push(Resource::Opaque);
    }
    Ok(found.resources)
}

#[derive(Default)]
struct Gathered {
    resources: Vec<Resource>,
    /// Texts that optional slots were given, and those of them that were one of their resources.
    given: Vec<String>,
    met: Vec<String>,
}

impl Gathered {
    fn push(&mut self, resource: Resource) {
        if !self.resources.contains(&resource) {
            self.resources.push(resource);
        }
    }
}

/// What names have beside letters and digits.
const NAME: &[u8] = b"_+=,.@-";

struct Template<'a> {
    scope: &'a Scope<'a>,
    template: &'static str,
    optional: bool,
    paths: bool,
    variables: &'a [Vec<Member>],
}

impl Template<'_> {
    fn gather(&self, given: Given<'_>, found: &mut Gathered) -> Result<(), Denial> {
        // What stands behind the last variable that a member gives is for the service to say.
        let count = self.variables.iter().rposition(|members| !members.is_empty()).map_or(0, |at| at + 1);
        let Some((last, before)) = self.variables.get(..count).and_then(<[_]>::split_last) else {
            found.push(self.filled(&[]));
            return Ok(());
        };
        let mut texts = Vec::new();
        for member in last {
            texts.extend(given.texts(member)?.into_iter().map(|text| (text, member.whole)));
        }
        if texts.is_empty() {
            if !self.optional {
                let values = self.parents(before, given)?;
                found.push(values.map_or(Resource::Opaque, |values| self.filled(&values)));
            }
            return Ok(());
        }
        if self.optional && !texts.iter().any(|(_, whole)| *whole) && self.lacks_a_parent(before, given)? {
            return Ok(());
        }
        for (text, whole) in texts {
            if self.optional {
                found.given.push(text.to_owned());
            }
            let resource = match self.as_arn(text) {
                Some(arn) => Some(arn),
                None if whole || text.starts_with("arn:") => None,
                None => self.parents(before, given)?.and_then(|values| self.named(values, text)),
            };
            match resource {
                Some(resource) => {
                    found.met.push(text.to_owned());
                    found.push(resource);
                }
                None if self.optional => {}
                None => found.push(Resource::Opaque),
            }
        }
        Ok(())
    }

    /// The resource of this name: a plain one, or one with the next variable behind a colon, as in `family:revision`.
    fn named<'g>(&self, mut values: Vec<Option<&'g str>>, text: &'g str) -> Option<Resource> {
        if self.is_name(text) {
            values.push(Some(text));
            return Some(self.filled(&values));
        }
        let (name, next) = text.split_once(':')?;
        let between = self.template.split("{}").nth(values.len() + 1)?;
        let both = between == ":" && self.variables.len() == values.len() + 2;
        if !both || !plain(name, NAME) || !plain(next, NAME) {
            return None;
        }
        values.extend([Some(name), Some(next)]);
        Some(self.filled(&values))
    }

    /// Whether a variable before the last could be given and is not: then another form of the name is meant.
    fn lacks_a_parent(&self, before: &[Vec<Member>], given: Given<'_>) -> Result<bool, Denial> {
        for members in before.iter().filter(|members| !members.is_empty()) {
            let mut any = false;
            for member in members {
                any |= !given.texts(member)?.is_empty();
            }
            if !any {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The variables before the last; `None` where one has a text that is not a plain name.
    fn parents<'g>(&self, before: &[Vec<Member>], given: Given<'g>) -> Result<Option<Vec<Option<&'g str>>>, Denial> {
        let mut values = Vec::with_capacity(before.len() + 1);
        for members in before {
            let mut texts = Vec::new();
            for member in members {
                texts.extend(given.texts(member)?);
            }
            values.push(match texts.as_slice() {
                [text] if plain(text, NAME) => Some(*text),
                [text] if self.is_own(text) => own_name(text),
                // Several parents: any of the caller's.
                texts if texts.iter().all(|text| self.is_own(text) || plain(text, NAME)) => None,
                _ => return Ok(None),
            });
        }
        Ok(Some(values))
    }

    /// An ARN in the partition, region and account that the template will be filled with.
    fn is_own(&self, text: &str) -> bool {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, region, account, _] = parts.as_slice() else { return false };
        *partition == self.scope.partition.as_str()
            && Some(*service) == self.template.split(':').nth(2)
            && *region == self.scope.region
            && Some(*account) == self.scope.request.caller.account
    }

    /// A path has slashes inside, and at its beginning where the template has none before it.
    fn is_name(&self, text: &str) -> bool {
        if !self.paths {
            return plain(text, NAME);
        }
        let joined = self.template.rsplit_once("{}").is_some_and(|(head, _)| head.ends_with('/'));
        let odd = text.contains("//") || text.ends_with('/') || (joined && text.starts_with('/'));
        !odd && plain(text, b"/_+=,.@-")
    }

    fn filled(&self, values: &[Option<&str>]) -> Resource {
        // A star in a template stands for what the request does not tell.
        let mut open =
            self.template.contains('*') || self.scope.request.caller.account.is_none() && self.template.contains("{A}");
        let head = self.template.replace("{P}", self.scope.partition.as_str()).replace("{R}", self.scope.region);
        let head = head.replace("{A}", self.scope.request.caller.account.unwrap_or("*"));
        let mut arn = String::with_capacity(head.len() + 32);
        for (at, part) in head.split("{}").enumerate() {
            if at > 0 {
                let value = values.get(at - 1).copied().flatten();
                open |= value.is_none();
                let value = value.unwrap_or(if arn.ends_with('*') { "" } else { "*" });
                arn.push_str(without_prefix(&arn, value));
            }
            arn.push_str(part);
        }
        if open { Resource::Pattern(arn) } else { Resource::Exact(arn) }
    }

    /// The text as it is, if it is an ARN of this template.
    fn as_arn(&self, text: &str) -> Option<Resource> {
        let mut parts = text.splitn(6, ':');
        let mut template = self.template.splitn(6, ':');
        if (parts.next()?, template.next()?) != ("arn", "arn") || !plain(text, b"/_+=,.@:-") {
            return None;
        }
        template.next()?;
        let partition = parts.next()? == self.scope.partition.as_str();
        let service = template.next()?;
        let same = parts.next()? == service;
        let (region, account) = (parts.next()?, parts.next()?);
        let region = match template.next()? {
            "{R}" => !region.is_empty() && region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
            fixed => region == fixed,
        };
        let account = match template.next()? {
            "{A}" => is_account(account) || service == "iam" && account == "aws",
            fixed => account == fixed,
        };
        let (form, rest) = (template.next()?, parts.next()?);
        if !(partition && same && region && account) {
            return None;
        }
        if fits(form, rest) {
            return Some(Resource::Exact(text.to_owned()));
        }
        // A log group's ARN is given with and without the end that is checked.
        form.strip_suffix(":*").is_some_and(|form| fits(form, rest)).then(|| Resource::Pattern(format!("{text}:*")))
    }
}

/// An id without its beginning, where the template has that already: `p-1` for `…/p-{}`.
fn without_prefix<'v>(arn: &str, value: &'v str) -> &'v str {
    let prefix = arn.rsplit(['/', ':']).next().filter(|prefix| prefix.ends_with('-')).unwrap_or_default();
    value.strip_prefix(prefix).filter(|rest| !rest.is_empty()).unwrap_or(value)
}

/// The name at the end of an ARN such as `…:cluster/name` or `…:function:name`.
fn own_name(arn: &str) -> Option<&str> {
    let (_, name) = arn.splitn(6, ':').last()?.split_once(['/', ':'])?;
    plain(name, NAME).then_some(name)
}

/// Whether a text has the form of a template. A variable in the middle ends at the template's next character; the
/// last one takes the rest.
fn fits(template: &str, text: &str) -> bool {
    let Some((head, rest)) = template.split_once("{}") else { return template == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    let Some(next) = rest.chars().next() else { return !text.is_empty() };
    match text.split_once(next) {
        Some((value, left)) => {
            let kept = text.len() - left.len() - next.len_utf8();
            !value.is_empty() && fits(rest, text.get(kept..).unwrap_or_default())
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{fits, resources};
    use crate::policy::Resource;
    use crate::resolve::catalog::{ActionRule, Catalog, Level, Member, Place, Slot};
    use crate::resolve::json::Json;
    use crate::resolve::resource::Given;
    use crate::resolve::resource::arn::Scope;
    use crate::resolve::{Caller, Partition, Request, Upstream};

    const WHOLE: bool = true;

    fn member(name: &'static str, whole: bool) -> Vec<Member> {
        vec![Member { place: Place::Body, name, list: name.ends_with('s'), whole, default: None }]
    }

    /// The resources that a body names for a template, as in the tests of whole requests.
    fn told(template: &'static str, optional: bool, variables: Vec<Vec<Member>>, body: &str) -> Vec<String> {
        let request = Request {
            method: "POST",
            path: "/",
            query: "",
            headers: &[],
            service: "x",
            region: "eu-west-1",
            catalog: Catalog { signing_as: |_| Vec::new(), named: |_| None, located: |_, _| None },
            caller: Caller { account: Some("123456789012"), ..Caller::default() },
            upstream: Upstream::Aws,
            at: None,
            allow_unmapped: &[],
            secure_transport: true,
            now: jiff::Timestamp::UNIX_EPOCH,
        };
        let scope = Scope { request: &request, partition: Partition::Aws, region: "eu-west-1" };
        let slots = vec![Slot::Arn { template, optional, paths: false, variables }];
        let rule = ActionRule { action: "Do", level: Level::Read, slots };
        let body = Json::parse(body.as_bytes()).expect("JSON");
        let found = resources(&scope, &rule, Given::Json(&body)).expect("resolved");
        let shown = |resource: Resource| match resource {
            Resource::Exact(arn) => arn,
            Resource::Pattern(arn) => format!("~{arn}"),
            Resource::Opaque => "?".to_owned(),
        };
        found.into_iter().map(shown).collect()
    }

    const CHILD: &str = "arn:{P}:x:{R}:{A}:a/{}/{}";
    const OWN: &str = "arn:aws:x:eu-west-1:123456789012:a";

    #[test]
    fn another_form_is_meant_where_a_parent_could_be_given_and_is_not() {
        let child = |whole, body| told(CHILD, true, vec![member("Parent", false), member("Child", whole)], body);
        assert_eq!(child(false, r#"{"Parent":"p","Child":"c"}"#), [format!("{OWN}/p/c")]);
        assert_eq!(child(false, r#"{"Child":"c"}"#), ["?"]);
        assert_eq!(child(WHOLE, &format!(r#"{{"Child":"{OWN}/p/c"}}"#)), [format!("{OWN}/p/c")]);
        let demanded = told(CHILD, false, vec![member("Parent", false), member("Child", false)], r#"{"Child":"c"}"#);
        assert_eq!(demanded, [format!("~{OWN}/*/c")]);
    }

    #[test]
    fn one_text_stands_for_two_variables_only_with_a_colon_between_them() {
        let both = |template, body| told(template, false, vec![member("Name", false), Vec::new()], body);
        assert_eq!(both("arn:{P}:x:{R}:{A}:a/{}:{}", r#"{"Name":"n:2"}"#), [format!("{OWN}/n:2")]);
        assert_eq!(both("arn:{P}:x:{R}:{A}:a/{}:{}", r#"{"Name":"n"}"#), [format!("~{OWN}/n:*")]);
        assert_eq!(both(CHILD, r#"{"Name":"n:2"}"#), ["?"]);
    }

    #[test]
    fn of_several_parents_any_may_be_meant() {
        let child = |parents: &str| {
            let body = format!(r#"{{"Parents":[{parents}],"Child":"c"}}"#);
            told(CHILD, false, vec![member("Parents", false), member("Child", false)], &body)
        };
        assert_eq!(child(r#""p""#), [format!("{OWN}/p/c")]);
        assert_eq!(child(&format!(r#""p","{OWN}/q""#)), [format!("~{OWN}/*/c")]);
        assert_eq!(child(r#""p","a b""#), ["?"]);
    }

    #[test]
    fn an_arn_without_an_account_is_taken_without_one() {
        let report = |arn: &str| {
            let body = format!(r#"{{"Report":"{arn}"}}"#);
            told("arn:{P}:x:{R}::report/{}", false, vec![member("Report", WHOLE)], &body)
        };
        assert_eq!(report("arn:aws:x:eu-west-1::report/r"), ["arn:aws:x:eu-west-1::report/r"]);
        assert_eq!(report("arn:aws:x:eu-west-1:123456789012:report/r"), ["?"]);
    }

    #[test]
    fn a_text_has_the_form_of_a_template_or_not() {
        for (template, text, expected) in [
            ("function:{}", "function:a", true),
            ("function:{}", "function:a:b", true),
            ("function:{}", "function:", false),
            ("function:{}", "layer:a", false),
            ("layer:{}:{}", "layer:a:1", true),
            ("layer:{}:{}", "layer:a", false),
            ("service/{}/{}", "service/a/b", true),
            ("service/{}/{}", "service//b", false),
            ("queue", "queue", true),
            ("queue", "queues", false),
        ] {
            assert_eq!(fits(template, text), expected, "{template} {text}");
        }
    }
}
