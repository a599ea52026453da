//! One test a sentence of the module.

use authstitch_model::verdict::TransportVerdict;
use authstitch_model::{Basis, Completeness, Phase, Transport, Verdict};

use crate::support::journey;
use crate::{Tables, classify};

fn judged(facts: &str) -> Verdict {
    let text = format!(
        "flow passkey_cda\n0 auth.webauthn.started\n9 auth.webauthn.completed {facts}\n10 auth.session.established"
    );
    classify(&journey(&text), &Completeness::default(), &Tables::shipped())
}

fn transport(facts: &str) -> TransportVerdict {
    judged(facts).transport.unwrap()
}

#[test]
fn an_attached_authenticator_is_the_platforms_and_seen() {
    let said = transport("attachment=platform");
    assert_eq!((said.value, said.basis), (Transport::Platform, Basis::Observed));
    assert!(said.probability > 0.999);
}

#[test]
fn one_from_across_is_a_phone_or_a_key() {
    let said = transport("attachment=cross-platform");
    assert_eq!((said.value, said.basis), (Transport::HybridQr, Basis::Inferred));
    assert!(said.probability < 0.9, "a linked phone and a key remain possible");
}

#[test]
fn registered_transports_refine_it() {
    assert_eq!(transport("attachment=cross-platform transports=usb,nfc").value, Transport::SecurityKey);
    let phone = transport("attachment=cross-platform transports=hybrid,internal");
    assert!(phone.probability > transport("attachment=cross-platform").probability);
    assert!(transport("backup=yes").probability > transport("").probability);
}

#[test]
fn a_scan_that_the_phone_reported_is_seen() {
    let text = "flow passkey_cda\n0 auth.webauthn.started\n5 authenticator auth.qr.scanned";
    let said = classify(&journey(text), &Completeness::default(), &Tables::shipped());
    assert_eq!(
        said.transport.map(|said| (said.value, said.basis)),
        Some((Transport::HybridQr, Basis::Observed))
    );
}

#[test]
fn a_key_needs_neither_code_nor_proximity() {
    let said = judged("attachment=cross-platform transports=usb");
    for phase in [Phase::Presented, Phase::Scanned, Phase::Proximity] {
        let phase = said.phases[phase.index()].unwrap();
        assert!(phase.reached < 0.01 && !phase.required);
    }
    assert_eq!(said.failing_phase(), None);
}

#[test]
fn other_flows_have_no_transport() {
    let said =
        classify(&journey("flow app_qr\n0 auth.qr.shown"), &Completeness::default(), &Tables::shipped());
    assert_eq!(said.transport, None);
}
