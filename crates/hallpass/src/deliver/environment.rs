//! The child's environment: the parent's without every ambient identity, with every tool pointed at nothing.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;

use hallpass_core::resolve::host::DOMAINS;

use super::ambient::{self, Class};
use super::place::Place;

/// An environment, by name.
pub(crate) type Variables = BTreeMap<OsString, OsString>;

/// What a tool that looks for its configuration finds instead.
#[derive(Debug, Clone, Copy)]
enum Decoy {
    /// An empty file.
    File(&'static str),
    /// A file with this text.
    Filled(&'static str, &'static str),
    /// An empty folder.
    Folder(&'static str),
    /// This text.
    Text(&'static str),
}

use Decoy::{File, Filled, Folder, Text};

/// What the AWS SDKs read in place of the caller's configuration. boto3 and version 1 of the `aws` command line presign
/// URLs by the second version of the signature where nobody says otherwise, and the gate verifies the fourth.
const AWS_CONFIG: &str = "[default]\ns3 =\n    signature_version = s3v4\n";

/// Nothing listens there: the port is reserved (TCPMUX), and the address is loopback.
const NOBODY: &str = "127.0.0.1:1";

/// Without these, a tool whose variables are gone would fall back to its place in the home folder or to the metadata
/// service of the machine.
const DECOYS: &[(&str, Decoy)] = &[
    ("AWS_CONFIG_FILE", Filled("aws-config", AWS_CONFIG)),
    ("AWS_SHARED_CREDENTIALS_FILE", File("aws-credentials")),
    ("AWS_EC2_METADATA_DISABLED", Text("true")),
    ("BOTO_CONFIG", File("boto")),
    ("S3CMD_CONFIG", File("s3cmd")),
    ("MC_CONFIG_DIR", Folder("mc")),
    ("RCLONE_CONFIG", File("rclone.conf")),
    ("GOOGLE_APPLICATION_CREDENTIALS", File("google.json")),
    ("CLOUDSDK_CONFIG", Folder("gcloud")),
    ("GCE_METADATA_HOST", Text(NOBODY)),
    ("GCE_METADATA_IP", Text(NOBODY)),
    ("GCE_METADATA_ROOT", Text(NOBODY)),
    ("NO_GCE_CHECK", Text("true")),
    ("AZURE_CONFIG_DIR", Folder("azure")),
    ("KUBECONFIG", File("kubeconfig")),
];

/// `original` without what the table of ambient variables names. Routes stay where no gate stands in the way.
pub(crate) fn cleaned(original: &Variables, gate: bool) -> Variables {
    let stays = |name: &OsStr| match ambient::class_of(name) {
        None => true,
        Some(Class::Route) => !gate,
        Some(Class::Secret | Class::Source | Class::Control) => false,
    };
    original.iter().filter(|(name, _)| stays(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Points every tool at an empty place.
///
/// # Errors
/// When a file cannot be made.
pub(crate) fn seal(variables: &mut Variables, place: &Place) -> io::Result<()> {
    for (name, decoy) in DECOYS {
        let value = match decoy {
            File(file) => place.file(file, b"")?.into_os_string(),
            Filled(file, text) => place.file(file, text.as_bytes())?.into_os_string(),
            Folder(folder) => place.folder(folder)?.into_os_string(),
            Text(text) => OsString::from(text),
        };
        variables.insert(OsString::from(name), value);
    }
    Ok(())
}

/// Sets `name`, whatever it was.
pub(crate) fn set(variables: &mut Variables, name: &str, value: impl Into<OsString>) {
    variables.insert(OsString::from(name), value.into());
}

/// Both names of the region: SDKs read the first, the CLI and boto the second.
pub(crate) fn set_region(variables: &mut Variables, region: Option<&str>) {
    if let Some(region) = region {
        set(variables, "AWS_REGION", region);
        set(variables, "AWS_DEFAULT_REGION", region);
    }
}

/// Adds loopback to both spellings of `NO_PROXY`, keeping what is there, so that a corporate proxy never sees a
/// request to the gate. When the gate is the proxy, what would lead AWS hosts past it goes.
pub(crate) fn merge_no_proxy(variables: &mut Variables, gate_is_proxy: bool) {
    for name in ["NO_PROXY", "no_proxy"] {
        let existing = variables.get(OsStr::new(name)).map(|v| v.to_string_lossy().into_owned()).unwrap_or_default();
        let hosts = existing.split([',', ' ']).map(str::trim).filter(|h| !h.is_empty());
        let mut hosts: Vec<&str> = hosts.filter(|host| !(gate_is_proxy && leads_past(host))).collect();
        for loopback in ["127.0.0.1", "localhost"] {
            if !hosts.contains(&loopback) && !hosts.contains(&"*") {
                hosts.push(loopback);
            }
        }
        let merged = hosts.join(",");
        set(variables, name, merged);
    }
}

/// True when an entry of `NO_PROXY` covers an AWS host.
pub(super) fn leads_past(entry: &str) -> bool {
    let name = entry.trim_start_matches(['*', '.']).to_ascii_lowercase();
    let name = name.split(':').next().unwrap_or_default();
    let within = |inner: &str, outer: &str| inner.strip_suffix(outer).is_some_and(|rest| rest.ends_with('.'));
    name.is_empty() || DOMAINS.iter().any(|aws| name == *aws || within(aws, name) || within(name, aws))
}

#[cfg(test)]
mod tests {
    use std::ffi::{OsStr, OsString};

    use super::super::ambient::{Class, Name, RULES};
    use super::{DECOYS, Variables, cleaned, merge_no_proxy};

    const CANARY: &str = "canary-4f1b";

    /// One variable per rule, each holding the canary.
    fn planted() -> Variables {
        let name = |name| match name {
            Name::Is(exact) => exact.to_owned(),
            Name::Begins(prefix) => format!("{prefix}X"),
        };
        RULES.iter().map(|rule| (name(rule.name).into(), CANARY.into())).collect()
    }

    #[test]
    fn no_planted_variable_survives_the_cleaning() {
        let mut original = planted();
        original.insert("PATH".into(), "/bin".into());
        let behind_gate = cleaned(&original, true);
        assert_eq!(behind_gate.keys().collect::<Vec<_>>(), ["PATH"]);
        let without = cleaned(&original, false);
        assert!(without.keys().all(|name| name == "PATH" || super::ambient::class_of(name) == Some(Class::Route)));
        assert!(without.contains_key(OsStr::new("AWS_ENDPOINT_URLX")));
    }

    #[test]
    fn every_decoy_stands_for_a_variable_that_the_table_removes() {
        for (name, _) in DECOYS {
            assert!(super::ambient::class_of(OsStr::new(name)).is_some(), "{name}");
        }
    }

    #[test]
    fn no_proxy_is_merged_and_never_replaced() {
        let mut variables = Variables::from([("NO_PROXY".into(), "corp.example, localhost".into())]);
        merge_no_proxy(&mut variables, false);
        let value = |name: &str| variables.get(OsStr::new(name)).cloned().unwrap_or_default();
        assert_eq!(value("NO_PROXY"), OsString::from("corp.example,localhost,127.0.0.1"));
        assert_eq!(value("no_proxy"), OsString::from("127.0.0.1,localhost"));
        let mut all = Variables::from([("no_proxy".into(), "*".into())]);
        merge_no_proxy(&mut all, false);
        assert_eq!(all.get(OsStr::new("no_proxy")), Some(&OsString::from("*")));
    }

    #[test]
    fn nothing_in_no_proxy_leads_aws_hosts_past_the_gate() {
        let ours = "10.0.0.0/8,corp.example,aws.example,myamazonaws.com,127.0.0.1,localhost";
        let past = ["*", ".amazonaws.com", "amazonaws.com", "*.amazonaws.com", "s3.us-east-1.amazonaws.com", ".com"];
        let also = ["AMAZONAWS.COM:443", "com.cn", "api.aws", ".aws", "b.s3.amazonaws.com"];
        for bad in past.into_iter().chain(also) {
            let theirs = format!("10.0.0.0/8,{bad},corp.example aws.example,myamazonaws.com");
            let mut variables = Variables::from([("no_proxy".into(), theirs.into())]);
            merge_no_proxy(&mut variables, true);
            assert_eq!(variables.get(OsStr::new("no_proxy")), Some(&OsString::from(ours)), "{bad}");
        }
    }
}
