//! What could come next, for a shell that asks while somebody types.
//!
//! Commands and flags are those of the definition; names of aliases come from this machine; names of buckets and keys
//! from the store. Whatever goes wrong is silence: nobody asked for a message.

mod names;
mod shells;

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter};

use crate::environment::{self, HALLPASS_COMPLETE};
use crate::error::{CommandError, ErrorKind, ExitStatus};
use shells::SHELLS;

/// What the program is called where scripts call it.
const PROGRAM: &str = "hallpass";
/// Positional arguments of `hallpass s3` that name a place in a store.
const PLACES: [&str; 3] = ["PATH", "OBJECT", "BUCKET"];
/// Those that may name something here as well.
const ENDS: [&str; 4] = ["SOURCE", "TARGET", "FIRST", "SECOND"];

/// Answers the shell, if it is one that asks.
pub(crate) fn answered(args: &[OsString]) -> Option<ExitStatus> {
    environment::os(HALLPASS_COMPLETE)?;
    let folder = std::env::current_dir().ok();
    let asked = CompleteEnv::with_factory(definition).var(HALLPASS_COMPLETE).shells(SHELLS);
    let asked = asked.bin(PROGRAM).completer(PROGRAM);
    match asked.try_complete(args.iter().cloned(), folder.as_deref()) {
        Ok(true) => Some(ExitStatus::Success),
        // Turned off, with `0`.
        Ok(false) => None,
        Err(_) => Some(ExitStatus::Usage),
    }
}

/// The script that makes a shell ask.
///
/// # Errors
/// For a shell that is not known.
pub(crate) fn script(shell: &str) -> Result<Vec<u8>, CommandError> {
    let Some(shell) = SHELLS.completer(shell) else {
        let message = format!("there are no completions for the shell `{shell}`");
        return Err(CommandError::new(ErrorKind::Unsupported, "completions.shell", message));
    };
    let mut script = Vec::new();
    shell.write_registration(HALLPASS_COMPLETE, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
    Ok(script)
}

/// The command line, with what completes its names.
fn definition() -> Command {
    let alias = |verb: Command| verb.mut_args(|arg| add(arg, &["NAME"], names::aliases));
    crate::cli::definition()
        .mut_subcommand("s3", |s3| s3.mut_subcommands(verb))
        .mut_subcommand("alias", |all| all.mut_subcommands(alias))
}

fn verb(verb: Command) -> Command {
    let arg = |arg| add(add(add(arg, &PLACES, names::places), &ENDS, ends), &["ALIAS"], names::aliases);
    verb.mut_args(arg).mut_subcommands(self::verb)
}

fn add(arg: Arg, called: &[&str], complete: fn(&OsStr) -> Vec<CompletionCandidate>) -> Arg {
    let named = arg.get_value_names().into_iter().flatten().any(|name| called.contains(&name.as_str()));
    if arg.is_positional() && named { arg.add(ArgValueCompleter::new(complete)) } else { arg }
}

/// Here, or in a store.
fn ends(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut all = names::places(current);
    all.extend(PathCompleter::any().complete(current));
    all
}

#[cfg(test)]
mod tests {
    use clap::Command;

    #[test]
    fn the_definition_with_completers_is_consistent() {
        super::definition().debug_assert();
    }

    #[test]
    fn every_shell_that_can_be_named_has_a_script() {
        for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
            let script = String::from_utf8(super::script(shell).expect("a script")).expect("text");
            assert!(script.contains("HALLPASS_COMPLETE") && script.contains("hallpass"), "{shell}: {script}");
        }
        assert!(super::script("tcsh").is_err());
    }

    #[test]
    fn every_path_of_every_verb_is_completed() {
        fn look(command: &Command, path: &str) {
            for arg in command.get_positionals() {
                let names: Vec<_> = arg.get_value_names().into_iter().flatten().map(ToString::to_string).collect();
                let other = ["FILE", "POLIC", "NAME", "KEY", "USER", "GROUP", "MEMBER", "TAGS"];
                let completed = arg.get::<super::ArgValueCompleter>().is_some();
                let known = names.iter().any(|name| other.iter().any(|end| name.contains(end)));
                assert!(completed || known, "{path}: {names:?} is completed by nothing");
            }
            for sub in command.get_subcommands() {
                look(sub, &format!("{path} {}", sub.get_name()));
            }
        }
        let all = super::definition();
        look(all.find_subcommand("s3").expect("there"), "s3");
    }
}
