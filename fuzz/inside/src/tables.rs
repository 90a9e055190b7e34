//! The catalogue's tables, read from any text.

use std::collections::BTreeSet;

use hallpass_core::resolve::Partition;
use hallpass_core::resolve::catalog::{Api, Slot, Variant};

use crate::{host, read, table};

/// Looks a host up in the tables that are compiled in; says which APIs it belongs to.
pub fn located(host: &str) -> Option<(Vec<&'static str>, String, String)> {
    let found = host::located(None, host)?;
    let ids = found.apis.iter().map(|api| api.id).collect();
    Some((ids, found.region.to_string(), found.prefix.to_string()))
}

/// Reads `text` as a whole table, and asks every API of it for everything. The text is kept until the process ends.
pub fn whole(text: String) {
    let index: &'static table::Index = Box::leak(Box::new(table::Index::read(text.leak())));
    for entry in &index.entries {
        sound(entry.api(), entry.section());
        let _ = index.named(entry.api().id);
    }
    for name in ["", "s3", "ec2"] {
        assert!(index.signing_as(name).count() <= index.entries.len());
    }
}

/// Reads `text` as one API's section. The text is kept until the process ends.
pub fn section(text: String) {
    let text: &'static str = text.leak();
    sound(&read::api(text), text);
}

/// Nothing is in an API that its section does not say.
fn sound(api: &Api, section: &str) {
    assert!(api.operations.len() + api.hosts.len() < section.lines().count().max(1), "more is known than was said");
    for operation in &api.operations {
        assert!(section.contains(operation.name) && section.contains(operation.uri), "{operation:?}");
        if let Ok(rules) = &operation.accesses {
            for rule in rules {
                rule.slots.iter().for_each(filled);
            }
        }
        let _ = api.operation(operation.name);
    }
    let variants =
        [false, true].into_iter().flat_map(|fips| [false, true].map(|dual_stack| Variant { fips, dual_stack }));
    let partitions: BTreeSet<&str> = ["aws", "aws-cn", "aws-us-gov"].into();
    for variant in variants {
        for partition in partitions.iter().filter_map(|name| Partition::by_name(name)) {
            let _ = api.host(partition, "eu-west-1", variant);
        }
    }
}

/// As many places as the ARN has.
fn filled(slot: &Slot) {
    if let Slot::Arn { template, variables, .. } = slot {
        assert_eq!(template.matches("{}").count(), variables.len(), "{slot:?}");
    }
}
