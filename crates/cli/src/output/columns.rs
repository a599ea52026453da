//! A table of text, each column as wide as its widest cell, numbers to the right.

use std::fmt;

/// A table being filled.
pub struct Columns {
    rows: Vec<Vec<Cell>>,
}

struct Cell {
    text: String,
    number: bool,
}

impl Columns {
    /// A table with these headers.
    pub fn new<'a>(headers: impl Iterator<Item = &'a str>) -> Self {
        Self { rows: vec![headers.map(|header| Cell { text: header.to_owned(), number: false }).collect()] }
    }

    /// Adds a row; `is_number` says of a column's index whether its cell is a number.
    pub fn row(&mut self, cells: impl Iterator<Item = String>, is_number: impl Fn(usize) -> bool) {
        let cells = cells.enumerate().map(|(at, text)| Cell { text: one_line(&text), number: is_number(at) });
        self.rows.push(cells.collect());
    }

    fn layout(&self, column: usize) -> (usize, bool) {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        let width = cells.map(|cell| cell.text.chars().count()).max().unwrap_or(0);
        let numbers = self.rows.len() > 1
            && self.rows[1..]
                .iter()
                .filter_map(|row| row.get(column))
                .all(|cell| cell.number || cell.text.is_empty());
        (width, numbers)
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r', '\t'], " ")
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let layout: Vec<_> = (0..columns).map(|column| self.layout(column)).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (at, (cell, (width, right))) in row.iter().zip(&layout).enumerate() {
                let space = " ".repeat(width - cell.text.chars().count());
                if at > 0 {
                    line.push_str("  ");
                }
                if *right {
                    line.push_str(&space);
                }
                line.push_str(&cell.text);
                if !right {
                    line.push_str(&space);
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
