//! The policy room, seen from outside: a table of decisions, documents that must be refused, compilation, and
//! properties that hold for every policy.

mod canonical;
mod cases;
mod ceilings;
mod compile;
mod documents;
mod properties;
mod small_patterns;
mod table;

use hallpass_core::policy::{
    AccessRequest, Context, PolicyDocument, Resource, ScopedPolicy, parse_actions, parse_resource,
};

/// A policy in its short form; empty texts leave a part out.
fn short(allow: &str, resources: &[&str], deny: &str) -> ScopedPolicy {
    let actions = |text: &str| if text.is_empty() { Vec::new() } else { parse_actions(text).expect(text) };
    ScopedPolicy {
        actions: actions(allow),
        resources: resources.iter().map(|text| parse_resource(text).expect(text)).collect(),
        denied: actions(deny),
        ..ScopedPolicy::default()
    }
}

/// A policy of one document.
fn document(json: &str) -> ScopedPolicy {
    ScopedPolicy { documents: vec![PolicyDocument::parse(json).expect(json)], ..ScopedPolicy::default() }
}

fn access(action: &str, arn: &str) -> AccessRequest {
    AccessRequest { action: action.to_owned(), resource: Resource::Exact(arn.to_owned()) }
}

/// `allow`, or the code of the refusal.
fn answer(policy: &ScopedPolicy, access: &AccessRequest, context: &Context) -> &'static str {
    match policy.evaluate(access, context) {
        Ok(()) => "allow",
        Err(denial) => denial.code.as_str(),
    }
}
