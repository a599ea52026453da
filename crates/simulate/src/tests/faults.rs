//! The faults of the telemetry come as often as a world says.

use std::collections::HashSet;

use authstitch_model::truth::TruthLine;
use authstitch_model::{EndAct, EventName, Side};

use super::{blocks, truth, world};
use crate::Content;

fn lost_share(lines: &[TruthLine], counts: impl Fn(&authstitch_model::line::SpanLine) -> bool) -> f64 {
    let lost = lines.iter().flat_map(|line| &line.lost).filter(|span| counts(span)).count() as f64;
    let kept = lines.iter().flat_map(|line| &line.spans).filter(|span| counts(span)).count() as f64;
    lost / (lost + kept)
}

#[test]
fn loss_is_near_the_stated_one_on_each_side() {
    let world = world(
        "{name: w, telemetry: {loss: {initiator: 0.05, authenticator: 0.2, server: 0.1}, server_processes: 1000}}",
    );
    let lines = truth(world, 1, 500);
    for (side, stated) in [(Side::Initiator, 0.05), (Side::Authenticator, 0.2), (Side::Server, 0.1)] {
        let realised = lost_share(&lines, |span| span.side == side);
        assert!((realised - stated).abs() < 0.015, "{side}: {realised}");
    }
}

#[test]
fn without_faults_nothing_is_lost_and_nothing_comes_twice() {
    let blocks = blocks(world("{name: w}"), 1, 50);
    assert!(blocks.iter().flat_map(|block| &block.attempts).all(|line| line.lost.is_empty()));
    assert!(blocks.iter().flat_map(|block| &block.emissions).all(|emission| emission.copy == 0));
}

#[test]
fn records_of_one_batch_share_its_fate() {
    let world =
        world("{name: w, telemetry: {loss: {server: 0.5}, batching: {spans_s: 300}, server_processes: 1}}");
    let lines = truth(world, 1, 20);
    let of_server = |spans: &[authstitch_model::line::SpanLine]| {
        spans.iter().filter(|span| span.side == Side::Server).count()
    };
    let split = lines.iter().filter(|line| of_server(&line.spans) > 0 && of_server(&line.lost) > 0).count();
    assert_eq!(split, 0, "one batch holds all of an attempt's server events");
}

#[test]
fn what_is_sent_while_the_page_goes_is_lost_more_often() {
    let world = world(
        "{name: w, people: {walking_closes: 1}, telemetry: {unload_loss: 0.25},
          flows: {app_qr: {steps: {scanned: {decisions: {walked_away: 1}}}}}}",
    );
    let lines = truth(world, 1, 300);
    assert!(lines.iter().all(|line| line.end_act == EndAct::Closed));
    let realised = lost_share(&lines, |span| span.event == EventName::PageUnloaded);
    assert!((realised - 0.25).abs() < 0.03, "{realised}");
    assert_eq!(lost_share(&lines, |span| span.side == Side::Server), 0.0);
}

#[test]
fn a_span_that_is_open_when_the_page_goes_is_never_sent() {
    let world = world(
        "{name: w, segments: [{mix: {passkey_cda: 1}}], people: {walking_closes: 1},
          telemetry: {styles: [{long_spans: true}]},
          flows: {passkey_cda: {steps: {scanned: {decisions: {walked_away: 1}}}}}}",
    );
    for line in truth(world, 1, 10) {
        assert!(line.lost.iter().any(|span| span.event == EventName::WebauthnStarted), "{line:?}");
    }
}

#[test]
fn duplicates_are_as_frequent_as_stated_and_stand_in_the_truth_once() {
    let blocks = blocks(world("{name: w, telemetry: {duplicated: 0.1, server_processes: 1000}}"), 1, 300);
    let copies =
        blocks.iter().flat_map(|block| &block.emissions).filter(|emission| emission.copy == 1).count();
    let all = blocks.iter().map(|block| block.emissions.len()).sum::<usize>();
    let share = copies as f64 / (all - copies) as f64;
    assert!((share - 0.1).abs() < 0.02, "{share}");
    let spans: usize = blocks.iter().flat_map(|block| &block.attempts).map(|line| line.spans.len()).sum();
    assert_eq!(spans, all - copies);
}

#[test]
fn head_sampling_keeps_whole_traces_and_says_so() {
    let world = world("{name: w, telemetry: {sampling: {head: 0.3, announced: true}}}");
    let blocks = blocks(world, 1, 200);
    let lines: Vec<_> = blocks.iter().flat_map(|block| block.attempts.clone()).collect();
    let lost = lost_share(&lines, |_| true);
    assert!((lost - 0.7).abs() < 0.04, "{lost}");
    let traces = |spans: &[authstitch_model::line::SpanLine]| -> HashSet<_> {
        spans.iter().map(|span| span.trace_id).collect()
    };
    assert!(lines.iter().all(|line| traces(&line.spans).is_disjoint(&traces(&line.lost))));
    for emission in blocks.iter().flat_map(|block| &block.emissions) {
        let Content::Span { span, .. } = &emission.content else { continue };
        assert_eq!(span.trace_state, "ot=th:b333333333333");
    }
}

#[test]
fn tail_sampling_can_keep_errors_alone() {
    let world = world(
        "{name: w, telemetry: {sampling: {errors_only: true}},
          flows: {app_qr: {steps: {verified: {mishaps: {risk_denied: 0.5}}}}}}",
    );
    for line in truth(world, 1, 20) {
        let failed = |span: &&authstitch_model::line::SpanLine| span.event == EventName::VerificationFailed;
        assert_eq!(line.spans.is_empty(), line.cause.is_none());
        assert!(line.cause.is_none() || line.spans.iter().any(|span| failed(&span)));
    }
}

#[test]
fn clocks_are_off_as_stated() {
    let times = |clock: &str| {
        let world = world(&format!("{{name: w, telemetry: {{clock: {{authenticator: {clock}}}}}}}"));
        let emissions = blocks(world, 1, 100).into_iter().flat_map(|block| block.emissions);
        let phones = emissions.filter(|emission| emission.exporter.side() == Side::Authenticator);
        phones
            .filter_map(|emission| match emission.content {
                Content::Span { span, .. } => Some(span.start_time_unix_nano as i64),
                Content::Log { .. } => None,
            })
            .collect::<Vec<_>>()
    };
    let right = times("[]");
    let off = times("[{share: 0.5, from_s: 10, to_s: 100, behind: 1}]");
    let errors: Vec<f64> = right.iter().zip(&off).map(|(right, off)| (off - right) as f64 / 1e9).collect();
    assert!(errors.iter().all(|error| *error == 0.0 || (-100.001..=-9.999).contains(error)));
    let share = errors.iter().filter(|error| **error != 0.0).count() as f64 / errors.len() as f64;
    assert!((share - 0.5).abs() < 0.06, "{share}");
}

#[test]
fn unrelated_spans_surround_the_login_and_are_in_no_truth_line() {
    let with = blocks(
        world("{name: w, telemetry: {unrelated: {initiator: 3, authenticator: 1, server: 3}}}"),
        1,
        100,
    );
    let spans: usize = with.iter().flat_map(|block| &block.attempts).map(|line| line.spans.len()).sum();
    let records: usize = with.iter().map(|block| block.emissions.len()).sum();
    let each = (records - spans) as f64 / 800.0;
    assert!((each - 7.0).abs() < 0.5, "{each}");
}

#[test]
fn a_style_can_be_sampled_in_its_own_way() {
    let world = world(
        "{name: w, telemetry: {sampling: {head: 0}, styles: [
            {schema_url: false, sampling: {head: 1}},
            {schema_url: true}]}}",
    );
    let lines = truth(world, 1, 50);
    let kept = lines.iter().filter(|line| line.lost.is_empty()).count() as f64 / lines.len() as f64;
    assert!((kept - 0.5).abs() < 0.1, "{kept}");
    assert!(lines.iter().all(|line| line.spans.is_empty() || line.lost.is_empty()));
}

#[test]
fn unknown_faults_are_reported_as_often_as_stated() {
    let reported = |stated: &str| {
        let lines = truth(
            world(&format!(
                "{{name: w, telemetry: {{{stated}}},
                  flows: {{app_qr: {{steps: {{opened: {{mishaps: {{unknown: 1}}}}}}}}}}}}"
            )),
            1,
            100,
        );
        let told = |line: &TruthLine| line.spans.iter().any(|span| span.event == EventName::Error);
        lines.iter().filter(|line| told(line)).count() as f64 / lines.len() as f64
    };
    assert_eq!((reported("unknown_reported: 0"), reported("unknown_reported: 1")), (0.0, 1.0));
    assert!((reported("") - 0.5).abs() < 0.06);
}
