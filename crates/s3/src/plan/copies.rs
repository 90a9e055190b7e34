//! Sources and a target → what is copied where.
//!
//! A source that ends with `/` is what is in it; one without is the thing itself, as `cp -r` has it.

use std::collections::{HashSet, VecDeque};
use std::path::Path;

use hallpass_core::limits::S3_PLAN_NAMES_MAX;

use super::name::Beside;
use super::side::{Next, Side};
use super::{Found, Passed, Place, Planned, Root, Select, Spot, Step, of_metadata, wrong};
use crate::client::payload::off_thread;
use crate::client::{Client, GetOptions, ListOptions, ObjectId};
use crate::error::{ErrorKind, S3Error};
use crate::transfer::local;

/// What is to be copied.
#[derive(Debug, Clone)]
pub struct Request {
    /// From here; at least one.
    pub sources: Vec<Spot>,
    /// To here.
    pub target: Spot,
    /// This version of the one source, which is an object.
    pub version: Option<String>,
    /// Folders and prefixes, with all that is in them.
    pub recursive: bool,
    /// What of it.
    pub select: Select,
    /// What cannot be part of the plan is told, and the rest goes on.
    pub tolerant: bool,
    /// An object may be copied onto itself: its properties change.
    pub in_place: bool,
    /// Ask the store for what is copied alone, so that a dry run says what would happen.
    pub ask: bool,
}

/// The plan of a copy.
#[derive(Debug)]
pub struct Copies {
    request: Request,
    waiting: VecDeque<Source>,
    tree: Option<Tree>,
    /// Targets so far, where several sources may have the same.
    seen: Option<HashSet<String>>,
}

#[derive(Debug)]
enum Source {
    One(Box<Planned>),
    Passed(String, Passed),
    Tree(Root, Root),
}

#[derive(Debug)]
struct Tree {
    side: Side,
    from: Root,
    to: Root,
    beside: Beside,
}

impl Copies {
    /// Finds out what the sources and the target are. Nothing is listed yet.
    ///
    /// # Errors
    /// What makes no sense together, and sources that are not there.
    pub async fn new(request: Request) -> Result<Self, S3Error> {
        let in_store = matches!(request.sources.as_slice(), [Spot::Remote { .. }]);
        if request.version.is_some() && (!in_store || request.recursive) {
            let message = "a version is one of one object in a store";
            return Err(wrong("version_of_what", message, "name one object as the source, without `-r`"));
        }
        let target = Target::of(&request).await?;
        let mut waiting = VecDeque::new();
        for source in &request.sources {
            waiting.push_back(target.source(source, &request).await?);
        }
        let seen = (waiting.len() > 1).then(HashSet::new);
        Ok(Self { request, waiting, tree: None, seen })
    }

    /// The next step; `None` at the end.
    pub(super) async fn step(&mut self) -> Result<Option<Step>, S3Error> {
        loop {
            if let Some(tree) = &mut self.tree {
                if let Some(error) = tree.side.failed.pop() {
                    return Ok(Some(Step::Failed(error)));
                }
                let next = tree.side.next().await?;
                match next {
                    Some(next) => {
                        let step = tree.step(next, self.request.tolerant)?;
                        return self.unique(step).map(Some);
                    }
                    None if !tree.side.failed.is_empty() => continue,
                    None if tree.side.is_nothing() => return Err(nothing(&tree.from)),
                    None => self.tree = None,
                }
            }
            match self.waiting.pop_front() {
                None => return Ok(None),
                Some(Source::Passed(name, why)) => return Ok(Some(Step::Passed(name, why))),
                Some(Source::One(planned)) => return self.unique(Step::Copy(planned)).map(Some),
                Some(Source::Tree(from, to)) => {
                    let side = Side::new(&from, &self.request.select, self.request.tolerant);
                    self.tree = Some(Tree { side, from, to, beside: Beside::default() });
                }
            }
        }
    }

    /// Refuses a target that two sources would write.
    fn unique(&mut self, step: Step) -> Result<Step, S3Error> {
        let (Some(seen), Step::Copy(planned)) = (&mut self.seen, &step) else { return Ok(step) };
        check_names(seen.len() + 1)?;
        if seen.insert(planned.to.to_string()) {
            return Ok(step);
        }
        let message = format!("`{}` would be written twice, the second time from `{}`", planned.to, planned.from);
        let error = wrong("duplicate_target", message, "copy the sources into different folders");
        if self.request.tolerant { Ok(Step::Failed(error)) } else { Err(error) }
    }
}

impl Tree {
    fn step(&mut self, next: Next, tolerant: bool) -> Result<Step, S3Error> {
        let found = match next {
            Next::Passed(name, why) => return Ok(Step::Passed(name, why)),
            Next::Found(found) => found,
        };
        match self.planned(&found) {
            Ok(step) => Ok(step),
            Err(error) if tolerant => Ok(Step::Failed(error)),
            Err(error) => Err(error),
        }
    }

    fn planned(&mut self, found: &Found) -> Result<Step, S3Error> {
        if let Root::Local(_) = self.to {
            self.beside.check(&found.name)?;
            if found.name.ends_with('/') && found.size == 0 {
                return Ok(Step::Passed(found.name.clone(), Passed::Marker));
            }
        }
        planned(&self.from, &self.to, found)
    }
}

/// The copy of one thing from one side to the other.
pub(super) fn planned(from: &Root, to: &Root, found: &Found) -> Result<Step, S3Error> {
    let source = match from {
        // A name that was read from the folder is safe there.
        Root::Local(root) => Place::Local(root.join(&found.name)),
        Root::Remote { client, bucket, prefix } => {
            Place::Object(client.clone(), ObjectId::new(bucket, format!("{prefix}{}", found.name)))
        }
    };
    Ok(Step::Copy(Box::new(Planned {
        from: source,
        to: to.place(&found.name)?,
        size: Some(found.size),
        etag: found.etag.clone(),
        modified: found.modified,
        below: to.local().map(Path::to_owned),
        left: from.local().map(|root| kept(root).to_owned()),
    })))
}

/// What stays of a local source that is moved: the folder itself where what is in it was named, else what it is in.
fn kept(root: &Path) -> &Path {
    let contents = root.as_os_str().as_encoded_bytes().ends_with(b"/") || root.file_name().is_none();
    root.parent().filter(|_| !contents).unwrap_or(root)
}

/// Where everything goes.
#[derive(Debug)]
struct Target {
    spot: Spot,
    /// It is a folder: what comes keeps its name.
    folder: bool,
    /// It is here, and is no folder.
    file: bool,
}

impl Target {
    async fn of(request: &Request) -> Result<Self, S3Error> {
        let many = request.sources.len() > 1;
        let mut file = false;
        let (shown, folder) = match &request.target {
            Spot::Stdio if many || request.recursive => {
                return Err(wrong(
                    "many_to_stdout",
                    "only one object can go to the standard output",
                    "name one object",
                ));
            }
            Spot::Stdio => ("-".to_owned(), false),
            Spot::Remote { bucket, key, .. } => (format!("{bucket}/{key}"), key.is_empty() || key.ends_with('/')),
            Spot::Local(path) => {
                let looked = path.clone();
                let (is_folder, exists) = off_thread(move || Ok((looked.is_dir(), looked.exists()))).await?;
                file = exists && !is_folder;
                let slash = path.as_os_str().as_encoded_bytes().ends_with(b"/");
                (path.display().to_string(), is_folder || slash)
            }
        };
        if let Spot::Remote { bucket, .. } = &request.target
            && bucket.is_empty()
        {
            return Err(wrong("no_bucket", "the target names no bucket", "write `alias/bucket/key`"));
        }
        if many && !folder {
            let message = format!("several sources cannot become the one thing `{shown}`");
            return Err(wrong("target_is_no_folder", message, format!("write `{shown}/` if it is to be a folder")));
        }
        Ok(Self { spot: request.target.clone(), folder, file })
    }

    async fn source(&self, source: &Spot, request: &Request) -> Result<Source, S3Error> {
        match (source, &self.spot) {
            (Spot::Local(_) | Spot::Stdio, Spot::Local(_) | Spot::Stdio) => {
                Err(wrong("no_store", "neither the source nor the target is in a store", "use `cp` for local files"))
            }
            (Spot::Stdio, target) => match target {
                Spot::Remote { client, bucket, key } if !self.folder => {
                    super::name::check_key(key)?;
                    let to = Place::Object(client.clone(), ObjectId::new(bucket, key));
                    Ok(alone(Place::Stdio, to, None, &request.select))
                }
                _ => Err(wrong("no_name", "what comes from the standard input has no name", "name the whole key")),
            },
            (Spot::Local(path), _) => self.local(path, request).await,
            (Spot::Remote { .. }, _) => self.remote(source, request).await,
        }
    }

    async fn local(&self, path: &Path, request: &Request) -> Result<Source, S3Error> {
        let looked = path.to_owned();
        let metadata = off_thread(move || std::fs::metadata(&looked).map_err(|e| local(&looked, &e))).await?;
        let shown = path.display();
        let Spot::Remote { client, bucket, key } = &self.spot else {
            return Err(wrong("no_store", "neither the source nor the target is in a store", "use `cp`"));
        };
        // `.` and `..` are what is in them; a key that is named whole has no use for the name.
        let name = path.file_name().filter(|_| self.folder).map(|name| name.to_str().ok_or(()));
        let name = name.transpose().map_err(|()| {
            wrong("name_not_utf8", format!("the name of `{shown}` is not UTF-8, and keys are"), "rename it first")
        })?;
        if metadata.is_dir() {
            if !request.recursive {
                return Err(wrong(
                    "is_folder",
                    format!("`{shown}` is a folder"),
                    "pass `-r` to copy all that is in it",
                ));
            }
            let contents = path.as_os_str().as_encoded_bytes().ends_with(b"/");
            let prefix = folder(key, name.filter(|_| !contents));
            let to = Root::Remote { client: client.clone(), bucket: bucket.clone(), prefix };
            return Ok(Source::Tree(Root::Local(path.to_owned()), to));
        }
        let key = if self.folder { format!("{key}{}", name.unwrap_or_default()) } else { key.clone() };
        super::name::check_key(&key)?;
        let to = Place::Object(client.clone(), ObjectId::new(bucket, key));
        // A pipe has no size: it is read as a stream.
        let found = Some(of_metadata(&metadata)).filter(|_| metadata.is_file());
        Ok(alone(Place::Local(path.to_owned()), to, found, &request.select))
    }

    async fn remote(&self, source: &Spot, request: &Request) -> Result<Source, S3Error> {
        let Spot::Remote { client, bucket, key } = source else {
            return Err(wrong("no_store", "the source is in no store", "write `alias/bucket/key`"));
        };
        if bucket.is_empty() {
            return Err(wrong("no_bucket", "the source names no bucket", "write `alias/bucket/key`"));
        }
        let is_prefix = key.is_empty() || key.ends_with('/');
        if request.recursive && (is_prefix || is_folder(source).await?) {
            return self.prefix(source, request);
        }
        let object = ObjectId { version: request.version.clone(), ..ObjectId::new(bucket, key) };
        if is_prefix && !has_bytes(client, &object).await? {
            let shown = format!("{}/{bucket}/{key}", client.alias());
            return Err(wrong("is_prefix", format!("`{shown}` is no object"), "pass `-r` to copy all that is in it"));
        }
        let timed = request.select.newer_than.is_some() || request.select.older_than.is_some();
        let found = if request.ask || timed {
            let head = client.head(&object, &GetOptions::default()).await?;
            Some(Found { size: head.size, modified: head.last_modified, etag: head.etag, name: String::new() })
        } else {
            None
        };
        let last = &key[key.trim_end_matches('/').rfind('/').map_or(0, |at| at + 1)..];
        let to = match &self.spot {
            Spot::Stdio => Place::Stdio,
            Spot::Local(path) if self.folder => Place::Local(super::name::below(path, last)?),
            Spot::Local(path) => Place::Local(path.clone()),
            Spot::Remote { client, bucket, key } => {
                let key = if self.folder { format!("{key}{last}") } else { key.clone() };
                super::name::check_key(&key)?;
                Place::Object(client.clone(), ObjectId::new(bucket, key))
            }
        };
        let from = Place::Object(client.clone(), object);
        if from.is(&to) && !request.in_place {
            let message = format!("`{from}` would be copied onto itself");
            return Err(wrong("same_object", message, "name another target, or a property to change"));
        }
        Ok(alone(from, to, found, &request.select))
    }

    /// All keys below a prefix.
    fn prefix(&self, source: &Spot, request: &Request) -> Result<Source, S3Error> {
        let Spot::Remote { client, bucket, key } = source else {
            return Err(wrong("no_store", "the source is in no store", "write `alias/bucket/key`"));
        };
        let from = Root::Remote { client: client.clone(), bucket: bucket.clone(), prefix: folder(key, None) };
        let name = Some(last_piece(key)).filter(|name| self.folder && !name.is_empty());
        let to = match &self.spot {
            Spot::Remote { client, bucket, key } => {
                Root::Remote { client: client.clone(), bucket: bucket.clone(), prefix: folder(key, name) }
            }
            Spot::Local(path) if self.file => {
                let message = format!("`{}` is a file, and what is in a prefix needs a folder", path.display());
                return Err(wrong("target_is_file", message, "name a folder, or one that is not there yet"));
            }
            Spot::Local(path) => match name {
                Some(name) => Root::Local(super::name::below(path, name)?),
                None => Root::Local(path.clone()),
            },
            Spot::Stdio => {
                return Err(wrong(
                    "many_to_stdout",
                    "only one object can go to the standard output",
                    "name one object",
                ));
            }
        };
        if from.holds(&to) && !(to.holds(&from) && request.in_place) {
            let message = "the target is inside the source: what is written would be read again";
            return Err(wrong("target_in_source", message, "choose another target"));
        }
        Ok(Source::Tree(from, to))
    }
}

/// Whether it is an object that is more than a marker of a folder.
async fn has_bytes(client: &Client, object: &ObjectId) -> Result<bool, S3Error> {
    if object.key.is_empty() {
        return Ok(false);
    }
    // Listed, because not every store takes a question for such a key.
    let options = ListOptions { prefix: object.key.clone(), page: Some(1), ..ListOptions::default() };
    match client.list(&object.bucket, options).next().await {
        Ok(page) => Ok(page.is_some_and(|page| page.objects.iter().any(|it| it.key == object.key && it.size > 0))),
        Err(error) if error.code() == "AccessDenied" => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether there are keys below it, as if it were a folder.
async fn is_folder(source: &Spot) -> Result<bool, S3Error> {
    let Spot::Remote { client, bucket, key } = source else { return Ok(false) };
    let options = ListOptions { prefix: folder(key, None), page: Some(1), ..ListOptions::default() };
    let page = client.list(bucket, options).next().await?;
    Ok(page.is_some_and(|page| !page.objects.is_empty()))
}

/// One thing that was named itself.
fn alone(from: Place, to: Place, found: Option<Found>, select: &Select) -> Source {
    if found.as_ref().is_some_and(|found| !select.times(found.modified)) {
        return Source::Passed(from.to_string(), Passed::Time);
    }
    let (size, etag, modified) = found.map_or((None, None, None), |f| (Some(f.size), f.etag, f.modified));
    Source::One(Box::new(Planned { from, to, size, etag, modified, below: None, left: None }))
}

/// As a prefix: empty, or with a `/` at its end; with a folder of that name in it.
pub(super) fn folder(key: &str, name: Option<&str>) -> String {
    let mut prefix = key.to_owned();
    if !prefix.is_empty() && !prefix.ends_with('/') {
        prefix.push('/');
    }
    if let Some(name) = name {
        prefix.push_str(name);
        prefix.push('/');
    }
    prefix
}

fn last_piece(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or_default()
}

/// There is nothing at a prefix.
pub(super) fn nothing(root: &Root) -> S3Error {
    let shown = match root {
        Root::Local(path) => path.display().to_string(),
        Root::Remote { client, bucket, prefix } => format!("{}/{bucket}/{prefix}", client.alias()),
    };
    let next = "check the name; `hallpass s3 ls` shows what is there";
    S3Error::refused(ErrorKind::NotFound, "nothing_found", format!("there is nothing at `{shown}`"), next)
}

fn check_names(names: usize) -> Result<(), S3Error> {
    if names <= S3_PLAN_NAMES_MAX {
        return Ok(());
    }
    let message = format!("several sources have more than {S3_PLAN_NAMES_MAX} things together");
    Err(wrong("too_many_names", message, "copy them one after the other"))
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::S3_PLAN_NAMES_MAX;

    use super::check_names;

    #[test]
    fn several_sources_are_compared_up_to_a_number_of_things() {
        assert!(check_names(S3_PLAN_NAMES_MAX).is_ok());
        assert_eq!(check_names(S3_PLAN_NAMES_MAX + 1).expect_err("too many").code(), "too_many_names");
    }
}
