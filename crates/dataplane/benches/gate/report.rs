//! What was promised, and whether it holds.

use std::process::ExitCode;

/// Lines as they come, and the memory of a broken promise.
#[derive(Debug)]
pub(crate) struct Report {
    failed: usize,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { failed: 0 }
    }

    pub(crate) fn say(&mut self, line: &str) {
        println!("{line}");
    }

    pub(crate) fn judge_most(&mut self, what: &str, value: f64, most: f64) {
        self.judge(what, value, value <= most, &format!("≤ {most}"));
    }

    pub(crate) fn judge_least(&mut self, what: &str, value: f64, least: f64) {
        self.judge(what, value, value >= least, &format!("≥ {least}"));
    }

    pub(crate) fn verdict(&self) -> ExitCode {
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn judge(&mut self, what: &str, value: f64, good: bool, promise: &str) {
        self.failed += usize::from(!good);
        println!("{}  {what}: {value:.2} ({promise})", if good { "PASS" } else { "FAIL" });
    }
}

/// The middle one; of an even number the upper middle. Not a number of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
