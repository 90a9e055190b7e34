//! REST routes: method, path and literal query → operation, the most specific first.
//! Source: Smithy specification, "HTTP bindings": a literal wins over a label, a label over a greedy one.

use std::cmp::Ordering;

use super::catalog::Operation;

/// The routes of one API.
#[derive(Debug, Default)]
pub struct Router {
    /// The most specific first.
    routes: Vec<Route>,
}

#[derive(Debug)]
struct Route {
    method: &'static str,
    segments: Vec<Segment>,
    literals: Vec<(&'static str, &'static str)>,
    /// Position in the API's operations.
    operation: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Segment {
    Literal(&'static str),
    Label(&'static str),
    /// One segment or more.
    Greedy(&'static str),
}

/// A route that fits, and the decoded texts of its labels.
#[derive(Debug)]
pub(super) struct Matched {
    /// Position in the API's operations.
    pub(super) operation: usize,
    pub(super) labels: Vec<(&'static str, String)>,
}

impl Router {
    /// Orders the routes of `operations`.
    pub fn new(operations: &[Operation]) -> Self {
        let mut routes: Vec<Route> =
            operations.iter().enumerate().map(|(at, operation)| route(operation, at)).collect();
        routes.sort_by(|one, other| other.specificity(one));
        Self { routes }
    }

    /// The most specific route. `path` has its segments decoded; `query` answers with the value of a parameter.
    pub(super) fn find<'q>(
        &self,
        method: &str,
        path: &[String],
        query: impl Fn(&str) -> Option<&'q str>,
    ) -> Option<Matched> {
        let fits = |route: &&Route| {
            route.method == method
                && route.takes(path)
                && route.literals.iter().all(|(name, value)| query(name) == Some(*value))
        };
        let route = self.routes.iter().find(fits)?;
        Some(Matched { operation: route.operation, labels: route.labels(path) })
    }
}

fn route(operation: &Operation, at: usize) -> Route {
    let (path, query) = operation.uri.split_once('?').unwrap_or((operation.uri, ""));
    let literals = query.split('&').filter(|part| !part.is_empty());
    let literals = literals.map(|part| part.split_once('=').unwrap_or((part, ""))).collect();
    Route { method: operation.method, segments: segments(path), literals, operation: at }
}

fn segments(path: &'static str) -> Vec<Segment> {
    let path = path.trim_start_matches('/').trim_end_matches('/');
    let parts = path.split('/').filter(|part| !part.is_empty());
    parts
        .map(|part| match part.strip_prefix('{').and_then(|label| label.strip_suffix('}')) {
            Some(label) => label.strip_suffix('+').map_or(Segment::Label(label), Segment::Greedy),
            None => Segment::Literal(part),
        })
        .collect()
}

impl Route {
    /// Greater is more specific: segment by segment, then by the number of query literals.
    fn specificity(&self, other: &Self) -> Ordering {
        let rank = |segment: &Segment| match segment {
            Segment::Literal(_) => 2,
            Segment::Label(_) => 1,
            Segment::Greedy(_) => 0,
        };
        let own = self.segments.iter().map(rank);
        own.cmp(other.segments.iter().map(rank)).then(self.literals.len().cmp(&other.literals.len()))
    }

    fn takes(&self, path: &[String]) -> bool {
        let fits = |segment: &Segment, text: &String| match segment {
            Segment::Literal(literal) => literal == text,
            Segment::Label(_) | Segment::Greedy(_) => true,
        };
        match self.greedy() {
            None => self.segments.len() == path.len() && self.segments.iter().zip(path).all(|(s, t)| fits(s, t)),
            Some(at) => {
                let after = self.segments.len() - at - 1;
                self.segments.len() <= path.len()
                    && self.segments.iter().take(at).zip(path).all(|(s, t)| fits(s, t))
                    && self.segments.iter().rev().take(after).zip(path.iter().rev()).all(|(s, t)| fits(s, t))
            }
        }
    }

    fn greedy(&self) -> Option<usize> {
        self.segments.iter().position(|segment| matches!(segment, Segment::Greedy(_)))
    }

    fn labels(&self, path: &[String]) -> Vec<(&'static str, String)> {
        let mut labels = Vec::new();
        let spare = path.len().saturating_sub(self.segments.len());
        let mut at = 0;
        for segment in &self.segments {
            let width = if matches!(segment, Segment::Greedy(_)) { spare + 1 } else { 1 };
            let texts = path.get(at..at + width).unwrap_or_default();
            at += width;
            if let Segment::Label(label) | Segment::Greedy(label) = segment {
                labels.push((*label, texts.join("/")));
            }
        }
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::{Router, segments};
    use crate::resolve::catalog::Operation;

    fn operation(name: &'static str, method: &'static str, uri: &'static str) -> Operation {
        Operation {
            name,
            host_prefix: "",
            method,
            uri,
            unsigned: false,
            passes_role: false,
            tags: false,
            names_in_body: false,
            opaque_body: false,
            accesses: Err("test"),
            condition_keys: Vec::new(),
            tags_at: None,
        }
    }

    fn routed(method: &str, path: &str, query: &[(&str, &str)]) -> Option<(&'static str, Vec<(&'static str, String)>)> {
        let operations = [
            operation("List", "GET", "/things"),
            operation("Get", "GET", "/things/{Id}"),
            operation("Status", "GET", "/things/status"),
            operation("All", "GET", "/things/{Id}/parts?List=ALL"),
            operation("Part", "GET", "/things/{Id}/parts"),
            operation("File", "GET", "/files/{Path+}"),
            operation("Meta", "GET", "/files/{Path+}/meta"),
            operation("Old", "GET", "/box/{Name}/old/{Path+}/of/{Id}"),
            operation("Delete", "DELETE", "/things/{Id}"),
            operation("Root", "GET", "/"),
        ];
        let path: Vec<String> = path.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect();
        let value = |name: &str| query.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let found = Router::new(&operations).find(method, &path, value)?;
        Some((operations[found.operation].name, found.labels))
    }

    #[test]
    fn the_most_specific_route_answers() {
        let name = |method, path, query| routed(method, path, query).map(|(name, _)| name);
        assert_eq!(name("GET", "/things", &[]), Some("List"));
        assert_eq!(name("GET", "/things/a", &[]), Some("Get"));
        assert_eq!(name("GET", "/things/status", &[]), Some("Status"));
        assert_eq!(name("DELETE", "/things/status", &[]), Some("Delete"));
        assert_eq!(name("GET", "/things/a/parts", &[]), Some("Part"));
        assert_eq!(name("GET", "/things/a/parts", &[("List", "ALL")]), Some("All"));
        assert_eq!(name("GET", "/things/a/parts", &[("List", "all")]), Some("Part"));
        assert_eq!(name("GET", "/files/a/b", &[]), Some("File"));
        assert_eq!(name("GET", "/files/a/b/meta", &[]), Some("Meta"));
        assert_eq!(name("GET", "/", &[]), Some("Root"));
        assert_eq!(name("GET", "/box/b/old/x/y/of/1", &[]), Some("Old"));
        for path in ["/box/b/new/x/of/1", "/box/b/old/x/in/1", "/box/b/old/of/1", "/tin/b/old/x/of/1"] {
            assert_eq!(name("GET", path, &[]), None, "{path}");
        }
        for (method, path) in
            [("GET", "/files"), ("PUT", "/things"), ("get", "/things"), ("GET", "/Things"), ("GET", "/x")]
        {
            assert_eq!(name(method, path, &[]), None, "{method} {path}");
        }
    }

    #[test]
    fn labels_are_the_texts_that_they_cover() {
        let labels = |path| routed("GET", path, &[]).map(|(_, labels)| labels);
        assert_eq!(labels("/things/a"), Some(vec![("Id", "a".to_owned())]));
        assert_eq!(labels("/files/a/b/c"), Some(vec![("Path", "a/b/c".to_owned())]));
        assert_eq!(labels("/files/a/b/meta"), Some(vec![("Path", "a/b".to_owned())]));
        assert_eq!(segments("/a/{B}/").len(), 2);
    }
}
