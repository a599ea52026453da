//! What a shipped world or variant is about happens in it.

use std::ops::Range;

use authstitch_model::truth::TruthLine;
use authstitch_model::{Cause, EventName, Flow, Outcome, Phase, Side};

use super::{shipped, truth, world};
use crate::World;

fn lines(name: &str) -> Vec<TruthLine> {
    truth(world(World::shipped(name).unwrap()), 5, 500)
}

fn share(lines: &[TruthLine], is_one: impl Fn(&TruthLine) -> bool) -> f64 {
    lines.iter().filter(|line| is_one(line)).count() as f64 / lines.len() as f64
}

fn of(cause: Cause) -> impl Fn(&TruthLine) -> bool {
    move |line| line.cause == Some(cause)
}

/// Whether the login stack told of an error, whether or not that arrived.
fn told(line: &TruthLine) -> bool {
    line.spans.iter().chain(&line.lost).any(|span| span.event == EventName::Error)
}

#[test]
fn in_every_world_some_succeed_and_some_do_not() {
    for world in shipped() {
        let name = world.name().to_owned();
        let succeeded = share(&truth(world, 5, 500), |line| line.outcome == Outcome::Succeeded);
        println!("{name}: {succeeded:.3} succeed");
        assert!((0.2..0.95).contains(&succeeded), "{name}: {succeeded}");
    }
}

#[test]
fn the_causes_that_a_world_is_about_are_frequent_in_it() {
    let subjects: [(&str, &[Cause]); 4] = [
        ("corporate_network", &[Cause::NetworkBlocked, Cause::PolicyBlocked, Cause::BluetoothUnavailable]),
        ("kiosk", &[Cause::WrongAccount, Cause::SessionNotKept, Cause::WalkedAway]),
        ("magic_link_mail_scanners", &[Cause::LinkPrefetched]),
        ("android_regression", &[Cause::HandoffFailed]),
    ];
    let baseline = lines("baseline");
    for (name, causes) in subjects {
        let lines = lines(name);
        for cause in causes {
            let (here, there) = (share(&lines, of(*cause)), share(&baseline, of(*cause)));
            println!("{name}: {cause} {here:.3}, in baseline {there:.3}");
            assert!(here > 1.25 * there && here > 0.01, "{name}: {cause} {here}, in baseline {there}");
        }
    }
    let corporate = lines("corporate_network");
    for cause in [Cause::LinkPrefetched, Cause::UnsupportedDevice] {
        assert!(corporate.iter().any(of(cause)), "{cause}");
    }
}

#[test]
fn one_version_of_the_app_breaks_its_links() {
    let (broken, sound): (Vec<_>, Vec<_>) =
        lines("android_regression").into_iter().partition(|line| line.segment == "android_7_4_0");
    let shares = [&broken, &sound].map(|lines| share(lines, of(Cause::HandoffFailed)));
    assert!(shares[0] > 0.2 && shares[1] < 0.02, "{shares:?}");
}

#[test]
fn few_confirmations_are_relayed() {
    let relayed = share(&lines("attack"), |line| line.relayed);
    assert!((0.015..0.04).contains(&relayed), "{relayed}");
}

#[test]
fn a_lossy_network_loses_more_of_the_phone_than_of_the_page_and_little_of_the_server() {
    let lines = lines("lossy_mobile");
    let lost = |side: Side| {
        let lost = lines.iter().flat_map(|line| &line.lost).filter(|span| span.side == side).count();
        let kept = lines.iter().flat_map(|line| &line.spans).filter(|span| span.side == side).count();
        lost as f64 / (lost + kept) as f64
    };
    let within = |side, range: Range<f64>| assert!(range.contains(&lost(side)), "{side}: {}", lost(side));
    within(Side::Authenticator, 0.10..0.14);
    within(Side::Initiator, 0.06..0.11);
    within(Side::Server, 0.0..0.02);
}

#[test]
fn sampling_takes_all_of_some_logins_a_part_of_others_and_nothing_of_a_few() {
    let lines = lines("sampled");
    let all = share(&lines, |line| line.spans.is_empty());
    let nothing = share(&lines, |line| line.lost.is_empty());
    assert!(all > 0.01 && nothing > 0.1 && all + nothing < 0.8, "{all} {nothing}");
}

#[test]
fn the_fault_with_a_signature_always_tells_and_the_mimic_never() {
    for (name, tells) in [("unknown_signature", 1.0), ("unknown_mimic", 0.0)] {
        let mut struck = lines(name);
        let frequent = share(&struck, of(Cause::Unknown));
        assert!(frequent > 0.03, "{name}: {frequent}");
        struck.retain(|line| line.cause == Some(Cause::Unknown) && line.hiccups.is_empty());
        assert_eq!(share(&struck, told), tells, "{name}");
    }
}

#[test]
fn a_side_that_is_not_instrumented_tells_nothing() {
    let lines = lines("partly_instrumented");
    let silent = |line: &TruthLine, side: Side| {
        // A server tells of the phone's fetches; what else is the phone's comes from its app.
        line.spans
            .iter()
            .chain(&line.lost)
            .all(|span| span.side != side || span.event == EventName::LinkOpened)
    };
    let started: Vec<_> = lines.into_iter().filter(|line| line.phases.len() > 6).collect();
    let (page, phone) = (
        share(&started, |line| silent(line, Side::Initiator)),
        share(&started, |line| silent(line, Side::Authenticator)),
    );
    println!("page silent {page:.2}, phone silent {phone:.2}");
    assert!((0.3..0.7).contains(&page) && (0.5..0.9).contains(&phone), "{page} {phone}");
}

#[test]
fn a_link_in_the_wrong_browser_is_refused_or_logs_that_one_in() {
    let lines = truth(super::causes::forced(Flow::MagicLink, Phase::Opened, Cause::WrongBrowser), 3, 50);
    let there = share(&lines, |line| {
        line.spans
            .iter()
            .any(|span| span.event == EventName::SessionEstablished && span.side == Side::Authenticator)
    });
    assert!((0.4..0.6).contains(&there), "{there}");
    assert!(lines.iter().all(|line| line.phases.iter().all(|reached| reached.phase < Phase::Opened)));
}

#[test]
fn whoever_asked_may_tell_that_the_server_refused() {
    for flow in [Flow::AppQr, Flow::PasskeyCda] {
        let lines = truth(super::causes::forced(flow, Phase::Verified, Cause::RiskDenied), 3, 50);
        let asker = if flow == Flow::PasskeyCda { Side::Initiator } else { Side::Authenticator };
        let told = share(&lines, |line| {
            line.spans.iter().any(|span| span.event == EventName::Error && span.side == asker)
        });
        assert!((0.3..0.5).contains(&told), "{flow}: {told}");
    }
}
