//! Learned policies, checked by the evaluator that will enforce them: they allow everything that was asked for, none
//! of their statements is needless, and nothing else passes.

use hallpass_core::audit::{Event, Needs};
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::learn::{Learned, Learner, Level, Options};
use hallpass_core::limits::{POLICY_ACTIONS_MAX, SESSION_POLICY_CHARS_MAX};
use hallpass_core::policy::{AccessRequest, Context, PolicyDocument, Resource, ScopedPolicy};
use proptest::prelude::*;

/// One request as the gate saw it.
#[derive(Debug, Clone, PartialEq)]
struct Asked {
    accesses: Vec<AccessRequest>,
    region: &'static str,
    prefix: Option<&'static str>,
}

impl Asked {
    fn one(action: &str, resource: Resource) -> Self {
        let accesses = vec![AccessRequest { action: action.to_owned(), resource }];
        Self { accesses, region: "us-east-1", prefix: None }
    }

    fn context(&self) -> Context {
        let mut context = Context::default();
        context.set("aws:RequestedRegion", self.region);
        match self.prefix {
            Some(prefix) => context.set("s3:prefix", prefix),
            None => context.set_absent("s3:prefix"),
        }
        context
    }

    /// The entry that the gate writes.
    fn entry(&self) -> Event {
        let (mut actions, mut resources): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for access in &self.accesses {
            if !actions.contains(&access.action) {
                actions.push(access.action.clone());
            }
            let shown = access.resource.shown().to_owned();
            if !resources.contains(&shown) {
                resources.push(shown);
            }
        }
        Event::RequestAllowed {
            service: "s3".into(),
            region: self.region.into(),
            operation: "Operation".into(),
            needs: Needs::of(&self.accesses, &self.context(), self.region, &actions, &resources),
            actions,
            resources,
            method: "GET".into(),
            upstream: "host".into(),
            would_deny: None,
            guessed: false,
        }
    }

    fn passes(&self, policy: &ScopedPolicy) -> bool {
        self.accesses.iter().all(|access| policy.evaluate(access, &self.context()).is_ok())
    }
}

fn exact(arn: &str) -> Resource {
    Resource::Exact(arn.to_owned())
}

fn settled(of: u64, refusal: Option<&str>) -> Event {
    Event::RequestSettled {
        of,
        status: Some(200),
        bytes_in: 0,
        bytes_out: 0,
        duration_us: 1,
        upstream_request_id: None,
        refusal: refusal.map(str::to_owned),
        cost_nano_usd: None,
        fault: None,
    }
}

fn observed(asked: &[Asked]) -> Learner {
    let mut learner = Learner::default();
    for (seq, asked) in (0..).zip(asked) {
        learner.observe(seq, &asked.entry());
        learner.observe(seq + 10_000, &settled(seq, None));
    }
    learner
}

fn learned(asked: &[Asked], level: Level) -> Learned {
    observed(asked).learn(Options { level, include_failed: false }).expect("fits into a document")
}

fn scoped(document: &PolicyDocument) -> ScopedPolicy {
    ScopedPolicy { documents: vec![document.clone()], ..ScopedPolicy::default() }
}

fn without(document: &PolicyDocument, n: usize) -> ScopedPolicy {
    let mut allows = document.to_allows().expect("allows");
    allows.remove(n);
    let documents = PolicyDocument::of(&allows).expect("reads").into_iter().collect();
    ScopedPolicy { documents, ..ScopedPolicy::default() }
}

const ACTIONS: [&str; 6] =
    ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "sqs:SendMessage", "sts:AssumeRole", "ec2:DescribeInstances"];
const RESOURCES: [&str; 8] = [
    "*",
    "arn:aws:s3:::b",
    "arn:aws:s3:::b/a/1",
    "arn:aws:s3:::b/a/*",
    "arn:aws:s3:::b/a/2${x}?",
    "arn:aws:sqs:us-east-1:111122223333:q",
    "arn:aws:sqs:us-east-1:111122223333:q-??????",
    "arn:aws:iam::111122223333:role/r",
];

fn resource() -> impl Strategy<Value = Resource> {
    (prop::sample::select(RESOURCES.to_vec()), 0..4_u8).prop_map(|(text, kind)| match (text, kind) {
        (_, 0) => Resource::Opaque,
        (text, 1) if text != "*" && !text.contains('$') => Resource::Pattern(text.to_owned()),
        (text, _) => exact(text),
    })
}

fn asked() -> impl Strategy<Value = Asked> {
    let access = (prop::sample::select(ACTIONS.to_vec()), resource())
        .prop_map(|(action, resource)| AccessRequest { action: action.to_owned(), resource });
    let region = prop::sample::select(vec!["us-east-1", "eu-west-1"]);
    let prefix = prop::sample::select(vec![None, Some("a/"), Some("a/*$"), Some("b/")]);
    (prop::collection::vec(access, 1..4), region, prefix)
        .prop_map(|(accesses, region, prefix)| Asked { accesses, region, prefix })
        .prop_filter("one text in two meanings is not recorded", |asked| {
            !asked.accesses.iter().any(|one| {
                let pattern = matches!(one.resource, Resource::Pattern(_));
                let twin = |other: &AccessRequest| other.resource == exact(one.resource.shown());
                pattern && asked.accesses.iter().any(twin)
            })
        })
}

/// What a request for `access` in that region and with that prefix is, when it comes alone.
fn alone(access: &AccessRequest, asked: &Asked) -> Asked {
    Asked { accesses: vec![access.clone()], ..asked.clone() }
}

/// A listing without a prefix shows what every listing with one would, so its permission has no condition.
fn is_contained(probe: &Asked, evidence: &[Asked]) -> bool {
    let wanted = &probe.accesses[0];
    evidence.iter().any(|asked| {
        asked.accesses.iter().any(|had| {
            let lists = had.action == "s3:ListBucket";
            let prefix = !lists || asked.prefix.is_none() || asked.prefix == probe.prefix;
            let text = match &had.resource {
                Resource::Opaque => "*".to_owned(),
                Resource::Exact(arn) if arn == "*" => "*".to_owned(),
                Resource::Exact(arn) => arn.replace('$', "${$}").replace('*', "${*}").replace('?', "${?}"),
                Resource::Pattern(pattern) => pattern.clone(),
            };
            let region = text != "*" || asked.region == probe.region;
            let one = PolicyDocument::parse(&format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"{}","Resource":{}}}}}"#,
                had.action,
                serde_json::to_string(&text).expect("json")
            ));
            prefix && region && scoped(&one.expect("reads")).evaluate(wanted, &probe.context()).is_ok()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_learned_policy_allows_every_request_that_it_was_learned_from(
        evidence in prop::collection::vec(asked(), 1..12),
        level in prop::sample::select(vec![Level::None, Level::Keys, Level::Ids]),
    ) {
        let learned = learned(&evidence, level);
        let policy = scoped(learned.policy.as_ref().expect("a policy"));
        for asked in &evidence {
            prop_assert!(asked.passes(&policy), "{asked:?} {:?}", learned.policy);
        }
    }

    #[test]
    fn without_any_one_statement_some_learned_request_is_refused(evidence in prop::collection::vec(asked(), 1..12)) {
        let learned = learned(&evidence, Level::None);
        let document = learned.policy.expect("a policy");
        for n in 0..document.to_allows().expect("allows").len() {
            let fewer = without(&document, n);
            prop_assert!(evidence.iter().any(|asked| !asked.passes(&fewer)), "statement {n} of {document:?} is needless");
        }
    }

    #[test]
    fn at_level_none_nothing_passes_that_was_not_asked_for(
        evidence in prop::collection::vec(asked(), 1..8),
        probes in prop::collection::vec(asked(), 1..20),
    ) {
        let learned = learned(&evidence, Level::None);
        let policy = scoped(learned.policy.as_ref().expect("a policy"));
        for probe in probes.iter().flat_map(|probe| probe.accesses.iter().map(|access| alone(access, probe))) {
            if probe.passes(&policy) {
                prop_assert!(is_contained(&probe, &evidence), "{probe:?} was never asked for: {:?}", learned.policy);
            }
        }
    }

    #[test]
    fn the_order_and_the_repetition_of_requests_do_not_matter(evidence in prop::collection::vec(asked(), 1..10)) {
        let mut other = evidence.clone();
        other.reverse();
        other.extend(evidence.clone());
        let (one, two) = (learned(&evidence, Level::Keys), learned(&other, Level::Keys));
        prop_assert_eq!(serde_json::to_string(&one.policy).expect("json"), serde_json::to_string(&two.policy).expect("json"));
    }

    #[test]
    fn merging_a_policy_with_what_it_was_learned_from_changes_nothing(evidence in prop::collection::vec(asked(), 1..10)) {
        let before = learned(&evidence, Level::None);
        let mut again = observed(&evidence);
        again.merge(before.policy.as_ref().expect("a policy")).expect("allows only");
        prop_assert_eq!(again.learn(Options::default()).expect("fits").policy, before.policy);
    }
}

#[test]
fn a_pair_is_not_mixed_into_a_product() {
    let copy = Asked {
        accesses: vec![
            AccessRequest { action: "s3:PutObject".into(), resource: exact("arn:aws:s3:::to/k") },
            AccessRequest { action: "s3:GetObject".into(), resource: exact("arn:aws:s3:::from/k") },
        ],
        ..Asked::one("", Resource::Opaque)
    };
    let policy = scoped(&learned(std::slice::from_ref(&copy), Level::None).policy.expect("a policy"));
    assert!(copy.passes(&policy));
    assert!(!Asked::one("s3:PutObject", exact("arn:aws:s3:::from/k")).passes(&policy));
}

#[test]
fn a_star_in_a_name_does_not_become_a_wildcard() {
    let policy =
        scoped(&learned(&[Asked::one("s3:GetObject", exact("arn:aws:s3:::b/*"))], Level::None).policy.expect("one"));
    assert!(Asked::one("s3:GetObject", exact("arn:aws:s3:::b/*")).passes(&policy));
    assert!(!Asked::one("s3:GetObject", exact("arn:aws:s3:::b/other")).passes(&policy));
}

#[test]
fn what_the_cloud_denied_is_not_granted_unless_asked_and_what_was_never_answered_is() {
    let mut learner = Learner::default();
    learner.observe(1, &Asked::one("s3:GetObject", exact("arn:aws:s3:::b/no")).entry());
    learner.observe(2, &settled(1, Some("AccessDenied")));
    learner.observe(3, &Asked::one("s3:GetObject", exact("arn:aws:s3:::b/lost")).entry());
    let text = |include_failed| {
        let options = Options { include_failed, ..Options::default() };
        let learned = learner.clone().learn(options).expect("fits");
        assert_eq!((learned.failed.len(), learned.unanswered, learned.requests), (1, 1, 2));
        serde_json::to_string(&learned.policy).expect("json")
    };
    assert!(!text(false).contains("b/no") && text(false).contains("b/lost"));
    assert!(text(true).contains("b/no"));
}

#[test]
fn refusals_and_would_be_refusals_are_counted_and_strangers_are_not() {
    let mut denial = Denial::new(DenialCode::ExplicitDeny, "hands out credentials");
    denial.action = Some("sts:AssumeRole".to_owned());
    denial.statement = Some("credential-minting".to_owned());
    let denied = |service: Option<&str>, denial: &Denial| Event::RequestDenied {
        service: service.map(str::to_owned),
        region: None,
        operation: None,
        method: "POST".into(),
        denial: denial.clone(),
        count: 2,
    };
    let mut learner = Learner::default();
    learner.observe(1, &denied(Some("sts"), &denial));
    learner.observe(2, &denied(Some("sts"), &denial));
    learner.observe(3, &denied(None, &Denial::new(DenialCode::Unsigned, "no signature")));
    learner.observe(4, &denied(Some("lambda"), &Denial::new(DenialCode::Unmapped, "not known")));
    let mut tried = Asked::one("s3:GetObject", exact("arn:aws:s3:::b/k")).entry();
    if let Event::RequestAllowed { would_deny, .. } = &mut tried {
        *would_deny = Some(denial);
    }
    learner.observe(5, &tried);
    let learned = learner.learn(Options::default()).expect("fits");
    let refused: Vec<_> = learned.refused.iter().map(|r| (r.what.as_str(), r.escape, r.count)).collect();
    assert_eq!(refused, [("lambda", false, 2), ("sts:AssumeRole", true, 4)]);
    assert_eq!(learned.would_deny.len(), 1);
}

#[test]
fn an_escape_is_granted_by_name_and_told() {
    let assume = Asked::one("sts:AssumeRole", exact("arn:aws:iam::111122223333:role/r-12345678"));
    let learned = learned(std::slice::from_ref(&assume), Level::Ids);
    assert_eq!(learned.escapes, ["sts:AssumeRole"]);
    assert!(learned.widenings.is_empty(), "{:?}", learned.widenings);
    assert!(assume.passes(&scoped(&learned.policy.expect("a policy"))));
}

#[test]
fn what_no_policy_can_name_is_told_and_not_granted() {
    let learned = learned(&[Asked::one("s3:GetObject", exact("arn:aws:s3:::b/\u{1}"))], Level::None);
    assert_eq!((learned.policy, learned.unwritable.len()), (None, 1));
}

#[test]
fn nothing_learned_is_no_policy() {
    let learned = learned(&[], Level::Ids);
    assert!(learned.policy.is_none() && learned.fit().is_none());
}

#[test]
fn a_policy_past_the_size_of_a_session_policy_is_split_into_ones_that_fit() {
    let many: Vec<Asked> = (0..200)
        .map(|n| Asked::one("s3:GetObject", exact(&format!("arn:aws:s3:::bucket/dir/{n}-a-rather-long-name.txt"))))
        .chain([Asked::one("sqs:SendMessage", exact("arn:aws:sqs:us-east-1:111122223333:q"))])
        .collect();
    let wide = learned(&many, Level::None);
    let fit = wide.fit().expect("a size");
    assert!(!fit.is_whole() && fit.chars > SESSION_POLICY_CHARS_MAX && !fit.longest.is_empty());
    assert!(fit.parts.iter().all(|part| part.chars <= SESSION_POLICY_CHARS_MAX));
    let (last, full) = fit.parts.split_last().expect("parts");
    assert!(full.iter().all(|part| part.chars > SESSION_POLICY_CHARS_MAX * 9 / 10), "{} and {full:?}", last.chars);
    for asked in &many {
        assert!(fit.parts.iter().any(|part| asked.passes(&scoped(&part.policy))), "{asked:?} is in no part");
    }
    let short = learned(&many, Level::Keys);
    let fit = short.fit().expect("a size");
    assert!(fit.is_whole() && fit.parts.is_empty());
}

#[test]
fn more_resources_than_a_list_may_have_are_spread_over_statements() {
    let many: Vec<Asked> =
        (0..=POLICY_ACTIONS_MAX).map(|n| Asked::one("s3:GetObject", exact(&format!("arn:aws:s3:::b/{n}")))).collect();
    let learned = learned(&many, Level::None);
    assert_eq!(learned.policy.expect("a policy").to_allows().map(|allows| allows.len()), Ok(2));
}

#[test]
fn what_needs_no_permission_is_not_granted_and_every_bucket_is_a_star() {
    let mut learner = Learner::default();
    for (seq, (action, resource)) in
        (1..).zip([("sts:GetCallerIdentity", "*"), ("s3:ListAllMyBuckets", "arn:aws:s3:::*")])
    {
        learner.observe(seq, &Asked::one(action, Resource::Exact(resource.to_owned())).entry());
    }
    let policy = learner.learn(Options::default()).expect("learned").policy.expect("a policy");
    let text = serde_json::to_string(&policy).expect("JSON");
    assert!(!text.contains("GetCallerIdentity") && text.contains(r#""Resource":"*""#), "{text}");
}

#[test]
fn what_a_presigned_url_is_for_is_granted_as_if_it_had_been_asked_for() {
    let mut learner = Learner::default();
    let presigned = Event::UrlPresigned {
        method: "GET".into(),
        operation: "GetObject".into(),
        actions: vec!["s3:GetObject".into()],
        resources: vec!["arn:aws:s3:::b/a*".into()],
        upstream: "host".into(),
        expires_at: jiff::Timestamp::UNIX_EPOCH,
    };
    learner.observe(1, &presigned);
    let learned = learner.learn(Options::default()).expect("fits");
    let policy = scoped(learned.policy.as_ref().expect("a policy"));
    assert_eq!((learned.requests, learned.presigned), (0, 1));
    assert!(Asked::one("s3:GetObject", exact("arn:aws:s3:::b/a*")).passes(&policy));
    assert!(!Asked::one("s3:GetObject", exact("arn:aws:s3:::b/ab")).passes(&policy));
}

#[test]
fn what_a_request_does_not_tell_of_an_arn_is_named() {
    let pattern = "arn:aws:sqs:us-east-1:*:q";
    let asked = [
        Asked::one("sqs:CreateQueue", Resource::Pattern(pattern.into())),
        Asked::one("s3:GetObject", exact("arn:aws:s3:::b/*")),
        Asked::one("ec2:DescribeInstances", exact("*")),
    ];
    assert_eq!(learned(&asked, Level::None).patterns, [pattern]);
}
