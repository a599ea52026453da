//! What pages, apps and servers say about themselves: the resources of their telemetry.

use authstitch_model::line::{DeviceLine, EnvironmentBasis, EnvironmentLine, Known};
use authstitch_model::{Browser, Flow, Os};
use authstitch_otlp::wire::{KeyValue, Resource};

use super::Scene;
use super::attributes::text;
use crate::life::{Initiator, Phone};

/// What every simulated resource says: this is no person's traffic.
fn synthetic(scene: &Scene<'_>, service: &str, language: &str) -> Vec<KeyValue> {
    vec![
        text("service.name", service),
        text("telemetry.sdk.language", language),
        text("deployment.environment.name", "test"),
        text("user_agent.synthetic.type", "test"),
        text("auth.relying_party.id", format!("rp-{}.example", scene.visit.relying_party + 1)),
    ]
}

pub(super) fn page(scene: &Scene<'_>) -> Resource {
    let device = &scene.person.initiator;
    let mut attributes = synthetic(scene, "login-web", "webjs");
    attributes.push(text("user_agent.original", user_agent(device.os, device.browser, device.version)));
    attributes.push(text("user_agent.name", device.browser.code()));
    attributes.push(text("user_agent.version", version(device)));
    attributes.push(text("os.name", device.os.code()));
    attributes.push(text("auth.entry_point", &*scene.person.entry_point));
    Resource { attributes }
}

/// A magic link opens the phone's browser; every other flow the relying party's app.
pub(super) fn phone(scene: &Scene<'_>) -> Resource {
    let device = &scene.person.phone;
    if scene.story.flow == Flow::MagicLink {
        let mut attributes = synthetic(scene, "login-web", "webjs");
        attributes.push(phone_agent(scene));
        return Resource { attributes };
    }
    let language = if device.os == Os::Ios { "swift" } else { "kotlin" };
    let mut attributes = synthetic(scene, "mobile-app", language);
    attributes.push(text("os.name", device.os.code()));
    attributes.push(text("device.model.identifier", device.model));
    attributes.push(text("app.version", &*device.app_version));
    Resource { attributes }
}

/// What the phone's browser says of itself to a server.
pub(super) fn phone_agent(scene: &Scene<'_>) -> KeyValue {
    let device = &scene.person.phone;
    let (browser, major) = phone_browser(device);
    text("user_agent.original", user_agent(device.os, browser, major))
}

pub(super) fn server(scene: &Scene<'_>, process: u64) -> Resource {
    let mut attributes = synthetic(scene, "auth-server", "java");
    attributes.push(text("service.instance.id", format!("auth-server-{process}")));
    attributes.push(text("os.type", "linux"));
    Resource { attributes }
}

/// The browser on a phone, and its major version.
const fn phone_browser(phone: &Phone) -> (Browser, u32) {
    match phone.os {
        Os::Ios => (Browser::Safari, 26),
        _ => (Browser::Chrome, 141),
    }
}

fn version(device: &Initiator) -> String {
    match device.browser {
        Browser::Safari | Browser::Firefox => format!("{}.0", device.version),
        _ => format!("{}.0.0.0", device.version),
    }
}

/// `User-Agent`, with the parts that browsers freeze frozen.
fn user_agent(os: Os, browser: Browser, major: u32) -> String {
    let system = match os {
        Os::Windows => "Windows NT 10.0; Win64; x64",
        Os::MacOs => "Macintosh; Intel Mac OS X 10_15_7",
        Os::Linux | Os::Other => "X11; Linux x86_64",
        Os::ChromeOs => "X11; CrOS x86_64 14541.0.0",
        Os::Ios => "iPhone; CPU iPhone OS 18_6 like Mac OS X",
        Os::Android => "Linux; Android 10; K",
    };
    let mobile = if matches!(os, Os::Ios | Os::Android) { " Mobile" } else { "" };
    let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
    match browser {
        Browser::Firefox => format!("Mozilla/5.0 ({system}; rv:{major}.0) Gecko/20100101 Firefox/{major}.0"),
        Browser::Safari => format!(
            "Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{major}.0{mobile} Safari/605.1.15"
        ),
        Browser::Edge => {
            format!("Mozilla/5.0 ({system}) {webkit} Chrome/{major}.0.0.0 Safari/537.36 Edg/{major}.0.0.0")
        }
        Browser::Samsung => format!(
            "Mozilla/5.0 ({system}) {webkit} SamsungBrowser/28.0 Chrome/{major}.0.0.0{mobile} Safari/537.36"
        ),
        Browser::Chrome | Browser::Other => {
            format!("Mozilla/5.0 ({system}) {webkit} Chrome/{major}.0.0.0{mobile} Safari/537.36")
        }
    }
}

/// What both devices really are.
pub(crate) fn environment(scene: &Scene<'_>) -> EnvironmentLine {
    let known = |value: &str| Some(Known { value: value.into(), basis: EnvironmentBasis::Observed });
    let (desktop, phone) = (&scene.person.initiator, &scene.person.phone);
    let on_web = scene.story.flow == Flow::MagicLink;
    EnvironmentLine {
        initiator: DeviceLine {
            os: known(desktop.os.code()),
            browser: known(desktop.browser.code()),
            browser_version: known(&version(desktop)),
            device: None,
            app_version: None,
        },
        authenticator: DeviceLine {
            os: known(phone.os.code()),
            browser: on_web.then(|| known(phone_browser(phone).0.code())).flatten(),
            browser_version: None,
            device: known(phone.model),
            app_version: (!on_web).then(|| known(&phone.app_version)).flatten(),
        },
    }
}
