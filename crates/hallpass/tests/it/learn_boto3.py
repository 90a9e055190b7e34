# A program over sixteen services that does the same each time, and prints what boto3 made of each call.
import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CONFIG = Config(retries={"total_max_attempts": 1})


def client(name):
    return boto3.client(name, config=CONFIG)


def call(name, function):
    try:
        answer = function() or {}
        said = {"code": "", "message": "", "status": answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 200)}
    except ClientError as error:
        said = {k.lower(): v for k, v in error.response["Error"].items() if k in ("Code", "Message")}
        said = {"message": "", **said, "status": error.response["ResponseMetadata"]["HTTPStatusCode"]}
        answer = {}
    print(json.dumps({**said, "name": name, "attempts": 1}))
    return answer


s3, dynamodb, sqs, sns = client("s3"), client("dynamodb"), client("sqs"), client("sns")
iam, kms, secrets, ssm = client("iam"), client("kms"), client("secretsmanager"), client("ssm")
call("who am I", client("sts").get_caller_identity)
call("put an object", lambda: s3.put_object(Bucket="lent", Key="learn/in/a", Body=b"a"))
call("put another object", lambda: s3.put_object(Bucket="lent", Key="learn/in/b", Body=b"b"))
call("copy an object", lambda: s3.copy_object(Bucket="lent", Key="learn/out/a", CopySource="lent/learn/in/a"))
call("list a prefix", lambda: s3.list_objects_v2(Bucket="lent", Prefix="learn/in/"))
call("look at a missing object", lambda: s3.head_object(Bucket="lent", Key="learn/missing"))
call("delete objects", lambda: s3.delete_objects(Bucket="lent", Delete={"Objects": [{"Key": "learn/out/a"}]}))
call("list users", iam.list_users)
call("get a role", lambda: iam.get_role(RoleName="agent"))
queue = call("make a queue", lambda: sqs.create_queue(QueueName="learn"))
url = queue.get("QueueUrl", "http://127.0.0.1/000000000000/learn")
call("send a message", lambda: sqs.send_message(QueueUrl=url, MessageBody="m"))
call("receive messages", lambda: sqs.receive_message(QueueUrl=url))
topic = call("make a topic", lambda: sns.create_topic(Name="learn"))
arn = topic.get("TopicArn", "arn:aws:sns:us-east-1:000000000000:learn")
call("publish", lambda: sns.publish(TopicArn=arn, Message="m"))
call("put an item", lambda: dynamodb.put_item(TableName="things", Item={"id": {"S": "learn"}}))
call("get an item", lambda: dynamodb.get_item(TableName="things", Key={"id": {"S": "learn"}}))
call("get items of a batch", lambda: dynamodb.batch_get_item(
    RequestItems={"things": {"Keys": [{"id": {"S": "learn"}}]}}))
call("list keys", kms.list_keys)
call("make a secret", lambda: secrets.create_secret(Name="learn", SecretString="s"))
call("read a secret", lambda: secrets.get_secret_value(SecretId="learn"))
call("set a parameter", lambda: ssm.put_parameter(Name="/learn/p", Value="v", Type="String", Overwrite=True))
call("read a parameter", lambda: ssm.get_parameter(Name="/learn/p"))
call("describe stacks", client("cloudformation").describe_stacks)
call("describe instances", client("ec2").describe_instances)
call("describe log groups", client("logs").describe_log_groups)
call("list rules", client("events").list_rules)
call("list state machines", client("stepfunctions").list_state_machines)
call("list streams", client("kinesis").list_streams)
call("list certificates", client("acm").list_certificates)
call("assume a role", lambda: client("sts").assume_role(
    RoleArn="arn:aws:iam::000000000000:role/agent", RoleSessionName="escape"))
