//! The table: rows that fit into the terminal, however wide it is at this moment.

use hallpass_core::budget::shown_bytes;

use super::super::requests::Row;
use crate::output::clean;

/// Columns of an operation and of a resource where there is room for everything.
const OPERATION: usize = 28;
const RESOURCE: usize = 48;
/// What the time and the verdict take, and the gaps beside them.
const FRAME: usize = 12 + 2 + 2 + 2 + 8;
/// What bytes and cost take, and the gaps before them.
const NUMBERS: usize = 2 + 9 + 2 + 9 + 2 + 14;
/// A column narrower than this tells nothing.
const COLUMN_MIN: usize = 8;
/// Before a reason that has lines of its own.
const INDENT: &str = "    ";
/// Most lines of a reason on a terminal; the rest is in `session report`.
const REASON_LINES: usize = 3;

/// How wide the columns are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table {
    operation: usize,
    resource: usize,
    numbers: bool,
    /// Columns of the terminal; `None` where lines are as long as they are.
    width: Option<usize>,
}

impl Table {
    /// For a terminal of so many columns, or for a file or a pipe.
    pub(super) fn within(width: Option<usize>) -> Self {
        let whole = Self { operation: OPERATION, resource: RESOURCE, numbers: true, width };
        let Some(columns) = width else { return whole };
        let room = columns.saturating_sub(FRAME);
        match room.checked_sub(NUMBERS + OPERATION) {
            Some(left) if left >= RESOURCE / 2 => Self { resource: left.min(RESOURCE * 2), ..whole },
            _ => {
                let operation = (room / 2).clamp(COLUMN_MIN, OPERATION);
                let resource = room.saturating_sub(operation).max(COLUMN_MIN);
                Self { operation, resource, numbers: false, width }
            }
        }
    }

    /// The line above the rows.
    pub(super) fn heading(self) -> String {
        self.line(["TIME", "OPERATION", "RESOURCE", "VERDICT", "UP", "DOWN", "COST"])
    }

    /// A request, with the reason where it was refused: beside it in a file, below it on a terminal.
    pub(super) fn row(self, row: &Row) -> String {
        let resource = row.resources.first().map_or("-", String::as_str);
        let more = row.resources.len().saturating_sub(1);
        let more = if more > 0 { format!(" +{more}") } else { String::new() };
        let room = self.resource.saturating_sub(more.chars().count());
        let resource = format!("{}{more}", end_of(&clean::line(resource), room));
        let operation = clean::line(&match &row.child {
            Some(child) => format!("{child}: {}", row.operation()),
            None => row.operation(),
        });
        let cost = row.cost_usd.map_or_else(|| "-".to_owned(), |usd| format!("~{usd:.7} USD"));
        let line = self.line([
            &row.time.strftime("%H:%M:%S.%3f").to_string(),
            &self.width.map_or_else(|| operation.clone(), |_| beginning_of(&operation, self.operation)),
            &resource,
            row.verdict.as_str(),
            &shown_bytes(row.bytes_in),
            &shown_bytes(row.bytes_out),
            &cost,
        ]);
        let why = match (&row.code, &row.reason) {
            (Some(code), Some(reason)) => Some(format!("{reason} [{code}]")),
            (None, Some(fault)) => Some(fault.clone()),
            (_, None) => None,
        };
        let times = (row.count > 1).then(|| format!("({} times)", row.count));
        let rest: Vec<String> = why.into_iter().chain(times).map(|text| clean::line(&text)).collect();
        match (self.width, rest.is_empty()) {
            (_, true) => line,
            (None, false) => format!("{line}  {}", rest.join("  ")),
            (Some(width), false) => format!("{line}{}", below(&rest.join("  "), width)),
        }
    }

    fn line(self, [time, operation, resource, verdict, up, down, cost]: [&str; 7]) -> String {
        let (o, r) = (self.operation, self.resource);
        let line = format!("{time:<12}  {operation:<o$}  {resource:<r$}  {verdict:<8}");
        let line = if self.numbers { format!("{line}  {up:>9}  {down:>9}  {cost}") } else { line };
        match self.width {
            Some(width) => beginning_of(line.trim_end(), width),
            None => line,
        }
    }
}

/// In lines of their own, each with its line break before it.
fn below(text: &str, width: usize) -> String {
    let room = width.saturating_sub(INDENT.len()).max(COLUMN_MIN);
    let characters: Vec<char> = text.chars().collect();
    let mut lines: Vec<String> = characters.chunks(room).map(|line| line.iter().collect()).collect();
    if lines.len() > REASON_LINES {
        lines.truncate(REASON_LINES);
        if let Some(last) = lines.last_mut() {
            last.pop();
            last.push('…');
        }
    }
    lines.iter().map(|line| format!("\n{INDENT}{}", line.trim_end())).collect()
}

/// The end of a long name says more than its beginning.
fn end_of(text: &str, columns: usize) -> String {
    let length = text.chars().count();
    if length <= columns {
        return text.to_owned();
    }
    let tail: String = text.chars().skip(length + 1 - columns.max(1)).collect();
    format!("…{tail}")
}

fn beginning_of(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let head: String = text.chars().take(columns.saturating_sub(1)).collect();
    format!("{head}…")
}

#[cfg(test)]
mod tests {
    use hallpass_core::audit::{Entry, Event};
    use hallpass_core::denial::{Denial, DenialCode};

    use super::super::super::requests::{Joiner, Row};
    use super::{FRAME, RESOURCE, Table, end_of};

    fn refused(resource: &str) -> Row {
        let denial = Denial {
            resource: Some(resource.to_owned()),
            ..Denial::new(DenialCode::NotAllowed, format!("`s3:GetObject` is not allowed on `{resource}`"))
        };
        let (service, operation) = (Some("s3".to_owned()), Some("GetObject".to_owned()));
        let event = Event::RequestDenied { service, region: None, operation, method: "GET".into(), denial, count: 2 };
        let time = "2026-01-01T00:00:00Z".parse().expect("time");
        let entry = Entry { seq: 1, prev: String::new(), time, session: None, event };
        Joiner::default().take(entry).pop().expect("a row")
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let row = refused(&format!("arn:aws:s3:::b/{}/end", "ä".repeat(200)));
        for width in 20..220 {
            let table = Table::within(Some(width));
            let text = format!("{}\n{}", table.heading(), table.row(&row));
            for line in text.lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            assert!(width < FRAME + 16 || text.contains("denied"), "{width}: {text}");
            assert!(text.contains("`s3:"), "the reason is not there at {width}: {text}");
        }
    }

    #[test]
    fn a_pipe_has_a_line_for_a_row_and_a_terminal_with_room_has_every_column() {
        let row = refused("arn:aws:s3:::b/k");
        let line = Table::within(None).row(&row);
        assert!(!line.contains('\n') && line.ends_with("[not-allowed]  (2 times)"), "{line}");
        let wide = Table::within(Some(140));
        assert!(wide.heading().ends_with("COST") && wide.row(&row).lines().count() == 2, "{}", wide.row(&row));
        assert!(!Table::within(Some(80)).heading().contains("COST"));
    }

    #[test]
    fn a_long_resource_keeps_its_end() {
        assert_eq!(end_of("arn:aws:s3:::b/k", RESOURCE), "arn:aws:s3:::b/k");
        let long = format!("arn:aws:s3:::b/{}/end", "ä".repeat(100));
        let shown = end_of(&long, RESOURCE);
        assert!(shown.chars().count() == RESOURCE && shown.ends_with("/end"), "{shown}");
    }
}
