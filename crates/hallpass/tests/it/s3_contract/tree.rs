//! The tree of commands as the program itself tells it.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::cli_world::World;

/// Every leaf below `hallpass s3`: `ls`, `admin user list`.
pub(super) fn leaves() -> &'static BTreeSet<String> {
    static LEAVES: OnceLock<BTreeSet<String>> = OnceLock::new();
    LEAVES.get_or_init(|| {
        let mut leaves = BTreeSet::new();
        below(&World::new(), &mut vec!["s3".to_owned()], &mut leaves);
        leaves
    })
}

fn below(world: &World, path: &mut Vec<String>, leaves: &mut BTreeSet<String>) {
    let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
    args.push("-h");
    let help = world.ok(&args);
    let Some((_, commands)) = help.split_once("\nCommands:\n") else {
        leaves.insert(path[1..].join(" "));
        return;
    };
    let lines = commands.lines().take_while(|line| line.is_empty() || line.starts_with("  "));
    let words = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    for word in words.filter_map(|line| line.split_whitespace().next()) {
        path.push(word.to_owned());
        below(world, path, leaves);
        path.pop();
    }
}

#[test]
fn the_tree_is_read_as_the_parser_has_it() {
    for leaf in ["ls", "which", "admin user list", "admin heal"] {
        assert!(leaves().contains(leaf), "{leaf}: {:?}", leaves());
    }
    assert!(!leaves().contains("admin"));
}
