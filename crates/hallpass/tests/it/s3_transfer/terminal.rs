//! What a person at a terminal sees. The terminal is tmux's.

use std::time::Duration;

use super::store::Store;
use crate::run::world::{World, until};
use crate::tty::Terminal;

#[test]
fn the_question_before_things_are_removed_is_seen_and_ctrl_c_is_a_no() {
    let (world, store) = (World::new(), Store::start());
    let terminal = Terminal::open(&world);
    let tree = world.path("work/tree");
    std::fs::create_dir_all(&tree).expect("a folder");
    for name in ["a", "b"] {
        std::fs::write(tree.join(name), name).expect("writes");
    }
    terminal.line(&format!("export HALLPASS_HOST_m='{}'", store.variable()));
    terminal.line(&format!("own() {{ {} s3 \"$@\"; echo rc=$?; }}; clear", env!("CARGO_BIN_EXE_hallpass")));
    terminal.line("own mirror tree m/bkt/t");
    terminal.shows("rc=0");
    std::fs::remove_file(tree.join("a")).expect("removes");
    let question = "remove 1 from the target that the source does not have? [y/N]:";
    for (answer, code) in [(Some("n"), "rc=130"), (None, "rc=130"), (Some("y"), "rc=0")] {
        terminal.line("clear; own mirror --remove tree m/bkt/t");
        terminal.shows(question);
        // Time for a progress line to be drawn over it.
        std::thread::sleep(Duration::from_millis(400));
        assert!(terminal.screen().contains(question), "the question is hidden:\n{}", terminal.screen());
        assert!(store.object("t/a").is_some(), "removed before the answer");
        match answer {
            Some(answer) => terminal.line(answer),
            None => terminal.key("C-c"),
        }
        terminal.shows(code);
        until("it is as was said", || (store.object("t/a").is_some() == (code != "rc=0")).then_some(()));
    }
}
