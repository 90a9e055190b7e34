# A session of SeaweedFS: `session URL KEY SECRET ROLE`, or `expired TOKEN SIGNING_KEY`, which says of a token that its
# time is over, signed as the store signs.
import base64
import hashlib
import hmac
import json
import sys


def encoded(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


what, *arguments = sys.argv[1:]
if what == "session":
    import boto3

    url, key, secret, role = arguments
    sts = boto3.client(
        "sts", endpoint_url=url, aws_access_key_id=key, aws_secret_access_key=secret, region_name="us-east-1"
    )
    made = sts.assume_role(RoleArn=role, RoleSessionName="tests", DurationSeconds=900)["Credentials"]
    print(json.dumps([made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]]))
else:
    token, signing_key = arguments
    head, claims, _ = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(claims + "=="))
    claims["exp"] = claims["iat"] - 10
    claims["iat"] = claims["nbf"] = claims["exp"] - 900
    signed = head + "." + encoded(json.dumps(claims).encode())
    print(signed + "." + encoded(hmac.new(base64.b64decode(signing_key), signed.encode(), hashlib.sha256).digest()))
