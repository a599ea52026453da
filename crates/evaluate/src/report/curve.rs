//! A plot of shares against shares: axes, lines, points with error bars, and what each line is.

use std::fmt::Write;

use crate::case::Observer;

use super::draw::{escape, label, line};

pub(super) const WIDTH: f64 = 560.0;
pub(super) const HEIGHT: f64 = 400.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 16.0;
const RIGHT: f64 = 150.0;
const BOTTOM: f64 = 56.0;

/// The square of a plot; the upright axis ends at `top`.
pub(super) struct Axes {
    top: f64,
    svg: String,
    /// Lines named so far.
    named: usize,
}

/// How an observer's line looks, and what it is called.
pub(super) const fn look(observer: Observer) -> (&'static str, &'static str) {
    match observer {
        Observer::Classifier => ("classifier", "classifier"),
        Observer::IdealBlind => ("blind", "ideal, blind"),
        Observer::Ideal => ("ideal", "ideal"),
    }
}

impl Axes {
    /// Axes with their names; upright to `top`.
    pub(super) fn new(across: &str, upright: &str, top: f64) -> Self {
        let mut axes = Self { top, svg: String::new(), named: 0 };
        for step in 0..=5 {
            let share = f64::from(step) / 5.0;
            let (x, y) = (axes.x(share), axes.y(share * top));
            axes.svg += &line((axes.x(0.0), y), (axes.x(1.0), y), "grid");
            axes.svg += &line((x, axes.y(0.0)), (x, axes.y(top)), "grid");
            axes.svg += &label(x, axes.y(0.0) + 18.0, "tick middle", &format!("{:.0} %", share * 100.0));
            let digits = if top < 0.05 { 1 } else { 0 };
            let tick = format!("{:.digits$} %", share * top * 100.0);
            axes.svg += &label(axes.x(0.0) - 8.0, y + 4.0, "tick end", &tick);
        }
        axes.svg += &label((axes.x(0.0) + axes.x(1.0)) / 2.0, HEIGHT - 14.0, "axis middle", across);
        let middle = (axes.y(0.0) + axes.y(top)) / 2.0;
        let _ = writeln!(
            axes.svg,
            "<text transform=\"translate(14 {middle:.1}) rotate(-90)\" class=\"axis middle\">{}</text>",
            escape(upright)
        );
        axes
    }

    fn x(&self, share: f64) -> f64 {
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, share: f64) -> f64 {
        TOP + (1.0 - (share / self.top).clamp(0.0, 1.0)) * (HEIGHT - TOP - BOTTOM)
    }

    /// A line through points.
    pub(super) fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let points: Vec<_> =
            points.iter().map(|(x, y)| format!("{:.1},{:.1}", self.x(*x), self.y(*y))).collect();
        let _ = writeln!(self.svg, "<polyline points=\"{}\" class=\"curve {class}\"/>", points.join(" "));
    }

    /// A point, with a bar from `low` to `high`.
    pub(super) fn point(&mut self, class: &str, (x, y): (f64, f64), (low, high): (f64, f64), says: &str) {
        let x = self.x(x);
        self.svg += &line((x, self.y(low)), (x, self.y(high)), &format!("error {class}"));
        let _ = writeln!(
            self.svg,
            "<circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"4\" class=\"point {class}\"><title>{}</title></circle>",
            self.y(y),
            escape(says)
        );
    }

    /// Says at the right edge what a line is.
    pub(super) fn name(&mut self, class: &str, name: &str) {
        let (x, y) = (WIDTH - RIGHT + 16.0, TOP + 10.0 + 22.0 * self.named as f64);
        self.svg += &line((x, y), (x + 24.0, y), &format!("curve {class}"));
        self.svg += &label(x + 30.0, y + 4.0, "name", name);
        self.named += 1;
    }

    /// The drawing.
    pub(super) fn finish(self) -> String {
        self.svg
    }
}
