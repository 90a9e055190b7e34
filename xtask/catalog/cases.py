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


# What a case asks for beyond region, FIPS and dual stack, and what becomes of it.
OWN_ENDPOINT = "an endpoint of the caller's own, which is used as it is"
NO_REGION = "no region: every request that is signed has one"
MADE_UP = "a pseudo region for a service that has no endpoint in it: the host is made up, and the gate refuses it"
S3 = "S3: bucket, access point and object-lambda ARNs, acceleration; the gate's own router reads the request instead"


def endpoints(source, models):
    """`(lines, number of all cases, numbers that are not run by reason)`."""
    letters = {flags: name or "-" for name, flags in VARIANTS.items()}
    lines, skipped, total = [], {}, 0
    for model in models:
        path = os.path.join(source, ENDPOINT_CASES, model.service, "endpoint-tests-1.json")
        if not os.path.exists(path):
            continue
        for case in load(path)["testCases"]:
            total += 1
            given = case.get("params", {})
            why = exception(model.service, given, case)
            if why:
                skipped[why] = skipped.get(why, 0) + 1
                continue
            variant = letters[(given.get("UseFIPS", False), given.get("UseDualStack", False))]
            expected = expected_host(case["expect"], given["Region"])
            lines.append("\t".join([model.service, given["Region"], variant, expected]))
    return lines, total, skipped


def exception(service, given, case):
    """Why a case says nothing of a host that the gate would make; `None` when it is run."""
    region, more = given.get("Region"), set(given) - {"Region", "UseFIPS", "UseDualStack"}
    if "Endpoint" in given:
        return OWN_ENDPOINT
    if service in ("s3", "s3control") and (more or case.get("operationInputs")):
        return S3
    if region is None:
        return NO_REGION
    # The older global endpoint of STS is asked for by parameter; a false one changes nothing.
    more = {name for name in more if given[name] is not False}
    if more or case.get("operationInputs"):
        return f"parameters of {service}: {', '.join(sorted(more)) or 'the input'}"
    if region.endswith("-global") and "@" not in expected_host(case["expect"], region) and "endpoint" in case["expect"]:
        return MADE_UP
    return None


def expected_host(expect, region):
    if "endpoint" not in expect:
        return "-"
    signed = [s["signingRegion"] for s in expect["endpoint"].get("properties", {}).get("authSchemes", [])
              if s.get("signingRegion")]
    host = expect["endpoint"]["url"].removeprefix("https://").rstrip("/")
    return f"{host}@{signed[0]}" if signed and signed[0] != region else host
