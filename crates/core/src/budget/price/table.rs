//! The table itself, service by service. Amounts are nano-dollars: 1,000 of them per call are a dollar per million.

use super::{Call, Measure, Price, bedrock, instance};
use crate::budget::Usd;
use crate::policy::Known;

/// An unknown call that only reads (10 USD per million).
const UNKNOWN_READ: Price = Price::each(10_000);
/// An unknown call that changes something (0.001 USD).
const UNKNOWN_WRITE: Price = Price::each(1_000_000);
/// An unknown call whose name says that it makes or starts something (1 USD).
const UNKNOWN_START: Price = Price::effect(Usd::from_cents(100));

/// Services that charge nothing for their control plane, and leave nothing behind that costs.
const FREE: [&str; 6] = ["iam", "sts", "organizations", "cloudformation", "tagging", "access-analyzer"];

pub(super) fn price(call: &Call<'_>) -> Price {
    if is_commitment(call.operation) {
        return Price::effect(Usd::UNBOUNDED);
    }
    match call.service {
        "s3" => s3(call),
        "dynamodb" => dynamodb(call),
        "sqs" => Price::each(500 * call.bytes_in.div_ceil(64 * 1024).max(1)),
        "sns" => sns(call),
        "lambda" => lambda(call.operation),
        "kms" => kms(call.operation),
        "ec2" => ec2(call),
        "bedrock" => bedrock::price(call),
        "secretsmanager" => match call.operation {
            "CreateSecret" => Price { effect: Usd::from_cents(40), ..Price::each(5_000) },
            _ => Price::each(5_000),
        },
        "ssm" | "logs" | "events" | "monitoring" | "states" => telemetry(call),
        service if FREE.contains(&service) => Price::FREE,
        _ => unknown(call.operation),
    }
}

/// Calls that commit to paying an amount that the request does not tell.
fn is_commitment(operation: &str) -> bool {
    ["Purchase", "RegisterDomain", "RenewDomain", "TransferDomain", "AcceptReserved"]
        .into_iter()
        .any(|begin| operation.starts_with(begin))
}

/// Requests by class, and 0.05 USD per thousand for every storage class but the standard one.
fn s3(call: &Call<'_>) -> Price {
    let standard = match call.context.get("s3:x-amz-storage-class") {
        Known::Present(classes) => classes.iter().all(|class| class == "STANDARD"),
        Known::Absent | Known::Unknown => true,
    };
    match call.operation {
        operation if operation.starts_with("Delete") || operation == "AbortMultipartUpload" => Price::FREE,
        // Expedited retrieval, and a GiB of it.
        "RestoreObject" => Price { effect: Usd::from_cents(4), ..Price::each(10_000_000) },
        // Scanned bytes are not known before: ten GiB.
        "SelectObjectContent" => Price { effect: Usd::from_cents(2), ..Price::each(400) },
        "GetObject" | "HeadObject" | "HeadBucket" => Price::each(400),
        operation if operation.starts_with("Get") => Price::each(400),
        _ if !standard => Price::each(50_000),
        _ => Price::each(5_000),
    }
}

/// On-demand request units: 0.625 USD per million written KiB, 0.125 per million read 4 KiB.
fn dynamodb(call: &Call<'_>) -> Price {
    const WRITE: u64 = 625;
    const READ: Usd = Usd::from_nano(125);
    let read = |most_units: u64, factor: u64| Price {
        effect: READ.times(most_units * factor),
        measure: Measure::AnswerUnits { unit: 4_096, each: READ.times(factor) },
        ..Price::FREE
    };
    let written =
        |items: u64, factor: u64| Price::each(WRITE * factor * call.bytes_in.div_ceil(1_024).max(1) + WRITE * items);
    match call.operation {
        // The largest item has 400 KiB, the largest page 1 MiB, the largest batch 16 MiB.
        "GetItem" => read(100, 1),
        "Query" | "Scan" | "GetRecords" => read(256, 1),
        "BatchGetItem" => read(4_096, 1),
        "TransactGetItems" => read(1_024, 2),
        "PutItem" | "UpdateItem" | "DeleteItem" => written(0, 1),
        "BatchWriteItem" => written(25, 1),
        "TransactWriteItems" => written(200, 2),
        operation if is_read(operation) => Price::FREE,
        "CreateTable" | "UpdateTable" | "TagResource" | "UntagResource" | "DeleteTable" => Price::FREE,
        operation => unknown(operation),
    }
}

/// 0.50 USD per million; a text message to a telephone is counted as the most expensive country.
fn sns(call: &Call<'_>) -> Price {
    let telephone = call.operation == "Publish" && call.body.is_none_or(|body| contains(body, b"PhoneNumber"));
    let each = Price::each(500 * call.bytes_in.div_ceil(64 * 1024).max(1));
    if telephone { Price { effect: Usd::from_cents(50), ..each } } else { each }
}

/// 0.20 USD per million, and one minute of one GiB, because the request does not tell how long a function runs.
fn lambda(operation: &str) -> Price {
    match operation {
        "Invoke" | "InvokeAsync" | "InvokeWithResponseStream" => {
            Price { effect: Usd::from_nano(1_000_002), ..Price::each(200) }
        }
        "PutProvisionedConcurrencyConfig" => Price::effect(Usd::UNBOUNDED),
        _ => Price::FREE,
    }
}

/// 0.03 USD per ten thousand; asymmetric operations more; a key costs a dollar a month.
fn kms(operation: &str) -> Price {
    match operation {
        "CreateKey" | "ReplicateKey" => Price { effect: Usd::from_cents(100), ..Price::each(3_000) },
        "GenerateDataKeyPair" | "GenerateDataKeyPairWithoutPlaintext" => Price::each(1_200_000),
        "Sign" | "Verify" | "GetPublicKey" | "DeriveSharedSecret" | "Encrypt" | "Decrypt" | "ReEncrypt" => {
            Price::each(15_000)
        }
        _ => Price::each(3_000),
    }
}

fn ec2(call: &Call<'_>) -> Price {
    let hours = |nano: u64| Price::effect(Usd::from_nano(nano).times(super::INSTANCE_HORIZON_H));
    match call.operation {
        "RunInstances" => instance::run(call),
        "StartInstances" => instance::start(call),
        // Fleets choose their machines, and how many, later.
        "CreateFleet"
        | "ModifyFleet"
        | "RequestSpotFleet"
        | "ModifySpotFleetRequest"
        | "RequestSpotInstances"
        | "AllocateHosts"
        | "CreateCapacityReservation"
        | "CreateCapacityReservationFleet" => Price::effect(Usd::UNBOUNDED),
        "CreateNatGateway" => hours(45_000_000),
        "AllocateAddress" => hours(5_000_000),
        "CreateVpcEndpoint" => hours(10_000_000),
        "CreateTransitGateway" | "CreateTransitGatewayVpcAttachment" | "CreateVpnConnection" => hours(50_000_000),
        "CreateClientVpnEndpoint" | "AssociateClientVpnTargetNetwork" => hours(100_000_000),
        // A terabyte for a month.
        "CreateVolume" | "CopySnapshot" | "CreateSnapshot" | "CreateImage" | "CopyImage" => {
            Price::effect(Usd::from_cents(12_500))
        }
        _ => Price::FREE,
    }
}

fn telemetry(call: &Call<'_>) -> Price {
    match (call.service, call.operation) {
        // 0.50 USD per GiB taken in.
        ("logs", "PutLogEvents") => Price { call: Usd::from_cents(50).per(1 << 30, call.bytes_in), ..Price::FREE },
        // 0.01 USD per thousand calls, and 0.30 a month for a new metric.
        ("monitoring", "PutMetricData") => Price { effect: Usd::from_cents(30), ..Price::each(10_000) },
        ("monitoring", _) => Price::each(10_000),
        // 1 USD per million events, in units of 64 KiB.
        ("events", "PutEvents") => Price::each(1_000 * call.bytes_in.div_ceil(64 * 1024).max(1)),
        // 25 USD per million transitions: a run of a thousand.
        ("states", "StartExecution" | "StartSyncExecution") => Price::effect(Usd::from_nano(25_000_000)),
        ("ssm", "PutParameter") => Price::each(50_000),
        _ => Price::FREE,
    }
}

fn unknown(operation: &str) -> Price {
    let begins = |begin: &str| operation.starts_with(begin);
    let starts =
        ["Create", "Run", "Start", "Launch", "Restore", "Provision", "Allocate", "Request", "Import", "Invoke"];
    if is_read(operation) {
        UNKNOWN_READ
    } else if starts.into_iter().any(begins) {
        UNKNOWN_START
    } else {
        UNKNOWN_WRITE
    }
}

fn is_read(operation: &str) -> bool {
    ["Get", "List", "Describe", "Head", "BatchGet", "Search", "Lookup"]
        .into_iter()
        .any(|begin| operation.starts_with(begin))
}

fn contains(body: &[u8], text: &[u8]) -> bool {
    body.windows(text.len()).any(|window| window == text)
}
