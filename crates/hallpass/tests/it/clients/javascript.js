// The JavaScript SDK, version 3, as it comes: no setting but the environment.
const fs = require("fs");
const { S3Client, PutObjectCommand, GetObjectCommand, CopyObjectCommand, ListObjectsV2Command, DeleteObjectsCommand } = require("@aws-sdk/client-s3");
const { Upload } = require("@aws-sdk/lib-storage");
const bucket = process.env.BUCKET;
const s3 = new S3Client({ forcePathStyle: true, maxAttempts: 1 });
const client = (name, kind) => new (require(`@aws-sdk/client-${name}`)[kind])({ maxAttempts: 1 });
const command = (name, kind, input) => new (require(`@aws-sdk/client-${name}`)[kind])(input);
const assert = require("assert");
const small = fs.readFileSync("small");
const read = async (key) => Buffer.from(await (await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))).Body.transformToByteArray());
const listed = async () => ((await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: "work/" }))).Contents ?? []).map((o) => o.Key);

const operations = {
  put: () => s3.send(new PutObjectCommand({ Bucket: bucket, Key: "work/put", Body: small })),
  get: async () => assert(small.equals(await read("work/put"))),
  multipart: async () => {
    await new Upload({ client: s3, partSize: 5 << 20, params: { Bucket: bucket, Key: "work/large", Body: fs.createReadStream("large") } }).done();
    assert(fs.readFileSync("large").equals(await read("work/large")));
  },
  copy: () => s3.send(new CopyObjectCommand({ Bucket: bucket, Key: "work/copy", CopySource: `${bucket}/work/put` })),
  list: async () => assert((await listed()).includes("work/copy")),
  delete: async () => {
    await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: [{ Key: "work/copy" }] } }));
    assert(!(await listed()).includes("work/copy"));
  },
  dynamodb: () => client("dynamodb", "DynamoDBClient").send(command("dynamodb", "GetItemCommand", { TableName: "things", Key: { id: { S: "one" } } })),
  sqs: () => client("sqs", "SQSClient").send(command("sqs", "ListQueuesCommand", {})),
  ec2: () => client("ec2", "EC2Client").send(command("ec2", "DescribeVpcsCommand", {})),
  iam: () => client("iam", "IAMClient").send(command("iam", "ListUsersCommand", {})),
  sts: () => client("sts", "STSClient").send(command("sts", "GetCallerIdentityCommand", {})),
};

(async () => {
  for (const name of process.env.OPERATIONS.split(" ")) {
    try {
      await operations[name]();
      console.log(`${name}\tok`);
    } catch (error) {
      console.log(`${name}\t${error.name}: ${error.message}`.replace(/\n/g, " "));
    }
  }
})();
