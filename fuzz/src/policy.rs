//! Policies: IAM documents, session files, and the flags `--allow` and `--resource`.

use hallpass_core::policy::{
    AccessRequest, Context, PolicyDocument, Resource, ScopedPolicy, parse_actions, parse_resource,
};

/// What is asked of every policy.
const ASKED: [(&str, &str); 6] = [
    ("s3:GetObject", "arn:aws:s3:::b/k"),
    ("s3:PutObject", "arn:aws:s3:::b/alice/k"),
    ("s3:ListBucket", "arn:aws:s3:::b"),
    ("iam:CreateAccessKey", "arn:aws:iam::123456789012:user/alice"),
    ("sts:AssumeRole", "arn:aws:iam::123456789012:role/r"),
    ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:123456789012:table/t"),
];

/// A document, or a session's policy, up to the first NUL; then an action list; then a resource.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.splitn(3, '\0');
    let (document, actions, resource) = (parts.next(), parts.next(), parts.next());
    let document = document.and_then(read_document);
    flags(actions.unwrap_or(text), resource.unwrap_or(text));
    if let Ok(policy) = serde_json::from_str::<ScopedPolicy>(text) {
        let _ = policy.validate();
        ask(&policy);
    }
    let Some(document) = document else { return };
    let alone = ScopedPolicy { documents: vec![document.clone()], ..ScopedPolicy::default() };
    ask(&alone);
    let Ok(also) = parse_actions(actions.unwrap_or("s3:Get*,iam:*")) else { return };
    let mut narrowed = alone.clone();
    narrowed.actions = also;
    narrowed.resources = vec!["*".into()];
    narrower(&narrowed, &alone);
    let denied = parse_actions("s3:*").expect("legal");
    narrower(&ScopedPolicy { denied, ..alone.clone() }, &alone);
    narrower(&ScopedPolicy { read_only: true, ..alone.clone() }, &alone);
}

fn read_document(text: &str) -> Option<PolicyDocument> {
    let document = PolicyDocument::parse(text).inspect_err(|error| assert!(!error.to_string().is_empty())).ok()?;
    let written = serde_json::to_string(&document).expect("JSON");
    let again = PolicyDocument::parse(&written).unwrap_or_else(|error| panic!("{written}: {error}"));
    assert_eq!(again, document, "what is written reads back: {written}");
    Some(document)
}

fn flags(actions: &str, resource: &str) {
    match parse_actions(actions) {
        Ok(patterns) => {
            let shown = patterns.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            assert_eq!(parse_actions(&shown).as_ref(), Ok(&patterns), "{shown}");
            for pattern in &patterns {
                assert!(pattern.is_well_formed() && pattern.covers(pattern) && pattern.overlaps(pattern), "{pattern}");
            }
        }
        Err(error) => {
            assert!(error.position() <= actions.chars().count(), "{error}");
            assert!(!error.to_string().is_empty());
        }
    }
    match parse_resource(resource) {
        Ok(arn) => assert_eq!(parse_resource(&arn).as_ref(), Ok(&arn), "read once, it stays as it is"),
        Err(error) => {
            assert!(error.position() <= resource.chars().count(), "{error}");
            if let Some(guess) = error.suggestion() {
                assert!(parse_resource(guess).is_ok(), "a suggestion is right: {guess}");
            }
        }
    }
}

fn context() -> Context {
    let mut context = Context::default();
    context.set("aws:username", "alice");
    context.set("aws:CurrentTime", "2026-11-22T10:11:12Z");
    context.set("aws:SecureTransport", "true");
    context.set("s3:max-keys", "10");
    context.set_all("aws:TagKeys", vec!["a".into(), "b".into()]);
    context.set_absent("s3:prefix");
    context
}

fn answers(policy: &ScopedPolicy) -> Vec<bool> {
    let context = context();
    let asked = ASKED.iter().flat_map(|(action, arn)| {
        let resources = [Resource::Exact((*arn).into()), Resource::Pattern(format!("{arn}*")), Resource::Opaque];
        resources.map(|resource| AccessRequest { action: (*action).into(), resource })
    });
    asked.map(|access| policy.evaluate(&access, &context).is_ok()).collect()
}

fn ask(policy: &ScopedPolicy) {
    let answers = answers(policy);
    assert!(!policy.allows_nothing() || !answers.contains(&true), "it says that it allows nothing");
    let written = serde_json::to_string(policy).expect("JSON");
    let again: ScopedPolicy = serde_json::from_str(&written).unwrap_or_else(|error| panic!("{written}: {error}"));
    assert!(again.same_authority(policy), "{written}");
    let _ = (policy.compile("aws"), policy.warnings());
}

fn narrower(narrow: &ScopedPolicy, wide: &ScopedPolicy) {
    for (allowed, before) in answers(narrow).into_iter().zip(answers(wide)) {
        assert!(!allowed || before, "one ceiling more allowed what was refused before");
    }
}
