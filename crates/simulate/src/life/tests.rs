//! One test for each rule of what a life is made of.

use super::*;
use crate::random::Stream;

fn lives(yaml: &str, flow: Flow, standing: Option<Stopped>) -> Vec<Story> {
    let world = World::from_yaml(yaml).unwrap_or_else(|problems| panic!("{problems}"));
    let mut dice = Dice::new(1, Stream::Life, [0; 3]);
    let start = UnixNanos(1_000_000_000_000);
    (0..200)
        .map(|_| {
            let person = Person::meet(&world, &mut dice);
            live(&world, &person, flow, start, standing, &mut dice)
        })
        .collect()
}

fn app_qr(steps: &str) -> String {
    format!("{{name: w, flows: {{app_qr: {{steps: {{{steps}}}}}}}}}")
}

#[test]
fn a_standing_obstacle_may_still_be_there() {
    let standing = Stopped { cause: Cause::NoCredential, phase: Phase::Prompted, at: UnixNanos(0) };
    let stopped = |share: f64| {
        let yaml = format!("{{name: w, people: {{retry: {{still_there: {share}}}}}}}");
        let lives = lives(&yaml, Flow::PasskeyCda, Some(standing));
        lives.iter().filter(|story| story.cause() == Cause::NoCredential).count()
    };
    assert_eq!((stopped(1.0), stopped(0.0)), (200, 0));
    assert!((100..145).contains(&stopped(0.6)), "{}", stopped(0.6));
}

#[test]
fn hazards_strike_with_their_rates() {
    let yaml = app_qr("scanned: {mishaps: {scan_failed: 0.3}, decisions: {cancelled: 0.3}}");
    let lives = lives(&yaml, Flow::AppQr, None);
    for cause in [Cause::ScanFailed, Cause::Cancelled] {
        let struck = lives.iter().filter(|story| story.cause() == cause).count();
        assert!((45..75).contains(&struck), "{cause}: {struck} of 200");
    }
}

#[test]
fn a_mishap_that_is_overcome_leaves_a_hiccup_and_takes_time() {
    let yaml = "{name: w, people: {overcome: {handoff_failed: 1}, recovery: {median_s: 7, p95_s: 7}},
                 flows: {app_qr: {steps: {opened: {time: {median_s: 1, p95_s: 1}, mishaps: {handoff_failed: 1}}}}}}";
    for story in lives(yaml, Flow::AppQr, None) {
        let (Some(scanned), Some(opened)) = (story.at(Phase::Scanned), story.at(Phase::Opened)) else {
            continue;
        };
        // Each of three times: 1 s until it strikes and 7 s to overcome it; then the step itself.
        assert_eq!(opened.since(scanned), Millis(25_000));
        assert_eq!(story.hiccups.len(), 3);
    }
}

#[test]
fn what_outlives_its_code_expires() {
    let yaml = "{name: w, flows: {app_qr: {codes: {lifetime_s: 10, count: 2},
                 steps: {scanned: {time: {median_s: 40, p95_s: 41}}}}}}";
    for story in lives(yaml, Flow::AppQr, None) {
        assert_eq!((story.cause(), story.codes.len()), (Cause::CodeExpired, 2));
    }
}

#[test]
fn what_outlives_the_browsers_ceremony_expires_by_its_step() {
    for (phase, cause) in [
        ("scanned", Cause::CodeExpired),
        ("proximity", Cause::ProximityFailed),
        ("prompted", Cause::CodeExpired),
        ("confirmed", Cause::PromptExpired),
    ] {
        let yaml = format!(
            "{{name: w, segments: [{{initiators: {{Linux/Firefox: 1}}}}],
               flows: {{passkey_cda: {{steps: {{{phase}: {{time: {{median_s: 500, p95_s: 501}}}}}}}}}}}}"
        );
        let stopped = |story: &Story| story.stopped.is_some_and(|stopped| stopped.phase.code() == phase);
        let stories: Vec<_> = lives(&yaml, Flow::PasskeyCda, None).into_iter().filter(stopped).collect();
        assert!(stories.len() > 180, "a slow scan stops some of them before");
        for story in stories {
            assert_eq!(story.cause(), cause);
            assert_eq!(story.end.act, EndAct::TimedOut);
            assert_eq!(Some(story.end.at), story.ceremony_limit());
        }
    }
}

#[test]
fn who_is_stuck_gives_up_after_their_patience_and_that_is_no_cause() {
    let yaml = "{name: w, people: {patience: {median_s: 9, p95_s: 9}, endings: {switched: 1}},
                 flows: {app_qr: {steps: {scanned: {mishaps: {scan_failed: 1}}}}}}";
    for story in lives(yaml, Flow::AppQr, None) {
        let stopped = story.stopped.unwrap();
        assert_eq!((stopped.cause, story.end.act), (Cause::ScanFailed, EndAct::Switched));
        assert_eq!(story.end.at.since(stopped.at), Millis(9000));
    }
}

#[test]
fn an_advert_that_is_not_matched_leaves_the_desktop_waiting_until_people_give_up() {
    let yaml = "{name: w, people: {patience: {median_s: 9, p95_s: 9}, endings: {cancelled: 1}},
                 flows: {passkey_cda: {steps: {proximity: {mishaps: {proximity_failed: 1}}}}}}";
    for story in lives(yaml, Flow::PasskeyCda, None) {
        if story.cause() == Cause::ProximityFailed {
            assert_eq!(story.end.act, EndAct::Cancelled);
            assert_eq!(story.end.at.since(story.stopped.unwrap().at), Millis(9000));
        }
    }
}

#[test]
fn nothing_is_overcome_after_the_end_of_the_ceremony() {
    let yaml = "{name: w, people: {overcome: {bluetooth_unavailable: 1, code_expired: 1}, recovery: {median_s: 60, p95_s: 600}},
                 flows: {passkey_cda: {steps: {proximity: {mishaps: {bluetooth_unavailable: 0.8}}}}}}";
    for story in lives(yaml, Flow::PasskeyCda, None) {
        let limit = story.ceremony_limit().unwrap();
        assert!(story.hiccups.iter().all(|hiccup| hiccup.over_at < limit));
        assert!(story.cause() == Cause::None || story.end.at <= limit);
    }
}

#[test]
fn a_server_that_refuses_ends_it_at_once() {
    for story in lives(&app_qr("verified: {mishaps: {risk_denied: 1}}"), Flow::AppQr, None) {
        if story.cause() == Cause::RiskDenied {
            assert_eq!(story.end.act, EndAct::Failed);
            assert!(story.end.at.since(story.stopped.unwrap().at) < Millis(500));
        }
    }
}

#[test]
fn an_expiry_after_a_decision_is_no_mishap() {
    let yaml = "{name: w, people: {walking_closes: 0}, segments: [{initiators: {macOS/Safari: 1}}],
                 flows: {passkey_cda: {steps: {scanned: {decisions: {walked_away: 1}}}}}}";
    for story in lives(yaml, Flow::PasskeyCda, None) {
        assert_eq!((story.cause(), story.end.act), (Cause::WalkedAway, EndAct::TimedOut));
    }
}

#[test]
fn an_autofill_ceremony_never_times_out() {
    let yaml = "{name: w, people: {walking_closes: 0}, segments: [{initiators: {macOS/Safari: 1}}],
                 flows: {passkey_cda: {ceremony: {conditional: 1}, steps: {presented: {decisions: {walked_away: 1}}}}}}";
    for story in lives(yaml, Flow::PasskeyCda, None) {
        assert_eq!(story.end.act, EndAct::Silent);
    }
}

#[test]
fn whoever_is_still_on_the_way_at_the_horizon_walks_away() {
    let yaml = "{name: w, flows: {magic_link: {horizon_s: 1000, link: {lifetime_s: 1000},
                 steps: {opened: {time: {median_s: 5000, p95_s: 5001}}}}}}";
    for story in lives(yaml, Flow::MagicLink, None) {
        assert_eq!(story.cause(), Cause::WalkedAway);
        assert_eq!(story.stopped.unwrap().at.since(story.started_at), Millis::from_secs(1000));
    }
}

#[test]
fn an_orders_code_that_expires_before_the_app_opens_was_stale_when_it_was_scanned() {
    let yaml = "{name: w, flows: {app_qr: {codes: {lifetime_s: 60, count: 3}, steps: {opened: {mishaps: {code_expired: 1}}}}}}";
    let mut stale = 0;
    for story in lives(yaml, Flow::AppQr, None) {
        let (Some(shown), Some(scanned)) = (story.codes.last(), story.at(Phase::Scanned)) else { continue };
        assert!(scanned.since(*shown) > Millis::from_secs(61), "{:?}", scanned.since(*shown));
        assert!(story.stopped.is_some_and(|stopped| stopped.at > scanned));
        stale += 1;
    }
    assert!(stale > 150, "{stale}");
}

#[test]
fn a_call_that_the_browser_refuses_fails_within_a_second_and_people_take_longer() {
    let steps = "mishaps: {client_error: 0.5}, decisions: {cancelled: 0.5}";
    let yaml = format!(
        "{{name: w, people: {{decision: {{at_least_s: 1.2}}}}, flows: {{passkey_cda: {{steps: {{presented: {{{steps}}}}}}}}}}}"
    );
    let stories = lives(&yaml, Flow::PasskeyCda, None);
    let with_code = stories
        .iter()
        .filter(|story| story.ceremony.is_some_and(|ceremony| ceremony.transport == Transport::HybridQr));
    for story in with_code {
        let (Some(began), Some(stopped)) = (story.at(Phase::Started), story.stopped) else { continue };
        let refused = stopped.cause == Cause::ClientError;
        let length = stopped.at.since(began);
        assert_eq!(refused, length < Millis(1_200), "{} after {length:?}", stopped.cause);
    }
}
