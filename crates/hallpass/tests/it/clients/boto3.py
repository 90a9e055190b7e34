# boto3: what the shell clients do, with one process for all of it.
import os
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig

bucket, name = os.environ["BUCKET"], os.environ["NAME"]
client = boto3.client
small, large = open("small", "rb").read(), open("large", "rb").read()


def put():
    client("s3").put_object(Bucket=bucket, Key="work/put", Body=small)


def get():
    assert client("s3").get_object(Bucket=bucket, Key="work/put")["Body"].read() == small


def multipart():
    s3 = client("s3")
    s3.upload_file("large", bucket, "work/large", Config=TransferConfig(multipart_chunksize=5 << 20))
    assert s3.get_object(Bucket=bucket, Key="work/large")["Body"].read() == large


def copy():
    client("s3").copy_object(Bucket=bucket, Key="work/copy", CopySource={"Bucket": bucket, "Key": "work/put"})


def list():
    keys = [o["Key"] for o in client("s3").list_objects_v2(Bucket=bucket, Prefix="work/")["Contents"]]
    assert "work/copy" in keys, keys


def delete():
    s3 = client("s3")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "work/copy"}]})
    assert "work/copy" not in str(s3.list_objects_v2(Bucket=bucket, Prefix="work/"))


def presign():
    url = client("s3").generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "work/put"})
    context = None
    if "AWS_CA_BUNDLE" in os.environ:
        import ssl

        context = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
    assert urllib.request.urlopen(url, context=context).read() == small


def dynamodb():
    table = client("dynamodb")
    table.put_item(TableName="things", Item={"id": {"S": "boto3"}})
    assert "Item" in table.get_item(TableName="things", Key={"id": {"S": "boto3"}})


def sqs():
    sqs = client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "hello"


def sns():
    sns = client("sns")
    sns.publish(TopicArn=sns.create_topic(Name=name)["TopicArn"], Message="hello")


def kms():
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"hello")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed, KeyId=key)["Plaintext"] == b"hello"


def secretsmanager():
    secrets = client("secretsmanager")
    secrets.create_secret(Name=name, SecretString="hush")
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "hush"


calls = {
    "lambda": lambda: client("lambda").list_functions(),
    "ec2": lambda: client("ec2").describe_vpcs(),
    "iam": lambda: client("iam").list_users(),
    "cloudformation": lambda: client("cloudformation").list_stacks(),
    "sts": lambda: client("sts").get_caller_identity(),
}
for operation in os.environ["OPERATIONS"].split():
    try:
        calls.get(operation, globals().get(operation))()
        print(operation, "ok", sep="\t")
    except Exception as error:
        print(operation, " ".join(f"{type(error).__name__}: {error}".split()), sep="\t")
