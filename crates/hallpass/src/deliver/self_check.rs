//! Before the start: could the child find an identity besides the one that it is lent?
//!
//! `resolves` means that a tool would use it by itself; `readable` means that the child could read it if it looked.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};

use hallpass_core::limits::{ANCESTORS_MAX, SELF_CHECK_BYTES_MAX};
use rustix::fs::{Access, access};

use super::ambient::{self, Class};
use super::environment::Variables;
use crate::environment::HALLPASS_SESSION_ID;
use crate::scrub;
use crate::supervise::processes;

/// How near something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grade {
    /// A tool would use it by itself.
    Resolves,
    /// A file or a service that the child could read if it looked.
    Readable,
}

impl Grade {
    /// The word in messages.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Resolves => "resolves",
            Self::Readable => "readable",
        }
    }
}

/// One thing within the child's reach.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// How near.
    pub(crate) grade: Grade,
    /// What and where, never its value.
    pub(crate) what: String,
    /// How to move it out of reach.
    pub(crate) next: String,
}

/// What is looked at.
#[derive(Debug)]
pub(crate) struct Look<'a> {
    /// The child's environment.
    pub(crate) child: &'a Variables,
    /// The caller's own.
    pub(crate) original: &'a Variables,
    /// The session's private folder: what lies in it is ours.
    pub(crate) place: &'a Path,
    /// Values that the child is meant to have.
    pub(crate) lent: &'a [&'a str],
    /// Where absolute paths begin: `/`, or a folder in tests.
    pub(crate) system: &'a Path,
    /// The processes above the child whose environment it could read.
    pub(crate) ancestors: &'a [u32],
}

/// Files in the home folder: the variable that moves them, their place, whose they are.
const HOME_FILES: &[(&str, &str, &str)] = &[
    ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", "AWS credentials"),
    ("AWS_CONFIG_FILE", ".aws/config", "AWS profiles"),
    ("", ".aws/sso/cache", "AWS SSO tokens"),
    ("", ".aws/cli/cache", "AWS CLI role credentials"),
    ("", ".aws/login/cache", "AWS sign-in tokens"),
    ("BOTO_CONFIG", ".boto", "boto and gsutil keys"),
    ("S3CMD_CONFIG", ".s3cfg", "s3cmd keys"),
    ("MC_CONFIG_DIR", ".mc", "mc keys"),
    ("RCLONE_CONFIG", ".config/rclone/rclone.conf", "rclone remotes"),
    ("", ".passwd-s3fs", "s3fs keys"),
    ("CLOUDSDK_CONFIG", ".config/gcloud", "gcloud credentials"),
    ("AZURE_CONFIG_DIR", ".azure", "Azure CLI tokens"),
    ("KUBECONFIG", ".kube/config", "Kubernetes clusters"),
    ("", ".kube/cache", "Kubernetes tokens"),
    ("", ".vault-token", "Vault token"),
    ("", ".terraform.d/credentials.tfrc.json", "Terraform tokens"),
];

/// Files of the machine that hold an identity of their own.
const SYSTEM_FILES: &[(&str, &str)] = &[
    ("var/run/secrets/kubernetes.io/serviceaccount/token", "the pod's Kubernetes token"),
    ("var/run/secrets/eks.amazonaws.com/serviceaccount/token", "the pod's AWS web identity"),
    ("var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token", "the pod's AWS identity"),
    ("var/run/secrets/azure/tokens/azure-identity-token", "the pod's Azure identity"),
    ("etc/boto.cfg", "boto keys"),
    ("etc/passwd-s3fs", "s3fs keys"),
];

/// What the firmware calls a machine whose metadata service lends an identity to every process on it.
const CLOUD_MACHINES: &[(&str, &str)] = &[
    ("sys/class/dmi/id/sys_vendor", "Amazon EC2"),
    ("sys/class/dmi/id/product_name", "Google Compute Engine"),
    ("sys/class/dmi/id/chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"),
];

/// Everything within reach, the nearest first.
pub(crate) fn check(look: &Look<'_>) -> Vec<Finding> {
    let mut findings = values(look);
    findings.extend(chain(look));
    findings.extend(home_files(look));
    findings.extend(pointed_at(look));
    findings.extend(machine(look));
    findings.extend(ancestors_environments(look.ancestors));
    findings.sort();
    findings.dedup();
    findings
}

/// Values of the child's environment that are, or hold, a real secret or an AWS key id.
fn values(look: &Look<'_>) -> Vec<Finding> {
    let secret_of = |(name, value): (&OsString, &OsString)| {
        let value = value.to_str()?;
        let long = value.len() >= SECRET_CHARS_MIN && ambient::class_of(name) == Some(Class::Secret);
        (long && !look.lent.contains(&value)).then(|| value.to_owned())
    };
    let secrets: Vec<String> = look.original.iter().filter_map(secret_of).collect();
    let mut found = Vec::new();
    for (name, value) in look.child {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        if look.lent.contains(&value.as_ref()) {
            continue;
        }
        let next = format!("unset {name} before you start the session");
        if secrets.iter().any(|secret| value.contains(secret.as_str())) {
            let what = format!("the variable {name} holds a copy of a real secret");
            found.push(Finding { grade: Grade::Resolves, what, next });
        } else if holds_key_id(&value) {
            let what = format!("the variable {name} holds what looks like an AWS access key");
            found.push(Finding { grade: Grade::Resolves, what, next });
        }
    }
    found
}

/// Shorter values are flags and names, and would be found everywhere.
const SECRET_CHARS_MIN: usize = 12;

/// `AKIA` or `ASIA` and sixteen more of the alphabet (IAM User Guide, "Unique identifiers").
fn holds_key_id(text: &str) -> bool {
    let legal = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    text.as_bytes().windows(20).any(|w| (w.starts_with(b"AKIA") || w.starts_with(b"ASIA")) && w.iter().all(legal))
}

/// The AWS SDKs' own order, on the child's environment: web identity, container, instance metadata. What stands
/// before them (keys, profile) is what we lend; that nothing else is there is what this looks for.
fn chain(look: &Look<'_>) -> Vec<Finding> {
    let set = |name: &str| look.child.get(OsStr::new(name)).filter(|v| !v.is_empty());
    let mut found = Vec::new();
    let mut resolves = |name: &str, what: &str| {
        let what = format!("{name} leads to {what}");
        found.push(Finding {
            grade: Grade::Resolves,
            what,
            next: format!("unset {name} before you start the session"),
        });
    };
    if set("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() {
        resolves("AWS_WEB_IDENTITY_TOKEN_FILE", "a web identity");
    }
    if set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").is_some() {
        resolves("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "the container's identity");
    }
    let token = set("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(|t| t.to_string_lossy());
    let ours = token.is_some_and(|token| look.lent.contains(&token.as_ref()));
    if set("AWS_CONTAINER_CREDENTIALS_FULL_URI").is_some() && !ours {
        resolves("AWS_CONTAINER_CREDENTIALS_FULL_URI", "a credentials endpoint that is not the session's");
    }
    if set("AWS_EC2_METADATA_DISABLED").is_none_or(|v| v != "true") && on_cloud_machine(look) {
        resolves("AWS_EC2_METADATA_DISABLED", "the machine's own identity, because it is not `true`");
    }
    found
}

/// The usual files. A variable that points into the session's folder keeps tools from them, but not the child.
fn home_files(look: &Look<'_>) -> Vec<Finding> {
    let Some(home) = look.original.get(OsStr::new("HOME")).map(PathBuf::from) else { return Vec::new() };
    let found = HOME_FILES.iter().filter_map(|(variable, file, whose)| {
        let path = home.join(file);
        if !readable(&path) {
            return None;
        }
        let moved = look.child.get(OsStr::new(variable)).is_some_and(|v| Path::new(v).starts_with(look.place));
        let used_alone = !variable.is_empty() && !moved;
        let grade = if used_alone { Grade::Resolves } else { Grade::Readable };
        Some(file_finding(grade, &format!("~/{file}"), whose))
    });
    let mut found: Vec<Finding> = found.collect();
    for (variable, _, whose) in HOME_FILES.iter().filter(|(variable, ..)| !variable.is_empty()) {
        let other = look.child.get(OsStr::new(variable)).map(PathBuf::from);
        if let Some(path) = other.filter(|p| !p.starts_with(look.place) && readable(p)) {
            found.push(file_finding(Grade::Resolves, &path.display().to_string(), whose));
        }
    }
    found
}

/// Variables of the clouds' own tools that name a file which is no credential.
const NO_IDENTITY: [&str; 3] = ["AWS_CA_BUNDLE", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "CLOUDSDK_PYTHON"];

/// Files that the caller's own variables point at: taken out of the child's environment, still on the disk.
fn pointed_at(look: &Look<'_>) -> Vec<Finding> {
    let names_identity = |name: &OsStr| ambient::class_of(name).is_some() && !NO_IDENTITY.iter().any(|no| name == *no);
    let sources = look.original.iter().filter(|(name, _)| names_identity(name));
    // Inside a session they point at what the outer one made: files without an identity, in a folder of its name.
    let outer = look.original.get(OsStr::new(HALLPASS_SESSION_ID)).filter(|id| !id.is_empty());
    let files = sources.filter_map(|(name, value)| {
        let path = Path::new(value);
        if outer.is_some_and(|outer| path.parent().and_then(Path::file_name) == Some(outer.as_os_str())) {
            return None;
        }
        let shown = format!("{} ({})", path.display(), name.to_string_lossy());
        (path.is_absolute() && path.is_file() && readable(path))
            .then(|| file_finding(Grade::Readable, &shown, "the file that you sign in with"))
    });
    files.collect()
}

fn machine(look: &Look<'_>) -> Vec<Finding> {
    let files = SYSTEM_FILES.iter().filter(|(file, _)| readable(&look.system.join(file)));
    let mut found: Vec<Finding> =
        files.map(|(file, whose)| file_finding(Grade::Readable, &format!("/{file}"), whose)).collect();
    if on_cloud_machine(look) {
        found.push(Finding {
            grade: Grade::Readable,
            what: "the metadata service of this machine, which lends the machine's identity to every process"
                .to_owned(),
            next: "require IMDSv2 with a hop limit of 1 and run the command in a container, or block 169.254.169.254"
                .to_owned(),
        });
    }
    found
}

fn on_cloud_machine(look: &Look<'_>) -> bool {
    CLOUD_MACHINES.iter().any(|(file, name)| limited(&look.system.join(file)).is_some_and(|text| text.trim() == *name))
}

/// Processes above the child whose environment still holds a secret: `/proc/<pid>/environ` is open to its user. One
/// finding for each variable, with the nearest process: a shell hands its own on to everything below it.
fn ancestors_environments(ancestors: &[u32]) -> Vec<Finding> {
    let mut nearest: BTreeMap<String, u32> = BTreeMap::new();
    for pid in ancestors {
        for name in secrets_of(*pid) {
            nearest.entry(name).or_insert(*pid);
        }
    }
    let finding = |(name, pid): (String, u32)| Finding {
        grade: Grade::Readable,
        what: format!("{name} in the environment of process {pid}, from which this session was started"),
        next: format!("start hallpass from a shell that does not export {name}"),
    };
    nearest.into_iter().map(finding).collect()
}

/// Names of the secrets in a process's environment; none when it cannot be read, because then the child cannot either.
fn secrets_of(pid: u32) -> Vec<String> {
    let Ok(bytes) = processes::made_up_to(&format!("/proc/{pid}/environ"), SELF_CHECK_BYTES_MAX) else {
        return Vec::new();
    };
    let secret = |(name, value): &(OsString, OsString)| {
        ambient::class_of(name) == Some(Class::Secret) && value.len() >= SECRET_CHARS_MIN
    };
    let found = scrub::decode(&bytes).into_iter().filter(secret);
    found.map(|(name, _)| name.to_string_lossy().into_owned()).collect()
}

/// The processes from our parent up to the first.
pub(crate) fn ancestors() -> Vec<u32> {
    line_of(std::process::id(), |pid| processes::stat(*pid).map(|s| s.parent).filter(|parent| *parent > 0))
}

fn line_of(pid: u32, parent: impl Fn(&u32) -> Option<u32>) -> Vec<u32> {
    std::iter::successors(parent(&pid), parent).take(ANCESTORS_MAX).collect()
}

fn file_finding(grade: Grade, path: &str, whose: &str) -> Finding {
    let next = format!("move {path} to an account that the command does not run as, or remove it and sign in anew");
    Finding { grade, what: format!("{path} ({whose})"), next }
}

/// True for a file with something in it, or a folder with something in it, that may be read.
fn readable(path: &Path) -> bool {
    if access(path, Access::READ_OK).is_err() {
        return false;
    }
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()),
        Ok(found) => found.len() > 0 || path.starts_with("/sys"),
        Err(_) => false,
    }
}

fn limited(path: &Path) -> Option<String> {
    let mut text = String::new();
    std::fs::File::open(path).ok()?.take(SELF_CHECK_BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use hallpass_core::limits::{ANCESTORS_MAX, SELF_CHECK_BYTES_MAX};

    use super::{Finding, Grade, Look, check, holds_key_id, line_of};
    use crate::deliver::environment::Variables;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(k, v)| (k.into(), v.into())).collect()
    }

    fn found(home: &Path, child: &[(&str, &str)], original: &[(&str, &str)], lent: &[&str]) -> Vec<Finding> {
        let mut original = variables(original);
        original.insert("HOME".into(), home.into());
        let place = home.join("place");
        let child = variables(child);
        let look = Look { child: &child, original: &original, place: &place, lent, system: home, ancestors: &[] };
        check(&look)
    }

    fn grades(findings: &[Finding]) -> Vec<(Grade, &str)> {
        findings.iter().map(|f| (f.grade, f.what.as_str())).collect()
    }

    #[test]
    fn inside_a_session_the_files_of_the_outer_one_are_no_identity_and_others_still_are() {
        let home = tempfile::tempdir().expect("home");
        let file = |folder: &str| {
            std::fs::create_dir(home.path().join(folder)).expect("folder");
            let path = home.path().join(folder).join("aws-config");
            std::fs::write(&path, "[default]").expect("file");
            path.to_str().expect("text").to_owned()
        };
        let (outer, other) = (file("0123-outer"), file("other"));
        let inside = |path: &str| {
            found(home.path(), &[], &[("HALLPASS_SESSION_ID", "0123-outer"), ("AWS_CONFIG_FILE", path)], &[]).len()
        };
        assert_eq!((inside(&outer), inside(&other)), (0, 1));
        assert_eq!(found(home.path(), &[], &[("AWS_CONFIG_FILE", &outer)], &[]).len(), 1, "outside it is anybody's");
    }

    #[test]
    fn a_profile_file_resolves_until_it_is_pointed_away_and_stays_readable() {
        let home = tempfile::tempdir().expect("home");
        std::fs::create_dir(home.path().join(".aws")).expect("folder");
        std::fs::write(home.path().join(".aws/credentials"), "[default]").expect("file");
        let quiet = [("AWS_EC2_METADATA_DISABLED", "true")];
        let open = found(home.path(), &quiet, &[], &[]);
        assert_eq!(grades(&open), [(Grade::Resolves, "~/.aws/credentials (AWS credentials)")]);
        let private = home.path().join("place/x");
        let private = private.to_str().expect("text");
        let pointed = found(home.path(), &[quiet[0], ("AWS_SHARED_CREDENTIALS_FILE", private)], &[], &[]);
        assert_eq!(grades(&pointed), [(Grade::Readable, "~/.aws/credentials (AWS credentials)")]);
        let elsewhere = home.path().join(".aws/credentials");
        let elsewhere = elsewhere.to_str().expect("text");
        let pointed = found(home.path(), &[quiet[0], ("AWS_SHARED_CREDENTIALS_FILE", elsewhere)], &[], &[]);
        assert!(pointed.iter().all(|f| f.grade == Grade::Resolves), "{pointed:?}");
    }

    #[test]
    fn a_copy_of_a_real_secret_under_another_name_is_found_and_never_shown() {
        let home = tempfile::tempdir().expect("home");
        let secret = "wJalrXUtnFEMI/K7MDENG";
        let original = [("AWS_SECRET_ACCESS_KEY", secret), ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")];
        let child = [
            ("TF_VAR_secret", "prefix-wJalrXUtnFEMI/K7MDENG"),
            ("DEPLOY_KEY", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_ACCESS_KEY_ID", "ASIAHALLPASSABCDEFGH"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        let findings = found(home.path(), &child, &original, &["ASIAHALLPASSABCDEFGH"]);
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings.iter().all(|f| f.grade == Grade::Resolves));
        assert!(!format!("{findings:?}").contains(secret));
    }

    #[test]
    fn every_link_of_the_chain_that_is_not_ours_resolves() {
        let home = tempfile::tempdir().expect("home");
        for name in [
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ] {
            let findings = found(home.path(), &[(name, "/x"), ("AWS_EC2_METADATA_DISABLED", "true")], &[], &[]);
            assert!(findings.len() == 1 && findings[0].what.contains(name), "{name}: {findings:?}");
        }
        let ours = [
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/credentials"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "ours"),
        ];
        assert!(found(home.path(), &ours, &[], &["ours"]).is_empty());
    }

    #[test]
    fn a_cloud_machine_and_a_pod_are_named() {
        let home = tempfile::tempdir().expect("home");
        for (file, text) in [
            ("sys/class/dmi/id/sys_vendor", "Amazon EC2\n"),
            ("var/run/secrets/kubernetes.io/serviceaccount/token", "ey"),
        ] {
            let path = home.path().join(file);
            std::fs::create_dir_all(path.parent().expect("folder")).expect("folders");
            std::fs::write(path, text).expect("file");
        }
        let disabled = found(home.path(), &[("AWS_EC2_METADATA_DISABLED", "true")], &[], &[]);
        assert!(disabled.iter().all(|f| f.grade == Grade::Readable) && disabled.len() == 2, "{disabled:?}");
        let enabled = found(home.path(), &[], &[], &[]);
        assert_eq!(enabled.iter().filter(|f| f.grade == Grade::Resolves).count(), 1, "{enabled:?}");
    }

    #[test]
    fn a_file_past_the_limit_is_read_in_part() {
        let file = tempfile::NamedTempFile::new().expect("file");
        std::fs::write(file.path(), vec![b'x'; usize::try_from(SELF_CHECK_BYTES_MAX).expect("small") + 1])
            .expect("written");
        let read = super::limited(file.path()).expect("text").len();
        assert_eq!(u64::try_from(read), Ok(SELF_CHECK_BYTES_MAX));
    }

    #[test]
    fn an_access_key_id_is_recognised_inside_other_text() {
        assert!(holds_key_id("x=AKIAIOSFODNN7EXAMPLE;"));
        assert!(!holds_key_id("AKIAshort") && !holds_key_id("akiaiosfodnn7example") && !holds_key_id(""));
    }

    #[test]
    fn a_line_of_processes_without_end_is_followed_no_further_than_the_limit() {
        assert_eq!(line_of(1, |pid| pid.checked_add(1)).len(), ANCESTORS_MAX);
    }

    #[test]
    fn a_bundle_of_authorities_is_no_identity() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("bundle.pem");
        std::fs::write(&file, "-----BEGIN CERTIFICATE-----").expect("writes");
        let path = file.to_str().expect("text");
        let seen = |name| found(folder.path(), &[], &[(name, path)], &[]).len();
        assert_eq!(seen("GOOGLE_APPLICATION_CREDENTIALS"), 1);
        for name in super::NO_IDENTITY {
            assert_eq!(seen(name), 0, "{name}");
        }
    }
}
