//! What a transfer holds in memory does not grow with the object.

use std::process::Command;

use super::store::Store;
use super::{noise, write};
use crate::cli_world::World;

/// Fourteen times what parts in flight may hold together, and more than any buffer.
const LENGTH: u64 = 512 << 20;
/// The highest resident size that a transfer may have, KiB: 36 MiB of parts, and the program itself.
const RESIDENT_KIB_MAX: u64 = 64 << 10;

/// Runs a command to its end; its highest resident size, KiB.
fn high_water(mut command: Command) -> u64 {
    let mut child = command.spawn().expect("starts");
    let path = format!("/proc/{}/status", child.id());
    let mut most = 0;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        let status = std::fs::read_to_string(&path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(kib.unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(3));
    };
    assert!(status.success() && most > 0, "{status} with {most} KiB");
    most
}

#[test]
fn half_a_gibibyte_goes_up_and_down_in_64_mebibytes() {
    let (world, store) = (World::new(), Store::start());
    store.set(&world);
    let file = std::fs::File::create(world.work().join("large")).expect("a file");
    file.set_len(LENGTH).expect("a size");
    std::os::unix::fs::FileExt::write_all_at(&file, &noise(1 << 20), LENGTH - (1 << 20)).expect("writes");
    let up = high_water(world.command(&["s3", "cp", "large", "m/bkt/large"]));
    let down = high_water(world.command(&["s3", "cp", "m/bkt/large", "back"]));
    let mut cat = world.command(&["s3", "cat", "m/bkt/large"]);
    cat.stdout(std::process::Stdio::null());
    let streamed = high_water(cat);
    let mut pipe = world.command(&["s3", "pipe", "m/bkt/piped"]);
    pipe.stdin(std::fs::File::open(world.work().join("large")).expect("a file"));
    let piped = high_water(pipe);
    let same = Command::new("cmp").args(["large", "back"]).current_dir(world.work()).status();
    assert!(same.expect("cmp runs").success());
    let all = [up, down, streamed, piped];
    assert!(all.iter().all(|kib| *kib <= RESIDENT_KIB_MAX), "up, down, cat, pipe: {all:?} KiB");
}

#[test]
fn two_thousand_files_go_in_64_mebibytes() {
    let (world, store) = (World::new(), Store::start());
    store.set(&world);
    for n in 0..2_000 {
        write(&world, &format!("tree/{:02}/{n}", n % 37), &noise(16 << 10));
    }
    let up = high_water(world.command(&["-q", "s3", "cp", "-r", "tree/", "m/bkt/t/"]));
    let down = high_water(world.command(&["-q", "s3", "cp", "-r", "m/bkt/t/", "back/"]));
    assert!(up.max(down) <= RESIDENT_KIB_MAX, "up {up}, down {down} KiB");
}
