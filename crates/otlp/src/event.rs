//! A record of ours becomes an event.
//!
//! The side, first that applies: `auth.side`; what a rule of a preset says; for a session established by a
//! server's span or a backend's resource, the server; the usual side of the event; a server's span, the
//! server; a browser, the initiator; a phone's app, the authenticator; else the server.
//!
//! The identity: `log.record.uid`; else trace id, span id, name and time; a record without ids is identified
//! by its name, time, attributes and resource, and that hash is its `event_id`, too.

use authstitch_model::{
    AuthEvent, EventId, EventKeys, EventName, Facts, Flow, Identity, Millis, Origin, Realm, RealmSecret,
    Side, UnixNanos,
};
use prost::Message;

use crate::attributes::{Attr, Attributes};
use crate::emitter::{Descriptions, Emitter};
use crate::hashes::Hashes;
use crate::mapping::{EventRule, Mapping};
use crate::realm::Levels;
use crate::records::Surroundings;
use crate::scan::{Odd, Row, Scan};
use crate::value::as_str;
use crate::wire::KeyValue;
use crate::{errors, facts, failure, sampling};

#[cfg(test)]
mod tests;

/// `SpanKind` of a server.
const KIND_SERVER: i32 = 2;

/// A record of ours that has passed every check.
pub(crate) struct Record<'r, 'a> {
    /// What its name means.
    pub(crate) rule: EventRule,
    /// Its attributes as they lie.
    pub(crate) levels: Levels<'a>,
    /// Those in force.
    pub(crate) attributes: Attributes<'r, 'a>,
    /// Its ids.
    pub(crate) origin: Origin,
    /// When.
    pub(crate) time: UnixNanos,
    /// When a log record was observed.
    pub(crate) observed: Option<UnixNanos>,
    /// Length, of a span.
    pub(crate) duration: Option<Millis>,
    /// The span that it is, or stands in.
    pub(crate) around: Option<Surroundings<'r, 'a>>,
    /// Who emitted it.
    pub(crate) emitter: &'r Emitter<'a>,
}

/// Appends the event that a record is.
pub(crate) fn append<'a>(
    record: &Record<'_, 'a>,
    realm: Realm,
    descriptions: &mut Descriptions<'a>,
    hashes: &mut Hashes<'a>,
    mapping: &Mapping,
    events: &mut Vec<AuthEvent>,
) -> Scan<()> {
    hashes.enter(&realm, mapping.secret());
    let attributes = &record.attributes;
    let name = failure::name(record.rule.name, attributes);
    let side = side(record);
    let described = descriptions.of(attributes, side, mapping.emitters())?;
    let browser = described.environment.browser.as_ref().map(|browser| browser.kind);
    let uid = attributes.decimal(Attr::LogRecordUid);
    let identity = identity(record, name, uid.as_deref(), &hashes.secret)?;
    let has_ids = record.origin.trace_id.is_some() && record.origin.span_id.is_some();
    let event_id = match uid {
        Some(uid) => Some(EventId::new(&uid)),
        None if has_ids => None,
        None => Some(EventId::new(&format!("{:032x}", identity.0))),
    };
    let error = failure::error(name, attributes, record.around.as_ref(), mapping)?;
    let trace_state = record.around.as_ref().map_or(&[][..], |around| around.span.trace_state);
    events.push(AuthEvent {
        name,
        side,
        flow: attributes.bytes(Attr::Flow).and_then(Flow::from_bytes).filter(|flow| *flow != Flow::Unknown),
        time: record.time,
        observed: record.observed,
        origin: record.origin,
        event_id,
        identity,
        keys: EventKeys::default(),
        facts: Facts {
            error: errors::class(error, browser, side),
            duration: record.duration,
            synthetic: described.synthetic,
            ..Facts::default()
        },
        environment: described.environment,
        realm,
    });
    // Keys and facts are written where they stay: an event is too large to be moved again and again.
    if let Some(AuthEvent { keys, facts, .. }) = events.last_mut() {
        hashes.read(keys, attributes, record.origin.trace_id);
        facts.network = hashes.network(attributes);
        if !trace_state.is_empty() {
            facts.sampled = sampling::kept(as_str(trace_state));
        }
        facts::read(facts, name, attributes)?;
        failure::note_reason(facts, name, error);
    }
    Ok(())
}

fn side(record: &Record<'_, '_>) -> Side {
    let emitter = record.emitter;
    let in_server_span = record.around.as_ref().is_some_and(|around| around.span.kind == KIND_SERVER);
    let by_place = || {
        if in_server_span {
            Side::Server
        } else if emitter.is_browser() {
            Side::Initiator
        } else if emitter.is_phone() {
            Side::Authenticator
        } else {
            Side::Server
        }
    };
    let sent = record.attributes.bytes(Attr::Side).and_then(Side::from_bytes).or(record.rule.side);
    sent.unwrap_or_else(|| match record.rule.name {
        EventName::SessionEstablished if in_server_span || emitter.is_backend() => Side::Server,
        name => name.usual_side().unwrap_or_else(by_place),
    })
}

fn identity(
    record: &Record<'_, '_>,
    name: EventName,
    uid: Option<&str>,
    secret: &RealmSecret,
) -> Scan<Identity> {
    Ok(match (uid, record.origin.trace_id, record.origin.span_id) {
        (Some(uid), ..) => secret.identity("uid", &[uid.as_bytes()]),
        (None, Some(trace), Some(span)) => secret.span_identity(trace, span, record.time, name),
        (None, ..) => {
            let [own, span, resource] = record.levels;
            let content = [content(own)?, content(span)?, content(resource)?];
            let time = record.time.0.to_be_bytes();
            let parts: [&[u8]; 5] = [name.code().as_bytes(), &time, &content[0], &content[1], &content[2]];
            secret.identity("record", &parts)
        }
    })
}

/// Attributes as bytes in their usual form, whatever their order.
fn content(attributes: Row<'_>) -> Scan<Vec<u8>> {
    let usual = |attribute: &[u8]| {
        let attribute = KeyValue::decode(attribute).map_err(|_not_one| Odd)?;
        Ok(attribute.encode_length_delimited_to_vec())
    };
    let mut encoded = attributes.into_iter().map(usual).collect::<Scan<Vec<_>>>()?;
    encoded.sort_unstable();
    Ok(encoded.concat())
}
