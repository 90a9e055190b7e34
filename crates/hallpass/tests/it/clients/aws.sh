# The aws command line, version 1 or 2: $AWS is its program.
put() { $AWS s3api put-object --bucket "$BUCKET" --key work/put --body small; }
get() { $AWS s3api get-object --bucket "$BUCKET" --key work/put got && cmp small got; }
multipart() { $AWS s3 cp large "s3://$BUCKET/work/large" && $AWS s3 cp "s3://$BUCKET/work/large" back && cmp large back; }
copy() { $AWS s3 cp "s3://$BUCKET/work/put" "s3://$BUCKET/work/copy"; }
list() { $AWS s3 ls "s3://$BUCKET/work/" | grep copy; }
delete() { $AWS s3 rm "s3://$BUCKET/work/copy" && ! $AWS s3api head-object --bucket "$BUCKET" --key work/copy; }
presign() { url=$($AWS s3 presign "s3://$BUCKET/work/put") && { curl -sSf "$url" | cmp - small || { curl -sS "$url"; false; }; }; }
dynamodb() {
    $AWS dynamodb put-item --table-name things --item '{"id":{"S":"cli"}}' &&
        $AWS dynamodb get-item --table-name things --key '{"id":{"S":"cli"}}' | grep cli
}
sqs() {
    url=$($AWS sqs create-queue --queue-name "$NAME" --query QueueUrl --output text) &&
        $AWS sqs send-message --queue-url "$url" --message-body hello &&
        $AWS sqs receive-message --queue-url "$url" | grep hello
}
sns() {
    arn=$($AWS sns create-topic --name "$NAME" --query TopicArn --output text) &&
        $AWS sns publish --topic-arn "$arn" --message hello
}
lambda() { $AWS lambda list-functions; }
ec2() { $AWS ec2 describe-vpcs; }
iam() { $AWS iam list-users | grep owner; }
kms() { $AWS kms create-key --query KeyMetadata.KeyId --output text && $AWS kms list-keys; }
secretsmanager() {
    $AWS secretsmanager create-secret --name "$NAME" --secret-string hush &&
        $AWS secretsmanager get-secret-value --secret-id "$NAME" | grep hush
}
cloudformation() { $AWS cloudformation list-stacks; }
sts() { $AWS sts get-caller-identity; }
