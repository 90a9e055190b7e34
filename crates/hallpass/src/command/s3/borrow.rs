//! `--role`: the command runs again, inside a session that may do only what the command needs. It is the same session
//! that `hallpass run` makes: same gate, same audit log, same end.

use std::ffi::OsString;

use hallpass_core::limits::POLICY_DOCUMENT_BYTES_MAX;
use hallpass_s3::alias::Alias;
use hallpass_s3::rights::Rights;
use serde_json::json;

use crate::command::Context;
use crate::command::run::args::{LendArgs, RunArgs};
use crate::command::run::run_in_session;
use crate::environment;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::scrub::has_started_anew;

/// Hosts that the gate reaches without being told.
const AWS: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];

/// Runs this very command again with the borrowed role. Each of `rights` is a statement of the session's policy.
///
/// # Errors
/// Whatever stands in the way of the session; a store that the gate would not reach; more rights than fit a policy.
pub(crate) fn again_inside(
    context: &Context,
    alias: &Alias,
    role: &str,
    rights: &[Rights],
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
    let lend = LendArgs { role: Some(role.to_owned()), region: Some(alias.region.clone()), ..lend(rights)? };
    let args = RunArgs { lend, command, ..RunArgs::default() };
    let (_, status) = run_in_session(context, &args).map_err(CommandError::without_child)?;
    Ok(status)
}

/// What is asked for. Actions and resources stand in the log by their names; where some of them do not belong together,
/// a document says which do.
fn lend(rights: &[Rights]) -> Result<LendArgs, CommandError> {
    let all = rights.iter().cloned().fold(Rights::default(), Rights::and);
    let everywhere = all.resources.iter().any(|resource| resource == "*");
    Ok(LendArgs {
        allow: vec![all.actions.join(",")],
        resource: if everywhere { Vec::new() } else { all.resources },
        policy: if rights.len() > 1 { Some(policy(rights)?) } else { None },
        ..LendArgs::default()
    })
}

/// A policy document with a statement for each.
fn policy(rights: &[Rights]) -> Result<String, CommandError> {
    let statement =
        |rights: &Rights| json!({"Effect": "Allow", "Action": rights.actions, "Resource": rights.resources});
    let statements: Vec<_> = rights.iter().map(statement).collect();
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    if text.len() <= POLICY_DOCUMENT_BYTES_MAX {
        return Ok(text);
    }
    let message = format!("the rights that are needed do not fit a policy of {POLICY_DOCUMENT_BYTES_MAX} bytes");
    Err(CommandError::usage("s3.too_many_rights", message).next("split the batch, or name folders instead of objects"))
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

#[cfg(test)]
mod tests {
    use hallpass_core::limits::POLICY_DOCUMENT_BYTES_MAX;
    use hallpass_core::policy::{AccessRequest, Context, Resource};
    use hallpass_s3::rights::Rights;

    use crate::command::run::policy::scoped;

    #[test]
    fn what_is_read_may_not_be_removed_because_something_else_is() {
        let reads = Rights::on_object(&["s3:GetObject"], "data", "kept");
        let removes = Rights::on_object(&["s3:DeleteObject"], "data", "tmp");
        let buckets = Rights::list_buckets();
        let lent = super::lend(&[reads, removes, buckets]).expect("fits");
        let policy = scoped(&lent, None, &[]).expect("a policy");
        let may = |action: &str, resource: &str| {
            let access = AccessRequest { action: action.to_owned(), resource: Resource::Exact(resource.to_owned()) };
            policy.evaluate(&access, &Context::default()).is_ok()
        };
        assert!(may("s3:GetObject", "arn:aws:s3:::data/kept") && may("s3:DeleteObject", "arn:aws:s3:::data/tmp"));
        assert!(may("s3:ListAllMyBuckets", "*"));
        assert!(!may("s3:DeleteObject", "arn:aws:s3:::data/kept") && !may("s3:GetObject", "arn:aws:s3:::data/tmp"));
    }

    #[test]
    fn more_rights_than_fit_a_policy_are_refused() {
        let rights = |count: usize| {
            let resources = (0..count).map(|n| format!("arn:aws:s3:::data/{n:08}")).collect();
            Rights { actions: vec!["s3:GetObject"], resources }
        };
        assert!(super::policy(&[rights(POLICY_DOCUMENT_BYTES_MAX / 40)]).is_ok());
        let error = super::policy(&[rights(POLICY_DOCUMENT_BYTES_MAX / 20)]).expect_err("too many");
        assert!(error.to_string().contains("do not fit"), "{error}");
    }
}
