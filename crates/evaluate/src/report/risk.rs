//! Risk against coverage: how often the likeliest cause is wrong among the attempts judged with most
//! confidence.

use crate::case::{Observer, Weighed};
use crate::forecast::Forecast;
use crate::tally;

use super::curve::{Axes, HEIGHT, WIDTH, look};
use super::draw::{Figure, percent, table};

/// Abstaining below these probabilities stands in the table.
const THRESHOLDS: [f64; 7] = [0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];
/// Points of a curve.
const POINTS: usize = 100;

/// A confidence, and what share is judged with at least that one, and how often it is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub threshold: f64,
    pub coverage: f64,
    pub risk: f64,
}

/// The most confident first; attempts of equal confidence come at once, and those of which nothing was said
/// are never covered.
pub(super) fn steps(cases: &[Weighed<'_>], observer: Observer) -> Vec<Step> {
    let all: f64 = cases.iter().map(|weighed| weighed.weight).sum();
    let confidence = |said: &Forecast| said.of(said.cause());
    let mut said: Vec<_> = cases
        .iter()
        .filter_map(|weighed| {
            let said = weighed.case.said(observer)?;
            Some((confidence(said), weighed.weight, said.cause() != weighed.case.cause))
        })
        .collect();
    said.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut covered, mut wrong) = (0.0, 0.0);
    let mut steps = Vec::new();
    for same in said.chunk_by(|a, b| a.0 == b.0) {
        covered += same.iter().map(|one| one.1).sum::<f64>();
        wrong += same.iter().filter(|one| one.2).map(|one| one.1).sum::<f64>();
        steps.push(Step { threshold: same[0].0, coverage: covered / all, risk: wrong / covered });
    }
    steps
}

/// What is judged when everything below a probability is left undecided.
pub(super) fn at(steps: &[Step], threshold: f64) -> Option<Step> {
    steps.iter().rev().find(|step| step.threshold >= threshold).copied()
}

pub(super) fn figure(cases: &[Weighed<'_>], id: &str) -> String {
    let observers = [Observer::Ideal, Observer::IdealBlind, Observer::Classifier].into_iter();
    let shown: Vec<_> = observers
        .filter(|observer| *observer == Observer::Classifier || tally::ceiling(cases, *observer).is_some())
        .map(|observer| (observer, steps(cases, observer)))
        .collect();
    // The first few attempts alone make no rate.
    let readable = |step: &&Step| step.coverage >= 0.05;
    let highest = shown.iter().flat_map(|(_, steps)| steps.iter().filter(readable)).map(|step| step.risk);
    let top = (highest.fold(0.01, f64::max) * 20.0).ceil() / 20.0;
    let mut axes = Axes::new("share of attempts that is judged", "likeliest cause is wrong", top);
    let mut rows = Vec::new();
    for (observer, steps) in &shown {
        let (class, name) = look(*observer);
        axes.path(class, &thinned(steps));
        axes.name(class, name);
        for threshold in THRESHOLDS {
            let step = at(steps, threshold);
            let cell = |of: fn(&Step) -> f64| step.as_ref().map_or("–".into(), |step| percent(of(step)));
            rows.push(vec![
                (*name).to_owned(),
                percent(threshold),
                cell(|step| step.coverage),
                cell(|step| step.risk),
            ]);
        }
    }
    Figure {
        id: &format!("{id}-risk"),
        title: "Risk against coverage",
        description: "How often the likeliest cause is wrong, when the attempts judged with least confidence \
                      are left undecided. The lower, the better; further left, more is left undecided.",
        width: WIDTH,
        height: HEIGHT,
        svg: axes.finish(),
        table: table("Risk against coverage", &["who", "decided from", "judged", "wrong"], &rows),
    }
    .html()
}

/// About as many points as a curve shows, the last one among them.
fn thinned(steps: &[Step]) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    for (nth, step) in steps.iter().enumerate() {
        let next = points.last().map_or(0.01, |last| last.0 + 1.0 / POINTS as f64);
        if step.coverage >= next || nth + 1 == steps.len() {
            points.push((step.coverage, step.risk));
        }
    }
    points
}
