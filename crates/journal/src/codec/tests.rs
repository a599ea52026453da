//! What is read back is what was written, whatever the entries; and nothing else is read.

use std::fmt::Write;
use std::sync::Arc;

use authstitch_model::event::testing::{facts, one_of};
use authstitch_model::event::{Named, Transports, testing};
use authstitch_model::ids::Text;
use authstitch_model::{
    Attachment, AuthEvent, Browser, Environment, ErrorClass, EventId, EventKeys, EventName, Facts, Flow,
    HttpMethod, Identity, KeyHash, KeyKind, Mediation, Method, Millis, Os, Position, Realm, Reason, Record,
    RecordBody, Side, SpanId, Synthetic, TraceId, UnixNanos,
};
use expect_test::expect_file;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, proptest};
use proptest::prop_oneof;
use proptest::sample::{Index, select};

use super::*;
use crate::entry::{Body, Entry, Setting};

const BASE: UnixNanos = UnixNanos(1_800_000_000_000_000_000);

fn number() -> impl Strategy<Value = u64> {
    any::<u64>().prop_map(|bits| bits >> (bits % 64))
}

fn text() -> impl Strategy<Value = Text> {
    "\\PC{0,70}".prop_map(Text::from)
}

fn environment() -> impl Strategy<Value = Arc<Environment>> {
    let os = option::of((select(Os::ALL.to_vec()), text()).prop_map(|(kind, name)| Named { kind, name }));
    let browser =
        option::of((select(Browser::ALL.to_vec()), text()).prop_map(|(kind, name)| Named { kind, name }));
    let text = || option::of(text());
    (os, browser, text(), text(), text(), text(), text()).prop_map(
        |(os, browser, browser_version, device, app_version, service, entry_point)| {
            Arc::new(Environment { os, browser, browser_version, device, app_version, service, entry_point })
        },
    )
}

/// What the events of a batch have in common: realms, environments, keys and trace ids to choose from.
#[derive(Clone, Debug)]
struct Common {
    realms: Vec<Realm>,
    environments: Vec<Arc<Environment>>,
    keys: Vec<u128>,
}

fn common() -> impl Strategy<Value = Common> {
    (vec(text(), 1..4), vec(environment(), 1..12), vec(any::<u128>(), 2..5))
        .prop_map(|(realms, environments, keys)| Common { realms, environments, keys })
}

/// An event, and which of what is common it has.
#[derive(Clone, Debug)]
struct Draft {
    event: AuthEvent,
    trace_id: Option<Index>,
    keys: [Option<Index>; KeyKind::COUNT],
    environment: Index,
    realm: Index,
}

impl Draft {
    fn with(self, common: &Common) -> AuthEvent {
        let mut event = self.event;
        let trace_id = self.trace_id.map(|index| index.get(&common.keys).to_be_bytes());
        event.origin.trace_id = trace_id.and_then(|bytes| TraceId::from_bytes(&bytes));
        let [journey, challenge, code, flow, session, trace] =
            self.keys.map(|index| index.map(|index| KeyHash::new(*index.get(&common.keys))));
        event.keys = EventKeys { journey, challenge, code, flow, session, trace };
        event.environment = Arc::clone(self.environment.get(&common.environments));
        event.realm = self.realm.get(&common.realms).clone();
        event
    }
}

fn draft() -> impl Strategy<Value = Draft> {
    let place = (select(EventName::ALL.to_vec()), select(Side::ALL.to_vec()), one_of(Flow::ALL));
    let times = (number(), any::<bool>(), any::<Option<u64>>());
    let ids = (any::<Option<Index>>(), any::<Option<u64>>(), any::<Option<u64>>(), option::of(text()));
    let keys: [_; KeyKind::COUNT] = std::array::from_fn(|_| any::<Option<Index>>());
    let shared = (any::<Index>(), any::<Index>());
    (place, times, ids, keys, any::<u128>(), option::weighted(0.8, facts()), shared).prop_map(
        |((name, side, flow), (time, earlier, observed), ids, keys, identity, facts, shared)| {
            let time = if earlier { BASE.0.saturating_sub(time) } else { BASE.0.saturating_add(time) };
            let mut event = testing::event(name, UnixNanos(time), 1);
            (event.side, event.flow, event.observed) = (side, flow, observed.map(UnixNanos));
            event.origin.span_id = ids.1.and_then(|number| SpanId::from_bytes(&number.to_be_bytes()));
            event.origin.parent_span_id = ids.2.and_then(|number| SpanId::from_bytes(&number.to_be_bytes()));
            event.event_id = ids.3.map(|text| EventId::new(text.as_str()));
            event.identity = Identity(identity);
            event.facts = facts.unwrap_or_default();
            Draft { event, trace_id: ids.0, keys, environment: shared.0, realm: shared.1 }
        },
    )
}

#[derive(Clone, Debug)]
enum Draw {
    Events(Vec<Draft>),
    Tick,
    Setting(Text, Vec<u8>),
}

/// Entries from position 1 on, of whatever kind.
fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let body = prop_oneof![
        4 => vec(draft(), 0..6).prop_map(Draw::Events),
        1 => Just(Draw::Tick),
        1 => (text(), vec(any::<u8>(), 0..200)).prop_map(|(kind, bytes)| Draw::Setting(kind, bytes)),
    ];
    (common(), vec((body, number()), 1..12)).prop_map(|(common, bodies)| {
        let mut received = BASE;
        let entry = |(place, (body, later)): (usize, (Draw, u64))| {
            received = UnixNanos(received.0.saturating_add(later / 8));
            let position = Position(place as u64 + 1);
            let body = match body {
                Draw::Tick => RecordBody::Tick,
                Draw::Events(drafts) => {
                    RecordBody::Events(drafts.into_iter().map(|draft| draft.with(&common)).collect())
                }
                Draw::Setting(kind, bytes) => {
                    return Entry::Setting(Setting { position, received, kind, bytes: bytes.into() });
                }
            };
            Entry::Record(Record { position, received, body })
        };
        bodies.into_iter().enumerate().map(entry).collect()
    })
}

fn written(entries: &[Entry]) -> Writing {
    let mut writing = Writing::default();
    writing.restart(entries[0].received());
    for entry in entries {
        writing.entry(entry.received(), &Body::from(entry));
    }
    writing
}

fn read_all(entries: &[Entry], bytes: &[u8]) -> Result<Vec<Entry>, Flaw> {
    read(bytes, entries.len() as u32, entries[0].position(), entries[0].received())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn entries_are_read_back_as_they_were(entries in entries()) {
        prop_assert_eq!(read_all(&entries, &written(&entries).bytes), Ok(entries));
    }

    #[test]
    fn what_is_taken_back_leaves_no_trace(entries in entries(), unwanted in entries(), at: Index) {
        let (mut writing, at) = (Writing::default(), at.index(entries.len()));
        writing.restart(entries[0].received());
        for (place, entry) in entries.iter().enumerate() {
            if place == at {
                let mark = writing.mark();
                writing.entry(unwanted[0].received(), &Body::from(&unwanted[0]));
                writing.go_back(&mark);
            }
            writing.entry(entry.received(), &Body::from(entry));
        }
        prop_assert_eq!(read_all(&entries, &writing.bytes), Ok(entries));
    }

    #[test]
    fn a_piece_of_entries_is_refused(entries in entries(), at: Index, more: u8) {
        let mut bytes = written(&entries).bytes;
        prop_assert_eq!(read_all(&entries, &bytes[..at.index(bytes.len())]), Err(Flaw::Short));
        bytes.push(more);
        prop_assert_eq!(read_all(&entries, &bytes), Err(Flaw::Long));
    }

    /// What is read of any bytes is written as these bytes again, or in another form of the same entries.
    #[test]
    fn whatever_is_read_could_have_been_written(entries in entries(), at: Index, with: u8, count in 0..20u32) {
        let mut bytes = written(&entries).bytes;
        let at = at.index(bytes.len());
        bytes[at] = with;
        if let Ok(read) = read(&bytes, count, Position(1), BASE)
            && !read.is_empty()
        {
            let again = written(&read);
            prop_assert_eq!(read_all(&read, &again.bytes), Ok(read));
        }
    }

    #[test]
    fn noise_is_refused_or_read(bytes in vec(any::<u8>(), 0..300), count: u32) {
        let entries = read(&bytes, count, Position(1), BASE);
        prop_assert!(entries.is_err() || count as usize <= bytes.len());
    }
}

/// An event with everything, each as long as it gets.
fn longest() -> AuthEvent {
    let long = "x".repeat(authstitch_model::caps::TEXT_BYTES);
    let mut event = testing::event(EventName::Error, UnixNanos(u64::MAX), 1);
    event.flow = Some(Flow::MagicLink);
    event.observed = Some(UnixNanos(u64::MAX / 2));
    event.event_id = Some(EventId::new(&long));
    event.origin.parent_span_id = event.origin.span_id;
    let key = Some(KeyHash::new(u128::MAX));
    event.keys = EventKeys { journey: key, challenge: key, code: key, flow: key, session: key, trace: key };
    event.facts = Facts {
        duration: Some(Millis(u64::MAX)),
        code_ttl: Some(Millis(u64::MAX)),
        webauthn_timeout: Some(Millis(u64::MAX)),
        webauthn_elapsed: Some(Millis(u64::MAX)),
        mediation: Some(Mediation::Silent),
        attachment: Some(Attachment::Platform),
        hybrid_capability: Some(true),
        aaguid: Some(u64::MAX),
        transports: Transports::PHONE,
        backup_eligible: Some(true),
        backup_state: Some(false),
        reason: Some(Reason::Other),
        method: Some(Method::Other),
        error: Some(ErrorClass::Other),
        http_method: Some(HttpMethod::Other),
        network: Some(u64::MAX),
        country: Some(*b"CH"),
        synthetic: Some(Synthetic::Bot),
        sampled: Some(1),
    };
    event
}

fn record(events: Vec<AuthEvent>) -> Vec<Entry> {
    let body = RecordBody::Events(events);
    vec![Entry::Record(Record { position: Position(1), received: UnixNanos(u64::MAX / 3), body })]
}

#[test]
fn the_longest_event_fits() {
    let entries = record(vec![longest()]);
    let bytes = written(&entries).bytes;
    assert_eq!(read_all(&entries, &bytes), Ok(entries));
    assert!(bytes.len() < LONGEST + 64, "{}", bytes.len());
}

#[test]
fn what_events_share_stands_once() {
    let mut other = longest();
    let one = written(&record(vec![longest()])).bytes.len();
    let mut first = longest();
    (first.environment, first.realm) = (Arc::clone(&other.environment), other.realm.clone());
    (other.identity, other.time) = (Identity(1), UnixNanos(5));
    let two = written(&record(vec![first, other])).bytes.len();
    let (keys, trace_id, place) = (6 * 16, 16, 2);
    assert!(two - one < LONGEST - keys - trace_id - place, "{}", two - one);
}

#[test]
fn more_environments_than_places_are_still_read_back() {
    let environment = |number: usize| {
        Arc::new(Environment { device: Some(Text::from(format!("{number}"))), ..Environment::default() })
    };
    let environments: Vec<_> = (0..3 * crate::caps::TABLE_PLACES).map(environment).collect();
    let event = |environment: &Arc<Environment>| {
        let mut event = testing::event(EventName::QrShown, BASE, 1);
        event.environment = Arc::clone(environment);
        event
    };
    let entries = record(environments.iter().chain(&environments).map(event).collect());
    assert_eq!(read_all(&entries, &written(&entries).bytes), Ok(entries));
}

#[test]
fn a_count_makes_no_more_than_its_bytes_could_hold() {
    let mut bytes = vec![kind::EVENTS, 0];
    bytes.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
    assert_eq!(read(&bytes, 1, Position(1), BASE), Err(Flaw::Short));
    assert_eq!(read(&[kind::TICK, 0], u32::MAX, Position(1), BASE), Err(Flaw::Short));
}

/// Files hold these numbers. A line that changes makes every journal on every disk say something else: new words go to
/// the end of the model's lists, old ones stay.
#[test]
fn the_numbers_on_disk_are_as_written_down() {
    let mut lines = String::new();
    macro_rules! list {
        ($($name:ident)+) => {$(
            for known in $name::ALL {
                writeln!(lines, "{} {} {}", stringify!($name), known.index(), known.code()).unwrap();
            }
        )+};
    }
    list!(EventName Side Flow ErrorClass Reason Method HttpMethod Synthetic Mediation Attachment Os Browser KeyKind);
    for code in ["usb", "nfc", "ble", "smart-card", "hybrid", "internal"] {
        writeln!(lines, "Transports {} {code}", Transports::default().with(code).bits()).unwrap();
    }
    expect_file!["../tests/numbers.txt"].assert_eq(&lines);
}
