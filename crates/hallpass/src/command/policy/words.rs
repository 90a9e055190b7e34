//! A policy in a line: what `run` says that it lends, and what `session show` says that it lent.

use hallpass_core::policy::ScopedPolicy;

/// What a policy allows, every ceiling of it: `s3:Get*, as its policy document says, only what reads, never iam:*`.
pub(crate) fn allowed(policy: &ScopedPolicy) -> String {
    let list = |patterns: &[hallpass_core::policy::ActionPattern]| {
        patterns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let actions = (!policy.actions.is_empty()).then(|| list(&policy.actions));
    let documents = match policy.documents.len() {
        0 => None,
        1 => Some("as its policy document says".to_owned()),
        n => Some(format!("as all of its {n} policy documents say")),
    };
    let reads = policy.read_only.then(|| "only what reads".to_owned());
    let denied = (!policy.denied.is_empty()).then(|| format!("never {}", list(&policy.denied)));
    let all: Vec<String> = [actions, documents, reads, denied].into_iter().flatten().collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

#[cfg(test)]
mod tests {
    use hallpass_core::policy::{PolicyDocument, ScopedPolicy};

    use super::allowed;

    #[test]
    fn every_ceiling_of_a_policy_is_said() {
        let action = |text: &str| text.parse().expect("a pattern");
        let document = || {
            let text = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
            PolicyDocument::parse(text).expect("a document")
        };
        let none = ScopedPolicy::default();
        let one = ScopedPolicy { actions: vec![action("s3:Get*"), action("sqs:*")], ..none.clone() };
        let all = ScopedPolicy {
            documents: vec![document(), document()],
            read_only: true,
            denied: vec![action("iam:*")],
            ..one.clone()
        };
        assert_eq!(allowed(&none), "nothing");
        assert_eq!(allowed(&one), "s3:Get*, sqs:*");
        assert_eq!(allowed(&ScopedPolicy { read_only: true, ..none.clone() }), "only what reads");
        assert_eq!(allowed(&ScopedPolicy { documents: vec![document()], ..none }), "as its policy document says");
        let said = "s3:Get*, sqs:*, as all of its 2 policy documents say, only what reads, never iam:*";
        assert_eq!(allowed(&all), said);
    }
}
