//! REST and CBOR services under `hallpass run`: the unmodified `aws` command line and boto3 against MiniStack.

use hallpass_testkit::clients::python;
use hallpass_testkit::servers::Ministack;

use crate::aws::Lender;

/// Half of what the tests below ask for.
const SCOPE: [&str; 2] = [
    "--policy",
    r#"{"Version":"2012-10-17","Statement":[
      {"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:*:*:function:lent-*"},
      {"Effect":"Allow","Action":"apigateway:GET","Resource":"arn:aws:apigateway:*::/restapis"},
      {"Effect":"Allow","Action":["route53:ListHostedZones","lambda:ListFunctions"],"Resource":"*"},
      {"Effect":"Allow","Action":"cloudwatch:ListMetrics","Resource":"*"}]}"#,
];

#[test]
fn rest_calls_that_were_lent_work() {
    let lender = Lender::with_role(Ministack::shared());
    let zones = lender.run(&SCOPE, &["aws", "route53", "list-hosted-zones"]).succeeded();
    assert!(zones.contains("HostedZones"), "{zones}");
    let apis = lender.run(&SCOPE, &["aws", "apigateway", "get-rest-apis"]).succeeded();
    assert!(!apis.contains("hallpass"), "{apis}");
    let functions = lender.run(&SCOPE, &["aws", "lambda", "list-functions"]).succeeded();
    assert!(functions.contains("Functions"), "{functions}");
    for operation in ["ListHostedZones", "GetRestApis", "ListFunctions"] {
        assert_eq!(lender.count("request_allowed", operation), 1, "{operation}");
    }
}

#[test]
fn a_function_outside_the_scope_is_not_invoked() {
    let lender = Lender::with_role(Ministack::shared());
    let invoke = |name: &str| lender.run(&SCOPE, &["aws", "lambda", "invoke", "--function-name", name, "/dev/null"]);
    // There is no such function: that the upstream says so shows that the call arrived.
    let inside = invoke("lent-report").failed();
    assert!(inside.contains("ResourceNotFound") && !inside.contains("operation: hallpass: "), "{inside}");
    let outside = invoke("payroll").failed();
    assert!(outside.contains("AccessDenied") && outside.contains("operation: hallpass: "), "{outside}");
    assert!(outside.contains("lambda:InvokeFunction"), "the missing action is named: {outside}");
    assert_eq!((lender.count("request_allowed", "Invoke"), lender.count("request_denied", "Invoke")), (1, 1));
}

#[test]
fn rest_calls_that_were_not_lent_are_refused_in_their_protocols_shape() {
    let lender = Lender::with_role(Ministack::shared());
    for (command, operation) in [
        (&["aws", "apigateway", "create-rest-api", "--name", "x"][..], "CreateRestApi"),
        (&["aws", "route53", "get-hosted-zone", "--id", "Z1"][..], "GetHostedZone"),
        (&["aws", "lambda", "delete-function", "--function-name", "lent-report"][..], "DeleteFunction"),
    ] {
        let said = lender.run(&SCOPE, command).failed();
        assert!(said.contains("AccessDenied") && said.contains("operation: hallpass: "), "{said}");
        assert_eq!(lender.count("request_denied", operation), 1, "{operation}");
    }
}

/// Newer boto3 speaks CBOR to CloudWatch, older ones the query protocol: the gate takes both.
const METRICS: &str = r#"
import boto3
from botocore.exceptions import ClientError
metrics = boto3.client("cloudwatch")
print("listed", metrics.list_metrics()["ResponseMetadata"]["HTTPStatusCode"])
try:
    metrics.put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": 1.0}])
except ClientError as error:
    print("refused", error.response["Error"]["Code"], error.response["Error"]["Message"])
"#;

#[test]
fn boto3_lists_metrics_and_may_not_put_them() {
    let lender = Lender::with_role(Ministack::shared());
    let python = python();
    let said = lender.run(&SCOPE, &[&python.to_string_lossy(), "-c", METRICS]).succeeded();
    assert!(said.contains("listed 200"), "{said}");
    assert!(said.contains("refused AccessDenied") && said.contains("cloudwatch:PutMetricData"), "{said}");
}
