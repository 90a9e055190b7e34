//! What a kill cannot show: the settings that a loss of power would test.

use std::path::Path;

use super::world::World;

#[test]
fn the_configured_durability_is_in_force_in_the_database() {
    for (config, synchronous) in [("", 1), ("durability = \"process\"", 1), ("durability = \"power\"", 2)] {
        let world = World::new();
        let file = world.folder().join("config.toml");
        std::fs::write(&file, format!("[store]\n{config}\n")).expect("a file");
        let said = opened(&world, &file);
        let expected = format!("journal_mode=\"wal\" synchronous={synchronous}");
        assert!(said.contains(&expected), "`{config}` wants {expected}: {said}");
        assert_eq!(said.matches("synchronous=").count(), said.matches(&expected).count(), "{said}");
        let header = std::fs::read(world.state().join("hallpass.db")).expect("a database");
        assert_eq!(header[18..20], [2, 2], "the file itself says that it is written ahead (SQLite file format, 1.3.3)");
    }
}

#[test]
fn a_durability_that_does_not_exist_is_refused() {
    let world = World::new();
    let file = world.folder().join("config.toml");
    std::fs::write(&file, "[store]\ndurability = \"maybe\"\n").expect("a file");
    let path = file.to_str().expect("text");
    let said = world.hallpass(&["--config", path, "run", "--allow", "s3:GetObject", "--", "/bin/true"]).failed();
    assert!(said.contains("`maybe` is not a durability"), "{said}");
}

/// What the store reported of each connection that writes, read back from SQLite after it was set.
fn opened(world: &World, config: &Path) -> String {
    let run = ["run", "--allow", "s3:GetObject", "--resource", "*", "--", "/bin/true"];
    let mut command = world.command(env!("CARGO_BIN_EXE_hallpass"), &["--config", config.to_str().expect("text")]);
    command.args(run).env("HALLPASS_LOG", "hallpass_control=debug").env("NO_COLOR", "1");
    let outcome = hallpass_testkit::clients::run(&mut command);
    assert!(outcome.status.success(), "{}", outcome.shown());
    outcome.stderr
}
