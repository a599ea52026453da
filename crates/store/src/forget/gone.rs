//! Thousands of journeys come, are revised, merge, grow old and are forgotten, as chance has it; and what was forgotten or
//! retired is looked for in all files, byte by byte.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use authstitch_model::event::testing::event;
use authstitch_model::{
    EventId, EventName, Forget, JoinedBy, JourneyEvent, Judged, KeyHash, Position, UnixNanos,
};
use tempfile::TempDir;

use crate::testing::{began, id, judged, remove};
use crate::wipe::free_middle;
use crate::{Change, Store};

/// Chance that a seed decides.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 += 1;
        mixed(self.0) % bound
    }
}

fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

/// A key of the `nth` journey.
fn key(nth: u64, number: u64) -> u128 {
    u128::from(mixed(nth << 8 | number)) << 64 | u128::from(mixed(nth << 8 | number | 1 << 40))
}

/// The name of one of its events, as a client may give it.
fn name(nth: u64, number: u64) -> String {
    format!("{:016x}", mixed(nth << 8 | number | 1 << 41))
}

/// Most events of a journey: a page holds eight rows of one, and less than a row of all.
const EVENTS: u64 = 60;

/// Keys of a journey.
const KEYS: u64 = 4;

/// The `nth` journey, of so many events.
fn journey(nth: u64, revision: u32, events: u64) -> Judged {
    let keys: Vec<_> = (0..KEYS).map(|number| key(nth, number)).collect();
    let mut judged = judged(nth, revision, &keys);
    for number in 0..events {
        let mut event = event(EventName::QrShown, UnixNanos(nth), nth);
        event.event_id = Some(EventId::new(&name(nth, number)));
        event.identity.0 = key(nth, number);
        judged.journey.events.push(JourneyEvent {
            event,
            corrected: began(nth),
            joined_by: JoinedBy::Strong,
        });
    }
    judged
}

/// What tells of journeys, wherever it stands.
#[derive(Default)]
struct Traces {
    by_start: HashMap<[u8; 8], (Vec<u8>, u64)>,
    starts: BTreeSet<[u8; 2]>,
}

impl Traces {
    fn add(&mut self, nth: u64) {
        let id = id(nth);
        self.insert(&id.as_u128().to_be_bytes(), nth);
        // Without the digits that it shares with the journeys of its time.
        self.insert(&id.to_string().as_bytes()[2..], nth);
        for number in 0..EVENTS {
            self.insert(name(nth, number).as_bytes(), nth);
            self.insert(&key(nth, number).to_be_bytes(), nth);
        }
    }

    /// The keys as they stand in their tables.
    fn add_keys(&mut self, nth: u64) {
        (0..KEYS).for_each(|number| self.insert(&(key(nth, number) as u64).to_be_bytes(), nth));
    }

    fn insert(&mut self, bytes: &[u8], nth: u64) {
        let start: [u8; 8] = bytes[..8].try_into().unwrap();
        self.by_start.insert(start, (bytes.to_vec(), nth));
        self.starts.insert([start[0], start[1]]);
    }

    /// The journeys of which something stands in the files, and where.
    fn found(&self, directory: &Path) -> BTreeMap<u64, (String, usize)> {
        let place = |pair: [u8; 2]| usize::from(u16::from_be_bytes(pair));
        let mut may_start = vec![false; 1 << 16];
        self.starts.iter().for_each(|start| may_start[place(*start)] = true);
        let mut found = BTreeMap::new();
        for file in fs::read_dir(directory).unwrap() {
            let path = file.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            for at in 0..bytes.len().saturating_sub(7) {
                if may_start[place([bytes[at], bytes[at + 1]])]
                    && let Some((trace, nth)) = self.by_start.get(&bytes[at..at + 8])
                    && bytes[at..].starts_with(trace)
                {
                    found.insert(*nth, (path.file_name().unwrap().to_string_lossy().into_owned(), at));
                }
            }
        }
        found
    }
}

struct World {
    directory: TempDir,
    store: Store,
    chance: Chance,
    next: u64,
    /// The revision of each journey that is stored.
    stored: BTreeMap<u64, u32>,
    gone: Traces,
    position: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open_partitioned(directory.path(), 400).unwrap();
        let (chance, gone) = (Chance(seed << 32), Traces::default());
        Self { directory, store, chance, next: 0, stored: BTreeMap::new(), gone, position: 0 }
    }

    fn any(&mut self) -> Option<u64> {
        let place = self.chance.below(self.stored.len().max(1) as u64);
        self.stored.keys().nth(place as usize).copied()
    }

    /// Most are small.
    fn events(&mut self) -> u64 {
        let most = 1 + self.chance.below(EVENTS);
        self.chance.below(most)
    }

    /// One batch: new journeys, new revisions of others, and merges.
    fn batch(&mut self) {
        let mut changes = Vec::new();
        for _ in 0..=self.chance.below(60) {
            match self.chance.below(10) {
                0..5 => {
                    changes.push(Change::Put(Box::new(journey(self.next, 1, self.events()))));
                    self.stored.insert(self.next, 1);
                    self.next += 1;
                }
                5..9 => {
                    let Some(nth) = self.any() else { continue };
                    let revision = self.stored[&nth] + 1;
                    changes.push(Change::Put(Box::new(journey(nth, revision, self.events()))));
                    self.stored.insert(nth, revision);
                }
                _ => {
                    let (Some(nth), Some(into)) = (self.any(), self.any()) else { continue };
                    if nth < into {
                        changes.push(remove(nth, self.stored[&nth] + 1, into));
                        self.stored.remove(&nth);
                    }
                }
            }
        }
        self.position += 1;
        self.store.apply(&changes, Position(self.position)).unwrap();
    }

    fn forget(&mut self) {
        for _ in 0..=self.chance.below(2) {
            let Some(nth) = self.any() else { return };
            let mut what = Forget { named: [KeyHash::new(key(nth, 0))].into(), ..Forget::default() };
            self.store.recall(&mut what).unwrap();
            assert!(what.journeys.contains(&id(nth)));
            self.store.forget(&what).unwrap();
            self.stored.remove(&nth);
            self.gone.add(nth);
            self.gone.add_keys(nth);
        }
    }

    fn retire(&mut self) {
        let before = self.next.saturating_sub(600);
        self.store.retire(began(before), 1000).unwrap();
        while let Some((&nth, _)) = self.stored.range(..before).next() {
            self.stored.remove(&nth);
            self.gone.add(nth);
        }
    }

    /// Pages of tables on which something stands between the list of entries and the first entry.
    fn unclear_pages(&self) -> usize {
        let bytes = fs::read(self.directory.path().join("authstitch.db")).unwrap();
        let pages = bytes.chunks(4096).skip(1);
        let unclear = pages
            .filter(|page| free_middle(page).is_some_and(|free| page[free].iter().any(|byte| *byte != 0)));
        unclear.count()
    }
}

#[test]
fn what_is_forgotten_or_retired_is_nowhere_however_rows_have_moved() {
    let mut unclear = 0;
    for seed in 0..3 {
        let mut world = World::new(seed);
        for round in 0..60 {
            world.batch();
            world.store.empty_log().unwrap();
            unclear += world.unclear_pages();
            world.retire();
            assert_eq!(world.unclear_pages(), 0);
            assert_eq!(world.gone.found(world.directory.path()), BTreeMap::new(), "{seed}, {round}");
            if round % 3 == 2 {
                world.batch();
                world.forget();
                assert_eq!(world.unclear_pages(), 0);
                assert_eq!(world.gone.found(world.directory.path()), BTreeMap::new(), "{seed}, {round}");
            }
        }
        assert!(world.next > 800 && world.gone.by_start.len() > 10_000);
    }
    assert!(unclear > 1000, "{unclear}: nothing had to be wiped");
}

#[test]
fn where_pages_cannot_be_wiped_forgetting_writes_the_file_anew() {
    let mut world = World::new(0);
    world.store.wipes = false;
    let mut unclear = 0;
    for round in 0..20 {
        world.batch();
        world.store.empty_log().unwrap();
        unclear += world.unclear_pages();
        world.forget();
        assert_eq!(world.gone.found(world.directory.path()), BTreeMap::new(), "{round}");
    }
    assert!(unclear > 100, "{unclear}: nothing had to be written anew");
}
