//! The table of clients: each unmodified client, by each way into the gate, in front of each server. It takes minutes
//! and more clients than the other tests: `cargo xtask clients` installs them, runs it and writes the page.

mod page;
mod store;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use hallpass_testkit::clients::{Outcome, aws, bare, clients_folder, identity, python, run, run_within};
use hallpass_testkit::servers::ministack::{BUCKET, User};
use hallpass_testkit::servers::{Ministack, Moto, Seaweedfs, seaweedfs};

use crate::aws::{Lender, noise};
use page::{Cell, Row, Section};

/// What every S3 client is asked to do, in this order.
const S3: [&str; 7] = ["put", "get", "multipart", "copy", "list", "delete", "presign"];
/// What clients of all of AWS are asked to do besides.
const REST: [&str; 10] =
    ["dynamodb", "sqs", "sns", "lambda", "ec2", "iam", "kms", "secretsmanager", "cloudformation", "sts"];

/// What the operations need. Minting and escalation are not among them.
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*","Action":[
    "s3:*","dynamodb:*","sqs:*","sns:*","lambda:List*","ec2:Describe*","iam:ListUsers","kms:CreateKey","kms:ListKeys",
    "kms:Encrypt","kms:Decrypt","secretsmanager:CreateSecret","secretsmanager:GetSecretValue",
    "secretsmanager:ListSecrets","cloudformation:ListStacks","sts:GetCallerIdentity"]}]}"#;

/// One client by one way with all its operations takes seconds; on a busy machine, or with a client that retries what is
/// refused, a minute or two.
const ROW_LIMIT: Duration = Duration::from_secs(180);

/// One client.
struct Client {
    name: &'static str,
    program: Program,
    operations: Vec<&'static str>,
}

impl Client {
    /// Version 2.9 of the `aws` command line is older than `AWS_ENDPOINT_URL`.
    fn takes(&self, way: &str, server: &Server) -> bool {
        self.name != OLDER || (way != "endpoint" && server.ways == EVERY_WAY)
    }
}

/// Comes through the proxy only.
const OLDER: &str = "aws 2.9";

enum Program {
    Shell(&'static str),
    Python,
    Node,
    /// A program of our own, on the Rust SDK.
    Rust(OsString),
}

fn clients() -> Vec<Client> {
    let all: Vec<&str> = S3.into_iter().chain(REST).collect();
    let but = |left_out: &[&str]| all.iter().copied().filter(|name| !left_out.contains(name)).collect();
    let of_s3 = |left_out: &[&str]| S3.into_iter().filter(|name| !left_out.contains(name)).collect();
    let few = ["dynamodb", "sqs", "ec2", "iam", "sts"];
    let javascript = S3.into_iter().filter(|name| *name != "presign").chain(few).collect();
    let shell = |name, script, operations| Client { name, program: Program::Shell(script), operations };
    let mut clients = vec![
        shell("aws 1", include_str!("clients/aws.sh"), all.clone()),
        shell(OLDER, include_str!("clients/aws.sh"), all.clone()),
        Client { name: "boto3", program: Program::Python, operations: all.clone() },
        Client { name: "JavaScript 3", program: Program::Node, operations: javascript },
        shell("curl", include_str!("clients/curl.sh"), but(&["multipart", "presign"])),
        shell("rclone", include_str!("clients/rclone.sh"), of_s3(&[])),
        shell("s5cmd", include_str!("clients/s5cmd.sh"), of_s3(&[])),
        shell("terraform", include_str!("clients/terraform.sh"), vec!["put", "get", "list", "delete"]),
    ];
    if let Some(program) = hallpass_testkit::clients::rust_sdk() {
        clients.push(Client { name: "Rust", program: Program::Rust(program.into()), operations: vec!["iam", "sts"] });
    }
    clients
}

/// One server, as a session reaches it.
struct Server {
    name: &'static str,
    lender: Lender,
    flags: Vec<String>,
    bucket: &'static str,
    ways: &'static [&'static str],
    operations: Vec<&'static str>,
}

const EVERY_WAY: &[&str] = &["endpoint", "proxy", "both"];
/// A store has no host that a proxy could stand in for.
const OF_STORES: &[&str] = &["endpoint", "both"];

#[test]
#[ignore = "`cargo xtask clients` installs its clients and runs it"]
fn every_client_works_by_every_way_or_it_is_explained_why_not() {
    let cloud = Ministack::shared();
    let moto = Moto::start().expect("moto starts");
    let weed = Seaweedfs::start().expect("SeaweedFS starts");
    let strict = store::Strict::start("lent");
    let mut make = bare(python());
    make.envs(identity(&weed.url(), seaweedfs::KEY, seaweedfs::SECRET, None));
    make.args(["-c", "import boto3; boto3.client('s3').create_bucket(Bucket='lent')"]);
    run(&mut make).succeeded();
    let of_store = |name, url: String, key: &str, secret: &str| {
        let owner = User { key: key.to_owned(), secret: secret.to_owned() };
        let flags = ["--provider", "s3", "--endpoint", &url].map(str::to_owned).to_vec();
        let lender = Lender::new("http://127.0.0.1:1".to_owned(), owner, None);
        Server { name, lender, flags, bucket: "lent", ways: OF_STORES, operations: S3.to_vec() }
    };
    let servers = [
        of_store("s3s-fs", strict.url(), store::KEY, store::SECRET),
        of_store("SeaweedFS", weed.url(), seaweedfs::KEY, seaweedfs::SECRET),
        Server {
            name: "MiniStack",
            lender: Lender::with_role(cloud),
            flags: Vec::new(),
            bucket: BUCKET,
            ways: EVERY_WAY,
            operations: S3.into_iter().chain(REST).collect(),
        },
        Server {
            name: "moto",
            lender: Lender::new(moto.url(), crate::moto::furnished(&moto), None),
            flags: Vec::new(),
            bucket: "second",
            ways: EVERY_WAY,
            operations: S3.into_iter().chain(REST).collect(),
        },
    ];
    let mut sections = Vec::new();
    for server in &servers {
        sections.push(section(server));
        // A run that is ended early has said what it knows.
        page::write(&sections);
    }
    let open: Vec<String> = sections.iter().flat_map(Section::open).collect();
    assert!(open.is_empty(), "neither green nor explained:\n{}", open.join("\n"));
}

fn section(server: &Server) -> Section {
    noise(&server.lender.work().join("large"), 12 << 20);
    std::fs::write(server.lender.work().join("small"), "a small object\n").expect("a file");
    let mut rows = Vec::new();
    for client in clients() {
        let operations: Vec<_> = client.operations.iter().filter(|name| server.operations.contains(name)).collect();
        if operations.is_empty() {
            continue;
        }
        for way in server.ways.iter().filter(|way| client.takes(way, server)) {
            let name = format!("{}-{way}", client.name.replace([' ', '.'], "-"));
            let outcome = start(server, &client, way, &name);
            let cells = read(&outcome, client.operations.iter().filter(|name| server.operations.contains(name)));
            let row = Row { client: client.name, way, cells };
            // It takes minutes: whoever waits sees how far it is.
            page::tell(&format!("{} {}", server.name, row.told()));
            rows.push(row);
        }
    }
    Section { server: server.name, operations: server.operations.clone(), rows }
}

/// Runs one client with all its operations.
fn start(server: &Server, client: &Client, way: &str, name: &str) -> Outcome {
    let child: Vec<OsString> = match &client.program {
        Program::Shell(script) => {
            vec!["sh".into(), "-c".into(), format!("{script}\n{}", include_str!("clients/common.sh")).into()]
        }
        Program::Python => vec![python().into(), "-c".into(), include_str!("clients/boto3.py").into()],
        Program::Node => vec!["node".into(), "-e".into(), include_str!("clients/javascript.js").into()],
        Program::Rust(program) => {
            std::iter::once(program.clone()).chain(client.operations.iter().map(OsString::from)).collect()
        }
    };
    let mut flags: Vec<&str> = server.flags.iter().map(String::as_str).collect();
    flags.extend(["--quiet", "--policy", POLICY, "--via", way]);
    let mut command = server.lender.lending(&flags, &child);
    let operations: Vec<&str> =
        client.operations.iter().copied().filter(|name| server.operations.contains(name)).collect();
    let folder = clients_folder();
    let version_2 = format!(
        "env PYTHONPATH={0}/usr/lib/python3/dist-packages /usr/bin/python3 {0}/usr/bin/aws",
        folder.join("deb").display()
    );
    let version_1 = aws().display().to_string();
    command.env("AWS", if client.name == "aws 1" { version_1 } else { version_2 });
    command.env("BUCKET", server.bucket).env("NAME", name).env("OPERATIONS", operations.join(" "));
    if !server.flags.is_empty() {
        command.env("STORE", "true");
    }
    command.env("PATH", hallpass_testkit::clients::path_with(&folder.join("py/bin")));
    run_within(&mut command, ROW_LIMIT).unwrap_or_else(|mut outcome| {
        outcome.stderr.push_str("\nit took longer than its limit, and was ended");
        outcome
    })
}

/// The cell of each operation.
fn read<'a>(outcome: &Outcome, asked: impl Iterator<Item = &'a &'static str>) -> BTreeMap<&'static str, Cell> {
    let said: BTreeMap<&str, &str> = outcome.stdout.lines().filter_map(|line| line.split_once('\t')).collect();
    let cell = |name: &&'static str| match said.get(*name) {
        Some(&"ok") => Cell::Works,
        Some(said) => Cell::Fails((*said).to_owned()),
        None => Cell::Fails(outcome.shown()),
    };
    asked.map(|name| (*name, cell(name))).collect()
}
