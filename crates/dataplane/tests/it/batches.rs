//! Row 31 of docs/security/threats.md: every item that one request names in its body is asked for, wherever it stands.

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use serde_json::json;

use crate::client::{Sign, ask};
use crate::upstream::Upstream;
use crate::world::{Setup, World};

/// A call that takes several items; `~` stands for an item's name, `#` for its number.
struct Batch {
    service: &'static str,
    /// The target of a call in JSON, the action of a form, the path of S3.
    call: &'static str,
    before: &'static str,
    item: &'static str,
    between: &'static str,
    after: &'static str,
}

const fn json(call: [&'static str; 2], around: [&'static str; 2], item: &'static str) -> Batch {
    Batch { service: call[0], call: call[1], before: around[0], item, between: ",", after: around[1] }
}

const fn form(call: [&'static str; 2], item: &'static str) -> Batch {
    Batch { service: call[0], call: call[1], before: "", item, between: "&", after: "" }
}

const STEPS: [&str; 2] = [r#"{"TransactItems":["#, "]}"];
const WRITE: [&str; 2] = ["dynamodb", "DynamoDB_20120810.TransactWriteItems"];
const ECS: &str = "AmazonEC2ContainerServiceV20141113";

fn batches() -> Vec<Batch> {
    let one = |name| [["{\"", name, "\":["].concat().leak() as &'static str, "]}"];
    let named = |service, call, name| json([service, call], one(name), r#""~""#);
    let statement = |call, name, text| json(["dynamodb", call], one(name), text);
    vec![
        Batch {
            service: "s3",
            call: "/mine?delete",
            before: "<Delete>",
            item: "<Object><Key>~</Key></Object>",
            between: "",
            after: "</Delete>",
        },
        json(["dynamodb", "DynamoDB_20120810.BatchGetItem"], [r#"{"RequestItems":{"#, "}}"], r#""~":{"Keys":[{}]}"#),
        json(
            ["dynamodb", "DynamoDB_20120810.BatchWriteItem"],
            [r#"{"RequestItems":{"#, "}}"],
            r#""~":[{"DeleteRequest":{"Key":{"id":{"S":"1"}}}}]"#,
        ),
        json(["dynamodb", "DynamoDB_20120810.TransactGetItems"], STEPS, r#"{"Get":{"TableName":"~","Key":{}}}"#),
        json(WRITE, STEPS, r#"{"Put":{"TableName":"~","Item":{}}}"#),
        json(WRITE, STEPS, r#"{"Update":{"TableName":"~","Key":{}}}"#),
        json(WRITE, STEPS, r#"{"Delete":{"TableName":"~","Key":{}}}"#),
        json(WRITE, STEPS, r#"{"ConditionCheck":{"TableName":"~","Key":{}}}"#),
        statement(
            "DynamoDB_20120810.BatchExecuteStatement",
            "Statements",
            r#"{"Statement":"SELECT * FROM \"~\" WHERE id=1"}"#,
        ),
        statement(
            "DynamoDB_20120810.ExecuteTransaction",
            "TransactStatements",
            r#"{"Statement":"DELETE FROM \"~\" WHERE id=1"}"#,
        ),
        named("secretsmanager", "secretsmanager.BatchGetSecretValue", "SecretIdList"),
        named("ssm", "AmazonSSM.GetParameters", "Names"),
        named("ssm", "AmazonSSM.DeleteParameters", "Names"),
        json(["events", "AWSEvents.PutEvents"], one("Entries"), r#"{"EventBusName":"~","Detail":"{}"}"#),
        named("codebuild", "CodeBuild_20161006.BatchGetProjects", "names"),
        named("codecommit", "CodeCommit_20150413.BatchGetRepositories", "repositoryNames"),
        named("glue", "AWSGlue.BatchGetJobs", "JobNames"),
        named("glue", "AWSGlue.BatchGetCrawlers", "CrawlerNames"),
        named("ecs", [ECS, ".DescribeClusters"].concat().leak(), "clusters"),
        json(
            ["ecs", [ECS, ".DescribeServices"].concat().leak()],
            [r#"{"cluster":"mine","services":["#, "]}"],
            r#""~""#,
        ),
        named("ecr", "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories", "repositoryNames"),
        named("logs", "Logs_20140328.StartQuery", "logGroupNames"),
        form(["ec2", "TerminateInstances"], "InstanceId.#=~"),
        form(["ec2", "StopInstances"], "InstanceId.#=~"),
        form(["monitoring", "DeleteAlarms"], "AlarmNames.member.#=~"),
        form(
            ["elasticloadbalancing", "SetRulePriorities"],
            "RulePriorities.member.#.RuleArn=arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/~/1/2/3\
             &RulePriorities.member.#.Priority=#",
        ),
    ]
}

impl Batch {
    fn request(&self, world: &World, names: &[&str]) -> Request<Full<Bytes>> {
        let items: Vec<String> = names
            .iter()
            .zip(1..)
            .map(|(name, number)| self.item.replace('~', name).replace('#', &i32::to_string(&number)))
            .collect();
        let body = [self.before, &items.join(self.between), self.after].concat();
        let sign = Sign::with(world);
        if self.service == "s3" {
            return sign.request(Method::POST, self.call, &[], body.as_bytes());
        }
        let sign = sign.service(self.service);
        if self.between == "&" {
            let body = format!("Action={}&Version={}&{body}", self.call, version(self.service));
            let headers = [("content-type", "application/x-www-form-urlencoded")];
            return sign.request(Method::POST, "/", &headers, body.as_bytes());
        }
        let kind = if self.service == "dynamodb" { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" };
        sign.request(Method::POST, "/", &[("content-type", kind), ("x-amz-target", self.call)], body.as_bytes())
    }
}

fn version(service: &str) -> &'static str {
    match service {
        "ec2" => "2016-11-15",
        "monitoring" => "2010-08-01",
        _ => "2015-12-01",
    }
}

/// Allows what is called `mine-…`, and nothing else.
fn only_mine() -> String {
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:us-east-1:123456789012:{rest}");
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Resource": "*", "Action": [
                "secretsmanager:BatchGetSecretValue", "secretsmanager:ListSecrets",
            ]},
            {"Effect": "Allow", "Action": "*", "Resource": [
                "arn:aws:s3:::mine/mine-*",
                arn("dynamodb", "table/mine-*"),
                arn("secretsmanager", "secret:mine-*"),
                arn("ssm", "parameter/mine-*"),
                arn("events", "event-bus/mine-*"),
                arn("codebuild", "project/mine-*"),
                arn("codecommit", "mine-*"),
                arn("glue", "job/mine-*"),
                arn("glue", "crawler/mine-*"),
                arn("ecs", "cluster/mine-*"),
                arn("ecs", "service/mine/mine-*"),
                arn("ecr", "repository/mine-*"),
                arn("logs", "log-group:mine-*"),
                arn("ec2", "instance/mine-*"),
                arn("cloudwatch", "alarm:mine-*"),
                arn("elasticloadbalancing", "listener-rule/app/mine-*"),
            ]},
        ],
    })
    .to_string()
}

#[tokio::test]
async fn no_batch_hides_a_foreign_item_wherever_it_stands() {
    let upstream = Upstream::plain().await;
    let everything = [
        "s3:*",
        "dynamodb:*",
        "secretsmanager:*",
        "ssm:*",
        "events:*",
        "codebuild:*",
        "codecommit:*",
        "glue:*",
        "ecs:*",
        "ecr:*",
        "logs:*",
        "ec2:*",
        "cloudwatch:*",
        "elasticloadbalancing:*",
    ];
    let world = Setup::on(&upstream.url()).actions(&everything).document(&only_mine()).gate().await;
    for batch in batches() {
        let (what, before) = (batch.call, upstream.seen().len());
        let own = ["mine-a", "mine-b", "mine-c"];
        let answer = ask(&world, batch.request(&world, &own)).await;
        assert_eq!(answer.status, 200, "{what} of one's own: {}", answer.text());
        assert_eq!(upstream.seen().len(), before + 1, "{what}");
        for at in 0..own.len() {
            let mut names = own;
            names[at] = "theirs";
            let answer = ask(&world, batch.request(&world, &names)).await;
            let told = (answer.status.as_u16() / 100, answer.reason());
            assert_eq!(told, (4, "not-allowed"), "{what} with a foreign item at {at}: {}", answer.text());
        }
        assert_eq!(upstream.seen().len(), before + 1, "{what}: none of those reached the upstream");
    }
}

/// A body that names its items in a way that two readers could read differently names them for nobody.
#[tokio::test]
async fn no_batch_hides_a_foreign_item_behind_a_second_reading() {
    let upstream = Upstream::plain().await;
    let world =
        Setup::on(&upstream.url()).actions(&["dynamodb:*", "ec2:*", "ssm:*"]).document(&only_mine()).gate().await;
    let json = |target: &'static str, body: &str| {
        let kind = if target.starts_with("Dyn") { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" };
        let service = if target.starts_with("Dyn") { "dynamodb" } else { "ssm" };
        let headers = [("content-type", kind), ("x-amz-target", target)];
        Sign::with(&world).service(service).request(Method::POST, "/", &headers, body.as_bytes())
    };
    let form = |body: &str| {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        Sign::with(&world).service("ec2").request(Method::POST, "/", &headers, body.as_bytes())
    };
    let terminate = "Action=TerminateInstances&Version=2016-11-15&InstanceId.1=mine-a";
    let (get, batch) = ("DynamoDB_20120810.GetItem", "DynamoDB_20120810.BatchGetItem");
    let steps = "DynamoDB_20120810.TransactWriteItems";
    for request in [
        // A name twice, or in another case, or escaped.
        json(get, r#"{"TableName":"mine-a","TableName":"theirs"}"#),
        json(get, r#"{"TableName":"mine-a","tableName":"theirs"}"#),
        json(get, r#"{"TableName":"mine-a","Table\u004eame":"theirs"}"#),
        json(batch, r#"{"RequestItems":{"mine-a":{}},"RequestItems":{"theirs":{}}}"#),
        json(batch, r#"{"RequestItems":{"mine-a":{}},"requestItems":{"theirs":{}}}"#),
        json(steps, r#"{"TransactItems":[{"Put":{"TableName":"mine-a"},"Put":{"TableName":"theirs"}}]}"#),
        json(steps, r#"{"TransactItems":[{"Put":{"TableName":"mine-a","tablename":"theirs"}}]}"#),
        json(steps, r#"{"TransactItems":[{"Put":{"TableName":"mine-a"},"put":{"TableName":"theirs"}}]}"#),
        json(steps, r#"{"TransactItems":{"Put":{"TableName":"mine-a"}}}"#),
        json("AmazonSSM.GetParameters", r#"{"Names":["mine-a"],"names":["theirs"]}"#),
        json("AmazonSSM.GetParameters", r#"{"Names":[["theirs"]]}"#),
        // Two documents, and what is not JSON.
        json(get, r#"{"TableName":"mine-a"}{"TableName":"theirs"}"#),
        json(get, "{\"TableName\":\"mine-a\"}\u{0}{\"TableName\":\"theirs\"}"),
        json(get, "\u{feff}{\"TableName\":\"mine-a\"}"),
        json(get, r#"{"TableName":"mine-a",/*"TableName":"theirs"*/}"#),
        json(get, r#"{'TableName':'mine-a'}"#),
        // The same number twice, other ways of counting, other cases.
        form(&format!("{terminate}&InstanceId.1=theirs")),
        form(&format!("{terminate}&InstanceId.01=theirs")),
        form(&format!("{terminate}&InstanceId.%31=theirs")),
        form(&format!("{terminate}&instanceId.2=theirs")),
        form(&format!("{terminate}&InstanceId.2.x=theirs")),
        form(&format!("{terminate}&InstanceId.member.2=theirs")),
        form(&format!("{terminate}&InstanceID.2=theirs")),
        form(&format!("{terminate}&InstanceId[]=theirs")),
        form(&format!("{terminate}&InstanceId=theirs")),
        form(&format!("{terminate};InstanceId.2=theirs")),
    ] {
        let what = format!("{request:?}");
        let answer = ask(&world, request).await;
        assert_eq!(answer.status.as_u16() / 100, 4, "{what}: {}", answer.text());
        assert!(!answer.reason().is_empty(), "{what}");
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
    assert_eq!(ask(&world, form(terminate)).await.status, 200);
}
