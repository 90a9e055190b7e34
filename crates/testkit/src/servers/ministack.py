# Furnishes a fresh MiniStack: a user who may only assume two roles, a user with wide rights of his own, and things
# to work on. Prints what was made as JSON. Uses the root key, which the tests themselves never use, because the
# server accepts it with any secret.
import json
import sys
import time

import boto3
from botocore.config import Config

endpoint = sys.argv[1]
session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")


def client(name):
    return session.client(name, endpoint_url=endpoint, config=Config(s3={"addressing_style": "path"}))


def statement(effect, action, resource="*"):
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource}]}
    )


iam, s3, dynamodb, sqs = client("iam"), client("s3"), client("dynamodb"), client("sqs")
account = client("sts").get_caller_identity()["Account"]
roles = [f"arn:aws:iam::{account}:role/{name}" for name in ("agent", "narrow")]


def user(name, actions, resources="*"):
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=statement("Allow", actions, resources))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


def role(name, actions):
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
            }
        ],
    }
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), MaxSessionDuration=43200)
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=statement("Allow", actions))


lender = user("lender", ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"], roles)
owner = user("owner", ["*"])
# Wide on purpose: whatever narrows a session, it is not the role.
role("agent", ["*"])
role("narrow", ["s3:ListBucket"])

for bucket in ("lent", "other"):
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="reports/a.txt", Body=b"alpha\n")
    s3.put_object(Bucket=bucket, Key="private/b.txt", Body=b"beta\n")
dynamodb.create_table(
    TableName="things",
    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    BillingMode="PAY_PER_REQUEST",
)
dynamodb.get_waiter("table_exists").wait(TableName="things", WaiterConfig={"Delay": 1})
dynamodb.put_item(TableName="things", Item={"id": {"S": "one"}})
queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]

# Rights of a new key are checked once here, so that no test meets a server that is still settling.
for attempt in range(50):
    try:
        sts = boto3.Session(lender["key"], lender["secret"], region_name="us-east-1").client("sts", endpoint_url=endpoint)
        sts.assume_role(RoleArn=roles[0], RoleSessionName="settled")
        break
    except Exception:
        if attempt == 49:
            raise
        time.sleep(0.1)

print(json.dumps({"account": account, "lender": lender, "owner": owner, "roles": roles, "queue": queue}))
