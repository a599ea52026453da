//! Many attempts of several kinds, interleaved, copied, reordered and delayed, by clocks that lie.

use authstitch_model::{Browser, EventName, Flow, KeyKind, Millis, Side};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any};
use proptest::sample::select;
use proptest::{option, prop_oneof};

use crate::dsl::{Line, Told, What};

/// How the events of an attempt are tied.
#[derive(Clone, Copy, Debug)]
enum Style {
    /// A journey key, and a code that rotates; the phone may know the code alone.
    JourneyAndCode,
    /// A journey key, and a code that every attempt has.
    JourneyAndConstant,
    /// A challenge, and a code that every attempt has.
    ChallengeAndConstant,
    Challenge,
    Container,
    /// A container; its challenge comes with some events only.
    ContainerAndChallenge,
    /// A container on the desktop, its code on both sides.
    ContainerAndCode,
    /// A challenge on some events, session and trace on all.
    Weak,
    Trace,
    /// Any subset of the keys of a small alphabet.
    Soup,
}

const STYLES: [Style; 10] = [
    Style::JourneyAndCode,
    Style::JourneyAndConstant,
    Style::ChallengeAndConstant,
    Style::Challenge,
    Style::Container,
    Style::ContainerAndChallenge,
    Style::ContainerAndCode,
    Style::Weak,
    Style::Trace,
    Style::Soup,
];

const REALMS: [&str; 3] = ["default", "eu", "us"];

/// An attempt before its events get their keys and receipt times.
#[derive(Clone, Debug)]
struct Plan {
    realm: &'static str,
    style: Style,
    /// Whose session, container and trace it is.
    person: u8,
    start: i64,
    desktop_ahead: i64,
    phone_ahead: i64,
    flow: Option<Flow>,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
struct Step {
    name: EventName,
    gap: i64,
    delay: i64,
    /// A copy comes so much later.
    copy: Option<i64>,
    /// Which of its keys the event carries.
    keys: u8,
    ttl: Option<u64>,
}

fn name() -> impl Strategy<Value = EventName> {
    select(
        [
            &[
                EventName::ChallengeCreated,
                EventName::QrShown,
                EventName::QrRefreshed,
                EventName::QrScanned,
                EventName::ConfirmationCompleted,
                EventName::WebauthnStarted,
                EventName::VerificationSucceeded,
                EventName::VerificationFailed,
                EventName::SessionEstablished,
            ][..],
            EventName::ALL,
        ]
        .concat(),
    )
}

/// Times of a quarter of a second, so that many agree.
fn quarters(least: i64, most: i64) -> impl Strategy<Value = i64> {
    (least * 4..=most * 4).prop_map(|quarters| quarters * 250)
}

/// Mostly at once; sometimes beyond the hold, sometimes beyond the reopen window.
fn delay() -> impl Strategy<Value = i64> {
    prop_oneof![6 => Just(0), 4 => quarters(0, 2), 3 => quarters(2, 9), 1 => quarters(9, 40), 1 => quarters(130, 1200)]
}

fn ahead() -> impl Strategy<Value = i64> {
    prop_oneof![5 => Just(0), 2 => quarters(-8, 8), 1 => select(vec![-86_400_000, 3_600_000])]
}

fn step() -> impl Strategy<Value = Step> {
    let gap = prop_oneof![6 => quarters(0, 3), 3 => quarters(3, 15), 1 => quarters(15, 300)];
    let ttl = option::weighted(0.05, 1..1200u64);
    (name(), gap, delay(), option::weighted(0.1, delay()), any::<u8>(), ttl)
        .prop_map(|(name, gap, delay, copy, keys, ttl)| Step { name, gap, delay, copy, keys, ttl })
}

fn plan() -> impl Strategy<Value = Plan> {
    let start = prop_oneof![3 => quarters(0, 20), 3 => quarters(0, 90), 1 => quarters(0, 900)];
    let flow = option::weighted(0.2, select(Flow::ALL.to_vec()));
    let realm = select(REALMS.to_vec());
    let steps = vec(step(), 1..8);
    (realm, select(STYLES.to_vec()), 0..2u8, start, ahead(), ahead(), flow, steps).prop_map(
        |(realm, style, person, start, desktop_ahead, phone_ahead, flow, steps)| Plan {
            realm,
            style,
            person,
            start,
            desktop_ahead,
            phone_ahead,
            flow,
            steps,
        },
    )
}

impl Plan {
    fn keys(&self, nth: usize, place: usize, step: &Step, side: Side) -> Vec<(KeyKind, String)> {
        use KeyKind::{Challenge, Code, Flow as Container, Journey, Session, Trace};
        let own = |letter: char| format!("{letter}{nth}");
        let persons = |letter: char| format!("{letter}{}", self.person);
        let phone = side == Side::Authenticator;
        let has = |bit: u8| step.keys & 1 << bit != 0;
        let rotated = format!("K{nth}.{}", place / 3);
        let mut keys = match self.style {
            Style::JourneyAndCode if phone && has(0) => vec![(Code, rotated)],
            Style::JourneyAndCode if has(1) => vec![(Journey, own('J'))],
            Style::JourneyAndCode => vec![(Journey, own('J')), (Code, rotated)],
            Style::JourneyAndConstant if has(0) => vec![(Journey, own('J'))],
            Style::JourneyAndConstant => vec![(Journey, own('J')), (Code, "constant".into())],
            Style::ChallengeAndConstant if has(0) && has(1) => vec![(Code, "constant".into())],
            Style::ChallengeAndConstant if has(0) => vec![(Challenge, own('C'))],
            Style::ChallengeAndConstant => vec![(Challenge, own('C')), (Code, "constant".into())],
            Style::Challenge => vec![(Challenge, own('C'))],
            Style::Container => vec![(Container, persons('F'))],
            Style::ContainerAndChallenge if has(0) => vec![(Container, persons('F'))],
            Style::ContainerAndChallenge if has(1) => vec![(Challenge, own('C'))],
            Style::ContainerAndChallenge => vec![(Challenge, own('C')), (Container, persons('F'))],
            Style::ContainerAndCode if phone => vec![(Code, rotated)],
            Style::ContainerAndCode if has(0) => vec![(Container, persons('F'))],
            Style::ContainerAndCode => vec![(Code, rotated), (Container, persons('F'))],
            Style::Weak if has(0) => vec![(Session, persons('S')), (Trace, persons('T'))],
            Style::Weak if has(1) => vec![(Trace, own('T'))],
            Style::Weak => vec![(Challenge, own('C')), (Session, persons('S')), (Trace, own('T'))],
            Style::Trace if has(0) => vec![(Session, persons('S')), (Trace, own('T'))],
            Style::Trace => vec![(Trace, persons('T'))],
            Style::Soup => {
                let all = [Journey, Challenge, Code, Container, Session, Trace];
                let some = all.into_iter().enumerate().filter(|(bit, _)| has(*bit as u8));
                some.map(|(_, kind)| (kind, format!("x{}", (nth + place) % 2))).collect()
            }
        };
        // Some browsers tell their session whatever else they know.
        if has(7) && has(6) && side == Side::Initiator && !keys.iter().any(|(kind, _)| *kind == Session) {
            keys.push((Session, persons('S')));
        }
        keys
    }

    fn lines(&self, nth: usize) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut true_time = self.start;
        for (place, step) in self.steps.iter().enumerate() {
            true_time += step.gap;
            let side = step.name.usual_side().unwrap_or(Side::Server);
            let ahead = match side {
                Side::Initiator => self.desktop_ahead,
                Side::Authenticator => self.phone_ahead,
                Side::Server => 0,
            };
            let mut told = Told::new(side, step.name);
            told.keys = self.keys(nth, place, step, side);
            told.realm = self.realm.into();
            told.flow = self.flow.filter(|_| step.keys % 3 == 0);
            told.ttl = step.ttl.map(Millis::from_secs);
            if step.name == EventName::WebauthnStarted {
                told.timeout = step.ttl.map(Millis::from_secs);
                told.browser = (step.keys % 4 == 0).then_some(Browser::Chrome);
            }
            let received = true_time + step.delay;
            let line = Line { time: true_time + ahead, received, what: What::Event(told) };
            if let Some(copy) = step.copy {
                lines.push(Line { received: received + copy, ..line.clone() });
            }
            lines.push(line);
        }
        lines
    }
}

/// The events of some attempts in the order of their arrival.
pub fn arrivals() -> impl Strategy<Value = Vec<Line>> {
    let constant = select(vec![Style::JourneyAndConstant, Style::ChallengeAndConstant]);
    let crowd = option::weighted(0.25, prop_oneof![constant, select(STYLES.to_vec())]);
    (vec(plan(), 1..14), crowd).prop_map(|(mut plans, crowd)| {
        if let Some(style) = crowd {
            for plan in &mut plans {
                (plan.realm, plan.person, plan.style) = (REALMS[0], 0, style);
                plan.start %= 90_000;
            }
        }
        let mut lines: Vec<Line> = plans.iter().enumerate().flat_map(|(nth, plan)| plan.lines(nth)).collect();
        lines.sort_by_key(|line| line.received);
        lines
    })
}
