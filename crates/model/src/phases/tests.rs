//! One test a line of the tables, and the promises that hold for all of them.

use std::fmt::Write as _;

use expect_test::expect;

use super::*;

const FLOWS: [Flow; 3] = [Flow::AppQr, Flow::PasskeyCda, Flow::MagicLink];

#[test]
fn a_hidden_phase_is_never_implied() {
    for flow in FLOWS {
        let by_phase = Phase::ALL.iter().flat_map(|observed| implied_by(flow, *observed));
        let by_event = EventName::ALL.iter().flat_map(|name| implied_by_event(flow, *name));
        for implied in by_phase.chain(by_event) {
            assert!(!is_hidden(flow, *implied), "{flow}: {implied} is hidden and implied");
        }
    }
}

#[test]
fn implications_point_to_earlier_phases_of_the_flow_and_are_closed() {
    for flow in FLOWS {
        for observed in Phase::ALL {
            for implied in implied_by(flow, *observed) {
                assert!(implied < observed && of(flow).iter().any(|known| known.phase == *implied));
                for further in implied_by(flow, *implied) {
                    assert!(
                        implied_by(flow, *observed).contains(further),
                        "{flow}: {observed} ⇒ {implied} ⇒ {further}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_line_of_the_implications() {
    let mut table = String::new();
    for flow in FLOWS {
        for known in of(flow) {
            let implied: Vec<_> = implied_by(flow, known.phase).iter().map(|phase| phase.code()).collect();
            let _ = writeln!(table, "{flow} {}: {}", known.phase, implied.join(" "));
        }
        for name in EventName::ALL {
            let implied: Vec<_> = implied_by_event(flow, *name).iter().map(|phase| phase.code()).collect();
            if !implied.is_empty() {
                let _ = writeln!(table, "{flow} {name}: {}", implied.join(" "));
            }
        }
    }
    expect![[r#"
        app_qr started: 
        app_qr presented: started
        app_qr scanned: started presented
        app_qr opened: started presented scanned
        app_qr prompted: started presented scanned opened
        app_qr confirmed: started presented scanned opened prompted
        app_qr verified: started presented scanned opened prompted confirmed
        app_qr returned: started presented scanned opened prompted confirmed verified
        app_qr established: started presented scanned opened prompted confirmed verified returned
        app_qr auth.verification.failed: started
        passkey_cda started: 
        passkey_cda presented: started
        passkey_cda scanned: started
        passkey_cda proximity: started
        passkey_cda prompted: started
        passkey_cda confirmed: started
        passkey_cda verified: started confirmed
        passkey_cda returned: started confirmed verified
        passkey_cda established: started confirmed verified returned
        passkey_cda auth.webauthn.failed: started
        passkey_cda auth.verification.failed: started confirmed
        magic_link started: 
        magic_link presented: started
        magic_link scanned: started presented
        magic_link opened: started
        magic_link prompted: started opened
        magic_link confirmed: started opened prompted
        magic_link verified: started
        magic_link returned: started verified
        magic_link established: started verified returned
        magic_link auth.verification.failed: started
    "#]]
    .assert_eq(&table);
}

#[test]
fn each_event_evidences_one_phase_and_later_events_later_phases() {
    for (index, (name, _)) in EVIDENCE.iter().enumerate() {
        assert!(EVIDENCE[index + 1..].iter().all(|(other, _)| other != name), "{name} stands twice");
    }
    assert!(EVIDENCE.is_sorted_by_key(|(_, phase)| *phase));
}
