# Uploads and downloads in every way in which boto3 covers a body, and prints what it made of each.
import hashlib
import importlib.util
import io
import itertools
import json
import os
from base64 import b64encode

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

MIB = 1024 * 1024
# The others are implemented in the AWS CRT, which is an extra of boto3.
ALGORITHMS = ["CRC32", "SHA1", "SHA256"]
if importlib.util.find_spec("awscrt"):
    ALGORITHMS += ["CRC32C", "CRC64NVME"]


def call(name, function):
    try:
        answer = function() or {}
        said = {"code": "", "message": "", "status": answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 200)}
        attempts = answer.get("ResponseMetadata", {}).get("RetryAttempts", 0) + 1
    except ClientError as error:
        meta = error.response["ResponseMetadata"]
        said = {k.lower(): v for k, v in error.response["Error"].items() if k in ("Code", "Message")}
        said["status"], attempts = meta["HTTPStatusCode"], meta["RetryAttempts"] + 1
    print(json.dumps({**said, "name": name, "attempts": attempts}))


def trip(s3, body, **more):
    """One object there and back."""
    s3.put_object(Bucket="lent", Key="work/trip", Body=io.BytesIO(body), **more)
    answer = s3.get_object(Bucket="lent", Key="work/trip", ChecksumMode="ENABLED")
    assert answer["Body"].read() == body
    return answer


def parts(s3, body, **more):
    """The same in parts of 5 MiB."""
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)
    s3.upload_fileobj(io.BytesIO(body), "lent", "work/parts", ExtraArgs=more, Config=config)
    back = io.BytesIO()
    s3.download_fileobj("lent", "work/parts", back, Config=config)
    assert back.getvalue() == body


small, large = os.urandom(70_001), os.urandom(11 * MIB + 3)
for when, signed in itertools.product(("when_supported", "when_required"), (True, False)):
    config = Config(
        request_checksum_calculation=when,
        response_checksum_validation=when,
        s3={"payload_signing_enabled": signed},
    )
    s3 = boto3.client("s3", config=config)
    way = f"{when} {'signed' if signed else 'unsigned'}"
    for body in (b"", small, large):
        call(f"{way} put {len(body)}", lambda: trip(s3, body))
    call(f"{way} parts", lambda: parts(s3, large))
    for algorithm in ALGORITHMS:
        call(f"{way} put {algorithm}", lambda: trip(s3, small, ChecksumAlgorithm=algorithm))
        call(f"{way} parts {algorithm}", lambda: parts(s3, large, ChecksumAlgorithm=algorithm))
    md5 = b64encode(hashlib.md5(small).digest()).decode()
    call(f"{way} put MD5", lambda: trip(s3, small, ContentMD5=md5))
    sha256 = b64encode(hashlib.sha256(small).digest()).decode()
    call(f"{way} put own SHA256", lambda: trip(s3, small, ChecksumSHA256=sha256))

s3 = boto3.client("s3")


def ranges():
    s3.put_object(Bucket="lent", Key="work/range", Body=small)
    answer = s3.get_object(Bucket="lent", Key="work/range", Range="bytes=1000-1999")
    assert answer["Body"].read() == small[1000:2000] and answer["ContentRange"] == f"bytes 1000-1999/{len(small)}"
    answer["ResponseMetadata"]["HTTPStatusCode"] = 200 if answer["ResponseMetadata"]["HTTPStatusCode"] == 206 else 0
    return answer


call("a range", ranges)
