//! Global condition keys that are most likely misspelt: an Allow that asks for such a key never holds.

use hallpass_core::limits::ACTION_SLIPS_MAX;
use hallpass_core::policy::{Finding, Place, PolicyDocument, Weight};

use super::spelling;

/// IAM user guide, "AWS global condition context keys". Those that end with `/` are completed by a tag's key.
const GLOBAL: [&str; 47] = [
    "aws:AssumedRoot",
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:ChatbotSourceArn",
    "aws:CurrentTime",
    "aws:Ec2InstanceSourcePrivateIPv4",
    "aws:Ec2InstanceSourceVpc",
    "aws:EpochTime",
    "aws:FederatedProvider",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:PrincipalTag/",
    "aws:PrincipalType",
    "aws:Referer",
    "aws:RequestTag/",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:ResourceTag/",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIdentity",
    "aws:SourceIp",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:SourceVpce",
    "aws:TagKeys",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:UserId",
    "aws:Username",
    "aws:ViaAWSService",
    "aws:VpcSourceIp",
    "aws:VpceAccount",
    "aws:VpceOrgID",
];

/// What looks misspelt in a document's conditions.
pub(super) fn of_document(document: &PolicyDocument) -> Vec<Finding> {
    let names = document.in_words();
    let mut findings = Vec::new();
    for (n, members) in spelling::statements_of(document).iter().enumerate() {
        for (operator, keys) in members["Condition"].as_object().into_iter().flatten() {
            for (key, meant) in keys.as_object().into_iter().flatten().filter_map(|(key, _)| Some((key, meant(key)?))) {
                findings.push(Finding {
                    code: "unknown-key",
                    weight: Weight::Useless,
                    statement: names.get(n).map(|words| words.name.clone()).unwrap_or_default(),
                    place: Place::Path(format!("Statement[{n}].Condition.{operator}[{key:?}]")),
                    message: format!("`{key}` is no global condition key that hallpass knows; did you mean `{meant}`?"),
                });
            }
        }
    }
    findings
}

/// The nearest known key of one that is unknown, where one is near.
fn meant(key: &str) -> Option<&'static str> {
    let folded = key.to_ascii_lowercase();
    if !folded.starts_with("aws:") {
        return None;
    }
    let (word, tag) = folded.split_once('/').map_or((folded.as_str(), false), |(word, _)| (word, true));
    let slips = |known: &&'static str| {
        let name = known.trim_end_matches('/').to_ascii_lowercase();
        let same_kind = known.ends_with('/') == tag;
        (strsim::damerau_levenshtein(word, &name) + usize::from(!same_kind), *known)
    };
    let (least, known) = GLOBAL.iter().map(slips).min()?;
    (1..=ACTION_SLIPS_MAX).contains(&least).then_some(known)
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::ACTION_SLIPS_MAX;
    use hallpass_core::policy::PolicyDocument;

    use super::{GLOBAL, meant, of_document};

    #[test]
    fn a_slip_in_a_global_key_is_named_with_what_was_meant() {
        for (written, expected) in [
            ("aws:SourceAcount", Some("aws:SourceAccount")),
            ("aws:sourceipp", Some("aws:SourceIp")),
            ("aws:PrincipleArn", Some("aws:PrincipalArn")),
            ("aws:ResourcTag/team", Some("aws:ResourceTag/")),
            ("aws:RequestTag", Some("aws:RequestTag/")),
            ("aws:SomethingNewOfAws", None),
            ("s3:prefx", None),
            ("AWS:SOURCEIP", None),
            ("aws:PrincipalTag/team", None),
        ] {
            assert_eq!(meant(written), expected, "{written}");
        }
        assert!(GLOBAL.iter().all(|known| meant(known).is_none()));
        let written = |slips: usize| format!("aws:SecureTransport{}", "x".repeat(slips));
        assert!(meant(&written(ACTION_SLIPS_MAX)).is_some() && meant(&written(ACTION_SLIPS_MAX + 1)).is_none());
    }

    #[test]
    fn a_finding_tells_where() {
        let text = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*",
            "Condition":{"StringEquals":{"aws:SourceAcount":"1"}}}}"#;
        let findings = of_document(&PolicyDocument::parse(text).expect("a document"));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].place.position(text).0, 2, "its line");
    }
}
