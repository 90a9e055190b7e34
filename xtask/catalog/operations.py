"""One line of the table per operation."""

import re
import sys

import checks
from actions import LEVELS
from models import OLDER
from resources import slots

# Input members with `role` in their names that are no IAM roles handed to a service.
NOT_PASSED = {"participantrole", "targetrole", "rolesessionname", "enableiotrolealias", "impersonationroleid",
              "impersonationroleids", "notimpersonationroleids", "executionrolesessionnamemode", "rolename"}
CARRIES_ROLE = re.compile(r"role|instanceprofile", re.I)
TAG_ACTION = re.compile(r"^(Create|Add)?Tags?(s?ToResource|Resource|s)?$")

# What requests call the tags that they give; `crates/core/src/resolve/resource.rs` has the same list.
TAG_MEMBERS = {"tags", "taglist", "tagslist", "tagset", "tagspecifications"}
# The keys that an action has when AWS judges the tags that its request gives.
TAGS_OF_REQUEST = ("aws:RequestTag", "aws:TagKeys")


def line(model, name, asked, actions, types, keys, tags):
    """`Name  flags  host-prefix  METHOD uri  accesses  condition-keys  tags`, separated by tabs."""
    operation = model.operations[name]
    flags, accesses, used = "", "", []
    prefix = actions.prefix(model)
    if operation.get("authtype") == "none" or operation.get("auth") == ["smithy.api#noAuth"]:
        flags += "u"
    if operation.get("unsignedPayload") or operation.get("authtype") == "v4-unsigned-body":
        flags += "n"
    if isinstance(asked, str):
        accesses = asked
        # What may be allowed by a guess still says whether it hands over a role.
        if asked == "!no-action" and passes_role(model.deep_names(operation), set()):
            flags += "r"
    else:
        privileges = [actions.privilege(prefix, action) for action in asked]
        depends = {d for p in privileges for kind in p["resource_types"].values() for d in kind["dependent_actions"]}
        deep = model.deep_names(operation)
        if prefix not in ("iam", "sts") and passes_role(deep, depends):
            flags += "r"
        kinds = [kind for privilege in privileges for kind in privilege["resource_types"].values()]
        judged = any(key.startswith(TAGS_OF_REQUEST) for kind in kinds for key in kind["condition_keys"])
        tagging = any(privilege["access_level"] == "Tagging" for privilege in privileges)
        general = actions.tagging(prefix) if judged and not tagging else None
        tag = tag_action(prefix, asked, deep, depends, general)
        if tag:
            flags += "t"
            tags.append(tag)
        resources = actions.resources(prefix)
        parts = []
        for action, privilege in zip(asked, privileges, strict=True):
            found = slots(model, prefix, name, action, privilege, resources, types)
            parts.append(f"{action} {LEVELS[privilege['access_level']]} {' '.join(found)}")
            used += [k for kind in privilege["resource_types"].values() for k in kind["condition_keys"]]
        accesses = ";".join(parts)
        if any(slot_place in accesses for slot_place in ("(b:", "|b:", "/b:")):
            flags += "b"
        if not model.payload_is_read(operation):
            flags += "s"
    numbers = ",".join(str(keys.number(k)) for k in dict.fromkeys(used))
    http = operation["http"]
    host = operation.get("endpoint", {}).get("hostPrefix", "")
    for member in model.members(operation):
        host = host.replace("{" + member.name + "}", "{" + member.wire + "}")
    judged = any(key.startswith(TAGS_OF_REQUEST) for key in used)
    readable = {"query", "ec2", "json", "cbor", "rest-json"} & set(model.protocols)
    tagged = model.tags(operation) if judged and readable else ""
    uri = f"{http['method']} {http['requestUri']}"
    return "\t".join([name, flags, host, uri, accesses, numbers, tagged])


def older(model, lines):
    """The same operations as older SDKs send them: only what the path names may say which resource is meant."""
    made = {fields[0]: fields for fields in (line.split("\t") for line in lines)}
    found = []
    for name, route in OLDER.get(model.service, {}).items():
        fields = made[name]
        labels = set(re.findall(r"\{([^}]+)\}", route))
        named = set(re.findall(r"[pqhb]:([^)|/=?+ ]+)", fields[4]))
        method, uri = route.split(" ")
        taken = {checks.shape(operation) for operation in model.operations.values()}
        if checks.shape({"http": {"method": method, "requestUri": uri}}) in taken or not named <= labels:
            sys.exit(f"{model.service} {name}: not an older form of {fields[3]} {fields[4]}")
        found.append("\t".join([*fields[:3], route, *fields[4:]]))
    return found


def passes_role(members, depends):
    return "iam:PassRole" in depends or any(
        CARRIES_ROLE.search(m) and m.lower() not in NOT_PASSED for m in members)


def tag_action(prefix, asked, members, depends, general):
    """The action that tags given at creation need as well ("Controlling access during AWS requests", IAM user guide):
    the one that AWS's data names as dependent, or else the service's own where it judges the tags of this request."""
    tags = sorted(d.split(":")[1] for d in depends
                  if d.startswith(prefix + ":") and TAG_ACTION.match(d.split(":")[1]))
    if prefix == "ec2" and "TagSpecifications" in members and "CreateTags" not in asked:
        tags = ["CreateTags"]
    if not tags and general:
        tags = [general]
    return tags[0] if tags and any(m.lower() in TAG_MEMBERS for m in members) else None
