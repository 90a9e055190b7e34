// Makes calls of every protocol that the gate speaks and prints what the official JavaScript SDK made of each.
const { Readable } = require("node:stream");
const s3 = require("@aws-sdk/client-s3");
const { Upload } = require("@aws-sdk/lib-storage");
const dynamodb = require("@aws-sdk/client-dynamodb");
const sqs = require("@aws-sdk/client-sqs");
const sts = require("@aws-sdk/client-sts");
const iam = require("@aws-sdk/client-iam");
const ec2 = require("@aws-sdk/client-ec2");

async function call(name, operation) {
  let said;
  try {
    const answer = (await operation()) ?? {};
    said = { code: "", message: "", ...meta(answer) };
  } catch (error) {
    said = { code: error.name, message: error.message, ...meta(error) };
  }
  console.log(JSON.stringify({ name, ...said }));
}

function meta(of) {
  const { httpStatusCode, attempts } = of.$metadata ?? {};
  return { status: httpStatusCode ?? 0, attempts: attempts ?? 1 };
}

function* blocks(count, size) {
  for (let i = 0; i < count; i++) yield Buffer.alloc(size, i);
}

function expect(truth, what) {
  if (!truth) throw new Error(what);
}

async function main() {
  const store = new s3.S3Client({});
  const put = (Key, Body, more) => store.send(new s3.PutObjectCommand({ Bucket: "lent", Key, Body, ...more }));
  const get = async (Key) => {
    const answer = await store.send(new s3.GetObjectCommand({ Bucket: "lent", Key }));
    return [answer, Buffer.from(await answer.Body.transformToByteArray())];
  };

  await call("put and get", async () => {
    const body = Buffer.from(Array.from({ length: 70001 }, (_, i) => i % 251));
    await put("work/javascript", body);
    const [answer, came] = await get("work/javascript");
    expect(came.equals(body), "other bytes came back");
    return answer;
  });
  // A body of known length that cannot be read twice: the SDK sends aws-chunked with its checksum in a trailer.
  await call("put a stream with a trailer", async () => {
    const length = 5 * 256 * 1024;
    await put("work/trailer", Readable.from(blocks(5, 256 * 1024)), { ContentLength: length, ChecksumAlgorithm: "CRC32" });
    const [answer, came] = await get("work/trailer");
    expect(came.length === length && came[length - 1] === 4, "other bytes came back");
    return answer;
  });
  await call("upload a stream", async () => {
    const params = { Bucket: "lent", Key: "work/parts", Body: Readable.from(blocks(12, 1024 * 1024)) };
    return new Upload({ client: store, params }).done();
  });
  await call("delete an object", () => store.send(new s3.DeleteObjectCommand({ Bucket: "lent", Key: "work/javascript" })));
  await call("get outside the prefix", async () => (await get("private/b.txt"))[0]);

  const table = new dynamodb.DynamoDBClient({});
  const TableName = "things";
  await call("get an item", () => table.send(new dynamodb.GetItemCommand({ TableName, Key: { id: { S: "one" } } })));
  await call("put an item", () => table.send(new dynamodb.PutItemCommand({ TableName, Item: { id: { S: "two" } } })));
  const queues = new sqs.SQSClient({});
  await call("list queues", () => queues.send(new sqs.ListQueuesCommand({})));
  await call("create a queue", () => queues.send(new sqs.CreateQueueCommand({ QueueName: "mine" })));
  const tokens = new sts.STSClient({});
  await call("who am I", () => tokens.send(new sts.GetCallerIdentityCommand({})));
  const users = new iam.IAMClient({});
  await call("list users", () => users.send(new iam.ListUsersCommand({})));
  await call("create a user", () => users.send(new iam.CreateUserCommand({ UserName: "mallory" })));
  const machines = new ec2.EC2Client({});
  await call("describe instances", () => machines.send(new ec2.DescribeInstancesCommand({})));
  await call("run instances", () => machines.send(new ec2.RunInstancesCommand({ ImageId: "ami-1", MinCount: 1, MaxCount: 1 })));
}

main();
