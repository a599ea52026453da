//! Calibration: how often the likeliest cause is right, against how likely it was called.

use crate::calibration;
use crate::case::{Observer, Weighed};
use crate::tally;
use crate::text::thousands;

use super::curve::{Axes, HEIGHT, WIDTH, look};
use super::draw::{Figure, percent, table};

/// Standard errors of a bar, each way: about 19 bars in 20 hold the truth.
const BAR: f64 = 1.96;

pub(super) fn figure(cases: &[Weighed<'_>], id: &str) -> String {
    let mut axes = Axes::new("probability of the likeliest cause", "how often it was right", 1.0);
    axes.path("even", &[(0.0, 0.0), (1.0, 1.0)]);
    let mut rows = Vec::new();
    for observer in [Observer::IdealBlind, Observer::Classifier] {
        if observer == Observer::IdealBlind && tally::ceiling(cases, observer).is_none() {
            continue;
        }
        let (class, name) = look(observer);
        let bins = calibration::bins(cases, observer);
        axes.path(class, &bins.iter().map(|bin| (bin.confidence, bin.right)).collect::<Vec<_>>());
        for bin in &bins {
            let reach = BAR * bin.error.unwrap_or_default();
            let says = format!(
                "{name}: {} said, {} right, {} attempts",
                percent(bin.confidence),
                percent(bin.right),
                thousands(bin.count)
            );
            let bar = ((bin.right - reach).max(0.0), (bin.right + reach).min(1.0));
            axes.point(class, (bin.confidence, bin.right), bar, &says);
            let error = bin.error.map_or("–".into(), percent);
            let cells =
                [name.into(), percent(bin.confidence), percent(bin.right), error, thousands(bin.count)];
            rows.push(cells.to_vec());
        }
        axes.name(class, name);
    }
    axes.name("even", "calibrated");
    Figure {
        id: &format!("{id}-calibration"),
        title: "Calibration",
        description: "How often the likeliest cause is the true one, against the probability it was given, in \
                      bins of equal mass. Points on the diagonal keep their word; bars span 95 %.",
        width: WIDTH,
        height: HEIGHT,
        svg: axes.finish(),
        table: table("Calibration", &["who", "said", "right", "±", "attempts"], &rows),
    }
    .html()
}
