//! Rule 10: which attempts of one session or container follow one another.
//!
//! A journey's links are what its neighbours say, ordered by start. A neighbour that is forgotten stays linked,
//! unless another one is found to lie nearer or the order turns out to be the other. A journey that has closed is
//! told of again when a link leads elsewhere than it was told, or to another flow; that a gap changed a little is
//! told with the next revision.

use authstitch_model::{Flow, JourneyId, KeyKind, Predecessor, Successor, UnixNanos};

use crate::Change;
use crate::index::Slot;
use crate::stitcher::Stitcher;

/// A link to another journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour<T> {
    pub link: T,
    /// When the other one started.
    pub start: UnixNanos,
    /// Whether the other one is known by this link only.
    pub forgotten: bool,
}

/// The links of one journey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Links {
    pub previous: Option<Neighbour<Predecessor>>,
    pub next: Option<Neighbour<Successor>>,
}

/// Where links lead: what makes a new revision when it changes.
pub type LinkNames = (Option<JourneyId>, Option<(JourneyId, Flow)>);

/// A journey's links, and where they led when it was last told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Linked {
    pub links: Links,
    pub told: LinkNames,
}

impl Links {
    pub fn names(&self) -> LinkNames {
        (
            self.previous.map(|previous| previous.link.journey),
            self.next.map(|next| (next.link.journey, next.link.flow)),
        )
    }

    pub fn lead_to(&self, journey: JourneyId) -> bool {
        let (previous, next) = self.names();
        previous == Some(journey) || next.is_some_and(|(next, _)| next == journey)
    }

    /// Leads to `to` what led to `from`.
    pub fn rename(&mut self, from: JourneyId, to: JourneyId) {
        if let Some(previous) = self.previous.as_mut().filter(|previous| previous.link.journey == from) {
            previous.link.journey = to;
        }
        if let Some(next) = self.next.as_mut().filter(|next| next.link.journey == from) {
            next.link.journey = to;
        }
    }

    /// Marks that a journey is known by its links only.
    pub fn forget(&mut self, journey: JourneyId) {
        if let Some(previous) = self.previous.as_mut().filter(|previous| previous.link.journey == journey) {
            previous.forgotten = true;
        }
        if let Some(next) = self.next.as_mut().filter(|next| next.link.journey == journey) {
            next.forgotten = true;
        }
    }

    /// The links of one journey made of two: those of both that lie nearest and do not lead to itself.
    pub fn joined(self, other: Self, own: [JourneyId; 2]) -> Self {
        let previous = [self.previous, other.previous].into_iter().flatten();
        let next = [self.next, other.next].into_iter().flatten();
        Self {
            previous: previous
                .filter(|previous| !own.contains(&previous.link.journey))
                .max_by_key(|previous| previous.start),
            next: next.filter(|next| !own.contains(&next.link.journey)).min_by_key(|next| next.start),
        }
    }
}

impl Stitcher {
    /// Links a journey and those beside it anew. The others that have closed are told of again if their links
    /// lead elsewhere now.
    pub(crate) fn link(&mut self, slot: Slot, changes: &mut Vec<Change>) {
        if !self.live(slot).alone {
            self.link_anew(slot, changes);
        }
    }

    fn link_anew(&mut self, slot: Slot, changes: &mut Vec<Change>) {
        let around = self.neighbours(slot);
        if around.len() == 1 && self.journeys.linked(slot).links == Links::default() {
            self.live(slot).alone = true;
            return;
        }
        self.relink(slot, &around);
        let (id, start) = (self.live(slot).id, self.span(slot).start);
        let place = around.iter().position(|known| *known == slot).unwrap_or(0);
        for (other_place, other) in around.into_iter().enumerate() {
            self.live(other).alone = false;
            let links = self.journeys.linked(other).links;
            let nearer = if other_place < place {
                links.next.is_none_or(|next| next.start >= start)
            } else {
                links.previous.is_none_or(|previous| previous.start <= start)
            };
            if other == slot || !nearer && !links.lead_to(id) {
                continue;
            }
            let around = self.neighbours(other);
            self.relink(other, &around);
            let Linked { links, told } = self.journeys.linked(other);
            if links.names() != told {
                self.tell(other, changes);
            }
        }
    }

    /// A journey is about to be forgotten: those linked to it keep the link as it is.
    pub(crate) fn freeze_links(&mut self, slot: Slot) {
        if self.live(slot).alone {
            return;
        }
        let id = self.live(slot).id;
        for other in self.neighbours(slot) {
            let Linked { mut links, told } = self.journeys.linked(other);
            links.forget(id);
            self.journeys.set_linked(other, Linked { links, told });
        }
    }

    /// Makes one journey's links what its neighbours say.
    fn relink(&mut self, slot: Slot, around: &[Slot]) {
        let place = around.iter().position(|known| *known == slot).unwrap_or(0);
        let before = place.checked_sub(1).map(|before| around[before]);
        let after = around.get(place + 1).copied();
        let Linked { links: recorded, told } = self.journeys.linked(slot);
        let span = self.span(slot);
        let forgotten = Links {
            previous: recorded.previous.filter(|previous| previous.forgotten && previous.start <= span.start),
            next: recorded.next.filter(|next| next.forgotten && next.start >= span.start),
        };
        let previous = before.map(|before| {
            let (journey, earlier) = (self.live(before).id, self.span(before));
            let link = Predecessor { journey, gap: span.start.since(earlier.last) };
            Neighbour { link, start: earlier.start, forgotten: false }
        });
        let next = after.map(|after| {
            let (journey, start) = (self.live(after).id, self.span(after).start);
            let flow = self.journeys.flow(after);
            let link = Successor { journey, gap: start.since(span.last), flow };
            Neighbour { link, start, forgotten: false }
        });
        // Of a forgotten journey and a known one, the one that lies nearer.
        let links = Links {
            previous: previous.into_iter().chain(forgotten.previous).max_by_key(|previous| previous.start),
            next: forgotten.next.into_iter().chain(next).min_by_key(|next| next.start),
        };
        self.journeys.set_linked(slot, Linked { links, told });
    }

    /// The journeys that share a session or a container with this one, itself among them, by start.
    pub(crate) fn neighbours(&mut self, slot: Slot) -> Vec<Slot> {
        let keys = self.journeys.keys(slot);
        let linking = keys.filter(|key| matches!(key.noted(), Some(KeyKind::Flow | KeyKind::Session)));
        let mut neighbours: Vec<Slot> =
            linking.flat_map(|key| self.index.sharing_beside(&self.journeys, key.hash(), slot)).collect();
        neighbours.push(slot);
        neighbours.sort_unstable();
        neighbours.dedup();
        if neighbours.len() > 1 {
            neighbours = self.by_start(&neighbours);
        }
        neighbours
    }
}
