//! Whole journals: on a disk that is crashed at every step, on one that is damaged, and on a real one.

use authstitch_model::event::testing;
use authstitch_model::ids::Text;
use authstitch_model::{EventName, KeyHash, Position, Record, RecordBody, UnixNanos};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::disk::simulated::Simulated;
use crate::{Body, Disk, Entry, Journal, Refused, Setting, Settings, Stamp, caps};

mod ages;
mod crashes;
mod damage;
mod erasing;
mod files;
mod rules;

/// Settings with the smallest segments, so that there are many.
fn small() -> Settings {
    Settings { segment_bytes: 4096, disk_bytes: 1 << 20, ..Settings::default() }
}

/// An entry of some kind, without its place.
fn some_entry(chance: &mut ChaCha8Rng) -> Entry {
    // Now and then time leaps, so that segments are old.
    let leap = if chance.random_ratio(1, 8) { caps::FILE_AGE.nanos() / 100 } else { 1 };
    let (position, received) = (Position(0), UnixNanos(chance.random_range(0..1000) * leap));
    let events = match chance.random_range(0..10) {
        0..2 => return Entry::Record(Record { position, received, body: RecordBody::Tick }),
        2 => {
            let length = if chance.random_ratio(1, 4) { 9000 } else { 700 };
            let bytes = (0..chance.random_range(0..length)).map(|_| chance.random()).collect();
            return Entry::Setting(Setting { position, received, kind: Text::from("tables"), bytes });
        }
        many => many - 2,
    };
    let event = |_| {
        let name = EventName::ALL[chance.random_range(0..EventName::COUNT)];
        let mut event = testing::event(name, UnixNanos(chance.random()), chance.random());
        event.keys.journey = Some(KeyHash::new(chance.random()));
        event
    };
    let body = RecordBody::Events((0..events).map(event).collect());
    Entry::Record(Record { position, received, body })
}

/// Takes an entry into the batch, and gives it the place that it got.
fn append<D: Disk>(journal: &mut Journal<D>, mut entry: Entry) -> Result<Entry, Refused> {
    let stamp = journal.append(entry.received(), Body::from(&entry))?;
    match &mut entry {
        Entry::Record(Record { position, received, .. })
        | Entry::Setting(Setting { position, received, .. }) => {
            (*position, *received) = (stamp.position, stamp.received);
        }
    }
    Ok(entry)
}

/// Takes a tick into the batch.
fn tick<D: Disk>(journal: &mut Journal<D>, received: u64) -> Result<Stamp, Refused> {
    journal.append(UnixNanos(received), Body::Tick)
}

/// A setting of so many bytes.
fn setting(bytes: usize) -> Entry {
    let (position, received, kind) = (Position(0), UnixNanos(0), Text::from("tables"));
    Entry::Setting(Setting { position, received, kind, bytes: vec![7; bytes].into() })
}

/// The journal of a disk and what is read back, which must open and be readable.
fn open(disk: &Simulated, settings: Settings) -> (Journal<Simulated>, crate::Report, Vec<Entry>) {
    let (journal, recovery) = Journal::open(disk.clone(), settings, Stamp::default()).unwrap();
    let entries = recovery.entries.map(Result::unwrap).collect();
    (journal, recovery.report, entries)
}
