//! `cargo bench -p hallpass-catalog`: what resolving a request by the catalogue costs, warm and for the first time.
//!
//! Every request of the corpus that needs no body is resolved from its head; the best of several rounds is taken.
//! Targets: a few microseconds for a request, 5 ms for the first of a process.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use hallpass_catalog::CATALOG;
use hallpass_core::resolve::{Caller, Request, Upstream, head};

const ROUNDS: u32 = 20;
const REQUESTS: u32 = 2_000;

fn main() {
    for (name, service, method, path, headers) in [
        ("first of the process: ec2", "ec2", "GET", "/", &[][..]),
        ("first of its API: quicksight", "quicksight", "GET", "/accounts/1/data-sets/a", &[]),
    ] {
        let start = Instant::now();
        black_box(resolve(service, method, path, "Action=DescribeRegions", headers));
        println!("{name:32} {:>9.1} us", start.elapsed().as_secs_f64() * 1e6);
    }
    let target: &[(&str, &[u8])] =
        &[("content-type", b"application/x-amz-json-1.0"), ("x-amz-target", b"DynamoDB_20120810.ListTables")];
    for (name, service, method, path, query, headers) in [
        ("query: sts GetCallerIdentity", "sts", "GET", "/", "Action=GetCallerIdentity&Version=2011-06-15", &[][..]),
        ("ec2: DescribeRegions", "ec2", "GET", "/", "Action=DescribeRegions&Version=2016-11-15", &[]),
        ("json: dynamodb ListTables", "dynamodb", "POST", "/", "", target),
        ("rest: lambda Invoke", "lambda", "POST", "/2015-03-31/functions/f/invocations", "", &[]),
        ("rest: connect (405 routes)", "connect", "GET", "/users/i/u", "", &[]),
    ] {
        let mut best = Duration::MAX;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..REQUESTS {
                assert!(black_box(resolve(service, method, path, query, headers)), "{name}");
            }
            best = best.min(start.elapsed() / REQUESTS);
        }
        println!("{name:32} {:>9} ns", best.as_nanos());
    }
    let start = Instant::now();
    black_box(hallpass_catalog::host::located(None, "lambda.eu-west-1.amazonaws.com"));
    println!("{:32} {:>9.1} us", "first host lookup", start.elapsed().as_secs_f64() * 1e6);
}

fn resolve(service: &str, method: &str, path: &str, query: &str, headers: &[(&str, &[u8])]) -> bool {
    let request = Request {
        method,
        path,
        query,
        headers,
        service,
        region: "eu-west-1",
        catalog: CATALOG,
        caller: Caller { partition: None, account: Some("123456789012"), ..Caller::default() },
        upstream: Upstream::Aws,
        at: None,
        allow_unmapped: &[],
        secure_transport: true,
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    head(&request).is_ok()
}
