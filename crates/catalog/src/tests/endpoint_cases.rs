//! botocore's endpoint cases that are about more than region and variant: what the gate does with the request that an
//! SDK makes of each, through a proxy, where the host says where it goes. Each is run, and gets exactly one verdict.

use std::collections::BTreeMap;

use hallpass_core::denial::DenialCode;
use hallpass_core::resolve::catalog::Variant;
use hallpass_core::resolve::endpoint::endpoint_of;
use hallpass_core::resolve::host::{AwsHost, belongs_to_aws};

use super::tell;
use crate::CATALOG;

const OTHERS: &str = include_str!("../../testdata/endpoints-other.txt");
const OUTCOMES: &str = include_str!("../../testdata/endpoints-outcomes.txt");

/// One case.
struct Case {
    about: &'static str,
    service: &'static str,
    region: &'static str,
    variant: Variant,
    /// The URL, or `!` and the error.
    expected: &'static str,
    /// Signing names and regions, `name@region`, where the rules say them.
    signed: &'static str,
}

fn case(line: &'static str) -> Case {
    let words: Vec<&str> = line.split('\t').collect();
    let [about, service, region, variant, expected, signed] = words[..] else { unreachable!("{line}") };
    let variant = Variant { fips: variant.contains('f'), dual_stack: variant.contains('d') };
    Case { about, service, region, variant, expected, signed }
}

const SAME: &str = "known, and goes to this host";
const PLAIN: &str = "known, and goes to the plain host of its region";
const REFUSED: &str = "a host of AWS's that no rule makes: refused";
const ELSEWHERE: &str = "`localhost`, which is nobody's: not reached unless `--passthrough` names it";
const NOT_SENT: &str = "an error before anything is sent";
const NOT_HERE: &str = "an error before anything is sent, and the gate has no such endpoint";

impl Case {
    fn verdict(&self) -> &'static str {
        if self.expected.starts_with('!') {
            let region = if self.region == "-" { "" } else { self.region };
            let made = endpoint_of(CATALOG, None, self.service, region, self.variant);
            return if made.is_err() { NOT_HERE } else { NOT_SENT };
        }
        let host = self.expected.split('/').nth(2).expect("a URL");
        match AwsHost::named(CATALOG, None, host) {
            Ok(known) => self.known(&known),
            Err(denial) => {
                assert_eq!(denial.code, DenialCode::Unmapped, "{host}");
                assert!(belongs_to_aws(host) || host == "localhost:8000", "{host} would be passed on");
                if belongs_to_aws(host) { REFUSED } else { ELSEWHERE }
            }
        }
    }

    /// A host that the gate stands in for must be the host of this API, and take the signature that the rules ask for.
    fn known(&self, known: &AwsHost) -> &'static str {
        let host = &known.host;
        for scheme in self.signed.split_whitespace() {
            let (name, region) = scheme.split_once('@').expect("a name and a region");
            let name = if name.is_empty() { known.signing[0] } else { name };
            assert!(known.takes(name, region), "{host} is signed {scheme}, and known as {known:?}");
        }
        let own = endpoint_of(CATALOG, None, &known.endpoints[0], &known.region, known.variant).expect("a rule").host;
        let same = *host == own || host.strip_suffix(&own).is_some_and(|rest| rest.ends_with('.'));
        if same { SAME } else { PLAIN }
    }
}

#[test]
fn every_other_endpoint_case_of_botocores_has_the_outcome_that_is_written_down() {
    let mut counts = BTreeMap::<(&str, &str), usize>::new();
    for case in OTHERS.lines().map(case).filter(|case| case.about != "own") {
        *counts.entry((case.about, case.verdict())).or_default() += 1;
    }
    let shown: String =
        counts.iter().map(|((about, verdict), count)| format!("{about}\t{verdict}\t{count}\n")).collect();
    tell(&shown);
    assert_eq!(shown, OUTCOMES);
    let all = super::ENDPOINTS.lines().count() + OTHERS.lines().count();
    assert_eq!(all, 14_589, "every case of the pinned package is here");
}
