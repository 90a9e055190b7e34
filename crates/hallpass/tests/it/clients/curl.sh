# curl --aws-sigv4, with nothing but what the session's environment says.
signed() {
    service=$1 method=$2 url=$3 && shift 3
    curl -sSf -X "$method" --aws-sigv4 "aws:amz:us-east-1:$service" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
        -H "x-amz-security-token: $AWS_SESSION_TOKEN" "$@" "$url"
}
sum() { sha256sum "$1" | cut -d' ' -f1; }
EMPTY=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
s3() { method=$1 path=$2 hash=$3 && shift 3 && signed s3 "$method" "${AWS_ENDPOINT_URL:-https://s3.us-east-1.amazonaws.com}/$BUCKET/$path" -H "x-amz-content-sha256: $hash" "$@"; }
query() { signed "$1" POST "${AWS_ENDPOINT_URL:-https://$2}/" -H 'content-type: application/x-www-form-urlencoded' --data "$3"; }
json() { signed "$1" POST "${AWS_ENDPOINT_URL:-https://$1.us-east-1.amazonaws.com}/" -H "content-type: application/x-amz-json-$3" -H "x-amz-target: $2" --data "$4"; }
put() { s3 PUT work/put "$(sum small)" --data-binary @small -H 'content-type: text/plain'; }
get() { s3 GET work/put $EMPTY | cmp - small; }
copy() { s3 PUT work/copy $EMPTY -H "x-amz-copy-source: /$BUCKET/work/put"; }
list() { s3 GET '?list-type=2&prefix=work%2F' $EMPTY | grep work/copy; }
delete() { s3 DELETE work/copy $EMPTY && ! s3 GET work/copy $EMPTY; }
dynamodb() { json dynamodb DynamoDB_20120810.GetItem 1.0 '{"TableName":"things","Key":{"id":{"S":"one"}}}' | grep one; }
sqs() { json sqs AmazonSQS.ListQueues 1.0 '{}'; }
sns() { query sns sns.us-east-1.amazonaws.com 'Action=ListTopics&Version=2010-03-31'; }
lambda() { signed lambda GET "${AWS_ENDPOINT_URL:-https://lambda.us-east-1.amazonaws.com}/2015-03-31/functions/"; }
ec2() { query ec2 ec2.us-east-1.amazonaws.com 'Action=DescribeVpcs&Version=2016-11-15'; }
iam() { query iam iam.amazonaws.com 'Action=ListUsers&Version=2010-05-08' | grep owner; }
kms() { json kms TrentService.ListKeys 1.1 '{}'; }
secretsmanager() { json secretsmanager secretsmanager.ListSecrets 1.1 '{}'; }
cloudformation() { query cloudformation cloudformation.us-east-1.amazonaws.com 'Action=ListStacks&Version=2010-05-15'; }
sts() { query sts sts.us-east-1.amazonaws.com 'Action=GetCallerIdentity&Version=2011-06-15'; }
