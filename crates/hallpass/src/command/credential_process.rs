//! `hallpass credential-process`: a session's credential in the form that `~/.aws/config` asks for.

use std::ffi::OsString;

use clap::Args;
use hallpass_control::authority::AuthorityKey;
use hallpass_control::lifecycle;
use hallpass_core::credential::Credential;
use hallpass_core::delivery::Delivery;
use hallpass_core::limits::CREDENTIAL_REFRESH_EARLY_S;
use hallpass_core::session::Session;
use hallpass_providers::aws::AwsProvider;
use jiff::SignedDuration;

use crate::command::Context;
use crate::command::run::args::LendArgs;
use crate::command::run::issue::{failed, issue, issued_event};
use crate::command::run::wish::Wish;
use crate::command::run::{new_id, sweep};
use crate::deliver::environment::Variables;
use crate::deliver::place::Root;
use crate::deliver::{credential_cache, may_leave};
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::scrub::scrub;

/// Print a session's credential for `credential_process` in ~/.aws/config
///
/// The same question gets the same session until it is about to end, so tools may ask as often as they like. The
/// credential leaves the gate: only the cloud enforces its scope, and taking it back works on the whole role or not
/// at all. Therefore a role is needed.
#[derive(Debug, Args)]
#[command(after_help = "Example, in ~/.aws/config:\n  [profile agent]\n  credential_process = \
    hallpass credential-process --role arn:aws:iam::111122223333:role/agent --allow s3:GetObject")]
pub(crate) struct CredentialProcessArgs {
    #[command(flatten)]
    lend: LendArgs,
}

/// Prints the credential; nothing else ever goes to stdout.
pub(crate) fn credential_process(context: &Context, args: CredentialProcessArgs) -> Result<ExitStatus, CommandError> {
    let scrubbed = scrub()?;
    let config = context.config()?;
    let wish = Wish::new(&args.lend, Some(Delivery::Env), config, &scrubbed.original)?;
    if wish.role.is_empty() {
        return Err(CommandError::new(
            ErrorKind::Denied,
            "delivery.not_enforced",
            "a credential that leaves needs a role, so that the cloud enforces its scope",
        )
        .next("name one with `--role ARN`, or use `hallpass run`"));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let credential = runtime.block_on(credential(context, &wish, &scrubbed.original))?;
    context.printer.data(credential_cache::to_json(&credential))?;
    Ok(ExitStatus::Success)
}

async fn credential(context: &Context, wish: &Wish, original: &Variables) -> Result<Credential, CommandError> {
    let store = context.store_unrepaired()?;
    let root = Root::open(&context.state_dir()?)?;
    let clock = context.clock();
    let command = [OsString::from("credential-process")];
    let session = wish.session(new_id()?, context.now(), &command, original);
    let key = AuthorityKey::of(&session);
    // One that was asked for with a longer life would outlive what is asked for now.
    if let Some(record) = store.find_reusable(&key, CREDENTIAL_REFRESH_EARLY_S, clock.now()).await?
        && record.session.expires_at <= session.expires_at
        && let Some(credential) = kept(context, &root, &record.session)
    {
        return Ok(credential);
    }
    sweep(&root, &*store).await;
    let provider = AwsProvider::new(wish.aws.clone(), context.clock());
    let issued = issue(wish, &session, None, &provider, &*store, &clock).await?;
    let lent = async {
        may_leave(session.delivery, issued.enforced_by)?;
        let credential = issued.source.current().await?;
        let event = issued_event(&issued, None, session.revocation).await?;
        credential_cache::keep(&root, &session.id, &credential)?;
        let key = credential.access_key_id.clone();
        lifecycle::activate(&*store, &session.id, clock.now(), event, key, session.revocation).await?;
        Ok(bounded(credential, &session))
    };
    let lent: Result<Credential, CommandError> = lent.await;
    if let Err(error) = &lent {
        failed(&*store, &session, &clock, error).await;
        // Nothing of a session that failed stays; a folder that stays is swept by the next start.
        drop(root.remove(&session.id));
    }
    lent
}

/// The kept credential, while it still has some life.
fn kept(context: &Context, root: &Root, session: &Session) -> Option<Credential> {
    let credential = bounded(credential_cache::kept(root, &session.id)?, session);
    let early = SignedDuration::from_secs(i64::try_from(CREDENTIAL_REFRESH_EARLY_S).unwrap_or(0));
    let soon = context.now().checked_add(early).ok()?;
    credential.expires_at.is_some_and(|at| at > soon).then_some(credential)
}

/// A tool that is told of the session's end asks again then, and not later.
fn bounded(credential: Credential, session: &Session) -> Credential {
    let expires_at = credential.expires_at.map_or(session.expires_at, |at| at.min(session.expires_at));
    Credential { expires_at: Some(expires_at), ..credential }
}
