//! A picture of a session in the terminal, drawn from the log's own entries.

use std::collections::BTreeMap;

use hallpass_core::audit::{Entry, Event};
use hallpass_core::session::SessionStatus;
use jiff::Timestamp;

use crate::output::{Paint, Printer};

/// Columns of the time axis.
const WIDTH: usize = 40;

/// One line of the picture.
struct Bar {
    from_us: i64,
    to_us: i64,
    mark: char,
    paint: Paint,
    label: String,
}

/// Draws what the exported entries (one JSON line each) say happened.
pub(crate) fn draw(lines: &str, printer: Printer) -> String {
    let entries: Vec<Entry> = lines.lines().filter_map(|line| Entry::decode(line.as_bytes()).ok()).collect();
    let Some(first) = entries.iter().find(|e| matches!(e.event, Event::SessionCreated { .. })) else {
        return String::new();
    };
    let start = first.time;
    let since = |time: Timestamp| time.as_microsecond() - start.as_microsecond();
    let settled: BTreeMap<u64, &Entry> = entries
        .iter()
        .filter_map(|entry| if let Event::RequestSettled { of, .. } = entry.event { Some((of, entry)) } else { None })
        .collect();
    let bars: Vec<Bar> =
        entries.iter().filter_map(|entry| bar(entry, settled.get(&entry.seq).copied(), &since)).collect();
    let total = bars.iter().map(|bar| bar.to_us).max().unwrap_or(1).max(1);
    let mut out = String::new();
    for bar in &bars {
        let column =
            |us: i64| usize::try_from(us.max(0)).unwrap_or(0) * (WIDTH - 1) / usize::try_from(total).unwrap_or(1);
        let (from, to) = (column(bar.from_us), column(bar.to_us).max(column(bar.from_us)));
        let line: String = (0..WIDTH).map(|at| if (from..=to).contains(&at) { bar.mark } else { '·' }).collect();
        let seconds = bar.from_us as f64 / 1e6;
        out.push_str(&format!("  {seconds:6.3}s {} {}\n", printer.paint(bar.paint, line), bar.label));
    }
    out.truncate(out.trim_end().len());
    out
}

fn bar(entry: &Entry, settled: Option<&Entry>, since: &impl Fn(Timestamp) -> i64) -> Option<Bar> {
    let at = since(entry.time);
    let moment = |paint, label: String| Some(Bar { from_us: at, to_us: at, mark: '█', paint, label });
    match &entry.event {
        Event::SessionCreated { ttl_seconds, .. } => moment(Paint::Bold, format!("session lent for {ttl_seconds} s")),
        Event::RequestAllowed { actions, .. } => {
            let (end, outcome) = match settled.map(|s| (s.time, &s.event)) {
                Some((time, Event::RequestSettled { status, bytes_out, fault, .. })) => {
                    (since(time), outcome(*status, *bytes_out, fault.as_deref()))
                }
                _ => (at, "outcome unknown".to_owned()),
            };
            let paint = if outcome.starts_with("cut") { Paint::Warn } else { Paint::Good };
            Some(Bar {
                from_us: at,
                to_us: end,
                mark: '█',
                paint,
                label: format!("allowed {}, {outcome}", actions.join(" + ")),
            })
        }
        Event::RequestDenied { denial, .. } => moment(
            Paint::Bad,
            format!("refused {} ({})", denial.action.as_deref().unwrap_or("a request"), denial.code.as_str()),
        ),
        Event::SessionKilled { gate_refusing_us, streams_cut, .. } => moment(
            Paint::Bad,
            format!("killed: refusing after {:.1} ms, {streams_cut} stream cut", *gate_refusing_us as f64 / 1e3),
        ),
        Event::SessionEnded { status, .. } => {
            let paint = if *status == SessionStatus::Completed { Paint::Good } else { Paint::Bad };
            moment(paint, format!("session {status}"))
        }
        _ => None,
    }
}

fn outcome(status: Option<u16>, bytes: u64, fault: Option<&str>) -> String {
    let size = if bytes < 10_240 { format!("{bytes} B") } else { format!("{:.1} MiB", bytes as f64 / 1_048_576.0) };
    match (fault, status) {
        (Some(fault), _) if fault.starts_with("cut") => format!("cut off after {size}"),
        (Some(fault), _) => format!("{size}, {fault}"),
        (None, Some(status)) => format!("{status}, {size}"),
        (None, None) => "no answer".to_owned(),
    }
}
