//! boto3 against a strict store, in every checksum mode and with every algorithm that it has, in one piece and in parts.

use std::path::Path;
use std::process::{Command, Output};

use crate::client::put;
use crate::upstream::Upstream;
use crate::world::{Setup, World};

#[expect(clippy::disallowed_methods, reason = "a test may be told where its clients are")]
fn script(world: &World) -> Command {
    let testbed = std::env::var_os("HALLPASS_TESTBED").expect("HALLPASS_TESTBED names the folder of the testbed");
    let mut python = Command::new(Path::new(&testbed).join("py/bin/python"));
    python.args(["-c", include_str!("boto3.py")]);
    python.env_clear().env("AWS_ENDPOINT_URL", world.gate.endpoint_url()).env("AWS_DEFAULT_REGION", "us-east-1");
    python.env("AWS_ACCESS_KEY_ID", &world.placeholder.access_key_id).env("AWS_EC2_METADATA_DISABLED", "true");
    python.env("AWS_SECRET_ACCESS_KEY", world.placeholder.secret_access_key.expose());
    python.env("AWS_SESSION_TOKEN", world.placeholder.session_token.expose());
    python
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the testbed: `cargo xtask testbed`, then HALLPASS_TESTBED=… cargo test -p hallpass-dataplane -- --ignored boto3"]
async fn boto3_uploads_and_downloads_in_every_checksum_mode() {
    let folder = tempfile::tempdir().expect("a folder");
    let upstream = Upstream::store(folder.path()).await;
    let world = Setup::on(&upstream.url()).long_term_keys().gate().await;
    assert_eq!(put(&world, "/lent", b"").await.status, 200);
    let mut python = script(&world);
    let ran = tokio::task::spawn_blocking(move || python.output()).await.expect("no panic");
    let Output { status, stdout, stderr } = ran.expect("python runs");
    let (printed, complaints) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{printed}{complaints}");
    let calls: Vec<serde_json::Value> =
        printed.lines().map(|line| serde_json::from_str(line).expect("one JSON line for each call")).collect();
    assert!(calls.len() >= 49, "{}", calls.len());
    let failed: Vec<_> = calls.iter().filter(|call| call["status"] != 200 || call["attempts"] != 1).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(world.log.denied().is_empty());
}
