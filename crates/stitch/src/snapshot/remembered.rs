//! What stands beside the journeys: waiting events, tombstones, poisoned keys and what was counted.
//!
//! ```text
//! counters: the totals in their order, then of each side the events that came too late, the sum and the greatest lag
//! waiting: count, each in its turn: received 8 | event by serde
//! tombstones: count, each by (expiry, key): closed 8 | expires after it | key 16
//! poisoned keys: count, each in the order in which they were found out: key 16
//! ```

use authstitch_model::{AuthEvent, KeyHash, Millis, UnixNanos};

use crate::counters::Counters;
use crate::fingerprints::entry_of;
use crate::index::{Index, STONE};
use crate::settings::Settings;
use crate::snapshot::bytes::{Put, Read, Reader};
use crate::stitcher::WAITING;
use crate::tombstones::Tombstones;
use crate::waiting::WaitingRoom;

/// More than anything is ever counted: a million a second for nine thousand years.
const MOST_COUNTED: u64 = 1 << 58;

impl Reader<'_> {
    /// How often something happened.
    fn counted(&mut self) -> Read<u64> {
        let count = self.number()?;
        self.ensure(count < MOST_COUNTED, "a count of more than can have been")?;
        Ok(count)
    }
}

pub fn write_counters(counters: &Counters, out: &mut Vec<u8>) {
    for (_, total) in counters.totals() {
        out.number(total);
    }
    for late in counters.too_late {
        out.number(late.events);
        out.number(late.lag_sum.0);
        out.number(late.lag_max.0);
    }
}

pub fn read_counters(bytes: &mut Reader<'_>) -> Read<Counters> {
    let mut counters = Counters::default();
    for total in counters.totals_mut() {
        *total = bytes.counted()?;
    }
    for late in &mut counters.too_late {
        late.events = bytes.counted()?;
        late.lag_sum = Millis(bytes.number()?);
        late.lag_max = Millis(bytes.number()?);
    }
    Ok(counters)
}

pub fn write_waiting(waiting: &WaitingRoom, out: &mut Vec<u8>) {
    out.number(waiting.len() as u64);
    for waiting in waiting.in_turn() {
        out.extend_from_slice(&waiting.received.0.to_le_bytes());
        out.serde(&waiting.event);
    }
}

/// Reads the events that wait, which wait on as the settings have it now; adds where each identity is found.
pub fn read_waiting(
    bytes: &mut Reader<'_>,
    settings: &Settings,
    identities: &mut Vec<u64>,
) -> Read<WaitingRoom> {
    let mut waiting = WaitingRoom::default();
    for _ in 0..bytes.count(8 + 16)? {
        let received = UnixNanos(u64::from_le_bytes(bytes.array()?));
        let event: AuthEvent = bytes.serde()?;
        let identity = event.identity;
        let place = waiting.enter(received.plus(settings.hold), received, event);
        identities.push(entry_of(identity.0, place | WAITING));
    }
    Ok(waiting)
}

pub fn write_tombstones(index: &Index, out: &mut Vec<u8>) {
    let stones = index.tombstones.sorted();
    out.number(stones.len() as u64);
    for stone in stones {
        out.extend_from_slice(&stone.closed.0.to_le_bytes());
        out.number(stone.expires.0 - stone.closed.0);
        out.wide(stone.key().get());
    }
    out.number(index.poisoned().len() as u64);
    for key in index.poisoned() {
        out.wide(key.get());
    }
}

/// Reads the tombstones; adds where each key is found.
pub fn read_tombstones(bytes: &mut Reader<'_>, places: &mut Vec<u64>) -> Read<Tombstones> {
    let mut tombstones = Tombstones::default();
    for _ in 0..bytes.count(8 + 1 + 16)? {
        let closed = UnixNanos(u64::from_le_bytes(bytes.array()?));
        let expires = closed.0.checked_add(bytes.number()?).filter(|expires| *expires > closed.0);
        let expires = expires.ok_or_else(|| bytes.damaged("a tombstone that never stood"))?;
        let key = bytes.wide()?;
        let place = tombstones.add(KeyHash::new(key), closed, UnixNanos(expires));
        places.push(entry_of(key, place | STONE));
    }
    Ok(tombstones)
}

pub fn read_poisoned(bytes: &mut Reader<'_>, index: &mut Index) -> Read<()> {
    for _ in 0..bytes.count(16)? {
        index.poison(KeyHash::new(bytes.wide()?));
    }
    Ok(())
}
