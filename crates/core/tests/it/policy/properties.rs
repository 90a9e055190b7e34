//! What holds for every policy and every pattern.

use hallpass_core::denial::Denial;
use hallpass_core::policy::glob::Glob;
use hallpass_core::policy::{
    AccessRequest, ActionPattern, Context, PolicyDiff, PolicyDocument, Resource, ScopedPolicy, overlaps, parse_actions,
};
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use serde_json::json;

use super::{access, answer, document, short};

const ACTIONS: [&str; 12] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:Get*",
    "s3:*",
    "s3:*Object",
    "iam:CreateUser",
    "iam:*",
    "iam:Create*",
    "*",
    "sts:AssumeRole",
    "sts:*",
    "*:Get*",
];
const RESOURCES: [&str; 6] = [
    "*",
    "arn:aws:s3:::b/*",
    "arn:aws:s3:::b/k",
    "arn:aws:s3:::*",
    "arn:aws:iam::1:*",
    "arn:aws:s3:::b/${aws:username}/*",
];
const ASKED: [&str; 7] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListBucket",
    "iam:CreateUser",
    "iam:ListUsers",
    "sts:AssumeRole",
    "ec2:GetConsoleOutput",
];
const CONDITIONS: [&str; 5] = [
    r#"{"StringEquals":{"aws:username":"alice"}}"#,
    r#"{"StringNotLike":{"aws:userid":"x*"}}"#,
    r#"{"Null":{"s3:prefix":"true"}}"#,
    r#"{"NumericLessThanIfExists":{"s3:max-keys":"10"}}"#,
    r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":["a","b"]}}"#,
];

fn picked(from: &'static [&'static str], at_least: usize) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(from.to_vec(), at_least..=3)
}

fn a_document() -> impl Strategy<Value = PolicyDocument> {
    let actions = picked(&ACTIONS[..11], 1);
    let statement =
        (any::<bool>(), any::<bool>(), actions, any::<bool>(), picked(&RESOURCES, 1), 0..CONDITIONS.len() + 3);
    let statement = statement.prop_map(|(allow, not_action, actions, not_resource, resources, condition)| {
        let mut json = json!({ "Effect": if allow { "Allow" } else { "Deny" } });
        json[if not_action { "NotAction" } else { "Action" }] = json!(actions);
        json[if not_resource { "NotResource" } else { "Resource" }] = json!(resources);
        if let Some(text) = CONDITIONS.get(condition) {
            json["Condition"] = serde_json::from_str(text).expect("condition");
        }
        json
    });
    prop::collection::vec(statement, 1..4).prop_map(|statements| {
        let json = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        PolicyDocument::parse(&json).expect("document")
    })
}

fn a_policy() -> impl Strategy<Value = ScopedPolicy> {
    let parts =
        (picked(&ACTIONS, 0), picked(&RESOURCES, 0), picked(&ACTIONS, 0), prop::collection::vec(a_document(), 0..3));
    (parts, prop::bool::weighted(0.2)).prop_map(|((allow, resources, deny, documents), read_only)| {
        let deny = deny.into_iter().filter(|deny| *deny != "*").collect::<Vec<_>>().join(",");
        ScopedPolicy { documents, read_only, ..short(&allow.join(","), &resources, &deny) }
    })
}

fn a_request() -> impl Strategy<Value = AccessRequest> {
    let resource = prop_oneof![
        Just(Resource::Opaque),
        Just(Resource::Pattern("arn:aws:s3:::b/k*".into())),
        Just(Resource::Exact("*".into())),
        Just(Resource::Exact("arn:aws:s3:::b/k".into())),
        Just(Resource::Exact("arn:aws:s3:::b/alice/k".into())),
        Just(Resource::Exact("arn:aws:iam::1:user/u".into())),
    ];
    (any::<Index>(), resource)
        .prop_map(|(at, resource)| AccessRequest { action: (*at.get(&ASKED)).to_owned(), resource })
}

/// Keys that may be present, absent or unknown.
fn a_context() -> impl Strategy<Value = Context> {
    let key = |name: &'static str, value: &'static str| (0..3_u8).prop_map(move |state| (name, value, state));
    (key("aws:username", "alice"), key("aws:userid", "xy"), key("s3:prefix", "p"), key("aws:TagKeys", "a")).prop_map(
        |(a, b, c, d)| {
            let mut context = Context::default();
            for (name, value, state) in [a, b, c, d] {
                match state {
                    0 => context.set(name, value),
                    1 => context.set_absent(name),
                    _ => {}
                }
            }
            context
        },
    )
}

/// A document with one statement less, more or moved, so that the difference is small; or another one altogether.
fn changed(old: &PolicyDocument, other: PolicyDocument, change: u8, at: &Index) -> PolicyDocument {
    let of = |document: &PolicyDocument| serde_json::to_value(document).expect("JSON")["Statement"].clone();
    let (Some(mut statements), Some(others)) = (of(old).as_array().cloned(), of(&other).as_array().cloned()) else {
        return other;
    };
    let at = at.index(statements.len());
    match change {
        0 if statements.len() > 1 => drop(statements.remove(at)),
        1 => statements.extend(others.into_iter().take(1)),
        2 => statements.rotate_left(at),
        _ => return other,
    }
    let json = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    PolicyDocument::parse(&json).expect("still a document")
}

/// The text-book definition, slow and obviously right.
fn slow_match(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => (0..=text.len()).any(|n| slow_match(rest, &text[n..])),
        (Some(('?', rest)), Some((_, text))) => slow_match(rest, text),
        (Some((c, rest)), Some((t, text))) => c == t && slow_match(rest, text),
        _ => false,
    }
}

fn chars(text: &str) -> Vec<char> {
    text.chars().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn another_deny_or_ceiling_never_turns_a_refusal_into_an_allow(
        policy in a_policy(), more in a_policy(), asked in a_request(), context in a_context(),
    ) {
        if policy.evaluate(&asked, &context).is_ok() {
            return Ok(());
        }
        let mut denied = policy.clone();
        denied.denied.extend(more.denied.iter().cloned());
        prop_assert!(denied.evaluate(&asked, &context).is_err());
        let mut ceiling = policy.clone();
        ceiling.documents.extend(more.documents.iter().cloned());
        // A first document turns "no ceiling at all" into a ceiling; it then decides alone, as it should.
        let had_ceiling = !policy.actions.is_empty() || !policy.documents.is_empty() || policy.read_only;
        prop_assert!(!had_ceiling || ceiling.evaluate(&asked, &context).is_err());
        let reads = ScopedPolicy { read_only: true, ..policy.clone() };
        prop_assert!(!had_ceiling || reads.evaluate(&asked, &context).is_err());
    }

    #[test]
    fn a_diff_that_shows_nothing_newly_allowed_hides_nothing(
        old in a_document(), other in a_document(), change in 0..4_u8, at in any::<Index>(),
        asked in a_request(), context in a_context()
    ) {
        let new = changed(&old, other, change, &at);
        let diff = PolicyDiff::between(&old, &new);
        let alone = |document: &PolicyDocument| {
            let policy = ScopedPolicy { documents: vec![document.clone()], ..ScopedPolicy::default() };
            policy.evaluate(&asked, &context).is_ok()
        };
        let (was, is) = (alone(&old), alone(&new));
        prop_assert!(was || !is || !diff.newly_allowed.is_empty(), "{old:?} {new:?}");
        prop_assert!(is || !was || !diff.no_longer_allowed.is_empty(), "{old:?} {new:?}");
        prop_assert!(PolicyDiff::between(&old, &old).is_empty());
    }

    #[test]
    fn what_is_granted_is_granted_by_every_ceiling(
        policy in a_policy(), asked in a_request(), context in a_context()
    ) {
        let (decided, granted) = (policy.evaluate(&asked, &context), policy.grants(&asked, &context));
        prop_assert_eq!(decided.as_ref().err(), granted.as_ref().err());
        if let Ok(granted) = granted {
            let ceilings = policy.documents.len() + usize::from(policy.read_only);
            prop_assert!(granted.len() >= ceilings && !granted.is_empty());
        }
    }

    #[test]
    fn knowing_less_never_turns_a_refusal_into_an_allow(
        policy in a_policy(), asked in a_request(), known in a_context(),
    ) {
        if policy.evaluate(&asked, &known).is_ok() {
            return Ok(());
        }
        prop_assert!(policy.evaluate(&asked, &Context::default()).is_err());
        let blurred = AccessRequest { resource: Resource::Opaque, ..asked };
        prop_assert!(policy.evaluate(&blurred, &known).is_err());
    }

    #[test]
    fn what_allows_nothing_allows_nothing(policy in a_policy(), asked in a_request(), context in a_context()) {
        if !policy.allows_nothing() {
            return Ok(());
        }
        prop_assert!(policy.evaluate(&asked, &context).is_err());
    }

    #[test]
    fn a_session_policy_never_allows_less_than_the_gate_and_exactly_as_much_when_it_says_so(
        policy in a_policy(), asked in a_request(), context in a_context(),
    ) {
        let gate = policy.evaluate(&asked, &context).is_ok();
        match policy.compile("aws") {
            Ok(compiled) => if let Some(json) = &compiled.json {
                let enforced = ScopedPolicy { documents: vec![PolicyDocument::parse(json).expect("document")], ..ScopedPolicy::default() };
                // The cloud has no rule about minting: only what is written down counts there.
                let minting = |denial: &Denial| denial.statement.as_deref() == Some("credential-minting");
                let sent = enforced.evaluate(&asked, &context).err().as_ref().is_none_or(minting);
                prop_assert!(!gate || sent, "narrower than the gate: {json}");
                prop_assert!(!compiled.exact || gate || !sent, "called exact but wider: {json}");
            },
            Err(hallpass_core::policy::CompileError::NothingAllowed) => prop_assert!(!gate),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn order_and_repetition_do_not_change_the_canonical_form(policy in a_policy(), by in any::<Index>()) {
        let mut other = policy.clone();
        for list in [&mut other.actions, &mut other.denied] {
            let length = list.len();
            if length > 0 {
                list.rotate_left(by.index(length));
                list.push(list[0].clone());
                list[0].action.make_ascii_uppercase();
            }
        }
        other.resources.reverse();
        other.documents.reverse();
        let repeated = other.documents.first().cloned();
        other.documents.extend(repeated);
        prop_assert!(policy.same_authority(&other));
        prop_assert_eq!(policy.sha256_hex(), other.sha256_hex());
    }

    #[test]
    fn a_canonical_form_tells_policies_of_different_effect_apart(
        a in a_policy(), b in a_policy(), asked in a_request(), context in a_context(),
    ) {
        if a.same_authority(&b) {
            prop_assert_eq!(answer(&a, &asked, &context), answer(&b, &asked, &context));
        }
    }

    #[test]
    fn a_pattern_is_read_back_from_what_it_shows(text in "[a-zA-Z0-9*?-]{1,6}:[a-zA-Z0-9*?]{1,8}") {
        let pattern = ActionPattern::parse(&text).expect("parses");
        prop_assert!(pattern.is_well_formed());
        prop_assert_eq!(ActionPattern::parse(&pattern.to_string()), Ok(pattern));
    }

    #[test]
    fn no_text_makes_the_parser_panic_and_every_mistake_points_inside_it(text in "[\\PCs3:,*? \u{0}é日]{0,40}") {
        if let Err(error) = parse_actions(&text) {
            prop_assert!(error.position() <= text.chars().count());
            prop_assert!(error.to_string().contains('^'));
        }
        if let Err(error) = hallpass_core::policy::parse_resource(&text) {
            prop_assert!(error.position() <= text.chars().count());
        }
    }

    #[test]
    fn the_matcher_agrees_with_the_slow_one(pattern in "[ab:*?]{0,8}", text in "[ab:]{0,10}") {
        prop_assert_eq!(Glob::new(&pattern).matches(&text), slow_match(&chars(&pattern), &chars(&text)));
    }

    #[test]
    fn covering_and_intersecting_are_sound(a in "[ab:*?]{0,6}", b in "[ab:*?]{0,6}", texts in prop::collection::vec("[ab:c]{0,6}", 24)) {
        let (one, other) = (Glob::new(&a), Glob::new(&b));
        let (covers, intersects) = (one.covers(&other), one.intersects(&other));
        prop_assert_eq!(intersects, other.intersects(&one));
        for text in &texts {
            let (in_a, in_b) = (one.matches(text), other.matches(text));
            prop_assert!(!covers || !in_b || in_a, "{a} covers {b} but not {text}");
            prop_assert!(intersects || !(in_a && in_b), "{a} and {b} share {text}");
        }
        if covers && one.matches("") != other.matches("") {
            prop_assert!(one.matches(""));
        }
    }

    #[test]
    fn an_overlap_is_what_both_match(at in any::<[Index; 3]>()) {
        let pattern = |at: &Index| ActionPattern::parse(at.get::<&str>(&ACTIONS)).expect("parses");
        let (a, b) = (pattern(&at[0]), pattern(&at[1]));
        let (service, name) = at[2].get(&ASKED).split_once(':').expect("action");
        let both = a.matches(service, name) && b.matches(service, name);
        prop_assert!(overlaps(&a, &b) || !both);
        prop_assert!(!(a.covers(&b) && b.matches(service, name)) || a.matches(service, name));
    }
}

#[test]
fn small_patterns_are_covered_exactly_when_every_short_text_says_so() {
    let alphabet = ["a", "b", "*", "?"];
    let mut patterns = vec![String::new()];
    for _ in 0..3 {
        let longer: Vec<String> =
            patterns.iter().flat_map(|p| alphabet.iter().map(move |c| format!("{p}{c}"))).collect();
        patterns.extend(longer);
    }
    patterns.sort();
    patterns.dedup();
    // Texts over one letter more than the patterns name, long enough to tell any two of them apart.
    let mut texts = vec![String::new()];
    for _ in 0..5 {
        let longer: Vec<String> =
            texts.iter().flat_map(|t| ["a", "b", "c"].iter().map(move |c| format!("{t}{c}"))).collect();
        texts.extend(longer);
    }
    texts.sort();
    texts.dedup();
    let matched: Vec<Vec<bool>> =
        patterns.iter().map(|p| Glob::new(p)).map(|g| texts.iter().map(|t| g.matches(t)).collect()).collect();
    for (i, a) in patterns.iter().enumerate() {
        for (j, b) in patterns.iter().enumerate() {
            let truly = matched[i].iter().zip(&matched[j]).all(|(in_a, in_b)| !in_b || *in_a);
            assert_eq!(Glob::new(a).covers(&Glob::new(b)), truly, "{a} covers {b}");
            let shared = matched[i].iter().zip(&matched[j]).any(|(in_a, in_b)| *in_a && *in_b);
            assert_eq!(Glob::new(a).intersects(&Glob::new(b)), shared, "{a} meets {b}");
        }
    }
}

#[test]
fn pathological_patterns_take_linear_time_in_the_text() {
    for pattern in
        ["*a".repeat(50) + "b", "*?".repeat(60), "a*".repeat(60) + "b", "*".repeat(200) + "b", "?*".repeat(40) + "b"]
    {
        let glob = Glob::new(&pattern);
        let steps = |length: usize| glob.matches_counting(&"a".repeat(length)).1;
        for length in [1_000, 2_000, 4_000] {
            assert!(steps(length) <= (length + 1) * (pattern.len() + 1), "{pattern} on {length}: {}", steps(length));
        }
        assert!(steps(4_000) <= 3 * steps(2_000), "{pattern} grows faster than the text");
    }
    let condition = format!("{}x", "*a".repeat(100));
    let json = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*",
        "Condition": {"StringLike": {"aws:userid": condition}}}});
    let mut context = Context::default();
    context.set("aws:userid", "a".repeat(20_000));
    assert_eq!(answer(&document(&json.to_string()), &access("s3:GetObject", "*"), &context), "not-allowed");
}
