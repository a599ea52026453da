//! One journey.
//!
//! ```text
//! id 16 | state 1 | flags 1 | sent 1 | suggested 1 | [closed] | first received | last received
//! | [terminal] [code lifetime] [ceremony limit] | realm | revision
//! | count of keys, each: kind and tie 1, value 16 | [number of the journey key] | [links]
//! | length of packed events | packed events
//! ```
//!
//! A state is 0 for an open journey, else one more than the place of the reason for which it closed. Times are
//! distances from the id's, the last three from when it was first heard of.

use authstitch_model::{
    CloseReason, Flow, Identity, JourneyId, KeyKind, Millis, Predecessor, Successor, UnixNanos,
};

use crate::blocks::Blocks;
use crate::caps;
use crate::keys::{Key, KeyBlocks, Kind, Tie};
use crate::links::{LinkNames, Linked, Links, Neighbour};
use crate::live::{Known, Live, Sent, State};
use crate::pack;
use crate::pool::NOWHERE;
use crate::snapshot::bytes::{Put, Read, Reader};

/// What is there or holds, as bits.
mod flag {
    pub const UNLOADED: u8 = 1;
    pub const ALONE: u8 = 1 << 1;
    pub const TRACES_SHARED: u8 = 1 << 2;
    pub const TERMINAL: u8 = 1 << 3;
    pub const CODE_TTL: u8 = 1 << 4;
    pub const CEREMONY_LIMIT: u8 = 1 << 5;
    pub const JOURNEY_KEY: u8 = 1 << 6;
    pub const LINKED: u8 = 1 << 7;
}

/// Where a kind's tie begins, behind the kind.
const TIE: u8 = 3;

/// The least bytes of a journey.
pub const LEAST: usize = 16 + 4 + 6;

/// Writes a journey but for its events. Its realm has this number.
pub fn write(live: &Live, blocks: &KeyBlocks, linked: &Linked, realm: u32, out: &mut Vec<u8>) {
    let journey_key = live.keys.journey_number();
    out.wide(live.id.as_u128());
    out.push(match live.state {
        State::Closed { reason, .. } => reason.index() as u8 + 1,
        _ => 0,
    });
    let flags = [
        (flag::UNLOADED, live.unloaded),
        (flag::ALONE, live.alone),
        (flag::TRACES_SHARED, live.traces_shared),
        (flag::TERMINAL, live.terminal.get().is_some()),
        (flag::CODE_TTL, live.code_ttl.get().is_some()),
        (flag::CEREMONY_LIMIT, live.ceremony_limit > 0),
        (flag::JOURNEY_KEY, journey_key.is_some()),
        (flag::LINKED, *linked != Linked::default()),
    ];
    out.push(flags.into_iter().fold(0, |flags, (flag, is)| if is { flags | flag } else { flags }));
    out.push(match live.sent {
        Sent::Nothing => 0,
        Sent::Differing => 1,
        Sent::One(flow) => flow.index() as u8 + 2,
    });
    out.push(live.suggested.index() as u8);
    if let State::Closed { at, .. } = live.state {
        out.time(at, live.base());
    }
    out.time(live.first_received, live.base());
    out.time(live.last_received, live.first_received);
    if let Some(terminal) = live.terminal.get() {
        out.time(UnixNanos(terminal), live.first_received);
    }
    if let Some(ttl) = live.code_ttl.get() {
        out.number(ttl);
    }
    if live.ceremony_limit > 0 {
        out.number(live.ceremony_limit.into());
    }
    out.number(realm.into());
    out.number(live.revision.into());
    out.number(live.keys.len() as u64);
    live.keys.each(blocks, |key| write_key(key, out));
    if let Some(number) = journey_key {
        out.number(number.into());
    }
    if *linked != Linked::default() {
        write_links(linked, out);
    }
}

fn write_key(key: &Key, out: &mut Vec<u8>) {
    let kind = match key.kind {
        Kind::Key(kind) => kind.index(),
        Kind::TraceId => KeyKind::COUNT,
    };
    let tie = match key.tie {
        Tie::Carried => 0,
        Tie::Noted => 1,
        Tie::Leads { links } => links + 2,
    };
    out.push(kind as u8 | tie << TIE);
    out.wide(key.value());
}

/// Four bits of what is there, then the links, then where they were told to lead.
fn write_links(Linked { links: Links { previous, next }, told }: &Linked, out: &mut Vec<u8>) {
    let there = [previous.is_some(), next.is_some(), told.0.is_some(), told.1.is_some()];
    out.push(there.into_iter().rev().fold(0, |bits, is| bits << 1 | u8::from(is)));
    if let Some(Neighbour { link: Predecessor { journey, gap }, start, forgotten }) = previous {
        write_neighbour(*journey, *gap, *start, *forgotten, out);
    }
    if let Some(Neighbour { link: Successor { journey, gap, flow }, start, forgotten }) = next {
        write_neighbour(*journey, *gap, *start, *forgotten, out);
        out.push(flow.index() as u8);
    }
    if let Some(journey) = told.0 {
        out.wide(journey.as_u128());
    }
    if let Some((journey, flow)) = told.1 {
        out.wide(journey.as_u128());
        out.push(flow.index() as u8);
    }
}

fn write_neighbour(journey: JourneyId, gap: Millis, start: UnixNanos, forgotten: bool, out: &mut Vec<u8>) {
    out.wide(journey.as_u128());
    out.number(gap.0);
    out.number(start.0);
    out.push(forgotten.into());
}

/// Reads a journey but for its events, and its links. Its keys are in the blocks then, `kinds` are theirs, and its realm
/// is a number still.
pub fn read(bytes: &mut Reader<'_>, blocks: &mut KeyBlocks, kinds: &mut Vec<Kind>) -> Read<(Live, Linked)> {
    let mut live = Live::new(JourneyId::from_u128(bytes.wide()?), NOWHERE, UnixNanos(0));
    let reason = match bytes.byte()?.checked_sub(1) {
        None => None,
        Some(place) => {
            Some(*CloseReason::ALL.get(usize::from(place)).ok_or_else(|| bytes.damaged("a state"))?)
        }
    };
    let flags = bytes.byte()?;
    let is = |flag| flags & flag != 0;
    (live.unloaded, live.alone, live.traces_shared) =
        (is(flag::UNLOADED), is(flag::ALONE), is(flag::TRACES_SHARED));
    live.sent = match bytes.byte()? {
        0 => Sent::Nothing,
        1 => Sent::Differing,
        flow => {
            let flow = Flow::ALL.get(usize::from(flow - 2));
            Sent::One(*flow.ok_or_else(|| bytes.damaged("a flow"))?)
        }
    };
    live.suggested = bytes.one_of(Flow::ALL)?;
    live.state = match reason {
        None => State::New,
        Some(reason) => State::Closed { at: bytes.time(live.base())?, reason },
    };
    live.first_received = bytes.time(live.base())?;
    live.last_received = bytes.time(live.first_received)?;
    if is(flag::TERMINAL) {
        live.terminal = Known::new(bytes.time(live.first_received)?.0);
    }
    if is(flag::CODE_TTL) {
        live.code_ttl = Known::new(bytes.number()?);
    }
    if is(flag::CEREMONY_LIMIT) {
        live.ceremony_limit = bytes.small()?;
    }
    live.realm = bytes.small()?;
    live.revision = bytes.small()?;
    bytes.ensure(live.revision < u32::MAX / 2, "more revisions than there can be")?;
    read_keys(&mut live, bytes, blocks, kinds)?;
    if is(flag::JOURNEY_KEY) {
        let number = bytes.small()?;
        let is_one = kinds.get(usize::from(number)) == Some(&Kind::Key(KeyKind::Journey));
        bytes.ensure(is_one, "a journey key that is none of the journey's keys")?;
        live.keys.set_journey_number(number);
    }
    let linked = if is(flag::LINKED) { read_links(bytes)? } else { Linked::default() };
    Ok((live, linked))
}

fn read_keys(
    live: &mut Live,
    bytes: &mut Reader<'_>,
    blocks: &mut KeyBlocks,
    kinds: &mut Vec<Kind>,
) -> Read<()> {
    kinds.clear();
    let count = bytes.count(1 + 16)?;
    bytes.ensure(count <= caps::CARRIED_BY_ONE_JOURNEY, "more keys than a journey's events can carry")?;
    for _ in 0..count {
        let key = bytes.byte()?;
        let kind = match usize::from(key & ((1 << TIE) - 1)) {
            KeyKind::COUNT => Kind::TraceId,
            kind => Kind::Key(*KeyKind::ALL.get(kind).ok_or_else(|| bytes.damaged("a key of no kind"))?),
        };
        let tie = match key >> TIE {
            0 => Tie::Carried,
            1 => Tie::Noted,
            links => Tie::Leads { links: links - 2 },
        };
        let possible = match tie {
            Tie::Carried => true,
            Tie::Noted => kind != Kind::TraceId,
            Tie::Leads { links } => kind != Kind::TraceId && usize::from(links) < caps::LINKED_BY_ONE_KEY,
        };
        bytes.ensure(possible, "a key that ties a journey in no way")?;
        let number = live.keys.push(&Key::new(kind, bytes.wide()?), blocks);
        if tie != Tie::Carried {
            live.set_tie(number, tie, blocks);
        }
        kinds.push(kind);
    }
    Ok(())
}

fn read_links(bytes: &mut Reader<'_>) -> Read<Linked> {
    let there = bytes.byte()?;
    bytes.ensure(there < 1 << 4, "links of no kind")?;
    let is = |place: u8| there & 1 << place != 0;
    let id = |bytes: &mut Reader<'_>| bytes.wide().map(JourneyId::from_u128);
    let mut linked = Linked::default();
    if is(0) {
        let (journey, gap) = (id(bytes)?, Millis(bytes.number()?));
        let (start, forgotten) = (UnixNanos(bytes.number()?), bytes.one_of(&[false, true])?);
        linked.links.previous = Some(Neighbour { link: Predecessor { journey, gap }, start, forgotten });
    }
    if is(1) {
        let (journey, gap) = (id(bytes)?, Millis(bytes.number()?));
        let (start, forgotten) = (UnixNanos(bytes.number()?), bytes.one_of(&[false, true])?);
        let flow = bytes.one_of(Flow::ALL)?;
        linked.links.next = Some(Neighbour { link: Successor { journey, gap, flow }, start, forgotten });
    }
    let previous = if is(2) { Some(id(bytes)?) } else { None };
    let next = if is(3) { Some((id(bytes)?, bytes.one_of(Flow::ALL)?)) } else { None };
    let told: LinkNames = (previous, next);
    Ok(Linked { told, ..linked })
}

/// Writes a journey's packed events behind their length. `number` gives the number of an environment by its place.
pub fn write_events(
    live: &Live,
    blocks: &Blocks,
    (packed, numbered): (&mut Vec<u8>, &mut Vec<u8>),
    mut number: impl FnMut(u32) -> u32,
    out: &mut Vec<u8>,
) {
    live.events.read(blocks, packed);
    numbered.clear();
    for event in pack::packed(packed) {
        pack::renumber(event, &mut number, numbered);
    }
    out.number(numbered.len() as u64);
    out.extend_from_slice(numbered);
}

/// Checks and takes over a journey's packed events; `each` is told the identity of each and the number of its
/// environment, and says whether there can be one.
pub fn read_events(
    bytes: &mut Reader<'_>,
    live: &mut Live,
    (kinds, blocks): (&[Kind], &mut Blocks),
    mut each: impl FnMut(Identity, u32) -> bool,
) -> Read<()> {
    let length = bytes.small()?;
    let packed = bytes.ahead(length)?;
    let mut events = bytes.part(length)?;
    while !events.is_empty() {
        let (identity, environment) = pack::check(&mut events, |number, place| {
            kinds.get(usize::from(number)) == Some(&carried(place))
        })?;
        events.ensure(each(identity, environment), "an environment out of its order")?;
        live.count += 1;
        events.ensure(
            usize::from(live.count) <= caps::EVENTS_PER_JOURNEY,
            "more events than a journey may have",
        )?;
    }
    events.ensure(live.count > 0, "a journey without events")?;
    live.events.push(blocks, packed);
    Ok(())
}

/// What an event carries at this place.
fn carried(place: usize) -> Kind {
    KeyKind::ALL.get(place).map_or(Kind::TraceId, |kind| Kind::Key(*kind))
}
