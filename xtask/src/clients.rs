//! `cargo xtask clients`: every client by every way against every server, and the page that says how it went.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::process::step;
use crate::{environment, testbed};

/// Where the test writes its table.
const PAGE: &str = "docs/reference/clients.md";

/// Installs the clients, runs the table, writes the page. With `--check` the page is left as it is.
///
/// # Errors
/// A client cannot be installed, or a cell of the table is neither green nor explained.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("`clients` takes no argument but `--check`"),
    };
    let folder = testbed::install(root)?;
    let clients = testbed::clients::install(root, &folder)?;
    let mut example = environment::cargo(root);
    step(
        "build the client on the Rust SDK",
        example.args(["build", "-p", "hallpass-providers", "--example", "rust_sdk"]),
    )?;
    let mut test = environment::cargo(root);
    test.args(["test", "-p", "hallpass", "--test", "it", "--", "clients::", "--ignored", "--nocapture"]);
    environment::clean(&mut test);
    test.env(environment::TESTBED, &folder).env("HALLPASS_TEST_CLIENTS", clients);
    test.env("HALLPASS_TEST_RUST_SDK", environment::target_dir(root).join("debug/examples/rust_sdk"));
    if !check {
        test.env("HALLPASS_TEST_CLIENTS_PAGE", root.join(PAGE));
    }
    step("run the table of clients", &mut test)?;
    Ok(ExitCode::SUCCESS)
}
