//! What is forgotten for good: nothing of it is left, and the others go on as if it had never come.

use std::collections::BTreeSet;

use authstitch_model::{AuthEvent, Forget, JourneyId, KeyHash, UnixNanos};
use authstitch_stitch::{Change, Settings, Stitcher};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::Index;

use crate::attempts::arrivals;
use crate::dsl::{Line, What, feed, parse, shown};

/// Everything that is told of these lines, and after them if so wanted.
fn told<'a>(
    stitcher: &mut Stitcher,
    lines: impl IntoIterator<Item = &'a Line>,
    to_the_end: bool,
) -> Vec<(UnixNanos, Change)> {
    let mut changes = Vec::new();
    for line in lines {
        feed(stitcher, line, &mut changes);
    }
    if to_the_end {
        stitcher.advance(UnixNanos(u64::MAX), &mut changes);
    }
    changes.into_iter().map(|change| (UnixNanos(0), change)).collect()
}

fn snapshot(stitcher: &Stitcher) -> Vec<u8> {
    let mut bytes = Vec::new();
    stitcher.snapshot(&mut bytes);
    bytes
}

fn holds(bytes: &[u8], number: u128) -> bool {
    bytes.windows(16).any(|window| window == number.to_le_bytes())
}

fn keys(event: &AuthEvent) -> impl Iterator<Item = KeyHash> {
    event.keys.all().into_iter().flatten()
}

/// All keys that hang together with those of one event, over whatever events.
fn hanging_together(events: &[AuthEvent], first: &AuthEvent) -> BTreeSet<KeyHash> {
    let mut together: BTreeSet<_> = keys(first).collect();
    loop {
        let before = together.len();
        for event in events {
            if keys(event).any(|key| together.contains(&key)) {
                together.extend(keys(event));
            }
        }
        if together.len() == before {
            return together;
        }
    }
}

/// The keys that an application sends by mistake, the same ones with every attempt.
fn constants(lines: &[Line]) -> BTreeSet<KeyHash> {
    let is_constant = |line: &&Line| format!("{line:?}").contains("=constant");
    lines.iter().filter(is_constant).filter_map(Line::event).flat_map(|event| event.keys.code).collect()
}

fn forget(stitcher: &mut Stitcher, mut what: Forget) -> Forget {
    stitcher.recall(&mut what);
    stitcher.erase(&what);
    what
}

fn named(journey: JourneyId) -> Forget {
    Forget { journeys: [journey].into(), ..Forget::default() }
}

/// The ids of all open journeys.
fn open(stitcher: &Stitcher) -> Vec<JourneyId> {
    let mut copy = Stitcher::restore(Settings::default(), &snapshot(stitcher)).expect("its own bytes");
    let mut changes = Vec::new();
    while copy.shut_down(UnixNanos(u64::MAX / 2), 64, &mut changes) {}
    let closed = changes.iter().filter_map(|change| match change {
        Change::Closed(journey) => Some(journey.id),
        Change::Merged { .. } => None,
    });
    closed.collect::<BTreeSet<_>>().into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 5_000, ..ProptestConfig::default() })]

    /// All that hangs together is named. The oracle never hears of it before, and of everything after.
    #[test]
    fn all_goes_on_as_if_what_is_forgotten_had_never_come(lines in arrivals(), cut in any::<Index>(), whose in any::<Index>()) {
        let (before, after) = lines.split_at(cut.index(lines.len() + 1));
        let events: Vec<_> = before.iter().filter_map(Line::event).collect();
        if events.is_empty() {
            return Ok(());
        }
        let together = hanging_together(&events, whose.get(&events));
        let own = |line: &Line| line.event().is_some_and(|event| keys(&event).any(|key| together.contains(&key)));
        let (mut stitcher, mut never) = (Stitcher::default(), Stitcher::default());
        told(&mut stitcher, before, false);
        // Its clock goes on without the events.
        let others = before.iter().map(|line| if own(line) { Line { what: What::Tick, ..line.clone() } } else { line.clone() });
        told(&mut never, &others.collect::<Vec<_>>(), false);
        forget(&mut stitcher, Forget { named: together.clone(), ..Forget::default() });
        let bytes = snapshot(&stitcher);
        for key in &together {
            prop_assert!(!holds(&bytes, key.get()), "{key:?} is left");
        }
        let restored = Stitcher::restore(Settings::default(), &bytes);
        prop_assert!(restored.is_ok_and(|restored| snapshot(&restored) == bytes));
        let (told, expected) = (told(&mut stitcher, after, true), told(&mut never, after, true));
        prop_assert_eq!(shown(&told), shown(&expected));
    }

    /// One open journey is named by its id.
    #[test]
    fn nothing_of_a_journey_is_left_and_nothing_leads_there(lines in arrivals(), cut in any::<Index>(), whose in any::<Index>()) {
        let before = &lines[..cut.index(lines.len() + 1)];
        let mut stitcher = Stitcher::default();
        told(&mut stitcher, before, false);
        let there = open(&stitcher);
        if there.is_empty() {
            return Ok(());
        }
        let journey = *whose.get(&there);
        let what = forget(&mut stitcher, named(journey));
        let bytes = snapshot(&stitcher);
        prop_assert!(!holds(&bytes, journey.as_u128()), "{journey} is left");
        for event in &what.events {
            prop_assert!(!holds(&bytes, event.0), "an event of it is left");
        }
        // A start may forget again what a snapshot knows nothing of any more.
        stitcher.erase(&what);
        prop_assert!(snapshot(&stitcher) == bytes, "forgetting twice is forgetting once");
        // A constant of many is none of its keys, and what another journey carries, too, is the other's.
        for key in what.keys.difference(&constants(before)) {
            let mut others = Forget { named: [*key].into(), ..Forget::default() };
            stitcher.recall(&mut others);
            prop_assert!(!others.journeys.is_empty() || !holds(&bytes, key.get()), "{key:?} is left");
        }
        let restored = Stitcher::restore(Settings::default(), &bytes);
        prop_assert!(restored.is_ok_and(|restored| snapshot(&restored) == bytes));
    }
}

/// Two attempts of one session, the second open, and a login that has nothing to do with them.
fn two_and_another() -> (Stitcher, Vec<JourneyId>) {
    let lines = parse(
        "
        0 desktop qr.shown journey=A session=S trace=1
        5 desktop session.established journey=A session=S trace=1
        20 desktop qr.shown journey=B session=S trace=2
        21 desktop qr.shown journey=C session=T trace=3
        26 desktop session.established journey=C session=T trace=3
        40 tick
        ",
    );
    let mut stitcher = Stitcher::default();
    let log = told(&mut stitcher, &lines, false);
    let mut ids: Vec<_> = log
        .iter()
        .filter_map(|(_, change)| match change {
            Change::Closed(journey) => Some(journey.id),
            Change::Merged { .. } => None,
        })
        .collect();
    ids.dedup();
    (stitcher, ids)
}

#[test]
fn a_neighbour_is_linked_to_it_no_more_and_told_of_no_new_revision() {
    let (mut stitcher, ids) = two_and_another();
    forget(&mut stitcher, named(ids[0]));
    let rest = told(&mut stitcher, &[], true);
    let closed: Vec<_> = rest
        .iter()
        .filter_map(|(_, change)| match change {
            Change::Closed(journey) => Some(journey),
            Change::Merged { .. } => None,
        })
        .collect();
    assert_eq!(closed.len(), 1, "the open one closes, and the other one has nothing new");
    assert_eq!(closed[0].previous, None);
}

#[test]
fn a_late_event_of_it_is_new() {
    let (mut stitcher, ids) = two_and_another();
    forget(&mut stitcher, named(ids[0]));
    let before = stitcher.counters();
    told(&mut stitcher, &parse("41 phone qr.scanned journey=A"), false);
    let after = stitcher.counters();
    assert_eq!(after.open, before.open + 1);
    assert_eq!(after.too_late, before.too_late);
}

#[test]
fn its_tombstones_and_what_waits_for_it_go_too() {
    let (mut stitcher, ids) = two_and_another();
    told(&mut stitcher, &parse("300 desktop page.hidden trace=1"), false);
    let before = stitcher.counters();
    assert!(before.tombstones >= 2 && before.waiting == 1, "{before:?}");
    // It has left the memory: its keys are known to whoever stored it.
    let (lines, mut what) = (parse("0 desktop qr.shown journey=A session=S trace=1"), named(ids[0]));
    what.add(ids[0], &lines[0].event());
    forget(&mut stitcher, what);
    let after = stitcher.counters();
    assert_eq!((after.tombstones, after.waiting), (before.tombstones - 1, 0));
}
