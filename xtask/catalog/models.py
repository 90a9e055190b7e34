"""The service models of botocore: what an operation looks like on the wire."""

import gzip
import json
import os
import re
from dataclasses import dataclass

PROTOCOLS = {
    "query": "query", "ec2": "ec2", "json": "json", "rest-json": "rest-json", "rest-xml": "rest-xml",
    "smithy-rpc-v2-cbor": "cbor",
}
# Operations that AWS has announced and no SDK has yet (announced 2026-11-19: `sts:GetScopedCredentials`).
NEWER = {"sts": ["GetScopedCredentials"]}
# Older SDKs speak these protocols to services whose current model no longer lists them.
ALSO = {"sqs": ["query"]}
# Older SDKs send these calls by another method or path (botocore 1.29 to 1.43, the former `http` of the operation).
OLDER = {
    "bedrock-agentcore-control": {
        "ListDatasetExamples": "GET /datasets/{datasetId}/examples",
        "ListDatasetVersions": "GET /datasets/{datasetId}/versions",
        "ListDatasets": "GET /datasets",
    },
    "quicksight": {
        "ListIAMPolicyAssignments": "GET /accounts/{AwsAccountId}/namespaces/{Namespace}/iam-policy-assignments",
    },
    "sesv2": {
        "ListConfigurationSets": "GET /v2/email/configuration-sets",
        "ListContacts": "GET /v2/email/contact-lists/{ContactListName}/contacts",
        "ListEmailIdentities": "GET /v2/email/identities",
        "ListImportJobs": "GET /v2/email/import-jobs",
        "PutEmailIdentityDkimSigningAttributes": "PUT /v1/email/identities/{EmailIdentity}/dkim/signing",
    },
}


@dataclass(frozen=True)
class Member:
    """One member at the top of an operation's input."""

    name: str
    kind: str  # of the shape; "strings" for a list of strings
    place: str  # p(ath) q(uery) h(eader) b(ody)
    wire: str
    required: bool


class Model:
    """The newest model of one service."""

    def __init__(self, service, folder):
        self.service = service
        self.json = load(os.path.join(folder, "service-2.json"))
        self.rules = load(os.path.join(folder, "endpoint-rule-set-1.json"))
        self.meta = self.json["metadata"]
        self.shapes = self.json["shapes"]
        self.operations = self.json["operations"]
        for name in NEWER.get(service, []):
            self.operations.setdefault(name, {"name": name, "http": {"method": "POST", "requestUri": "/"}})
        spoken = self.meta.get("protocols", [self.meta["protocol"]])
        self.protocols = sorted({PROTOCOLS[p] for p in [*spoken, *ALSO.get(service, [])]})
        self.endpoint = self.meta["endpointPrefix"]
        self.signing = self.meta.get("signingName") or self.endpoint
        self.target = self.meta.get("targetPrefix") or "-"
        self.version = self.meta["apiVersion"]

    def shape(self, name):
        return self.shapes[name]

    def members(self, operation):
        """The members at the top of the input, with the names that they have on the wire."""
        described = self.input(operation)
        payload = described.get("payload")
        found = []
        for name, target in described.get("members", {}).items():
            place = {"uri": "p", "querystring": "q", "header": "h", "headers": "h"}.get(target.get("location"), "b")
            if place == "b" and payload:
                continue
            found.append(Member(name, self.kind(target["shape"]), place, self.wire(name, target, place),
                                name in described.get("required", []) or place == "p"))
        return found

    def nested(self, operation, path):
        """The member that a path names: its place, name on the wire and kind are those of a member; else `None`."""
        shape, wires, place = self.input(operation), [], "b"
        parts = path.split(".")
        for at, part in enumerate(parts):
            name, listed = part.removesuffix("[]"), part.endswith("[]")
            target = shape.get("members", {}).get(name)
            if not target or at == 0 and shape.get("payload"):
                return None
            if at == 0:
                place = {"uri": "p", "querystring": "q", "header": "h", "headers": "h"}.get(target.get("location"), "b")
            wires.append(self.wire(name, target, place) + ("[]" if listed else ""))
            inner = self.shapes[target["shape"]]
            if at == len(parts) - 1:
                kind = self.kind(target["shape"])
                if kind not in ("string", "strings") and not (place in "pq" and kind in ("integer", "long")):
                    return None
                kind = kind if kind == "strings" else "string"
                return Member(".".join(wires), kind, place, ".".join(wires), False)
            if listed != (inner["type"] == "list") or place != "b":
                return None
            shape = self.shapes[inner["member"]["shape"]] if listed else inner
        return None

    def wire(self, name, target, place):
        located = target.get("locationName")
        if "ec2" in self.protocols and place == "b":
            queried = target.get("queryName")
            return queried or (located[0].upper() + located[1:] if located else name)
        return located or name

    def kind(self, name):
        shape = self.shapes[name]
        if shape["type"] == "list" and self.shapes[shape["member"]["shape"]]["type"] == "string":
            return "strings"
        return shape["type"]

    def input(self, operation):
        name = operation.get("input", {}).get("shape")
        return self.shapes[name] if name else {}

    def payload_is_read(self, operation):
        """Whether the body can be read for names at all: it is neither bytes nor a stream."""
        described = self.input(operation)
        payload = described.get("payload")
        if not payload:
            return True
        shape = self.shapes[described["members"][payload]["shape"]]
        return shape["type"] in ("structure", "list", "map") and not shape.get("eventstream")

    def tags(self, operation):
        """Where the request has its tags, as `<place>:<wire>|<key>|<value>`, `…|map` or `…|keys`; empty if nowhere."""
        described = self.input(operation)
        if described.get("payload"):
            return ""
        found = []
        for name, target in described.get("members", {}).items():
            place = {"uri": "p", "querystring": "q", "header": "h", "headers": "h"}.get(target.get("location"), "b")
            kind = self.tag_kind(name, target)
            if kind and place in "bq":
                found.append(f"{place}:{self.tag_wire(name, target, place)}|{kind}")
        return found[0] if len(found) == 1 else ""

    def tag_kind(self, name, target):
        shape = self.shapes[target["shape"]]
        if fold(name) in ("tagkeys", "tagkeylist") and self.kind(target["shape"]) == "strings":
            return "keys"
        if fold(name) not in ("tags", "taglist", "tagset"):
            return None
        if shape["type"] == "map":
            return "map"
        item = self.shapes[shape["member"]["shape"]] if shape["type"] == "list" else {}
        members = {fold(member): member for member in item.get("members", {})}
        pairs = [pair for pair in (("key", "value"), ("tagkey", "tagvalue")) if set(pair) == set(members)]
        if not pairs:
            return None
        wires = [item["members"][members[part]].get("locationName") or members[part] for part in pairs[0]]
        if "ec2" in self.protocols:
            wires = [wire[0].upper() + wire[1:] for wire in wires]
        return "|".join(wires if not self.speaks_json() else [members[part] for part in pairs[0]])

    def tag_wire(self, name, target, place):
        """For a form, with what stands before the number of an item."""
        if self.speaks_json():
            return name
        wire = self.wire(name, target, place)
        shape = self.shapes[target["shape"]]
        if "query" not in self.protocols or shape["type"] != "list":
            return wire
        if shape.get("flattened"):
            return shape["member"].get("locationName") or wire
        return f"{wire}.{shape['member'].get('locationName') or 'member'}"

    def speaks_json(self):
        """Whether members have their own names on the wire."""
        return bool({"json", "cbor"} & set(self.protocols))

    def deep_names(self, operation):
        """Every member name of the input, at any depth."""
        names, seen, queue = set(), set(), [operation.get("input", {}).get("shape")]
        while queue:
            shape = queue.pop()
            if shape is None or shape in seen:
                continue
            seen.add(shape)
            described = self.shapes[shape]
            for member, target in described.get("members", {}).items():
                names.add(member)
                queue.append(target["shape"])
            queue.extend(described[part]["shape"] for part in ("member", "value") if part in described)
        return names


def all_models(data):
    """The newest model of every service, by name of its folder."""
    for service in sorted(os.listdir(data)):
        folder = os.path.join(data, service)
        if not os.path.isdir(folder):
            continue
        versions = [v for v in sorted(os.listdir(folder))
                    if os.path.exists(os.path.join(folder, v, "service-2.json.gz"))]
        if versions:
            yield Model(service, os.path.join(folder, versions[-1]))


def load(path):
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    with gzip.open(path + ".gz") as file:
        return json.load(file)


def fold(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())
