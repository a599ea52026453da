//! Forgetting for good: journeys leave with all that their closing would have left behind.
//!
//! - Who asks learns first which journeys are known under the named ids and keys, with their events; nothing is changed
//!   by that. What is forgotten then is what was found, so that the same is forgotten whenever it is done again.
//! - A journey goes without a word, open or closed: no revision, no tombstones. The events that wait and would have gone
//!   to it go, too, and the tombstones of its keys.
//! - The links of others that lead to it are gone, as if it had never been told of. They are told of no new revision for
//!   that; where they are stored, the store cuts the links itself.
//! - A key that was found out to be none stays so, unless it was named: it is a constant of many.
//! - What comes afterwards under its keys is new, for nothing is left by which it could be known.

use authstitch_model::{Forget, Realm};

use crate::index::Slot;
use crate::keys::Kind;
use crate::links::{Linked, Links};
use crate::live::State;
use crate::stitcher::{Stitcher, WAITING};

impl Stitcher {
    /// Adds every journey known under the ids and keys that are named, with its events.
    pub fn recall(&mut self, forget: &mut Forget) {
        for slot in self.there() {
            let id = self.journeys.lives[slot].id;
            let is_named = forget.journeys.contains(&id)
                || self
                    .journeys
                    .keys(slot)
                    .any(|key| key.kind != Kind::TraceId && forget.named.contains(&key.hash()));
            if is_named {
                let events = self.journeys.in_order(slot);
                forget.add(id, events.iter().map(|event| &event.event));
            }
        }
        let waits = |event: &&_| forget.takes(event);
        let waiting: Vec<_> =
            self.waiting.in_turn().map(|waiting| &waiting.event).filter(waits).cloned().collect();
        forget.events.extend(waiting.iter().map(|event| event.identity));
    }

    /// The realms of all journeys and waiting events, each once, in order.
    #[must_use]
    pub fn realms(&self) -> Vec<Realm> {
        let there = self.there().into_iter().map(|slot| self.journeys.realm(slot));
        let waiting = self.waiting.in_turn().map(|waiting| waiting.event.realm.clone());
        let mut realms: Vec<_> = there.chain(waiting).collect();
        realms.sort_unstable();
        realms.dedup();
        realms
    }

    /// Forgets journeys for good, and whatever leads to them.
    pub fn erase(&mut self, forget: &Forget) {
        for slot in self.there() {
            if forget.journeys.contains(&self.journeys.lives[slot].id) {
                self.take_out(slot);
            } else {
                self.cut_links(slot, forget);
            }
        }
        let (waiting, identities) = (&mut self.waiting, &mut self.identities);
        waiting.drop_where(
            |event| forget.takes(event),
            |identity, place| identities.remove(identity.0, place | WAITING),
        );
        self.index.erase(forget);
    }

    /// The slots of all journeys, by id.
    fn there(&self) -> Vec<Slot> {
        let lives = self.journeys.lives.iter().filter(|(_, live)| live.state != State::Gone);
        let mut there: Vec<_> = lives.map(|(slot, live)| (live.id, slot)).collect();
        there.sort_unstable();
        there.into_iter().map(|(_, slot)| slot).collect()
    }

    fn take_out(&mut self, slot: Slot) {
        let live = self.remove(slot);
        let index = &mut self.index;
        live.keys.each(&self.journeys.keys, |key| index.release(key, slot, live.last_received, None));
        let identities = &mut self.identities;
        self.journeys.free(&live, |identity| identities.remove(identity.0, slot));
    }

    fn cut_links(&mut self, slot: Slot, forget: &Forget) {
        let Linked { links, told } = self.journeys.linked(slot);
        let stays = |journey| !forget.journeys.contains(&journey);
        let links = Links {
            previous: links.previous.filter(|previous| stays(previous.link.journey)),
            next: links.next.filter(|next| stays(next.link.journey)),
        };
        let told = (told.0.filter(|previous| stays(*previous)), told.1.filter(|(next, _)| stays(*next)));
        self.journeys.set_linked(slot, Linked { links, told });
    }
}
