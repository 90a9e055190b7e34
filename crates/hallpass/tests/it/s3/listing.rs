//! ls, find, tree, du.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use hallpass_testkit::clients::{bare, python, run};

use super::store::{Puppet, Shop, Store};

fn filled() -> (Store, Shop) {
    let store = Store::start();
    let shop = store.world();
    shop.ok(&["mb", "m/data"]);
    shop.put(&["data/a.txt", "data/dir/b.txt", "data/dir/sub/c.txt", "data/dir/ü b", "data/pre1", "data/pre2"]);
    (store, shop)
}

fn names(text: &str) -> Vec<String> {
    text.lines().map(|line| line.get(32..).unwrap_or(line).to_owned()).collect()
}

#[test]
fn trap_9_ls_of_an_exact_object_and_of_a_prefix_prints_them() {
    let (_store, shop) = filled();
    assert_eq!(names(&shop.ok(&["ls", "m/data/a.txt"])), ["a.txt"]);
    assert_eq!(names(&shop.ok(&["ls", "m/data/pre"])), ["pre1", "pre2"]);
    let folder = ["sub/", "b.txt", "ü b"];
    assert_eq!(names(&shop.ok(&["ls", "m/data/dir"])), folder, "a folder is listed with or without its slash");
    assert_eq!(names(&shop.ok(&["ls", "m/data/dir/"])), folder);
    assert_eq!(names(&shop.ok(&["ls", "m/data"])), ["dir/", "a.txt", "pre1", "pre2"]);
    assert_eq!(names(&shop.ok(&["ls", "m/data/d", "-r"])), ["dir/b.txt", "dir/sub/c.txt", "dir/ü b"]);
    shop.refused(&["ls", "m/data/nothing"], 5);
    shop.refused(&["ls", "m/data/dir/nothing/"], 5);
}

#[test]
fn an_empty_bucket_is_listed_and_a_missing_one_is_not_found() {
    let store = Store::start();
    let shop = store.world();
    assert_eq!(shop.ok(&["ls", "m"]), "");
    shop.ok(&["mb", "m/empty"]);
    assert_eq!(shop.ok(&["ls", "m/empty"]), "");
    assert_eq!(shop.data(&["ls", "m"])["bucket"], "empty");
    for command in ["ls", "find", "tree", "du", "stat"] {
        let said = shop.refused(&[command, "m/missing", "--json"], 5);
        assert!(said.err.contains("\"not_found\"") && said.err.contains("\"retryable\":false"), "{said:?}");
    }
}

#[test]
fn json_is_a_line_for_each_and_a_summary_at_the_end() {
    let (_store, shop) = filled();
    let lines = shop.json(&["ls", "m/data", "-r", "--summarize"]);
    assert_eq!(lines.len(), 7);
    assert_eq!((lines[3]["data"]["key"].as_str(), lines[3]["data"]["size"].as_u64()), (Some("dir/ü b"), Some(13)));
    let (summary, bytes) = (&lines[6], [10, 14, 18, 13, 9, 9].iter().sum::<u64>());
    assert_eq!((summary["type"].as_str(), summary["data"]["bytes"].as_u64()), (Some("s3_ls_summary"), Some(bytes)));
    assert_eq!(summary["data"]["objects"], 6);
}

#[test]
fn trap_15_quiet_never_suppresses_data() {
    let (_store, shop) = filled();
    assert!(shop.ok(&["-q", "ls", "m/data"]).contains("a.txt"));
    assert_eq!(shop.ok(&["cat", "m/data/a.txt", "--quiet"]), "data/a.txt");
    assert_eq!(shop.say(&["rm", "-q", "m/data/a.txt"]).err, "");
}

#[test]
fn find_asks_for_name_size_depth_and_expression() {
    let (_store, shop) = filled();
    assert_eq!(
        shop.ok(&["find", "m/data", "--name", "*.txt", "--larger", "10B"]),
        "m/data/dir/b.txt\nm/data/dir/sub/c.txt\n"
    );
    assert_eq!(shop.ok(&["find", "m/data", "--max-depth", "1", "--smaller", "10B"]), "m/data/pre1\nm/data/pre2\n");
    assert_eq!(
        shop.ok(&["find", "m/data/dir/", "--regex", "^dir/s", "--print", "{base} {size} {dir}"]),
        "c.txt 18 dir/sub\n"
    );
    assert_eq!(shop.ok(&["find", "m/data", "--older-than", "1d"]), "");
    assert_eq!(shop.json(&["find", "m/data", "--newer-than", "1d"]).len(), 6);
    shop.refused(&["find", "m/data", "--regex", "("], 2);
    shop.refused(&["find", "m/data", "--print", "{nope}"], 2);
}

#[test]
fn a_folder_is_looked_through_without_its_namesakes() {
    let (_store, shop) = filled();
    shop.put(&["data/directory", "data/pre1.bak"]);
    for path in ["m/data/dir", "m/data/dir/"] {
        assert_eq!(shop.json(&["find", path]).len(), 3, "{path}");
        assert_eq!(shop.data(&["du", path])["objects"], 3, "{path}");
    }
    assert_eq!(shop.ok(&["find", "m/data/pre1"]), "m/data/pre1\n", "an object is that object");
    assert_eq!(shop.json(&["find", "m/data/pre"]).len(), 3, "any other text is a beginning");
}

#[test]
fn tree_and_du_tell_each_folder_once() {
    let (_store, shop) = filled();
    assert_eq!(shop.ok(&["tree", "m/data"]), "a.txt\ndir/\n  b.txt\n  sub/\n    c.txt\n  ü b\npre1\npre2\n");
    assert_eq!(shop.ok(&["tree", "m/data", "-d", "-L", "1"]), "dir/\n");
    assert_eq!(shop.json(&["tree", "m/data/dir"]).len(), 4);
    let sums = shop.json(&["du", "m/data", "--depth", "1"]);
    let sums: Vec<_> = sums.iter().map(|l| (l["data"]["prefix"].as_str(), l["data"]["objects"].as_u64())).collect();
    assert_eq!(sums, [(Some("dir/"), Some(3)), (Some(""), Some(6))]);
}

/// 1,000 keys, and where to go on.
fn page(head: &str, pages: u32) -> (u16, String) {
    let token = head.split("continuation-token=").nth(1).map_or(0, |rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().expect("our token")
    });
    let mut body = String::from("<ListBucketResult><Name>b</Name><KeyCount>1000</KeyCount>");
    for key in 0..1_000 {
        body.push_str(&format!(
            "<Contents><Key>some/folder/of/keys/{token:06}-{key:06}</Key><Size>1</Size><ETag>\"x\"</ETag>\
             <LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
        ));
    }
    if token + 1 < pages {
        body.push_str(&format!(
            "<IsTruncated>true</IsTruncated><NextContinuationToken>{}</NextContinuationToken>",
            token + 1
        ));
    }
    body.push_str("</ListBucketResult>");
    (200, body)
}

fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn a_hundred_thousand_objects_are_listed_in_constant_memory() {
    const PAGES: u32 = 100;
    let pid = Arc::<AtomicU32>::default();
    let (early, late) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
    let (of, first, last) = (Arc::clone(&pid), Arc::clone(&early), Arc::clone(&late));
    let store = Puppet::start(move |head| {
        while of.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        let (status, body) = page(head, PAGES);
        let peak = peak_kib(of.load(Ordering::SeqCst));
        // Asked for the fifth page, and for the last.
        if head.contains("continuation-token=4") {
            first.compare_exchange(0, peak, Ordering::SeqCst, Ordering::SeqCst).ok();
        }
        last.store(peak, Ordering::SeqCst);
        (status, body)
    });
    let shop = Shop::new(&store.url(), "k", "s");
    let out = std::fs::File::create(shop.world.work().join("out")).expect("a file");
    let mut child = shop.command(&["ls", "m/b/", "-r", "--json", "--summarize"]).stdout(out).spawn().expect("starts");
    pid.store(child.id(), Ordering::SeqCst);
    assert!(child.wait().expect("ends").success());
    let text = std::fs::read_to_string(shop.world.work().join("out")).expect("text");
    assert_eq!(text.lines().count(), 100_001);
    assert!(text.lines().last().expect("some").contains("\"objects\":100000"));
    let (early, late) = (early.load(Ordering::SeqCst), late.load(Ordering::SeqCst));
    assert!(early > 0 && late < early + 8 * 1_024, "{early} KiB after 4 pages, {late} KiB after 99");
}

/// What a terminal gets to see, escape sequences and all.
fn on_terminal(shop: &Shop, args: &[&str], variables: &[(&str, &str)]) -> String {
    let script = "import os,pty,sys\n\
        pid,fd=pty.fork()\n\
        if pid==0: os.execv(sys.argv[1],sys.argv[1:])\n\
        seen=b''\n\
        try:\n    while piece:=os.read(fd,1000): seen+=piece\n\
        except OSError: pass\n\
        os.waitpid(pid,0)\n\
        sys.stdout.buffer.write(seen)\n";
    let template = shop.command(&[]);
    let mut command = bare(python());
    command.envs(template.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "xterm");
    command.envs(variables.iter().copied()).current_dir(shop.world.work());
    command.args(["-c", script, env!("CARGO_BIN_EXE_hallpass"), "s3"]).args(args);
    run(&mut command).succeeded()
}

#[test]
fn folders_and_differences_are_coloured_on_a_terminal_and_nowhere_else() {
    let (_store, shop) = filled();
    shop.world.file("work/here/only", "here");
    let (folder, first) = ("\u{1b}[1mdir/\u{1b}[0m", "\u{1b}[31m< only\u{1b}[0m");
    for (args, painted, plain) in
        [(&["ls", "m/data"][..], folder, "dir/"), (&["diff", "./here/", "m/data/dir/"], first, "< only")]
    {
        assert!(on_terminal(&shop, args, &[]).contains(painted), "{args:?}");
        for (more, variables) in [
            (&[][..], &[("NO_COLOR", "1")][..]),
            (&[], &[("TERM", "dumb")]),
            (&["--color", "never"], &[]),
            (&["--json", "--color", "always"], &[]),
        ] {
            let shown = on_terminal(&shop, &[args, more].concat(), variables);
            assert!(!shown.contains('\u{1b}') && !shown.is_empty(), "{args:?} {more:?}: {shown:?}");
        }
        let piped = shop.say(args).out;
        assert!(piped.contains(plain) && !piped.contains('\u{1b}'), "{piped:?}");
        assert!(shop.say(&[args, &["--color", "always"]].concat()).out.contains(painted));
    }
}

#[test]
fn columns_stand_below_each_other() {
    let (_store, shop) = filled();
    for flags in [&[][..], &["-r"], &["--bytes"]] {
        let listed = shop.ok(&[&["ls", "m/data"], flags].concat());
        let column = if flags == ["--bytes"] { 37 } else { 32 };
        for line in listed.lines() {
            let (before, name) = line.split_at_checked(column).expect("columns");
            assert!(before.ends_with(' ') && !name.starts_with(' ') && !name.is_empty(), "{listed}");
        }
    }
}

/// Keys that steer terminals, or have what a path here has not; all of two bytes.
fn odd(head: &str) -> (u16, String) {
    let keys = ["a\u{9}b", "marker/", "s3://x", "tail/", "\u{202e}x"];
    if !head.contains("list-type=2") {
        return (200, "ok".to_owned());
    }
    let asked = head.split(['?', '&', ' ']).find_map(|part| part.strip_prefix("prefix=")).unwrap_or_default();
    let asked = [("%2F", "/"), ("%3A", ":"), ("%09", "\t"), ("%E2%80%AE", "\u{202e}")]
        .iter()
        .fold(asked.to_owned(), |text, (coded, plain)| text.replace(coded, plain));
    let item = |key: &&str| {
        let size = if *key == "marker/" { 0 } else { 2 };
        let key = key.replace('\t', "&#x9;");
        format!(
            "<Contents><Key>{key}</Key><LastModified>2026-01-02T00:00:00Z</LastModified><Size>{size}</Size></Contents>"
        )
    };
    let items: String = keys.iter().filter(|key| key.starts_with(&asked)).map(item).collect();
    (200, format!("<ListBucketResult><IsTruncated>false</IsTruncated>{items}</ListBucketResult>"))
}

#[test]
fn a_name_that_could_steer_a_terminal_is_printed_as_a_json_string_wherever_it_is_listed() {
    let store = Puppet::start(odd);
    let shop = Shop::new(&store.url(), "k", "s");
    for (args, names) in [
        (vec!["ls", "-r", "m/b"], ["\"a\\tb\"", "\"\\u202ex\""]),
        (vec!["tree", "m/b"], ["\"a\\tb\"", "\"\\u202ex\""]),
        (vec!["find", "m/b"], ["\"m/b/a\\tb\"", "\"m/b/\\u202ex\""]),
        (vec!["diff", "m/b", "./"], ["\"a\\tb\"", "\"\\u202ex\""]),
        (vec!["cp", "-r", "--dry-run", "m/b", "m/c"], ["\"m/b/a\\tb\" -> \"m/c/a\\tb\"", "\"m/b/\\u202ex\""]),
    ] {
        let out = shop.say(&args).out;
        for name in names {
            assert!(out.contains(name), "{args:?}: {out}");
        }
        assert!(!out.contains('\u{fffd}'), "{args:?}: {out}");
    }
}

#[test]
fn a_key_may_be_any_text_and_is_named_as_it_is() {
    let store = Puppet::start(odd);
    let shop = Shop::new(&store.url(), "k", "s");
    assert_eq!(shop.ok(&["cat", "m/b/s3://x"]), "ok");
    let names = shop.ok(&["find", "m/b"]);
    assert_eq!(shop.say_with(&["rm", "--stdin", "--dry-run"], names.as_bytes()).out, names);
    // With bytes it is an object of its own, without any it is what some tools make for a folder.
    shop.ok(&["cp", "m/b/tail/", "tail"]);
    assert_eq!(std::fs::read(shop.world.work().join("tail")).expect("a file"), b"ok");
    assert!(shop.refused(&["cp", "m/b/marker/", "out"], 2).err.contains("pass `-r`"));
    assert!(shop.refused(&["cp", "m/b/none/", "out"], 2).err.contains("pass `-r`"));
}

#[test]
fn what_says_nothing_about_a_list_of_buckets_is_refused_and_not_overlooked() {
    let (_store, shop) = filled();
    for flag in ["--recursive", "--versions", "--incomplete"] {
        let said = shop.refused(&["ls", "m", flag], 2);
        assert!(said.err.contains(flag) && said.err.contains("m/bucket"), "{said:?}");
    }
    shop.ok(&["ls", "m", "--summarize"]);
}
