//! SDKs under `hallpass run`: one script makes many calls and prints one JSON line for each.

use std::collections::BTreeMap;

use hallpass_testkit::clients::{node_modules, python};
use serde::Deserialize;

use crate::aws::Lender;

/// What an SDK made of one call.
#[derive(Debug, Deserialize)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// Empty when the call succeeded, else the error code as the SDK's user sees it.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) status: u16,
    pub(crate) attempts: u32,
}

impl Call {
    /// Asserts that it was refused once, in the protocol's own shape, with our sentence.
    pub(crate) fn refused(&self, code: &str) {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.message.contains("hallpass: "), "{self:?}");
        assert_eq!(self.attempts, 1, "a denial must not be retried: {self:?}");
        assert!((400..500).contains(&self.status), "{self:?}");
    }

    /// Asserts that it succeeded.
    pub(crate) fn worked(&self) {
        assert!(self.code.is_empty() && self.status == 200, "{self:?}");
    }
}

/// A language's script.
pub(crate) enum Script {
    Boto3(&'static str),
    JavaScript(&'static str),
}

/// Runs the script in a session and gives its calls by name.
pub(crate) fn calls(lender: &Lender, flags: &[&str], script: &Script) -> BTreeMap<String, Call> {
    let (program, flag, source) = match script {
        Script::Boto3(source) => (python(), "-c", source),
        Script::JavaScript(source) => ("node".into(), "-e", source),
    };
    let child = [program.as_os_str(), flag.as_ref(), source.as_ref()];
    let mut command = lender.lending(flags, &child);
    command.env("NODE_PATH", node_modules());
    let printed = hallpass_testkit::clients::run(&mut command).succeeded();
    let parsed = printed.lines().map(|line| serde_json::from_str::<Call>(line).expect("one JSON line for each call"));
    parsed.map(|call| (call.name.clone(), call)).collect()
}
