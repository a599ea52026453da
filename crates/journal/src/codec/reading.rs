//! Bytes back into entries.

use std::fmt;
use std::sync::Arc;

use authstitch_model::event::{Named, Transports};
use authstitch_model::ids::Text;
use authstitch_model::{
    Attachment, AuthEvent, Browser, Environment, ErrorClass, EventId, EventKeys, EventName, Facts, Flow,
    HttpMethod, Identity, KeyHash, KeyKind, Mediation, Method, Millis, Origin, Os, Position, Realm, Reason,
    Record, RecordBody, Side, SpanId, Synthetic, TraceId, UnixNanos,
};

use super::{ALIKE_TRACE_ID, ENVIRONMENT, FLOW, REALM, SHORTEST, environment, kind, there};
use crate::caps;
use crate::entry::{Entry, Setting};

/// What is wrong with bytes that are no entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// They end too soon.
    Short,
    /// There are more of them than entries.
    Long,
    /// A number that has no meaning here. A later version may have written it.
    Number(&'static str),
    /// A text that is none, or longer than it may be.
    Text,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("it ends too soon"),
            Self::Long => f.write_str("something follows its last record"),
            Self::Number(what) => write!(
                f,
                "a number of {what} has no meaning here; a later version of authstitch may have written it"
            ),
            Self::Text => f.write_str("a text is none, or too long"),
        }
    }
}

/// Reads so many entries: all that these bytes hold. The first has this position, and receipts count from this time.
///
/// # Errors
/// If the bytes are anything else.
pub fn read(bytes: &[u8], count: u32, first: Position, received: UnixNanos) -> Result<Vec<Entry>, Flaw> {
    let mut reading = Reading { rest: bytes, environments: Vec::new(), realms: Vec::new(), before: None };
    let mut entries = Vec::with_capacity((count as usize).min(bytes.len() / 2));
    let mut received = received;
    for place in 0..u64::from(count) {
        let position = Position(first.0.checked_add(place).ok_or(Flaw::Number("positions"))?);
        entries.push(reading.entry(position, &mut received)?);
    }
    if reading.rest.is_empty() { Ok(entries) } else { Err(Flaw::Long) }
}

/// The bytes that are not read yet, and what was read of them that later entries share.
struct Reading<'a> {
    rest: &'a [u8],
    environments: Vec<Arc<Environment>>,
    realms: Vec<Realm>,
    before: Option<Before>,
}

/// What the next event may share with the one before it.
struct Before {
    keys: EventKeys,
    trace_id: Option<TraceId>,
    environment: Arc<Environment>,
    realm: Realm,
}

impl<'a> Reading<'a> {
    fn entry(&mut self, position: Position, latest: &mut UnixNanos) -> Result<Entry, Flaw> {
        let kind = self.byte()?;
        let received = latest.0.checked_add(self.number()?).map(UnixNanos).ok_or(Flaw::Number("receipts"))?;
        *latest = received;
        let body = match kind {
            kind::EVENTS => RecordBody::Events(self.events(received)?),
            kind::TICK => RecordBody::Tick,
            kind::SETTING => {
                let kind = self.text()?;
                let length = usize::try_from(self.number()?).map_err(|_| Flaw::Short)?;
                if length > caps::SETTING_BYTES {
                    return Err(Flaw::Number("a setting's bytes"));
                }
                let bytes = self.take(length)?.into();
                return Ok(Entry::Setting(Setting { position, received, kind, bytes }));
            }
            _ => return Err(Flaw::Number("kinds")),
        };
        Ok(Entry::Record(Record { position, received, body }))
    }

    fn events(&mut self, received: UnixNanos) -> Result<Vec<AuthEvent>, Flaw> {
        let count = usize::try_from(self.number()?).map_err(|_| Flaw::Short)?;
        if count > self.rest.len() / SHORTEST {
            return Err(Flaw::Short);
        }
        let mut events = Vec::with_capacity(count);
        while events.len() < count {
            match self.byte()? {
                ENVIRONMENT => {
                    let environment = self.environment()?;
                    self.environments.push(Arc::new(environment));
                }
                REALM => {
                    let realm = self.text()?;
                    self.realms.push(realm);
                }
                alike if alike < ENVIRONMENT => events.push(self.event(alike, received)?),
                _ => return Err(Flaw::Number("items")),
            }
        }
        Ok(events)
    }

    fn event(&mut self, alike: u8, received: UnixNanos) -> Result<AuthEvent, Flaw> {
        let there = u32::from_le_bytes(self.array()?);
        if there >> 31 != 0 {
            return Err(Flaw::Number("what is there"));
        }
        let has = |bit| there & bit != 0;
        let name = self.code(EventName::ALL, "names")?;
        let who = self.byte()?;
        let side = *Side::ALL.get(usize::from(who & 0xf)).ok_or(Flaw::Number("sides"))?;
        let flow = match usize::from(who >> FLOW).checked_sub(1) {
            Some(flow) => Some(*Flow::ALL.get(flow).ok_or(Flaw::Number("flows"))?),
            None => None,
        };
        let (environment, realm) = if has(there::PLACE) {
            let (environment, realm) = (self.number()?, self.number()?);
            (referred(&self.environments, environment)?, referred(&self.realms, realm)?)
        } else {
            let before = self.before.as_ref().ok_or(Flaw::Number("what is as before"))?;
            (Arc::clone(&before.environment), before.realm.clone())
        };
        let time = UnixNanos(self.distance(received.0)?);
        let identity = Identity(u128::from_le_bytes(self.array()?));
        let observed = if has(there::OBSERVED) { Some(UnixNanos(self.distance(time.0)?)) } else { None };
        let trace_id = if alike & 1 << ALIKE_TRACE_ID != 0 {
            Some(self.before.as_ref().and_then(|before| before.trace_id))
                .filter(|id| has(there::TRACE_ID) && id.is_some())
                .ok_or(Flaw::Number("what is as before"))?
        } else if has(there::TRACE_ID) {
            Some(TraceId::from_bytes(self.take(16)?).ok_or(Flaw::Number("trace ids"))?)
        } else {
            None
        };
        let span_id = if has(there::SPAN_ID) { Some(self.span_id()?) } else { None };
        let parent_span_id = if has(there::PARENT) { Some(self.span_id()?) } else { None };
        let event_id = if has(there::EVENT_ID) { Some(EventId::new(self.text()?.as_str())) } else { None };
        let keys = self.keys(there, alike)?;
        let facts = self.facts(there)?;
        match &mut self.before {
            Some(before) => {
                (before.keys, before.trace_id) = (keys, trace_id);
                if has(there::PLACE) {
                    (before.environment, before.realm) = (Arc::clone(&environment), realm.clone());
                }
            }
            before => {
                let (environment, realm) = (Arc::clone(&environment), realm.clone());
                *before = Some(Before { keys, trace_id, environment, realm });
            }
        }
        let origin = Origin { trace_id, span_id, parent_span_id };
        Ok(AuthEvent {
            realm,
            name,
            side,
            flow,
            time,
            observed,
            origin,
            event_id,
            identity,
            keys,
            facts,
            environment,
        })
    }

    fn keys(&mut self, there: u32, alike: u8) -> Result<EventKeys, Flaw> {
        let before = self.before.as_ref().map(|before| before.keys.all()).unwrap_or_default();
        let mut keys = [None; KeyKind::COUNT];
        for (kind, key) in keys.iter_mut().enumerate() {
            let is_there = there & 1 << (there::KEYS + kind) != 0;
            *key = match (is_there, alike & 1 << kind != 0) {
                (true, true) => Some(before[kind].ok_or(Flaw::Number("what is as before"))?),
                (true, false) => {
                    let hash = u128::from_le_bytes(self.array()?);
                    Some(KeyHash::new(hash)).filter(|key| key.get() == hash)
                }
                (false, false) => continue,
                (false, true) => None,
            };
            if key.is_none() {
                return Err(Flaw::Number("keys"));
            }
        }
        let [journey, challenge, code, flow, session, trace] = keys;
        Ok(EventKeys { journey, challenge, code, flow, session, trace })
    }

    fn facts(&mut self, there: u32) -> Result<Facts, Flaw> {
        let mut facts = Facts::default();
        if there >> 12 == 0 {
            return Ok(facts);
        }
        let has = |bit| there & bit != 0;
        if has(there::DURATION) {
            facts.duration = Some(Millis(self.number()?));
        }
        if has(there::CODE_TTL) {
            facts.code_ttl = Some(Millis(self.number()?));
        }
        if has(there::TIMEOUT) {
            facts.webauthn_timeout = Some(Millis(self.number()?));
        }
        if has(there::ELAPSED) {
            facts.webauthn_elapsed = Some(Millis(self.number()?));
        }
        if has(there::NETWORK) {
            facts.network = Some(u64::from_le_bytes(self.array()?));
        }
        if has(there::COUNTRY) {
            facts.country = Some(self.array()?);
        }
        if has(there::SAMPLED) {
            facts.sampled = Some(u16::from_le_bytes(self.array()?));
        }
        if has(there::AAGUID) {
            facts.aaguid = Some(u64::from_le_bytes(self.array()?));
        }
        if has(there::ERROR) {
            facts.error = Some(self.code(ErrorClass::ALL, "errors")?);
        }
        if has(there::REASON) {
            facts.reason = Some(self.code(Reason::ALL, "reasons")?);
        }
        if has(there::METHOD) {
            facts.method = Some(self.code(Method::ALL, "methods")?);
        }
        if has(there::HTTP_METHOD) {
            facts.http_method = Some(self.code(HttpMethod::ALL, "HTTP methods")?);
        }
        if has(there::SYNTHETIC) {
            facts.synthetic = Some(self.code(Synthetic::ALL, "kinds of synthetic traffic")?);
        }
        if has(there::MEDIATION) {
            facts.mediation = Some(self.code(Mediation::ALL, "mediations")?);
        }
        if has(there::ATTACHMENT) {
            facts.attachment = Some(self.code(Attachment::ALL, "attachments")?);
        }
        if has(there::TRANSPORTS) {
            let bits = self.byte()?;
            facts.transports = Transports::from_bits(bits);
            if bits == 0 || facts.transports.bits() != bits {
                return Err(Flaw::Number("transports"));
            }
        }
        let mut flag = |bit| if has(bit) { self.code(&[false, true], "flags").map(Some) } else { Ok(None) };
        facts.hybrid_capability = flag(there::HYBRID)?;
        facts.backup_eligible = flag(there::BACKUP_ELIGIBLE)?;
        facts.backup_state = flag(there::BACKUP_STATE)?;
        Ok(facts)
    }

    fn environment(&mut self) -> Result<Environment, Flaw> {
        let there = self.byte()?;
        if there & !environment::ALL != 0 {
            return Err(Flaw::Number("what is there of an environment"));
        }
        let os = if there & environment::OS != 0 {
            Some(Named { kind: self.code(Os::ALL, "systems")?, name: self.text()? })
        } else {
            None
        };
        let browser = if there & environment::BROWSER != 0 {
            Some(Named { kind: self.code(Browser::ALL, "browsers")?, name: self.text()? })
        } else {
            None
        };
        let mut text = |place| {
            let is_there = there & 1u8 << (environment::TEXTS + place) != 0;
            if is_there { self.text().map(Some) } else { Ok(None) }
        };
        Ok(Environment {
            os,
            browser,
            browser_version: text(0)?,
            device: text(1)?,
            app_version: text(2)?,
            service: text(3)?,
            entry_point: text(4)?,
        })
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Flaw> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Flaw::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Flaw> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Flaw::Short)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn byte(&mut self) -> Result<u8, Flaw> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    fn number(&mut self) -> Result<u64, Flaw> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(Flaw::Number("varints"));
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Flaw::Number("varints"))
    }

    fn distance(&mut self, base: u64) -> Result<u64, Flaw> {
        let distance = self.number()?;
        Ok(base.wrapping_add(distance >> 1 ^ (distance & 1).wrapping_neg()))
    }

    fn code<T: Copy>(&mut self, all: &[T], what: &'static str) -> Result<T, Flaw> {
        all.get(usize::from(self.byte()?)).copied().ok_or(Flaw::Number(what))
    }

    fn span_id(&mut self) -> Result<SpanId, Flaw> {
        SpanId::from_bytes(self.take(8)?).ok_or(Flaw::Number("span ids"))
    }

    fn text(&mut self) -> Result<Text, Flaw> {
        let length = self.byte()?.into();
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| Flaw::Text)?;
        // What is not bounded as the model bounds it was not written by it.
        Some(Text::bounded(text)).filter(|bounded| bounded.as_str() == text).ok_or(Flaw::Text)
    }
}

fn referred<T: Clone>(table: &[T], number: u64) -> Result<T, Flaw> {
    let number = usize::try_from(number).map_err(|_| Flaw::Number("references"))?;
    table.get(number).cloned().ok_or(Flaw::Number("references"))
}
