//! `cargo bench -p hallpass-core --bench policy`: what one decision costs, for policies as people write them and for
//! policies made to be slow. Rounds are interleaved and the best of each is taken, because the machine is never quite
//! idle.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use hallpass_core::policy::{
    AccessRequest, Context, PolicyDocument, PreparedPolicy, Resource, ScopedPolicy, parse_actions,
};
use serde_json::{Value, json};

const ROUNDS: usize = 60;
const DECISIONS: u32 = 200;

/// A policy, a request, and whether it is allowed: a bench of the wrong answer would say nothing.
struct Subject {
    name: &'static str,
    policy: PreparedPolicy<'static>,
    access: AccessRequest,
    context: Context,
    allowed: bool,
    best: Duration,
}

fn main() {
    let mut subjects = subjects();
    for subject in &subjects {
        assert_eq!(
            subject.policy.evaluate(&subject.access, &subject.context).is_ok(),
            subject.allowed,
            "{}",
            subject.name
        );
    }
    for _ in 0..ROUNDS {
        for subject in &mut subjects {
            let start = Instant::now();
            for _ in 0..DECISIONS {
                drop(black_box(subject.policy.evaluate(black_box(&subject.access), &subject.context)));
            }
            subject.best = subject.best.min(start.elapsed() / DECISIONS);
        }
    }
    for subject in &subjects {
        let verdict = if subject.allowed { "allowed" } else { "denied" };
        println!("{:>8} ns  {verdict:<7}  {}", subject.best.as_nanos(), subject.name);
    }
}

fn subjects() -> Vec<Subject> {
    let object = ("s3:GetObject", "arn:aws:s3:::data/path/to/key.txt");
    let put = ("s3:PutObject", object.1);
    let topic = ("sns:Publish", "arn:aws:sns:eu-west-1:111122223333:topic");
    let long = format!("arn:aws:s3:::data/{}", "a".repeat(1_000));
    let stars = format!("arn:aws:s3:::data/{}b", "*a".repeat(40));
    let sixteen: Vec<Value> = (0..16)
        .map(|n| json!({"Effect": "Allow", "Action": format!("s3:Get*{n}x"), "Resource": format!("arn:aws:s3:::b{n}*/k*")}))
        .chain([json!({"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::*/path/*"})])
        .collect();
    let deny = json!({"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::data/private/*"});
    let allow = |resource: &str| json!({"Effect": "Allow", "Action": "s3:*", "Resource": resource});
    let when = |condition: Value| json!({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::data/*", "Condition": condition});
    let conditions = json!({"StringLike": {"s3:prefix": ["home/*", "work/*"]}, "Bool": {"aws:SecureTransport": "true"},
        "IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.168.0.0/16"]}, "DateLessThan": {"aws:CurrentTime": "2030-01-01"}});
    let many: Vec<Value> =
        (0..500).map(|n| allow(&format!("arn:aws:s3:::bucket-{n}/*"))).chain([allow("arn:aws:s3:::data/*")]).collect();
    vec![
        subject("short form: one action, one resource", short("s3:GetObject", "arn:aws:s3:::data/*"), object, true),
        subject("short form: the action is missing", short("s3:GetObject", "arn:aws:s3:::data/*"), put, false),
        subject(
            "a document with an Allow and a Deny",
            documents(vec![json!([allow("arn:aws:s3:::data/*"), deny])]),
            object,
            true,
        ),
        subject(
            "wildcards in region and account",
            documents(vec![json!({"Effect": "Allow", "Action": "sns:*",
            "Resource": "arn:aws:sns:*:*:top*"})]),
            topic,
            true,
        ),
        subject("17 statements of two globs each, the last one allows", documents(vec![json!(sixteen)]), object, true),
        subject("four conditions", documents(vec![when(conditions)]), object, true),
        subject(
            "a variable in the resource",
            documents(vec![allow("arn:aws:s3:::data/${aws:username}/*")]),
            ("s3:GetObject", "arn:aws:s3:::data/path/k"),
            true,
        ),
        subject(
            "three ceilings",
            documents(vec![allow("*"), json!([allow("arn:aws:s3:::data/*"), deny]), allow("arn:aws:s3:::*")]),
            object,
            true,
        ),
        subject("501 statements, the last one allows", documents(vec![json!(many)]), object, true),
        subject(
            "adversarial: 40 stars on 1,000 letters",
            documents(vec![allow(&stars)]),
            ("s3:GetObject", &long),
            false,
        ),
    ]
}

fn subject(name: &'static str, policy: ScopedPolicy, (action, resource): (&str, &str), allowed: bool) -> Subject {
    let mut context = Context::default();
    for (key, value) in [
        ("aws:username", "path"),
        ("s3:prefix", "home/alice"),
        ("aws:SecureTransport", "true"),
        ("aws:SourceIp", "10.1.2.3"),
        ("aws:CurrentTime", "2026-01-01T00:00:00Z"),
        ("aws:RequestedRegion", "eu-west-1"),
    ] {
        context.set(key, value);
    }
    let access = AccessRequest { action: action.to_owned(), resource: Resource::Exact(resource.to_owned()) };
    Subject { name, policy: policy.into(), access, context, allowed, best: Duration::MAX }
}

fn short(actions: &str, resource: &str) -> ScopedPolicy {
    ScopedPolicy {
        actions: parse_actions(actions).unwrap_or_default(),
        resources: vec![resource.to_owned()],
        ..ScopedPolicy::default()
    }
}

fn documents(statements: Vec<Value>) -> ScopedPolicy {
    let read = |statements: Value| {
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        PolicyDocument::parse(&text).unwrap_or_else(|error| unreachable!("{error}: {text}"))
    };
    ScopedPolicy { documents: statements.into_iter().map(read).collect(), ..ScopedPolicy::default() }
}
