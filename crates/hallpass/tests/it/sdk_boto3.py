# Makes calls of every protocol that the gate speaks and prints what boto3 made of each.
import json
import os

import boto3
from botocore.exceptions import ClientError
from boto3.s3.transfer import TransferConfig


def call(name, function):
    try:
        answer = function()
        meta = (answer or {}).get("ResponseMetadata", {})
        said = {"code": "", "message": "", "status": meta.get("HTTPStatusCode", 200)}
    except ClientError as error:
        meta = error.response["ResponseMetadata"]
        said = {**{k.lower(): v for k, v in error.response["Error"].items() if k in ("Code", "Message")}}
        said["status"] = meta["HTTPStatusCode"]
    said["name"], said["attempts"] = name, meta.get("RetryAttempts", 0) + 1
    print(json.dumps(said))


s3, dynamodb, sqs = boto3.client("s3"), boto3.client("dynamodb"), boto3.client("sqs")
sts, iam, ec2 = boto3.client("sts"), boto3.client("iam"), boto3.client("ec2")


def whole_trip():
    body = os.urandom(3 * 1024 * 1024 + 17)
    s3.put_object(Bucket="lent", Key="work/boto3", Body=body, ChecksumAlgorithm="SHA256")
    answer = s3.get_object(Bucket="lent", Key="work/boto3")
    assert answer["Body"].read() == body
    return answer


def stream():
    class Stream:
        left = 20 * 1024 * 1024

        def read(self, size=-1):
            size = self.left if size < 0 else min(size, self.left)
            self.left -= size
            return b"s" * size

    s3.upload_fileobj(Stream(), "lent", "work/stream", Config=TransferConfig(multipart_chunksize=8 * 1024 * 1024))
    answer = s3.head_object(Bucket="lent", Key="work/stream")
    assert answer["ContentLength"] == 20 * 1024 * 1024
    return answer


def odd_keys():
    for key in ("work/a b+c&d=e/ü%41.txt", "work/~tilde(1)!'*", "work/trailing/"):
        s3.put_object(Bucket="lent", Key=key, Body=key.encode())
        assert s3.get_object(Bucket="lent", Key=key)["Body"].read() == key.encode()
    return s3.list_objects_v2(Bucket="lent", Prefix="work/a b+c")


call("put and get", whole_trip)
call("upload a stream", stream)
call("odd keys", odd_keys)
call("put a key with an empty part", lambda: s3.put_object(Bucket="lent", Key="work//double", Body=b"x"))
call("delete an object", lambda: s3.delete_object(Bucket="lent", Key="work/boto3"))
call("get outside the prefix", lambda: s3.get_object(Bucket="lent", Key="private/b.txt"))
call("get an item", lambda: dynamodb.get_item(TableName="things", Key={"id": {"S": "one"}}))
call("put an item", lambda: dynamodb.put_item(TableName="things", Item={"id": {"S": "two"}}))
call("list queues", lambda: sqs.list_queues())
call("create a queue", lambda: sqs.create_queue(QueueName="mine"))
call("who am I", lambda: sts.get_caller_identity())
call("assume a role", lambda: sts.assume_role(RoleArn="arn:aws:iam::000000000000:role/narrow", RoleSessionName="x1"))
call("list users", lambda: iam.list_users())
call("create a user", lambda: iam.create_user(UserName="mallory"))
call("describe instances", lambda: ec2.describe_instances())
call("run instances", lambda: ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1))
