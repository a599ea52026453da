use std::fmt::Display;

use authstitch_model::event::Transports;
use authstitch_model::{
    Attachment, Basis, Browser, Cause, CloseReason, EndAct, ErrorClass, EventId, EventKeys, EventName,
    Evidence, Flow, HttpMethod, JoinedBy, KeyHash, Mediation, Method, Millis, Os, Phase, Predecessor, Reason,
    Side, SpanId, Successor, Synthetic, Transport, UnixNanos,
};
use expect_test::expect;

use super::{read, write};
use crate::testing::{id, judged};

fn bytes(judged: &authstitch_model::Judged) -> Vec<u8> {
    let mut bytes = vec![1, 2, 3];
    write(judged, &mut bytes).unwrap();
    bytes
}

#[test]
fn a_journey_reads_back_as_it_was() {
    let mut full = judged(1, 2, &[7, 8, 7]);
    full.journey.previous = Some(Predecessor { journey: id(0), gap: Millis(1500) });
    full.journey.next = Some(Successor { journey: id(2), gap: Millis(1), flow: full.journey.flow });
    let key = |number: u128| Some(KeyHash::new(number << 64 | 1));
    let last = full.journey.events.last_mut().unwrap();
    last.event.keys = EventKeys {
        journey: key(1),
        challenge: key(2),
        code: key(3),
        flow: key(4),
        session: key(5),
        trace: key(6),
    };
    last.event.event_id = Some(EventId::new("an id"));
    last.event.origin.parent_span_id = SpanId::from_bytes(&[9; 8]);
    last.event.facts.reason = Some(Reason::TokenExpired);
    last.event.facts.country = Some(*b"NL");
    last.event.facts.transports = Transports::PHONE;
    for journey in [judged(0, 1, &[]), full] {
        assert_eq!(read(0, &bytes(&journey)).unwrap(), journey);
    }
}

#[test]
fn times_may_lie_anywhere() {
    for (emitted, observed) in [(0, u64::MAX), (u64::MAX, 0)] {
        let mut journey = judged(1, 1, &[]);
        let event = &mut journey.journey.events[0].event;
        (event.time, event.observed) = (UnixNanos(emitted), Some(UnixNanos(observed)));
        assert_eq!(read(0, &bytes(&journey)).unwrap(), journey);
    }
}

#[test]
fn what_events_have_in_common_stands_once() {
    let (one, many) = (judged(1, 1, &[7]), judged(1, 1, &[7, 7, 7, 7, 7]));
    let more = bytes(&many).len() - bytes(&one).len();
    assert!(more < 4 * 70, "{more} bytes for four events more");
}

#[test]
fn bytes_that_are_no_journey_are_refused() {
    let whole = bytes(&judged(1, 1, &[7]));
    for end in 0..whole.len() {
        assert!(read(3, &whole[..end]).is_err());
    }
}

/// A store is read by versions to come: whoever changes these bytes raises the layout's number. Codes that join at the
/// end of a vocabulary change nothing that was written before.
#[test]
fn the_bytes_are_those_of_the_layout() {
    let mut layout = bytes(&judged(1, 1, &[7]));
    for vocabulary in [
        codes(EventName::ALL),
        codes(Side::ALL),
        codes(JoinedBy::ALL),
        codes(Flow::ALL),
        codes(CloseReason::ALL),
        codes(Os::ALL),
        codes(Browser::ALL),
        codes(Mediation::ALL),
        codes(Attachment::ALL),
        codes(Reason::ALL),
        codes(Method::ALL),
        codes(ErrorClass::ALL),
        codes(HttpMethod::ALL),
        codes(Synthetic::ALL),
        codes(Cause::ALL),
        codes(Phase::ALL),
        codes(Basis::ALL),
        codes(Transport::ALL),
        codes(EndAct::ALL),
        codes(Evidence::ALL),
    ] {
        layout.extend(vocabulary.into_bytes());
    }
    let fingerprint = layout.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    expect!["931e8c35ccee485f"].assert_eq(&format!("{fingerprint:x}"));
}

fn codes<C: Display>(all: &[C]) -> String {
    all.iter().map(|code| format!("{code},")).collect()
}
