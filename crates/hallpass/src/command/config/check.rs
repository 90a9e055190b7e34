//! `hallpass config check`.

use std::io::Read;
use std::path::Path;

use clap::Args;
use hallpass_core::limits::POLICY_DOCUMENT_BYTES_MAX;
use hallpass_core::policy::PolicyDocument;
use hallpass_s3::alias::AliasFile;
use serde::Serialize;

use crate::command::Context;
use crate::config::{Config, Place, Problem, Problems};
use crate::environment;
use crate::error::{CommandError, ExitStatus};
use crate::output::{Paint, SCHEMA_VERSION, clean};

/// Check the configuration as the commands read it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass config check\n  \
    hallpass --config ./new.toml config check\n  \
    hallpass config check --json")]
pub(crate) struct CheckArgs {}

#[derive(Serialize)]
struct Checked<'a> {
    schema_version: u32,
    valid: bool,
    files: Vec<String>,
    problems: Vec<ProblemView<'a>>,
}

#[derive(Serialize)]
struct ProblemView<'a> {
    code: &'static str,
    message: &'a str,
    place: String,
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    next_step: Option<&'a str>,
}

/// Reports every problem; fails when there is one.
pub(crate) fn check(context: &Context, _args: CheckArgs) -> Result<ExitStatus, CommandError> {
    let files = context.config_files();
    let shown = |path: &Path| path.exists().then(|| path.display().to_string());
    let read: Vec<String> =
        [&files.user, &files.project].into_iter().flatten().filter_map(|path| shown(path)).collect();
    let problems = match Config::load(&files, &environment::text) {
        Ok(config) => policy_files(&config).into_iter().chain(aliases(files.user.as_deref())).collect(),
        Err(Problems(problems)) => problems,
    };
    let printer = context.printer;
    if printer.is_json() {
        printer.json(&Checked {
            schema_version: SCHEMA_VERSION,
            valid: problems.is_empty(),
            files: read,
            problems: problems.iter().map(view).collect(),
        })?;
    } else if problems.is_empty() {
        let which = if read.is_empty() { "no file, defaults only".to_owned() } else { read.join(", ") };
        printer.data(format_args!("{} ({})", printer.paint(Paint::Good, "valid"), clean::line(&which)))?;
    }
    if problems.is_empty() { Ok(ExitStatus::Success) } else { Err(Problems(problems).into()) }
}

/// The policy files that profiles name; a command reads only the one that it needs.
fn policy_files(config: &Config) -> Vec<Problem> {
    let named = config.profiles.values().filter_map(|profile| profile.value.policy.as_ref());
    let checked = named.filter_map(|policy| {
        let why = document(&policy.value).err()?;
        let message = format!("`{}`: {why}", policy.value.display());
        Some(Problem::of(&policy.origin, "config.policy_file", message))
    });
    checked.collect()
}

/// What `hallpass alias` would say about the user's file.
fn aliases(user: Option<&Path>) -> Vec<Problem> {
    let Some(path) = user else { return Vec::new() };
    let problem = |message: String, next: Option<&str>| {
        let problem = Problem::file(path, "config.alias", message);
        match next {
            Some(step) => problem.next(step),
            None => problem,
        }
    };
    match AliasFile::new(path).load() {
        Ok(stored) => {
            let broken = stored.aliases.into_iter().filter_map(|(name, alias)| Some((name, alias.err()?)));
            broken.map(|(name, why)| problem(format!("alias `{name}`: {why}"), why.suggestion())).collect()
        }
        Err(why) => vec![problem(why.to_string(), why.suggestion())],
    }
}

fn document(path: &Path) -> Result<(), String> {
    let limit = POLICY_DOCUMENT_BYTES_MAX as u64 + 1;
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    file.take(limit).read_to_string(&mut text).map_err(|e| e.to_string())?;
    PolicyDocument::parse(&text).map(drop).map_err(|e| e.to_string())
}

fn view(problem: &Problem) -> ProblemView<'_> {
    let (file, line, column) = match &problem.place {
        Place::At(at) => (Some(at.file.display().to_string()), Some(at.line), Some(at.column)),
        Place::File(file) => (Some(file.display().to_string()), None, None),
        Place::Variable(_) => (None, None, None),
    };
    ProblemView {
        code: problem.code,
        message: &problem.message,
        place: problem.place.to_string(),
        file,
        line,
        column,
        next_step: problem.next.as_deref(),
    }
}
