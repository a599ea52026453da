//! Who emitted a record: system, browser, device, service, and on which side of the login it stands.
//!
//! The environment:
//! - A user agent wins over `os.*`: a Collector on the way may have written its own machine into `os.*`.
//! - A server's own machine is of no interest: the environment of a server's event is what the user agent of
//!   its client says, beside the service's name.
//! - The version of an app is `app.version`; on a phone `service.version`, too.
//! - Records of one resource share one environment unless they say something of their own.

use std::cell::RefCell;
use std::sync::Arc;

use authstitch_model::event::Named;
use authstitch_model::ids::Text;
use authstitch_model::{Browser, Environment, Os, Side, Synthetic};

use crate::agent::{Agent, branded, browser_named, os_named, versioned};
use crate::attributes::{Attr, Attributes};
use crate::mapping::Mapping;
use crate::wire::{KeyValue, Resource};

#[cfg(test)]
mod tests;

/// SDKs of browsers and apps, by `telemetry.sdk.language`; all others run in backends.
const DEVICE_LANGUAGES: &[&str] = &["webjs", "swift", "kotlin", "dart", "objc"];

/// One resource of a request.
pub(crate) struct Emitter<'a> {
    /// Its attributes as sent.
    pub(crate) raw: &'a [KeyValue],
    /// Those in force for its records.
    pub(crate) attributes: Attributes<'a>,
    shared: RefCell<[Option<Described>; Side::COUNT]>,
    latest: RefCell<[Option<Described>; Side::COUNT]>,
}

/// What is known of the emitter of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) environment: Arc<Environment>,
    pub(crate) synthetic: Option<Synthetic>,
}

impl<'a> Emitter<'a> {
    pub(crate) fn new(resource: Option<&'a Resource>, mapping: &Mapping) -> Self {
        let raw = resource.map_or(&[][..], |resource| &resource.attributes);
        Self {
            raw,
            attributes: Attributes::of_resource(raw, mapping),
            shared: RefCell::default(),
            latest: RefCell::default(),
        }
    }

    /// What is known of the emitter of a record with these attributes on this side.
    pub(crate) fn of(&self, record: &Attributes<'_>, side: Side) -> Described {
        if !record.own_emitter() {
            let mut shared = self.shared.borrow_mut();
            return shared[side.index()].get_or_insert_with(|| described(record, side)).clone();
        }
        let new = described(record, side);
        let mut latest = self.latest.borrow_mut();
        match &latest[side.index()] {
            Some(same) if *same == new => same.clone(),
            _ => latest[side.index()].insert(new).clone(),
        }
    }

    /// Whether the resource is a browser's page.
    pub(crate) fn is_browser(&self) -> bool {
        let page = |attribute: &KeyValue| attribute.key.starts_with("browser.");
        self.attributes.get(Attr::UserAgentOriginal).is_some()
            || self.attributes.text(Attr::SdkLanguage) == Some("webjs")
            || self.raw.iter().any(page)
    }

    /// Whether the resource is an app on a phone.
    pub(crate) fn is_phone(&self) -> bool {
        let system = self.attributes.text(Attr::OsName).or_else(|| self.attributes.text(Attr::OsType));
        matches!(system.and_then(os_named), Some(Os::Ios | Os::Android))
            || self.attributes.get(Attr::DeviceModelName).is_some()
            || self.attributes.get(Attr::DeviceModelIdentifier).is_some()
    }

    /// Whether the resource is clearly a backend: its SDK says so, and nothing speaks for a device.
    pub(crate) fn is_backend(&self) -> bool {
        let language = self.attributes.text(Attr::SdkLanguage);
        language.is_some_and(|language| !DEVICE_LANGUAGES.contains(&language))
            && !self.is_browser()
            && !self.is_phone()
    }
}

fn described(record: &Attributes<'_>, side: Side) -> Described {
    let agent = record.text(Attr::UserAgentOriginal).map(Agent::parse).unwrap_or_default();
    let text = |attr| record.text(attr).map(Text::bounded);
    let os = os(record, side, &agent);
    let (browser, browser_version) = browser(record, os.as_ref(), agent.browser, agent.version);
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
    Described {
        environment: Arc::new(environment),
        synthetic: synthetic.or_else(|| agent.is_bot.then_some(Synthetic::Bot)),
    }
}

fn os(record: &Attributes<'_>, side: Side, agent: &Agent) -> Option<Named<Os>> {
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
    record: &Attributes<'_>,
    os: Option<&Named<Os>>,
    by_agent: Option<Named<Browser>>,
    agent_version: Option<Text>,
) -> (Option<Named<Browser>>, Option<Text>) {
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
    match given.or(by_agent) {
        Some(browser) => (Some(browser), version.or(agent_version)),
        None => {
            let brands = record.get(Attr::BrowserBrands).and_then(|brands| branded(brands.texts()));
            brands.map_or((None, None), |(browser, brand_version)| (Some(browser), version.or(brand_version)))
        }
    }
}
