//! The catalogue: any bytes as a table's rows, and any text as a name that is looked up.
//!
//! Tables live as long as the process, so an input that is read as one is never freed: inputs are short.

use hallpass_catalog::CATALOG;
use hallpass_core::resolve::endpoint::{self, Partition};
use hallpass_core::resolve::{AwsHost, Variant};
use hallpass_fuzz_inside::tables;

use crate::input;

/// A line that says what follows: `table`, `section` or a name of an API; then the table, section, or a host.
pub fn run(data: &[u8]) {
    let Some((kind, rest)) = input::line(data) else { return };
    let (Ok(kind), Ok(rest)) = (str::from_utf8(kind), str::from_utf8(rest)) else { return };
    match kind {
        "table" => tables::whole(rest.to_owned()),
        "section" => tables::section(rest.to_owned()),
        name => looked_up(name, rest),
    }
}

fn looked_up(name: &str, host: &str) {
    for api in (CATALOG.signing_as)(name) {
        assert_eq!(api.signing, name, "another name's API");
    }
    if let Some(api) = (CATALOG.named)(name) {
        assert!(api.id == name || api.endpoint == name, "another name's API");
    }
    let partition = Partition::of_region(host).ok();
    for variant in [Variant::default(), Variant { fips: true, dual_stack: true }] {
        for made in endpoint::hosts(CATALOG, partition, name, host, variant) {
            assert!(!made.contains(['{', '}', '/', '@', ':']) || host.contains(['{', '}', '/', '@', ':']), "{made}");
        }
        let _ = endpoint::endpoint_of(CATALOG, partition, name, host, variant);
    }
    let found = (CATALOG.located)(None, host);
    let second = tables::located(host);
    assert_eq!(found.is_some(), second.is_some(), "{host}");
    if let Some((ids, region, prefix)) = second {
        assert!(!ids.is_empty(), "a host of nobody: {host}");
        assert!(host.starts_with(&prefix), "{host}: {prefix}");
        assert!(
            region.is_empty() || endpoint::is_aws_region(&region) || region.starts_with("aws-"),
            "{host}: {region}"
        );
        assert!(host.ends_with("amazonaws.com") || host.contains(".aws") || host.contains("amazonaws"), "{host}");
    }
    if let Ok(known) = AwsHost::named(CATALOG, None, host) {
        assert_eq!(known.host, host.to_ascii_lowercase(), "{host}");
        assert!(!known.takes("no-such-service", "nowhere-1"), "{host}");
    }
}
