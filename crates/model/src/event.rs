//! One authentication event, mapped: what is left of a span, a span event or a log record of ours.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{EventId, Identity, Realm, SpanId, Text, TraceId};
use crate::key::EventKeys;
use crate::time::{Millis, UnixNanos};
use crate::vocabulary::{
    Attachment, Browser, ErrorClass, EventName, Flow, HttpMethod, Mediation, Method, Os, Reason, Side,
    Synthetic,
};

/// One event of a login, as every later stage sees it. Raw keys, messages and addresses are gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuthEvent {
    /// The population it belongs to.
    pub realm: Realm,
    /// What happened. A `completed` or `succeeded` with an error has become its `failed` already.
    pub name: EventName,
    /// Who emitted it.
    pub side: Side,
    /// The flow as sent; it wins over any conclusion.
    pub flow: Option<Flow>,
    /// When it happened, by the emitter's clock.
    pub time: UnixNanos,
    /// When a collector or SDK observed it, by that clock (`observed_time_unix_nano` of a log record).
    pub observed: Option<UnixNanos>,
    /// Where it stood.
    pub origin: Origin,
    /// The log record's id; for a record with no id at all the hash of its content.
    pub event_id: Option<EventId>,
    /// Two copies of one event have the same identity.
    pub identity: Identity,
    /// What ties it to a journey.
    pub keys: EventKeys,
    /// What else it says, as small numbers.
    pub facts: Facts,
    /// System, browser and device of its emitter; shared by the records of one resource.
    pub environment: Arc<Environment>,
}

/// The span an event stood in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its trace.
    pub trace_id: Option<TraceId>,
    /// Its span.
    pub span_id: Option<SpanId>,
    /// Its span's parent.
    pub parent_span_id: Option<SpanId>,
}

/// What an event says beside its name, reduced to small closed sets and numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Length of the span that carried it.
    pub duration: Option<Millis>,
    /// `auth.code.ttl_ms`.
    pub code_ttl: Option<Millis>,
    /// `auth.webauthn.timeout_ms`: what the page asked for, not what the browser does.
    pub webauthn_timeout: Option<Millis>,
    /// `auth.webauthn.elapsed_ms`.
    pub webauthn_elapsed: Option<Millis>,
    /// `auth.webauthn.mediation`.
    pub mediation: Option<Mediation>,
    /// `auth.webauthn.authenticator_attachment`.
    pub attachment: Option<Attachment>,
    /// `auth.capability.hybrid`; a missing one does not mean false.
    pub hybrid_capability: Option<bool>,
    /// `auth.credential.aaguid`, as the first eight bytes: enough to tell authenticator models apart.
    pub aaguid: Option<u64>,
    /// `auth.credential.transports`.
    pub transports: Transports,
    /// `auth.credential.backup_eligible`.
    pub backup_eligible: Option<bool>,
    /// `auth.credential.backup_state`.
    pub backup_state: Option<bool>,
    /// `auth.reason` of a failed verification.
    pub reason: Option<Reason>,
    /// `auth.reason` of a method event: the method's name.
    pub method: Option<Method>,
    /// `error.type` and `exception.message`, reduced.
    pub error: Option<ErrorClass>,
    /// `http.request.method`.
    pub http_method: Option<HttpMethod>,
    /// The client's network: keyed hash of the address's prefix.
    pub network: Option<u64>,
    /// The client's country, as two capital letters.
    pub country: Option<[u8; 2]>,
    /// Traffic that is no person's.
    pub synthetic: Option<Synthetic>,
    /// The share of traces that its sampler keeps, in parts per 65,536; absent where it did not say.
    pub sampled: Option<u16>,
}

/// The transports registered with a credential, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transports(u8);

impl Transports {
    /// Those by which a phone answers.
    pub const PHONE: Self = Self(1 << 4 | 1 << 5);

    /// Those by which a security key answers.
    pub const KEY: Self = Self(1 << 0 | 1 << 1 | 1 << 3);

    const CODES: [&'static str; 6] = ["usb", "nfc", "ble", "smart-card", "hybrid", "internal"];

    /// This set and the transport with this name; an unknown name changes nothing.
    #[must_use]
    pub fn with(self, code: &str) -> Self {
        match Self::CODES.iter().position(|known| *known == code) {
            Some(bit) => Self(self.0 | 1 << bit),
            None => self,
        }
    }

    /// Whether the set holds the transport with this name.
    #[must_use]
    pub fn has(self, code: &str) -> bool {
        Self::CODES.iter().position(|known| *known == code).is_some_and(|bit| self.0 & 1 << bit != 0)
    }

    /// Whether the sets have a transport in common.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether nothing is known of transports.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set as one byte, a bit for each transport.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set of these bits; those of no transport say nothing.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & ((1 << Self::CODES.len()) - 1))
    }
}

/// A family, and the name to show.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Named<K> {
    /// The family, which decisions use.
    pub kind: K,
    /// The name, which people read.
    pub name: Text,
}

/// What an event's emitter ran on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Environment {
    /// Operating system.
    pub os: Option<Named<Os>>,
    /// Browser.
    pub browser: Option<Named<Browser>>,
    /// Browser version.
    pub browser_version: Option<Text>,
    /// Device model.
    pub device: Option<Text>,
    /// App version.
    pub app_version: Option<Text>,
    /// `service.name` of the emitter.
    pub service: Option<Text>,
    /// `auth.entry_point`: where on the site the login began.
    pub entry_point: Option<Text>,
}

/// Events for tests of every crate: one line a field, the rest plain.
#[cfg(any(test, feature = "testing"))]
pub mod testing {
    use proptest::option;
    use proptest::prelude::{Strategy, any};
    use proptest::sample::select;

    use super::{AuthEvent, Environment, Facts, Origin, Transports};
    use crate::ids::{Realm, SpanId, TraceId};
    use crate::key::{EventKeys, Secret};
    use crate::time::{Millis, UnixNanos};
    use crate::vocabulary::{
        Attachment, ErrorClass, EventName, HttpMethod, Mediation, Method, Reason, Side, Synthetic,
    };

    /// An event at a time, on its usual side, in a span of its own, with no key; `nth` makes its ids.
    #[must_use]
    pub fn event(name: EventName, time: UnixNanos, nth: u64) -> AuthEvent {
        let mut trace = [0x11; 16];
        trace[8..].copy_from_slice(&nth.to_be_bytes());
        let origin = Origin {
            trace_id: TraceId::from_bytes(&trace),
            span_id: SpanId::from_bytes(&nth.to_be_bytes()),
            parent_span_id: None,
        };
        AuthEvent {
            realm: Realm::bounded("default"),
            name,
            side: name.usual_side().unwrap_or(Side::Server),
            flow: None,
            time,
            observed: None,
            origin,
            event_id: None,
            identity: Secret::PUBLIC
                .of_realm("default")
                .identity(name.code(), &[&nth.to_be_bytes(), &time.0.to_be_bytes()]),
            keys: EventKeys::default(),
            facts: Facts::default(),
            environment: std::sync::Arc::new(Environment::default()),
        }
    }

    /// One of these, or none.
    pub fn one_of<T: Copy + std::fmt::Debug + 'static>(
        all: &'static [T],
    ) -> impl Strategy<Value = Option<T>> {
        option::of(select(all.to_vec()))
    }

    fn millis() -> impl Strategy<Value = Option<Millis>> {
        option::of(any::<u64>().prop_map(|bits| Millis(bits >> (bits % 64))))
    }

    /// Facts of every kind and value.
    pub fn facts() -> impl Strategy<Value = Facts> {
        let times = (millis(), millis(), millis(), millis());
        let codes = (
            one_of(Mediation::ALL),
            one_of(Attachment::ALL),
            one_of(Reason::ALL),
            one_of(Method::ALL),
            one_of(ErrorClass::ALL),
            one_of(HttpMethod::ALL),
            one_of(Synthetic::ALL),
        );
        let flags = (any::<Option<bool>>(), any::<Option<bool>>(), any::<Option<bool>>(), any::<u8>());
        let numbers =
            (any::<Option<u64>>(), any::<Option<u64>>(), any::<Option<[u8; 2]>>(), any::<Option<u16>>());
        (times, codes, flags, numbers).prop_map(|(times, codes, flags, numbers)| Facts {
            duration: times.0,
            code_ttl: times.1,
            webauthn_timeout: times.2,
            webauthn_elapsed: times.3,
            mediation: codes.0,
            attachment: codes.1,
            hybrid_capability: flags.0,
            aaguid: numbers.0,
            transports: Transports::from_bits(flags.3),
            backup_eligible: flags.1,
            backup_state: flags.2,
            reason: codes.2,
            method: codes.3,
            error: codes.4,
            http_method: codes.5,
            network: numbers.1,
            country: numbers.2,
            synthetic: codes.6,
            sampled: numbers.3,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Transports;

    #[test]
    fn a_phone_and_a_key_answer_by_transports_of_their_own() {
        let set = |codes: &[&str]| codes.iter().fold(Transports::default(), |set, code| set.with(code));
        assert_eq!(Transports::PHONE, set(&["hybrid", "internal"]));
        assert_eq!(Transports::KEY, set(&["usb", "nfc", "smart-card"]));
        assert!(set(&["usb", "hybrid"]).meets(Transports::PHONE) && !set(&["ble"]).meets(Transports::KEY));
    }
}
