//! `hallpass policy check`.

use clap::Args;
use hallpass_core::policy::{Finding, Place, PolicyDocument, Weight};
use serde::{Deserialize, Serialize};

use super::source::Source;
use super::{keys, reach, spelling};
use crate::command::Context;
use crate::error::{CommandError, ExitStatus};
use crate::output::{Paint, SCHEMA_VERSION, clean};

/// Check policy documents: what is wrong, never matches, or is broader than it looks
///
/// A document with an error is refused wherever it is used. A warning changes nothing: it names what is legal and
/// yet hardly meant.
#[derive(Debug, Args)]
#[command(after_help = "Exit status:\n  \
    0 no errors; 1 errors, or with --strict also warnings\n\n\
Examples:\n  \
    hallpass policy check policy.json\n  \
    hallpass policy check --strict policies/*.json\n  \
    aws iam get-role-policy … | jq .PolicyDocument | hallpass policy check - --json")]
pub(crate) struct CheckArgs {
    /// IAM policy documents; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Fail on warnings too
    #[arg(long)]
    strict: bool,
}

#[derive(Serialize)]
struct Checked {
    schema_version: u32,
    valid: bool,
    files: Vec<File>,
}

#[derive(Serialize)]
struct File {
    file: String,
    valid: bool,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Problem {
    severity: &'static str,
    code: &'static str,
    /// Null for the whole document.
    statement: Option<String>,
    line: usize,
    column: usize,
    message: String,
}

/// Reports every problem of every file, in the form that editors read. A file that cannot be read does not keep the
/// others from being checked; then it is the error.
pub(crate) fn check(context: &Context, args: CheckArgs) -> Result<ExitStatus, CommandError> {
    let printer = context.printer;
    if args.files.iter().filter(|name| *name == "-").count() > 1 {
        return Err(CommandError::usage("policy.stdin_twice", "standard input holds one document, not two")
            .next("name `-` once"));
    }
    let (mut files, mut unread) = (Vec::new(), None);
    for name in &args.files {
        match Source::read(name) {
            Ok(source) => files.push(checked(&source)),
            Err(error) if args.files.len() == 1 => return Err(error),
            Err(error) => match unread {
                None => unread = Some(error),
                Some(_) => printer.warn(clean::line(error.message())),
            },
        }
    }
    let status = shown(context, files, args.strict, unread.is_none())?;
    unread.map_or(Ok(status), Err)
}

fn shown(context: &Context, files: Vec<File>, strict: bool, all_read: bool) -> Result<ExitStatus, CommandError> {
    let printer = context.printer;
    let valid = all_read && files.iter().all(|file| file.valid && (!strict || file.problems.is_empty()));
    let status = if valid { ExitStatus::Success } else { ExitStatus::Failure };
    if printer.is_json() {
        printer.json(&Checked { schema_version: SCHEMA_VERSION, valid, files })?;
        return Ok(status);
    }
    for file in &files {
        let name = clean::line(&file.file);
        for problem in &file.problems {
            let paint = if problem.severity == "error" { Paint::Bad } else { Paint::Warn };
            let severity = printer.paint(paint, format_args!("{}[{}]", problem.severity, problem.code));
            let message = clean::line(&problem.message);
            let (line, column) = (problem.line, problem.column);
            match &problem.statement {
                Some(statement) => {
                    printer.data(format_args!("{name}:{line}:{column}: {severity} {statement}: {message}"))?
                }
                None => printer.data(format_args!("{name}:{line}:{column}: {severity} {message}"))?,
            }
        }
        if file.problems.is_empty() {
            printer.data(format_args!("{name}: {}", printer.paint(Paint::Good, "valid")))?;
        }
    }
    Ok(status)
}

fn checked(source: &Source) -> File {
    let (valid, problems) = match PolicyDocument::parse(&source.text) {
        Err(error) => {
            let (line, column) = error.position(&source.text);
            let message = error.message;
            let problem = Problem { severity: "error", code: "invalid", statement: None, line, column, message };
            (false, vec![problem])
        }
        Ok(document) => {
            // `${$}{` is written for `${` in one version, and is what `${` becomes in the other.
            let escapes = has_variables(&source.text);
            let findings = document.lint().into_iter().filter(|one| !(escapes && one.code == "literal-variable"));
            let findings = findings.chain(misspelt(&document));
            let findings = findings.chain(keys::of_document(&document)).chain(reach::of_document(&document));
            let mut problems: Vec<Problem> = findings.map(|finding| problem(finding, &source.text)).collect();
            problems.sort_by_key(|problem| (problem.line, problem.column));
            (true, problems)
        }
    };
    File { file: source.name.clone(), valid, problems }
}

/// True for a document of the version that has policy variables.
fn has_variables(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default, rename = "Version")]
        version: String,
    }
    serde_json::from_str::<Head>(text).is_ok_and(|head| head.version == "2012-10-17")
}

/// Actions that look misspelt, as findings.
fn misspelt(document: &PolicyDocument) -> impl Iterator<Item = Finding> {
    let names: Vec<String> = document.in_words().into_iter().map(|words| words.name).collect();
    spelling::of_document(document).into_iter().map(move |doubt| Finding {
        code: "unknown-action",
        weight: Weight::Useless,
        statement: names.get(doubt.statement).cloned().unwrap_or_default(),
        place: Place::Path(doubt.path),
        message: doubt.message,
    })
}

fn problem(finding: Finding, text: &str) -> Problem {
    let (line, column) = finding.place.position(text);
    Problem {
        severity: "warning",
        code: finding.code,
        statement: Some(finding.statement).filter(|name| !name.is_empty()),
        line,
        column,
        message: finding.message,
    }
}
