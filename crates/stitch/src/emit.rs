//! Rules 6 and 7: closing, telling and forgetting.

use authstitch_model::{CloseReason, Journey, KeyKind, UnixNanos};

use crate::Change;
use crate::index::Slot;
use crate::keys::Kind;
use crate::links::Linked;
use crate::live::State;
use crate::stitcher::Stitcher;

impl Stitcher {
    /// After a journey took an event: an open one waits anew, a closed one is told of again.
    pub(crate) fn settle(&mut self, slot: Slot, changes: &mut Vec<Change>) {
        let live = &self.journeys.lives[slot];
        if !live.is_open() {
            self.tell(slot, changes);
            return;
        }
        let (deadline, _) = match live.flow() {
            Some(flow) => live.closing(flow, &self.settings),
            None => self.closing(slot),
        };
        self.timers.arm(&mut self.journeys.lives, slot, deadline);
    }

    /// When a journey closes if nothing more comes, and why.
    pub(crate) fn closing(&mut self, slot: Slot) -> (UnixNanos, CloseReason) {
        let flow = self.journeys.flow(slot);
        self.journeys.lives[slot].closing(flow, &self.settings)
    }

    /// Closes an open journey and tells of it.
    pub(crate) fn close(
        &mut self,
        slot: Slot,
        at: UnixNanos,
        reason: CloseReason,
        changes: &mut Vec<Change>,
    ) {
        self.leave_open(slot);
        self.live(slot).state = State::Closed { at, reason };
        self.closed.push(&mut self.journeys.lives, slot);
        self.counters.closed += 1;
        self.link(slot, changes);
        self.tell(slot, changes);
    }

    /// Tells of a closed journey: its first revision, or the next.
    pub(crate) fn tell(&mut self, slot: Slot, changes: &mut Vec<Change>) {
        let live = self.live(slot);
        let State::Closed { reason, .. } = live.state else { return };
        live.revision += 1;
        let (id, revision) = (live.id, live.revision);
        let Linked { links, .. } = self.journeys.linked(slot);
        self.journeys.set_linked(slot, Linked { links, told: links.names() });
        // This measures the offsets, too.
        let events = self.journeys.in_order(slot);
        let journey = Journey {
            id,
            revision,
            realm: self.journeys.realm(slot),
            flow: self.journeys.flow(slot),
            offsets: self.journeys.span(slot).offsets,
            events,
            close_reason: reason,
            previous: links.previous.map(|previous| previous.link),
            next: links.next.map(|next| next.link),
        };
        self.counters.revised += u64::from(revision > 1);
        changes.push(Change::Closed(Box::new(journey)));
    }

    /// Forgets a closed journey but for its tombstones.
    pub(crate) fn forget(&mut self, slot: Slot) {
        self.freeze_links(slot);
        let live = self.remove(slot);
        if let State::Closed { at, .. } = live.state {
            let code_ttl = live.code_ttl().unwrap_or(self.settings.code_ttl);
            let code_lives = live.last_received.plus(code_ttl).plus(self.settings.code_margin);
            let forgotten = at.plus(self.settings.reopen_window);
            let remembered = at.plus(self.settings.tombstones);
            let index = &mut self.index;
            live.keys.each(&self.journeys.keys, |key| {
                let until = match key.kind {
                    Kind::Key(KeyKind::Code) => (code_lives > forgotten).then(|| code_lives.min(remembered)),
                    Kind::Key(kind) => kind.is_strong().then_some(remembered),
                    Kind::TraceId => None,
                };
                index.release(key, slot, at, until);
            });
        }
        let identities = &mut self.identities;
        self.journeys.free(&live, |identity| identities.remove(identity.0, slot));
    }
}
