//! Installs what the tests need: Debian packages where missing, a Python venv and Node modules in `.testbed/`.

pub(crate) mod clients;
mod debian;
mod node;
mod python;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Makes `.testbed/` complete and gives its path. Does nothing when it already is.
///
/// # Errors
/// A package could not be installed; the message names it.
pub(crate) fn install(root: &Path) -> Result<PathBuf> {
    let folder = root.join(".testbed");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    // Two runs at once would install into the same folder: the second waits for the first.
    let lock = File::create(folder.join("lock")).context("cannot create the test bed's lock")?;
    lock.lock().context("cannot lock the test bed")?;
    debian::install()?;
    python::install(root, &folder)?;
    node::install(root, &folder)?;
    Ok(folder)
}

/// A part of the test bed with a stamp that says what is in it. The stamp is written last, so that an interrupted
/// installation is begun anew.
struct Part {
    folder: PathBuf,
    pins: String,
}

impl Part {
    fn new(folder: PathBuf, pin_files: &[PathBuf], runtime: &str) -> Result<Self> {
        let mut pins = format!("{runtime}\n");
        for file in pin_files {
            pins.push_str(&fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?);
        }
        Ok(Self { folder, pins })
    }

    fn stamp(&self) -> PathBuf {
        self.folder.join(".installed")
    }

    fn is_complete(&self) -> bool {
        fs::read_to_string(self.stamp()).is_ok_and(|stamp| stamp == self.pins)
    }

    fn clear(&self) -> Result<()> {
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).with_context(|| format!("cannot remove `{}`", self.folder.display()))?;
        }
        Ok(())
    }

    fn seal(&self) -> Result<()> {
        fs::write(self.stamp(), &self.pins).with_context(|| format!("cannot write `{}`", self.stamp().display()))
    }
}

#[cfg(test)]
mod tests {
    use super::Part;

    #[test]
    fn a_part_is_complete_only_with_the_pins_that_it_was_installed_from() {
        let base = std::env::temp_dir().join(format!("hallpass-xtask-part-{}", std::process::id()));
        let pins = base.join("pins");
        let folder = base.join("part");
        std::fs::create_dir_all(&folder).expect("folder");
        std::fs::write(&pins, "one==1\n").expect("pins");
        let part = Part::new(folder.clone(), std::slice::from_ref(&pins), "python 3.11").expect("part");
        assert!(!part.is_complete());
        part.seal().expect("seals");
        assert!(part.is_complete());
        std::fs::write(&pins, "one==2\n").expect("pins");
        assert!(!Part::new(folder.clone(), std::slice::from_ref(&pins), "python 3.11").expect("part").is_complete());
        assert!(!Part::new(folder, &[pins], "python 3.12").expect("part").is_complete());
        part.clear().expect("clears");
        assert!(!part.is_complete());
        std::fs::remove_dir_all(base).expect("removes");
    }
}
