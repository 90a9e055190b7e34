//! `--role`: the command runs again, inside a session that may do only what the command needs. It is the same session
//! that `hallpass run` makes: same gate, same audit log, same end.

use std::ffi::OsString;

use hallpass_s3::alias::Alias;
use hallpass_s3::rights::Rights;

use crate::command::Context;
use crate::command::run::args::{LendArgs, RunArgs};
use crate::command::run::run_in_session;
use crate::environment;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::scrub::has_started_anew;

/// Hosts that the gate reaches without being told.
const AWS: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];

/// Runs this very command again with the borrowed role.
///
/// # Errors
/// Whatever stands in the way of the session; a store that the gate would not reach.
pub(crate) fn again_inside(
    context: &Context,
    alias: &Alias,
    role: &str,
    rights: &Rights,
) -> Result<ExitStatus, CommandError> {
    // The second image has no variables of AWS any more, and begins with what the first one has checked.
    if !has_started_anew() {
        check_endpoint(alias)?;
    }
    let program = std::env::current_exe()?;
    let mut command = vec![program.into_os_string()];
    // The session's child gets no variable of ours.
    if let (None, Some(path)) = (&context.global.config, environment::os(environment::HALLPASS_CONFIG)) {
        command.extend([OsString::from("--config"), path]);
    }
    command.extend(std::env::args_os().skip(1));
    let lend = LendArgs {
        allow: vec![rights.actions.join(",")],
        resource: rights.resources.iter().filter(|resource| *resource != "*").cloned().collect(),
        role: Some(role.to_owned()),
        region: Some(alias.region.clone()),
        ..LendArgs::default()
    };
    let args = RunArgs { lend, command, ..RunArgs::default() };
    let (_, status) = run_in_session(context, &args).map_err(CommandError::without_child)?;
    Ok(status)
}

/// The gate signs for AWS, or for where AWS's variables send it; anything else would go elsewhere than the alias says.
fn check_endpoint(alias: &Alias) -> Result<(), CommandError> {
    let sent =
        [environment::AWS_ENDPOINT_URL_S3, environment::AWS_ENDPOINT_URL].into_iter().find_map(environment::text);
    let reached = match sent {
        Some(url) => url.trim_end_matches('/') == alias.endpoint,
        None => AWS.iter().any(|domain| alias.endpoint.ends_with(domain)),
    };
    if reached {
        return Ok(());
    }
    let message = format!("the alias `{}` borrows a role of AWS, but its store is {}", alias.name, alias.endpoint);
    Err(CommandError::new(ErrorKind::Unsupported, "alias.role_elsewhere", message)
        .next(format!("set AWS_ENDPOINT_URL={}, if that is where AWS is for you", alias.endpoint)))
}
