//! What holds for every journey, sense or nonsense.

use authstitch_classify::{Tables, classify, explain};
use authstitch_model::verdict::CREDIBLE_MASS;
use authstitch_model::{Basis, Cause, Completeness, EventName, Flow, Outcome, Phase, Side, phases};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

mod support;

const FACTS: &[&str] = &[
    "error=not_allowed",
    "error=user_cancelled",
    "error=superseded",
    "error=network",
    "error=handoff",
    "error=http_5xx",
    "reason=token_expired",
    "reason=token_already_used",
    "reason=risk_denied",
    "reason=other",
    "elapsed=0",
    "elapsed=180000",
    "elapsed=18446744073709551615",
    "timeout=60000",
    "timeout=18446744073709551615",
    "ttl=1",
    "ttl=18446744073709551615",
    "duration=3000",
    "mediation=conditional",
    "attachment=platform",
    "attachment=cross-platform",
    "transports=usb",
    "transports=hybrid,internal",
    "hybrid=no",
    "backup=yes",
    "http=HEAD",
    "agent=bot",
    "network=1",
    "network=2",
    "country=NL",
    "country=DE",
    "sampled=0",
    "sampled=6553",
    "code=the-first-code",
    "code=the-second-code",
];

fn line() -> impl Strategy<Value = String> {
    let name = select(EventName::ALL.to_vec());
    let side = prop::option::of(select(Side::ALL.to_vec()));
    let facts = subsequence(FACTS.to_vec(), 0..5);
    (0_u32..100_000, side, name, facts).prop_map(|(at, side, name, facts)| {
        let side = side.map_or("", Side::code);
        format!("{:05}.{} {side} {name} {}", at / 10, at % 10, facts.join(" "))
    })
}

fn journey() -> impl Strategy<Value = String> {
    let flow = select(Flow::ALL.to_vec());
    let system = select(vec![
        "",
        "on initiator Windows Chrome",
        "on initiator iOS Safari",
        "on initiator Linux Firefox",
    ]);
    let next = select(vec!["", "next 3 passkey_cda", "next 300 app_qr"]);
    let close = select(vec!["close idle", "close terminal", "close evicted", "close shutdown"]);
    (flow, system, next, close, prop::collection::vec(line(), 0..14)).prop_map(
        |(flow, system, next, close, mut lines)| {
            lines.sort();
            format!("flow {flow}\n{system}\n{next}\n{close}\n{}", lines.join("\n"))
        },
    )
}

fn completeness() -> impl Strategy<Value = Completeness> {
    (0.0_f32..=1.0, 0.0_f32..=1.0, 0.0_f32..=1.0, 0.0_f32..=1.0, any::<bool>()).prop_map(
        |(initiator_loss, authenticator_loss, server_loss, unload_loss, phone_instrumented)| Completeness {
            version: 1,
            initiator_loss,
            authenticator_loss,
            server_loss,
            unload_loss,
            phone_instrumented,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn every_journey_has_a_sound_verdict(text in journey(), completeness in completeness()) {
        let journey = support::journey(&text);
        let verdict = classify(&journey, &completeness, &Tables::shipped());

        let sum: f32 = Cause::ALL.iter().map(|cause| verdict.causes.of(*cause)).sum();
        prop_assert!((sum - 1.0).abs() < 1e-4, "causes sum to {sum}");
        let set = verdict.causes.credible_set();
        let mass: f32 = set.iter().map(|cause| verdict.causes.of(cause)).sum();
        prop_assert!(mass >= CREDIBLE_MASS - 1e-4, "the credible set holds {mass}");
        let technical: f32 = Cause::ALL
            .iter()
            .filter(|cause| !matches!(
                cause,
                Cause::None | Cause::WalkedAway | Cause::ConfirmationAbandoned | Cause::SwitchedMethod
                    | Cause::Cancelled | Cause::Declined
            ))
            .map(|cause| verdict.causes.of(*cause))
            .sum();
        prop_assert!((verdict.causes.outcome(Outcome::TechnicalFailure) - technical).abs() < 1e-4);

        for phase in Phase::ALL {
            let said = verdict.phases[phase.index()];
            let known = phases::of(journey.flow).iter().find(|place| place.phase == *phase);
            prop_assert_eq!(said.is_some(), known.is_some());
            let Some(said) = said else { continue };
            prop_assert!((0.0..=1.0).contains(&said.reached), "{} {}", phase, said.reached);
            let evidenced =
                journey.events.iter().any(|event| phases::evidenced(journey.flow, &event.event) == Some(*phase));
            prop_assert_eq!(said.basis == Basis::Observed, evidenced);
            prop_assert!(!(phases::is_hidden(journey.flow, *phase) && said.basis == Basis::Implied));
            prop_assert_eq!(said.at.is_some(), evidenced);
        }
        for weighed in verdict.evidence.iter().flatten() {
            prop_assert!(weighed.weight.is_finite());
        }
        if let Some(transport) = verdict.transport {
            prop_assert!((0.0..=1.0).contains(&transport.probability));
        }
        prop_assert!(explain(&journey, &verdict).ends_with('.'));
    }

    #[test]
    fn the_same_journey_has_the_same_verdict(text in journey()) {
        let journey = support::journey(&text);
        let judge = || classify(&journey, &Completeness::default(), &Tables::shipped());
        prop_assert_eq!(judge(), judge());
    }

    #[test]
    fn a_session_on_the_initiator_is_a_success_whatever_else_was_seen(text in journey()) {
        let journey = support::journey(&format!("{text}\n10001 auth.session.established"));
        let verdict = classify(&journey, &Completeness::default(), &Tables::shipped());
        prop_assert_eq!(verdict.outcome(), Outcome::Succeeded);
    }
}
