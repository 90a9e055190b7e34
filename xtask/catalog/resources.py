"""Which members of an operation's input name the resources of its actions.

The result is a list of slots per action. A slot is `*` (the action takes no resource), `?` (the resource cannot be
told), or `[~][^]N(refs|refs)`: the resource type N of the service's table, and for each variable of its ARN the members
that may give it. A variable without members stays open, which makes the ARN a pattern. `~` marks a slot that counts
only when its last variable is given, `^` one whose last variable may have slashes. A ref is `<place>:<name on the wire>`,
where a name may be a path into structures (`A.B`) and lists of them (`A[].B`), with `+` after a list of texts, `=`
after a member that can only be a whole ARN, and `?text` for what the service takes where the member is not given.
"""

import re

from given import Given
from models import Member, fold

VARIABLE = re.compile(r"\$\{([^}]*)\}")
STANDARD = {"Partition", "Region", "Account"}

# Members that give a variable of another name: prefix -> {folded variable: folded members}.
ALIASES = {
    "rds": {
        "dbinstancename": ["dbinstanceidentifier"], "dbclusterinstancename": ["dbclusteridentifier"],
        "snapshotname": ["dbsnapshotidentifier"], "clustersnapshotname": ["dbclustersnapshotidentifier"],
        "subnetgroupname": ["dbsubnetgroupname"], "parametergroupname": ["dbparametergroupname"],
        "clusterparametergroupname": ["dbclusterparametergroupname"], "optiongroupname": ["optiongroupname"],
    },
    "ecs": {"taskdefinitionfamilyname": []},
    "s3": {"accesspointname": ["name"], "grantid": ["accessgrantid"], "locationid": ["accessgrantslocationid"]},
    "ssm": {"instanceid": ["target"]},
    "states": {"statemachinename": ["statemachinearn="]},
}

GIVEN = Given()

# ARN templates that say more than the reference does. A star stands for what requests do not tell: IAM's entities have
# paths. An alias is given with its kind, and a schema's name stands behind that of its registry.
TEMPLATES = {
    ("iam", kind): f"arn:${{Partition}}:iam::${{Account}}:{kind}/*${{{variable}}}"
    for kind, variable in [("group", "GroupNameWithPath"), ("instance-profile", "InstanceProfileNameWithPath"),
                           ("role", "RoleNameWithPath"), ("server-certificate", "CertificateNameWithPath"),
                           ("user", "UserNameWithPath")]
}
TEMPLATES["kms", "alias"] = "arn:${Partition}:kms:${Region}:${Account}:${Alias}"
TEMPLATES["glue", "schema"] = "arn:${Partition}:glue:${Region}:${Account}:schema/${SchemaRegistry}/${SchemaName}"

# Operations whose ARN is of another kind too than their name says.
ONE_OF = {("states", "DescribeExecution")}

# What one API's model never means, where several share the prefix of their actions.
OTHERS = {"elb": re.compile("(?!loadbalancer$).*"), "elbv2": re.compile("loadbalancer$")}

# ARN templates that say what is really checked, where the reference is short: (prefix, type, not for) -> template.
# CloudWatch Logs checks a group with `:*` except where it is tagged ("Resource ARNs", CloudWatch Logs user guide).
LOG_GROUP_AS_IS = {"TagResource", "UntagResource", "ListTagsForResource"}

# Variables whose texts have slashes. Elsewhere a slash tells another kind of name, such as `alias/…` for a key.
PATHS = {("kms", "alias"), ("logs", "loggroupname"), ("logs", "logstreamname"), ("ecr", "repositoryname"), ("ecr-public", "repositoryname"),
         ("codeartifact", "packagename"), ("mediastore", "objectpath")}

# Members that choose resources by tag or by group.
SELECTORS = {"Targets", "TargetLocations", "ResourceGroups"}
# Nested names that say nothing about whose they are.
GENERIC_NAMES = {"id", "name", "arn", "identifier", "resource", "resourcearn", "resourceidentifier", "resourceid"}

# Kinds that an action's other members never mean: an ECS task is `ecs:…`, which is no plain name; a bucket takes output.
IRRELEVANT = {("ssm", "StartSession"): {"task"}, ("ssm", "SendCommand"): {"bucket"}}

GENERIC_ARN = ("resourcearn", "resource", "arn", "resourceidentifier", "arnforresource")


class Types:
    """The ARN templates that one API uses, numbered."""

    def __init__(self):
        self.templates = []

    def number(self, template):
        if template not in self.templates:
            self.templates.append(template)
        return self.templates.index(template)


def slots(model, prefix, name, action, privilege, resources, types):
    """The slots of one action."""
    if model.service in ("apigateway", "apigatewayv2"):
        return [api_gateway(model, name, types)]
    others = OTHERS.get(model.service, re.compile("$.^"))
    asked = {kind: described for kind, described in privilege["resource_types"].items()
             if kind and not others.match(kind)}
    if not asked:
        return ["*"]
    members = model.members(model.operations[name])
    required = [kind for kind in asked if asked[kind]["required"]]
    if not required and len(asked) == 1:
        required = list(asked)
    nested = model.deep_names(model.operations[name]) - {m.name for m in members}
    found, lost = [], False
    for kind in asked:
        template = TEMPLATES.get((prefix, kind)) or resources.get(kind, {}).get("arn")
        if not template:
            if kind in required:
                found.append("?")
            continue
        slot, last_given = fill(model, prefix, name, action, kind, template, members, types)
        irrelevant = kind in IRRELEVANT.get((prefix, action), ())
        if kind in required or not irrelevant and hidden(prefix, name, kind, template, members, nested):
            found.append(slot)
        elif last_given:
            found.append("~" + slot)
        else:
            lost |= not required and not irrelevant
    # One of several kinds is meant. Unless a whole ARN says which, the ones that nothing names might be.
    if lost and not all(slot.endswith("=)") for slot in found):
        found.append("?")
    # Where only optional slots are left, a request that fills none of them names nothing that can be told.
    found = list(dict.fromkeys(found))
    # The ARN of a `DeleteChannel` is a channel's: what else it needs is not told.
    noun = fold(re.sub(r"^[A-Z][a-z]+", "", name))
    named = [kind for kind in asked if fold(kind.split("/")[0]) == noun]
    if len(named) != 1 or (prefix, name) in ONE_OF:
        found = alternatives(found)
    return found or ["?"]


def alternatives(found):
    """Required slots that nothing but one and the same whole ARN gives: it is of one of their kinds."""
    given = [slot.rstrip(")").rpartition("(")[2].lstrip("|") for slot in found]
    whole = [ref.endswith("=") and "/" not in ref.partition(":")[2] and "|" not in ref for ref in given]
    required = [ref for slot, ref in zip(found, given, strict=True) if not slot.startswith("~")]
    return ["~" + slot if one and not slot.startswith("~") and required.count(ref) > 1 else slot
            for slot, ref, one in zip(found, given, whole, strict=True)]


def fill(model, prefix, name, action, kind, template, members, types):
    """One slot, and whether its last variable can be given."""
    if prefix == "logs" and kind == "log-group" and action not in LOG_GROUP_AS_IS:
        template += ":*"
    variables = [v for v in VARIABLE.findall(template) if v not in STANDARD]
    refs = []
    for at, variable in enumerate(variables):
        last = at == len(variables) - 1
        named = GIVEN.members(model, prefix, name, kind, fold(variable), last)
        if named is None:
            found = givers(prefix, name, kind, variable, last, members, len(variables))
            named = [(member, whole, "") for member, whole in found]
        refs.append([ref(member, whole, default) for member, whole, default in named])
    number = types.number(shortened(template))
    text = "|".join("/".join(part) for part in refs)
    path = "^" if variables and (prefix, fold(variables[-1])) in PATHS else ""
    return f"{path}{number}({text})", bool(refs and refs[-1]) or not variables


def hidden(prefix, name, kind, template, members, nested):
    """Whether a structure or a selector may name the resource, so that its absence at the top says nothing."""
    if SELECTORS & {m.name for m in members}:
        return True
    variables = [v for v in VARIABLE.findall(template) if v not in STANDARD]
    inside = [Member(n, "string", "b", n, False) for n in nested if fold(n) not in GENERIC_NAMES]
    return bool(variables) and any(True for _ in givers(prefix, name, kind, variables[-1], True, inside, len(variables)))


def givers(prefix, name, kind, variable, last, members, count):
    """The members that give a variable, and whether each can only be a whole ARN."""
    v, base_kind = fold(variable), fold(re.sub(r"[/*].*", "", kind))
    noun = fold(re.sub(r"^[A-Z][a-z]+", "", name))
    stem, suffix = v, ""
    for ending in ("identifier", "name", "arn", "id"):
        if v.endswith(ending):
            stem, suffix = v[:-len(ending)], ending
            break
    plain, whole = {v, v + "s"}, set()
    if suffix in ("id", "identifier"):
        plain |= {stem + "id", stem + "identifier", stem + "ids", stem + "identifiers", stem}
    if suffix == "name":
        plain |= {stem, stem + "s"}
    if stem in ("", "resource"):
        plain |= {base_kind + suffix, base_kind + "identifier"} if suffix != "name" else {base_kind + "name"}
    if last:
        for word in {stem, base_kind}:
            whole |= {word + "arn", word + "arns"} if word else set()
        whole |= set(GENERIC_ARN)
        if {stem, base_kind} & {noun, noun.rstrip("s")} or count == 1 and stem == "":
            plain |= {"name"} if suffix == "name" else {"id", "identifier"} if suffix in ("id", "identifier") else set()
    for alias in ALIASES.get(prefix, {}).get(v, []):
        (whole if alias.endswith("=") else plain).add(alias.rstrip("="))
    for member in members:
        if member.kind not in ("string", "strings"):
            continue
        folded = fold(member.name)
        if folded in plain - {"resource", "resourceidentifier"}:
            yield member, False
        elif folded in whole:
            yield member, True


def ref(member, whole, default):
    marks = ("+" if member.kind == "strings" else "") + ("=" if whole else "") + (f"?{default}" if default else "")
    return f"{member.place}:{member.wire}{marks}"


def shortened(template):
    """The template with `{P}`, `{R}`, `{A}` and `{}` for every other variable."""
    letters = {"Partition": "{P}", "Region": "{R}", "Account": "{A}"}
    return VARIABLE.sub(lambda found: letters.get(found.group(1), "{}"), template)


def api_gateway(model, name, types):
    """API Gateway checks HTTP verbs on the path itself ("How API Gateway works with IAM")."""
    uri = model.operations[name]["http"]["requestUri"].split("?")[0]
    labels = re.findall(r"\{([^}+]+)\+?\}", uri)
    path = re.sub(r"\{[^}]+\}", "{}", uri)
    path = re.sub(r"^/v2/", "/", path)
    number = types.number("arn:{P}:apigateway:{R}::" + path)
    return f"{number}({'|'.join('p:' + label for label in labels)})"
