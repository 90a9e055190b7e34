//! `hallpass policy explain`.

use clap::Args;
use hallpass_core::policy::ScopedPolicy;
use serde::Serialize;

use super::source::Source;
use crate::command::Context;
use crate::error::{CommandError, ExitStatus};
use crate::output::{Paint, SCHEMA_VERSION, clean};

/// Say in plain sentences what a policy document allows and denies
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass policy explain policy.json\n  \
    hallpass policy explain - --json < policy.json")]
pub(crate) struct ExplainArgs {
    /// An IAM policy document: a file, the JSON itself, or `-` for standard input
    #[arg(value_name = "FILE")]
    file: String,
}

#[derive(Serialize)]
struct Explained {
    schema_version: u32,
    statements: Vec<Statement>,
    /// What else a person should know.
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Statement {
    statement: String,
    effect: &'static str,
    sentence: String,
}

/// One sentence for each statement, then the notes.
pub(crate) fn explain(context: &Context, args: ExplainArgs) -> Result<ExitStatus, CommandError> {
    let printer = context.printer;
    let document = Source::read(&args.file)?.document()?;
    let words = document.in_words();
    let notes = ScopedPolicy { documents: vec![document], ..ScopedPolicy::default() }.warnings();
    if printer.is_json() {
        let statement = |words: hallpass_core::policy::StatementInWords| Statement {
            statement: words.name,
            effect: if words.allows { "Allow" } else { "Deny" },
            sentence: words.sentence,
        };
        let statements = words.into_iter().map(statement).collect();
        printer.json(&Explained { schema_version: SCHEMA_VERSION, statements, notes })?;
        return Ok(ExitStatus::Success);
    }
    for words in &words {
        let paint = if words.allows { Paint::Good } else { Paint::Bad };
        let name = printer.paint(paint, clean::line(&words.name));
        printer.data(format_args!("{name} {}", clean::line(&words.sentence)))?;
    }
    printer.data("anything else is refused; a denial wins over every permission")?;
    for note in &notes {
        printer.data(format_args!("{} {}", printer.paint(Paint::Warn, "note:"), clean::line(note)))?;
    }
    Ok(ExitStatus::Success)
}
