"""botocore's own test cases, from its source distribution (Apache-2.0), made compact.

Protocol cases become a small table in the catalogue's format and the requests that must be recognised by it. Endpoint
cases become lines `service  region  variant  host[@signing region]`, or `-` where AWS has no such endpoint.
"""

import base64
import os

from hosts import VARIANTS
from models import PROTOCOLS, load
from corpus import line

PROTOCOL_CASES = "tests/unit/protocols/input"
ENDPOINT_CASES = "tests/functional/endpoint-rules"


def protocols(source):
    """`(table sections by signing name, request lines, number of cases)`."""
    folder = os.path.join(source, PROTOCOL_CASES)
    sections, requests, count = {}, [], 0
    for file in sorted(os.listdir(folder)):
        for number, suite in enumerate(load(os.path.join(folder, file))):
            meta, signing = suite["metadata"], f"{file.removesuffix('.json')}-{number:02}"
            spoken = PROTOCOLS[meta["protocol"]]
            requests.append("\t".join(["@", signing, signing, spoken]))
            operations = {}
            for case in suite["cases"]:
                operation, expected = case["given"], case["serialized"]
                name = operation["name"]
                http = operation["http"]
                operations[name] = "\t".join([name, "", "", f"{http['method']} {http['requestUri']}", f"{name} R *", ""])
                headers = {**always(meta, spoken, name), **expected.get("headers", {})}
                requests.append(line(name, expected.get("method", http["method"]), expected["uri"], headers,
                                     body(expected, spoken)))
                count += 1
            head = ["@", signing, signing, signing, "test", spoken, meta.get("targetPrefix", "-"),
                    meta.get("apiVersion", "-"), "-"]
            sections[signing] = ["\t".join(head), *(operations[name] for name in sorted(operations))]
    return sections, requests, count


def always(meta, spoken, name):
    """What every request of the protocol has; a case lists only the headers that it is about."""
    if spoken in ("query", "ec2"):
        return {"Content-Type": "application/x-www-form-urlencoded"}
    if spoken == "json":
        version = meta.get("jsonVersion", "1.0")
        return {"Content-Type": f"application/x-amz-json-{version}", "X-Amz-Target": f"{meta['targetPrefix']}.{name}"}
    return {}


def body(expected, spoken):
    text = expected.get("body", "")
    return base64.b64decode(text) if spoken == "cbor" else text


def endpoints(source, models):
    """`(lines, number of all cases, numbers that do not apply by reason)`."""
    letters = {flags: name or "-" for name, flags in VARIANTS.items()}
    lines, skipped, total = [], {"parameters of one service": 0, "pseudo regions": 0, "other partitions": 0}, 0
    for model in models:
        path = os.path.join(source, ENDPOINT_CASES, model.service, "endpoint-tests-1.json")
        if not os.path.exists(path):
            continue
        for case in load(path)["testCases"]:
            total += 1
            given = case.get("params", {})
            region = given.get("Region")
            if region is None or set(given) - {"Region", "UseFIPS", "UseDualStack"} or case.get("operationInputs"):
                skipped["parameters of one service"] += 1
            elif region.endswith("-global"):
                skipped["pseudo regions"] += 1
            elif "-iso" in region or region.startswith("eusc-"):
                skipped["other partitions"] += 1
            else:
                variant = letters[(given.get("UseFIPS", False), given.get("UseDualStack", False))]
                lines.append("\t".join([model.service, region, variant, expected_host(case["expect"], region)]))
    return lines, total, skipped


def expected_host(expect, region):
    if "endpoint" not in expect:
        return "-"
    signed = [s["signingRegion"] for s in expect["endpoint"].get("properties", {}).get("authSchemes", [])
              if s.get("signingRegion")]
    host = expect["endpoint"]["url"].removeprefix("https://").rstrip("/")
    return f"{host}@{signed[0]}" if signed and signed[0] != region else host
