//! What a report holds.

use authstitch_model::Cause::{None as Succeeded, ScanFailed, WalkedAway};
use authstitch_model::truth::TruePhase;
use authstitch_model::{Basis, Cause, Flow, Phase, UnixNanos};

use super::{funnel, risk};
use crate::case::Observer;
use crate::testing::{near, phase, shares, told};
use crate::{Assessment, Member, Meta, Suite};

const SURE: &[(Cause, f64)] = &[(ScanFailed, 0.9), (WalkedAway, 0.1)];
const UNSURE: &[(Cause, f64)] = &[(ScanFailed, 0.6), (WalkedAway, 0.4)];

/// Four attempts: three called with 0.9, one of them wrongly; one with 0.6, wrongly.
fn world(name: &str, with_ceilings: bool) -> Assessment {
    let (mut truth, mut journeys) =
        told(&[(ScanFailed, SURE), (ScanFailed, SURE), (WalkedAway, SURE), (Succeeded, UNSURE)]);
    for line in &mut truth {
        line.phases = vec![TruePhase { phase: Phase::Started, at: UnixNanos(0) }];
        line.ideal_blind = with_ceilings.then(|| shares(SURE));
        line.ideal = with_ceilings.then(|| shares(&[(line.cause.unwrap_or(Succeeded), 1.0)]));
    }
    truth[0].phases.push(TruePhase { phase: Phase::Presented, at: UnixNanos(1) });
    for (line, basis) in journeys.iter_mut().zip([Basis::Observed, Basis::Implied, Basis::Inferred]) {
        line.phases = vec![phase(Phase::Started, basis, &[])];
        line.phases[0].reached = 0.8;
    }
    Assessment::new(Meta { world: name.into(), seed: Some(1) }, &truth, &journeys)
}

fn suite() -> Suite {
    Suite::new(vec![
        Member { assessment: world("first", true), share: Some(1.0) },
        Member { assessment: world("strange", false), share: None },
    ])
}

#[test]
fn a_report_stands_alone() {
    for html in [world("tiny", true).to_html(), suite().to_html()] {
        for outside in ["<script", "http:", "https:", "url(", "@import", " src=", "<link"] {
            assert!(!html.contains(outside), "{outside}");
        }
        assert!(html.contains("prefers-color-scheme: dark"));
    }
}

#[test]
fn every_plot_has_a_title_a_description_and_its_numbers() {
    for html in [world("tiny", true).to_html(), suite().to_html()] {
        let plots: Vec<_> = html.split("<svg ").skip(1).collect();
        assert!(plots.len() >= 4);
        let mut ids = std::collections::BTreeSet::new();
        for plot in plots {
            let id = plot.split("aria-labelledby=\"").nth(1).unwrap().split("-t ").next().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            let (drawing, after) = plot.split_once("</svg>").unwrap();
            assert!(drawing.contains(&format!("<title id=\"{id}-t\">")), "{id}");
            assert!(drawing.contains(&format!("<desc id=\"{id}-d\">")), "{id}");
            assert!(after.trim_start().starts_with("<details><summary>The numbers as a table"), "{id}");
            assert!(after.contains("<table>"), "{id}");
        }
    }
}

#[test]
fn elements_close_in_the_order_they_opened() {
    let html = suite().to_html();
    let mut open = Vec::new();
    for tag in html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
        let name = tag.trim_start_matches('/').split_whitespace().next().unwrap();
        match tag {
            _ if tag.ends_with('/') || ["!doctype", "meta"].contains(&name) => {}
            _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(name)),
            _ => open.push(name),
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn text_is_escaped() {
    let html = world("<b>\"&'", false).to_html();
    assert!(html.contains("&lt;b&gt;&quot;&amp;&#39;") && !html.contains("<b>"));
}

#[test]
fn both_ceilings_and_both_rules_are_shown_where_they_are_known() {
    let (with, without) = (world("tiny", true).to_html(), world("tiny", false).to_html());
    assert!(with.contains(">ideal, blind<") && with.contains(">ideal<"));
    assert!(!without.contains(">ideal, blind<"));
    assert!(
        without.contains("cause right by the last step") && without.contains("cause right by the commonest")
    );
}

#[test]
fn the_confusion_matrix_is_normalised_by_true_cause_and_tells_counts() {
    let html = world("tiny", false).to_html();
    assert!(html.contains("<title>scan_failed called scan_failed: 100.0 %, 2 attempts</title>"));
    assert!(html.contains("<title>walked_away called scan_failed: 100.0 %, 1 attempts</title>"));
}

#[test]
fn risk_is_taken_over_those_judged_with_at_least_a_confidence() {
    let world = world("tiny", true);
    let pool = world.alone();
    let steps = risk::steps(&pool.cases(), Observer::Classifier);
    let (sure, all) = (risk::at(&steps, 0.7).unwrap(), risk::at(&steps, 0.0).unwrap());
    assert!(near(Some(sure.coverage), 0.75) && near(Some(sure.risk), 1.0 / 3.0));
    assert!(near(Some(all.coverage), 1.0) && near(Some(all.risk), 0.5));
    assert_eq!(risk::at(&steps, 0.95), None);
}

#[test]
fn a_funnel_shows_the_truth_beside_what_is_said_by_how_it_is_known() {
    let world = world("tiny", false);
    let pool = world.alone();
    let steps = funnel::steps(Flow::AppQr, &pool.cases());
    assert!(near(Some(steps[0].truly), 1.0) && near(Some(steps[1].truly), 0.25));
    for part in steps[0].said {
        assert!(near(Some(part), 0.2));
    }
    assert_eq!(steps[1].said, [0.0; 3]);
}
