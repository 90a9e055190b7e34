//! What a start costs, beside the tools that people know: `cargo xtask bench start`.
//!
//! Everything runs in one go and in turns, so that a neighbour on the machine disturbs all alike; numbers are medians
//! of CPU time (user and system, children included). In its turn each command starts three times, as in the loop of a
//! script or an agent; `first` is what the first of them cost, whose caches hold the command before. The last lines say
//! whether the promises hold.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use hallpass_testkit::clients::{aws, bare, identity};
use hallpass_testkit::cpu::{Cost, cost, median};
use hallpass_testkit::servers::Ministack;
use hallpass_testkit::servers::ministack::User;

const HALLPASS: &str = env!("CARGO_BIN_EXE_hallpass");
/// Rounds of everything.
const ROUNDS: usize = 15;
/// Starts of a command in its turn.
const STARTS: usize = 3;
/// Sessions in the large store; each also has its entry in the log.
const SESSIONS: usize = 10_000;

/// One row of the table.
struct Row {
    name: &'static str,
    command: Box<dyn Fn() -> Command>,
    costs: Vec<Cost>,
}

impl Row {
    fn new(name: &'static str, command: impl Fn() -> Command + 'static) -> Self {
        Self { name, command: Box::new(command), costs: Vec::new() }
    }

    fn measure(&mut self) {
        for _ in 0..STARTS {
            let cost = cost(&mut (self.command)());
            assert!(cost.status.success(), "`{}` ended with {}", self.name, cost.status);
            self.costs.push(cost);
        }
    }

    fn cpu(&self) -> Duration {
        median(&self.costs.iter().map(|c| c.cpu).collect::<Vec<_>>())
    }

    fn first(&self) -> Duration {
        median(&self.costs.iter().step_by(STARTS).map(|c| c.cpu).collect::<Vec<_>>())
    }

    fn wall(&self) -> Duration {
        median(&self.costs.iter().map(|c| c.wall).collect::<Vec<_>>())
    }
}

fn main() -> std::io::Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    let cloud = Ministack::shared();
    let long = folder.path().join("long");
    fill(&long, &folder.path().join("files"))?;
    let mut rows = rows(cloud, folder.path(), &long);
    for round in 0..=ROUNDS {
        for row in &mut rows {
            row.measure();
            if round == 0 {
                // The first of each only warms the page cache.
                row.costs.clear();
            }
        }
    }
    report(&rows)
}

fn rows(cloud: &'static Ministack, folder: &Path, long: &Path) -> Vec<Row> {
    let short = folder.join("short");
    let lent = |state: &Path, base: &User, more: &[&str]| {
        let mut command = hallpass(state);
        command.envs(identity(&cloud.url(), &base.key, &base.secret, None));
        command.args(["run", "--quiet", "--allow", "s3:GetObject"]).args(more).args(["--", "true"]);
        command
    };
    let (one, two, three) = (short.clone(), long.to_path_buf(), short.clone());
    let (four, five) = (long.to_path_buf(), short);
    let mut rows = vec![
        Row::new("/bin/true", || bare("/bin/true")),
        Row::new("hallpass --version", move || arguments(hallpass(&five), &["--version"])),
        Row::new("hallpass run -- true", move || lent(&one, &cloud.owner, &[])),
        Row::new("the same, 10,000 entries in the log", move || lent(&two, &cloud.owner, &[])),
        Row::new("hallpass run --role … -- true", move || lent(&three, &cloud.lender, &["--role", &cloud.role])),
        Row::new("hallpass session list, of 10,000", move || arguments(hallpass(&four), &["session", "list"])),
        Row::new("aws --version", || arguments(bare(aws()), &["--version"])),
        Row::new("aws sts assume-role", move || {
            let assume = ["sts", "assume-role", "--role-session-name", "bench", "--role-arn", &cloud.role];
            arguments(cloud.client_as(&cloud.lender, aws()), &assume)
        }),
    ];
    if Command::new("kubectl").arg("--help").output().is_ok_and(|o| o.status.success()) {
        rows.push(Row::new("kubectl version --client", || arguments(bare("kubectl"), &["version", "--client"])));
    }
    rows
}

fn hallpass(state: &Path) -> Command {
    let mut command = bare(HALLPASS);
    command.env("HALLPASS_STATE_DIR", state).env("HOME", state).env("XDG_RUNTIME_DIR", state);
    command
}

fn arguments(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments);
    command
}

/// Makes a store of many ended sessions, the way anybody would: by importing another tool's files.
fn fill(state: &Path, files: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(files)?;
    std::fs::create_dir_all(state)?;
    for number in 0..SESSIONS {
        let id = format!("{number:08x}-995f-47d1-a3a0-e29e16359514");
        let text = format!(
            r#"{{"id":"{id}","created_at":"2026-11-22T07:45:06Z","expires_at":"2026-11-22T07:50:06Z","ttl_seconds":300,
            "budget":null,"policy":{{"actions":[{{"service":"s3","action":"ListBucket"}}],"resources":["*"]}},
            "status":"completed","role_arn":"arn:aws:iam::123456789012:role/Agent","command":["aws","s3","ls"],
            "access_key_id":null}}"#
        );
        std::fs::write(files.join(format!("{id}.json")), text)?;
    }
    let imported = hallpass(state).args(["session", "import"]).arg(files).output()?;
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    Ok(())
}

fn report(rows: &[Row]) -> std::io::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let ms = |d: Duration| d.as_secs_f64() * 1_000.0;
    let of = |name: &str| rows.iter().find(|row| row.name == name).expect("a row of ours");
    let base = of("/bin/true").cpu();
    let title = format!("median of {} starts", ROUNDS * STARTS);
    writeln!(out, "\n{title:<38} {:>10} {:>10} {:>10} {:>12}", "CPU ms", "first", "wall ms", "× /bin/true")?;
    for row in rows {
        let (cpu, first, wall) = (ms(row.cpu()), ms(row.first()), ms(row.wall()));
        let ratio = cpu / ms(base).max(0.001);
        writeln!(out, "{:<38} {cpu:>10.2} {first:>10.2} {wall:>10.2} {ratio:>12.1}", row.name)?;
    }
    let size = std::fs::metadata(PathBuf::from(HALLPASS))?.len();
    writeln!(out, "\nrelease binary: {:.1} MiB", size as f64 / 1_048_576.0)?;

    let run = of("hallpass run -- true").cpu();
    let promises = [
        (
            "--version: times less CPU than aws --version",
            ms(of("aws --version").cpu()) / ms(of("hallpass --version").cpu()),
            50.0,
            true,
        ),
        ("run -- true: CPU ms", ms(run), 10.0, false),
        (
            "run --role: times less CPU than aws sts assume-role",
            ms(of("aws sts assume-role").cpu()) / ms(of("hallpass run --role … -- true").cpu()),
            10.0,
            true,
        ),
        (
            "a long log: times the CPU of a short one",
            ms(of("the same, 10,000 entries in the log").cpu()) / ms(run),
            1.5,
            false,
        ),
        ("session list of 10,000: wall ms", ms(of("hallpass session list, of 10,000").wall()), 20.0, false),
    ];
    let mut kept = true;
    for (what, value, bound, at_least) in promises {
        let good = if at_least { value >= bound } else { value <= bound };
        kept &= good;
        let (sign, verdict) = (if at_least { "≥" } else { "≤" }, if good { "PASS" } else { "FAIL" });
        writeln!(out, "{verdict}  {what}: {value:.1} ({sign} {bound})")?;
    }
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
