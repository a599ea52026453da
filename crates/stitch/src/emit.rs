//! Rules 6 and 7: closing, telling and forgetting.

use authstitch_model::{CloseReason, Journey, JourneyEvent, KeyKind, UnixNanos};

use crate::Change;
use crate::clock::corrected;
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
        self.link(slot, changes);
        self.tell(slot, changes);
    }

    /// Tells of a closed journey: its first revision, or the next.
    pub(crate) fn tell(&mut self, slot: Slot, changes: &mut Vec<Change>) {
        let live = self.live(slot);
        let State::Closed { reason, .. } = live.state else { return };
        live.revision += 1;
        live.told = live.links.names();
        let revision = live.revision;
        let offsets = live.span().offsets;
        let mut events: Vec<_> = live
            .events
            .iter()
            .map(|(event, joined_by)| JourneyEvent {
                corrected: corrected(event, &offsets),
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
            previous: live.links.previous.map(|previous| previous.link),
            next: live.links.next.map(|next| next.link),
        };
        self.counters.revised += u64::from(revision > 1);
        changes.push(Change::Closed(Box::new(journey)));
    }

    /// Forgets a closed journey but for its tombstones.
    pub(crate) fn forget(&mut self, slot: Slot) {
        self.freeze_links(slot);
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
}
