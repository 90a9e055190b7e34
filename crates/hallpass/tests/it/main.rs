//! One binary for every test that crosses a process boundary: each starts the real `hallpass`.

mod alias;
mod alias_check;
mod alias_commands;
mod alias_file;
mod alias_race;
mod alias_role;
mod alias_schema;
mod audit;
mod aws;
mod aws_cli;
mod aws_large;
mod budget;
mod children;
mod cli;
mod cli_doctor;
mod cli_errors;
mod cli_world;
mod clients;
mod complete;
mod config;
mod crash;
mod demo;
mod environment_cleaning;
mod exit_codes;
#[cfg(feature = "golden")]
mod golden;
mod kill;
mod learn;
mod moto;
mod named;
mod own_proxy;
mod policy;
mod rest;
mod run;
mod s3;
mod s3_admin;
mod s3_contract;
mod s3_store;
mod s3_transfer;
mod sdk;
mod sdk_boto3;
mod sdk_javascript;
mod seed_sessions;
mod session;
mod threats;
mod tty;
mod watching;
mod ways;

/// A test file that nobody names is never compiled, and looks as if it passed.
#[test]
fn every_test_file_is_named_here() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = include_str!("main.rs");
    let mut forgotten = Vec::new();
    for entry in std::fs::read_dir(here).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let is_test = path.extension().is_some_and(|extension| extension == "rs") && name != "main";
        if is_test && !main.lines().any(|line| line == format!("mod {name};")) {
            forgotten.push(name);
        }
    }
    assert!(forgotten.is_empty(), "not named in main.rs: {forgotten:?}");
}
