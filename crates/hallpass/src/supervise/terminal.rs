//! The controlling terminal: whether we are in its foreground, and handing it on.

use std::fs::File;
use std::io;

use rustix::process::{Pid, getpgrp};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr, tcsetpgrp};

/// Our controlling terminal.
#[derive(Debug)]
pub(crate) struct Terminal {
    device: File,
    settings: Option<Termios>,
}

impl Terminal {
    /// The controlling terminal, if there is one.
    pub(crate) fn open() -> Option<Self> {
        let device = File::options().read(true).write(true).open("/dev/tty").ok()?;
        let settings = tcgetattr(&device).ok();
        Some(Self { device, settings })
    }

    /// True when our process group is the one that the terminal listens to.
    pub(crate) fn is_ours(&self) -> bool {
        tcgetpgrp(&self.device).is_ok_and(|group| group == getpgrp())
    }

    /// Gives the terminal to another group of our session. Call it only while [`Self::is_ours`].
    ///
    /// # Errors
    /// When the group does not exist any more.
    pub(crate) fn give_to(&self, group: Pid) -> io::Result<()> {
        tcsetpgrp(&self.device, group).map_err(io::Error::from)
    }

    /// Puts the settings back that were there at the start: what is ended by force cannot tidy up behind itself.
    pub(crate) fn restore(&self) {
        if let Some(settings) = &self.settings
            && self.is_ours()
        {
            // A terminal that is gone needs no settings.
            let _ = tcsetattr(&self.device, OptionalActions::Drain, settings);
        }
    }
}
