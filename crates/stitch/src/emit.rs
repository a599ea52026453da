//! Rules 6, 7 and 10: closing, telling, forgetting, and linking retries.

use authstitch_model::{
    CloseReason, Journey, JourneyEvent, JourneyId, KeyKind, Predecessor, Successor, UnixNanos,
};

use crate::Change;
use crate::index::Slot;
use crate::live::State;
use crate::stitcher::Stitcher;

impl Stitcher {
    /// After a journey took an event: an open one waits anew, a closed one is told of again.
    pub(crate) fn settle(&mut self, slot: Slot, changes: &mut Vec<Change>) {
        match self.live(slot).state {
            State::Open => {
                let settings = self.settings;
                let (deadline, _) = self.live(slot).closing(&settings);
                self.arm(slot, deadline);
            }
            State::Closed { .. } => self.tell(slot, changes),
        }
    }

    /// Closes an open journey and tells of it.
    pub(crate) fn close(
        &mut self,
        slot: Slot,
        at: UnixNanos,
        reason: CloseReason,
        changes: &mut Vec<Change>,
    ) {
        let live = self.live(slot);
        let id = live.id;
        live.state = State::Closed { at, reason };
        self.open.remove(&(id, slot));
        self.reopenable.insert((at, id, slot));
        self.counters.closed += 1;
        let forgotten = at.plus(self.settings.reopen_window);
        self.arm(slot, forgotten);
        self.link_to_predecessor(slot, changes);
        self.tell(slot, changes);
    }

    /// Tells of a closed journey: its first revision, or the next.
    pub(crate) fn tell(&mut self, slot: Slot, changes: &mut Vec<Change>) {
        let live = self.live(slot);
        let State::Closed { reason, .. } = live.state else { return };
        live.revision += 1;
        let revision = live.revision;
        let offsets = live.span().offsets;
        let mut events: Vec<_> = live
            .events
            .iter()
            .map(|(event, joined_by)| JourneyEvent {
                corrected: event.time.shifted(-offsets.of(event.side)),
                event: event.clone(),
                joined_by: *joined_by,
            })
            .collect();
        events.sort_by_key(|event| (event.corrected, event.event.identity));
        let journey = Journey {
            id: live.id,
            revision,
            realm: live.realm.clone(),
            flow: live.flow(),
            events,
            offsets,
            close_reason: reason,
            previous: live.previous,
            next: live.next,
        };
        self.counters.revised += u64::from(revision > 1);
        changes.push(Change::Closed(Box::new(journey)));
    }

    /// Forgets a closed journey but for its tombstones.
    pub(crate) fn forget(&mut self, slot: Slot) {
        let live = self.remove(slot);
        let State::Closed { at, .. } = live.state else { return };
        let code_ttl = live.code_ttl.unwrap_or(self.settings.code_ttl);
        let code_lives = live.last_received.plus(code_ttl).plus(self.settings.code_margin);
        let forgotten = at.plus(self.settings.reopen_window);
        let remembered = at.plus(self.settings.tombstones);
        for (kind, key) in &live.keys {
            match kind {
                KeyKind::Flow => self.index.unshare(*key, slot),
                KeyKind::Code => {
                    let until = (code_lives > forgotten).then(|| code_lives.min(remembered));
                    self.index.unbind(*key, slot, at, until);
                }
                _ => self.index.unbind(*key, slot, at, Some(remembered)),
            }
        }
        for (_, key) in &live.weak {
            self.index.unshare(*key, slot);
        }
        for (event, _) in &live.events {
            self.identities.remove(&event.identity);
        }
    }

    /// Rule 10: links a journey to the one of the same session or container that started last before it. The
    /// earlier one is told of again if it has closed.
    pub(crate) fn link_to_predecessor(&mut self, slot: Slot, changes: &mut Vec<Change>) {
        let Some(before) = self.predecessor(slot) else { return };
        let (earlier_id, earlier_end, earlier_next) = {
            let earlier = self.live(before);
            (earlier.id, earlier.span().last, earlier.next)
        };
        let later = self.live(slot);
        let (id, start, flow) = (later.id, later.span().start, later.flow());
        let gap = start.since(earlier_end);
        later.previous = Some(Predecessor { journey: earlier_id, gap });
        if earlier_next.is_none_or(|next| next.journey != id && gap < next.gap) {
            self.live(before).next = Some(Successor { journey: id, gap, flow });
            self.tell(before, changes);
        }
    }

    /// Lets neighbours of a merged journey point to it instead of to the one that is gone.
    pub(crate) fn relink(&mut self, slot: Slot, gone: JourneyId, changes: &mut Vec<Change>) {
        let id = self.live(slot).id;
        for neighbour in self.neighbours(slot) {
            let live = self.live(neighbour);
            let mut changed = false;
            if let Some(previous) = live.previous.as_mut().filter(|previous| previous.journey == gone) {
                previous.journey = id;
                changed = true;
            }
            if let Some(next) = live.next.as_mut().filter(|next| next.journey == gone) {
                next.journey = id;
                changed = true;
            }
            if changed && neighbour != slot {
                self.tell(neighbour, changes);
            }
        }
    }
}
