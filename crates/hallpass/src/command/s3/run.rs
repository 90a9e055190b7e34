//! `hallpass s3 run`.

mod needs;
mod words;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::PathBuf;

use clap::{Args, Parser};
use hallpass_core::limits::{S3_BATCH_BYTES_MAX, S3_BATCH_LINE_BYTES_MAX};
use serde::Serialize;

use super::args::S3Args;
use super::stores::Stores;
use super::{S3Command, one, show};
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::count::counted;

const FAMILY: &str = "s3_run";

/// Run many commands in one process
///
/// One command a line, with or without `hallpass s3` before it; quotes as in a shell, nothing else of a shell; `#` begins
/// a comment. Connections are used again. The first failure ends it, unless `--continue-on-error`; the exit status is
/// then the highest of all.
///
/// Where an alias borrows a role, the lines are read first, and one session is borrowed for all of them: it may do what
/// the lines need, and nothing else. `--explain` shows that.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 run nightly.txt\n  \
    printf 'mb minio/a --ignore-existing\\nls minio\\n' | hallpass s3 run -")]
pub(crate) struct RunArgs {
    /// The file; `-` is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Go on after a failure
    #[arg(long)]
    continue_on_error: bool,
}

/// A line as a command line.
#[derive(Debug, Parser)]
#[command(name = "hallpass s3", no_binary_name = true, disable_help_flag = true)]
struct Line {
    #[command(flatten)]
    args: S3Args,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    commands: u64,
    failed: u64,
}

/// Runs them, after those that borrow have got what they need.
pub(super) fn run(stores: &Stores<'_>, args: &RunArgs) -> Result<ExitStatus, CommandError> {
    if !stores.explains() && !stores.may_borrow() {
        return lines(stores, args, &mut *args.open()?);
    }
    let text = args.whole()?;
    if let Some(status) = needs::settled(stores, args, &text)? {
        return Ok(status);
    }
    lines(stores, args, &mut Cursor::new(text))
}

/// Runs line after line.
fn lines(stores: &Stores<'_>, args: &RunArgs, input: &mut dyn BufRead) -> Result<ExitStatus, CommandError> {
    let printer = stores.printer();
    let (mut number, mut summary, mut worst) = (0_u64, Summary::default(), ExitStatus::Success);
    while let Some(text) = args.line(input)? {
        number += 1;
        let words = words_of(&text).map_err(|why| at(number, CommandError::usage("s3.batch", why).in_family(FAMILY)));
        let status = match words {
            Ok(words) if words.is_empty() => continue,
            Ok(words) => command(stores, &words, args.is_stdin()).map_err(|error| at(number, error)),
            Err(error) => Err(error),
        };
        summary.commands += 1;
        // Who stops one command does not mean the next ones.
        let stopped = status.as_ref().is_err_and(|error| error.kind() == ErrorKind::Interrupted);
        let status = status.unwrap_or_else(|error| {
            printer.error(&error);
            error.exit_status()
        });
        if status.code() > worst.code() {
            worst = status;
        }
        summary.failed += u64::from(status != ExitStatus::Success);
        // A line that is too long was not read to its end.
        if stopped || status != ExitStatus::Success && (!args.continue_on_error || text.len() > S3_BATCH_LINE_BYTES_MAX)
        {
            break;
        }
    }
    show::done(printer, FAMILY, &summary, || {
        format!("{}, {} failed", counted(summary.commands, "command", "commands"), summary.failed)
    })?;
    Ok(worst)
}

impl RunArgs {
    fn is_stdin(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    fn unreadable(&self, error: &io::Error) -> CommandError {
        let kind = if error.kind() == io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::General };
        CommandError::new(kind, "s3.file", format!("`{}` cannot be read: {error}", self.file.display()))
    }

    fn open(&self) -> Result<Box<dyn BufRead>, CommandError> {
        if self.is_stdin() {
            return Ok(Box::new(BufReader::new(io::stdin())));
        }
        Ok(Box::new(BufReader::new(File::open(&self.file).map_err(|error| self.unreadable(&error))?)))
    }

    /// The next line; of one that is too long, one byte more than is taken.
    fn line(&self, input: &mut dyn BufRead) -> Result<Option<Vec<u8>>, CommandError> {
        let mut text = Vec::new();
        let limit = S3_BATCH_LINE_BYTES_MAX as u64 + 1;
        let read = input.take(limit).read_until(b'\n', &mut text).map_err(|error| self.unreadable(&error))?;
        Ok((read > 0).then_some(text))
    }

    /// All of it at once: what the lines need must be known before the first is run.
    fn whole(&self) -> Result<Vec<u8>, CommandError> {
        let mut text = Vec::new();
        let limit = S3_BATCH_BYTES_MAX as u64 + 1;
        self.open()?.take(limit).read_to_end(&mut text).map_err(|error| self.unreadable(&error))?;
        if text.len() > S3_BATCH_BYTES_MAX {
            let message = format!("a batch whose rights must be known first may have {S3_BATCH_BYTES_MAX} bytes");
            return Err(CommandError::usage("s3.batch_too_large", message).next("split it"));
        }
        Ok(text)
    }
}

fn words_of(text: &[u8]) -> Result<Vec<String>, String> {
    if text.len() > S3_BATCH_LINE_BYTES_MAX {
        return Err(format!("the line has more than {S3_BATCH_LINE_BYTES_MAX} bytes"));
    }
    let text = str::from_utf8(text).map_err(|_| "the line is not UTF-8".to_owned())?;
    let mut words = words::split(text)?;
    if words.len() >= 2 && words[0] == "hallpass" && words[1] == "s3" {
        words.drain(..2);
    }
    Ok(words)
}

fn parsed(words: &[String]) -> Result<Line, CommandError> {
    Line::try_parse_from(words).map_err(|error| {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").replace('\'', "`");
        CommandError::usage("usage", first).next("see `hallpass s3 --help`").in_family(FAMILY)
    })
}

fn command(stores: &Stores<'_>, words: &[String], is_stdin: bool) -> Result<ExitStatus, CommandError> {
    let line = parsed(words)?;
    let family = line.args.command.family();
    let reads_batch = is_stdin && reads_stdin(&line.args.command, words);
    let refused =
        |message: &str, next: &str| Err(CommandError::usage("s3.batch", message).next(next).in_family(FAMILY));
    match &line.args.command {
        S3Command::Run(_) => return refused("a batch cannot run a batch", "put the lines into one file"),
        _ if reads_batch => {
            return refused("this reads stdin, which is the batch itself", "put the batch into a file");
        }
        _ => {}
    }
    let flags = &line.args.flags;
    if flags.explain || flags.no_prune || flags.timeout.is_some() {
        let message = "`--explain`, `--no-prune` and `--timeout` are for the whole batch";
        return refused(message, "pass them to `hallpass s3 run`");
    }
    one(stores, &line.args.flags, line.args.command).map_err(|error| error.in_family(family))
}

/// Whether a command would take its input from where the batch comes from. A last `-` of `cp` is where it writes to.
fn reads_stdin(command: &S3Command, words: &[String]) -> bool {
    let words = match command {
        S3Command::Pipe(_) => return true,
        S3Command::Cp(_) => words.strip_suffix(&["-".to_owned()]).unwrap_or(words),
        _ => words,
    };
    words.iter().any(|word| word == "-" || word == "/dev/stdin" || (word.starts_with("--") && word.ends_with("stdin")))
}

fn at(number: u64, error: CommandError) -> CommandError {
    error.cause(format!("line {number}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use hallpass_core::limits::{S3_BATCH_BYTES_MAX, S3_BATCH_LINE_BYTES_MAX};

    #[test]
    fn a_line_of_a_batch_has_a_limit() {
        assert!(super::words_of(&vec![b'x'; S3_BATCH_LINE_BYTES_MAX]).is_ok());
        assert!(super::words_of(&vec![b'x'; S3_BATCH_LINE_BYTES_MAX + 1]).is_err());
        assert_eq!(super::words_of(b"hallpass s3 ls a\n").expect("words"), ["ls", "a"]);
    }

    #[test]
    fn a_batch_that_is_read_first_has_a_limit() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let args = super::RunArgs { file: file.path().to_owned(), continue_on_error: false };
        std::fs::write(file.path(), vec![b'#'; S3_BATCH_BYTES_MAX]).expect("written");
        assert!(args.whole().is_ok());
        std::fs::write(file.path(), vec![b'#'; S3_BATCH_BYTES_MAX + 1]).expect("written");
        assert!(args.whole().is_err());
    }

    #[test]
    fn the_definition_of_a_line_is_consistent() {
        super::Line::command().debug_assert();
    }
}
