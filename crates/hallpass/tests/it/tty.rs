//! A child on a terminal: job control and window size work as without us. The terminal is tmux's.

use std::path::PathBuf;
use std::process::Command;

use crate::run::world::{World, until};

/// A tmux server with one window, on a socket of its own.
pub(crate) struct Terminal<'a> {
    world: &'a World,
    socket: PathBuf,
}

impl<'a> Terminal<'a> {
    /// A shell in a window, with the world's environment.
    pub(crate) fn open(world: &'a World) -> Self {
        let terminal = Self { world, socket: world.path("tmux") };
        let output = terminal.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            "80",
            "-y",
            "24",
            "timeout --foreground 120 bash --norc --noprofile -i",
        ]);
        assert!(output.0, "{}", output.1);
        terminal.line("PS1='> '; set -m; clear");
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(&self.socket).args(arguments).env_clear().envs(self.world.variables());
        let output = command.env("TERM", "xterm").current_dir(self.world.path("work")).output().expect("tmux");
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    pub(crate) fn line(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
        self.key("Enter");
    }

    pub(crate) fn key(&self, key: &str) {
        assert!(self.tmux(&["send-keys", key]).0);
    }

    pub(crate) fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"]).1
    }

    pub(crate) fn shows(&self, text: &str) {
        let mut last = String::new();
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until("the screen shows it", || {
                last = self.screen();
                last.contains(text).then_some(())
            });
        }));
        assert!(seen.is_ok(), "`{text}` is not on the screen:\n{last}");
    }

    /// `fg`, until the job owns the terminal: what is typed earlier is the shell's.
    fn foreground(&self) {
        self.line("clear; fg; echo over=$?");
        until("the job is in front", || {
            let screen = self.screen();
            (screen.lines().any(|line| line.ends_with("-- cat")) && !screen.contains("clear")).then_some(())
        });
        std::thread::sleep(std::time::Duration::from_millis(300));
    }

    /// Typed once, and answered once by `cat`.
    fn echoes(&self, text: &str) {
        until("cat answers", || (self.screen().lines().filter(|line| *line == text).count() == 2).then_some(()));
    }

    /// `hallpass run … -- <child>; echo rc=$?`
    fn lend(&self, child: &str) {
        self.line(&format!("{} run -q --allow s3:GetObject -- {child}; echo rc=$?", env!("CARGO_BIN_EXE_hallpass")));
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.world.path("work").join(name)).unwrap_or_default()
    }

    fn script(&self, text: &str) {
        std::fs::write(self.world.path("work/child.sh"), text).expect("written");
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

#[test]
fn ctrl_c_reaches_the_child_once() {
    let world = World::new();
    let terminal = Terminal::open(&world);
    terminal
        .script("trap 'echo INT >> got' INT; echo ready; i=0; while [ $i -lt 200 ]; do sleep 0.05; i=$((i+1)); done");
    terminal.lend("sh child.sh");
    terminal.shows("ready");
    terminal.key("C-c");
    until("it arrives", || (!terminal.read("got").is_empty()).then_some(()));
    std::thread::sleep(std::time::Duration::from_millis(400));
    assert_eq!(terminal.read("got"), "INT\n");
}

#[test]
fn ctrl_c_ends_a_child_that_does_not_care() {
    let world = World::new();
    let terminal = Terminal::open(&world);
    terminal.script("echo ready; exec sleep 60");
    terminal.lend("sh child.sh");
    terminal.shows("ready");
    terminal.key("C-c");
    terminal.shows("rc=130");
}

#[test]
fn an_interactive_shell_is_at_home() {
    let world = World::new();
    let terminal = Terminal::open(&world);
    terminal.lend("bash --norc --noprofile -i");
    terminal.line("echo $((6*7))-answer; tty | cut -c1-8; jobs; exit 5");
    terminal.shows("42-answer");
    terminal.shows("/dev/pts");
    terminal.shows("rc=5");
    assert!(!terminal.screen().contains("no job control"), "{}", terminal.screen());
}

#[test]
fn ctrl_z_stops_the_job_and_fg_goes_on() {
    let world = World::new();
    let terminal = Terminal::open(&world);
    terminal.lend("cat");
    terminal.line("one");
    terminal.echoes("one");
    terminal.key("C-z");
    terminal.shows("Stopped");
    terminal.foreground();
    terminal.line("two");
    terminal.echoes("two");
    terminal.key("C-d");
    terminal.shows("over=0");
}

#[test]
fn a_child_that_stops_itself_stops_the_job() {
    let world = World::new();
    let terminal = Terminal::open(&world);
    terminal.script("echo ready; kill -TSTP $$; echo awake");
    terminal.lend("sh child.sh");
    terminal.shows("Stopped");
    terminal.line("fg");
    terminal.shows("awake");
}

#[test]
fn a_job_started_in_the_background_can_be_brought_to_the_front() {
    let world = World::new();
    let terminal = Terminal::open(&world);
    terminal.line(&format!("{} run -q --allow s3:GetObject -- cat &", env!("CARGO_BIN_EXE_hallpass")));
    // The shell tells at its next prompt.
    until("the shell sees it stop", || {
        terminal.key("Enter");
        std::thread::sleep(std::time::Duration::from_millis(200));
        terminal.screen().contains("Stopped").then_some(())
    });
    terminal.foreground();
    terminal.line("hello");
    terminal.echoes("hello");
    terminal.key("C-d");
    terminal.shows("over=0");
}

#[test]
fn a_changed_window_is_told_once() {
    let world = World::new();
    let terminal = Terminal::open(&world);
    terminal.script(
        "trap 'stty size >> got' WINCH; echo ready; i=0; while [ $i -lt 200 ]; do sleep 0.05; i=$((i+1)); done",
    );
    terminal.lend("bash child.sh");
    terminal.shows("ready");
    assert!(terminal.tmux(&["resize-window", "-x", "100", "-y", "30"]).0);
    until("it arrives", || (!terminal.read("got").is_empty()).then_some(()));
    std::thread::sleep(std::time::Duration::from_millis(400));
    assert_eq!(terminal.read("got"), "30 100\n");
}

#[test]
fn a_child_in_a_pipeline_can_ask_the_terminal() {
    let world = World::new();
    let terminal = Terminal::open(&world);
    let own = env!("CARGO_BIN_EXE_hallpass");
    terminal.line(&format!(
        "echo piped | {own} run -q --allow s3:GetObject -- sh -c 'cat; read a < /dev/tty; echo got-$a' | cat"
    ));
    terminal.shows("piped");
    terminal.line("typed");
    terminal.shows("got-typed");
}
