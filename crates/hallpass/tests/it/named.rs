//! Resources within structures and keys of conditions, as an unmodified boto3 writes them, against moto.

use hallpass_testkit::clients::python;
use hallpass_testkit::servers::Moto;

use crate::aws::Lender;
use crate::moto::furnished;

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
  {"Effect":"Allow","Action":["events:PutEvents","events:PutRule"],
   "Resource":["arn:aws:events:*:*:event-bus/default","arn:aws:events:*:*:rule/r"]},
  {"Effect":"Allow","Action":"glue:CreateDatabase",
   "Resource":["arn:aws:glue:*:*:catalog","arn:aws:glue:*:*:database/d"]},
  {"Effect":"Allow","Action":"cloudwatch:PutMetricData","Resource":"*",
   "Condition":{"StringEquals":{"cloudwatch:namespace":"Mine"}}},
  {"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*",
   "Condition":{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["ann"]},
                "Null":{"dynamodb:LeadingKeys":"false"}}},
  {"Effect":"Allow","Action":"ec2:CreateVolume","Resource":"*",
   "Condition":{"StringEquals":{"aws:RequestTag/team":"blue","ec2:Encrypted":"true"}}},
  {"Effect":"Allow","Action":"ec2:CreateTags","Resource":"*",
   "Condition":{"StringEquals":{"ec2:CreateAction":"CreateVolume"}}}]}"#;

/// What was lent ends with the upstream's word, what was not with hallpass's.
const PROGRAM: &str = r#"
import boto3
from botocore.exceptions import ClientError

def ask(service, operation, **parameters):
    try:
        getattr(boto3.client(service, region_name="us-east-1"), operation)(**parameters)
        return "passed"
    except ClientError as error:
        return "refused" if "hallpass: " in str(error) else "passed"

event = {"Source": "a", "DetailType": "b", "Detail": "{}"}
def volume(team, **more):
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "team", "Value": team}]}]
    return ask("ec2", "create_volume", AvailabilityZone="us-east-1a", Size=1, TagSpecifications=tags, **more)
def metric(namespace):
    return ask("cloudwatch", "put_metric_data", Namespace=namespace, MetricData=[{"MetricName": "x", "Value": 1}])
for lent, other in [
    (ask("events", "put_events", Entries=[event]),
     ask("events", "put_events", Entries=[event, {**event, "EventBusName": "other"}])),
    (ask("events", "put_rule", Name="r", ScheduleExpression="rate(1 day)"),
     ask("events", "put_rule", Name="s", ScheduleExpression="rate(1 day)")),
    (ask("glue", "create_database", DatabaseInput={"Name": "d"}),
     ask("glue", "create_database", DatabaseInput={"Name": "e"})),
    (metric("Mine"), metric("Other")),
    (ask("dynamodb", "get_item", TableName="t", Key={"u": {"S": "ann"}}),
     ask("dynamodb", "get_item", TableName="t", Key={"u": {"S": "bob"}})),
    (volume("blue", Encrypted=True), volume("red", Encrypted=True)),
    (volume("blue", Encrypted=True), volume("blue", Encrypted=False)),
    (volume("blue", Encrypted=True), ask("ec2", "create_tags", Resources=["vol-1"], Tags=[{"Key": "a", "Value": "b"}])),
]:
    print(lent, other)
"#;

#[test]
fn what_boto3_names_within_structures_is_lent_and_its_neighbours_are_not() {
    let cloud = Moto::start().expect("moto starts");
    let owner = furnished(&cloud);
    let lender = Lender::new(cloud.url(), owner, None);
    let python = python();
    let command = [python.to_str().expect("a path"), "-c", PROGRAM];
    let printed = lender.run(&["--policy", POLICY], &command).succeeded();
    assert_eq!(printed.lines().collect::<Vec<_>>(), ["passed refused"; 8], "{printed}");
}
