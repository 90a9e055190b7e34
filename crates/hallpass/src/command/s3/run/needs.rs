//! What the lines of a batch need, found out before the first is run.

use std::io::Cursor;

use hallpass_s3::alias::{Alias, CredentialsSource};
use hallpass_s3::rights::{Rights, by_actions};

use super::{RunArgs, S3Command, at, parsed, reads_stdin, words_of};
use crate::command::s3::stores::Stores;
use crate::command::s3::{borrow, one, stdin};
use crate::error::{CommandError, ErrorKind, ExitStatus};

/// Says what the lines need, or has them run with exactly that: `Some` when there is nothing left to do.
///
/// # Errors
/// For lines that borrow and cannot, together; with `--explain`, for the first line that makes no sense.
pub(super) fn settled(stores: &Stores<'_>, args: &RunArgs, text: &[u8]) -> Result<Option<ExitStatus>, CommandError> {
    let reading = stores.reading()?;
    let read = read(&reading, args, text)?;
    let needs = reading.needs();
    if stores.explains() {
        // Of a line that is wrong, nobody knows what it would need.
        read.wrong.map_or(Ok(()), Err)?;
        by_actions(needs.into_iter().map(|(_, rights)| rights)).iter().try_for_each(|each| stores.explain(each))?;
        return Ok(Some(ExitStatus::Success));
    }
    let Some((alias, role)) = lender(stores, &needs)? else { return Ok(None) };
    if let Some(number) = read.stdin {
        let message = "a batch that borrows has no stdin for its lines";
        let error = CommandError::usage("s3.batch", message).next("put what the line reads into a file");
        return Err(at(number, error));
    }
    args.can_be_read_again(text)?;
    let of_role = |name: &str| stores.alias(name).is_ok_and(|alias| role_of(alias).is_some());
    let rights = by_actions(needs.into_iter().filter(|(name, _)| of_role(name)).map(|(_, rights)| rights));
    borrow::again_inside(stores.context, alias, role, &rights).map(Some)
}

/// What was noticed on the way.
#[derive(Default)]
struct Read {
    /// The first line that makes no sense. Where lines are run, it says so when its turn comes.
    wrong: Option<CommandError>,
    /// The first line that would read stdin.
    stdin: Option<u64>,
}

/// Lets every line say what it needs, and do nothing.
fn read(reading: &Stores<'_>, args: &RunArgs, text: &[u8]) -> Result<Read, CommandError> {
    let (mut input, mut number, mut read) = (Cursor::new(text), 0, Read::default());
    while let Some(line) = args.line(&mut input)? {
        number += 1;
        let asked = words_of(&line).map_err(|why| CommandError::usage("s3.batch", why)).and_then(|words| {
            if words.is_empty() {
                return Ok(());
            }
            let line = parsed(&words)?;
            match line.args.command {
                // These need nothing from a store, and would say it now.
                S3Command::Which(_) | S3Command::Run(_) => {}
                command => {
                    if reads_stdin(&command, &words) {
                        read.stdin = read.stdin.or(Some(number));
                        asks_first(&command)?;
                    }
                    one(reading, &line.args.flags, command)?;
                }
            }
            Ok(())
        });
        if let Err(error) = asked
            && read.wrong.is_none()
        {
            read.wrong = Some(at(number, error));
        }
    }
    Ok(read)
}

/// Refuses a command that reads stdin to know what it needs.
fn asks_first(command: &S3Command) -> Result<(), CommandError> {
    match command {
        S3Command::Pipe(_) | S3Command::Cp(_) | S3Command::Cors(_) | S3Command::Lifecycle(_) | S3Command::Policy(_) => {
            Ok(())
        }
        _ => Err(CommandError::usage("s3.batch", "what this needs depends on stdin").next("put it into a file")),
    }
}

fn role_of(alias: &Alias) -> Option<&str> {
    match &alias.credentials {
        CredentialsSource::Role(role) => Some(role),
        _ => None,
    }
}

/// The one alias that stands for all that borrow; `None` where none does.
fn lender<'a>(
    stores: &'a Stores<'_>,
    needs: &[(String, Rights)],
) -> Result<Option<(&'a Alias, &'a str)>, CommandError> {
    let mut found: Option<(&Alias, &str)> = None;
    for (name, _) in needs {
        let Ok(alias) = stores.alias(name) else { continue };
        let Some(role) = role_of(alias) else { continue };
        match found {
            None => found = Some((alias, role)),
            Some((first, lent)) if lent == role && first.endpoint == alias.endpoint && first.region == alias.region => {
            }
            Some((first, _)) => {
                let message = format!("the aliases `{}` and `{name}` borrow different things", first.name);
                return Err(CommandError::new(ErrorKind::Unsupported, "s3.batch_of_two_roles", message)
                    .next("write a batch for each of them"));
            }
        }
    }
    Ok(found)
}

impl RunArgs {
    /// The command runs again inside of its session, and reads the lines again.
    fn can_be_read_again(&self, text: &[u8]) -> Result<(), CommandError> {
        if self.is_stdin() {
            return Ok(stdin::give_back(text)?);
        }
        if std::fs::metadata(&self.file).is_ok_and(|file| file.is_file()) {
            return Ok(());
        }
        let shown = self.file.display();
        Err(CommandError::usage("s3.batch", format!("`{shown}` is no file, and a batch that borrows is read twice"))
            .next("write `-` and pass it on stdin"))
    }
}
