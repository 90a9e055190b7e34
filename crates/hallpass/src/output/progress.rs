//! One line on stderr that says how a transfer goes on: only on a terminal, and gone when it is dropped.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hallpass_core::budget::shown_bytes;
use hallpass_s3::client::Progress;
use rustix::termios::tcgetwinsize;

use super::time::span;
use crate::environment;

/// How often the line is drawn.
const TICK: Duration = Duration::from_millis(100);
/// The rate is that of the last so many ticks.
const RATE_TICKS: usize = 30;
/// Columns of a terminal that does not say how many it has.
const COLUMNS: usize = 80;
/// Columns of the bar itself.
const BAR: usize = 24;

/// Counts what moves. Shared with the transfers.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    moved: AtomicI64,
    total: AtomicU64,
    items: AtomicU64,
    planned: AtomicU64,
}

impl Progress for Counter {
    fn moved(&self, bytes: i64) {
        self.moved.fetch_add(bytes, Ordering::Relaxed);
    }

    fn total(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    fn item(&self) {
        self.items.fetch_add(1, Ordering::Relaxed);
    }

    fn planned(&self, items: u64) {
        self.planned.fetch_add(items, Ordering::Relaxed);
    }
}

impl Counter {
    /// Bytes that have moved so far.
    pub(crate) fn bytes(&self) -> u64 {
        u64::try_from(self.moved.load(Ordering::Relaxed)).unwrap_or(0)
    }
}

/// The line. Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Bar {
    stop: Option<Sender<()>>,
    drawing: Option<JoinHandle<()>>,
}

impl Bar {
    /// Begins to draw, if stderr is a terminal.
    pub(crate) fn start(counter: &Arc<Counter>) -> Option<Self> {
        if !io::stderr().is_terminal() || environment::is_dumb_terminal() {
            return None;
        }
        let (stop, stopped) = channel::<()>();
        let counter = Arc::clone(counter);
        let draw = move || {
            let mut pace = Pace::new();
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let line = pace.line(&counter, Instant::now(), columns());
                // Nobody may be looking, and that is no failure.
                drop(write!(io::stderr().lock(), "\r{line}\u{1b}[K"));
            }
            drop(write!(io::stderr().lock(), "\r\u{1b}[K"));
        };
        let drawing = std::thread::Builder::new().name("progress".to_owned()).spawn(draw).ok()?;
        Some(Self { stop: Some(stop), drawing: Some(drawing) })
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(drawing) = self.drawing.take() {
            // A line that could not be drawn is no failure of the transfer.
            drop(drawing.join());
        }
    }
}

/// Makes room for a line of another's; the progress is drawn again below it.
pub(crate) fn clear_line() {
    // Nobody may be looking, and that is no failure.
    drop(write!(io::stderr().lock(), "\r\u{1b}[K"));
}

fn columns() -> usize {
    let size = tcgetwinsize(io::stderr()).ok().map(|size| usize::from(size.ws_col));
    size.filter(|columns| *columns > 0).unwrap_or(COLUMNS)
}

/// The last few seconds.
#[derive(Debug)]
struct Pace {
    seen: Vec<(Instant, u64)>,
}

impl Pace {
    fn new() -> Self {
        Self { seen: Vec::with_capacity(RATE_TICKS + 1) }
    }

    /// The line as it is now, within so many columns.
    fn line(&mut self, counter: &Counter, now: Instant, columns: usize) -> String {
        let (moved, total) = (counter.bytes(), counter.total.load(Ordering::Relaxed));
        let (items, planned) = (counter.items.load(Ordering::Relaxed), counter.planned.load(Ordering::Relaxed));
        self.seen.push((now, moved));
        if self.seen.len() > RATE_TICKS {
            self.seen.remove(0);
        }
        let rate = self.rate();
        // In the order of the line, each with what it is worth where there is no room for all.
        let mut parts = Vec::new();
        if total > 0 {
            // What is sent again moves more often than once.
            let part = (moved.min(total) as f64) / (total as f64);
            let full = (part * BAR as f64) as usize;
            parts.push((0, format!("[{}{}]", "=".repeat(full), " ".repeat(BAR - full))));
            parts.push((5, format!("{:3.0} %", part * 100.0)));
            parts.push((2, format!("{}/{}", shown_bytes(moved), shown_bytes(total))));
        } else {
            parts.push((5, shown_bytes(moved)));
        }
        parts.push((3, format!("{}/s", shown_bytes(rate))));
        if let Some(left) = total.checked_sub(moved).and_then(|left| left.checked_div(rate)) {
            parts.push((4, format!("ETA {}", span(left))));
        }
        if planned > 1 {
            parts.push((1, format!("{items}/{planned}")));
        }
        fitting(parts, columns.saturating_sub(1))
    }

    /// Bytes a second.
    fn rate(&self) -> u64 {
        let (Some((first, before)), Some((last, after))) = (self.seen.first(), self.seen.last()) else { return 0 };
        let seconds = last.duration_since(*first).as_secs_f64();
        if seconds > 0.0 { (after.saturating_sub(*before) as f64 / seconds) as u64 } else { 0 }
    }
}

/// As many parts as fit, those of the least worth left out first.
fn fitting(mut parts: Vec<(u8, String)>, room: usize) -> String {
    loop {
        let line = parts.iter().map(|(_, part)| part.as_str()).collect::<Vec<_>>().join("  ");
        let least = parts.iter().enumerate().min_by_key(|(_, (worth, _))| *worth).map(|(at, _)| at);
        match least {
            Some(at) if line.chars().count() > room => drop(parts.remove(at)),
            _ => return line,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use hallpass_s3::client::Progress;

    use super::{Counter, Pace, fitting};

    #[test]
    fn the_line_says_how_much_how_fast_and_how_long_still() {
        let (counter, mut pace, begin) = (Counter::default(), Pace::new(), Instant::now());
        counter.planned(3);
        counter.total(100 << 20);
        pace.line(&counter, begin, 120);
        counter.moved(25 << 20);
        counter.item();
        let line = pace.line(&counter, begin + Duration::from_secs(5), 120);
        for part in ["[======  ", " 25 %", "25 MiB/100 MiB", "5 MiB/s", "ETA 15s", "1/3"] {
            assert!(line.replace(".0", "").contains(part), "{part}: {line}");
        }
        let narrow = pace.line(&counter, begin + Duration::from_secs(6), 30);
        assert!(narrow.len() < 30 && !narrow.contains('['), "{narrow}");
    }

    #[test]
    fn what_does_not_fit_is_left_out_whole_and_the_least_first() {
        let parts = ["[===]", "25 %", "25 MiB/100 MiB", "5 MiB/s", "ETA 15s", "1/3"];
        let parts: Vec<_> = [0, 5, 2, 3, 4, 1].into_iter().zip(parts.map(str::to_owned)).collect();
        for (room, line) in [
            (80, "[===]  25 %  25 MiB/100 MiB  5 MiB/s  ETA 15s  1/3"),
            (45, "25 %  25 MiB/100 MiB  5 MiB/s  ETA 15s  1/3"),
            (39, "25 %  25 MiB/100 MiB  5 MiB/s  ETA 15s"),
            (30, "25 %  5 MiB/s  ETA 15s"),
            (13, "25 %  ETA 15s"),
            (5, "25 %"),
            (3, ""),
        ] {
            assert_eq!(fitting(parts.clone(), room), line, "{room}");
        }
    }

    #[test]
    fn a_stream_of_unknown_length_has_no_end_to_be_guessed() {
        let (counter, mut pace) = (Counter::default(), Pace::new());
        counter.moved(1 << 20);
        counter.moved(-(2 << 20));
        let line = pace.line(&counter, Instant::now(), 80);
        assert!(!line.contains("ETA") && !line.contains('%'), "{line}");
    }
}
