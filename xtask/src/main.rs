//! Project chores: `cargo xtask <command>`.

mod bench;
mod catalog;
mod checks;
mod clients;
mod environment;
mod fuzz;
mod mutants;
mod policy_fuzz;
mod process;
mod readme;
mod test;
mod testbed;

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

const USAGE: &str = "\
usage: cargo xtask <command>

  test [cargo test arguments]   install what the tests need, run them, stop what they started
  testbed                       only install what the tests need, into .testbed/
  clients [--check]             run every client by every way, and write docs/reference/clients.md
  ci                            fmt, clippy, doc and test, each with its time
  bench [all|store|audit|gate|start|kill|s3]
                                release build, then the benches
  fuzz [target] [--minutes N]   feed each parser with what breaks parsers; stable compiler, libFuzzer
  mutants [file …] [--shard K/N] [--in-place] [--no-baseline]
                                break the guarded code on purpose, and show what no test notices
  policy-fuzz [--cases N] [--seed S]
                                decide random policies beside a second engine, and show where they differ
  catalog [--check]             make the tables of AWS's APIs anew from pinned models, or only compare
  readme                        run the demo and paste its transcript into README.md
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<ExitCode> {
    let root = workspace_root()?;
    let (command, rest) = arguments.split_first().map_or(("help", &[][..]), |(c, rest)| (c.as_str(), rest));
    match command {
        "test" => test::run(&root, rest),
        "testbed" => testbed::install(&root).map(|_| ExitCode::SUCCESS),
        "clients" => clients::run(&root, rest),
        "ci" => checks::run(&root),
        "bench" => bench::run(&root, rest),
        "policy-fuzz" => policy_fuzz::run(&root, rest).map(|()| ExitCode::SUCCESS),
        "fuzz" => fuzz::run(&root, rest),
        "mutants" => mutants::run(&root, rest),
        "catalog" => catalog::run(&root, rest),
        "readme" => readme::run(&root).map(|()| ExitCode::SUCCESS),
        "help" | "--help" | "-h" => {
            say(USAGE);
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("`{other}` is not a command\n\n{USAGE}"),
    }
}

/// The folder that holds the workspace's `Cargo.toml`, whatever the current directory is.
fn workspace_root() -> Result<std::path::PathBuf> {
    let own = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = own.parent().context("xtask has no parent folder")?;
    Ok(root.to_path_buf())
}

/// One line for people, on stderr. A closed stderr is not worth failing for.
pub(crate) fn say(line: &str) {
    let mut err = std::io::stderr().lock();
    drop(writeln!(err, "{line}"));
}
