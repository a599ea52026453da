//! Rule 8: two journeys that are one.

use authstitch_model::{JourneyId, KeyHash};
use authstitch_stitch::Change;

use super::{Link, Oracle};

impl Oracle {
    pub(super) fn absorb_trace(
        &mut self,
        trace: KeyHash,
        id: JourneyId,
        changes: &mut Vec<Change>,
    ) -> JourneyId {
        let settings = self.settings;
        let start = self.get(id).start();
        let mut founded: Vec<JourneyId> = Vec::new();
        for other in self.sharing(trace).into_iter().filter(|other| *other != id) {
            let attempt = self.get(other);
            let (other_start, keyless) = (attempt.start(), attempt.keys.is_empty());
            let overlaps = attempt.spans(start, &settings) || self.get(id).spans(other_start, &settings);
            if keyless && overlaps {
                founded.push(other);
            }
        }
        founded.sort();
        founded.into_iter().fold(id, |id, other| self.merge(id, other, changes))
    }

    pub(super) fn merge(&mut self, one: JourneyId, two: JourneyId, changes: &mut Vec<Change>) -> JourneyId {
        let (into, gone) = (one.min(two), one.max(two));
        let place = self.attempts.iter().position(|attempt| attempt.id == gone).expect("both are there");
        let gone = self.attempts.remove(place);
        self.counters.merged += 1;
        if gone.revision > 0 {
            changes.push(Change::Merged { journey: gone.id, revision: gone.revision + 1, into });
        }
        let survivor = self.get(into);
        survivor.closed = if gone.closed.is_none() { None } else { survivor.closed };
        survivor.events.extend(gone.events);
        survivor.bound.extend(gone.bound);
        survivor.journey_key = survivor.journey_key.or(gone.journey_key);
        for key in gone.keys {
            if !survivor.keys.contains(&key) {
                survivor.keys.push(key);
            }
        }
        for key in gone.weak {
            if !survivor.weak.contains(&key) {
                survivor.weak.push(key);
            }
        }
        let not_own = |link: &Link| link.to != into && link.to != gone.id;
        let previous = [survivor.previous, gone.previous].into_iter().flatten().filter(not_own);
        let next = [survivor.next, gone.next].into_iter().flatten().filter(not_own);
        (survivor.previous, survivor.next) =
            (previous.max_by_key(|link| link.start), next.min_by_key(|link| link.start));
        for link in self.attempts.iter_mut().flat_map(|attempt| [&mut attempt.previous, &mut attempt.next]) {
            if let Some(link) = link.as_mut().filter(|link| link.to == gone.id) {
                link.to = into;
            }
        }
        into
    }
}
