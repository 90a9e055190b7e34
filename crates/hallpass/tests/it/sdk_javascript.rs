//! The official JavaScript SDK, the one that streams uploads as aws-chunked with trailers over plain HTTP too.

use hallpass_testkit::servers::Ministack;

use crate::aws::Lender;
use crate::sdk::{Script, calls};
use crate::sdk_boto3::SCOPE;

#[test]
fn javascript_sees_allowed_calls_work_and_refused_ones_in_their_protocols_shape() {
    let lender = Lender::with_role(Ministack::shared());
    let calls = calls(&lender, &SCOPE, &Script::JavaScript(include_str!("sdk_javascript.js")));
    let worked = [
        "put and get",
        "put a stream with a trailer",
        "upload a stream",
        "get an item",
        "list queues",
        "who am I",
        "list users",
        "describe instances",
    ];
    for name in worked {
        calls[name].worked();
    }
    calls["delete an object"].refused("AccessDenied");
    calls["get outside the prefix"].refused("AccessDenied");
    calls["put an item"].refused("AccessDeniedException");
    // SQS spoke the query protocol before: its SDKs read the code of that time from a header.
    calls["create a queue"].refused("AccessDenied");
    calls["create a user"].refused("AccessDenied");
    calls["run instances"].refused("UnauthorizedOperation");
    assert_eq!(lender.events("request_denied").len(), 6, "one request, one refusal");
}
