"""A minimal request for every operation, made by botocore's own serialisers from the operation's model.

`@  service  signing  protocol`, then one line per operation: `operation  METHOD target  header: value…  body`,
separated by tabs, headers by U+001F; a body that is not plain text is `0x` and hexadecimal.
"""

import re

PROTOCOLS = {"json": "json", "query": "query", "ec2": "ec2", "rest-json": "rest-json", "rest-xml": "rest-xml",
             "cbor": "smithy-rpc-v2-cbor"}
ORDER = ["cbor", "json", "ec2", "query", "rest-json", "rest-xml"]


class Maker:
    """Minimal values for the shapes of one model."""

    def __init__(self):
        self.depth = 0

    def value(self, shape, path=False):
        kind = shape.type_name
        if kind == "structure":
            return self.structure(shape)
        if kind == "list":
            return [self.value(shape.member)]
        if kind == "map":
            return {self.value(shape.key): self.value(shape.value)}
        if kind == "string":
            return self.text(shape)
        if kind == "blob":
            return b"x"
        if kind == "timestamp":
            return 1700000000
        if kind == "boolean":
            return True
        return int(shape.metadata.get("min", 1) or 1)

    def structure(self, shape):
        self.depth += 1
        made = {}
        if self.depth < 12 and not shape.is_document_type:
            for name in shape.required_members:
                made[name] = self.value(shape.members[name])
            if shape.is_tagged_union and not made and shape.members:
                name = next(iter(shape.members))
                made[name] = self.value(shape.members[name])
        self.depth -= 1
        return made

    def text(self, shape):
        if shape.enum:
            return shape.enum[0]
        if shape.name in ("BucketName", "CopySource"):
            return {"BucketName": "bucket", "CopySource": "bucket/key"}[shape.name]
        size = int(shape.metadata.get("min", 1) or 1)
        return "a" * max(1, min(size, 64))


def lines(model):
    """The requests of one API, one per protocol and operation."""
    from botocore.model import ServiceModel
    from botocore.serialize import create_serializer

    described = ServiceModel(model.json, model.service)
    for protocol in sorted(model.protocols, key=ORDER.index):
        serializer = create_serializer(PROTOCOLS[protocol], include_validation=False)
        yield "\t".join(["@", model.service, model.signing, protocol])
        for name in sorted(model.operations):
            operation = described.operation_model(name)
            shape = operation.input_shape
            given = Maker().structure(shape) if shape else {}
            yield written(name, serializer.serialize_to_request(given, operation))


def written(name, request):
    """One line for a request as botocore's serialisers return it."""
    from botocore.compat import urlencode
    from botocore.utils import percent_encode_sequence

    target = request["url_path"]
    query = request["query_string"]
    if query:
        text = query if isinstance(query, str) else percent_encode_sequence(query)
        target += ("&" if "?" in target else "?") + text
    body = request["body"]
    if isinstance(body, dict):
        body = urlencode(body, doseq=True)
    if hasattr(body, "read"):
        body = body.read()
    return line(name, request["method"], target, request["headers"], body)


def line(name, method, target, headers, body):
    body = body.encode() if isinstance(body, str) else body or b""
    shown = "\x1f".join(f"{k.lower()}: {v}" for k, v in sorted(headers.items()))
    if re.search(r"[\t\n]", target + shown):
        raise ValueError(f"{name}: a request with a tab")
    return "\t".join([name, f"{method} {target}", shown, shown_body(body)])


def shown_body(body):
    plain = all(0x20 <= byte < 0x7f for byte in body) and not body.startswith(b"0x")
    return body.decode() if plain else "0x" + body.hex()
