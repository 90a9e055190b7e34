//! Where the story plays: a private folder, the store, a key pair, and real processes of our own binary.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use uuid::Uuid;

use super::store::{BUCKET, DemoStore, PREFIX};

/// Everything that the story needs; removed when it is over.
#[derive(Debug)]
pub(crate) struct Stage {
    folder: PathBuf,
    store: DemoStore,
    access_key_id: String,
    secret_access_key: String,
}

impl Stage {
    /// Makes a folder that only we can enter, a key pair, and the store.
    pub(crate) fn set() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("hallpass-demo-{}", Uuid::new_v4().simple()));
        DirBuilder::new().mode(0o700).create(&folder)?;
        let id = Uuid::new_v4().simple().to_string().to_uppercase();
        let access_key_id = format!("AKIADEMO{}", &id[..12]);
        let secret_access_key = format!("{}{}", Uuid::new_v4().simple(), &id[12..20]);
        let objects = folder.join("objects");
        DirBuilder::new().mode(0o700).create(&objects)?;
        DirBuilder::new().mode(0o700).create(folder.join("home"))?;
        let store = DemoStore::start(&objects, &access_key_id, &secret_access_key)?;
        Ok(Self { folder, store, access_key_id, secret_access_key })
    }

    /// `http://127.0.0.1:PORT` of the store.
    pub(crate) fn endpoint_url(&self) -> String {
        self.store.endpoint_url()
    }

    /// The store's only key pair: what the child must never see.
    pub(crate) fn key_pair(&self) -> (&str, &str) {
        (&self.access_key_id, &self.secret_access_key)
    }

    /// The story's own state folder.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// The folder that the store serves.
    pub(crate) fn objects(&self) -> PathBuf {
        self.folder.join("objects")
    }

    /// The session's policy: read and list, on one prefix.
    pub(crate) fn policy() -> String {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[
{{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::{BUCKET}/{PREFIX}*"}},
{{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::{BUCKET}","Condition":{{"StringLike":{{"s3:prefix":"{PREFIX}*"}}}}}}]}}"#
        )
    }

    /// One of our own commands, as a person at this store would start it: with the real keys in its environment.
    pub(crate) fn hallpass(&self, arguments: &[&str]) -> io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("--state-dir")
            .arg(self.state_dir())
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.join("home"))
            .env("AWS_ACCESS_KEY_ID", &self.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &self.secret_access_key)
            .env("AWS_ENDPOINT_URL", self.endpoint_url())
            .env("AWS_REGION", "us-east-1")
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Ok(command)
    }

    /// In how many of the session's processes the environment could be read, and in how many the real secret stood.
    /// `None` where the system does not show environments.
    pub(crate) fn search_environments(&self, session: &str) -> Option<(usize, usize)> {
        let marker = format!("HALLPASS_SESSION_ID={session}");
        let (mut read, mut found) = (0, 0);
        for entry in std::fs::read_dir(Path::new("/proc")).ok()?.flatten() {
            let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
            if contains(&environment, marker.as_bytes()) {
                read += 1;
                found += usize::from(contains(&environment, self.secret_access_key.as_bytes()));
            }
        }
        Some((read, found))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A folder that cannot be removed holds nothing but the demo's own objects and keys.
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
