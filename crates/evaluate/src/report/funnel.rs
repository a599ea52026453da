//! The funnel of each flow: how far logins really came, and how far the journeys say they came.

use authstitch_model::{Basis, Flow, Phase, phases};

use crate::case::{Case, Weighed};
use crate::mean::ratio;
use crate::tally;
use crate::text::thousands;

use super::draw::{Figure, bar, label, percent, table};

const LEFT: f64 = 110.0;
const BAR: f64 = 420.0;
const ROW: f64 = 40.0;
const TOP: f64 = 36.0;

/// What is said of a phase, by how it is known.
const PARTS: [(Basis, &str, &str); 3] = [
    (Basis::Observed, "observed", "observed"),
    (Basis::Implied, "implied", "implied"),
    (Basis::Inferred, "inferred", "inferred"),
];

/// One phase of a funnel, as shares of the attempts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub phase: Phase,
    /// That really reached it.
    pub truly: f64,
    /// The mean probability of having reached it: observed, implied, inferred.
    pub said: [f64; 3],
}

/// The funnel of attempts of one flow. An attempt without a journey says nothing.
pub(super) fn steps(flow: Flow, cases: &[Weighed<'_>]) -> Vec<Step> {
    let mass: f64 = cases.iter().map(|weighed| weighed.weight).sum();
    let mean = |of: &dyn Fn(&Case) -> f64| {
        let sum = cases.iter().map(|weighed| weighed.weight * of(weighed.case)).sum();
        ratio(sum, mass).unwrap_or_default()
    };
    let step = |place: &phases::FlowPhase| {
        let index = place.phase.index();
        let said = PARTS.map(|(basis, ..)| {
            mean(&|case| match case.shown.as_ref().and_then(|shown| shown.phases[index]) {
                Some((reached, known)) if known == basis => reached,
                _ => 0.0,
            })
        });
        Step { phase: place.phase, truly: mean(&|case| f64::from(case.reached[index])), said }
    };
    phases::of(flow).iter().map(step).collect()
}

/// A figure for each flow. Truth that tells no phases has none.
pub(super) fn figures(cases: &[Weighed<'_>], id: &str) -> String {
    let told = cases.iter().any(|weighed| weighed.case.reached.contains(&true));
    let flows = tally::by_flow(cases);
    flows.iter().filter(|_| told).map(|(flow, cases)| figure(*flow, cases, id)).collect()
}

fn figure(flow: Flow, cases: &[Weighed<'_>], id: &str) -> String {
    let steps = steps(flow, cases);
    let mut svg = legend();
    let mut rows = Vec::new();
    for (nth, step) in steps.iter().enumerate() {
        let y = TOP + ROW * nth as f64;
        let said: f64 = step.said.iter().sum();
        svg += &label(LEFT - 10.0, y + 20.0, "tick end", step.phase.code());
        let truly = format!("{} truly reached {}", percent(step.truly), step.phase);
        svg += &bar(LEFT, y, BAR * step.truly, 12.0, "truly", &truly);
        let mut x = LEFT;
        for ((_, class, name), share) in PARTS.iter().zip(step.said) {
            let says = format!("{} {name} at {}", percent(share), step.phase);
            if share > 0.0 {
                svg += &bar(x, y + 14.0, BAR * share, 12.0, class, &says);
            }
            x += BAR * share;
        }
        svg += &label(LEFT + BAR + 8.0, y + 10.0, "tick", &percent(step.truly));
        svg += &label(LEFT + BAR + 8.0, y + 24.0, "tick faint", &percent(said));
        let shares = [step.truly, said].into_iter().chain(step.said).map(percent);
        rows.push([step.phase.code().to_owned()].into_iter().chain(shares).collect());
    }
    let title = format!("How far {flow} logins came ({} attempts)", thousands(cases.len()));
    Figure {
        id: &format!("{id}-funnel-{flow}"),
        title: &title,
        description: "The share of attempts that truly reached each phase, above what the journeys say: the \
                      mean probability of having reached it, parted by how it is known.",
        width: LEFT + BAR + 80.0,
        height: TOP + ROW * steps.len() as f64,
        svg,
        table: table(&title, &["phase", "truly", "said", "observed", "implied", "inferred"], &rows),
    }
    .html()
}

fn legend() -> String {
    let mut svg = String::new();
    let names = [("truly", "truly")].into_iter().chain(PARTS.map(|(_, class, name)| (class, name)));
    for (nth, (class, name)) in names.enumerate() {
        let x = LEFT + 105.0 * nth as f64;
        svg += &bar(x, 8.0, 12.0, 12.0, class, name);
        svg += &label(x + 18.0, 18.0, "name", name);
    }
    svg
}
