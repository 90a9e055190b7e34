//! The command line: every verb, every global flag, and the dispatch to `command/<verb>.rs`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind as ClapKind};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::command::{self, Context};
use crate::complete;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::Printer;

/// Lend a command a short, narrow, revocable, audited session to the cloud, and take it back.
///
/// The command never holds the real credential: it gets a placeholder, and every request it makes passes a gate
/// that verifies, decides, records and only then signs.
#[derive(Debug, Parser)]
#[command(
    name = "hallpass",
    version,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Examples:\n  \
        hallpass demo\n  \
        hallpass run --allow s3:GetObject --resource 'arn:aws:s3:::data/*' -- aws s3 cp s3://data/a .\n  \
        hallpass session kill 3f2a91c0"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Print JSON: data on stdout, errors on stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Trace to stderr what happens (twice: in detail); HALLPASS_LOG chooses finer
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorWhen,
    /// Read this configuration file instead of the user's
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Ignore the project's hallpass.toml
    #[arg(long, global = true)]
    pub(crate) no_project: bool,
    /// Keep sessions and the audit log in this folder
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<command::run::RunArgs>),
    Learn(Box<command::learn::LearnArgs>),
    #[command(subcommand)]
    Session(SessionCommand),
    #[command(subcommand)]
    Audit(AuditCommand),
    Why(Box<command::why::WhyArgs>),
    #[command(subcommand)]
    Policy(PolicyCommand),
    Presign(command::presign::PresignArgs),
    CredentialProcess(Box<command::credential_process::CredentialProcessArgs>),
    Demo(command::demo::DemoArgs),
    S3(command::s3::S3Args),
    #[command(subcommand)]
    Alias(command::alias::AliasCommand),
    #[command(subcommand)]
    Config(ConfigCommand),
    Doctor(command::doctor::DoctorArgs),
    Completions(command::completions::CompletionsArgs),
    Man(command::man::ManArgs),
    #[command(name = "__demo-child", hide = true)]
    DemoChild(command::demo_child::DemoChildArgs),
}

/// The same command line with one command on it. Agents and jobs start hundreds of short runs, and to define all other
/// commands would cost each an eighth of its CPU time.
#[derive(Debug, Parser)]
#[command(name = "hallpass", version, disable_help_subcommand = true)]
struct RunOnly {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: RunOnlyCommand,
}

#[derive(Debug, Subcommand)]
enum RunOnlyCommand {
    Run(Box<command::run::RunArgs>),
}

/// List, show, end and clear sessions.
#[derive(Debug, Subcommand)]
enum SessionCommand {
    #[command(visible_alias = "ls")]
    List(command::session::list::ListArgs),
    Show(command::session::show::ShowArgs),
    Watch(command::session::watch::WatchArgs),
    Report(command::session::report::ReportArgs),
    Kill(command::session::kill::KillArgs),
    Revoke(command::session::revoke::RevokeArgs),
    Prune(command::session::prune::PruneArgs),
    Import(command::session::import::ImportArgs),
}

/// Read, check and export the audit log.
#[derive(Debug, Subcommand)]
enum AuditCommand {
    #[command(visible_alias = "ls")]
    List(command::audit::list::ListArgs),
    Show(command::audit::show::ShowArgs),
    Follow(command::audit::follow::FollowArgs),
    Verify(command::audit::verify::VerifyArgs),
    Export(command::audit::export::ExportArgs),
    Proof(command::audit::proof::ProofArgs),
    Key(command::audit::key::KeyArgs),
}

/// Check, explain, compile and compare policies.
#[derive(Debug, Subcommand)]
enum PolicyCommand {
    Check(command::policy::check::CheckArgs),
    Explain(command::policy::explain::ExplainArgs),
    Compile(Box<command::policy::compile::CompileArgs>),
    Diff(command::policy::diff::DiffArgs),
}

/// Show and check the configuration.
#[derive(Debug, Subcommand)]
enum ConfigCommand {
    Show(command::config::show::ShowArgs),
    Path(command::config::path::PathArgs),
    Check(command::config::check::CheckArgs),
}

/// Parses, dispatches, reports. What the process returns.
pub(crate) fn main() -> ExitStatus {
    let mut args = std::env::args_os();
    if args.nth(1).is_some_and(|first| first == command::shim::SHIM) {
        return command::shim::shim(args).unwrap_or_else(|error| {
            Printer::new(&GlobalArgs::default()).error(&error);
            error.exit_status()
        });
    }
    let args: Vec<OsString> = std::env::args_os().collect();
    if let Some(status) = complete::answered(&args) {
        return status;
    }
    let cli = match parse(&args) {
        Ok(cli) => cli,
        Err(error) => return unparsed(&error, &args),
    };
    let printer = Printer::new(&cli.global);
    let context = Context::new(cli.global, printer);
    match dispatch(&context, cli.command) {
        Ok(status) => status,
        Err(error) => {
            context.printer.error(&error);
            error.exit_status()
        }
    }
}

/// What is not understood as a `run` is read again by the whole definition, which words help and errors.
fn parse(args: &[OsString]) -> Result<Cli, clap::Error> {
    if first_word(args.get(1..).unwrap_or_default()).as_deref() == Some("run")
        && let Ok(RunOnly { global, command: RunOnlyCommand::Run(run) }) = RunOnly::try_parse_from(args)
    {
        return Ok(Cli { global, command: Command::Run(run) });
    }
    Cli::try_parse_from(asked_for_help(args).as_deref().unwrap_or(args))
}

/// `hallpass help s3 cp` and `hallpass s3 help cp` are `hallpass s3 cp --help`. The parser's own help commands would
/// stand in every completion and manual page.
fn asked_for_help(args: &[OsString]) -> Option<Vec<OsString>> {
    if !args.iter().any(|arg| arg == "help") {
        return None;
    }
    let mut command = definition();
    for (place, word) in words(args).skip(1) {
        if word == "help" && command.has_subcommands() {
            let others = args.iter().enumerate().filter(|(other, arg)| *other != place && *arg != "--help");
            return Some(others.map(|(_, arg)| arg.clone()).chain(["--help".into()]).collect());
        }
        command = command.find_subcommand(&word)?.clone();
    }
    None
}

/// The whole command line, for completions and manual pages.
pub(crate) fn definition() -> clap::Command {
    Cli::command()
}

fn dispatch(context: &Context, command: Command) -> Result<ExitStatus, CommandError> {
    context.start_tracing()?;
    match command {
        Command::Run(args) => command::run::run(context, *args),
        Command::Learn(args) => command::learn::learn(context, *args),
        Command::Session(command) => session(context, command),
        Command::Audit(command) => audit(context, command),
        Command::Why(args) => command::why::why(context, *args),
        Command::Policy(command) => policy(context, command),
        Command::Presign(args) => command::presign::presign(context, args),
        Command::CredentialProcess(args) => command::credential_process::credential_process(context, *args),
        Command::Demo(args) => command::demo::demo(context, args),
        Command::DemoChild(args) => command::demo_child::demo_child(context, args),
        Command::S3(args) => command::s3::s3(context, args),
        Command::Alias(command) => command::alias::alias(context, command),
        Command::Config(ConfigCommand::Show(args)) => command::config::show::show(context, args),
        Command::Config(ConfigCommand::Path(args)) => command::config::path::path(context, args),
        Command::Config(ConfigCommand::Check(args)) => command::config::check::check(context, args),
        Command::Doctor(args) => command::doctor::doctor(context, args),
        Command::Completions(args) => command::completions::completions(context, args),
        Command::Man(args) => command::man::man(context, args),
    }
}

fn session(context: &Context, command: SessionCommand) -> Result<ExitStatus, CommandError> {
    match command {
        SessionCommand::List(args) => command::session::list::list(context, args),
        SessionCommand::Show(args) => command::session::show::show(context, args),
        SessionCommand::Watch(args) => command::session::watch::watch(context, args),
        SessionCommand::Report(args) => command::session::report::report(context, args),
        SessionCommand::Kill(args) => command::session::kill::kill(context, args),
        SessionCommand::Revoke(args) => command::session::revoke::revoke(context, args),
        SessionCommand::Prune(args) => command::session::prune::prune(context, args),
        SessionCommand::Import(args) => command::session::import::import(context, args),
    }
}

fn audit(context: &Context, command: AuditCommand) -> Result<ExitStatus, CommandError> {
    match command {
        AuditCommand::List(args) => command::audit::list::list(context, args),
        AuditCommand::Show(args) => command::audit::show::show(context, args),
        AuditCommand::Follow(args) => command::audit::follow::follow(context, args),
        AuditCommand::Verify(args) => command::audit::verify::verify(context, args),
        AuditCommand::Export(args) => command::audit::export::export(context, args),
        AuditCommand::Proof(args) => command::audit::proof::proof(context, args),
        AuditCommand::Key(args) => command::audit::key::key(context, args),
    }
}

fn policy(context: &Context, command: PolicyCommand) -> Result<ExitStatus, CommandError> {
    match command {
        PolicyCommand::Check(args) => command::policy::check::check(context, args),
        PolicyCommand::Explain(args) => command::policy::explain::explain(context, args),
        PolicyCommand::Compile(args) => command::policy::compile::compile(context, *args),
        PolicyCommand::Diff(args) => command::policy::diff::diff(context, args),
    }
}

/// Help and version are data; anything else is a usage error, as JSON when `--json` stands before any `--`.
fn unparsed(error: &clap::Error, args: &[OsString]) -> ExitStatus {
    let ours: Vec<_> = args.iter().skip(1).take_while(|arg| *arg != "--").collect();
    let json = ours.iter().any(|arg| *arg == "--json");
    let mut failure = usage(&error.render().to_string(), args);
    match error.kind() {
        ClapKind::DisplayHelp | ClapKind::DisplayVersion => {
            return match error.print() {
                Ok(()) => ExitStatus::Success,
                Err(io) if io.kind() == std::io::ErrorKind::BrokenPipe => ExitStatus::Success,
                Err(_) => ExitStatus::Failure,
            };
        }
        ClapKind::DisplayHelpOnMissingArgumentOrSubcommand if json => {
            failure =
                CommandError::usage("usage", "a command is missing").next(format!("see `{} --help`", named(args)));
        }
        ClapKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // A closed stderr changes nothing: the status already says that this was no command.
            drop(error.print());
            return ExitStatus::Usage;
        }
        _ => {}
    }
    if is_run(args.get(1..).unwrap_or_default()) {
        failure = match without_dashes(error) {
            Some(word) => failure.next(format!("write `--` before the command: `{} … -- {word} …`", named(args))),
            None => failure,
        };
        failure = failure.before_child();
    }
    match first_word(args.get(1..).unwrap_or_default()).as_deref() {
        Some("alias") => failure = failure.in_family("alias"),
        Some("s3") => failure = failure.in_family("s3"),
        _ => {}
    }
    Printer::new(&GlobalArgs { json, ..GlobalArgs::default() }).error(&failure);
    failure.exit_status()
}

/// The first word of a command that was written without the `--` before it.
fn without_dashes(error: &clap::Error) -> Option<&str> {
    match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ClapKind::UnknownArgument, Some(ContextValue::String(word))) if !word.starts_with('-') => Some(word),
        _ => None,
    }
}

/// The parser's message in our form: what is wrong, then the tips it has, then whose help to read.
fn usage(rendered: &str, args: &[OsString]) -> CommandError {
    let mut said: Vec<String> = Vec::new();
    let mut command = named(args);
    for paragraph in rendered.split("\n\n") {
        let text = paragraph.split_whitespace().collect::<Vec<_>>().join(" ").replace('\'', "`").replace("...", "…");
        if let Some(usage) = text.strip_prefix("Usage: ") {
            let names = usage.split(' ').take_while(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()));
            command = names.collect::<Vec<_>>().join(" ");
        } else if !text.is_empty() && !text.starts_with("For more information") {
            let text = in_plain_words(&without_hidden(&text));
            said.push(text.trim_start_matches("error: ").trim_start_matches("tip: ").to_owned());
        }
    }
    let mut said = said.into_iter();
    let failure = CommandError::new(ErrorKind::Usage, "usage", said.next().unwrap_or_default());
    let failure = said.fold(failure, CommandError::cause);
    failure.next(format!("see `{command} --help`"))
}

/// What the standard library says of a number, for people.
fn in_plain_words(text: &str) -> String {
    let words = [
        ("invalid digit found in string", "a whole number is expected"),
        ("cannot parse integer from empty string", "a whole number is expected"),
        ("number too large to fit in target type", "the number is too large"),
    ];
    words.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
}

/// The same without the commands that are only for ourselves: they come last, and begin with two underscores.
fn without_hidden(text: &str) -> String {
    let hidden = |word: &&str| !word.trim_start_matches('`').starts_with("__");
    let words: Vec<&str> = text.split(' ').filter(hidden).collect();
    let open = text.ends_with(']') && !words.last().is_some_and(|word| word.ends_with(']'));
    let text = words.join(" ");
    if open { format!("{}]", text.trim_end_matches(',')) } else { text }
}

/// The command that the words name, as far as they name one: a value that is wrong is told without a usage.
fn named(args: &[OsString]) -> String {
    let (mut command, mut name) = (definition(), "hallpass".to_owned());
    for arg in args.iter().skip(1) {
        if let Some(inner) = command.find_subcommand(arg).cloned() {
            name = format!("{name} {}", inner.get_name());
            command = inner;
        }
    }
    name
}

/// True when the first word is `run`, or `learn`, which runs as well.
fn is_run(args: &[OsString]) -> bool {
    matches!(first_word(args).as_deref(), Some("run" | "learn"))
}

/// The first word that is neither a global flag nor its value.
fn first_word(args: &[OsString]) -> Option<String> {
    words(args).next().map(|(_, word)| word)
}

/// The words up to a `--` that are neither flags nor the values of global ones, with their places.
fn words(args: &[OsString]) -> impl Iterator<Item = (usize, String)> {
    let mut skip = false;
    args.iter().enumerate().take_while(|(_, arg)| *arg != "--").filter_map(move |(place, arg)| {
        let text = arg.to_string_lossy();
        match text.as_ref() {
            _ if std::mem::take(&mut skip) => None,
            flag if flag.starts_with('-') => {
                skip = matches!(flag, "--color" | "--config" | "--state-dir");
                None
            }
            word => Some((place, word.to_owned())),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::Parser;

    use super::{Cli, Command, RunOnly, RunOnlyCommand};

    #[test]
    fn the_definition_is_consistent() {
        super::definition().debug_assert();
    }

    #[test]
    fn a_run_is_read_alike_by_its_own_definition_and_by_the_whole_one() {
        for line in [
            "hallpass run --allow s3:GetObject -- true",
            "hallpass --json -vv --state-dir /tmp/x run --deny iam:* --ttl 5m --via proxy --no-project -- run --help",
            "hallpass -q --color never run --read-only --shadow --tag a=b --role arn:aws:iam::123456789012:role/r -- sh",
        ] {
            let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let whole = Cli::try_parse_from(&args).expect("a run");
            let own = RunOnly::try_parse_from(&args).expect("a run");
            let Command::Run(run) = whole.command else { panic!("not a run: {line}") };
            let RunOnlyCommand::Run(own_run) = own.command;
            assert_eq!(format!("{run:?} {:?}", whole.global), format!("{own_run:?} {:?}", own.global), "{line}");
        }
    }

    #[test]
    fn a_wrong_value_leads_to_the_help_of_its_own_command() {
        let words: Vec<OsString> = "hallpass s3 tag set m/data/a novalue".split(' ').map(OsString::from).collect();
        let refused = Cli::try_parse_from(&words).expect_err("refused");
        let error = super::usage(&refused.render().to_string(), &words);
        assert!(error.to_string().ends_with("next: see `hallpass s3 tag set --help`"), "{error}");
    }

    #[test]
    fn a_number_that_is_none_is_told_in_plain_words() {
        let said = |value: &str| {
            let words = ["hallpass", "audit", "show", value].map(OsString::from);
            let refused = Cli::try_parse_from(&words).expect_err("refused");
            super::usage(&refused.render().to_string(), &words).to_string()
        };
        for none in ["abc", "1.5", ""] {
            assert!(said(none).contains("a whole number is expected"), "{}", said(none));
        }
        assert!(said("99999999999999999999").contains("the number is too large"));
    }

    #[test]
    fn a_command_without_its_dashes_is_told_from_a_flag_that_nobody_knows() {
        let word = |line: &str| {
            let refused = Cli::try_parse_from(line.split(' ')).expect_err("refused");
            super::without_dashes(&refused).map(str::to_owned)
        };
        assert_eq!(word("hallpass run --allow s3:GetObject aws s3 ls").as_deref(), Some("aws"));
        assert_eq!(word("hallpass run --alow s3:GetObject -- aws"), None);
        assert_eq!(word("hallpass run --allow s3:GetObject"), None);
    }

    #[test]
    fn help_may_be_a_word_before_any_command_or_group() {
        let asked = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            super::asked_for_help(&words).map(|it| it.join(" ".as_ref()).into_string().expect("text"))
        };
        for (line, meant) in [
            ("hallpass help", "hallpass --help"),
            ("hallpass help run", "hallpass run --help"),
            ("hallpass --color never help s3 cp", "hallpass --color never s3 cp --help"),
            ("hallpass s3 help tag set", "hallpass s3 tag set --help"),
            ("hallpass help s3 cp --help", "hallpass s3 cp --help"),
        ] {
            assert_eq!(asked(line).as_deref(), Some(meant), "{line}");
        }
        for line in [
            "hallpass alias set help http://h",
            "hallpass s3 cat help",
            "hallpass --config help audit list",
            "hallpass run -- help",
        ] {
            assert_eq!(asked(line), None, "{line}");
        }
    }

    #[test]
    fn only_the_first_word_names_the_command() {
        let is_run = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            super::is_run(&words)
        };
        assert!(is_run("--json --color never run --bad"));
        assert!(is_run("--config=x run") && is_run("-q learn -- x"));
        assert!(!is_run("session show run"));
        assert!(!is_run("--config run session"));
    }
}
