//! Rule 8: two journeys that turn out to be one.

use authstitch_model::{JourneyEvent, JourneyId, KeyHash, UnixNanos};

use crate::Change;
use crate::index::Slot;
use crate::keys::{Key, Tie};
use crate::links::Linked;
use crate::live::Live;
use crate::stitcher::Stitcher;

impl Stitcher {
    /// Makes one journey of two; the older id survives. Gives its slot.
    pub(crate) fn merge(&mut self, a: Slot, b: Slot, changes: &mut Vec<Change>) -> Slot {
        let (id_a, id_b) = (self.live(a).id, self.live(b).id);
        let (into, from, id) = if id_a <= id_b { (a, b, id_a) } else { (b, a, id_b) };
        let absorbed = self.remove(from);
        self.counters.merged += 1;
        if absorbed.revision > 0 {
            changes.push(Change::Merged { journey: absorbed.id, revision: absorbed.revision + 1, into: id });
        }
        self.take_over_keys(&absorbed, from, into);
        self.live(into).absorb(&absorbed);
        let Linked { links, told } = self.journeys.linked(into);
        let links = links.joined(self.journeys.linked_of(&absorbed).links, [id, absorbed.id]);
        self.journeys.set_linked(into, Linked { links, told });
        if absorbed.is_open() {
            self.reopen(into);
        }
        let events = self.journeys.events_of(&absorbed);
        let identities = &mut self.identities;
        self.journeys.free(&absorbed, |identity| identities.remove(identity.0, from));
        for JourneyEvent { event, joined_by, .. } in events {
            let known = self.journeys.known(into, &event);
            if self.journeys.add(into, &event, joined_by, &known.references) {
                self.identities.insert(event.identity.0, into);
            } else {
                self.counters.over_cap += 1;
            }
        }
        for neighbour in self.neighbours(into) {
            let Linked { mut links, told } = self.journeys.linked(neighbour);
            links.rename(absorbed.id, id);
            self.journeys.set_linked(neighbour, Linked { links, told });
        }
        into
    }

    /// Everything that led to one journey leads to another, as far as that has room for its keys.
    fn take_over_keys(&mut self, absorbed: &Live, from: Slot, into: Slot) {
        let keys: Vec<Key> = self.journeys.keys_of(absorbed).copied().collect();
        if let Some(key) = self.journeys.journey_key_of(absorbed)
            && self.journeys.journey_key(into).is_none()
        {
            self.journeys.set_journey_key(into, key);
        }
        for key in &keys {
            self.index.release(key, from, UnixNanos(0), None);
        }
        for (key, kind) in keys.iter().filter_map(|key| Some((key, key.noted()?))) {
            let known = self.journeys.number(into, kind, key.hash());
            let noted = known.filter(|number| self.journeys.tie(into, *number) != Tie::Carried);
            if let Some(number) = noted.or_else(|| self.journeys.note(into, kind, key.hash(), known)) {
                self.index.moved(&mut self.journeys, key, kind, into, number);
            }
        }
    }

    /// Lets a journey absorb those that its trace founded and whose time overlaps its own.
    pub(crate) fn absorb_founded_by(
        &mut self,
        trace: KeyHash,
        slot: Slot,
        changes: &mut Vec<Change>,
    ) -> Slot {
        let lives = &self.journeys.lives;
        if !lives[slot].traces_shared {
            return slot;
        }
        let mut founded: Vec<(JourneyId, Slot)> = Vec::new();
        for other in self.index.sharing_beside(&self.journeys, trace, slot) {
            if lives[other].is_founded_by_trace() {
                founded.push((lives[other].id, other));
            }
        }
        if founded.is_empty() {
            return slot;
        }
        founded.retain(|(_, other)| self.overlaps(slot, *other));
        founded.sort_unstable();
        // One that has two keys of this fingerprint is found twice.
        founded.dedup();
        founded.into_iter().fold(slot, |slot, (_, other)| self.merge(slot, other, changes))
    }

    /// Whether one begins while the other can still have events.
    fn overlaps(&mut self, a: Slot, b: Slot) -> bool {
        let (start_a, start_b) = (self.span(a).start, self.span(b).start);
        self.spans(a, start_b) || self.spans(b, start_a)
    }
}
