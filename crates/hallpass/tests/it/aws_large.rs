//! Large bodies: byte-identical, with the gate's memory flat.

use std::process::Stdio;
use std::time::{Duration, Instant};

use hallpass_testkit::clients::CLIENT_TIMEOUT;
use hallpass_testkit::servers::Ministack;
use hallpass_testkit::servers::ministack::BUCKET;

use crate::aws::{Lender, noise};

const MIB: usize = 1024 * 1024;
/// Acceptance: the gate holds at most this much, whatever passes through it.
const RESIDENT_KIB_MAX: u64 = 64 * 1024;

#[test]
fn a_large_copy_up_and_down_is_byte_identical_with_flat_memory() {
    let lender = Lender::with_role(Ministack::shared());
    let (up, down) = (lender.work().join("up"), lender.work().join("down"));
    noise(&up, 256 * MIB);
    let script = format!("aws s3 cp --quiet up s3://{BUCKET}/large && aws s3 cp --quiet s3://{BUCKET}/large down");
    let peak_kib =
        run_measured(&lender, &["--allow", "s3:*", "--resource", "arn:aws:s3:::lent/*"], &["sh", "-c", &script]);
    assert!(same(&up, &down), "what came back is not what was sent");
    assert!(peak_kib <= RESIDENT_KIB_MAX, "the gate held {peak_kib} KiB");
    let parts = lender.count("request_allowed", "UploadPart");
    assert!(parts >= 32, "a multipart upload of 8 MiB parts, {parts} seen");
    let settled = lender.events("request_settled");
    let sent: u64 = settled.iter().filter_map(|event| event["bytes_in"].as_u64()).sum();
    let received: u64 = settled.iter().filter_map(|event| event["bytes_out"].as_u64()).sum();
    assert!(sent >= 256 * MIB as u64 && received >= 256 * MIB as u64, "{sent} sent, {received} received");
}

/// Runs to the end and gives the largest resident size that `hallpass` itself, where the gate is, ever had.
fn run_measured(lender: &Lender, flags: &[&str], child: &[&str]) -> u64 {
    let errors = lender.work().join("stderr");
    let mut command = lender.lending(flags, child);
    command.stdout(Stdio::null()).stderr(std::fs::File::create(&errors).expect("a file"));
    let mut hallpass = command.spawn().expect("hallpass starts");
    let status = format!("/proc/{}/status", hallpass.id());
    let started = Instant::now();
    let mut peak_kib = 0;
    loop {
        if let Some(ended) = hallpass.try_wait().expect("our own child") {
            let said = std::fs::read_to_string(&errors).unwrap_or_default();
            assert!(ended.success(), "{ended}: {said}");
            assert!(peak_kib > 0, "nothing was measured");
            return peak_kib;
        }
        peak_kib = peak_kib.max(high_water_kib(&std::fs::read_to_string(&status).unwrap_or_default()));
        assert!(started.elapsed() < CLIENT_TIMEOUT, "it hangs");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

fn high_water_kib(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

fn same(one: &std::path::Path, other: &std::path::Path) -> bool {
    std::fs::read(one).expect("a file") == std::fs::read(other).expect("a file")
}
