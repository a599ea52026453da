//! Layer two: the events that the login stack emits about what happened.
//!
//! `happy` says what each phase reached leaves behind, `mishap` what each mishap does, `ending` what the act
//! at the end does, `noise` what else is going on around a login. `form` makes wire records of them, in the
//! style in which the stack is instrumented.

mod attributes;
mod devices;
pub(crate) mod ending;
mod event;
mod form;
pub(crate) mod happy;
mod keys;
pub(crate) mod mishap;
mod noise;
pub(crate) mod webauthn;

use std::sync::Arc;

use authstitch_model::line::SpanLine;
use authstitch_model::{EndAct, EventName, Flow, Millis, Phase, Side, TraceId, UnixNanos};
use authstitch_otlp::wire;

use crate::emission::{Content, Exporter};
use crate::life::{Person, Story};
use crate::random::{Dice, after};
use crate::world::{Style, World};
pub(crate) use devices::environment;
use event::{Event, Span};
pub(crate) use form::schema_url;
pub(crate) use keys::{KeyValues, base64url, hex};

/// A phone's page goes away so many seconds after its last event: people put the phone down.
const PHONE_PAGE_STAYS_S: (f64, f64) = (1.5, 10.0);

/// Where an attempt takes place: what outlives it when the person tries again.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// The number of the attempt that loaded the page.
    pub(crate) page: u64,
    /// The number of the first attempt of the chain: the phone is the same in all of them.
    pub(crate) phone: u64,
    pub(crate) relying_party: u64,
    pub(crate) style: Arc<Style>,
    /// Whether the phone emits anything in a passkey login.
    pub(crate) phone_emits_in_passkey: bool,
    pub(crate) keys: KeyValues,
    pub(crate) page_trace: [u8; 16],
    pub(crate) phone_trace: [u8; 16],
}

/// One attempt, as its stack sees it.
pub(crate) struct Scene<'a> {
    pub(crate) world: &'a World,
    pub(crate) person: &'a Person,
    pub(crate) visit: &'a Visit,
    pub(crate) story: &'a Story,
}

/// A record on its way out of an SDK, before anything happened to it.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) exporter: Exporter,
    /// When the SDK has it, by the common clock; `None` for a span that is never closed.
    pub(crate) ready_at: Option<UnixNanos>,
    /// When its page or app goes away, if it does.
    pub(crate) gone_at: Option<UnixNanos>,
    /// The trace that a sampler would look at.
    pub(crate) trace: Option<TraceId>,
    /// Whether it carries an error.
    pub(crate) failed: bool,
    pub(crate) content: Content,
    pub(crate) resource: Arc<wire::Resource>,
    /// Its line in the truth; `None` for unrelated telemetry.
    pub(crate) truth: Option<SpanLine>,
}

/// All that an attempt's stack emits.
pub(crate) fn emit(scene: &Scene<'_>, dice: &mut Dice, noise: &mut Dice) -> Vec<Outgoing> {
    let mut events = Vec::with_capacity(16);
    happy::events(scene, &mut events, dice);
    mishap::events(scene, &mut events, dice);
    ending::events(scene, &mut events, dice);
    if scene.visit.style.long_spans {
        lengthen_ceremony(&mut events);
    }
    let horizon = scene.story.started_at.plus(scene.horizon());
    events.retain(|event| event.at < horizon);
    events.sort_by_key(|event| event.at);
    let gone = scene.gone(&events, dice);
    let mut outgoing = form::records(scene, &events, gone, dice);
    noise::records(scene, &mut outgoing, noise);
    outgoing
}

/// The ceremony's start is reported by a span as long as the ceremony, which may have no end.
fn lengthen_ceremony(events: &mut [Event]) {
    let ends =
        |event: &&Event| matches!(event.name, EventName::WebauthnCompleted | EventName::WebauthnFailed);
    let end = events.iter().find(ends).map(|event| event.at);
    for event in events.iter_mut().filter(|event| event.name == EventName::WebauthnStarted) {
        event.span = end.map_or(Span::Open, Span::Until);
    }
}

/// When page and phone go away.
#[derive(Clone, Copy, Debug)]
struct Gone {
    page: Option<UnixNanos>,
    phone: Option<UnixNanos>,
}

impl Scene<'_> {
    fn horizon(&self) -> Millis {
        self.person.segment.flows.of(self.story.flow).horizon
    }

    fn at(&self, phase: Phase) -> Option<UnixNanos> {
        self.story.at(phase)
    }

    /// Whether the stack says that something went wrong, where it could.
    fn reported(&self, dice: &mut Dice) -> bool {
        dice.chance(self.world.telemetry.errors_reported)
    }

    /// A magic link opens a web page on the phone; other phones run an app, which stays.
    fn gone(&self, events: &[Event], dice: &mut Dice) -> Gone {
        let page = (self.story.end.act == EndAct::Closed).then_some(self.story.end.at);
        let last =
            events.iter().filter(|event| event.emitter == Side::Authenticator).map(|event| event.at).max();
        let stays = dice.between(PHONE_PAGE_STAYS_S.0, PHONE_PAGE_STAYS_S.1);
        let phone = last.filter(|_| self.story.flow == Flow::MagicLink).map(|last| after(last, stays));
        Gone { page, phone }
    }
}
