use std::sync::Arc;

use authstitch_model::ids::Text;
use authstitch_model::{Browser, Environment, Os, Side};

use crate::caps;
use crate::testing::{event_of, events, mapped, plain, span, texts, traces};

const EDGE: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0";

/// Each filled field with its text.
fn shown(environment: &Environment) -> String {
    let os = environment.os.as_ref().map(|os| format!("os {}/{}", os.kind, os.name));
    let browser =
        environment.browser.as_ref().map(|browser| format!("browser {}/{}", browser.kind, browser.name));
    let texts = [
        ("version", &environment.browser_version),
        ("device", &environment.device),
        ("app", &environment.app_version),
        ("service", &environment.service),
        ("entry", &environment.entry_point),
    ];
    let texts = texts.into_iter().filter_map(|(name, text)| Some(format!("{name} {}", text.as_ref()?)));
    [os, browser].into_iter().flatten().chain(texts).collect::<Vec<_>>().join(", ")
}

fn of(side: Side, resource: &[(&str, &str)], own: &[(&str, &str)]) -> String {
    let own: Vec<_> = own.iter().copied().chain([("auth.side", side.code())]).collect();
    shown(&event_of(resource, "auth.error", &own).environment)
}

#[test]
fn a_user_agent_wins_over_the_machine() {
    let machine = [("os.name", "Ubuntu"), ("os.type", "linux")];
    let page = [machine[0], machine[1], ("user_agent.original", EDGE)];
    assert_eq!(of(Side::Initiator, &page, &[]), "os Windows/Windows, browser Edge/Edge, version 126");
    assert_eq!(of(Side::Initiator, &machine, &[]), "os Linux/Linux");
}

#[test]
fn a_servers_environment_is_its_clients() {
    let backend = [("os.type", "linux"), ("service.name", "shop"), ("service.version", "3.1")];
    assert_eq!(of(Side::Server, &backend, &[]), "service shop");
    let agent = [("user_agent.original", EDGE)];
    assert_eq!(
        of(Side::Server, &backend, &agent),
        "os Windows/Windows, browser Edge/Edge, version 126, service shop"
    );
}

#[test]
fn a_phones_app_tells_its_version_and_device() {
    let app = [
        ("os.name", "iOS"),
        ("os.type", "darwin"),
        ("device.model.identifier", "iPhone15,2"),
        ("service.version", "8.2.1"),
        ("service.name", "bank"),
    ];
    assert_eq!(of(Side::Authenticator, &app, &[]), "os iOS/iOS, device iPhone15,2, app 8.2.1, service bank");
    assert_eq!(of(Side::Initiator, &app, &[]), "os iOS/iOS, device iPhone15,2, service bank");
    let said = [("app.version", "9"), ("device.model.name", "iPhone 14 Pro")];
    assert_eq!(of(Side::Authenticator, &app, &said), "os iOS/iOS, device iPhone 14 Pro, app 9, service bank");
}

#[test]
fn the_name_that_a_client_gives_wins_and_on_ios_every_browser_is_safari_inside() {
    let given =
        [("user_agent.name", "Chrome"), ("user_agent.version", "126.0.0.0"), ("user_agent.original", EDGE)];
    assert_eq!(of(Side::Initiator, &[], &given), "os Windows/Windows, browser Chrome/Chrome, version 126");
    let on_ios = [("user_agent.name", "Chrome"), ("user_agent.os.name", "iOS")];
    assert_eq!(of(Side::Initiator, &[], &on_ios), "os iOS/iOS, browser Safari/Chrome");
}

#[test]
fn a_page_without_a_user_agent_has_its_brands_and_platform() {
    let page = [("browser.brands", "Not A;Brand 99, Google Chrome 126"), ("browser.platform", "macOS")];
    assert_eq!(of(Side::Initiator, &page, &[]), "os macOS/macOS, browser Chrome/Chrome, version 126");
    assert_eq!(of(Side::Initiator, &[], &[("auth.entry_point", "checkout")]), "entry checkout");
}

#[test]
fn an_unknown_system_keeps_its_name() {
    assert_eq!(of(Side::Initiator, &[("os.name", "Haiku")], &[]), "os other/Haiku");
    let event = event_of(&[], "auth.qr.shown", &[("user_agent.name", "NetSurf"), ("os.name", "Haiku")]);
    let environment = &event.environment;
    assert_eq!(environment.os.as_ref().map(|os| os.kind), Some(Os::Other));
    assert_eq!(environment.browser.as_ref().map(|browser| browser.kind), Some(Browser::Other));
}

#[test]
fn records_of_one_resource_share_one_environment() {
    let shared = span("auth.qr.shown", &[("auth.journey.id", "journey-0001")]);
    let own = span("auth.qr.shown", &[("auth.journey.id", "journey-0001"), ("user_agent.original", EDGE)]);
    let events = events(&[("os.name", "Windows")], vec![shared.clone(), own.clone(), shared, own]);
    assert!(Arc::ptr_eq(&events[0].environment, &events[2].environment));
    assert!(Arc::ptr_eq(&events[1].environment, &events[3].environment));
    assert!(!Arc::ptr_eq(&events[0].environment, &events[1].environment));
}

#[test]
fn what_is_kept_of_an_emitter_is_shared_and_changes_nothing() {
    let mapping = plain();
    let event = |agent: &str, own: &[(&str, &str)]| {
        let mut span = span("auth.error", &[("auth.journey.id", "journey-0001"), ("auth.side", "initiator")]);
        span.attributes.extend(texts(own));
        mapped(&mapping, &traces(&[("user_agent.original", agent)], vec![span])).0.remove(0)
    };
    let first = event(EDGE, &[]);
    assert!(Arc::ptr_eq(&first.environment, &event(EDGE, &[]).environment), "over two requests");
    assert!(Arc::ptr_eq(&first.environment, &event("other", &[("user_agent.original", EDGE)]).environment));
    assert_eq!(
        event("other", &[]).environment,
        event_of(&[("user_agent.original", "other")], "auth.error", &[("auth.side", "initiator")])
            .environment
    );
    assert_ne!(event("other", &[]).environment, first.environment);
    for number in 0..=caps::EMITTERS_KEPT {
        let version = number.to_string();
        let named = event(EDGE, &[("app.version", &version)]);
        assert_eq!(named.environment.app_version.as_ref().map(Text::as_str), Some(version.as_str()));
    }
    assert_eq!(event(EDGE, &[]).environment, first.environment, "also after everything was forgotten");
}
