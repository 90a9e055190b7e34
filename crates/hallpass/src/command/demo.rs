//! `hallpass demo`.

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use crate::command::Context;
use crate::demo::stage::Stage;
use crate::demo::store::BUCKET;
use crate::demo::story::{self, Ending};
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::SCHEMA_VERSION;

/// Show the whole idea on an embedded store, without cloud or network
///
/// A store that really verifies signatures is started on a temporary folder. A session for one prefix is borrowed; a
/// command reads (allowed), reads elsewhere and writes (refused), shows its environment (no real key), and is killed
/// in the middle of a download from a second process. Then the log is verified and drawn.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hallpass demo\n  hallpass demo --keep\n  hallpass demo --json")]
pub(crate) struct DemoArgs {
    /// Leave the store running afterwards and print commands to try, until Ctrl-C
    #[arg(long)]
    keep: bool,
}

/// Runs the command.
pub(crate) fn demo(context: &Context, args: DemoArgs) -> Result<ExitStatus, CommandError> {
    let failed = |error: std::io::Error| {
        CommandError::new(ErrorKind::General, "demo.stage", "the demo's store could not be started")
            .because(&error)
            .next("see that the temporary folder (TMPDIR) can be written to")
    };
    let stage = Stage::set().map_err(failed)?;
    let ending = story::tell(&stage, context.printer)?;
    if context.printer.is_json() {
        let store = args.keep.then(|| kept(&stage));
        context.printer.json(&Told { schema_version: SCHEMA_VERSION, ending, store })?;
    }
    if args.keep {
        return keep(context, &stage);
    }
    context.printer.say("\nTry it by hand: hallpass demo --keep");
    Ok(ExitStatus::Success)
}

/// The story's end, as data.
#[derive(Serialize)]
struct Told {
    schema_version: u32,
    #[serde(flatten)]
    ending: Ending,
    /// With `--keep`: how to reach the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<Value>,
}

fn kept(stage: &Stage) -> Value {
    let (id, secret) = stage.key_pair();
    json!({
        "endpoint_url": stage.endpoint_url(),
        "access_key_id": id,
        "secret_access_key": secret,
        "bucket": BUCKET,
        "objects": stage.objects().display().to_string(),
        "state_dir": stage.state_dir().display().to_string(),
    })
}

fn keep(context: &Context, stage: &Stage) -> Result<ExitStatus, CommandError> {
    let (id, secret) = stage.key_pair();
    let url = stage.endpoint_url();
    let state = stage.state_dir();
    context.printer.tell(format!(
        "\nThe store stays on {url}; its folder is {objects}. In another terminal, with any S3 client:\n
  export AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret}
  export AWS_ENDPOINT_URL={url} AWS_REGION=us-east-1 HALLPASS_STATE_DIR={state}
  hallpass run --allow s3:GetObject,s3:ListBucket --resource arn:aws:s3:::{BUCKET} --resource 'arn:aws:s3:::{BUCKET}/reports/*' -- aws s3 ls s3://{BUCKET}/reports/
  hallpass run --allow s3:GetObject --resource 'arn:aws:s3:::{BUCKET}/reports/*' -- aws s3 cp s3://{BUCKET}/reports/january.csv -
  hallpass run --read-only -- aws s3 rm s3://{BUCKET}/reports/january.csv   # refused
  hallpass session list
  hallpass audit list\n
Ctrl-C ends the store and removes everything.",
        objects = stage.objects().display(),
        state = state.display(),
    ))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::from)?;
    runtime.block_on(tokio::signal::ctrl_c()).map_err(CommandError::from)?;
    Ok(ExitStatus::Success)
}
