//! A snapshot that format 1 wrote once, which must be read as long as format 1 is.

use expect_test::expect;

use super::*;

/// What the snapshot knows: an open journey and closed ones of one session, a forgotten one, a code that too many
/// had, events that wait, a flow that differs, another realm.
const SCENARIO: &str = "
    0 server challenge.created challenge=A code=K session=S
    1 desktop qr.shown challenge=A session=S as=app_qr browser=Chrome
    2 phone qr.scanned challenge=A trace=T
    3 server verification.failed challenge=A
    4 server session.established challenge=A
    200 server challenge.created challenge=B session=S ttl=90
    201 desktop webauthn.started challenge=B timeout=120 browser=Safari
    202 desktop webauthn.failed challenge=B session=S
    203 server session.established challenge=B
    215 server challenge.created challenge=C journey=J session=S
    216 desktop qr.shown challenge=C code=L trace=U as=app_qr
    216 desktop webauthn.started challenge=C as=passkey_cda
    217 phone qr.scanned code=L
    217 desktop page.unloaded flow=F realm=eu
    217 server challenge.created flow=F challenge=D realm=eu
    218 server challenge.created journey=J0 code=X
    218 server challenge.created journey=J1 code=X
    218 server challenge.created journey=J2 code=X
    218 server challenge.created journey=J3 code=X
    218 server challenge.created journey=J4 code=X
    218 server challenge.created journey=J5 code=X
    218 server challenge.created journey=J6 code=X
    218 server challenge.created journey=J7 code=X
    218 server challenge.created journey=J8 code=X
    219 phone mobile.opened trace=U
    220 desktop page.hidden session=S
";

const GOLDEN: &[u8] = include_bytes!("format-1.snapshot");

fn scenario() -> Stitcher {
    let (mut stitcher, mut changes) = (Stitcher::default(), Vec::new());
    for (nth, line) in parse(SCENARIO).iter().enumerate() {
        feed(&mut stitcher, line, nth, &mut changes);
    }
    stitcher
}

#[test]
fn what_format_1_wrote_is_read_and_goes_on() {
    let mut stitcher = Stitcher::restore(Settings::default(), GOLDEN).unwrap();
    let counters = stitcher.counters();
    expect![[r#"
        Counters {
            joined: 23,
            duplicates: 0,
            orphaned: 0,
            ambiguous: 0,
            keyless: 0,
            key_conflicts: 8,
            poisoned_keys: 1,
            over_cap: 0,
            merged: 0,
            revised: 2,
            evicted: 0,
            closed: 2,
            too_late: [
                TooLate {
                    events: 0,
                    lag_sum: Millis(
                        0,
                    ),
                    lag_max: Millis(
                        0,
                    ),
                },
                TooLate {
                    events: 0,
                    lag_sum: Millis(
                        0,
                    ),
                    lag_max: Millis(
                        0,
                    ),
                },
                TooLate {
                    events: 0,
                    lag_sum: Millis(
                        0,
                    ),
                    lag_max: Millis(
                        0,
                    ),
                },
            ],
            open: 11,
            reopenable: 1,
            waiting: 3,
            tombstones: 2,
        }
    "#]]
    .assert_debug_eq(&counters);
    let mut log = Vec::new();
    let mut changes = Vec::new();
    while let Some(deadline) = stitcher.next_deadline() {
        stitcher.advance(deadline, &mut changes);
        log.extend(changes.drain(..).map(|change| (deadline, change)));
    }
    expect![[r#"
        277 b1 idle: challenge.created 217, page.unloaded 217
        460 a1 idle: challenge.created 215, qr.shown 216, webauthn.started 216, qr.scanned 217, ~mobile.opened 219, ~page.hidden 220; 12 s after ?
        578 c1 idle: challenge.created 218
        578 d1 idle: challenge.created 218
        578 e1 idle: challenge.created 218
        578 f1 idle: challenge.created 218
        578 g1 idle: challenge.created 218
        578 h1 idle: challenge.created 218
        578 i1 idle: challenge.created 218
        578 j1 idle: challenge.created 218
        578 k1 idle: challenge.created 218
    "#]].assert_eq(&shown(&log));
}

/// If this fails, the format has changed: count it up, and go on reading this one or say that it is read no more.
#[test]
fn format_1_is_written_as_it_was() {
    assert!(written(&scenario()) == GOLDEN);
}
