//! All journeys with what belongs to them: packed events, keys, environments, realms, links.

use std::sync::Arc;

use authstitch_model::{
    AuthEvent, Environment, Flow, Identity, JoinedBy, JourneyEvent, JourneyId, KeyHash, KeyKind, Realm,
    UnixNanos,
};

use crate::blocks::Blocks;
use crate::caps;
use crate::carried::References;
use crate::clock::Shifts;
use crate::index::Slot;
use crate::interned::Interned;
use crate::keys::{Key, KeyBlocks, Kind, Tie};
use crate::links::Linked;
use crate::live::Live;
use crate::pack::{self, Glance, Packing, Table, packed};
use crate::pool::{NOWHERE, Pool};
use crate::span::{Span, Spans};

/// All journeys.
#[derive(Debug, Default)]
pub struct Journeys {
    pub lives: Pool<Live>,
    pub links: Pool<Linked>,
    pub keys: KeyBlocks,
    pub blocks: Blocks,
    pub environments: Interned<Arc<Environment>>,
    pub realms: Interned<Realm>,
    spans: Spans,
    scratch: Scratch,
}

/// Buffers that are used over and over.
#[derive(Debug, Default)]
struct Scratch {
    /// One event on its way into a journey.
    packing: Packing,
    /// All packed events of one journey.
    events: Vec<u8>,
    /// What is seen of each of them at a glance.
    glances: Vec<Glance>,
    /// The values of a journey's keys.
    keys: Vec<u128>,
    /// The order of a journey's events: corrected time, place among the packed ones.
    order: Vec<(UnixNanos, usize)>,
}

impl Journeys {
    /// A new journey without events.
    pub fn insert(&mut self, id: JourneyId, realm: &Realm, received: UnixNanos) -> Slot {
        let realm = self.realms.place(realm);
        self.lives.insert(Live::new(id, realm, received))
    }

    /// Takes a journey out, whose identities are handed to `gone`. What is left of it is still to be read:
    /// [`Self::free`] it.
    pub fn remove(&mut self, slot: Slot) -> Live {
        self.spans.forget(slot);
        self.lives.remove(slot)
    }

    /// Gives back what belonged to a journey that was taken out.
    pub fn free(&mut self, live: &Live, mut gone: impl FnMut(Identity)) {
        live.events.read(&self.blocks, &mut self.scratch.events);
        for (identity, environment) in pack::users(&self.scratch.events) {
            gone(identity);
            self.environments.release(environment);
        }
        live.events.free(&mut self.blocks);
        live.keys.free(&mut self.keys);
        self.realms.release(live.realm);
        if live.linked != NOWHERE {
            self.links.remove(live.linked);
        }
    }

    /// Adds an event; `false` if there are too many. What it carries has these numbers.
    pub fn add(
        &mut self,
        slot: Slot,
        event: &AuthEvent,
        joined_by: JoinedBy,
        references: &References,
    ) -> bool {
        let live = &mut self.lives[slot];
        if usize::from(live.count) == caps::EVENTS_PER_JOURNEY {
            return false;
        }
        live.count += 1;
        live.learn_flow(event);
        let environment = self.environments.place(&event.environment);
        let base = live.base();
        let packed = self.scratch.packing.pack(event, joined_by, references, environment, base);
        live.events.push(&mut self.blocks, packed);
        self.spans.forget(slot);
        true
    }

    /// Reads a journey and its last block; says something of both.
    pub fn touch(&self, slot: Slot) -> usize {
        let live = &self.lives[slot];
        usize::from(live.count) + live.events.touch(&self.blocks)
    }

    /// Whether an event with this identity is in a journey.
    pub fn has_event(&mut self, slot: Slot, wanted: Identity) -> bool {
        self.lives[slot].events.read(&self.blocks, &mut self.scratch.events);
        packed(&self.scratch.events).any(|event| pack::identity(event) == wanted)
    }

    /// The events of a journey that was taken out, in the order in which they came, their times as they were.
    pub fn events_of(&mut self, live: &Live) -> Vec<JourneyEvent> {
        let Self { scratch, blocks, keys, environments, realms, .. } = self;
        scratch.read(live, blocks);
        scratch.read_keys(live, keys);
        let table = table(&scratch.keys, environments, realms, live);
        let mut read = Vec::with_capacity(scratch.glances.len());
        for glance in &scratch.glances {
            pack::unpack(glance, glance.time, &scratch.events, &table, &mut read);
        }
        read
    }

    /// A journey's events by corrected time, then as [`crate::order`] says.
    pub fn in_order(&mut self, slot: Slot) -> Vec<JourneyEvent> {
        let Self { lives, scratch, blocks, keys, environments, realms, spans, .. } = self;
        let live = &lives[slot];
        scratch.read(live, blocks);
        scratch.read_keys(live, keys);
        let Scratch { events, glances, keys, order, .. } = scratch;
        let offsets = spans.get_or_keep(slot, || Span::measured(glances)).offsets;
        order.clear();
        let shifts = Shifts::of(&offsets);
        for (place, event) in glances.iter().enumerate() {
            order.push((shifts.shifted(event.time, event.side), place));
        }
        order.sort_unstable_by(|(time, place), (other_time, other_place)| {
            let turns = || glances[*place].turn().cmp(&glances[*other_place].turn());
            time.cmp(other_time).then_with(turns)
        });
        let table = table(keys, environments, realms, live);
        let mut read = Vec::with_capacity(order.len());
        for (corrected, place) in order {
            pack::unpack(&glances[*place], *corrected, events, &table, &mut read);
        }
        read
    }

    fn glances(&mut self, slot: Slot) -> &[Glance] {
        self.scratch.read(&self.lives[slot], &self.blocks);
        &self.scratch.glances
    }

    /// Where a journey lies in corrected time.
    pub fn span(&mut self, slot: Slot) -> Span {
        let Self { lives, scratch, blocks, spans, .. } = self;
        spans.get_or_keep(slot, || {
            scratch.read(&lives[slot], blocks);
            Span::measured(&scratch.glances)
        })
    }

    /// The flow as sent, the earliest where they differ; else what the names suggest.
    pub fn flow(&mut self, slot: Slot) -> Flow {
        self.lives[slot].flow().unwrap_or_else(|| self.earliest_flow(slot))
    }

    #[cold]
    fn earliest_flow(&mut self, slot: Slot) -> Flow {
        let sent = self
            .glances(slot)
            .iter()
            .filter_map(|event| Some(((event.joined_by == JoinedBy::Weak, event.timed_turn()), event.flow?)));
        sent.min_by_key(|(order, _)| *order).map_or(Flow::Unknown, |(_, flow)| flow)
    }

    /// The realm of a journey.
    pub fn realm(&self, slot: Slot) -> Realm {
        self.realms.value(self.lives[slot].realm).clone()
    }

    /// The keys of a journey.
    pub fn keys(&self, slot: Slot) -> impl Iterator<Item = &Key> {
        self.lives[slot].keys.iter(&self.keys)
    }

    /// The keys of a journey that was taken out.
    pub fn keys_of<'a>(&'a self, live: &'a Live) -> impl Iterator<Item = &'a Key> {
        live.keys.iter(&self.keys)
    }

    /// The number of a key that leads to a journey.
    pub fn leading(&self, slot: Slot, hash: KeyHash) -> Option<u16> {
        let leading = self.lives[slot].keys.find(&self.keys, |key| key.value() == hash.get() && key.leads());
        leading.map(|(number, _)| number)
    }

    /// The key of a journey with this number.
    pub fn key_mut(&mut self, slot: Slot, number: u16) -> &mut Key {
        self.lives[slot].keys.get_mut(number, &mut self.keys)
    }

    /// The number of a key of a journey.
    pub fn number(&self, slot: Slot, kind: KeyKind, hash: KeyHash) -> Option<u16> {
        self.lives[slot].keys.position(Kind::Key(kind), hash.get(), &self.keys)
    }

    /// How a journey's key with this number ties it.
    pub fn tie(&self, slot: Slot, number: u16) -> Tie {
        self.lives[slot].keys.get(number, &self.keys).tie
    }

    /// Ties a journey by its key with this number in this way.
    pub fn set_tie(&mut self, slot: Slot, number: u16, tie: Tie) -> KeyHash {
        self.lives[slot].set_tie(number, tie, &mut self.keys)
    }

    /// Notes a key with a journey, and gives its number; `None` if it is noted already or finds no room. If the
    /// journey has it already, this is its number.
    pub fn note(&mut self, slot: Slot, kind: KeyKind, hash: KeyHash, known: Option<u16>) -> Option<u16> {
        let Self { lives, keys: blocks, .. } = self;
        let live = &mut lives[slot];
        let is_noted = known.is_some_and(|number| live.keys.get(number, blocks).tie != Tie::Carried);
        if is_noted || !live.has_room(kind, blocks) {
            return None;
        }
        let new = || live.keys.push(&Key::new(Kind::Key(kind), hash.get()), blocks);
        let number = known.unwrap_or_else(new);
        live.set_tie(number, Tie::Noted, blocks);
        Some(number)
    }

    /// The journey key of a journey.
    pub fn journey_key(&self, slot: Slot) -> Option<KeyHash> {
        self.journey_key_of(&self.lives[slot])
    }

    /// The journey key of a journey that was taken out.
    pub fn journey_key_of(&self, live: &Live) -> Option<KeyHash> {
        live.keys.journey_key(&self.keys)
    }

    /// Gives a journey its journey key.
    pub fn set_journey_key(&mut self, slot: Slot, key: KeyHash) {
        self.lives[slot].keys.set_journey_key(key, &mut self.keys);
    }

    /// A journey's links to others, and where it was last told that they lead.
    pub fn linked(&self, slot: Slot) -> Linked {
        self.linked_of(&self.lives[slot])
    }

    /// The same of a journey that was taken out.
    pub fn linked_of(&self, live: &Live) -> Linked {
        if live.linked == NOWHERE { Linked::default() } else { self.links[live.linked] }
    }

    /// Changes a journey's links.
    pub fn set_linked(&mut self, slot: Slot, linked: Linked) {
        let live = &mut self.lives[slot];
        if live.linked != NOWHERE {
            self.links[live.linked] = linked;
        } else if linked != Linked::default() {
            live.linked = self.links.insert(linked);
        }
    }
}

impl Scratch {
    /// Reads the events of a journey at a glance.
    fn read(&mut self, live: &Live, blocks: &Blocks) {
        live.events.read(blocks, &mut self.events);
        self.glances.clear();
        pack::glances(&self.events, live.base(), &mut self.glances);
    }

    /// Reads the keys of a journey.
    fn read_keys(&mut self, live: &Live, blocks: &KeyBlocks) {
        self.keys.clear();
        live.keys.each(blocks, |key| self.keys.push(key.value()));
    }
}

fn table<'a>(
    keys: &'a [u128],
    environments: &'a Interned<Arc<Environment>>,
    realms: &'a Interned<Realm>,
    live: &Live,
) -> Table<'a, impl Fn(u32) -> &'a Arc<Environment>> {
    let environment = |place| environments.value(place);
    Table { realm: realms.value(live.realm), keys, environment }
}
