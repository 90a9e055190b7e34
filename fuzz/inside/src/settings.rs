//! The binary's settings, read from two texts.

use std::fs::{File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::PathBuf;

use rustix::fs::{MemfdFlags, memfd_create};

use crate::config::{Config, Files, Problems};
use crate::error::CommandError;

/// A user's and a project's file, in memory, rewritten for each input.
#[derive(Debug)]
pub struct Pair {
    user: File,
    project: File,
}

/// What came of reading them.
#[derive(Debug)]
pub enum Reading {
    /// The settings in force.
    InForce(Box<Settings>),
    /// What a person reads instead.
    Refused(Vec<String>),
}

/// What the settings allow, as far as a project could widen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Longest life of a session, seconds: its own, its longest profile's, and what the bounds allow.
    pub ttl_s: [u64; 2],
    /// Roles that the bounds allow; empty means any.
    pub roles: Vec<String>,
    /// The role to borrow.
    pub role: Option<String>,
    /// Deliveries that the bounds allow; empty means any.
    pub deliveries: Vec<&'static str>,
    /// Whether the real credential may leave.
    pub exposes: bool,
    /// Whether the session is strict, and ends its child.
    pub guarded: [bool; 2],
    /// Actions that are denied.
    pub deny: Vec<String>,
    /// Requests, bytes and resources; `None` means any number.
    pub caps: [Option<u64>; 3],
    /// Money, as text.
    pub budget: Option<String>,
    /// Every value that belongs to the user alone.
    pub own: Vec<(String, Option<String>)>,
    /// Every value with the layer that said it.
    pub all: Vec<(String, Option<String>, &'static str)>,
}

impl Pair {
    /// Two empty files.
    ///
    /// # Errors
    /// The system has no files in memory.
    pub fn new() -> io::Result<Self> {
        let file = |name| {
            let file = File::from(memfd_create(name, MemfdFlags::CLOEXEC)?);
            file.set_permissions(Permissions::from_mode(0o600))?;
            Ok::<_, io::Error>(file)
        };
        Ok(Self { user: file("user.toml")?, project: file("hallpass.toml")? })
    }

    /// Reads the user's text, and the project's on top of it.
    ///
    /// # Errors
    /// The files cannot be written.
    pub fn read(&self, user: &[u8], project: Option<&[u8]>) -> io::Result<Reading> {
        put(&self.user, user)?;
        put(&self.project, project.unwrap_or_default())?;
        let files = Files {
            user: Some(path(&self.user)),
            user_is_named: true,
            project: project.map(|_| path(&self.project)),
            folder_uid: None,
        };
        Ok(match Config::load(&files, &|_| None) {
            Ok(config) => Reading::InForce(Box::new(settings(&config))),
            Err(problems) => Reading::Refused(said(problems)),
        })
    }
}

fn put(file: &File, text: &[u8]) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all_at(text, 0)
}

fn path(file: &File) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

fn said(problems: Problems) -> Vec<String> {
    CommandError::from(problems).said
}

fn settings(config: &Config) -> Settings {
    let bounds = config.bounds.to_core();
    let entries = config.entries();
    let own =
        |key: &str| ["store.", "aws.", "s3.", "session.tags", "run.allow_unmapped"].iter().any(|o| key.starts_with(o));
    let longest =
        config.profiles.values().filter_map(|profile| Some(profile.value.ttl.as_ref()?.value.seconds())).max();
    let cap = |value: &Option<crate::config::Located<u64>>| value.as_ref().map(|v| v.value);
    Settings {
        ttl_s: [config.session.ttl().max(longest.unwrap_or(0)), bounds.ttl_s_max.unwrap_or(u64::MAX)],
        roles: bounds.roles,
        role: config.session.role().map(str::to_owned),
        deliveries: bounds.deliveries.iter().map(|delivery| delivery.as_str()).collect(),
        exposes: config.session.delivery().exposes_real_credential(),
        guarded: [config.session.strict(), config.session.on_expiry().as_str() == "terminate"],
        deny: config.bounds.deny().to_vec(),
        caps: [cap(&config.run.max_requests), cap(&config.run.max_bytes), cap(&config.run.max_resources)],
        budget: config.run.budget.as_ref().map(|budget| budget.value.to_string()),
        own: entries.iter().filter(|e| own(&e.key)).map(|e| (e.key.clone(), e.value.clone())).collect(),
        all: entries.iter().map(|e| (e.key.clone(), e.value.clone(), e.origin.layer())).collect(),
    }
}
