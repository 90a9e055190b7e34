//! Tables for people: aligned columns, two spaces between them, no box art.

use super::clean;
use super::printer::{Paint, Printer};

/// Rows under a heading.
#[derive(Debug, Default)]
pub(crate) struct Table {
    heading: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(heading: &[&'static str]) -> Self {
        Self { heading: heading.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; every cell becomes one clean line.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.iter().map(|cell| clean::line(cell)).collect());
    }

    /// The text, without a line break at its end.
    pub(crate) fn render(&self, printer: Printer) -> String {
        let mut widths: Vec<usize> = self.heading.iter().map(|h| h.chars().count()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let heading: Vec<String> = self.heading.iter().map(|h| (*h).to_owned()).collect();
        let mut out = printer.paint(Paint::Dim, aligned(&heading, &widths));
        for row in &self.rows {
            out.push('\n');
            out.push_str(&aligned(row, &widths));
        }
        out
    }
}

fn aligned(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        line.push_str(&format!("{cell:<width$}  "));
    }
    line.truncate(line.trim_end().len());
    line
}
