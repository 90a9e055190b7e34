//! The API behind a host name: the endpoint rules, read backwards. For a proxy that is told a host and nothing else.

use std::collections::HashMap;
use std::sync::LazyLock;

use hallpass_core::resolve::Partition;
use hallpass_core::resolve::catalog::{Api, Located, Variant};
use hallpass_core::resolve::endpoint::is_aws_region;

use crate::read;
use crate::table::{Entry, INDEX};

static HOSTS: LazyLock<HashMap<&'static str, Vec<Rule>>> = LazyLock::new(rules);

/// One rule's template, and whose it is.
#[derive(Debug, Clone, Copy)]
struct Rule {
    entry: &'static Entry,
    partition: Partition,
    variant: Variant,
    /// Where the signature's region is another than the host's.
    home: Option<&'static str>,
}

/// Finds the APIs behind an AWS host name, in lower case and without a port. `None` for a host that no rule makes.
///
/// The first lookup reads all endpoint rules (about a millisecond), the others cost a few hash lookups.
pub fn located(partition: Option<Partition>, host: &str) -> Option<Located> {
    if host.len() > 253 || !host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b)) {
        return None;
    }
    // A prefix ends at a dot, or at a hyphen for the few that are part of a label (`sync-states`).
    let starts = host.match_indices(['.', '-']).map(|(at, mark)| at + mark.len());
    [0].into_iter().chain(starts).find_map(|at| {
        let (prefix, rest) = host.split_at_checked(at)?;
        exact(partition, rest, prefix)
    })
}

fn exact(partition: Option<Partition>, host: &str, prefix: &str) -> Option<Located> {
    let regions = host.split('.').filter(|label| is_aws_region(label));
    let templates = regions.map(|region| (host.replace(region, "{}"), region));
    let whole = (host.to_owned(), "");
    templates.chain([whole]).find_map(|(template, region)| {
        let rules = HOSTS.get(template.as_str())?;
        let asked = |rule: &&Rule| partition.is_none_or(|asked| asked == rule.partition);
        let own = |rule: &&Rule| region.is_empty() || Partition::of_region(region).is_ok_and(|p| p == rule.partition);
        let first = rules.iter().find(|rule| own(rule) && asked(rule))?;
        let same = |rule: &&Rule| rule.partition == first.partition && rule.variant == first.variant;
        let mut apis: Vec<_> = rules.iter().filter(same).map(|rule| rule.entry.api()).collect();
        apis.retain(|api| prefix.is_empty() || takes_prefix(api, prefix));
        let region = first.home.unwrap_or(region);
        (!apis.is_empty() && !region.is_empty()).then(|| Located {
            apis,
            partition: first.partition,
            region: region.to_owned(),
            variant: first.variant,
            prefix: prefix.trim_end_matches('.').to_owned(),
        })
    })
}

/// Whether an API has operations with this text before its host. S3 puts buckets there, whose names have dots.
fn takes_prefix(api: &Api, prefix: &str) -> bool {
    let whole = prefix.strip_suffix('.');
    let fits = |known: &str| {
        known == prefix
            || known.starts_with('{') && whole.is_some_and(|label| !label.is_empty() && !label.contains('.'))
    };
    (api.id == "s3" && whole.is_some())
        || api.operations.iter().any(|operation| !operation.host_prefix.is_empty() && fits(operation.host_prefix))
}

fn rules() -> HashMap<&'static str, Vec<Rule>> {
    let mut hosts: HashMap<&'static str, Vec<Rule>> = HashMap::new();
    for entry in &INDEX.entries {
        let lines = entry.section().lines().skip(1).map_while(|line| line.strip_prefix("h\t"));
        for found in lines.filter_map(read::host) {
            let regions = found.regions.iter().map(|(region, template)| (*template, Some(*region)));
            for (text, region) in [(found.template, None)].into_iter().chain(regions) {
                let (template, home) = text.split_once('@').map_or((text, None), |(host, home)| (host, Some(home)));
                let home = home.or(region.filter(|_| !template.contains("{}")));
                let known = hosts.entry(template).or_default();
                let rule = Rule { entry, partition: found.partition, variant: found.variant, home };
                let same = |other: &Rule| std::ptr::eq(other.entry, entry) && other.variant == rule.variant;
                if template != "-" && !known.iter().any(|other| same(other) && other.partition == rule.partition) {
                    known.push(rule);
                }
            }
        }
    }
    hosts
}

#[cfg(test)]
mod tests {
    use hallpass_core::resolve::Partition;

    use super::located;

    fn shown(host: &str) -> Option<String> {
        let found = located(None, host)?;
        let ids: Vec<&str> = found.apis.iter().map(|api| api.id).collect();
        let variant = if found.variant.fips { " fips" } else { "" };
        let variant = if found.variant.dual_stack { format!("{variant} dual") } else { variant.to_owned() };
        Some(format!("{} {}{variant} [{}]", ids.join("+"), found.region, found.prefix))
    }

    #[test]
    fn a_host_is_found_by_the_rules_that_make_it() {
        for (host, expected) in [
            ("lambda.eu-west-1.amazonaws.com", "lambda+lambda-core+lambda-microvms+lambda-web eu-west-1 []"),
            ("lambda-fips.us-east-1.amazonaws.com", "lambda+lambda-core+lambda-microvms+lambda-web us-east-1 fips []"),
            ("iam.amazonaws.com", "iam us-east-1 []"),
            ("iam.us-gov.amazonaws.com", "iam us-gov-west-1 []"),
            ("sts.cn-north-1.amazonaws.com.cn", "sts cn-north-1 []"),
            ("route53.amazonaws.com", "route53 us-east-1 []"),
            ("sqs.eu-west-1.amazonaws.com", "sqs eu-west-1 []"),
            ("sqs.eu-west-1.api.aws", "sqs eu-west-1 dual []"),
            ("streams.dynamodb.us-west-2.amazonaws.com", "dynamodbstreams us-west-2 []"),
            ("my.bucket.s3.us-east-1.amazonaws.com", "s3 us-east-1 [my.bucket]"),
            ("sync-states.eu-west-1.amazonaws.com", "stepfunctions eu-west-1 [sync-]"),
        ] {
            assert_eq!(shown(host).as_deref(), Some(expected), "{host}");
        }
    }

    #[test]
    fn a_host_that_no_rule_makes_is_none() {
        for host in [
            "",
            "amazonaws.com",
            "eu-west-1.amazonaws.com",
            "example.com",
            "lambda.eu-west-1.amazonaws.com.evil.example",
            "lambda.eu-west-1.amazonaws.co",
            "evil.lambda.eu-west-1.amazonaws.com",
            "LAMBDA.eu-west-1.amazonaws.com",
            "lambda.cn-north-1.amazonaws.com",
            "lambda..amazonaws.com",
            "{}.amazonaws.com",
            "lambda.{}.amazonaws.com",
            "evil-lambda.eu-west-1.amazonaws.com",
            "iam.amazonaws.com:443",
        ] {
            assert!(located(None, host).is_none(), "{host}: {:?}", shown(host));
        }
        assert_eq!(
            located(None, "ec2.us-gov-east-1.amazonaws.com").map(|found| found.partition),
            Some(Partition::AwsUsGov)
        );
    }
}
