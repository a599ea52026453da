//! The attributes that are looked at, and which of them are in force for a record.
//!
//! - A record's own attribute wins; then, for a span event, its span's; then its resource's.
//! - Of two with the same name in one place the first counts; one without a value, or with an empty text,
//!   counts as absent.
//! - What describes one record only ([`Attr::OWN`]) is taken from that record alone.

use std::borrow::Cow;

use authstitch_model::Millis;

use crate::mapping::Mapping;
use crate::scan::{Scan, attribute, utf8};
use crate::value::{Value, is_blank};

/// Declares the attributes with their names.
macro_rules! attributes {
    ($($variant:ident = $name:literal,)+) => {
        /// An attribute that is looked at.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Attr { $(#[doc = concat!("`", $name, "`")] $variant,)+ }

        impl Attr {
            /// All of them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

        }
    };
}

attributes! {
    Event = "auth.event",
    Flow = "auth.flow",
    Side = "auth.side",
    EntryPoint = "auth.entry_point",
    RelyingPartyId = "auth.relying_party.id",
    JourneyId = "auth.journey.id",
    ChallengeId = "auth.challenge.id",
    CodeId = "auth.code.id",
    FlowId = "auth.flow.id",
    CodeTtl = "auth.code.ttl_ms",
    WebauthnTimeout = "auth.webauthn.timeout_ms",
    WebauthnElapsed = "auth.webauthn.elapsed_ms",
    Mediation = "auth.webauthn.mediation",
    Attachment = "auth.webauthn.authenticator_attachment",
    HybridCapability = "auth.capability.hybrid",
    Aaguid = "auth.credential.aaguid",
    Transports = "auth.credential.transports",
    BackupEligible = "auth.credential.backup_eligible",
    BackupState = "auth.credential.backup_state",
    Reason = "auth.reason",
    SessionId = "session.id",
    EventName = "event.name",
    LogRecordUid = "log.record.uid",
    ErrorType = "error.type",
    ExceptionType = "exception.type",
    ExceptionMessage = "exception.message",
    UserAgentOriginal = "user_agent.original",
    UserAgentName = "user_agent.name",
    UserAgentVersion = "user_agent.version",
    UserAgentOsName = "user_agent.os.name",
    UserAgentSynthetic = "user_agent.synthetic.type",
    OsName = "os.name",
    OsType = "os.type",
    BrowserBrands = "browser.brands",
    BrowserPlatform = "browser.platform",
    DeviceModelName = "device.model.name",
    DeviceModelIdentifier = "device.model.identifier",
    AppVersion = "app.version",
    ServiceName = "service.name",
    ServiceVersion = "service.version",
    SdkLanguage = "telemetry.sdk.language",
    HttpRequestMethod = "http.request.method",
    ClientAddress = "client.address",
    CountryIsoCode = "geo.country.iso_code",
    Environment = "deployment.environment.name",
}

impl Attr {
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// The attribute with this name, if it is one that is looked at.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|attr| attr.name() == name)
    }

    /// What describes one record only: its span and its resource say nothing of it.
    const OWN: &'static [Self] = &[
        Self::Event,
        Self::EventName,
        Self::LogRecordUid,
        Self::ErrorType,
        Self::ExceptionType,
        Self::ExceptionMessage,
    ];

    /// What says on what the emitter runs, or who it is.
    pub(crate) const OF_EMITTER: [Self; 15] = [
        Self::UserAgentOriginal,
        Self::UserAgentName,
        Self::UserAgentVersion,
        Self::UserAgentOsName,
        Self::UserAgentSynthetic,
        Self::OsName,
        Self::OsType,
        Self::BrowserBrands,
        Self::BrowserPlatform,
        Self::DeviceModelName,
        Self::DeviceModelIdentifier,
        Self::AppVersion,
        Self::ServiceName,
        Self::ServiceVersion,
        Self::EntryPoint,
    ];

    /// Its bit among [`Self::OF_EMITTER`]; 0 where it is none of them.
    pub(crate) fn emitter_bit(self) -> u16 {
        Self::OF_EMITTER.iter().position(|attr| *attr == self).map_or(0, |place| 1 << place)
    }
}

/// What an attribute's key means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meaning {
    /// The attribute that it is.
    pub(crate) attr: Option<Attr>,
    /// Whether it makes a record ours: `auth.flow`, or an `auth.*.id`.
    pub(crate) marks_ours: bool,
    /// Its bit among [`Attr::OF_EMITTER`], where it says something of the emitter.
    pub(crate) of_emitter: u16,
    /// Which of the realm's attributes it is.
    pub(crate) of_realm: Option<u16>,
}

/// Whether a name makes a record ours.
pub(crate) fn marks_ours(name: &[u8]) -> bool {
    let id = |rest: &[u8]| rest.strip_suffix(b".id").is_some_and(|middle| !middle.is_empty());
    name.strip_prefix(b"auth.").is_some_and(|rest| rest == b"flow" || id(rest))
}

/// The values of one resource, of the span at hand and of its event at hand, one level on top of the other.
pub(crate) type Values<'a> = Vec<Value<'a>>;

/// Which value of each attribute is in force at one level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    /// The place among the values, counted from 1; 0 where there is none. Three levels of at most
    /// [`Attr::COUNT`] values each fit into a byte.
    places: [u8; Attr::COUNT],
    marked_ours: bool,
    own_emitter: u16,
    own_realm: bool,
}

impl Level {
    /// Of nothing at all.
    const NONE: Self =
        Self { places: [0; Attr::COUNT], marked_ours: false, own_emitter: 0, own_realm: false };

    /// That of a resource with these attributes.
    pub(crate) fn of_resource<'a>(
        attributes: &[&'a [u8]],
        mapping: &Mapping,
        values: &mut Values<'a>,
    ) -> Scan<Self> {
        values.clear();
        let resource = Self::NONE.with(attributes, mapping, values)?;
        Ok(Self { own_emitter: 0, own_realm: false, ..resource })
    }

    /// That of a record with these attributes within this one. The values are put on top of the others.
    #[inline]
    pub(crate) fn with<'a>(
        &self,
        attributes: &[&'a [u8]],
        mapping: &Mapping,
        values: &mut Values<'a>,
    ) -> Scan<Self> {
        let mut level = *self;
        for attr in Attr::OWN {
            level.places[*attr as usize] = 0;
        }
        let below = values.len();
        for attribute in attributes {
            let (key, text, value) = match attribute::short(attribute) {
                Some((key, text)) => (key, Some(text), None),
                None => {
                    let (key, value) = attribute::split(attribute)?;
                    (key, None, value)
                }
            };
            let Some(meaning) = mapping.meaning(key) else { continue };
            if let Some(text) = text {
                if !is_blank(utf8(text)?) && level.takes(meaning, below, values.len()) {
                    values.push(Value::Text(text));
                }
            } else if let Some(value) = value
                && let Some(value) = attribute::value(value)?
                && !value.is_blank()
                && level.takes(meaning, below, values.len())
            {
                values.push(value);
            }
        }
        Ok(level)
    }

    /// Notes that an attribute has a value; true if this is the one in force, which is put on top of the others.
    #[inline]
    fn takes(&mut self, meaning: &Meaning, below: usize, values: usize) -> bool {
        self.marked_ours |= meaning.marks_ours;
        self.own_emitter |= meaning.of_emitter;
        self.own_realm |= meaning.of_realm.is_some();
        let Some(attr) = meaning.attr else { return false };
        let place = &mut self.places[attr as usize];
        let is_first = usize::from(*place) <= below;
        if is_first {
            *place = (values + 1) as u8;
        }
        is_first
    }

    /// Whether any attribute makes a record ours: `auth.flow`, or an `auth.*.id`.
    pub(crate) const fn marked_ours(&self) -> bool {
        self.marked_ours
    }
}

/// The attributes in force for a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attributes<'r, 'a> {
    level: &'r Level,
    values: &'r [Value<'a>],
}

impl<'r, 'a> Attributes<'r, 'a> {
    pub(crate) const fn new(level: &'r Level, values: &'r [Value<'a>]) -> Self {
        Self { level, values }
    }

    /// What the record itself, or its span, says of its emitter beyond what its resource says: the bits of those
    /// attributes among [`Attr::OF_EMITTER`].
    pub(crate) const fn own_emitter(&self) -> u16 {
        self.level.own_emitter
    }

    /// Whether the record itself, or its span, takes part in the realm.
    pub(crate) const fn own_realm(&self) -> bool {
        self.level.own_realm
    }

    /// The value of an attribute.
    #[inline]
    pub(crate) fn get(&self, attr: Attr) -> Option<Value<'a>> {
        let place = usize::from(self.level.places[attr as usize]).checked_sub(1)?;
        self.values.get(place).copied()
    }

    /// The attribute as a text, in bytes that are UTF-8.
    pub(crate) fn bytes(&self, attr: Attr) -> Option<&'a [u8]> {
        self.get(attr)?.bytes()
    }

    /// The attribute as a text.
    pub(crate) fn text(&self, attr: Attr) -> Option<&'a str> {
        self.get(attr)?.text()
    }

    /// The attribute as a text; a number is its decimal text.
    pub(crate) fn decimal(&self, attr: Attr) -> Option<Cow<'a, str>> {
        self.get(attr)?.decimal()
    }

    /// The attribute as a flag.
    pub(crate) fn flag(&self, attr: Attr) -> Option<bool> {
        self.get(attr)?.flag()
    }

    /// The attribute as a length of time.
    pub(crate) fn millis(&self, attr: Attr) -> Option<Millis> {
        self.get(attr)?.millis()
    }
}

/// The text of an attribute in one list; the first that has a value counts.
pub(crate) fn find<'a>(attributes: &[&'a [u8]], attr: Attr, mapping: &Mapping) -> Scan<Option<&'a [u8]>> {
    let lengths = mapping.key_lengths(attr);
    for attribute in attributes.iter().filter(|attribute| attribute::key_may_have(attribute, lengths)) {
        if let Some((key, text)) = attribute::short(attribute) {
            if mapping.is(key, attr) && !is_blank(utf8(text)?) {
                return Ok(Value::Text(text).bytes());
            }
            continue;
        }
        let (key, value) = attribute::split(attribute)?;
        if let Some(value) = value.filter(|_| mapping.is(key, attr))
            && let Some(value) = attribute::value(value)?.filter(|value| !value.is_blank())
        {
            return Ok(value.bytes());
        }
    }
    Ok(None)
}
