//! Rule 8: two journeys that turn out to be one.

use authstitch_model::{JourneyId, KeyHash, KeyKind};

use crate::Change;
use crate::caps;
use crate::index::Slot;
use crate::live::State;
use crate::stitcher::Stitcher;

impl Stitcher {
    /// Makes one journey of two; the older id survives. Gives its slot.
    pub(crate) fn merge(&mut self, a: Slot, b: Slot, changes: &mut Vec<Change>) -> Slot {
        let (id_a, id_b) = (self.live(a).id, self.live(b).id);
        let (into, from) = if id_a <= id_b { (a, b) } else { (b, a) };
        let absorbed = self.remove(from);
        self.index.moved(&absorbed.keys, &absorbed.weak, from, into);
        self.counters.merged += 1;
        let survivor = self.live(into);
        let (id, was) = (survivor.id, survivor.state);
        if absorbed.revision > 0 {
            changes.push(Change::Merged { journey: absorbed.id, revision: absorbed.revision + 1, into: id });
        }
        let mut over = take_over(&mut survivor.keys, &absorbed.keys, caps::KEYS_PER_JOURNEY);
        over.extend(take_over(&mut survivor.weak, &absorbed.weak, caps::WEAK_KEYS_PER_JOURNEY));
        let gone = absorbed.id;
        let dropped = survivor.absorb(absorbed);
        if let State::Closed { at, .. } = was
            && survivor.is_open()
        {
            self.reopenable.remove(&(at, id, into));
            self.open.insert((id, into));
        }
        for (event, _) in dropped {
            self.identities.remove(&event.identity);
            self.counters.over_cap += 1;
        }
        for key in over {
            self.index.release(key, into);
        }
        for neighbour in self.neighbours(into) {
            self.live(neighbour).links.rename(gone, id);
        }
        into
    }

    /// Lets a journey absorb those that its trace founded and whose time overlaps its own.
    pub(crate) fn absorb_founded_by(
        &mut self,
        trace: KeyHash,
        slot: Slot,
        changes: &mut Vec<Change>,
    ) -> Slot {
        let others = self.index.sharing(trace).to_vec();
        let mut founded: Vec<(JourneyId, Slot)> = Vec::new();
        for other in others.into_iter().filter(|other| *other != slot) {
            if self.live(other).is_founded_by_trace() && self.overlaps(slot, other) {
                founded.push((self.live(other).id, other));
            }
        }
        founded.sort_unstable();
        founded.into_iter().fold(slot, |slot, (_, other)| self.merge(slot, other, changes))
    }

    /// Whether one begins while the other can still have events.
    fn overlaps(&mut self, a: Slot, b: Slot) -> bool {
        let (start_a, start_b) = (self.live(a).span().start, self.live(b).span().start);
        self.spans(a, start_b) || self.spans(b, start_a)
    }
}

/// Adds the keys of one journey to those of another, and gives those that find no room.
fn take_over(
    keys: &mut Vec<(KeyKind, KeyHash)>,
    others: &[(KeyKind, KeyHash)],
    cap: usize,
) -> Vec<(KeyKind, KeyHash)> {
    let mut over = Vec::new();
    for key in others {
        if keys.contains(key) {
            continue;
        }
        if keys.len() < cap {
            keys.push(*key);
        } else {
            over.push(*key);
        }
    }
    over
}
