//! The order of journeys under one fingerprint, where it is not that of their ids.

use crate::fingerprints::{Fingerprints, entry, fingerprint_of};
use crate::index::STONE;
use crate::pool::Place;
use crate::snapshot::bytes::{Put, Read, Reader};

/// Writes the journeys of each fingerprint under which they do not stand by number. `number` gives a journey's by
/// its place.
pub fn write(places: &Fingerprints, number: impl Fn(Place) -> u32, out: &mut Vec<u8>) {
    let mut count = 0;
    let (mut orders, mut own) = (Vec::new(), Vec::new());
    let mut last = None;
    let mut end = |fingerprint: Option<u32>, own: &mut Vec<u32>| {
        if let Some(fingerprint) = fingerprint.filter(|_| !own.is_sorted()) {
            count += 1;
            orders.extend_from_slice(&fingerprint.to_le_bytes());
            orders.number(own.len() as u64);
            own.iter().for_each(|number| orders.number((*number).into()));
        }
        own.clear();
    };
    for entry in places.iter().filter(|entry| *entry as Place & STONE == 0) {
        let fingerprint = fingerprint_of(entry);
        if last != Some(fingerprint) {
            end(last, &mut own);
            last = Some(fingerprint);
        }
        own.push(number(entry as Place));
    }
    end(last, &mut own);
    out.number(count);
    out.extend_from_slice(&orders);
}

/// Puts journeys under their fingerprints into the order that was written. Those of each stand by number.
pub fn read(bytes: &mut Reader<'_>, sorted: &mut [u64]) -> Read<()> {
    for _ in 0..bytes.count(4 + 1 + 2)? {
        let fingerprint = u32::from_le_bytes(bytes.array()?);
        let count = bytes.count(1)?;
        let begin = sorted.partition_point(|known| fingerprint_of(*known) < fingerprint);
        let own = sorted[begin..].iter().take_while(|known| fingerprint_of(**known) == fingerprint);
        bytes.ensure(own.count() == count, "an order of other journeys than a key's")?;
        let own = &mut sorted[begin..begin + count];
        let mut order = Vec::with_capacity(count);
        for _ in 0..count {
            order.push(entry(fingerprint, bytes.small()?));
        }
        let mut by_number = order.clone();
        by_number.sort_unstable();
        bytes.ensure(by_number == own, "an order of other journeys than a key's")?;
        own.copy_from_slice(&order);
    }
    Ok(())
}
