//! What is read back is what was packed, whatever the event, and passes the check of what comes from outside.

use authstitch_model::event::testing;
use authstitch_model::event::testing::{facts, one_of};
use authstitch_model::{EventId, EventKeys, JourneyEvent, KeyHash, KeyKind, Millis, TraceId};
use proptest::option;
use proptest::prelude::{
    ProptestConfig, Strategy, TestCaseError, any, prop_assert, prop_assert_eq, proptest,
};
use proptest::sample::select;

use super::*;
use crate::carried::References;
use crate::snapshot::bytes::Reader;

fn event() -> impl Strategy<Value = AuthEvent> {
    let place = (select(EventName::ALL.to_vec()), select(Side::ALL.to_vec()), one_of(Flow::ALL));
    let near = any::<u64>().prop_map(|bits| bits >> (bits % 64));
    let times = (near, any::<bool>(), any::<Option<u64>>());
    let ids =
        (any::<Option<[u8; 16]>>(), any::<Option<u64>>(), any::<Option<u64>>(), option::of("\\PC{0,70}"));
    let key = || option::of(any::<u128>().prop_map(KeyHash::new));
    let keys = (key(), key(), key(), key(), key(), key());
    (place, times, ids, keys, any::<u128>(), option::weighted(0.8, facts())).prop_map(
        |((name, side, flow), (time, earlier, observed), ids, keys, identity, facts)| {
            let time = if earlier { BASE.0.saturating_sub(time) } else { BASE.0.saturating_add(time) };
            let mut event = testing::event(name, UnixNanos(time), 1);
            (event.side, event.flow, event.observed) = (side, flow, observed.map(UnixNanos));
            event.origin.trace_id = ids.0.and_then(|bytes| TraceId::from_bytes(&bytes));
            event.origin.span_id = ids.1.and_then(|number| SpanId::from_bytes(&number.to_be_bytes()));
            event.origin.parent_span_id = ids.2.and_then(|number| SpanId::from_bytes(&number.to_be_bytes()));
            event.event_id = ids.3.map(|text| EventId::new(&text));
            let (journey, challenge, code, flow, session, trace) = keys;
            event.keys = EventKeys { journey, challenge, code, flow, session, trace };
            event.identity = Identity(identity);
            event.facts = facts.unwrap_or_default();
            event
        },
    )
}

const BASE: UnixNanos = UnixNanos(1_800_000_000_000_000_000);

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn an_event_is_read_back_as_it_was(event in event(), weak: bool, first in 0..512u16, environment: u32) {
        let joined_by = if weak { JoinedBy::Weak } else { JoinedBy::Strong };
        let keys = event.keys;
        let hashes = [keys.journey, keys.challenge, keys.code, keys.flow, keys.session, keys.trace];
        let values = hashes.map(|key| key.map(KeyHash::get));
        let [a, b, c, d, e, f] = values;
        let table = [a, b, c, d, e, f, event.origin.trace_id.map(|id| u128::from_ne_bytes(id.bytes()))];
        let mut references = References::default();
        for (number, place) in (first..).zip((0..table.len()).filter(|place| table[*place].is_some())) {
            references.there |= 1 << place;
            references.numbers[place] = number;
        }
        let there = table.into_iter().flatten();
        let keys: Vec<u128> = (0..first).map(|_| 0).chain(there).collect();

        let mut packing = Packing::default();
        let out = packing.pack(&event, joined_by, &references, environment, BASE).to_vec();
        let mut two = out.clone();
        two.extend(&out);
        let read: Vec<_> = packed(&two).collect();
        prop_assert_eq!(&read, &[out.as_slice(), out.as_slice()]);
        prop_assert_eq!(identity(read[1]), event.identity);
        prop_assert_eq!(users(&two).collect::<Vec<_>>(), [(event.identity, environment); 2]);
        check_as_packed(&out, &values, event.origin.trace_id.is_some(), first)?;
        let mut glances = Vec::new();
        super::glances(&two, BASE, &mut glances);
        let glance = Glance { rest: Rest::default(), ..glances[1] };
        prop_assert_eq!(format!("{glance:?}"), format!("{:?}", Glance::of(&event, joined_by)));
        let environment = |_| &event.environment;
        let table = Table { realm: &event.realm, keys: &keys, environment };
        let corrected = event.time.plus(Millis(7));
        let mut events = Vec::new();
        unpack(&glances[1], corrected, &two, &table, &mut events);
        prop_assert_eq!(events, [JourneyEvent { event: event.clone(), corrected, joined_by }]);
    }
}

/// What was packed passes the check as a whole, and no beginning of it does; with another environment it is the same.
fn check_as_packed(
    packed: &[u8],
    keys: &[Option<u128>; KeyKind::COUNT],
    has_trace_id: bool,
    first: u16,
) -> Result<(), TestCaseError> {
    let places: Vec<_> = keys.iter().map(Option::is_some).chain([has_trace_id]).enumerate().collect();
    let there: Vec<_> = places.iter().filter(|(_, is)| *is).map(|(place, _)| *place).collect();
    let carries = |number: u16, place| there.get(usize::from(number - first)) == Some(&place);
    let checked = check(&mut Reader::new(packed, packed.len()), carries);
    prop_assert_eq!(checked.ok(), users(packed).next());
    for end in 0..packed.len() {
        prop_assert!(check(&mut Reader::new(&packed[..end], end), carries).is_err());
    }
    let (mut renumbered, mut back) = (Vec::new(), Vec::new());
    renumber(packed, |_| 7, &mut renumbered);
    let (identity, environment) = users(packed).next().expect("there is one");
    prop_assert_eq!(
        check(&mut Reader::new(&renumbered, renumbered.len()), carries).ok(),
        Some((identity, 7))
    );
    renumber(&renumbered, |_| environment, &mut back);
    prop_assert_eq!(back, packed);
    Ok(())
}

#[test]
fn a_span_of_a_server_takes_some_forty_bytes() {
    let mut event = testing::event(EventName::VerificationSucceeded, BASE.plus(Millis::from_secs(20)), 1);
    event.facts.duration = Some(Millis(12));
    event.flow = Some(Flow::AppQr);
    let references = References { there: 0b111_0001, numbers: [0, 0, 0, 0, 1, 2, 3] };
    let mut packing = Packing::default();
    assert_eq!(packing.pack(&event, JoinedBy::Strong, &references, 100, BASE).len(), 40);
}
