"""What two operations could be mistaken for each other: refused, unless it is settled here by name."""

import collections
import re
import sys

# S3's own router tells these apart (crates/core/src/resolve/s3).
ROUTED_BY_HAND = {"s3"}
# Where two APIs behind one signing name share an operation's name and path, these answer; the other is an older one.
PREFERRED = {"elbv2", "greengrassv2", "lexv2-models", "rds"}


def shape(operation):
    """Method, path with anonymous labels, required query."""
    path, _, query = operation["http"]["requestUri"].partition("?")
    path = re.sub(r"\{[^}+]+\}", "{}", path.rstrip("/") or "/")
    path = re.sub(r"\{[^}]+\+\}", "{+}", path)
    return operation["http"]["method"], path, tuple(sorted(q for q in query.split("&") if q))


def refuse_ambiguities(models):
    found = []
    for model in models:
        if model.service in ROUTED_BY_HAND or not {"rest-json", "rest-xml"} & set(model.protocols):
            continue
        shapes = collections.defaultdict(list)
        for name, operation in model.operations.items():
            shapes[shape(operation)].append(name)
        found += [f"{model.service}: {names} share {key}" for key, names in shapes.items() if len(names) > 1]
    if found:
        sys.exit("new ambiguities, settle them in checks.py:\n" + "\n".join(found))
