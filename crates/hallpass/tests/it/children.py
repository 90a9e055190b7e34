# Assumes a role inside a session, works with what it got, and says what it saw, line by line. `go` in the work folder
# is the sign to go on.
import json
import os
import signal
import sys
import time

import boto3
from botocore.exceptions import ClientError

signal.signal(signal.SIGTERM, signal.SIG_IGN)
role, wanted = sys.argv[1], sys.argv[2:]


def say(name, **what):
    with open("said", "a") as said:
        said.write(json.dumps({"name": name, **what}) + "\n")


def call(name, function):
    try:
        answer = function()
        say(name, code="", **({"body": answer["Body"].read().decode()} if "Body" in answer else {}))
        return answer
    except ClientError as error:
        say(name, code=error.response["Error"]["Code"], message=error.response["Error"].get("Message", ""))


def clients(answer):
    given = answer["Credentials"]
    keys = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    return boto3.client("s3", **keys), boto3.client("sts", **keys)


def assume(sts, name, **more):
    answer = call(name, lambda: sts.assume_role(RoleArn=role, RoleSessionName=name, **more))
    if answer:
        header = answer["ResponseMetadata"]["HTTPHeaders"].get("x-hallpass-session", "")
        expires = answer["Credentials"].pop("Expiration")
        left = expires.timestamp() - time.time()
        say("given", session=header, left=left, user=answer["AssumedRoleUser"], **answer["Credentials"])
    return answer


def get(s3, name):
    call(name, lambda: s3.get_object(Bucket="lent", Key="reports/a.txt"))


own = boto3.client("sts")
first = assume(own, "first")
if first:
    s3, sts = clients(first)
    get(s3, "child-get")
    call("child-put", lambda: s3.put_object(Bucket="lent", Key="reports/new", Body=b"x"))
    call("child-who", sts.get_caller_identity)
    if "narrow" in wanted:
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}
        narrow, _ = clients(assume(own, "narrow", Policy=json.dumps(policy)))
        call("narrow-list", lambda: narrow.list_objects_v2(Bucket="lent"))
        get(narrow, "narrow-get")
    if "nest" in wanted:
        depth = 1
        while (deeper := assume(sts, f"depth-{depth}")) and depth < 9:
            depth, (inner, sts) = depth + 1, clients(deeper)
            get(inner, "nested-get")
    if "wait" in wanted:
        say("waiting")
        end = time.monotonic() + 60
        while not os.path.exists("go") and time.monotonic() < end:
            time.sleep(0.01)
        get(s3, "late-child-get")
        get(boto3.client("s3"), "late-own-get")
