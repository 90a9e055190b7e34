//! What the gate knows of AWS's APIs, as plain data. Core does not have the tables: whoever resolves hands in a
//! [`Catalog`], two functions that look them up.

use super::endpoint::Endpoint;
use super::router::Router;
use super::{Partition, Protocol};

/// The tables, as core sees them. Made by the catalogue's crate; cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct Catalog {
    /// The APIs behind a signing name, the one to prefer first.
    pub signing_as: fn(&str) -> Vec<&'static Api>,
    /// The API with this id, or else the first with this endpoint prefix.
    pub named: fn(&str) -> Option<&'static Api>,
    /// The APIs behind a host name, lower case and without a port; `None` for a host that no endpoint rule makes.
    /// Partitions share a few hosts: `None` takes the first that has it.
    pub located: fn(Option<Partition>, &str) -> Option<Located>,
}

/// What a host name stands for.
#[derive(Debug, Clone)]
pub struct Located {
    /// The APIs that answer there; several where they share a host.
    pub apis: Vec<&'static Api>,
    /// The partition that the host belongs to.
    pub partition: Partition,
    /// The region to sign for.
    pub region: String,
    /// Which of the region's endpoints.
    pub variant: Variant,
    /// What stands before the endpoint: a bucket, an account, `data`, `sync-`; empty for most.
    pub prefix: String,
}

impl Catalog {
    /// A catalogue that knows nothing, so that everything but S3 is refused.
    pub const EMPTY: Self = Self { signing_as: |_| Vec::new(), named: |_| None, located: |_, _| None };
}

/// One API: a model of its own. Several may share a signing name.
#[derive(Debug)]
pub struct Api {
    /// Its name among the models, `elbv2`; unique.
    pub id: &'static str,
    /// As in the credential scope.
    pub signing: &'static str,
    /// Names the host, `streams.dynamodb`.
    pub endpoint: &'static str,
    /// Before the colon of its IAM actions.
    pub prefix: &'static str,
    /// What it speaks: `query`, `ec2`, `json`, `rest-json`, `rest-xml`, `cbor`.
    pub protocols: Vec<&'static str>,
    /// Before the last dot of `X-Amz-Target`; `-` where there is none.
    pub target: &'static str,
    /// API version, `2015-03-31`.
    pub version: &'static str,
    /// The action that tags on creation, without prefix.
    pub tag_action: Option<&'static str>,
    /// Its hosts.
    pub hosts: Vec<HostRule>,
    /// By name, in byte order.
    pub operations: Vec<Operation>,
    /// Finds a REST operation by method and path.
    pub router: Router,
}

/// The hosts of one API in one partition, for one variant.
#[derive(Debug, Clone)]
pub struct HostRule {
    /// The partition.
    pub partition: Partition,
    /// Which of the partition's endpoints.
    pub variant: Variant,
    /// `host[@signing region]` with `{}` for the region.
    pub template: &'static str,
    /// The regions that have another one.
    pub regions: Vec<(&'static str, &'static str)>,
}

/// Which of a region's endpoints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Variant {
    /// FIPS 140 validated.
    pub fips: bool,
    /// IPv4 and IPv6.
    pub dual_stack: bool,
}

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its name, `GetObject`.
    pub name: &'static str,
    /// Before the host, `data.` or `{label}.`; empty for most.
    pub host_prefix: &'static str,
    /// HTTP method; `POST` for protocols that know no other.
    pub method: &'static str,
    /// Path template and literal query, `/a/{B}/{C+}?d=e`.
    pub uri: &'static str,
    /// It is called without a signature.
    pub unsigned: bool,
    /// It may hand an IAM role to the service.
    pub passes_role: bool,
    /// It tags what it makes, when the request carries tags.
    pub tags: bool,
    /// Its resources are named in the body.
    pub names_in_body: bool,
    /// Its body is bytes or a stream, and never read.
    pub opaque_body: bool,
    /// The actions that AWS checks, or why it is refused.
    pub accesses: Result<Vec<ActionRule>, &'static str>,
    /// Service-specific condition keys that AWS defines for its actions.
    pub condition_keys: Vec<&'static str>,
    /// Where the request has the tags that conditions look at.
    pub tags_at: Option<TagsAt>,
}

/// A member of the input that holds tags, or keys of tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TagsAt {
    /// The query or the top level of the body.
    pub place: Place,
    /// Its name on the wire; in a form, what stands before the number of an item.
    pub name: &'static str,
    /// Its form.
    pub form: TagForm,
}

/// How tags are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagForm {
    /// A list of pairs.
    Pairs {
        /// The member with the key.
        key: &'static str,
        /// The member with the value.
        value: &'static str,
    },
    /// Keys with values.
    Map,
    /// A list of keys.
    Keys,
}

/// One action, and how the request names its resources.
#[derive(Debug, Clone)]
pub struct ActionRule {
    /// Without its prefix.
    pub action: &'static str,
    /// What kind of action it is.
    pub level: Level,
    /// Its resources.
    pub slots: Vec<Slot>,
}

/// The access level of an action (Service Authorization Reference).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Names what there is.
    List,
    /// Reads contents.
    Read,
    /// Changes contents.
    Write,
    /// Changes tags only.
    Tagging,
    /// Changes who may do what.
    Permissions,
}

/// How a request names one of an action's resources.
#[derive(Debug, Clone)]
pub enum Slot {
    /// The action takes no resource.
    All,
    /// The request does not tell.
    Unknown,
    /// An ARN with variables.
    Arn {
        /// With `{P}`, `{R}`, `{A}` for partition, region and account, `{}` for each variable.
        template: &'static str,
        /// Counts only when its last variable is given.
        optional: bool,
        /// Its last variable may have slashes.
        paths: bool,
        /// For each variable, the members that may give it; where none does, the ARN is a pattern.
        variables: Vec<Vec<Member>>,
    },
}

/// A member of an operation's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Where it is.
    pub place: Place,
    /// Its name on the wire; in a body also a path into structures and lists of them, `A[].B`.
    pub name: &'static str,
    /// It is a list of texts.
    pub list: bool,
    /// It can only be a whole ARN.
    pub whole: bool,
    /// What the service takes where it is not given.
    pub default: Option<&'static str>,
}

/// Where a member of the input is in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A label of the path.
    Path,
    /// The query of the URL.
    Query,
    /// A header.
    Header,
    /// The top level of the body.
    Body,
}

impl Api {
    /// Whether it speaks a protocol.
    pub fn speaks(&self, protocol: Protocol) -> bool {
        let wanted = match protocol {
            Protocol::Query => "query",
            Protocol::Ec2 => "ec2",
            Protocol::Json10 | Protocol::Json11 => "json",
            Protocol::RpcV2Cbor => "cbor",
            Protocol::RestJson => "rest-json",
            Protocol::RestXml => "rest-xml",
            Protocol::S3 => return false,
        };
        self.protocols.contains(&wanted)
    }

    /// An operation by its exact name.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        let at = self.operations.binary_search_by(|operation| operation.name.cmp(name)).ok()?;
        self.operations.get(at)
    }

    /// Its host and signing region; `None` where AWS has no such endpoint. `region` must be a region of `partition`.
    pub fn host(&self, partition: Partition, region: &str, variant: Variant) -> Option<Endpoint> {
        let rule = self.hosts.iter().find(|rule| rule.partition == partition && rule.variant == variant)?;
        let own = rule.regions.iter().find(|(known, _)| *known == region);
        let template = own.map_or(rule.template, |(_, template)| template);
        let (host, home) = template.split_once('@').unwrap_or((template, region));
        (host != "-").then(|| Endpoint { host: host.replace("{}", region), region: home.to_owned() })
    }
}

/// An operation and the API that it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) api: &'static Api,
    pub(super) operation: &'static Operation,
}

impl Found {
    pub(super) fn by_name(api: &'static Api, name: &str) -> Option<Self> {
        api.operation(name).map(|operation| Self { api, operation })
    }

    pub(super) fn name(&self) -> &'static str {
        self.operation.name
    }

    /// The action that is also needed when the request carries tags.
    pub(super) fn tag_action(&self) -> Option<&'static str> {
        self.api.tag_action.filter(|_| self.operation.tags)
    }
}
