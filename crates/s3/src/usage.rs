//! Sums and shapes of what is below a prefix, in one walk and constant memory: a listing comes in the order of its keys,
//! so a folder is complete when the first key outside of it comes.

/// A folder and everything below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// With its final `/`; empty for the bucket itself.
    pub prefix: String,
    /// Objects, or versions.
    pub objects: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Sums up folders.
#[derive(Debug)]
pub struct Usage {
    depth: usize,
    /// From the outermost, where the walk began, to the innermost.
    open: Vec<Group>,
}

impl Usage {
    /// Folders down to `depth` below `base` are told apart.
    pub fn new(base: &str, depth: usize) -> Self {
        Self { depth, open: vec![Group { prefix: base.to_owned(), ..Group::default() }] }
    }

    /// Adds a key; gives the folders that are complete now, the innermost first.
    pub fn add(&mut self, key: &str, bytes: u64) -> Vec<Group> {
        let mut complete = Vec::new();
        while self.open.len() > 1
            && let Some(group) = self.open.pop_if(|group| !key.starts_with(&group.prefix))
        {
            complete.push(group);
        }
        while self.open.len() <= self.depth
            && let Some(inner) = self.open.last()
            && let Some(rest) = key.strip_prefix(inner.prefix.as_str())
            && let Some(end) = rest.find('/')
        {
            let prefix = key[..inner.prefix.len() + end + 1].to_owned();
            self.open.push(Group { prefix, ..Group::default() });
        }
        for group in &mut self.open {
            group.objects += 1;
            group.bytes = group.bytes.saturating_add(bytes);
        }
        complete
    }

    /// The folders that are still open; the last is where the walk began.
    pub fn finish(self) -> Vec<Group> {
        self.open.into_iter().rev().collect()
    }
}

/// One line of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Folders above it, from where the walk began.
    pub depth: usize,
    /// Its whole key or prefix.
    pub key: String,
    /// The last part of it.
    pub name: String,
    /// It is a folder.
    pub folder: bool,
}

/// Turns a walk into a tree.
#[derive(Debug)]
pub struct Tree {
    base: String,
    open: Vec<String>,
}

impl Tree {
    /// A tree of what is below `base`.
    pub fn new(base: &str) -> Self {
        Self { base: base.to_owned(), open: Vec::new() }
    }

    /// Adds a key; gives the folders that begin with it, and the key itself. A key that ends with `/` is its folder.
    pub fn add(&mut self, key: &str) -> Vec<Branch> {
        let rest = key.strip_prefix(self.base.as_str()).unwrap_or(key);
        let mut folders: Vec<&str> = rest.split('/').collect();
        let name = folders.pop().unwrap_or_default();
        let same = self.open.iter().zip(&folders).take_while(|(open, folder)| open == folder).count();
        self.open.truncate(same);
        let mut lines = Vec::new();
        for folder in &folders[same..] {
            self.open.push((*folder).to_owned());
            let key = format!("{}{}/", self.base, self.open.join("/"));
            lines.push(Branch { depth: self.open.len() - 1, key, name: (*folder).to_owned(), folder: true });
        }
        if !name.is_empty() {
            let (key, name) = (key.to_owned(), name.to_owned());
            lines.push(Branch { depth: folders.len(), key, name, folder: false });
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::{Tree, Usage};

    #[test]
    fn a_folder_is_told_once_with_all_that_is_below_it() {
        let mut usage = Usage::new("a/", 1);
        let mut told = Vec::new();
        for (key, bytes) in [("a/0", 1), ("a/b/1", 2), ("a/b/c/2", 4), ("a/d/3", 8), ("a/e", 16)] {
            told.extend(usage.add(key, bytes));
        }
        told.extend(usage.finish());
        let told: Vec<_> = told.iter().map(|g| (g.prefix.as_str(), g.objects, g.bytes)).collect();
        assert_eq!(told, [("a/b/", 2, 6), ("a/d/", 1, 8), ("a/", 5, 31)]);
    }

    #[test]
    fn a_tree_names_each_folder_before_what_is_in_it() {
        let mut tree = Tree::new("x/");
        let keys = ["x/a/b/1", "x/a/b/2", "x/a/c/", "x/d"];
        let lines: Vec<_> = keys.iter().flat_map(|key| tree.add(key)).collect();
        let shown: Vec<_> = lines.iter().map(|l| (l.depth, l.key.as_str(), l.folder)).collect();
        let expected = [
            (0, "x/a/", true),
            (1, "x/a/b/", true),
            (2, "x/a/b/1", false),
            (2, "x/a/b/2", false),
            (1, "x/a/c/", true),
            (0, "x/d", false),
        ];
        assert_eq!(shown, expected);
    }
}
