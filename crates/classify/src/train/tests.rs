//! Fitting: what is learnt, that it is the same twice, and that priors adapt.

use authstitch_model::{Cause, Completeness};

use super::*;
use crate::classify;
use crate::support::journey;

fn provenance(version: &str) -> Provenance {
    Provenance { version: version.into(), made_by: "a test".into(), fingerprint: String::new() }
}

fn example(text: &str, cause: Cause, weight: f64) -> Example {
    let label = Label { cause, halted: cause.stops().first().copied(), transport: None, weight };
    Example::new(&journey(text), &Completeness::default(), label).expect("a journey that ended")
}

const SWITCHED: &str = "flow app_qr\n0 auth.challenge.created\n1 auth.qr.shown\n9 auth.method.switched";
const CLOSED: &str = "flow app_qr\n0 auth.challenge.created\n1 auth.qr.shown\n9 auth.page.unloaded";

fn examples() -> Vec<Example> {
    let mut examples = Vec::new();
    for nth in 0..400 {
        examples.push(example(
            SWITCHED,
            if nth % 10 == 0 { Cause::ScanFailed } else { Cause::SwitchedMethod },
            1.0,
        ));
        examples.push(example(CLOSED, if nth % 4 == 0 { Cause::ScanFailed } else { Cause::WalkedAway }, 1.0));
    }
    examples
}

fn said(tables: &Tables, text: &str, cause: Cause) -> f32 {
    classify(&journey(text), &Completeness::default(), tables).causes.of(cause)
}

#[test]
fn what_is_fitted_says_what_the_examples_say() {
    let tables = train(&examples(), &Completeness::default(), provenance("t"));
    for (text, cause, share) in [
        (SWITCHED, Cause::SwitchedMethod, 0.9),
        (SWITCHED, Cause::ScanFailed, 0.1),
        (CLOSED, Cause::WalkedAway, 0.75),
        (CLOSED, Cause::ScanFailed, 0.25),
    ] {
        let said = said(&tables, text, cause);
        assert!((said - share).abs() < 0.05, "{cause}: {said}, in the examples {share}");
    }
}

#[test]
fn a_weight_counts_as_so_many_examples() {
    let mut heavy = examples();
    heavy.extend((0..40).map(|_| example(SWITCHED, Cause::ScanFailed, 10.0)));
    let tables = train(&heavy, &Completeness::default(), provenance("t"));
    let said = said(&tables, SWITCHED, Cause::ScanFailed);
    assert!((said - 0.55).abs() < 0.06, "{said}");
}

#[test]
fn the_same_examples_give_the_same_tables_which_read_back() {
    let (one, other) = (
        train(&examples(), &Completeness::default(), provenance("t")),
        train(&examples(), &Completeness::default(), provenance("t")),
    );
    assert_eq!(one.to_json(), other.to_json());
    let read = Tables::from_json(&one.to_json()).unwrap();
    assert!(
        (said(&read, SWITCHED, Cause::SwitchedMethod) - said(&one, SWITCHED, Cause::SwitchedMethod)).abs()
            < 1e-3
    );
}

#[test]
fn adapting_finds_how_often_each_cause_occurs_without_being_told() {
    let tables = train(&examples(), &Completeness::default(), provenance("t"));
    // Among the others' journeys nine of ten were closed.
    let texts = std::iter::repeat_n(CLOSED, 900).chain(std::iter::repeat_n(SWITCHED, 100));
    let judged: Vec<_> =
        texts.filter_map(|text| Unlabelled::new(&journey(text), &Completeness::default(), &tables)).collect();
    let adapted = adapt(&tables, &judged, provenance("a"));
    let prior = |tables: &Tables, cause: Cause| tables.of(Flow::AppQr).prior.shares[cause.index()];
    assert!(prior(&adapted, Cause::WalkedAway) > 1.3 * prior(&tables, Cause::WalkedAway));
    assert!(prior(&adapted, Cause::SwitchedMethod) < 0.5 * prior(&tables, Cause::SwitchedMethod));
    assert_eq!(adapted.version(), "a");
}

#[test]
fn a_journey_that_was_cut_off_teaches_nothing() {
    let text = format!("{CLOSED}\nclose shutdown");
    let label = Label { cause: Cause::WalkedAway, halted: None, transport: None, weight: 1.0 };
    assert!(Example::new(&journey(&text), &Completeness::default(), label).is_none());
}
