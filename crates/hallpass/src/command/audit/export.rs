//! `hallpass audit export`.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use hallpass_control::audit::{ExportFilter, LogSource, export as export_log};

use super::no_log;
use crate::command::Context;
use crate::command::session::find::find;
use crate::error::{CommandError, ExitStatus};
use crate::output::count::counted;
use crate::output::file::{STDOUT, atomically};

/// Print the audit log as JSON lines, exactly as stored
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass audit export -o audit.jsonl\n  \
    hallpass audit export --session 3f2a91c0 --redact\n  \
    hallpass audit export --from 1000 | jq .event.type")]
pub(crate) struct ExportArgs {
    /// Only entries of this session
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    /// Begin at this position
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    from: u64,
    /// Leave out every field that is not public (arguments, resources, tags, users)
    #[arg(long)]
    redact: bool,
    /// Write to this file, as a whole or not at all; `-` is stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes the entries.
pub(crate) fn export(context: &Context, args: ExportArgs) -> Result<ExitStatus, CommandError> {
    let dir = context.state_dir()?;
    let store = context.store_to_read()?.ok_or_else(|| no_log(context))?;
    let session = match &args.session {
        Some(text) => Some(find(context, &*store, text)?.session.id),
        None => None,
    };
    drop(store);
    let filter = ExportFilter { session, from_seq: args.from, redacted: args.redact };
    let source = LogSource::new(dir);
    let count = match args.output.as_deref().filter(|path| *path != Path::new(STDOUT)) {
        Some(path) => atomically(path, |out| Ok(export_log(&source, &filter, out)?))?,
        None => to_stdout(context, &source, &filter)?,
    };
    context.printer.say(counted(count, "entry", "entries"));
    Ok(ExitStatus::Success)
}

fn to_stdout(context: &Context, source: &LogSource, filter: &ExportFilter) -> Result<u64, CommandError> {
    let mut sink = Sink { failed: None };
    let count = export_log(source, filter, &mut sink);
    // The exporter can only say that its sink failed; the sink knows why, and a closed pipe is no failure.
    match sink.failed {
        Some(error) => Err(error.into()),
        None => {
            let count = count?;
            context.printer.write(|out| out.flush())?;
            Ok(count)
        }
    }
}

/// stdout that remembers what went wrong.
struct Sink {
    failed: Option<std::io::Error>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        std::io::stdout().write(bytes).map_err(|error| self.remember(error))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stdout().flush().map_err(|error| self.remember(error))
    }
}

impl Sink {
    fn remember(&mut self, error: std::io::Error) -> std::io::Error {
        let kind = error.kind();
        self.failed = Some(error);
        kind.into()
    }
}
