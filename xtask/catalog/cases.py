"""botocore's own test cases, from its source distribution (Apache-2.0), made compact.

Protocol cases become a small table in the catalogue's format and the requests that must be recognised by it. Endpoint
cases become lines `service  region  variant  host[@signing region]`, or `-` where AWS has no such endpoint; those that
are about more than region and variant become lines `about  service  region  variant  URL  signing names and regions`,
with `!` and the error in the place of a URL.
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


# What a case is about beyond region, FIPS and dual stack.
OWN_ENDPOINT, NO_REGION, MADE_UP, S3, PARAMETERS = "own", "no-region", "made-up", "s3", "parameters"


def endpoints(source, models):
    """`(lines of the plain cases, lines of the others)`."""
    letters = {flags: name or "-" for name, flags in VARIANTS.items()}
    plain, others = [], []
    for model in models:
        path = os.path.join(source, ENDPOINT_CASES, model.service, "endpoint-tests-1.json")
        if not os.path.exists(path):
            continue
        for case in load(path)["testCases"]:
            given, expect = case.get("params", {}), case["expect"]
            variant = letters[(given.get("UseFIPS", False), given.get("UseDualStack", False))]
            head = [model.service, given.get("Region") or "-", variant]
            about = beyond(model.service, given, case)
            if about:
                others.append("\t".join([about, *head, *wanted(expect)]))
            else:
                plain.append("\t".join([*head, expected_host(expect, given["Region"])]))
    return plain, others


def beyond(service, given, case):
    """What a case is about beyond region and variant; `None` for nothing."""
    region, more = given.get("Region"), set(given) - {"Region", "UseFIPS", "UseDualStack"}
    if "Endpoint" in given:
        return OWN_ENDPOINT
    if service in ("s3", "s3control") and (more or case.get("operationInputs")):
        return S3
    if region is None:
        return NO_REGION
    # The older global endpoint of STS is asked for by parameter; a false one changes nothing.
    if case.get("operationInputs") or any(given[name] is not False for name in more):
        return PARAMETERS
    if region.endswith("-global") and "@" not in expected_host(case["expect"], region) and "endpoint" in case["expect"]:
        return MADE_UP
    return None


def wanted(expect):
    """The URL and how it is signed, `name@region`; or the error."""
    if "endpoint" not in expect:
        return [f"!{expect['error']}", ""]
    schemes = expect["endpoint"].get("properties", {}).get("authSchemes", [])
    signed = [f"{s.get('signingName', '')}@{s.get('signingRegion') or ','.join(s.get('signingRegionSet', []))}"
              for s in schemes]
    return [expect["endpoint"]["url"], " ".join(signed)]


def expected_host(expect, region):
    if "endpoint" not in expect:
        return "-"
    signed = [s["signingRegion"] for s in expect["endpoint"].get("properties", {}).get("authSchemes", [])
              if s.get("signingRegion")]
    host = expect["endpoint"]["url"].removeprefix("https://").rstrip("/")
    return f"{host}@{signed[0]}" if signed and signed[0] != region else host
