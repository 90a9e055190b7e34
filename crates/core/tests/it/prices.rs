//! The price table: what a call reserves, what it settles to, and that nothing is priced by accident.

use hallpass_core::budget::Usd;
use hallpass_core::budget::price::{Call, INSTANCE_HORIZON_H, Outcome, Price, REGION_PERCENT, Tokens};
use hallpass_core::policy::Context;
use proptest::prelude::*;

fn price_with(service: &str, operation: &str, change: impl FnOnce(&mut Call<'_>)) -> Price {
    let context = Context::default();
    let mut call = Call {
        service,
        region: "us-east-1",
        operation,
        resource: "*",
        context: &context,
        query: "",
        body: None,
        bytes_in: 0,
    };
    change(&mut call);
    Price::of(&call)
}

fn price(service: &str, operation: &str) -> Price {
    price_with(service, operation, |_| {})
}

fn answered(status: u16, bytes_out: u64) -> Outcome {
    Outcome { status: Some(status), bytes_out, tokens: None }
}

#[test]
fn known_calls_reserve_their_list_price_in_nano_dollars() {
    for (service, operation, nano) in [
        ("s3", "GetObject", 400),
        ("s3", "PutObject", 5_000),
        ("s3", "ListObjectsV2", 5_000),
        ("s3", "DeleteObject", 0),
        ("s3", "DeleteObjects", 0),
        ("sqs", "SendMessage", 500),
        ("sns", "Subscribe", 500),
        ("kms", "GenerateDataKey", 3_000),
        ("kms", "Sign", 15_000),
        ("iam", "ListUsers", 0),
        ("sts", "GetCallerIdentity", 0),
        ("ec2", "DescribeInstances", 0),
        ("dynamodb", "PutItem", 625),
        ("dynamodb", "GetItem", 12_500),
        ("frobnicate", "DescribeThings", 10_000),
        ("frobnicate", "UpdateThing", 1_000_000),
        ("frobnicate", "CreateThing", 1_000_000_000),
    ] {
        assert_eq!(price(service, operation).reserve().nano(), nano, "{service} {operation}");
    }
}

#[test]
fn a_machine_costs_its_type_times_its_count_times_the_horizon() {
    let run = |body: &'static str| price_with("ec2", "RunInstances", |call| call.body = Some(body.as_bytes()));
    let large = run("Action=RunInstances&InstanceType=m5.large&MinCount=1&MaxCount=3");
    assert_eq!(large.reserve(), Usd::from_nano(96_000_000 * 3 * INSTANCE_HORIZON_H));
    // A name that is written in another way is the same name.
    let hidden = run("Action=RunInstances&%49nstanceType=m5%2elarge&Max%43ount=3");
    assert_eq!(hidden.reserve(), large.reserve());
    let unnamed = run("Action=RunInstances&LaunchTemplate.LaunchTemplateId=lt-1&MaxCount=1");
    assert!(unnamed.reserve() > Usd::from_cents(10_000));
    for unbounded in ["Action=RunInstances&InstanceType=m5.large", "MaxCount=many", "MaxCount=-1"] {
        assert!(run(unbounded).is_unbounded(), "{unbounded}");
    }
    assert!(run("InstanceType=m5.large&MaxCount=18446744073709551615").reserve() == Usd::UNBOUNDED, "no wrap");
    let by_url = price_with("ec2", "RunInstances", |call| call.query = "MaxCount=1&InstanceType=t3.micro");
    assert_eq!(by_url.reserve(), Usd::from_nano(10_400_000 * INSTANCE_HORIZON_H));
    assert_eq!(large.settle(&answered(400, 0)), Usd::ZERO, "nothing was started");
    assert_eq!(large.settle(&Outcome::default()), large.reserve(), "nobody knows, so it counts");
}

#[test]
fn what_commits_to_an_unknown_sum_is_refused_under_a_budget() {
    for (service, operation) in [
        ("ec2", "PurchaseReservedInstancesOffering"),
        ("ec2", "CreateFleet"),
        ("savingsplans", "PurchaseAnything"),
        ("route53domains", "RegisterDomain"),
        ("bedrock", "CreateModelInvocationJob"),
        ("bedrock", "InvokeAgent"),
    ] {
        let price = price(service, operation);
        assert!(price.is_unbounded() && price.reserve() == Usd::UNBOUNDED, "{service} {operation}");
        assert!(price.settle(&answered(200, 0)) < Usd::from_cents(1), "its own sum is not invented");
    }
}

#[test]
fn tokens_are_bounded_from_the_request_and_settled_from_the_response() {
    let arn = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0";
    let price = price_with("bedrock", "InvokeModel", |call| {
        (call.resource, call.bytes_in) = (arn, 2_000);
        call.body = Some(br#"{"max_tokens":1000}"#);
    });
    // 1,000 tokens in at 0.25, 1,000 out at 1.25 USD per million.
    assert_eq!(price.reserve().nano(), 250_000 + 1_250_000);
    let used = Outcome { status: Some(200), bytes_out: 0, tokens: Some(Tokens { input: 400, output: 100 }) };
    assert_eq!(price.settle(&used).nano(), 100_000 + 125_000);
    assert_eq!(price.settle(&answered(200, 0)), price.reserve(), "an answer that does not say counts in full");
    let unlisted = price_with("bedrock", "Converse", |call| call.resource = "arn:somebody.new-model");
    assert!(unlisted.reserve() > Usd::from_cents(400));
}

#[test]
fn what_a_model_may_cost_at_most_is_known_before_it_runs() {
    let converse = |resource: &'static str, body: &'static str| {
        price_with("bedrock", "Converse", |call| {
            (call.resource, call.bytes_in, call.body) = (resource, body.len() as u64, Some(body.as_bytes()));
        })
    };
    let text = r#"{"inferenceConfig":{"maxTokens":10},"messages":[{"content":[{"text":"x"}]}]}"#;
    let sonnet = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-20250514-v1:0";
    let price = converse(sonnet, text);
    let used = |input, output| Outcome { status: Some(200), bytes_out: 0, tokens: Some(Tokens { input, output }) };
    let most = |price: &Price| price.reserve().plus(price.excess());
    // One token for each byte and the model's own; more than was asked for comes back too.
    assert!(price.settle(&used(text.len() as u64 + 2_048, 131_072)) <= most(&price));
    assert!(price.settle(&used(200_000, 131_072)) > most(&price));
    let picture = r#"{"messages":[{"content":[{"image":{"source":{"bytes":""}}}]}]}"#;
    let pictures = converse(sonnet, picture);
    assert!(pictures.settle(&used(1_000_000, 131_072)) <= most(&pictures), "a million tokens are all it can read");
    let stored = converse("arn:aws:bedrock:us-east-1:111122223333:prompt/ABCDEFGHIJ:1", "{}");
    assert!(stored.settle(&used(10_000_000, 131_072)) <= most(&stored));
    for exact in [price_with("s3", "GetObject", |_| {}), price_with("dynamodb", "Query", |_| {})] {
        assert_eq!(exact.excess(), Usd::ZERO);
    }
}

#[test]
fn other_regions_cost_more_and_an_answer_costs_its_transfer() {
    let far = price_with("s3", "GetObject", |call| call.region = "sa-east-1");
    assert_eq!(far.reserve().nano(), 400 * REGION_PERCENT / 100);
    assert_eq!(price("s3", "GetObject").settle(&answered(200, 1 << 30)).nano(), 400 + 90_000_000);
    assert_eq!(price("s3", "GetObject").settle(&answered(404, 0)).nano(), 400);
    let read = price("dynamodb", "Query");
    assert_eq!(read.settle(&answered(200, 0)).nano(), 125);
    assert!(read.settle(&answered(200, 4_097)).nano() >= 250);
}

proptest! {
    #[test]
    fn a_reservation_with_its_transfer_is_never_less_than_what_is_settled(
        service in prop::sample::select(vec!["s3", "dynamodb", "sqs", "sns", "lambda", "kms", "ec2", "bedrock", "logs", "x"]),
        operation in prop::sample::select(vec![
            "GetObject", "PutObject", "Query", "GetItem", "PutItem", "Publish", "Invoke", "Converse", "CreateKey",
            "CreateVolume", "PutLogEvents", "DescribeX", "SelectObjectContent",
        ]),
        bytes_in in 0..1_u64 << 40,
        bytes_out in 0..1_u64 << 20,
        status in prop::option::of(prop::sample::select(vec![200_u16, 206, 301, 403, 404, 500])),
    ) {
        let price = price_with(service, operation, |call| call.bytes_in = bytes_in);
        let settled = price.settle(&Outcome { status, bytes_out, tokens: None });
        prop_assert!(settled <= price.reserve().plus(price.transfer(bytes_out)).plus(Usd::from_nano(2)));
    }
}
