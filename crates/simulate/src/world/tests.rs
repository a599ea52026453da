//! World files: what is refused, and what stands on what.

use authstitch_model::Flow;
use expect_test::expect;

use super::*;

#[test]
fn all_mistakes_of_a_file_are_shown_at_once_each_with_its_path() {
    let problems = World::from_yaml(
        r#"
nane: typo
pace: {attempts_per_second: 0, day: {attempts: 4000, hours: 0}}
segments:
  - name: a
    initiators: {Windows/Netscape: 1}
    phones: {Windows: 1}
    country: Germany
    mix: {app_qr: 0}
flows:
  app_qr:
    horizon_s: 100
    codes: {lifetime_s: 60, count: 3}
    steps:
      scanned:
        time: {median_s: 30, p95_s: 8}
        mishaps: {no_credential: 0.1, scan_failed: 1.5, walked_away: 0.1}
        decisions: {declined: 0.1}
      confirmed: {mishaps: {user_verification_failed: 0.6}, decisions: {declined: 0.6}}
      proximity: {}
  passkey_cda:
    ceremony: {transports: {none: 1}, requested_timeout_s: {soon: 1}}
people: {endings: {timed_out: 1}, overcome: {cancelled: 1}, retry: {shares: {succeeded: 1}}}
telemetry:
  styles:
    - {schema_url: false, flow: false, server: {form: smoke, keys: [trace, code]}}
  loss: {server: 2}
  clock: {server: [{share: 0.7, from_s: 5, to_s: 1}, {share: 0.7}]}
timing: {shape: square}
"#,
    );
    expect![[r#"
        name: missing; a world has a name
        flows.app_qr.steps.scanned.time.p95_s: 8 lies below the median of 30
        flows.app_qr.steps.scanned.mishaps.no_credential: unknown code; accepted: scan_failed, wrong_app, code_expired, client_error, unknown
        flows.app_qr.steps.scanned.mishaps.scan_failed: `1.5` is not a number from 0 to 1
        flows.app_qr.steps.scanned.mishaps.walked_away: unknown code; accepted: scan_failed, wrong_app, code_expired, client_error, unknown
        flows.app_qr.steps.scanned.decisions.declined: unknown code; accepted: walked_away, switched_method, cancelled
        flows.app_qr.steps.confirmed.mishaps: mishaps and decisions sum to 1.2; at most 1 is possible
        flows.app_qr.steps.proximity: unknown key; accepted here: confirmed, established, opened, presented, prompted, returned, scanned, started, verified
        flows.app_qr.horizon_s: 100 lies below the lifetime of code or link, 180
        flows.passkey_cda.ceremony.requested_timeout_s.soon: unknown code; accepted: whole seconds in quotes, or `unset`
        flows.passkey_cda.ceremony.transports.none: unknown code; accepted: hybrid_qr, hybrid_linked, security_key, platform
        segments[0].country: `Germany` is not accepted here; accepted: two capital letters
        segments[0].mix: nothing has a weight above zero; at least one is needed
        segments[0].initiators.Windows/Netscape: unknown code; accepted: system/browser, such as Windows/Chrome
        segments[0].phones.Windows: unknown code; accepted: iOS, Android
        pace.day.hours: `0` is not a whole number from 1 to 10000
        pace.attempts_per_second: `0` is not a number from 0.001 to 1000000
        timing.shape: `square` is not accepted here; accepted: lognormal, gamma
        people.endings.timed_out: unknown code; accepted: cancelled, closed, switched, silent
        people.overcome.cancelled: unknown code; accepted: render_failed, delivery_failed, scan_failed, wrong_app, wrong_browser, code_expired, handoff_failed, link_prefetched, wrong_device, wrong_account, unsupported_device, policy_blocked, no_credential, bluetooth_unavailable, proximity_failed, network_blocked, prompt_expired, user_verification_failed, result_lost, verification_rejected, risk_denied, callback_lost, session_not_kept, server_error, client_error, unknown
        people.retry.shares.succeeded: unknown code; accepted: technical_failure, user_abandoned, user_declined
        telemetry.styles[0].flow: without schema_url and flow a record without keys would not be ours
        telemetry.styles[0].server.keys: `trace` is no kind of key; accepted: journey, challenge, code, flow, session
        telemetry.styles[0].server.form: `smoke` is not accepted here; accepted: span, span_event, log, log_in_span, nothing
        telemetry.loss.server: `2` is not a number from 0 to 1
        telemetry.clock.server[0].to_s: 1 lies below from_s, which is 5
        telemetry.clock.server: the shares sum to 1.4; at most 1 is possible, the rest is exact
        nane: unknown key; accepted here: about, based_on, flows, name, pace, people, realms, reproduces, segments, telemetry, timing"#]].assert_eq(&problems.unwrap_err().to_string());
}

#[test]
fn text_that_is_no_yaml_says_where() {
    let said = World::from_yaml("name: [a").unwrap_err().to_string();
    assert!(said.starts_with("(yaml): ") && said.contains("line"), "{said}");
}

#[test]
fn a_world_stands_on_a_shipped_one_map_by_map() {
    let base = World::from_yaml(World::shipped("baseline").unwrap()).unwrap();
    let world = World::from_yaml(
        "{name: lossy, based_on: baseline, telemetry: {loss: {server: 0.5}}, people: {endings: {closed: 0, silent: 0}}}",
    )
    .unwrap();
    assert_eq!(world.name(), "lossy");
    assert_eq!(world.flows, base.flows);
    let loss = &world.telemetry.loss;
    use authstitch_model::Side::{Authenticator, Server};
    assert_eq!((*loss.of(Server), loss.of(Authenticator)), (0.5, base.telemetry.loss.of(Authenticator)));
    assert_eq!(world.telemetry.styles, base.telemetry.styles);
}

#[test]
fn an_unknown_base_is_named() {
    let problems = World::from_yaml("{name: w, based_on: atlantis}").unwrap_err();
    expect![[r#"based_on: `"atlantis"` is no shipped world; accepted: baseline, passkey_launch, quick_retries, kiosk, lossy_mobile, clock_chaos, sampled, magic_link_mail_scanners, android_regression, partly_instrumented, corporate_network, attack, stretched, shifted_priors, unknown_signature, unknown_mimic"#]]
    .assert_eq(&problems.to_string());
}

#[test]
fn a_segment_can_bend_the_flows_for_itself_alone() {
    let world = World::from_yaml(
        "{name: w, flows: {app_qr: {prompt_lifetime_s: 50}}, segments: [{name: a}, {name: b, flows: {app_qr: {codes: {count: 9}}}}]}",
    )
    .unwrap();
    let of = |name: &str| {
        world.segments.things().find(|segment| &*segment.name == name).unwrap().flows.of(Flow::AppQr)
    };
    assert_eq!((of("a").codes.count, of("a").prompt_lifetime_s), (3, 50.0));
    assert_eq!((of("b").codes.count, of("b").prompt_lifetime_s), (9, 50.0));
}

#[test]
fn every_shipped_world_and_variant_is_read_and_bears_its_name() {
    for (name, yaml) in SHIPPED.iter().chain(VARIANTS) {
        let world = World::from_yaml(yaml).unwrap_or_else(|problems| panic!("{name}: {problems}"));
        assert_eq!(world.name(), *name);
        assert!(!world.about().is_empty());
    }
}

#[test]
fn a_number_that_is_none_is_a_mistake_and_no_default() {
    for (text, path) in [
        ("pace: {attempts_per_second: .nan}", "pace.attempts_per_second"),
        ("pace: {jitter_s: .inf}", "pace.jitter_s"),
        ("pace: {jitter_s: -1e400}", "pace.jitter_s"),
        ("realms: {relying_parties: 18446744073709551616}", "realms.relying_parties"),
        ("telemetry: {loss: {server: .nan}}", "telemetry.loss.server"),
        ("segments: [{phones: {Android: .inf}}]", "segments[0].phones.Android"),
        ("based_on: .nan", "based_on"),
        ("flows: .nan", "flows"),
    ] {
        let Err(Problems(problems)) = World::from_yaml(&format!("name: a\n{text}\n")) else {
            panic!("{text} is accepted")
        };
        assert!(problems.iter().any(|problem| problem.path == path), "{text}: {problems:?}");
    }
    assert!(World::from_yaml("name: a\nname: b\n").is_err(), "a name that stands twice");
}

#[test]
fn a_mistake_is_told_as_shortly_whatever_was_written() {
    let long = "x".repeat(100_000);
    for text in [
        "based_on: @",
        "name: [@]",
        "@: 1",
        "telemetry: {styles: [{server: {keys: [@], form: @}}]}",
        "segments: [{phones: {@: 1}, country: @}]",
        "pace: {jitter_s: @}",
        "name: *@",
        "{@: 1, @: 2}",
    ] {
        let Err(Problems(problems)) = World::from_yaml(&text.replace('@', &long)) else {
            panic!("{text} is accepted")
        };
        for problem in problems {
            assert!(
                problem.path.len() + problem.message.len() < 4096,
                "{text}: {} bytes",
                problem.message.len()
            );
        }
    }
}
