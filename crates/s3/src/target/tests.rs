use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{Remote, Surroundings, Target, Use};
use crate::error::{ErrorKind, S3Error};

struct World {
    paths: &'static [&'static str],
    aliases: &'static [&'static str],
}

impl Surroundings for World {
    fn exists(&self, path: &Path) -> bool {
        let text = path.to_str().expect("text");
        self.paths.iter().any(|known| *known == text.trim_end_matches('/'))
    }

    fn is_alias(&self, name: &str) -> bool {
        self.aliases.contains(&name)
    }
}

const HERE: World = World { paths: &["tree", "tree/a", "both", "file:x"], aliases: &["m", "both", "aws"] };

fn read(text: &str, used: Use) -> Result<Target, S3Error> {
    Target::parse(OsStr::new(text), used, &HERE)
}

fn remote(alias: &str, bucket: &str, key: &str) -> Target {
    Target::Remote(Remote { alias: alias.to_owned(), bucket: bucket.to_owned(), key: key.to_owned() })
}

fn local(path: &str) -> Target {
    Target::Local(PathBuf::from(path))
}

#[test]
fn trap_1_a_local_folder_is_a_local_folder_without_a_dot_before_it() {
    for text in ["tree/", "tree", "tree/a"] {
        assert_eq!(read(text, Use::Source), Ok(local(text)));
    }
    for text in ["tree/new", "tree/new/deep/", "tree/new/deep/file"] {
        assert_eq!(read(text, Use::Destination), Ok(local(text)));
    }
    assert_eq!(read("new.txt", Use::Destination), Ok(local("new.txt")));
}

#[test]
fn trap_2_a_path_that_is_nothing_is_not_called_a_missing_alias() {
    for (text, used) in [("nosuchdir/file", Use::Source), ("new.txt", Use::Source), ("nosuchdir/new", Use::Destination)]
    {
        let error = read(text, used).expect_err("nothing");
        assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, "path_not_found"));
        assert!(error.to_string().contains(&format!("no local path `{text}`")), "{error}");
        assert!(error.suggestion().expect("a step").contains(&format!("`./{text}`")));
    }
}

#[test]
fn trap_3_an_alias_named_like_a_folder_wins_nothing_silently() {
    for text in ["both", "both/", "both/bucket/key"] {
        let error = read(text, Use::Source).expect_err("ambiguous");
        assert_eq!((error.kind(), error.code()), (ErrorKind::Usage, "ambiguous_path"));
        assert!(error.suggestion().expect("a step").contains(&format!("`./{text}`")));
    }
    let next = read("both/bucket/key", Use::Source).expect_err("ambiguous");
    assert!(next.suggestion().expect("a step").contains("`both:bucket/key`"));
    assert_eq!(read("./both/bucket", Use::Source), Ok(local("./both/bucket")));
    assert_eq!(read("both:bucket/key", Use::Source), Ok(remote("both", "bucket", "key")));
}

#[test]
fn a_key_is_kept_byte_for_byte() {
    for (text, bucket, key) in [
        ("m", "", ""),
        ("m/", "", ""),
        ("m/b", "b", ""),
        ("m/b/", "b", ""),
        ("m/b//", "b", "/"),
        ("m/b//a//c/", "b", "/a//c/"),
        ("m/b/../x/./y", "b", "../x/./y"),
        ("m/b/a b/ü?*#%2F:", "b", "a b/ü?*#%2F:"),
        ("m:b/k", "b", "k"),
        ("m:b//k/", "b", "/k/"),
        ("m:", "", ""),
        ("m:b", "b", ""),
        ("m/b/s3://x", "b", "s3://x"),
        ("m:b/x://y", "b", "x://y"),
        ("m/b://", "b:", "/"),
    ] {
        assert_eq!(read(text, Use::Source), Ok(remote("m", bucket, key)), "{text}");
    }
    assert_eq!(read("s3://b/k//", Use::Source), Ok(remote("aws", "b", "k//")));
    assert_eq!(read("s3://", Use::Source), Ok(remote("aws", "", "")));
    assert_eq!(read("s3://b/s3://c", Use::Source), Ok(remote("aws", "b", "s3://c")));
}

#[test]
fn what_begins_like_a_path_is_local_and_a_dash_is_stdin() {
    for text in ["./m/b", "../m", "/m/b", ".", "..", "./", "file:x"] {
        assert_eq!(read(text, Use::Source), Ok(local(text)), "{text}");
    }
    assert_eq!(read("-", Use::Source), Ok(Target::Stdio));
    let raw = OsStr::from_bytes(b"m/\xff");
    assert_eq!(Target::parse(raw, Use::Source, &HERE), Ok(Target::Local(PathBuf::from(raw))));
}

#[test]
fn what_nobody_can_mean_is_refused() {
    for text in ["", "m//key", "m:/key", "s3:///key", "gs://b/k", "https://h/b"] {
        assert_eq!(read(text, Use::Destination).expect_err(text).kind(), ErrorKind::Usage, "{text}");
    }
}
