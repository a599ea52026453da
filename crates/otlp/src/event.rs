//! A record of ours becomes an event.
//!
//! The side, first that applies: `auth.side`; what a rule of a preset says; for a session established by a
//! server's span or a backend's resource, the server; the usual side of the event; a server's span, the
//! server; a browser, the initiator; a phone's app, the authenticator; else the server.
//!
//! The identity: `log.record.uid`; else trace id, span id, name and time; a record without ids is identified
//! by its name, time, attributes and resource, and that hash is its `event_id`, too.

use authstitch_model::{
    AuthEvent, EventId, EventKeys, EventName, Facts, Flow, Identity, KeyKind, Millis, Origin, Realm, Secret,
    Side, UnixNanos,
};
use prost::Message;

use crate::attributes::{Attr, Attributes};
use crate::emitter::Emitter;
use crate::mapping::{EventRule, Mapping};
use crate::network::network;
use crate::realm::Levels;
use crate::wire::{KeyValue, Span};
use crate::{errors, facts, failure, sampling};

#[cfg(test)]
mod tests;

/// `SpanKind` of a server.
const KIND_SERVER: i32 = 2;

/// A record of ours that has passed every check.
pub(crate) struct Record<'a> {
    /// What its name means.
    pub(crate) rule: EventRule,
    /// Its attributes as sent.
    pub(crate) levels: Levels<'a>,
    /// Those in force.
    pub(crate) attributes: Attributes<'a>,
    /// Its ids.
    pub(crate) origin: Origin,
    /// When.
    pub(crate) time: UnixNanos,
    /// When a log record was observed.
    pub(crate) observed: Option<UnixNanos>,
    /// Length, of a span.
    pub(crate) duration: Option<Millis>,
    /// The span that it is, or stands in.
    pub(crate) span: Option<&'a Span>,
}

/// The event that a record is.
pub(crate) fn event(
    record: &Record<'_>,
    realm: Realm,
    emitter: &Emitter<'_>,
    mapping: &Mapping,
) -> AuthEvent {
    let secret = mapping.secret();
    let attributes = &record.attributes;
    let name = failure::name(record.rule.name, attributes);
    let side = side(record, emitter);
    let described = emitter.of(attributes, side);
    let browser = described.environment.browser.as_ref().map(|browser| browser.kind);
    let uid = attributes.decimal(Attr::LogRecordUid);
    let identity = identity(record, name, uid.as_deref(), &realm, secret);
    let has_ids = record.origin.trace_id.is_some() && record.origin.span_id.is_some();
    let event_id = match uid {
        Some(uid) => Some(EventId::new(&uid)),
        None if has_ids => None,
        None => Some(EventId::new(&format!("{:032x}", identity.0))),
    };
    let address = attributes.text(Attr::ClientAddress);
    let error = failure::error(name, attributes, record.span, mapping);
    let facts = Facts {
        error: errors::class(error, browser, side),
        duration: record.duration,
        network: address.and_then(|address| network(address, realm.as_str(), secret)),
        synthetic: described.synthetic,
        sampled: record.span.and_then(|span| sampling::kept(&span.trace_state)),
        ..facts::of_attributes(name, attributes)
    };
    let facts = failure::with_reason(facts, name, error);
    AuthEvent {
        name,
        side,
        flow: attributes.text(Attr::Flow).and_then(Flow::from_code).filter(|flow| *flow != Flow::Unknown),
        time: record.time,
        observed: record.observed,
        origin: record.origin,
        event_id,
        identity,
        keys: keys(record, realm.as_str(), secret),
        facts,
        environment: described.environment,
        realm,
    }
}

fn side(record: &Record<'_>, emitter: &Emitter<'_>) -> Side {
    let in_server_span = record.span.is_some_and(|span| span.kind == KIND_SERVER);
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
    let sent = record.attributes.text(Attr::Side).and_then(Side::from_code).or(record.rule.side);
    sent.unwrap_or_else(|| match record.rule.name {
        EventName::SessionEstablished if in_server_span || emitter.is_backend() => Side::Server,
        name => name.usual_side().unwrap_or_else(by_place),
    })
}

fn keys(record: &Record<'_>, realm: &str, secret: Secret) -> EventKeys {
    let key = |attr, kind| secret.key(realm, kind, &record.attributes.decimal(attr)?);
    EventKeys {
        journey: key(Attr::JourneyId, KeyKind::Journey),
        challenge: key(Attr::ChallengeId, KeyKind::Challenge),
        code: key(Attr::CodeId, KeyKind::Code),
        flow: key(Attr::FlowId, KeyKind::Flow),
        session: key(Attr::SessionId, KeyKind::Session),
        trace: record.origin.trace_id.map(|trace_id| secret.trace_key(realm, trace_id.bytes())),
    }
}

fn identity(
    record: &Record<'_>,
    name: EventName,
    uid: Option<&str>,
    realm: &Realm,
    secret: Secret,
) -> Identity {
    let realm = realm.as_str();
    let time = record.time.0.to_be_bytes();
    match (uid, record.origin.trace_id, record.origin.span_id) {
        (Some(uid), ..) => secret.identity(realm, "uid", &[uid.as_bytes()]),
        (None, Some(trace), Some(span)) => {
            let parts: [&[u8]; 4] = [trace.bytes(), span.bytes(), name.code().as_bytes(), &time];
            secret.identity(realm, "span", &parts)
        }
        (None, ..) => {
            let content = record.levels.map(content);
            let parts: [&[u8]; 5] = [name.code().as_bytes(), &time, &content[0], &content[1], &content[2]];
            secret.identity(realm, "record", &parts)
        }
    }
}

/// Attributes as bytes, whatever their order.
fn content(attributes: &[KeyValue]) -> Vec<u8> {
    let mut encoded: Vec<_> = attributes.iter().map(Message::encode_length_delimited_to_vec).collect();
    encoded.sort_unstable();
    encoded.concat()
}
