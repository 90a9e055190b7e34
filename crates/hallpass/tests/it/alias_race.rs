//! Writers of every sort at once in the file that aliases live in: those that add, those that prune, those that are killed.

use std::process::{Child, Stdio};

use hallpass_testkit::servers::Scripted;

use crate::alias::config;
use crate::cli_world::World;

fn start(world: &World, args: &[&str]) -> Child {
    world.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts")
}

#[test]
fn of_parallel_additions_and_prunings_none_undoes_another() {
    let (world, dead) = (World::new(), Scripted::refusing(400, "ExpiredToken"));
    let mut text = "# mine\nschema_version = 2\n".to_owned();
    for n in 0..30 {
        text.push_str(&format!(
            "\n[[aliases]]\nname = \"dead{n}\"\nendpoint = \"{}\"\naccess_key = \"AK\"\nsecret_key = \"S\"\nsession_token = \
             \"T\"\n",
            dead.url()
        ));
    }
    world.file("home/.config/hallpass/config.toml", &text);
    let mut children = Vec::new();
    for n in 0..30 {
        children.push((4, start(&world, &["s3", "ls", &format!("dead{n}/data"), "--quiet"])));
        let set = ["alias", "set", &format!("new{n}"), "http://h", "--anonymous", "--no-check", "--quiet"];
        children.push((0, start(&world, &set)));
    }
    for (code, mut child) in children {
        assert_eq!(child.wait().expect("ends").code(), Some(code));
    }
    let text = config(&world);
    assert!(text.starts_with("# mine\n") && !text.contains("dead"), "{text}");
    let lost: Vec<_> = (0..30).filter(|n| !text.contains(&format!("name = \"new{n}\"\n"))).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
}

#[test]
fn when_all_of_many_writers_are_killed_the_file_is_one_that_somebody_wrote() {
    let world = World::new();
    world.ok(&["alias", "set", "first", "http://h", "--anonymous", "--no-check"]);
    for round in 0..10 {
        let names: Vec<String> = (0..8).map(|n| format!("k{round}-{n}")).collect();
        let set = |name: &String| start(&world, &["alias", "set", name, "http://h", "--anonymous", "--no-check"]);
        let mut children: Vec<Child> = names.iter().map(set).collect();
        // One is let through, so that the others are killed while they wait or write.
        children[round % 8].wait().expect("ends");
        for child in &mut children {
            // One that has ended already is as good.
            drop(child.kill());
            child.wait().expect("ends");
        }
        let listed = world.ok(&["alias", "list"]);
        assert!(listed.contains("first") && listed.contains(&names[round % 8]), "{listed}");
    }
    world.ok(&["alias", "set", "last", "http://h", "--anonymous", "--no-check"]);
    let left = std::fs::read_dir(world.home().join(".config/hallpass")).expect("a folder");
    let names: Vec<_> = left.map(|entry| entry.expect("an entry").file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains(".new")), "{names:?}");
}
