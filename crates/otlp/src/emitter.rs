//! Who emitted a record: system, browser, device, service, and on which side of the login it stands.
//!
//! The environment:
//! - A user agent wins over `os.*`: a Collector on the way may have written its own machine into `os.*`.
//! - A server's own machine is of no interest: the environment of a server's event is what the user agent of
//!   its client says, beside the service's name.
//! - The version of an app is `app.version`; on a phone `service.version`, too.
//! - Records of one resource share one environment unless they say something of their own.

use std::sync::Arc;

use authstitch_model::event::Named;
use authstitch_model::ids::Text;
use authstitch_model::{Browser, Environment, Os, Side, Synthetic};

use crate::agent::{Agent, branded, browser_named, os_named, versioned};
use crate::attributes::{Attr, Attributes, Level, Set};
use crate::caps;
use crate::emitters::Emitters;
use crate::mapping::Mapping;
use crate::scan::{Fields, Odd, Row, Scan, attribute, length, numbers};
use crate::value::Value;

#[cfg(test)]
mod tests;

/// SDKs of browsers and apps, by `telemetry.sdk.language`; all others run in backends.
const DEVICE_LANGUAGES: &[&str] = &["webjs", "swift", "kotlin", "dart", "objc"];

/// One resource of a request.
pub(crate) struct Emitter<'a> {
    /// Its attributes as they lie.
    pub(crate) raw: Row<'a>,
    /// Those in force for its records.
    pub(crate) level: Level<'a>,
    has_browser_attribute: bool,
}

/// What is known of the emitter of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) environment: Arc<Environment>,
    pub(crate) synthetic: Option<Synthetic>,
}

impl<'a> Emitter<'a> {
    /// Reads a `Resource`.
    pub(crate) fn read(resource: &'a [u8], mapping: &Mapping) -> Scan<Self> {
        const ATTRIBUTE: u32 = length(1);
        let mut raw = Row::default();
        let mut fields = Fields::of(resource);
        while let Some(tag) = fields.tag()? {
            match tag {
                ATTRIBUTE if raw.is_empty() => raw = fields.row(ATTRIBUTE)?,
                ATTRIBUTE => return Err(Odd),
                other => fields.skip(other, numbers([1]))?,
            }
        }
        let mut level = Level::new();
        level.read(raw, mapping)?;
        let mut has_browser_attribute = false;
        for attribute in raw {
            has_browser_attribute |= attribute::split(attribute)?.0.starts_with(b"browser.");
        }
        Ok(Self { raw, level, has_browser_attribute })
    }

    const fn attributes(&self) -> Attributes<'_, 'a> {
        Attributes::new(&self.level, Level::NOTHING)
    }

    /// Whether the resource is a browser's page.
    pub(crate) fn is_browser(&self) -> bool {
        let resource = self.attributes();
        resource.get(Attr::UserAgentOriginal).is_some()
            || resource.bytes(Attr::SdkLanguage) == Some(b"webjs")
            || self.has_browser_attribute
    }

    /// Whether the resource is an app on a phone.
    pub(crate) fn is_phone(&self) -> bool {
        let resource = self.attributes();
        let system = resource.text(Attr::OsName).or_else(|| resource.text(Attr::OsType));
        matches!(system.and_then(os_named), Some(Os::Ios | Os::Android))
            || resource.get(Attr::DeviceModelName).is_some()
            || resource.get(Attr::DeviceModelIdentifier).is_some()
    }

    /// Whether the resource is clearly a backend: its SDK says so, and nothing speaks for a device.
    pub(crate) fn is_backend(&self) -> bool {
        let language = self.attributes().text(Attr::SdkLanguage);
        language.is_some_and(|language| !DEVICE_LANGUAGES.contains(&language))
            && !self.is_browser()
            && !self.is_phone()
    }
}

/// The emitters described so far, of the resource at hand.
#[derive(Default)]
pub(crate) struct Descriptions<'a> {
    /// What the resource says, by side.
    shared: [Option<Described>; Side::COUNT],
    /// What its latest records say that say something of their own: a server's speak of many clients.
    own: Vec<Own<'a>>,
    made: Made,
}

/// What a description is made of, written down to be found again.
#[derive(Default)]
struct Made(Vec<u8>);

impl Made {
    fn of(&mut self, record: &Attributes<'_, '_>, side: Side, emitters: &Emitters) -> Scan<Described> {
        self.0.clear();
        self.0.push(side as u8);
        for attr in record.present(Attr::OF_EMITTER) {
            // Of other kinds nothing is made.
            let (kind, bytes) = match record.get(attr) {
                Some(Value::Text(text)) => (0, text),
                Some(Value::Array(list)) => (1, list),
                _ => continue,
            };
            self.0.extend([attr as u8, kind]);
            self.0.extend((bytes.len() as u32).to_le_bytes());
            self.0.extend_from_slice(bytes);
        }
        if let Some(known) = emitters.get(&self.0) {
            return Ok(known);
        }
        let described = described(record, side)?;
        emitters.keep(&self.0, &described);
        Ok(described)
    }
}

/// What records say of their own.
struct Own<'a> {
    side: Side,
    /// Which attributes, and their values.
    says: Set,
    values: Vec<Value<'a>>,
    described: Described,
}

impl<'a> Descriptions<'a> {
    /// What follows is of another resource.
    pub(crate) fn leave_resource(&mut self) {
        self.shared = Default::default();
        self.own.clear();
    }

    /// What is known of the emitter of a record with these attributes on this side.
    pub(crate) fn of(
        &mut self,
        record: &Attributes<'_, 'a>,
        side: Side,
        emitters: &Emitters,
    ) -> Scan<Described> {
        let says = record.own_emitter();
        if says.is_empty() {
            if let Some(known) = &self.shared[side.index()] {
                return Ok(known.clone());
            }
            return Ok(self.shared[side.index()].insert(self.made.of(record, side, emitters)?).clone());
        }
        let values = || says.filter_map(|attr| record.get(attr));
        let same = |own: &&Own<'a>| {
            own.side == side
                && own.says == says
                && values().zip(&own.values).all(|(value, known)| value.is_same(known))
        };
        if let Some(known) = self.own.iter().find(same) {
            return Ok(known.described.clone());
        }
        let described = self.made.of(record, side, emitters)?;
        if self.own.len() == caps::EMITTERS_REMEMBERED {
            self.own.remove(0);
        }
        self.own.push(Own { side, says, values: values().collect(), described: described.clone() });
        Ok(described)
    }
}

fn described(record: &Attributes<'_, '_>, side: Side) -> Scan<Described> {
    let agent = record.text(Attr::UserAgentOriginal).map(Agent::parse).unwrap_or_default();
    let text = |attr| record.text(attr).map(Text::bounded);
    let os = os(record, side, &agent);
    let (browser, browser_version) = browser(record, os.as_ref(), agent.browser, agent.version)?;
    let synthetic = record.text(Attr::UserAgentSynthetic).and_then(Synthetic::from_code);
    let service_version = || (side == Side::Authenticator).then(|| text(Attr::ServiceVersion)).flatten();
    let environment = Environment {
        os,
        browser,
        browser_version,
        device: text(Attr::DeviceModelName).or_else(|| text(Attr::DeviceModelIdentifier)),
        app_version: text(Attr::AppVersion).or_else(service_version),
        service: text(Attr::ServiceName),
        entry_point: text(Attr::EntryPoint),
    };
    Ok(Described {
        environment: Arc::new(environment),
        synthetic: synthetic.or_else(|| agent.is_bot.then_some(Synthetic::Bot)),
    })
}

fn os(record: &Attributes<'_, '_>, side: Side, agent: &Agent) -> Option<Named<Os>> {
    let sent = |attr| {
        let name = record.text(attr)?;
        let kind = os_named(name)?;
        let shown = if kind == Os::Other { name } else { kind.code() };
        Some(Named { kind, name: Text::bounded(shown) })
    };
    let by_agent = agent.os.map(|kind| Named { kind, name: kind.code().into() });
    let of_client = sent(Attr::UserAgentOsName).or(by_agent).or_else(|| sent(Attr::BrowserPlatform));
    let of_machine = || sent(Attr::OsName).or_else(|| sent(Attr::OsType));
    of_client.or_else(|| (side != Side::Server).then(of_machine).flatten())
}

/// The name that the client gives, else the user agent string, else the brands.
fn browser(
    record: &Attributes<'_, '_>,
    os: Option<&Named<Os>>,
    by_agent: Option<Named<Browser>>,
    agent_version: Option<Text>,
) -> Scan<(Option<Named<Browser>>, Option<Text>)> {
    let given = record.text(Attr::UserAgentName).map(|name| {
        let on_ios = os.is_some_and(|os| os.kind == Os::Ios);
        let kind = match browser_named(name) {
            Browser::Other => Browser::Other,
            _ if on_ios => Browser::Safari,
            kind => kind,
        };
        Named { kind, name: Text::bounded(name) }
    });
    let version = record.text(Attr::UserAgentVersion).and_then(versioned);
    if let Some(browser) = given.or(by_agent) {
        return Ok((Some(browser), version.or(agent_version)));
    }
    let brands = record.get(Attr::BrowserBrands).map(|brands| brands.texts()).transpose()?;
    Ok(match brands.and_then(|brands| branded(brands.into_iter())) {
        Some((browser, brand_version)) => (Some(browser), version.or(brand_version)),
        None => (None, None),
    })
}
