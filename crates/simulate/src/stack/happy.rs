//! What each phase that was reached leaves behind.

use authstitch_model::{EventName, Flow, Method, Phase, Side, Transport, UnixNanos};
use authstitch_otlp::wire::KeyValue;

use super::Scene;
use super::attributes::{flag, number, text, texts};
use super::devices;
use super::event::{Asker, Event, Span};
use crate::random::{Dice, after};

/// Share of pages that tell which methods they offered, of those that tell which was chosen: our own guess, as are the two below.
const OFFERS_TOLD: f64 = 0.5;
/// Share of stacks whose server, not the page, tells that the session exists.
pub(crate) const SESSION_TOLD_BY_SERVER: f64 = 0.3;
/// Share of pages that measure how long a ceremony took.
const ELAPSED_TOLD: f64 = 0.7;

pub(super) fn events(scene: &Scene<'_>, events: &mut Vec<Event>, dice: &mut Dice) {
    choose(scene, events, dice);
    for reached in &scene.story.reached {
        match scene.story.flow {
            Flow::PasskeyCda => passkey(scene, reached.phase, reached.at, events, dice),
            Flow::MagicLink => magic_link(scene, reached.phase, reached.at, events, dice),
            Flow::AppQr | Flow::Unknown => app_qr(scene, reached.phase, reached.at, events),
        }
        if matches!(reached.phase, Phase::Verified | Phase::Returned | Phase::Established) {
            finish(scene, reached.phase, reached.at, events, dice);
        }
    }
    look_away(scene, events, dice);
}

fn choose(scene: &Scene<'_>, events: &mut Vec<Event>, dice: &mut Dice) {
    let at = scene.story.started_at;
    if !scene.visit.style.choices {
        return;
    }
    if dice.chance(OFFERS_TOLD) {
        events.push(Event::page(EventName::MethodOffered, at).early());
    }
    let method = match scene.story.flow {
        Flow::PasskeyCda => Method::Passkey,
        Flow::MagicLink => Method::MagicLink,
        Flow::AppQr | Flow::Unknown => Method::AppQr,
    };
    let chosen = after(at, dice.between(0.000_5, 0.01));
    events.push(
        Event::page(EventName::MethodSelected, chosen).early().detail(text("auth.reason", method.code())),
    );
}

fn app_qr(scene: &Scene<'_>, phase: Phase, at: UnixNanos, events: &mut Vec<Event>) {
    let scanned = scanned_code(scene);
    match phase {
        Phase::Started => events.push(
            Event::server(EventName::ChallengeCreated, Asker::Page, at)
                .code(0)
                .detail(text("http.request.method", "POST"))
                .detail(text("http.route", "/login/qr/orders")),
        ),
        Phase::Presented => events.extend(scene.story.codes.iter().enumerate().map(|(nth, shown)| {
            let name = if nth == 0 { EventName::QrShown } else { EventName::QrRefreshed };
            Event::page(name, *shown).code(nth).detail(code_lifetime(scene))
        })),
        Phase::Scanned => events.push(Event::phone(EventName::QrScanned, at).code(scanned)),
        Phase::Opened => events.push(Event::phone(EventName::MobileOpened, at).code(scanned)),
        Phase::Prompted => events.push(Event::phone(EventName::ConfirmationShown, at).code(scanned)),
        Phase::Confirmed => events.push(
            Event::phone(EventName::ConfirmationCompleted, at)
                .code(scanned)
                .span(since(scene, Phase::Prompted)),
        ),
        _ => {}
    }
}

fn code_lifetime(scene: &Scene<'_>) -> KeyValue {
    let lifetime_s = scene.person.segment.flows.of(scene.story.flow).codes.lifetime_s;
    number("auth.code.ttl_ms", (lifetime_s * 1e3) as u64)
}

/// The number of the code that was, or would have been, scanned: the last one on the screen.
pub(super) fn scanned_code(scene: &Scene<'_>) -> usize {
    scene.story.codes.len().saturating_sub(1)
}

fn passkey(scene: &Scene<'_>, phase: Phase, at: UnixNanos, events: &mut Vec<Event>, dice: &mut Dice) {
    let Some(ceremony) = scene.story.ceremony else { return };
    match phase {
        Phase::Started => {
            events.push(
                Event::server(EventName::ChallengeCreated, Asker::Page, at)
                    .detail(text("http.request.method", "POST"))
                    .detail(text("http.route", "/webauthn/options")),
            );
            let called = ceremony_called(scene, at);
            let mut started = Event::page(EventName::WebauthnStarted, called);
            if let Some(requested) = ceremony.requested {
                started = started.detail(number("auth.webauthn.timeout_ms", requested.0));
            }
            if ceremony.conditional {
                started = started.detail(text("auth.webauthn.mediation", "conditional"));
            }
            events.push(started);
        }
        Phase::Prompted if phone_emits(scene) => events.push(Event::phone(EventName::ConfirmationShown, at)),
        Phase::Confirmed => {
            if phone_emits(scene) {
                events.push(
                    Event::phone(EventName::ConfirmationCompleted, at).span(since(scene, Phase::Prompted)),
                );
            }
            let attachment = match ceremony.transport {
                Transport::Platform => "platform",
                _ => "cross-platform",
            };
            let completed = Event::page(EventName::WebauthnCompleted, after(at, dice.between(0.001, 0.02)))
                .span(since(scene, Phase::Started))
                .detail(text("auth.webauthn.authenticator_attachment", attachment));
            events.push(with_elapsed(scene, completed, dice));
        }
        _ => {}
    }
}

/// When the page called the browser: a moment after the challenge came, and never after the ceremony's end.
fn ceremony_called(scene: &Scene<'_>, created: UnixNanos) -> UnixNanos {
    let next = scene.story.reached.iter().map(|reached| reached.at).find(|at| *at > created);
    let stopped = scene.story.stopped.map(|stopped| stopped.at);
    let end = next.or(stopped).unwrap_or(scene.story.end.at);
    UnixNanos(created.0 + (end.0.saturating_sub(created.0) / 2).min(30_000_000))
}

/// Adds how long the ceremony took, where the page measures it.
pub(super) fn with_elapsed(scene: &Scene<'_>, event: Event, dice: &mut Dice) -> Event {
    let Some(created) = scene.at(Phase::Started).filter(|_| dice.chance(ELAPSED_TOLD)) else { return event };
    let elapsed = event.at.since(ceremony_called(scene, created));
    event.detail(number("auth.webauthn.elapsed_ms", elapsed.0))
}

/// Whether the phone's part of this passkey login is instrumented.
pub(super) fn phone_emits(scene: &Scene<'_>) -> bool {
    scene.visit.phone_emits_in_passkey
}

fn magic_link(scene: &Scene<'_>, phase: Phase, at: UnixNanos, events: &mut Vec<Event>, dice: &mut Dice) {
    let link = scene.person.segment.flows.of(scene.story.flow).link;
    match phase {
        Phase::Started => {
            events.push(
                Event::server(EventName::LinkSent, Asker::Page, at)
                    .code(0)
                    .detail(number("auth.code.ttl_ms", (link.lifetime_s * 1e3) as u64)),
            );
            if !scene.story.link_by_qr && dice.chance(link.scanned_harmlessly) {
                events.push(scanner_fetch("HEAD", after(at, dice.between(0.8, 12.0))));
            }
        }
        Phase::Presented => events.push(Event::page(EventName::QrShown, at).code(0)),
        Phase::Scanned => events.push(Event::phone(EventName::QrScanned, at).code(0)),
        Phase::Opened => events.push(link_fetch(scene, at)),
        Phase::Prompted => events.push(Event::phone(EventName::ConfirmationShown, at).code(0)),
        Phase::Confirmed => events.push(
            Event::phone(EventName::ConfirmationCompleted, at).code(0).span(since(scene, Phase::Prompted)),
        ),
        _ => {}
    }
}

/// The server sees a person's phone fetch the link.
pub(super) fn link_fetch(scene: &Scene<'_>, at: UnixNanos) -> Event {
    Event::server(EventName::LinkOpened, Asker::Phone, at)
        .of_side(Side::Authenticator)
        .code(0)
        .detail(text("http.request.method", "GET"))
        .detail(text("http.route", "/login/link/{token}"))
        .detail(devices::phone_agent(scene))
}

/// The server sees a mail scanner fetch the link.
pub(super) fn scanner_fetch(method: &str, at: UnixNanos) -> Event {
    Event::server(EventName::LinkOpened, Asker::Scanner, at)
        .of_side(Side::Authenticator)
        .code(0)
        .detail(text("http.request.method", method))
        .detail(text("http.route", "/login/link/{token}"))
        .detail(text("user_agent.original", "BarracudaCentral/1.0 (link protection)"))
        .detail(text("user_agent.synthetic.type", "bot"))
}

fn finish(scene: &Scene<'_>, phase: Phase, at: UnixNanos, events: &mut Vec<Event>, dice: &mut Dice) {
    match phase {
        Phase::Verified => {
            let mut verified =
                about_code(scene, Event::server(EventName::VerificationSucceeded, verifier(scene), at));
            if let Some(ceremony) = scene.story.ceremony {
                verified =
                    verified.detail(texts("auth.credential.transports", registered(ceremony.transport)));
                let synced = ceremony.transport != Transport::SecurityKey;
                verified = verified
                    .detail(flag("auth.credential.backup_eligible", synced))
                    .detail(flag("auth.credential.backup_state", synced));
            }
            events.push(verified);
        }
        Phase::Returned => events.push(about_code(scene, Event::page(EventName::CallbackReceived, at))),
        _ if dice.chance(SESSION_TOLD_BY_SERVER) => events.push(
            Event::server(EventName::SessionEstablished, Asker::Page, at)
                .detail(text("http.route", "/session")),
        ),
        _ => events.push(Event::page(EventName::SessionEstablished, at)),
    }
}

/// The transports stored with the credential when it was registered.
const fn registered(transport: Transport) -> &'static [&'static str] {
    match transport {
        Transport::HybridQr | Transport::HybridLinked => &["hybrid", "internal"],
        Transport::SecurityKey => &["usb", "nfc"],
        Transport::Platform | Transport::None => &["internal"],
    }
}

/// Who posts the result: the page in a passkey login, else the phone.
pub(super) fn verifier(scene: &Scene<'_>) -> Asker {
    if scene.story.flow == Flow::PasskeyCda { Asker::Page } else { Asker::Phone }
}

/// The event is about the code that was scanned, or the link's token.
pub(super) fn about_code(scene: &Scene<'_>, event: Event) -> Event {
    if scene.story.flow == Flow::PasskeyCda { event } else { event.code(scanned_code(scene)) }
}

fn since(scene: &Scene<'_>, phase: Phase) -> Span {
    scene.at(phase).map_or(Span::Short, Span::Since)
}

/// Some pages are hidden for a while, as people look something up.
fn look_away(scene: &Scene<'_>, events: &mut Vec<Event>, dice: &mut Dice) {
    if !dice.chance(scene.world.people.looks_away) {
        return;
    }
    let (from, to) = (scene.story.started_at, scene.story.end.at);
    let length = to.0.saturating_sub(from.0);
    let hidden = UnixNanos(from.0 + (length as f64 * dice.between(0.3, 0.6)) as u64);
    let visible = UnixNanos(hidden.0 + (length as f64 * dice.between(0.05, 0.35)) as u64);
    let has_keys = scene.at(Phase::Started).is_some_and(|started| started < hidden);
    for (name, at) in [(EventName::PageHidden, hidden), (EventName::PageVisible, visible)] {
        let event = Event::page(name, at);
        events.push(if has_keys { event } else { event.early() });
    }
}
