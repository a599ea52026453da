//! What holds for any input, without knowing what is right.

use std::collections::{HashMap, HashSet};

use authstitch_model::event::testing;
use authstitch_model::{
    AuthEvent, EventKeys, EventName, Identity, KeyHash, Millis, Realm, Secret, Side, UnixNanos,
};
use authstitch_stitch::{Change, Counters, Settings, Stitcher};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, proptest};
use proptest::prop_oneof;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::attempts::arrivals;
use crate::dsl::{Line, feed, run, shown};

/// Where every event ended, but for duplicates.
fn placed(counters: &Counters) -> u64 {
    let too_late: u64 = counters.too_late.iter().map(|late| late.events).sum();
    counters.joined
        + counters.orphaned
        + counters.ambiguous
        + counters.keyless
        + counters.over_cap
        + counters.waiting
        + too_late
}

/// What is told under a secret, with the lines of the events in their order instead of what the secret makes.
fn told_under(secret: Secret, lines: &[Line]) -> (String, Vec<Vec<String>>) {
    let (mut stitcher, mut changes, mut texts) = (Stitcher::default(), Vec::new(), HashMap::new());
    for line in lines {
        stitcher.advance(line.received(), &mut changes);
        let Some(event) = line.event_under(secret) else { continue };
        stitcher.accept(line.received(), &event, &mut changes);
        texts.insert(event.identity, format!("{line:?}"));
    }
    stitcher.advance(UnixNanos(u64::MAX), &mut changes);
    let log: Vec<_> = changes.iter().map(|change| (UnixNanos(0), change.clone())).collect();
    let events = changes.iter().filter_map(|change| match change {
        Change::Closed(journey) => {
            Some(journey.events.iter().map(|event| texts[&event.event.identity].clone()).collect())
        }
        Change::Merged { .. } => None,
    });
    (shown(&log), events.collect())
}

fn realm_of(change: &Change, changes: &[Change]) -> Realm {
    let id = match change {
        Change::Closed(journey) => return journey.realm.clone(),
        Change::Merged { journey, .. } => *journey,
    };
    let told = changes.iter().find_map(|change| match change {
        Change::Closed(journey) if journey.id == id => Some(journey.realm.clone()),
        _ => None,
    });
    told.expect("only a journey that was told of is told to be merged")
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 5_000, ..ProptestConfig::default() })]

    #[test]
    fn a_realm_is_stitched_as_if_it_were_alone(lines in arrivals()) {
        let (together, _) = run(Settings::default(), &lines);
        let realm = |line: &Line| line.event().map(|event| event.realm);
        let realms: HashSet<_> = lines.iter().filter_map(realm).collect();
        for own in realms {
            let alone: Vec<_> = lines.iter().filter(|line| realm(line).as_ref() == Some(&own)).cloned().collect();
            let (alone, _) = run(Settings::default(), &alone);
            let together: Vec<_> =
                together.iter().filter(|change| realm_of(change, &together) == own).cloned().collect();
            prop_assert_eq!(together, alone);
        }
    }

    #[test]
    fn the_same_input_gives_the_same(lines in arrivals()) {
        prop_assert_eq!(run(Settings::default(), &lines), run(Settings::default(), &lines));
    }

    /// Journeys of one millisecond are told apart by the identities of their first events, so no two lines come in
    /// one.
    #[test]
    fn the_secret_decides_nothing_but_hashes(lines in arrivals(), secret in any::<[u8; 16]>()) {
        let apart = |(place, line): (usize, &Line)| Line { received: line.received + place as i64, ..line.clone() };
        let lines: Vec<_> = lines.iter().enumerate().map(apart).collect();
        prop_assert_eq!(told_under(Secret::PUBLIC, &lines), told_under(Secret::new(secret), &lines));
    }

    /// Only copies of events that joined something, for what is lost is not remembered; and within a reopen
    /// window that outlasts them, for what is forgotten is not remembered either.
    #[test]
    fn duplicates_change_nothing_but_their_counter(
        lines in arrivals(),
        copies in vec((any::<Index>(), 0..600_000i64), 1..8),
    ) {
        let settings = Settings { reopen_window: Millis::from_mins(600), ..Settings::default() };
        let (changes, counters) = run(settings, &lines);
        let joined: HashSet<Identity> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Closed(journey) => Some(journey),
                Change::Merged { .. } => None,
            })
            .flat_map(|journey| journey.events.iter().map(|event| event.event.identity))
            .collect();
        // The last arrival of each: an earlier one of the same event may have come to nothing.
        let kept: Vec<_> = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.event().is_some_and(|event| joined.contains(&event.identity)))
            .filter(|(place, line)| lines[place + 1..].iter().all(|later| later.event() != line.event()))
            .map(|(_, line)| line)
            .collect();
        let mut copied = lines.clone();
        for (which, later) in copies.into_iter().filter(|_| !kept.is_empty()) {
            let line = *which.get(&kept);
            copied.push(Line { received: line.received + later, ..line.clone() });
        }
        let duplicates = counters.duplicates + (copied.len() - lines.len()) as u64;
        copied.sort_by_key(|line| line.received);
        let (said, counted) = run(settings, &copied);
        prop_assert_eq!(said, changes);
        // Tombstones go when time moves on, and a late copy moves it.
        let tombstones = counted.tombstones;
        prop_assert_eq!(counted, Counters { duplicates, tombstones, ..counters });
    }

    #[test]
    fn every_event_ends_in_one_place(lines in arrivals(), cut in any::<Index>()) {
        let mut stitcher = Stitcher::new(Settings::default());
        let mut changes = Vec::new();
        for (place, line) in lines.iter().enumerate() {
            feed(&mut stitcher, line, &mut changes);
            let counters = stitcher.counters();
            prop_assert_eq!(placed(&counters) + counters.duplicates, place as u64 + 1);
        }
        if cut.index(2) == 0 {
            let now = lines.last().expect("there is a line").received();
            while stitcher.shut_down(now, 3, &mut changes) {}
            prop_assert_eq!((stitcher.counters().open, stitcher.counters().waiting), (0, 0));
        }
        while let Some(deadline) = stitcher.next_deadline() {
            stitcher.advance(deadline, &mut changes);
        }
        let counters = stitcher.counters();
        prop_assert_eq!((counters.open, counters.reopenable, counters.waiting), (0, 0, 0));
        prop_assert_eq!(placed(&counters) + counters.duplicates, lines.len() as u64);
    }

    /// The journeys that are left hold each joined event once, and revisions count from one.
    #[test]
    fn the_last_revisions_hold_every_joined_event_once(lines in arrivals()) {
        let (changes, counters) = run(Settings::default(), &lines);
        let mut left: Vec<(authstitch_model::JourneyId, u32, Vec<Identity>)> = Vec::new();
        for change in &changes {
            match change {
                Change::Closed(journey) => {
                    let events = journey.events.iter().map(|event| event.event.identity).collect();
                    match left.iter_mut().find(|(id, ..)| *id == journey.id) {
                        Some((_, revision, known)) => {
                            prop_assert_eq!(journey.revision, *revision + 1);
                            (*revision, *known) = (journey.revision, events);
                        }
                        None => {
                            prop_assert_eq!(journey.revision, 1);
                            left.push((journey.id, 1, events));
                        }
                    }
                }
                Change::Merged { journey, revision, .. } => {
                    let place = left.iter().position(|(id, ..)| id == journey);
                    let (_, last, _) = left.remove(place.expect("it was told of before"));
                    prop_assert_eq!(*revision, last + 1);
                }
            }
        }
        let all: Vec<_> = left.into_iter().flat_map(|(.., events)| events).collect();
        prop_assert_eq!(all.len() as u64, counters.joined);
    }

    #[test]
    fn nothing_makes_it_panic(soup in vec(anything(), 1..60), journeys in prop_oneof![1..8usize, Just(1_000_000)]) {
        let settings = Settings { journeys, ..Settings::default() };
        let mut stitcher = Stitcher::new(settings);
        let mut changes = Vec::new();
        let mut now = UnixNanos(0);
        let accepted = soup.len() as u64;
        for (later, event) in soup {
            now = now.plus(later);
            stitcher.advance(now, &mut changes);
            stitcher.accept(now, &event, &mut changes);
            let counters = stitcher.counters();
            prop_assert!(counters.open + counters.reopenable <= journeys as u64);
        }
        stitcher.advance(UnixNanos(u64::MAX), &mut changes);
        let counters = stitcher.counters();
        prop_assert_eq!(placed(&counters) + counters.duplicates, accepted);
        prop_assert_eq!((counters.open, counters.waiting), (0, 0));
    }
}

/// An event of any name, from an alphabet of two values a key, at any time, with how much later it comes.
pub fn anything() -> impl Strategy<Value = (Millis, AuthEvent)> {
    let time = prop_oneof![
        Just(UnixNanos(0)),
        Just(UnixNanos(u64::MAX)),
        any::<u64>().prop_map(UnixNanos),
        (0..400_000u64).prop_map(|millis| UnixNanos(millis * 1_000_000)),
    ];
    let later = prop_oneof![
        8 => (0..10_000u64).prop_map(Millis),
        2 => (10_000..400_000u64).prop_map(Millis),
        1 => Just(Millis(u64::MAX / 2_000_000)),
    ];
    let key = || option::of(0..2u128);
    let keys = (key(), key(), key(), key(), key(), key());
    let millis = option::weighted(0.1, prop_oneof![any::<u64>(), Just(u64::MAX)]);
    let name = select(EventName::ALL.to_vec());
    (later, time, name, select(Side::ALL.to_vec()), keys, millis, any::<u8>(), any::<[bool; 3]>()).prop_map(
        |(later, time, name, side, keys, millis, nth, flags)| {
            let mut event = testing::event(name, time, u64::from(nth) + 1);
            let key = |kind: u128, key: Option<u128>| key.map(|key| KeyHash::new(kind * 10 + key));
            event.side = side;
            event.keys = EventKeys {
                journey: key(1, keys.0.filter(|_| flags[0])),
                challenge: key(2, keys.1.filter(|_| flags[1])),
                code: key(3, keys.2.filter(|_| flags[2])),
                flow: key(4, keys.3),
                session: key(5, keys.4),
                trace: key(6, keys.5),
            };
            event.facts.code_ttl = millis.map(Millis);
            event.facts.webauthn_timeout = millis.map(Millis);
            event.origin.parent_span_id =
                testing::event(name, time, u64::from(nth / 2) + 1).origin.span_id.filter(|_| flags[0]);
            (later, event)
        },
    )
}

/// The comparison with the oracle proves something only about what its inputs reach.
#[test]
fn the_attempts_reach_everything_that_is_counted() {
    let mut runner = TestRunner::deterministic();
    let mut reached = [("", 0); 12];
    let mut too_late = 0;
    for _ in 0..400 {
        let lines = arrivals().new_tree(&mut runner).expect("nothing is rejected").current();
        let (_, counters) = run(Settings { journeys: 8, ..Settings::default() }, &lines);
        for (place, (name, total)) in counters.totals().into_iter().enumerate() {
            reached[place] = (name, reached[place].1 + total);
        }
        too_late += counters.too_late.iter().map(|late| late.events).sum::<u64>();
    }
    for (name, total) in reached {
        // A journey of more than 512 events has a test of its own.
        assert!(total >= 5 || name == "events_over_cap", "{name}: {total}");
    }
    assert!(too_late > 10, "too late: {too_late}");
}

/// Look-up tables know keys by 32 bits. One journey's session and trace can agree in these; it is one journey still.
#[test]
fn a_journey_under_two_keys_of_one_fingerprint_is_absorbed_once() {
    let at = |seconds: u64| UnixNanos(0).plus(Millis::from_secs(seconds));
    let (session, trace) = (KeyHash::new(1 << 64 | 7), KeyHash::new(2 << 64 | 7));
    let mut weak = testing::event(EventName::ChallengeCreated, at(0), 1);
    (weak.keys.session, weak.keys.trace) = (Some(session), Some(trace));
    let mut strong = testing::event(EventName::QrShown, at(5), 2);
    (strong.keys.challenge, strong.keys.trace) = (Some(KeyHash::new(3)), Some(trace));
    let (mut stitcher, mut changes) = (Stitcher::default(), Vec::new());
    stitcher.accept(at(0), &weak, &mut changes);
    stitcher.advance(at(7), &mut changes);
    stitcher.accept(at(7), &strong, &mut changes);
    let counters = stitcher.counters();
    assert_eq!((counters.open, counters.joined, counters.merged), (1, 2, 1));
    stitcher.advance(UnixNanos(u64::MAX), &mut changes);
    let events: Vec<_> = changes
        .iter()
        .map(|change| match change {
            Change::Closed(journey) => journey.events.len(),
            Change::Merged { .. } => 0,
        })
        .collect();
    assert_eq!(events, [2]);
}

/// Keys that agree in all that look-up tables know of them lead each to its own journey.
#[test]
fn keys_chosen_to_collide_lead_each_to_its_own_journey() {
    const LOGINS: u64 = 600;
    let at = |seconds: u64| UnixNanos(0).plus(Millis::from_secs(seconds));
    let (mut stitcher, mut changes) = (Stitcher::default(), Vec::new());
    for step in 0..3u64 {
        for login in 0..LOGINS {
            let name = [EventName::ChallengeCreated, EventName::QrShown, EventName::SessionEstablished]
                [step as usize];
            let mut event = testing::event(name, at(step), step * LOGINS + login + 1);
            event.keys.challenge = Some(KeyHash::new(u128::from(login + 1) << 64 | 7));
            stitcher.accept(at(step), &event, &mut changes);
        }
    }
    let counters = stitcher.counters();
    assert_eq!(
        (counters.open, counters.joined, counters.merged, counters.poisoned_keys),
        (LOGINS, 3 * LOGINS, 0, 0)
    );
    stitcher.advance(UnixNanos(u64::MAX), &mut changes);
    assert_eq!(changes.len() as u64, LOGINS);
    for change in &changes {
        let Change::Closed(journey) = change else { panic!("nothing merges: {change:?}") };
        let keys: Vec<_> = journey.events.iter().map(|event| event.event.keys.challenge).collect();
        assert!(keys.len() == 3 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    }
}
