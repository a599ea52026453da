//! The attributes that are looked at, and which of them are in force for a record.
//!
//! - A record's own attribute wins; then, for a span event, its span's; then its resource's.
//! - Of two with the same name in one place the first counts; one without a value, or with an empty text,
//!   counts as absent.
//! - What describes one record only ([`Attr::is_inherited`] is false) is taken from that record alone.

use std::borrow::Cow;
use std::sync::LazyLock;

use authstitch_model::Millis;

use crate::mapping::Mapping;
use crate::wire::{KeyValue, Value};

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

/// The attributes by the length of their names: few have the same, so a name is compared once or twice.
static BY_LENGTH: LazyLock<Vec<Vec<Attr>>> = LazyLock::new(|| {
    let longest = Attr::ALL.iter().map(|attr| attr.name().len()).max().unwrap_or(0);
    let of_length = |length| Attr::ALL.iter().copied().filter(|attr| attr.name().len() == length).collect();
    (0..=longest).map(of_length).collect()
});

impl Attr {
    const COUNT: usize = Self::ALL.len();

    /// The attribute with this name, if it is one that is looked at.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        BY_LENGTH.get(name.len())?.iter().copied().find(|attr| attr.name() == name)
    }

    /// Whether a span event has it from its span, and a record from its resource.
    const fn is_inherited(self) -> bool {
        !matches!(
            self,
            Self::Event
                | Self::EventName
                | Self::LogRecordUid
                | Self::ErrorType
                | Self::ExceptionType
                | Self::ExceptionMessage
        )
    }

    /// Whether it says what the emitter runs on, or who it is.
    const fn describes_emitter(self) -> bool {
        matches!(
            self,
            Self::EntryPoint
                | Self::UserAgentOriginal
                | Self::UserAgentName
                | Self::UserAgentVersion
                | Self::UserAgentOsName
                | Self::UserAgentSynthetic
                | Self::OsName
                | Self::OsType
                | Self::BrowserBrands
                | Self::BrowserPlatform
                | Self::DeviceModelName
                | Self::DeviceModelIdentifier
                | Self::AppVersion
                | Self::ServiceName
                | Self::ServiceVersion
        )
    }
}

/// The attributes in force for a record.
#[derive(Clone, Debug)]
pub(crate) struct Attributes<'a> {
    values: [Option<&'a Value>; Attr::COUNT],
    marked_ours: bool,
    own_emitter: bool,
}

impl<'a> Attributes<'a> {
    /// Those of a resource.
    pub(crate) fn of_resource(attributes: &'a [KeyValue], mapping: &Mapping) -> Self {
        let mut resource = Self { values: [None; Attr::COUNT], marked_ours: false, own_emitter: false };
        resource.overlay(attributes, mapping);
        resource.own_emitter = false;
        resource
    }

    /// Those of a record within what these belong to.
    pub(crate) fn with(&self, own: &'a [KeyValue], mapping: &Mapping) -> Self {
        let mut record = self.clone();
        for attr in Attr::ALL.iter().filter(|attr| !attr.is_inherited()) {
            record.values[*attr as usize] = None;
        }
        record.overlay(own, mapping);
        record
    }

    fn overlay(&mut self, attributes: &'a [KeyValue], mapping: &Mapping) {
        for attribute in attributes.iter().rev() {
            let Some(value) = attribute.present() else { continue };
            let name = mapping.attribute(&attribute.key);
            self.marked_ours |= marks_ours(name);
            if let Some(attr) = Attr::from_name(name) {
                self.values[attr as usize] = Some(value);
                self.own_emitter |= attr.describes_emitter();
            }
        }
    }

    /// Whether any of them makes a record ours: `auth.flow`, or an `auth.*.id`.
    pub(crate) const fn marked_ours(&self) -> bool {
        self.marked_ours
    }

    /// Whether the record itself, or its span, says anything of its emitter beyond what its resource says.
    pub(crate) const fn own_emitter(&self) -> bool {
        self.own_emitter
    }

    /// The value of an attribute.
    pub(crate) const fn get(&self, attr: Attr) -> Option<&'a Value> {
        self.values[attr as usize]
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

fn marks_ours(name: &str) -> bool {
    let id = |rest: &str| rest.strip_suffix(".id").is_some_and(|middle| !middle.is_empty());
    name.strip_prefix("auth.").is_some_and(|rest| rest == "flow" || id(rest))
}

/// The text of an attribute in one place.
pub(crate) fn find<'a>(attributes: &'a [KeyValue], attr: Attr, mapping: &Mapping) -> Option<&'a str> {
    let mut named = attributes.iter().filter(|attribute| mapping.attribute(&attribute.key) == attr.name());
    named.find_map(KeyValue::present)?.text()
}
