//! What the names of single services mean beyond what a template of an ARN can say.

use super::super::catalog::Found;
use super::super::json::Json;
use super::Given;
use super::arn::{self, Scope, is_account, plain};
use super::tagged;
use crate::denial::Denial;
use crate::policy::{AccessRequest, Resource};

/// Whether [`adjust`] looks at the body of an operation.
pub(super) fn reads_body(operation: &Found) -> bool {
    matches!(
        (operation.api.id, operation.name()),
        ("secretsmanager", "BatchGetSecretValue") | ("ssm", "GetParametersByPath")
    )
}

/// Corrects what the templates made of a request.
pub(super) fn adjust(
    scope: &Scope<'_>,
    operation: &Found,
    given: Given<'_>,
    all: &mut Vec<AccessRequest>,
) -> Result<(), Denial> {
    match (operation.api.id, operation.name()) {
        ("bedrock-runtime", _) => {
            if let Some(text) = given.text("modelId")? {
                each_on(all, &model(scope, text));
            }
        }
        ("ec2", "CreateTags" | "DeleteTags") => each_on(all, &tagged::by_id(scope, given)?),
        ("events", _) => {
            let rule = given.text("Rule")?.or(given.text("Name")?);
            if let Some(rule) = rule.filter(|_| all.iter().any(|access| access.resource.shown().contains(":rule/"))) {
                each_on(all, &[event_rule(scope, given.text("EventBusName")?, rule)]);
            }
        }
        ("glue", _) => {
            let catalog = given.text("CatalogId")?;
            if catalog.is_some() && catalog != scope.request.caller.account {
                // Another account's catalogue, or one within the caller's (`s3tablescatalog/bucket`), whose databases
                // and tables have the names of others: the ARNs were made for the caller's own.
                each_on(all, &[Resource::Opaque]);
            }
        }
        ("logs", "DescribeLogGroups") => {
            // What AWS names when it refuses the call.
            each_on(all, &[scope.local("logs", "log-group::log-stream:")]);
        }
        ("route53", "ChangeTagsForResource" | "ListTagsForResource") => {
            let named = match (given.text("ResourceType")?, given.text("ResourceId")?) {
                (Some(kind @ ("healthcheck" | "hostedzone")), Some(id)) if plain(id, b"-") => {
                    Resource::Exact(format!("arn:{}:route53:::{kind}/{id}", scope.partition.as_str()))
                }
                _ => Resource::Opaque,
            };
            each_on(all, &[named]);
        }
        ("secretsmanager", "BatchGetSecretValue") => {
            let ids = given.json("SecretIdList")?.map(Json::items).unwrap_or_default();
            if !ids.is_empty() {
                let secret = |id: &Json| id.text().map_or(Resource::Opaque, |id| arn::secret(scope, id));
                named_by(all, "secretsmanager:GetSecretValue", ids.iter().map(secret));
            }
        }
        ("ssm", "GetParametersByPath") => {
            if let Some(path) = given.text("Path")? {
                each_on(all, &parameter_path(scope, path));
            }
        }
        ("efs" | "ssm", _) => only_the_kind_of_the_id(all),
        ("wafv2", _) => all.iter_mut().for_each(|access| lower_scope(&mut access.resource)),
        _ => {}
    }
    Ok(())
}

/// Every action once on every resource.
fn each_on(all: &mut Vec<AccessRequest>, resources: &[Resource]) {
    let mut actions: Vec<String> = Vec::new();
    for access in all.drain(..) {
        if !actions.contains(&access.action) {
            actions.push(access.action);
        }
    }
    for action in actions {
        all.extend(resources.iter().map(|r| AccessRequest { action: action.clone(), resource: r.clone() }));
    }
}

/// One action on these resources, instead of on what it had.
fn named_by(all: &mut Vec<AccessRequest>, action: &str, resources: impl Iterator<Item = Resource>) {
    all.retain(|access| access.action != action);
    all.extend(resources.map(|resource| AccessRequest { action: action.to_owned(), resource }));
}

/// Kinds of ARNs that `modelId` takes.
const MODELS: [&str; 10] = [
    "application-inference-profile/",
    "custom-model-deployment/",
    "custom-model/",
    "default-prompt-router/",
    "foundation-model/",
    "imported-model/",
    "inference-profile/",
    "prompt-router/",
    "prompt/",
    "provisioned-model/",
];
/// Whose models there are: the first word of a model's id.
const PROVIDERS: [&str; 21] = [
    "ai21",
    "amazon",
    "anthropic",
    "cohere",
    "deepseek",
    "google",
    "luma",
    "meta",
    "minimax",
    "mistral",
    "moonshot",
    "moonshotai",
    "nvidia",
    "openai",
    "qwen",
    "stability",
    "twelvelabs",
    "writer",
    "xai",
    "z-ai",
    "zai",
];
/// Where an inference profile sends its calls: the first word of its id.
const GEOGRAPHIES: [&str; 10] = ["amer", "apac", "au", "ca", "eu", "global", "jp", "us", "us-gov", "sa"];

/// A model by its id or ARN. An inference profile needs its model too, in every region to which it may send (Bedrock
/// user guide, "Prerequisites for inference profiles"); which one stands behind a profile of one's own is not told.
fn model(scope: &Scope<'_>, text: &str) -> Vec<Resource> {
    let partition = scope.partition.as_str();
    let anywhere = |id: &str| Resource::Pattern(format!("arn:{partition}:bedrock:*::foundation-model/{id}"));
    if let Some(arn) = model_arn(scope, text) {
        let (kind, id) = text.splitn(6, ':').last().and_then(|rest| rest.split_once('/')).unwrap_or_default();
        let behind = match kind {
            "inference-profile" => Some(id.split_once('.').map_or("*", |(_, id)| id)),
            "application-inference-profile" | "default-prompt-router" | "prompt-router" | "prompt" => Some("*"),
            _ => None,
        };
        return [arn].into_iter().chain(behind.map(anywhere)).collect();
    }
    let (first, rest) = text.split_once('.').unwrap_or_default();
    let region = scope.request.region;
    match (plain(text, b"._:-"), scope.request.caller.account) {
        (true, _) if PROVIDERS.contains(&first) => {
            vec![Resource::Exact(format!("arn:{partition}:bedrock:{region}::foundation-model/{text}"))]
        }
        (true, Some(_)) if GEOGRAPHIES.contains(&first) => {
            vec![scope.local("bedrock", &format!("inference-profile/{text}")), anywhere(rest)]
        }
        _ => vec![Resource::Opaque],
    }
}

fn model_arn(scope: &Scope<'_>, text: &str) -> Option<Resource> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "bedrock", region, account, rest] = parts.as_slice() else { return None };
    let legal = *partition == scope.partition.as_str()
        && plain(region, b"-")
        && (is_account(account) || account.is_empty() && rest.starts_with("foundation-model/"))
        && MODELS.iter().any(|kind| rest.strip_prefix(kind).is_some_and(|id| plain(id, b"._:-")));
    legal.then(|| Resource::Exact(text.to_owned()))
}

/// A rule is named below its bus, unless that is the default one.
fn event_rule(scope: &Scope<'_>, bus: Option<&str>, rule: &str) -> Resource {
    let caller = scope.request.caller.account.unwrap_or("-");
    let own = format!("arn:{}:events:{}:{caller}:event-bus/", scope.partition.as_str(), scope.request.region);
    let bus = bus.map_or("default", |bus| bus.strip_prefix(&own).unwrap_or(bus));
    match (plain(rule, b"._-"), plain(bus, b"/._-")) {
        (true, true) if bus == "default" => scope.local("events", &format!("rule/{rule}")),
        (true, true) => scope.local("events", &format!("rule/{bus}/{rule}")),
        _ => Resource::Opaque,
    }
}

/// A path of parameters is checked as it is given; whether with the slash at its end is not told anywhere.
fn parameter_path(scope: &Scope<'_>, path: &str) -> Vec<Resource> {
    let bare = path.strip_prefix('/').unwrap_or(path);
    let name = bare.strip_suffix('/').unwrap_or(bare);
    let named = |name: &str| scope.local("ssm", &format!("parameter/{name}"));
    match plain(name, b"/_.-") && !name.contains("//") {
        true if name == bare => vec![named(name)],
        true => vec![named(name), named(bare)],
        // The root is all of them.
        false if name.is_empty() => vec![scope.pattern("ssm", scope.request.region, "parameter/*")],
        false => vec![Resource::Opaque],
    }
}

/// Resources of a kind that their id is not of.
const NO_SUCH: [&str; 4] = [":access-point/fs-", ":file-system/fsap-", ":instance/mi-", ":managed-instance/i-"];

/// `i-…` is an instance of EC2 and `mi-…` one that is managed elsewhere; the templates say both of every id.
fn only_the_kind_of_the_id(all: &mut Vec<AccessRequest>) {
    let contradicts = |access: &AccessRequest| {
        let arn = access.resource.shown();
        NO_SUCH.iter().any(|no_such| arn.contains(no_such))
    };
    if !all.iter().all(contradicts) {
        all.retain(|access| !contradicts(access));
    }
}

/// The scope of WAF is written in upper case in requests, and otherwise in ARNs.
fn lower_scope(resource: &mut Resource) {
    if let Resource::Exact(arn) | Resource::Pattern(arn) = resource {
        *arn = arn.replacen(":REGIONAL/", ":regional/", 1).replacen(":CLOUDFRONT/", ":global/", 1);
    }
}
