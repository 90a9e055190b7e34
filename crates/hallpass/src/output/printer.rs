//! The one printer.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Write};

use serde::Serialize;

use super::clean;
use crate::cli::{ColorWhen, GlobalArgs};
use crate::environment;
use crate::error::{CommandError, ErrorKind};

/// What a piece of text means; colour never carries the meaning alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// Good news.
    Good,
    /// Wants attention.
    Warn,
    /// Bad news.
    Bad,
    /// Less important.
    Dim,
    /// A heading.
    Bold,
}

impl Paint {
    fn sgr(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Warn => "33",
            Self::Bad => "31",
            Self::Dim => "2",
            Self::Bold => "1",
        }
    }
}

/// Writes data to stdout and talk to stderr, in the form that was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    json: bool,
    quiet: bool,
    color_out: bool,
    color_err: bool,
}

impl Printer {
    /// Decides once about JSON, quiet and colour.
    pub(crate) fn new(global: &GlobalArgs) -> Self {
        let color = |is_terminal: bool| match global.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => {
                is_terminal && environment::text(environment::NO_COLOR).is_none() && !environment::is_dumb_terminal()
            }
        };
        Self {
            json: global.json,
            quiet: global.quiet,
            color_out: color(io::stdout().is_terminal()),
            color_err: color(io::stderr().is_terminal()),
        }
    }

    /// True when `--json` was given.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// True when `--quiet` was given.
    pub(crate) fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Colours `text` for stdout.
    pub(crate) fn paint(self, paint: Paint, text: impl Display) -> String {
        colored(self.color_out, paint, text)
    }

    /// Colours `text` for stderr.
    pub(crate) fn paint_talk(self, paint: Paint, text: impl Display) -> String {
        colored(self.color_err, paint, text)
    }

    /// Writes one piece of data to stdout, with a line break.
    ///
    /// # Errors
    /// [`ErrorKind::BrokenPipe`] when nobody reads any more.
    pub(crate) fn data(self, text: impl Display) -> Result<(), CommandError> {
        self.write(|out| writeln!(out, "{text}"))
    }

    /// Tells a person something that is the command's own result: on stdout, or beside it when that is for JSON.
    ///
    /// # Errors
    /// As [`Self::data`].
    pub(crate) fn tell(self, text: impl Display) -> Result<(), CommandError> {
        if self.json {
            self.say(text);
            return Ok(());
        }
        self.data(text)
    }

    /// Writes one JSON value to stdout on one line.
    ///
    /// # Errors
    /// As [`Self::data`].
    pub(crate) fn json(self, value: &impl Serialize) -> Result<(), CommandError> {
        let text = json_text(value)?;
        self.data(text)
    }

    /// Lets `body` write to a buffered stdout.
    ///
    /// # Errors
    /// As [`Self::data`].
    pub(crate) fn write(
        self,
        body: impl FnOnce(&mut BufWriter<io::StdoutLock<'static>>) -> io::Result<()>,
    ) -> Result<(), CommandError> {
        let mut out = BufWriter::new(io::stdout().lock());
        body(&mut out)?;
        out.flush()?;
        Ok(())
    }

    /// Talk: a line on stderr, unless `--quiet`.
    pub(crate) fn say(self, text: impl Display) {
        if !self.quiet {
            talk(format_args!("{text}"));
        }
    }

    /// A warning on stderr, unless `--quiet`.
    pub(crate) fn warn(self, text: impl Display) {
        if !self.quiet {
            talk(format_args!("{} {text}", self.paint_talk(Paint::Warn, "warning:")));
        }
    }

    /// Reports a failure on stderr. A closed pipe is none.
    pub(crate) fn error(self, error: &CommandError) {
        if error.kind() == ErrorKind::BrokenPipe {
            return;
        }
        if self.json {
            return talk(format_args!("{}", clean::json(error.to_json())));
        }
        let text = clean::lines(&error.to_string());
        let mut lines = String::with_capacity(text.len() + 32);
        for (index, line) in text.lines().enumerate() {
            let painted = match line.split_once(": ") {
                Some((label @ "error", rest)) if index == 0 => (label, Paint::Bad, rest),
                Some((label @ "cause", rest)) => (label, Paint::Dim, rest),
                Some((label @ "next", rest)) => (label, Paint::Good, rest),
                _ => ("", Paint::Dim, line),
            };
            let (label, paint, rest) = painted;
            if index > 0 {
                lines.push('\n');
            }
            if !label.is_empty() {
                lines.push_str(&self.paint_talk(paint, format_args!("{label}:")));
                lines.push(' ');
            }
            lines.push_str(rest);
        }
        talk(format_args!("{lines}"));
    }
}

/// The JSON text of a value, safe to show on a terminal.
///
/// # Errors
/// When the value cannot be JSON, which is a bug of ours.
pub(crate) fn json_text(value: &impl Serialize) -> Result<String, CommandError> {
    let text = serde_json::to_string(value)
        .map_err(|e| CommandError::new(ErrorKind::General, "internal", "the result cannot be written").because(&e))?;
    Ok(clean::json(text))
}

fn colored(on: bool, paint: Paint, text: impl Display) -> String {
    if on { format!("\u{1b}[{}m{text}\u{1b}[0m", paint.sgr()) } else { text.to_string() }
}

/// Nobody may be listening on stderr, and that is no failure.
fn talk(line: std::fmt::Arguments<'_>) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}
