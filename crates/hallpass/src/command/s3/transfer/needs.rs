//! Which rights a transfer needs, and no others.

use hallpass_s3::rights::Rights;
use hallpass_s3::target::{Remote, Target};

/// Beyond reading and writing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Besides {
    /// All that is below.
    pub(crate) recursive: bool,
    /// Sources are removed.
    pub(crate) removes: bool,
    /// What is written is looked at.
    pub(crate) looks: bool,
    /// Interrupted uploads are gone on with.
    pub(crate) resumes: bool,
    /// Tags are set.
    pub(crate) tags: bool,
    /// An ACL is set.
    pub(crate) acl: bool,
    /// Several sources, or a folder: what is written is not known by its key alone.
    pub(crate) below: bool,
    /// One version of the source is read, and not the current one.
    pub(crate) version: bool,
}

/// What reading needs. `copies`: into another object of the store, with its tags.
pub(crate) fn reading(remote: &Remote, besides: Besides, copies: bool) -> Rights {
    let (read, tags) = match besides.version {
        true => ("s3:GetObjectVersion", "s3:GetObjectVersionTagging"),
        false => ("s3:GetObject", "s3:GetObjectTagging"),
    };
    let mut actions = vec![read];
    if copies {
        actions.push(tags);
    }
    if besides.removes {
        actions.push("s3:DeleteObject");
    }
    let list = Rights::on_bucket(&["s3:ListBucket"], &remote.bucket);
    match besides.recursive {
        true => Rights::below(&actions, &remote.bucket, &remote.key).and(list),
        // Whether it is an object is not said by its name.
        false if remote.key.ends_with('/') => Rights::on_object(&actions, &remote.bucket, &remote.key).and(list),
        false => Rights::on_object(&actions, &remote.bucket, &remote.key),
    }
}

/// What writing needs.
pub(crate) fn writing(remote: &Remote, besides: Besides, copies: bool) -> Rights {
    let mut actions = vec!["s3:PutObject", "s3:AbortMultipartUpload"];
    if besides.resumes {
        actions.push("s3:ListMultipartUploadParts");
    }
    if besides.looks {
        actions.push("s3:GetObject");
    }
    if besides.tags || copies {
        actions.push("s3:PutObjectTagging");
    }
    if besides.acl {
        actions.push("s3:PutObjectAcl");
    }
    let folder = remote.key.is_empty() || remote.key.ends_with('/');
    if besides.below || besides.recursive || folder {
        return Rights::below(&actions, &remote.bucket, &remote.key);
    }
    Rights::on_object(&actions, &remote.bucket, &remote.key)
}

/// What copying from one of `sources` to `target` needs, by place.
pub(crate) fn copying<'a>(sources: &'a [Target], target: &'a Target, besides: Besides) -> Vec<(&'a Remote, Rights)> {
    let remote = |target: &'a Target| match target {
        Target::Remote(remote) => Some(remote),
        Target::Local(_) | Target::Stdio => None,
    };
    let to = remote(target);
    let copies = to.is_some_and(|to| sources.iter().filter_map(remote).any(|from| from.alias == to.alias));
    let reads = sources.iter().filter_map(remote).map(|from| (from, reading(from, besides, copies)));
    let besides = Besides { below: besides.below || sources.len() > 1, ..besides };
    reads.chain(to.map(|to| (to, writing(to, besides, copies)))).collect()
}

#[cfg(test)]
mod tests {
    use hallpass_s3::target::{Remote, Target};

    use super::{Besides, copying};

    #[test]
    fn a_download_needs_to_read_that_prefix_and_nothing_else() {
        let from = Target::Remote(Remote { alias: "m".into(), bucket: "data".into(), key: "logs/".into() });
        let besides = Besides { recursive: true, ..Besides::default() };
        let local = Target::Local("out".into());
        let needs = copying(std::slice::from_ref(&from), &local, besides);
        assert_eq!(needs.len(), 1);
        assert_eq!(needs[0].1.actions, ["s3:GetObject", "s3:ListBucket"]);
        assert_eq!(needs[0].1.resources, ["arn:aws:s3:::data/logs/*", "arn:aws:s3:::data"]);
        let needs = copying(std::slice::from_ref(&from), &local, Besides::default());
        assert_eq!(needs[0].1.resources, ["arn:aws:s3:::data/logs/", "arn:aws:s3:::data"]);
        let one = Target::Remote(Remote { alias: "m".into(), bucket: "data".into(), key: "a".into() });
        let needs = copying(std::slice::from_ref(&one), &Target::Stdio, Besides::default());
        assert_eq!((needs[0].1.actions.len(), needs[0].1.resources[0].as_str()), (1, "arn:aws:s3:::data/a"));
        let besides = Besides { version: true, ..Besides::default() };
        let needs = copying(std::slice::from_ref(&one), &one, besides);
        assert_eq!(needs[0].1.actions, ["s3:GetObjectVersion", "s3:GetObjectVersionTagging"]);
    }
}
