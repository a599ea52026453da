//! The confusion matrix: which cause was called, for each true one.

use authstitch_model::Cause;

use crate::case::{Observer, Weighed};
use crate::forecast::Forecast;
use crate::text::thousands;

use super::draw::{Figure, bar, escape, label, percent, table};

const CELL: f64 = 28.0;
const LEFT: f64 = 170.0;
const TOP: f64 = 140.0;
/// Shares below this are not written into their cell.
const WRITTEN: f64 = 0.005;

/// What was called, for each true cause.
struct Matrix {
    /// True causes that occur, then causes that are called and do not.
    causes: Vec<Cause>,
    /// By true and called cause, its mass and its count; what was called of nobody comes last.
    cells: Vec<Vec<(f64, usize)>>,
}

impl Matrix {
    fn of(cases: &[Weighed<'_>]) -> Self {
        let called = |weighed: &Weighed<'_>| weighed.case.said(Observer::Classifier).map(Forecast::cause);
        let occurs = |cause: &Cause| {
            cases.iter().any(|weighed| weighed.case.cause == *cause || called(weighed) == Some(*cause))
        };
        let causes: Vec<_> = Cause::ALL.iter().copied().filter(occurs).collect();
        let place = |cause| causes.iter().position(|known| *known == cause);
        let mut cells = vec![vec![(0.0, 0); causes.len() + 1]; causes.len()];
        for weighed in cases {
            let column = called(weighed).map_or(Some(causes.len()), place);
            if let (Some(row), Some(column)) = (place(weighed.case.cause), column) {
                cells[row][column].0 += weighed.weight;
                cells[row][column].1 += 1;
            }
        }
        Self { causes, cells }
    }

    /// Shares of the true cause, with counts.
    fn row(&self, row: usize) -> Vec<(f64, usize)> {
        let mass: f64 = self.cells[row].iter().map(|cell| cell.0).sum();
        self.cells[row].iter().map(|(part, count)| (part / mass.max(f64::MIN_POSITIVE), *count)).collect()
    }

    fn names(&self) -> Vec<&'static str> {
        self.causes.iter().map(|cause| cause.code()).chain(["no journey"]).collect()
    }

    fn draw(&self) -> (f64, f64, String) {
        let names = self.names();
        let (width, height) =
            (LEFT + CELL * names.len() as f64 + 90.0, TOP + CELL * self.causes.len() as f64 + 8.0);
        let mut svg = label(LEFT - 10.0, TOP - 12.0, "axis end", "true ↓   called →");
        for (column, name) in names.iter().enumerate() {
            svg += &format!(
                "<text transform=\"translate({:.1} {:.1}) rotate(-50)\" class=\"tick\">{}</text>\n",
                LEFT + CELL * (column as f64 + 0.6),
                TOP - 8.0,
                escape(name)
            );
        }
        for (row, cause) in self.causes.iter().enumerate() {
            let y = TOP + CELL * row as f64;
            svg += &label(LEFT - 10.0, y + CELL * 0.62, "tick end", cause.code());
            for (column, (share, count)) in self.row(row).into_iter().enumerate() {
                svg += &cell(
                    row,
                    column,
                    share,
                    &format!(
                        "{cause} called {}: {}, {} attempts",
                        names[column],
                        percent(share),
                        thousands(count)
                    ),
                );
            }
        }
        (width, height, svg)
    }
}

/// One cell: deeper the more often; on the diagonal in the colour of what is right.
fn cell(row: usize, column: usize, share: f64, says: &str) -> String {
    let (x, y) = (LEFT + CELL * column as f64, TOP + CELL * row as f64);
    let kind = if row == column { "right" } else { "wrong" };
    let mut svg = bar(x, y, CELL - 1.0, CELL - 1.0, "empty", says);
    if share > 0.0 {
        svg += &format!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{size}\" height=\"{size}\" class=\"{kind}\" \
             fill-opacity=\"{:.2}\"><title>{}</title></rect>\n",
            0.08 + 0.72 * share,
            escape(says),
            size = CELL - 1.0
        );
    }
    if share >= WRITTEN {
        svg += &label(x + CELL / 2.0, y + CELL * 0.6, "cell middle", &format!("{:.0}", share * 100.0));
    }
    svg
}

pub(super) fn figure(cases: &[Weighed<'_>], id: &str) -> String {
    let matrix = Matrix::of(cases);
    let (width, height, svg) = matrix.draw();
    let names = matrix.names();
    let mut rows = Vec::new();
    for (row, cause) in matrix.causes.iter().enumerate() {
        let called = matrix.row(row).into_iter().enumerate().filter(|(_, (_, count))| *count > 0);
        rows.extend(called.map(|(column, (share, count))| {
            vec![cause.code().to_owned(), names[column].to_owned(), percent(share), thousands(count)]
        }));
    }
    Figure {
        id: &format!("{id}-confusion"),
        title: "Causes: true and called",
        description: "For each true cause (row), how often each cause (column) was called the likeliest, in \
                      percent of the row.",
        width,
        height,
        svg,
        table: table("Causes: true and called", &["true", "called", "share", "attempts"], &rows),
    }
    .html()
}
