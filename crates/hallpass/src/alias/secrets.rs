//! How keys come in: arguments, a prompt, stdin, files, variables. Never twice, never in a message.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use hallpass_core::limits::ALIAS_VALUE_BYTES_MAX;
use hallpass_core::secret::Secret;
use zeroize::Zeroizing;

use crate::environment;
use crate::error::{CommandError, ErrorKind};
use crate::output::{Printer, prompt};

/// Where keys are found.
#[derive(Debug, Args)]
pub(crate) struct SecretArgs {
    /// Read from stdin, a line each: the access key unless it is given, the secret key, the session token if any
    #[arg(long, help_heading = "Keys", conflicts_with_all = ["secret_key", "session_token", "secret_key_file", "secret_key_env",
        "session_token_file", "session_token_env"])]
    secrets_stdin: bool,
    /// The session token of temporary keys; everybody on this machine can see it in `ps`
    #[arg(long, help_heading = "Keys", value_name = "TOKEN", conflicts_with_all = ["session_token_file", "session_token_env"])]
    session_token: Option<Argument>,
    /// Read the secret key from this file
    #[arg(long, help_heading = "Keys", value_name = "FILE", conflicts_with_all = ["secret_key", "secret_key_env"])]
    secret_key_file: Option<PathBuf>,
    /// Read the session token from this file
    #[arg(long, help_heading = "Keys", value_name = "FILE", conflicts_with = "session_token_env")]
    session_token_file: Option<PathBuf>,
    /// Read the secret key from this variable
    #[arg(long, help_heading = "Keys", value_name = "NAME", conflicts_with = "secret_key")]
    secret_key_env: Option<String>,
    /// Read the session token from this variable
    #[arg(long, help_heading = "Keys", value_name = "NAME")]
    session_token_env: Option<String>,
}

/// A secret as an argument; `Debug` of the arguments shows none.
#[derive(Debug, Clone)]
pub(crate) struct Argument(Secret);

impl std::str::FromStr for Argument {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(Secret::new(text)))
    }
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// Access key id.
    pub(crate) access_key: String,
    /// Secret key.
    pub(crate) secret_key: Secret,
    /// Session token, if there is one.
    pub(crate) session_token: Option<Secret>,
}

impl SecretArgs {
    /// True when anything here was given.
    pub(crate) fn is_any(&self) -> bool {
        self.secrets_stdin
            || self.session_token.is_some()
            || self.secret_key_file.is_some()
            || self.session_token_file.is_some()
            || self.secret_key_env.is_some()
            || self.session_token_env.is_some()
    }

    /// The keys. On a terminal, what is missing is asked for.
    ///
    /// # Errors
    /// When something is missing or cannot be read; no message repeats a value.
    pub(crate) fn found(
        self,
        printer: Printer,
        access_key: Option<String>,
        secret_key: Option<Argument>,
    ) -> Result<Found, CommandError> {
        if self.secrets_stdin {
            return from_lines(access_key, &mut io::stdin().lock());
        }
        if secret_key.is_some() || self.session_token.is_some() {
            printer.warn(
                "secrets in arguments can be seen in `ps` and stay in the shell's history; `--secrets-stdin`, the \
                 `--…-file` and `--…-env` options and the prompt hide them",
            );
        }
        let token = match (self.session_token, self.session_token_file, self.session_token_env) {
            (Some(Argument(token)), ..) => Some(token),
            (_, Some(file), _) => Some(from_file(&file)?),
            (.., Some(name)) => Some(from_variable(&name)?),
            _ => None,
        };
        let asks = access_key.is_none();
        let access_key = match access_key {
            Some(key) => key,
            None => asked(prompt::line("Access key"))?,
        };
        let secret_key = match (secret_key, self.secret_key_file, self.secret_key_env) {
            (Some(Argument(secret)), ..) => secret,
            (_, Some(file), _) => from_file(&file)?,
            (.., Some(name)) => from_variable(&name)?,
            _ => asked(prompt::secret("Secret key (not shown)"))?,
        };
        // AWS: keys that begin so are temporary (IAM User Guide, "Unique identifiers").
        let is_temporary = access_key.starts_with("ASIA");
        let session_token = match token {
            None if prompt::is_possible() && (asks || is_temporary) => {
                Some(asked(prompt::secret("Session token (not shown; empty for none)"))?)
            }
            token => token,
        };
        let session_token = session_token.filter(|token| !token.is_empty());
        if is_temporary && session_token.is_none() {
            printer.warn("keys that begin with ASIA are temporary, and do not work without their session token");
        }
        Ok(Found { access_key, secret_key, session_token })
    }
}

fn asked<T>(answer: io::Result<T>) -> Result<T, CommandError> {
    answer.map_err(|error| match error.kind() {
        io::ErrorKind::Interrupted => CommandError::new(ErrorKind::Interrupted, "interrupted", "interrupted"),
        io::ErrorKind::NotConnected => {
            CommandError::usage("alias.no_keys", "keys are missing, and there is no terminal to ask for them")
                .next("pass `ACCESS_KEY --secrets-stdin`, `--secret-key-file`, or another sort of credentials")
        }
        _ => CommandError::new(ErrorKind::General, "alias.prompt", "the terminal cannot be asked").because(&error),
    })
}

/// One secret key for somebody else; `None` when none was given.
///
/// # Errors
/// When the place cannot be read or does not hold one line; no message repeats a value.
pub(crate) fn one(
    printer: Printer,
    argument: Option<Argument>,
    stdin: bool,
    file: Option<&Path>,
    variable: Option<&str>,
) -> Result<Option<Secret>, CommandError> {
    if let Some(Argument(secret)) = argument {
        printer.warn("secrets in arguments can be seen in `ps` and stay in the shell's history");
        return Ok(Some(secret));
    }
    Ok(match (stdin, file, variable) {
        (true, ..) => {
            let text = bounded(&mut io::stdin().lock()).map_err(|e| unreadable("stdin", &e))?;
            Some(one_line("stdin", &text)?)
        }
        (_, Some(file), _) => Some(from_file(file)?),
        (.., Some(name)) => Some(from_variable(name)?),
        _ => None,
    })
}

/// One secret key for somebody else, asked for on the terminal.
///
/// # Errors
/// When there is no terminal.
pub(crate) fn asked_for(question: &str) -> Result<Secret, CommandError> {
    match prompt::secret(question) {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => {
            let message = "the secret key is missing, and there is no terminal to ask for it";
            Err(CommandError::usage("s3.no_secret_key", message)
                .next("pass `--secret-key-stdin`, `--secret-key-file` or `--secret-key-env`"))
        }
        answer => asked(answer),
    }
}

fn from_lines(access_key: Option<String>, from: &mut dyn Read) -> Result<Found, CommandError> {
    let text = bounded(from).map_err(|e| unreadable("stdin", &e))?;
    let mut lines = text.lines();
    let missing = |what: &str| {
        CommandError::usage("alias.no_keys", format!("stdin ends before {what}"))
            .next("write a line each: the access key unless it is an argument, the secret key, the session token")
    };
    let access_key = match access_key {
        Some(key) => key,
        None => lines.next().map(str::to_owned).ok_or_else(|| missing("the access key"))?,
    };
    let secret_key = Secret::new(lines.next().ok_or_else(|| missing("the secret key"))?);
    let session_token = lines.next().filter(|line| !line.is_empty()).map(Secret::new);
    if lines.any(|line| !line.is_empty()) {
        return Err(CommandError::usage("alias.no_keys", "stdin has more lines than there are keys")
            .next("leave out the access key there if it is an argument"));
    }
    Ok(Found { access_key, secret_key, session_token })
}

fn from_file(path: &Path) -> Result<Secret, CommandError> {
    let shown = path.display().to_string();
    let mut file = File::open(path).map_err(|e| unreadable(&shown, &e))?;
    one_line(&shown, &bounded(&mut file).map_err(|e| unreadable(&shown, &e))?)
}

fn from_variable(name: &str) -> Result<Secret, CommandError> {
    let text = environment::text(name).ok_or_else(|| {
        CommandError::usage("alias.no_keys", format!("the variable `{name}` is not set")).next("set it, and export it")
    })?;
    one_line(name, &Zeroizing::new(text))
}

fn one_line(place: &str, text: &str) -> Result<Secret, CommandError> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.contains('\n') {
        return Err(CommandError::usage("alias.no_keys", format!("`{place}` does not hold one line"))
            .next("write the secret there, and nothing else"));
    }
    Ok(Secret::new(line))
}

fn bounded(from: &mut dyn Read) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let limit = 4 * ALIAS_VALUE_BYTES_MAX as u64;
    from.take(limit + 1).read_to_string(&mut text)?;
    if text.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it holds more than {limit} bytes")));
    }
    Ok(text)
}

fn unreadable(place: &str, error: &io::Error) -> CommandError {
    let kind = if error.kind() == io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::General };
    CommandError::new(kind, "alias.no_keys", format!("`{place}` cannot be read")).because(error)
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::ALIAS_VALUE_BYTES_MAX;
    use hallpass_core::secret::Secret;

    use super::{Found, from_lines, one_line};

    fn lines(access_key: Option<&str>, text: &str) -> Option<Found> {
        from_lines(access_key.map(str::to_owned), &mut text.as_bytes()).ok()
    }

    #[test]
    fn stdin_has_a_line_for_each_key() {
        let all = lines(None, "AK\nsecret\ntoken\n").expect("keys");
        assert_eq!((all.access_key.as_str(), all.secret_key), ("AK", Secret::new("secret")));
        assert_eq!(all.session_token, Some(Secret::new("token")));
        let two = lines(Some("AK"), "secret\r\n").expect("keys");
        assert_eq!((two.secret_key, two.session_token), (Secret::new("secret"), None));
        assert!(lines(None, "AK\n").is_none() && lines(Some("AK"), "").is_none());
        assert!(lines(Some("AK"), "AK\nsecret\ntoken").is_none(), "the access key is not taken for the secret");
        assert!(lines(Some("AK"), &"x".repeat(4 * ALIAS_VALUE_BYTES_MAX + 1)).is_none());
    }

    #[test]
    fn a_file_holds_one_line_and_its_end_is_no_part_of_it() {
        assert_eq!(one_line("f", "secret\n").expect("a line"), Secret::new("secret"));
        for bad in ["", "\n", "a\nb", "a\n\n"] {
            assert!(one_line("f", bad).is_err(), "{bad:?}");
        }
    }
}
