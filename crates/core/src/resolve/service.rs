//! Which services speak the query, EC2, JSON and CBOR protocols, and what each operation needs.
//! The table is generated (`xtask/catalog_seed.py`); what it does not list is refused.

use std::sync::LazyLock;

use super::{Partition, Protocol};

static CATALOG: LazyLock<Vec<Service>> = LazyLock::new(|| parse(include_str!("catalog.txt")));

/// One API: several may share a signing name.
#[derive(Debug)]
pub(super) struct Service {
    /// Names the host, `streams.dynamodb`.
    pub(super) endpoint: &'static str,
    /// As in the credential scope.
    pub(super) signing: &'static str,
    /// Before the colon of its IAM actions.
    pub(super) prefix: &'static str,
    protocols: &'static str,
    /// Before the last dot of `X-Amz-Target`; `-` where there is none.
    pub(super) target: &'static str,
    /// The action that tags on creation; `-` where there is none.
    tag_action: &'static str,
    hosts: &'static str,
    operations: Vec<&'static str>,
}

/// One operation, as the table has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation {
    pub(super) service: &'static Service,
    pub(super) name: &'static str,
    /// Actions separated by commas, without prefix; `!why` when it is refused.
    actions: &'static str,
    /// Its actions take no resource.
    pub(super) resourceless: bool,
    /// May hand an IAM role to the service.
    pub(super) passes_role: bool,
    /// The action that is also needed when the request carries tags.
    pub(super) tag_action: Option<&'static str>,
}

impl Operation {
    /// The actions with their prefix, or why the operation is refused.
    pub(super) fn actions(&self) -> Result<impl Iterator<Item = String>, &'static str> {
        match self.actions.strip_prefix('!') {
            Some(why) => Err(why),
            None => Ok(self.actions.split(',').map(|action| format!("{}:{action}", self.service.prefix))),
        }
    }
}

impl Service {
    pub(super) fn speaks(&self, protocol: Protocol) -> bool {
        let wanted = match protocol {
            Protocol::Query => "query",
            Protocol::Ec2 => "ec2",
            Protocol::Json10 | Protocol::Json11 => "json",
            Protocol::RpcV2Cbor => "cbor",
            Protocol::S3 | Protocol::RestJson | Protocol::RestXml => return false,
        };
        self.protocols.split(',').any(|spoken| spoken == wanted)
    }

    pub(super) fn operation(&'static self, name: &str) -> Option<Operation> {
        let at = self.operations.binary_search_by(|line| bare(line).cmp(name)).ok()?;
        let line = self.operations.get(at)?;
        let name = bare(line);
        let mut rest = line.get(name.len()..)?;
        let mut flag = |mark: char| {
            let found = rest.strip_suffix(mark);
            rest = found.unwrap_or(rest);
            found.is_some()
        };
        let (tags, passes_role, resourceless) = (flag('+'), flag('^'), flag('*'));
        let actions = rest.strip_prefix('=').unwrap_or(name);
        let tag_action = Some(self.tag_action).filter(|action| tags && *action != "-");
        Some(Operation { service: self, name, actions, resourceless, passes_role, tag_action })
    }

    /// `host[@signing region]` with `{}` for the region, where it is not the rule.
    pub(super) fn host(&self, partition: Partition) -> Option<&'static str> {
        let entry = |text: &'static str| text.split_once('=').filter(|(name, _)| *name == partition.as_str());
        self.hosts.split(' ').find_map(entry).map(|(_, host)| host)
    }
}

/// Every API of the table.
pub(super) fn all() -> impl Iterator<Item = &'static Service> {
    CATALOG.iter()
}

/// The APIs behind a signing name.
pub(super) fn signing_as(name: &str) -> impl Iterator<Item = &'static Service> {
    CATALOG.iter().filter(move |service| service.signing == name)
}

/// The API behind an endpoint name.
pub(super) fn at_endpoint(name: &str) -> Option<&'static Service> {
    CATALOG.iter().find(|service| service.endpoint == name)
}

fn bare(line: &str) -> &str {
    line.find(|c: char| !c.is_ascii_alphanumeric()).and_then(|at| line.get(..at)).unwrap_or(line)
}

fn parse(text: &'static str) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("@ ") {
            Some(head) => {
                let mut words = head.splitn(7, ' ');
                let mut next = || words.next().unwrap_or("-");
                services.push(Service {
                    endpoint: next(),
                    signing: next(),
                    prefix: next(),
                    protocols: next(),
                    target: next(),
                    tag_action: next(),
                    hosts: next(),
                    operations: Vec::new(),
                });
            }
            None => {
                if let Some(service) = services.last_mut() {
                    service.operations.push(line);
                }
            }
        }
    }
    services
}

#[cfg(test)]
mod tests {
    use super::{CATALOG, bare};
    use crate::resolve::Protocol;

    #[test]
    fn every_line_of_the_table_reads_back() {
        let mut count = 0;
        for service in CATALOG.iter() {
            assert!(service.operations.is_sorted_by_key(|line| bare(line)), "{}", service.endpoint);
            for line in &service.operations {
                let operation = service.operation(bare(line)).expect("found");
                assert_eq!(operation.name, bare(line));
                if let Ok(actions) = operation.actions() {
                    for action in actions {
                        let (prefix, name) = action.split_once(':').expect("colon");
                        assert_eq!(prefix, service.prefix);
                        assert!(!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric()), "{line}");
                    }
                }
                count += 1;
            }
        }
        assert!(CATALOG.len() > 150 && count > 8_000, "{} services, {count} operations", CATALOG.len());
    }

    #[test]
    fn an_endpoint_name_stands_for_one_host() {
        for service in CATALOG.iter() {
            let twins = CATALOG.iter().filter(|other| other.endpoint == service.endpoint);
            assert!(twins.clone().all(|twin| twin.hosts == service.hosts), "{}", service.endpoint);
            assert!(twins.clone().all(|twin| twin.signing == service.signing), "{}", service.endpoint);
        }
    }

    #[test]
    fn an_operation_name_in_one_protocol_belongs_to_one_api() {
        for service in CATALOG.iter() {
            for twin in CATALOG.iter().filter(|twin| !std::ptr::eq(*twin, service) && twin.signing == service.signing) {
                assert!(twin.target == "-" || twin.target != service.target, "{}", service.endpoint);
                let both_query = twin.speaks(Protocol::Query) && service.speaks(Protocol::Query);
                assert!(!both_query, "{} and {}", service.endpoint, twin.endpoint);
            }
        }
    }
}
