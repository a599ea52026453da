//! What the act at the end of an attempt leaves behind.

use authstitch_model::{EndAct, EventName, Flow, Method, Phase, UnixNanos};

use super::Scene;
use super::attributes::text;
use super::event::{Event, Span};
use super::happy::{about_code, phone_emits, scanned_code, with_elapsed};
use super::webauthn::{self, Thrown};
use crate::life::{EndOfTime, end_of_time};
use crate::random::{Dice, after};

/// Share of cancels in a passkey login by the page's own button: most people close the browser's sheet.
pub(crate) const CANCELLED_ON_PAGE: f64 = 0.15;
/// Share of pages that are hidden a moment before they go away.
pub(crate) const HIDDEN_BEFORE_UNLOAD: f64 = 0.7;
/// Share of pages left open that get hidden: the screen locks, or another tab comes to the front.
pub(crate) const HIDDEN_WHEN_LEFT: f64 = 0.4;
/// So many seconds after they were left.
pub(crate) const HIDDEN_AFTER_S: (f64, f64) = (5.0, 240.0);
/// A sheet that says the time is over is dismissed within so many seconds by those who are there.
pub(crate) const SHEET_DISMISSED_S: (f64, f64) = (2.0, 60.0);

pub(super) fn events(scene: &Scene<'_>, events: &mut Vec<Event>, dice: &mut Dice) {
    let end = scene.story.end;
    if let Some((at, thrown)) = ceremony_failure(scene, dice) {
        let failed = Event::page(EventName::WebauthnFailed, at)
            .span(scene.at(Phase::Started).map_or(Span::Short, Span::Since))
            .error(thrown.0)
            .message(thrown.1);
        events.push(with_elapsed(scene, failed, dice));
    }
    let has_keys = scene.at(Phase::Started).is_some();
    let page = |name, at| {
        let event = Event::page(name, at);
        if has_keys { event } else { event.early() }
    };
    match end.act {
        EndAct::Cancelled => {
            if scene.story.flow != Flow::PasskeyCda || !has_keys || dice.chance(CANCELLED_ON_PAGE) {
                events.push(page(EventName::Cancelled, end.at));
            }
        }
        EndAct::Closed => {
            if dice.chance(HIDDEN_BEFORE_UNLOAD) {
                events.push(page(EventName::PageHidden, UnixNanos(end.at.0.saturating_sub(2_000_000))));
            }
            events.push(page(EventName::PageUnloaded, end.at));
        }
        EndAct::Switched => {
            let method = dice.one(&[Method::Password, Method::Password, Method::Otp, Method::Federated]);
            events.push(page(EventName::MethodSwitched, end.at).detail(text("auth.reason", method.code())));
        }
        EndAct::Declined if scene.story.flow != Flow::PasskeyCda || phone_emits(scene) => {
            let declined = Event::phone(EventName::ConfirmationDeclined, end.at);
            events.push(about_code(
                scene,
                declined.span(scene.at(Phase::Prompted).map_or(Span::Short, Span::Since)),
            ));
        }
        EndAct::Silent => {
            if dice.chance(HIDDEN_WHEN_LEFT) {
                let hidden = after(end.at, dice.between(HIDDEN_AFTER_S.0, HIDDEN_AFTER_S.1));
                events.push(page(EventName::PageHidden, hidden));
            }
        }
        EndAct::Succeeded | EndAct::TimedOut | EndAct::Declined | EndAct::Failed => {}
    }
    debug_assert!(scanned_code(scene) < scene.visit.keys.codes.len().max(1), "every code has a value");
}

/// When and how a pending ceremony fails. An autofill ceremony stays pending for ever, and nobody hears of
/// one whose page is closed or left alone.
fn ceremony_failure(scene: &Scene<'_>, dice: &mut Dice) -> Option<(UnixNanos, Thrown)> {
    let story = scene.story;
    if !story.ceremony_pending() || story.ceremony.is_some_and(|ceremony| ceremony.conditional) {
        return None;
    }
    let browser = scene.person.initiator.browser;
    let at = story.end.at;
    match story.end.act {
        EndAct::Cancelled => Some((at, webauthn::cancel(browser))),
        EndAct::Switched if dice.chance(0.5) => Some((at, webauthn::ABORTED)),
        EndAct::Switched => Some((at, webauthn::cancel(browser))),
        EndAct::Declined | EndAct::Failed => {
            let told = after(at, dice.between(0.0, 0.05));
            let thrown = webauthn::failure(browser, story.cause());
            Some((told, webauthn::drawn(&thrown, dice)))
        }
        EndAct::TimedOut => match end_of_time(browser) {
            EndOfTime::Fails => Some((at, webauthn::drawn(&webauthn::timeout(browser), dice))),
            EndOfTime::Sheet => dice.chance(scene.world.people.dismisses_sheet).then(|| {
                let dismissed = after(at, dice.between(SHEET_DISMISSED_S.0, SHEET_DISMISSED_S.1));
                (dismissed, webauthn::drawn(&webauthn::timeout(browser), dice))
            }),
        },
        EndAct::Succeeded | EndAct::Closed | EndAct::Silent => None,
    }
}
