//! Rules that no compiler checks: sizes, dependencies, limits, secrets, words. Each failure names the place.

mod sources;

use std::collections::{BTreeMap, BTreeSet};

use sources::{Source, has_word, linked, quoted_after, sources, text_files};

/// Refused: a file that long has more than one subject.
const FILE_LINES_MAX: usize = 800;
/// Looked at: a file that long needs a reason here.
const FILE_LINES_WARN: usize = 500;
const LONG_FILES: &[(&str, &str)] = &[];

/// Packages in Cargo.lock, ours and every platform's included. A new one is somebody else's code in a program that
/// handles credentials: raise this only together with the reason in Cargo.toml.
const PACKAGES_MAX: usize = 349;

/// What must not be linked, and why.
const BANNED: &[(&str, &str)] = &[
    ("openssl-sys", "one TLS stack: rustls on aws-lc-rs"),
    ("native-tls", "one TLS stack: rustls on aws-lc-rs"),
    ("ring", "one TLS stack: rustls on aws-lc-rs"),
    ("sqlx", "SQLite goes through rusqlite, measured 15 times cheaper"),
];

/// Rooms that may look at a secret.
const EXPOSE: &[&str] = &[
    "crates/core/src/secret.rs",
    "crates/dataplane/",
    "crates/providers/",
    "crates/hallpass/src/deliver",
    // Writes aliases into the user's file.
    "crates/s3/src/alias/",
    // Signs requests and links, logs in at a proxy, and looks for secrets in what a store says.
    "crates/s3/src/client/",
    // Encrypts with the key that signs, and what it encrypts are keys of others.
    "crates/s3/src/admin/",
    // Prints the keys of a new account, once, because that is what it is for.
    "crates/hallpass/src/command/s3/admin/service_account.rs",
];

/// What would let `core` see the world. Types such as `std::net::IpAddr` only name things.
const CORE_BANNED: &[&str] = &[
    "std::fs",
    "std::io",
    "std::process",
    "std::env",
    "std::thread",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "ToSocketAddrs",
    "Instant::now",
    "SystemTime",
    "Timestamp::now",
    "tokio",
    "getrandom",
    "rand",
    "new_v4",
];

/// Bounds that nobody can push against: how much of something is shown, or a size that the system fixes.
const NOT_LIMITS: &[&str] =
    &["SHOWN_CHARS_MAX", "SCOPE_CHARS_MAX", "COMMAND_CHARS_MAX", "CANDIDATES_MAX", "ADDRESS_BYTES_MAX"];

#[test]
fn no_file_is_longer_than_its_subject() {
    let mut wrong = Vec::new();
    for source in sources() {
        let lines = source.code_lines();
        let reason = LONG_FILES.iter().find(|(path, _)| *path == source.path);
        if lines > FILE_LINES_MAX {
            wrong.push(format!("{}: {lines} lines without tests, {FILE_LINES_MAX} is refused: split it", source.path));
        } else if lines > FILE_LINES_WARN && reason.is_none() {
            wrong.push(format!("{}: {lines} lines without tests: split it, or say in LONG_FILES why not", source.path));
        } else if lines <= FILE_LINES_WARN && reason.is_some() {
            wrong.push(format!("{}: {lines} lines, take it from LONG_FILES", source.path));
        }
    }
    none(&wrong);
}

#[test]
fn no_module_is_called_mod() {
    let wrong: Vec<_> = sources().into_iter().filter(|s| s.path.ends_with("/mod.rs")).map(|s| s.path).collect();
    none(&wrong);
}

#[test]
fn dependencies_stay_within_their_budget() {
    let packages = sources::read("Cargo.lock").matches("[[package]]").count();
    assert!(packages <= PACKAGES_MAX, "{packages} packages, the budget is {PACKAGES_MAX}: see PACKAGES_MAX");
    assert!(packages + 25 >= PACKAGES_MAX, "{packages} packages: lower PACKAGES_MAX, so that the next one is noticed");
}

#[test]
fn nothing_banned_is_linked_and_there_is_one_tls_and_one_http() {
    let linked = linked();
    let mut wrong: Vec<String> = Vec::new();
    for (name, why) in BANNED {
        if linked.contains_key(*name) {
            wrong.push(format!("{name} is linked: {why}"));
        }
    }
    for single in ["rustls", "hyper", "tokio", "rusqlite", "aws-lc-rs"] {
        if let Some(versions) = linked.get(single)
            && versions.len() != 1
        {
            wrong.push(format!("{single} is linked in {} versions: {versions:?}", versions.len()));
        }
    }
    let hyper = linked.get("hyper").into_iter().flatten();
    wrong.extend(hyper.filter(|v| v.starts_with("0.")).map(|v| format!("hyper {v} is linked")));
    none(&wrong);
}

#[test]
fn every_limit_is_named_in_a_test_that_goes_past_it() {
    let limits = sources::read("crates/core/src/limits.rs");
    let tested: Vec<String> = sources_with_tests().iter().map(Source::test_text).collect();
    let names = limits.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    let wrong: Vec<_> = names
        .filter(|name| !tested.iter().any(|text| has_word(text, name)))
        .map(|name| format!("limits::{name} is in no test"))
        .collect();
    none(&wrong);
}

#[test]
fn a_limit_is_declared_only_in_limits() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| s.path.starts_with("crates/") && !s.path.ends_with("core/src/limits.rs"))
    {
        if source.path.contains("/testkit/") || source.path.contains("/tests/") || source.path.contains("/benches/") {
            continue;
        }
        for (number, line) in source.code().lines().enumerate() {
            let name = line.trim().trim_start_matches("pub(crate) ").trim_start_matches("pub ").strip_prefix("const ");
            if let Some(name) = name.and_then(|rest| rest.split(':').next())
                && name.ends_with("_MAX")
                && !NOT_LIMITS.contains(&name)
            {
                wrong.push(format!("{}:{}: {name} belongs in core/src/limits.rs", source.path, number + 1));
            }
        }
    }
    none(&wrong);
}

#[test]
fn every_public_item_is_documented() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| s.path.starts_with("crates/") && s.path.contains("/src/")) {
        wrong.extend(source.undocumented());
    }
    none(&wrong);
}

#[test]
fn secrets_are_exposed_only_where_they_are_used() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| s.path.starts_with("crates/") && s.path.contains("/src/")) {
        if EXPOSE.iter().any(|allowed| source.path.starts_with(allowed)) || source.path.contains("/testkit/") {
            continue;
        }
        wrong.extend(source.code_lines_with(".expose()"));
        wrong.extend(source.code_lines_with("Secret::expose"));
    }
    none(&wrong);
}

#[test]
fn the_environment_is_read_in_one_file_of_a_crate() {
    let mut wrong = Vec::new();
    for source in sources()
        .iter()
        .filter(|s| !s.path.contains("/tests/") && !s.path.ends_with("/environment.rs"))
        // A build script is told by its environment, and by nothing else.
        .filter(|s| !s.path.ends_with("/build.rs"))
    {
        for reader in ["env::var(", "env::var_os(", "env::vars(", "env::vars_os(", "option_env!("] {
            wrong.extend(source.code_lines_with(reader));
        }
    }
    none(&wrong);
}

#[test]
fn core_reads_no_clock_no_file_no_socket_and_no_chance() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| s.path.starts_with("crates/core/src/")) {
        for banned in CORE_BANNED {
            let names_it = |line: &&String| has_word(line.split_once(": ").map_or("", |(_, code)| code), banned);
            wrong.extend(source.code_lines_with(banned).iter().filter(names_it).cloned());
        }
    }
    none(&wrong);
}

#[test]
fn a_permit_is_made_only_by_authorisation_and_cannot_be_copied() {
    let permit = sources::read("crates/core/src/permit.rs");
    let (above, below) = permit.split_once("pub struct Permit {").expect("the type is there");
    let attributes = above.lines().rev().take_while(|l| l.starts_with("#[") || l.starts_with("///"));
    let attributes: Vec<&str> = attributes.filter(|l| l.starts_with("#[")).collect();
    assert!(!attributes.iter().any(|line| line.contains("Clone") || line.contains("Deserialize")), "{attributes:?}");
    assert!(!permit.contains("impl Clone for Permit") && !permit.contains("impl Default for Permit"));
    let fields = below.split('}').next().unwrap_or_default();
    assert!(!fields.contains("pub"), "a public field could be written by anybody: {fields}");
    let makers = permit.matches("-> Result<Permit,").count() + permit.matches("-> Permit").count();
    assert_eq!(makers, 1, "only `authorize` makes one");
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| !s.path.ends_with("core/src/permit.rs") && !s.path.starts_with("xtask/"))
    {
        wrong.extend(
            source.code_lines_with("Permit {").into_iter().filter(|l| !l.contains("->") && !l.contains("impl")),
        );
    }
    none(&wrong);
}

#[test]
fn no_sdk_type_leaves_the_providers() {
    let mut wrong = Vec::new();
    let sdk = ["aws_sdk_", "aws_config", "aws_credential_types", "aws_smithy", "aws_types"];
    for source in sources().iter().filter(|s| s.path.starts_with("crates/") && s.path.contains("/src/")) {
        for name in sdk {
            let lines = source.code_lines_with(name).into_iter();
            let inside = source.path.starts_with("crates/providers/");
            wrong.extend(lines.filter(|line| !inside || line.contains(": pub use") || line.contains(": pub fn")));
        }
    }
    none(&wrong);
}

#[test]
fn exit_codes_are_made_in_one_file() {
    let mut wrong = Vec::new();
    for source in
        sources().iter().filter(|s| s.path.starts_with("crates/hallpass/src/") && !s.path.ends_with("src/error.rs"))
    {
        wrong.extend(source.code_lines_with("ExitCode::"));
        wrong.extend(source.code_lines_with("process::exit"));
    }
    none(&wrong);
}

#[test]
fn nothing_is_left_to_be_done_later() {
    let mut wrong = Vec::new();
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    for (path, text) in text_files() {
        for (number, line) in text.lines().enumerate() {
            if words.iter().any(|word| has_word(line, word)) {
                wrong.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none(&wrong);
}

#[test]
fn nothing_of_one_machine_is_in_the_repository() {
    let mut wrong = Vec::new();
    let homes = [concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];
    let hosts =
        [concat!("index.cra", "tes.io"), concat!("files.python", "hosted.org"), concat!("registry.npm", "js.org")];
    // Some paths of AWS's operations look like homes.
    let generated = ["crates/catalog/tables.txt", "crates/catalog/testdata/requests.txt"];
    for (path, text) in text_files().into_iter().filter(|(path, _)| !generated.contains(&path.as_str())) {
        for (number, line) in text.lines().enumerate() {
            let at_home = homes.iter().any(|home| starts_a_path(line, home));
            if at_home || hosts.iter().any(|host| line.contains(host)) {
                wrong.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none(&wrong);
}

/// True when the folder stands at the beginning of a path, and not in the middle of one (`/home/x/work/`).
fn starts_a_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || "/._-~*:}".contains(c)))
    })
}

#[test]
fn every_integration_test_file_is_run() {
    let mut wrong = Vec::new();
    let files = sources();
    for main in files.iter().filter(|s| s.path.ends_with("/tests/it/main.rs")) {
        let folder = main.path.trim_end_matches("main.rs");
        for file in files.iter().filter(|s| s.path.starts_with(folder) && s.path != main.path) {
            let name = file.path[folder.len()..].trim_end_matches(".rs");
            let declared = |name: &str| {
                main.text.lines().any(|l| l.trim().trim_start_matches("pub(crate) ") == format!("mod {name};"))
            };
            if !name.contains('/') && !declared(name) {
                wrong.push(format!("{}: `mod {name};` is missing in {}", file.path, main.path));
            }
        }
    }
    none(&wrong);
}

#[test]
fn every_dependency_is_used_by_the_crate_that_names_it() {
    let mut wrong = Vec::new();
    let by_crate = sources::crates();
    // Compiled from the files of other crates.
    for (folder, manifest) in by_crate.iter().filter(|(folder, _)| *folder != "fuzz/inside") {
        let used: String =
            sources().iter().filter(|s| s.path.starts_with(folder.as_str())).map(|s| s.text.clone()).collect();
        for name in sources::dependency_names(manifest) {
            if !has_word(&used, &name.replace('-', "_")) {
                wrong.push(format!("{folder}/Cargo.toml names `{name}`, but nothing there uses it"));
            }
        }
    }
    none(&wrong);
}

#[test]
fn every_workspace_dependency_is_somebodys() {
    let manifests: String = sources::crates().values().cloned().collect();
    let root = sources::read("Cargo.toml");
    let section = root.split("[workspace.dependencies]").nth(1).and_then(|s| s.split("\n[").next()).unwrap_or_default();
    let names =
        section.lines().filter_map(|line| line.split(" = ").next()).filter(|n| !n.is_empty() && !n.starts_with('#'));
    let named = |name: &str| {
        manifests.lines().any(|l| l.starts_with(&format!("{name}.")) || l.starts_with(&format!("{name} ")))
    };
    let wrong: Vec<_> =
        names.filter(|n| !named(n)).map(|n| format!("`{n}` is in Cargo.toml and no crate wants it")).collect();
    none(&wrong);
}

#[test]
fn the_reference_pages_name_every_variable_key_and_exit_code() {
    let mut wrong = Vec::new();
    let mut demand = |page: &str, what: &str| {
        if !has_word(&sources::read(page), what) {
            wrong.push(format!("{page} does not say what `{what}` is"));
        }
    };
    let variables = sources::read("crates/hallpass/src/environment.rs");
    let upper = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    for name in variables.lines().filter_map(|l| l.trim().strip_suffix(';')).filter(|name| upper(name)) {
        demand("docs/reference/environment.md", name);
    }
    for source in sources().iter().filter(|s| s.path.starts_with("crates/hallpass/src/config/")) {
        for line in source.code().lines().filter(|line| line.contains("section.") && line.contains("(\"")) {
            for key in quoted_after(line, "\"", '"').into_iter().filter(|key| !key.contains('.')) {
                demand("docs/reference/config.md", key);
            }
        }
    }
    let codes = sources::read("crates/hallpass/src/error.rs");
    for line in codes.lines().filter(|line| line.trim().starts_with("Self::")) {
        if let Some((_, code)) = line.trim().trim_end_matches(',').split_once(" => ")
            && code.chars().all(|c| c.is_ascii_digit())
        {
            demand("docs/reference/exit-codes.md", code);
        }
    }
    none(&wrong);
}

#[test]
fn every_test_that_the_threat_page_names_exists() {
    let sources = sources();
    let exists = |name: &str| sources.iter().any(|source| source.text.contains(&format!("fn {name}(")));
    let page = sources::read("docs/security/threats.md");
    // Sentences in code marks are tests; what has a dot, a slash or few words is a file or a value.
    let is_name = |text: &&str| {
        text.matches('_').count() >= 3
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let named: BTreeSet<&str> = page.split('`').skip(1).step_by(2).filter(is_name).collect();
    let unknown = named.iter().filter(|name| !exists(name));
    none(&unknown.map(|name| format!("`{name}` is no test")).collect::<Vec<_>>());
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    for row in page.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        assert!(cells.len() == 5 && cells[3].contains('`') && !cells[4].is_empty(), "a row without a test: {row}");
        *rows.entry(cells[0]).or_default() += 1;
    }
    let concerned = (1..=7).chain(13..=33).chain([59]);
    let missing: Vec<_> = concerned.filter(|row| !rows.contains_key(row.to_string().as_str())).collect();
    assert!(missing.is_empty(), "threats without a row: {missing:?}");
}

#[test]
fn every_link_in_the_documents_leads_somewhere() {
    let mut wrong = Vec::new();
    for (path, text) in text_files().into_iter().filter(|(path, _)| path.ends_with(".md")) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for target in quoted_after(&text, "](", ')') {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            if !sources::root().join(folder).join(file).exists() {
                wrong.push(format!("{path}: `{target}` leads nowhere"));
            }
        }
    }
    none(&wrong);
}

#[test]
fn each_invariant_names_a_test_that_exists() {
    let architecture = sources::read("ARCHITECTURE.md");
    let tests: BTreeSet<String> = sources().iter().flat_map(|s| s.test_names()).collect();
    let section = architecture.split("## Invariants").nth(1).and_then(|s| s.split("\n## ").next()).unwrap_or_default();
    let mut guarded = BTreeMap::new();
    let mut wrong = Vec::new();
    for row in section.lines().filter(|l| l.starts_with("| ") && l.chars().nth(2).is_some_and(|c| c.is_ascii_digit())) {
        let number: String = row.chars().skip(2).take_while(char::is_ascii_digit).collect();
        let names = quoted_after(row.rsplit("| ").next().unwrap_or_default(), "`", '`');
        let missing = names.iter().filter(|name| !tests.contains(**name));
        wrong.extend(missing.map(|name| format!("invariant {number}: there is no test `{name}`")));
        let not_built = row.ends_with("| there is no server yet |");
        guarded.insert(number, names.len() + usize::from(not_built));
    }
    for number in 1..=12 {
        if guarded.get(&number.to_string()).is_none_or(|count| *count == 0) {
            wrong.push(format!("invariant {number} names no test"));
        }
    }
    none(&wrong);
}

fn sources_with_tests() -> Vec<Source> {
    sources().into_iter().filter(|s| !s.path.starts_with("xtask/")).collect()
}

fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} of them:\n  {}\n", wrong.len(), wrong.join("\n  "));
}
