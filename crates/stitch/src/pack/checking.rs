//! Packed events from outside: checked in full before anything reads them as if they had been packed here.

use authstitch_model::caps::TEXT_BYTES;
use authstitch_model::{
    Attachment, ErrorClass, EventName, Flow, HttpMethod, Identity, Mediation, Method, Reason, Side, SpanId,
    Synthetic,
};

use super::{
    EVENT_ID, FACTS, FAR, FLOW, LARGE, LONGEST, NEAR_BYTES, OBSERVED, PARENT, REFERENCE, SPAN, frequent,
    seldom,
};
use crate::carried::CARRIED;
use crate::snapshot::bytes::{Put, Read, Reader};

/// Reads through the packed event that comes next, which must be whole and be read back without surprise; gives its
/// identity and its environment's number. `carries` says whether the journey has the key of this number, and it is of
/// the kind that is carried at this place.
pub fn check(events: &mut Reader<'_>, carries: impl Fn(u16, usize) -> bool) -> Read<(Identity, u32)> {
    let length = usize::from(events.byte()?);
    events.ensure((1..=LONGEST).contains(&length), "a packed event of no possible length")?;
    let mut event = events.part(length - 1)?;
    let kind = usize::from(event.byte()?);
    let known = kind >> 3 < EventName::COUNT && kind & 3 < Side::COUNT;
    event.ensure(known, "an event of no name or side")?;
    let what = u16::from_le_bytes(event.array()?);
    event.ensure(usize::from(what >> FLOW) <= Flow::COUNT, "an event of no flow")?;
    let identity = Identity(u128::from_le_bytes(event.array()?));
    event.bytes(if what & FAR == 0 { NEAR_BYTES } else { 8 })?;
    for bit in [SPAN, PARENT] {
        if what & bit != 0 {
            let id = SpanId::from_bytes(event.bytes(8)?);
            event.ensure(id.is_some(), "a span id of zeros")?;
        }
    }
    let environment = event.small()?;
    for place in (0..CARRIED).filter(|place| what & 1 << (REFERENCE + place) != 0) {
        let near = u16::from(event.byte()?);
        let number = if near < LARGE { near } else { u16::from_le_bytes(event.array()?) };
        event.ensure(carries(number, place), "an event's key that its journey has not")?;
    }
    if what & OBSERVED != 0 {
        event.number()?;
    }
    if what & EVENT_ID != 0 {
        let length = usize::from(event.byte()?);
        let text = event.bytes(length)?;
        event.ensure(length <= TEXT_BYTES && str::from_utf8(text).is_ok(), "an event id that is no text")?;
    }
    if what & FACTS != 0 {
        facts(&mut event)?;
    }
    event.ensure(event.is_empty(), "a packed event longer than what it holds")?;
    Ok((identity, environment))
}

fn facts(event: &mut Reader<'_>) -> Read<()> {
    let there = event.byte()?;
    let is = |bit| there & bit != 0;
    if is(frequent::DURATION) {
        event.number()?;
    }
    if is(frequent::NETWORK) {
        event.bytes(8)?;
    }
    if is(frequent::COUNTRY) {
        event.bytes(2)?;
    }
    if is(frequent::ERROR) {
        event.one_of(ErrorClass::ALL)?;
    }
    if is(frequent::CODE_TTL) {
        event.number()?;
    }
    if is(frequent::SAMPLED) {
        event.bytes(2)?;
    }
    if is(frequent::SYNTHETIC) {
        event.one_of(Synthetic::ALL)?;
    }
    if is(frequent::SELDOM) { seldom_facts(event) } else { Ok(()) }
}

fn seldom_facts(event: &mut Reader<'_>) -> Read<()> {
    let there = u16::from_le_bytes(event.array()?);
    for bit in (0..u16::BITS).map(|bit| 1 << bit).filter(|bit| there & bit != 0) {
        match bit {
            seldom::TIMEOUT | seldom::ELAPSED => _ = event.number()?,
            seldom::AAGUID => _ = event.bytes(8)?,
            seldom::MEDIATION => _ = event.one_of(Mediation::ALL)?,
            seldom::ATTACHMENT => _ = event.one_of(Attachment::ALL)?,
            seldom::HYBRID | seldom::BACKUP_ELIGIBLE | seldom::BACKUP_STATE => {
                _ = event.one_of(&[false, true])?;
            }
            seldom::TRANSPORTS => _ = event.byte()?,
            seldom::REASON => _ = event.one_of(Reason::ALL)?,
            seldom::METHOD => _ = event.one_of(Method::ALL)?,
            seldom::HTTP_METHOD => _ = event.one_of(HttpMethod::ALL)?,
            _ => return Err(event.damaged("a fact of no kind")),
        }
    }
    Ok(())
}

/// Writes a packed event with another number for its environment.
pub fn renumber(event: &[u8], mut number: impl FnMut(u32) -> u32, out: &mut Vec<u8>) {
    let begin = out.len();
    let (before, environment, after) = super::unpacking::environment(event);
    out.extend_from_slice(before);
    out.number(number(environment).into());
    out.extend_from_slice(after);
    // No event is longer than [`LONGEST`], whatever its environment's number.
    out[begin] = (out.len() - begin) as u8;
}
