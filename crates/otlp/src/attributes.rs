//! The attributes that are looked at, and which of them are in force for a record.
//!
//! - A record's own attribute wins; then, for a span event, its span's; then its resource's.
//! - Of two with the same name in one place the first counts; one without a value, or with an empty text,
//!   counts as absent.
//! - What describes one record only ([`Attr::OWN`]) is taken from that record alone.

use std::borrow::Cow;

use crate::caps;
use crate::dictionary::Name;
use crate::mapping::Mapping;
use crate::scan::{Fields, Row, Scan, attribute, utf8};
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
    const OWN: Set = Set::of(&[
        Self::Event,
        Self::EventName,
        Self::LogRecordUid,
        Self::ErrorType,
        Self::ExceptionType,
        Self::ExceptionMessage,
    ]);

    /// What says on what the emitter runs, or who it is.
    pub(crate) const OF_EMITTER: Set = Set::of(&[
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
    ]);
}

/// Some of the attributes, a bit each, and what else keys say of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set(u64);

impl Set {
    /// The record is ours: it has `auth.flow`, or an `auth.*.id`.
    pub(crate) const OURS: Self = Self(1 << 63);

    /// It takes part in the realm.
    const OF_REALM: Self = Self(1 << 62);

    pub(crate) const fn of(attributes: &[Attr]) -> Self {
        const { assert!(Attr::COUNT < 62) };
        let (mut bits, mut place) = (0, 0);
        while place < attributes.len() {
            bits |= 1 << attributes[place] as u64;
            place += 1;
        }
        Self(bits)
    }

    const fn has(self, attr: Attr) -> bool {
        self.0 >> attr as u64 & 1 == 1
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl Iterator for Set {
    type Item = Attr;

    #[inline]
    fn next(&mut self) -> Option<Attr> {
        let attr = Attr::ALL.get(self.0.trailing_zeros() as usize)?;
        self.0 &= self.0 - 1;
        Some(*attr)
    }
}

/// What an attribute's key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// The attribute that it is.
    pub(crate) attr: Option<Attr>,
    /// What a record says that has it: that attribute, [`Set::OURS`], [`Set::OF_REALM`].
    pub(crate) says: Set,
    /// Which of the realm's attributes it is.
    pub(crate) of_realm: Option<u16>,
}

impl Meaning {
    /// A key that is no attribute, and makes a record ours.
    pub(crate) const OURS: Self = Self { attr: None, says: Set::OURS, of_realm: None };

    /// What the name means that a key stands for.
    pub(crate) fn of(name: &str, of_realm: Option<u16>) -> Self {
        let attr = Attr::from_name(name);
        let mut says = attr.map_or(Set::default(), |attr| Set::of(&[attr]));
        if marks_ours(name.as_bytes()) {
            says = says.or(Set::OURS);
        }
        if of_realm.is_some() {
            says = says.or(Set::OF_REALM);
        }
        Self { attr, says, of_realm }
    }
}

/// Whether a name makes a record ours: `auth.flow`, or an `auth.*.id`.
pub(crate) fn marks_ours(name: &[u8]) -> bool {
    let id = |rest: &[u8]| rest.strip_suffix(b".id").is_some_and(|middle| !middle.is_empty());
    name.strip_prefix(b"auth.").is_some_and(|rest| rest == b"flow" || id(rest))
}

/// What the attributes of one resource, span, span event or log record say.
///
/// One piece of a program gives all its records the same attributes in the same order, many with the same values. So
/// what was made of each is remembered by its place: where the next record has the same bytes there, nothing is
/// looked at again; where it has the same key, nothing is looked up.
#[derive(Clone, Debug)]
pub(crate) struct Level<'a> {
    says: Set,
    /// By attribute; those that [`Self::says`] does not have are left from a record before.
    values: [Value<'a>; Attr::COUNT],
    before: Vec<Seen<'a>>,
}

/// An attribute, and what was made of it.
#[derive(Clone, Copy, Debug)]
struct Seen<'a> {
    /// As it lies, with its length before it.
    raw: &'a [u8],
    key: Name<'a>,
    meaning: Option<Meaning>,
    /// None where nobody asks for it, or where it counts as absent.
    value: Option<Value<'a>>,
}

impl<'a> Level<'a> {
    /// That of nothing at all.
    pub(crate) const NOTHING: &'static Level<'static> = &Level::new();

    /// A level that says nothing yet.
    pub(crate) const fn new() -> Self {
        Self { says: Set(0), values: [Value::Map; Attr::COUNT], before: Vec::new() }
    }

    /// Reads a record's attributes; what the record before said is forgotten.
    pub(crate) fn read(&mut self, attributes: Row<'a>, mapping: &Mapping) -> Scan<()> {
        self.says = Set::default();
        attributes.read(|fields, place| self.read_one(fields, place, mapping))
    }

    /// The same of attributes whose first tag was read; gives them as they lie.
    #[inline]
    pub(crate) fn read_at(&mut self, fields: &mut Fields<'a>, tag: u32, mapping: &Mapping) -> Scan<Row<'a>> {
        self.says = Set::default();
        fields.row_of(tag, |fields, place| self.read_one(fields, place, mapping))
    }

    #[inline]
    fn read_one(&mut self, fields: &mut Fields<'a>, place: usize, mapping: &Mapping) -> Scan<()> {
        let seen = match self.before.get(place) {
            Some(before) if fields.pass(before.raw) => *before,
            before => {
                let (raw, attribute) = fields.raw()?;
                let seen = seen(raw, attribute, before, mapping)?;
                self.remember(place, seen);
                seen
            }
        };
        if let (Some(meaning), Some(value)) = (seen.meaning, seen.value) {
            self.take(meaning, value);
        }
        Ok(())
    }

    fn remember(&mut self, place: usize, seen: Seen<'a>) {
        if let Some(before) = self.before.get_mut(place) {
            *before = seen;
        } else if place == self.before.len() && place < caps::ATTRIBUTES_REMEMBERED {
            self.before.push(seen);
        }
    }

    /// Notes the value of an attribute, unless it has one.
    #[inline]
    fn take(&mut self, meaning: Meaning, value: Value<'a>) {
        if let Some(attr) = meaning.attr
            && !self.says.has(attr)
        {
            self.values[attr as usize] = value;
        }
        self.says = self.says.or(meaning.says);
    }
}

/// What an attribute is; `before` stood in its place in the record before.
#[inline]
fn seen<'a>(
    raw: &'a [u8],
    attribute: &'a [u8],
    before: Option<&Seen<'a>>,
    mapping: &Mapping,
) -> Scan<Seen<'a>> {
    let meaning = |key: Name<'a>| match before {
        Some(before) if before.key == key => before.meaning,
        _ => mapping.meaning(key).copied(),
    };
    if let Some((key, text)) = attribute::short(attribute) {
        let key = Name::of(key);
        let meaning = meaning(key);
        let value = match meaning {
            Some(_) if !is_blank(utf8(text)?) => Some(Value::Text(text)),
            _ => None,
        };
        return Ok(Seen { raw, key, meaning, value });
    }
    let (key, value) = attribute::split(attribute)?;
    let key = Name::of(key);
    let meaning = meaning(key);
    let value = match (meaning, value) {
        (Some(_), Some(value)) => attribute::value(value)?.filter(|value| !value.is_blank()),
        _ => None,
    };
    Ok(Seen { raw, key, meaning, value })
}

/// The attributes in force for a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attributes<'r, 'a> {
    says: Set,
    own: &'r Level<'a>,
    /// Of the span that a span event stands in.
    span: &'r Level<'a>,
    resource: &'r Level<'a>,
}

impl<'r, 'a> Attributes<'r, 'a> {
    /// Those of a record of a resource.
    pub(crate) const fn new(own: &'r Level<'a>, resource: &'r Level<'a>) -> Self {
        let says = own.says.or(resource.says.without(Attr::OWN));
        Self { says, own, span: Level::NOTHING, resource }
    }

    /// Those of an event that stands in a span with these.
    pub(crate) const fn within(&self, event: &'r Level<'a>) -> Self {
        let says = event.says.or(self.says.without(Attr::OWN));
        Self { says, own: event, span: self.own, resource: self.resource }
    }

    /// Whether any attribute makes a record ours: `auth.flow`, or an `auth.*.id`.
    pub(crate) const fn marked_ours(&self) -> bool {
        !self.says.and(Set::OURS).is_empty()
    }

    /// What the record itself, or its span, says of its emitter beyond what its resource says.
    pub(crate) const fn own_emitter(&self) -> Set {
        self.own.says.or(self.span.says).and(Attr::OF_EMITTER)
    }

    /// Whether the record itself, or its span, takes part in the realm.
    pub(crate) const fn own_realm(&self) -> bool {
        !self.own.says.or(self.span.says).and(Set::OF_REALM).is_empty()
    }

    /// Which of some attributes have a value.
    pub(crate) const fn present(&self, wanted: Set) -> Set {
        self.says.and(wanted)
    }

    /// The value of an attribute.
    #[inline]
    pub(crate) fn get(&self, attr: Attr) -> Option<Value<'a>> {
        if !self.says.has(attr) {
            return None;
        }
        let levels = [self.own, self.span, self.resource];
        let level = levels.into_iter().find(|level| level.says.has(attr))?;
        Some(level.values[attr as usize])
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
}

/// The text of an attribute in one list; the first that has a value counts.
pub(crate) fn find<'a>(attributes: Row<'a>, attr: Attr, mapping: &Mapping) -> Scan<Option<&'a [u8]>> {
    let lengths = mapping.key_lengths(attr);
    for attribute in attributes.into_iter().filter(|attribute| attribute::key_may_have(attribute, lengths)) {
        if let Some((key, text)) = attribute::short(attribute) {
            if mapping.is(Name::of(key), attr) && !is_blank(utf8(text)?) {
                return Ok(Value::Text(text).bytes());
            }
            continue;
        }
        let (key, value) = attribute::split(attribute)?;
        if let Some(value) = value.filter(|_| mapping.is(Name::of(key), attr))
            && let Some(value) = attribute::value(value)?.filter(|value| !value.is_blank())
        {
            return Ok(value.bytes());
        }
    }
    Ok(None)
}
