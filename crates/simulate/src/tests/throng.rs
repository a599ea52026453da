//! A load made from a pool: the same logins as their truth says, each with ids of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use authstitch_model::truth::TruthLine;
use authstitch_model::{AuthEvent, KeyKind, Millis, Secret, UnixNanos};
use authstitch_otlp::{Encoding, Mapping, decode};

use super::{shipped, world};
use crate::{Load, Packed, Pool, Schedule, Share, Simulation, Throng, World};

fn load(world: World, seed: u64) -> (Arc<Pool>, Simulation) {
    let simulation = Simulation::new(world, seed).under(Load::Constant { rate: 500.0 });
    (Arc::new(Pool::new(&simulation, 64)), simulation)
}

fn packed(world: World, seed: u64, attempts: Range<u64>) -> Vec<Packed> {
    let (pool, load) = load(world, seed);
    Throng::new(pool, load, attempts, Share::WHOLE, 512).collect()
}

fn baseline() -> World {
    world("{name: w, based_on: baseline}")
}

fn events(requests: &[Packed]) -> Vec<AuthEvent> {
    let (mapping, mut events) = (Mapping::new(Secret::PUBLIC), Vec::new());
    for request in requests {
        let tally =
            decode(request.signal, Encoding::Protobuf, &request.bytes, &mapping, &mut events).unwrap();
        assert_eq!((tally.rejected, tally.records as usize), (0, request.records), "{:?}", tally.message);
    }
    events
}

/// What identifies an event in the telemetry and in the truth.
type Name = (Option<String>, Option<String>, Option<String>, String);

fn names_of_truth(lines: &[TruthLine]) -> BTreeSet<Name> {
    let name = |span: &authstitch_model::line::SpanLine| {
        (
            span.trace_id.map(|id| id.to_string()),
            span.span_id.map(|id| id.to_string()),
            span.event_id.as_ref().map(|id| id.as_str().to_owned()),
            span.event.code().to_owned(),
        )
    };
    lines.iter().flat_map(|line| &line.spans).map(name).collect()
}

fn names_of_events(events: &[AuthEvent]) -> BTreeSet<Name> {
    let name = |event: &AuthEvent| {
        (
            event.origin.trace_id.map(|id| id.to_string()),
            event.origin.span_id.map(|id| id.to_string()),
            event.event_id.as_ref().map(|id| id.as_str().to_owned()),
            event.name.code().to_owned(),
        )
    };
    events.iter().map(name).collect()
}

#[test]
fn the_truth_names_exactly_the_events_that_arrive() {
    for world in shipped() {
        let (pool, simulation) = load(world, 3);
        let requests: Vec<_> =
            Throng::new(Arc::clone(&pool), simulation.clone(), 0..200, Share::WHOLE, 512).collect();
        let truth: Vec<_> = (0..200).map(|attempt| pool.truth(&simulation, attempt)).collect();
        let name = truth[0].world.clone();
        assert_eq!(names_of_truth(&truth), names_of_events(&events(&requests)), "{name}");
    }
}

#[test]
fn an_attempt_is_that_of_the_pool_with_its_own_number_ids_and_times() {
    let (pool, simulation) = load(world("{name: w, based_on: quick_retries}"), 3);
    let again = 64 + 64 + 64;
    let mut retries = 0;
    for attempt in 0..64 {
        let (old, new) = (pool.truth(&simulation, attempt), pool.truth(&simulation, attempt + again));
        let chain = |line: &TruthLine| line.previous_attempt.map(|previous| line.attempt - previous);
        retries += usize::from(chain(&new).is_some());
        assert_eq!((new.attempt, chain(&new)), (attempt + again, chain(&old)));
        assert_eq!(
            (old.cause, old.flow, old.end_act, old.phases.len()),
            (new.cause, new.flow, new.end_act, new.phases.len())
        );
        let later = |a: UnixNanos, b: UnixNanos| b.signed_since(a);
        let moved = later(old.started_at, new.started_at);
        assert!(old.phases.iter().zip(&new.phases).all(|(a, b)| later(a.at, b.at) == moved));
        if chain(&new).is_none() {
            assert_eq!(moved, later(simulation.slot(attempt), simulation.slot(attempt + again)));
        }
        for (a, b) in old.spans.iter().zip(&new.spans) {
            assert_eq!((a.event, a.side, &a.keys), (b.event, b.side, &b.keys));
            assert!(a.trace_id.is_none() || a.trace_id != b.trace_id);
            assert!(a.event_id.is_none() || a.event_id != b.event_id);
        }
    }
    assert!(retries > 5, "{retries} retries");
}

/// Events of one attempt share keys exactly where the labels of the truth are equal, and attempts of different
/// chains share none.
#[test]
fn keys_connect_what_the_truth_says() {
    let (pool, simulation) = load(baseline(), 5);
    let requests: Vec<_> =
        Throng::new(Arc::clone(&pool), simulation.clone(), 0..640, Share::WHOLE, 512).collect();
    let by_name: BTreeMap<Name, AuthEvent> = events(&requests)
        .into_iter()
        .map(|event| (names_of_events(std::slice::from_ref(&event)).pop_first().unwrap(), event))
        .collect();
    let mut strong: BTreeMap<_, u64> = BTreeMap::new();
    for attempt in 0..640 {
        let line = pool.truth(&simulation, attempt);
        let mut labels = BTreeMap::new();
        for span in &line.spans {
            let one = TruthLine { spans: vec![span.clone()], ..line.clone() };
            let event = &by_name[&names_of_truth(&[one]).pop_first().unwrap()];
            for label in span.keys.iter().flatten().filter(|label| label.kind.is_strong()) {
                let key = match label.kind {
                    KeyKind::Journey => event.keys.journey,
                    KeyKind::Challenge => event.keys.challenge,
                    _ => event.keys.code,
                };
                let key = key.unwrap();
                assert_eq!(*labels.entry(*label).or_insert(key), key, "{attempt}: {label}");
                assert_eq!(*strong.entry((label.kind, key)).or_insert(attempt), attempt, "{label}");
            }
        }
    }
    assert!(strong.len() > 640);
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    assert_eq!(packed(baseline(), 1, 0..300), packed(baseline(), 1, 0..300));
    assert_ne!(packed(baseline(), 1, 0..300), packed(baseline(), 2, 0..300));
}

#[test]
fn requests_come_in_order_and_hold_no_more_than_asked_for() {
    let (pool, load) = load(baseline(), 1);
    let requests: Vec<_> = Throng::new(pool, load, 0..3000, Share::WHOLE, 100).collect();
    assert!(requests.is_sorted_by_key(|request| request.at));
    let greatest = requests.iter().map(|request| request.records).max().unwrap();
    assert!((90..=100).contains(&greatest), "{greatest}");
}

#[test]
fn nothing_is_sent_before_it_happened() {
    for request in packed(baseline(), 1, 0..400) {
        for event in events(std::slice::from_ref(&request))
            .iter()
            .filter(|event| event.side == authstitch_model::Side::Server)
        {
            let ahead = event.time.signed_since(request.at);
            assert!(ahead < 60_000_000_000, "{ahead} ns before it happened");
        }
    }
}

/// As many senders as you like make together what one makes alone.
#[test]
fn shares_and_ranges_add_up_to_the_whole() {
    let of = |parts: &[(Range<u64>, Share)]| {
        let mut names = BTreeSet::new();
        let mut count = 0;
        for (attempts, share) in parts {
            let (pool, load) = load(baseline(), 1);
            let events = events(&Throng::new(pool, load, attempts.clone(), *share, 512).collect::<Vec<_>>());
            count += events.len();
            names.extend(names_of_events(&events));
        }
        (count, names)
    };
    let whole = of(&[(0..1000, Share::WHOLE)]);
    let share = |index, of| Share::new(index, of).unwrap();
    assert_eq!(whole, of(&[(0..1000, share(1, 3)), (0..1000, share(2, 3)), (0..1000, share(3, 3))]));
    assert_eq!(whole, of(&[(0..1000, share(1, 2)), (0..1000, share(2, 2))]));
    assert_eq!(whole, of(&[(0..13, Share::WHOLE), (13..700, Share::WHOLE), (700..1000, Share::WHOLE)]));
    assert_eq!((Share::new(0, 2), Share::new(3, 2), Share::new(1, 0)), (None, None, None));
}

#[test]
fn a_load_long_under_way_sends_what_the_whole_sends_from_then_on() {
    let (pool, simulation) = load(baseline(), 1);
    let throng = || Throng::new(Arc::clone(&pool), simulation.clone(), 0..30_000, Share::WHOLE, 512);
    let time = simulation.slot(0).plus(Millis::from_secs(40));
    let later: Vec<_> = throng().joined_at(time).collect();
    let whole: Vec<_> = throng().filter(|request| request.at > time).collect();
    let sum = |requests: &[Packed]| requests.iter().map(|request| request.records).sum::<usize>();
    let early: usize = whole.iter().take(1).map(|request| request.records).sum();
    assert!(sum(&whole) - sum(&later) <= early, "{} and {}", sum(&whole), sum(&later));
    let first_second = later.iter().filter(|request| request.at < time.plus(Millis::from_secs(1)));
    let at_once: usize = first_second.map(|request| request.records).sum();
    assert!(at_once > 3000, "{at_once} records in the first second");
}

#[test]
fn exact_shares_add_up_to_the_whole_and_requests_are_as_small_as_asked_for() {
    let of = |share| {
        let mut schedule =
            Schedule::new(Simulation::new(baseline(), 2), 0..200).of_share(share).in_requests_of(50);
        let requests: Vec<_> = schedule.by_ref().collect();
        assert!(requests.iter().all(|request| request.records <= 50));
        let records: usize = requests.iter().map(|request| request.records).sum();
        (records, schedule.drain_truth().collect::<Vec<_>>())
    };
    let (whole, parts) = (of(Share::WHOLE), [1, 2, 3].map(|index| of(Share::new(index, 3).unwrap())));
    assert_eq!(whole.0, parts.iter().map(|part| part.0).sum::<usize>());
    let mut truth: Vec<_> = parts.into_iter().flat_map(|part| part.1).collect();
    truth.sort_by_key(|line| line.attempt);
    assert_eq!(whole.1, truth);
}
