//! ARNs from the names and identifiers that requests carry. Text outside a service's own alphabet stays unknown,
//! so that nothing a child sends is ever read as a pattern.
//! Source: Service Authorization Reference, "Resource types" of each service.

use super::super::{Partition, Request};
use crate::policy::Resource;

/// Where names are to be understood.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) partition: Partition,
    /// The region of the resources: a global service's are in its home region.
    pub(super) region: &'a str,
}

/// How a parameter names a resource.
pub(super) type Naming = fn(&Scope<'_>, &str) -> Resource;

impl Scope<'_> {
    /// `rest` in this region and account. Without an account, the pattern over all accounts.
    pub(super) fn local(&self, service: &str, rest: &str) -> Resource {
        self.build(service, self.request.region, self.request.caller.account, rest)
    }

    fn build(&self, service: &str, region: &str, account: Option<&str>, rest: &str) -> Resource {
        let arn = |account: &str| format!("arn:{}:{service}:{region}:{account}:{rest}", self.partition.as_str());
        match account {
            Some(account) => Resource::Exact(arn(account)),
            None => Resource::Pattern(arn("*")),
        }
    }

    /// Widens to a pattern, for names that the service completes itself.
    pub(super) fn pattern(&self, service: &str, region: &str, rest: &str) -> Resource {
        match self.build(service, region, self.request.caller.account, rest) {
            Resource::Exact(arn) => Resource::Pattern(arn),
            other => other,
        }
    }
}

/// An ARN of this service whose last part begins with `kind`.
fn given_arn(scope: &Scope<'_>, service: &str, kind: &str, text: &str) -> Option<Resource> {
    let mut parts = text.splitn(6, ':');
    let (arn, partition, named) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let legal = arn == "arn"
        && partition == scope.partition.as_str()
        && named == service
        && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && is_account(account)
        && rest.strip_prefix(kind).is_some_and(|name| plain(name, b"/_+=.@:-,"));
    legal.then(|| Resource::Exact(text.to_owned()))
}

pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Letters, digits and some more; never empty, never `*` or `?`.
pub(super) fn plain(text: &str, more: &[u8]) -> bool {
    !text.is_empty() && text.len() <= 2_048 && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
}

/// A role's ARN.
pub(super) fn role_arn(scope: &Scope<'_>, text: &str) -> Resource {
    given_arn(scope, "iam", "role/", text).unwrap_or(Resource::Opaque)
}

/// A topic's ARN.
pub(super) fn topic(scope: &Scope<'_>, text: &str) -> Resource {
    given_arn(scope, "sns", "", text).filter(|_| text.split(':').count() == 6).unwrap_or(Resource::Opaque)
}

/// A new topic's name.
pub(super) fn topic_name(scope: &Scope<'_>, text: &str) -> Resource {
    if plain(text, b"_-.") { scope.local("sns", text) } else { Resource::Opaque }
}

/// A queue's URL: `https://<any host>/<account>/<name>`. SQS reads account and name, and answers for its own region.
pub(super) fn queue_url(scope: &Scope<'_>, text: &str) -> Resource {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let parts: Vec<&str> = rest.split('/').collect();
    match parts.as_slice() {
        [_, account, name] if is_account(account) && plain(name, b"_-.") => {
            scope.build("sqs", scope.request.region, Some(account), name)
        }
        _ => Resource::Opaque,
    }
}

/// A queue's name in the caller's own account.
pub(super) fn queue_name(scope: &Scope<'_>, text: &str) -> Resource {
    if plain(text, b"_-.") { scope.local("sqs", text) } else { Resource::Opaque }
}

/// A role by its name; its path is not in the request.
pub(super) fn role_name(scope: &Scope<'_>, text: &str) -> Resource {
    entity(scope, "role", text)
}

/// A user by its name; its path is not in the request.
pub(super) fn user_name(scope: &Scope<'_>, text: &str) -> Resource {
    entity(scope, "user", text)
}

fn entity(scope: &Scope<'_>, kind: &str, name: &str) -> Resource {
    if plain(name, b"_+=,.@-") { scope.pattern("iam", "", &format!("{kind}/*{name}")) } else { Resource::Opaque }
}

/// A new role or user, which is given its path.
pub(super) fn new_entity(scope: &Scope<'_>, kind: &str, path: Option<&str>, name: &str) -> Resource {
    let path = path.unwrap_or("/");
    let legal = path.starts_with('/') && path.ends_with('/') && plain(path, b"/_+=,.@-") && plain(name, b"_+=,.@-");
    if !legal {
        return Resource::Opaque;
    }
    scope.build("iam", "", scope.request.caller.account, &format!("{kind}{path}{name}"))
}

/// A function's version or alias, which AWS checks in place of the function (Lambda developer guide, "Resources").
pub(super) fn qualified(function: &Resource, qualifier: &str) -> Resource {
    let legal = qualifier == "$LATEST" || plain(qualifier, b"_-");
    match function {
        Resource::Exact(arn) if arn == "*" => Resource::Exact("*".to_owned()),
        Resource::Exact(arn) if legal && arn.split(':').count() == 7 && arn.contains(":function:") => {
            Resource::Exact(format!("{arn}:{qualifier}"))
        }
        _ => Resource::Opaque,
    }
}

/// `name:version` or `name:alias`, as a function may be named beside its name and its ARN.
pub(super) fn function_version(scope: &Scope<'_>, text: &str) -> Option<Resource> {
    let (name, qualifier) = text.split_once(':')?;
    let legal = plain(name, b"_-") && (qualifier == "$LATEST" || plain(qualifier, b"_-"));
    legal.then(|| scope.local("lambda", &format!("function:{name}:{qualifier}")))
}

/// A table's name or ARN.
pub(super) fn table(scope: &Scope<'_>, text: &str) -> Resource {
    if plain(text, b"_-.") {
        return scope.local("dynamodb", &format!("table/{text}"));
    }
    let table_only = |_: &Resource| text.matches('/').count() == 1;
    given_arn(scope, "dynamodb", "table/", text).filter(table_only).unwrap_or(Resource::Opaque)
}

/// A stream's name.
pub(super) fn stream_name(scope: &Scope<'_>, text: &str) -> Resource {
    if plain(text, b"_-.") { scope.local("kinesis", &format!("stream/{text}")) } else { Resource::Opaque }
}

/// A secret's name or ARN. Secrets Manager appends a hyphen and six characters to the name; an ARN without them
/// is a partial one, and stands for whatever completes it.
pub(super) fn secret(scope: &Scope<'_>, text: &str) -> Resource {
    if plain(text, b"/_+=.@-") {
        return scope.pattern("secretsmanager", scope.request.region, &format!("secret:{text}-??????"));
    }
    match given_arn(scope, "secretsmanager", "secret:", text) {
        Some(Resource::Exact(arn)) if has_secret_suffix(&arn) => Resource::Exact(arn),
        Some(Resource::Exact(arn)) => Resource::Pattern(format!("{arn}-??????")),
        _ => Resource::Opaque,
    }
}

fn has_secret_suffix(arn: &str) -> bool {
    arn.rsplit_once('-').is_some_and(|(_, end)| end.len() == 6 && end.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// A key's id or ARN. An alias stands for a key that only KMS knows.
pub(super) fn key(scope: &Scope<'_>, text: &str) -> Resource {
    if let Some(found) = given_arn(scope, "kms", "key/", text) {
        return found;
    }
    let is_id = plain(text, b"-") && (text.len() == 36 || text.starts_with("mrk-"));
    if is_id { scope.local("kms", &format!("key/{text}")) } else { Resource::Opaque }
}

/// A parameter's name, with or without `:version` or `:label`, or its ARN.
pub(super) fn parameter(scope: &Scope<'_>, text: &str) -> Resource {
    if let Some(Resource::Exact(arn)) = given_arn(scope, "ssm", "parameter/", text) {
        let bare = arn.splitn(7, ':').take(6).collect::<Vec<_>>().join(":");
        return Resource::Exact(bare);
    }
    let name = text.split(':').next().unwrap_or_default();
    let bare = name.strip_prefix('/').unwrap_or(name);
    if !plain(bare, b"/_.-") || name.contains("//") || text.matches(':').count() > 1 {
        return Resource::Opaque;
    }
    scope.local("ssm", &format!("parameter/{bare}"))
}
