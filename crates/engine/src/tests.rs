//! One record in, effects out: the same records give the same effects, whatever lies between them.

use authstitch_model::EventName::{
    CallbackReceived, ChallengeCreated, ConfirmationCompleted, ConfirmationShown, MobileOpened, QrScanned,
    QrShown, SessionEstablished, VerificationSucceeded, WebauthnFailed, WebauthnStarted,
};
use authstitch_model::event::testing::event;
use authstitch_model::{AuthEvent, CloseReason, EventName, KeyKind, Outcome, Position, Secret};

use super::*;

mod snapshots;

const START_S: u64 = 1_800_000_000;

fn at(seconds: f64) -> UnixNanos {
    UnixNanos(START_S * 1_000_000_000 + (seconds * 1e9) as u64)
}

/// An event of the attempt `login`.
fn of(login: u64, name: EventName, seconds: f64) -> AuthEvent {
    let mut event = event(name, at(seconds), login * 100 + name as u64);
    event.keys.journey = Secret::PUBLIC.key("default", KeyKind::Journey, &format!("login-{login:08}"));
    event
}

fn success(login: u64, from_s: f64) -> Vec<AuthEvent> {
    let steps = [
        ChallengeCreated,
        QrShown,
        QrScanned,
        MobileOpened,
        ConfirmationShown,
        ConfirmationCompleted,
        VerificationSucceeded,
        CallbackReceived,
        SessionEstablished,
    ];
    steps.iter().enumerate().map(|(step, name)| of(login, *name, from_s + step as f64)).collect()
}

/// Feeds bodies at their times, a record each.
fn run(records: impl IntoIterator<Item = (f64, RecordBody)>) -> (Engine, Vec<Effect>) {
    let (mut engine, mut effects) = (Engine::new(Settings::default()), Vec::new());
    for (position, (seconds, body)) in records.into_iter().enumerate() {
        engine.step(
            Record { position: Position(position as u64 + 1), received: at(seconds), body },
            &mut effects,
        );
    }
    (engine, effects)
}

fn judged(effects: &[Effect]) -> Vec<&Judged> {
    let judged = effects.iter().filter_map(|effect| match effect {
        Effect::Judged(judged) => Some(&**judged),
        Effect::Merged { .. } => None,
    });
    judged.collect()
}

#[test]
fn a_journey_is_judged_once_it_closes() {
    let (_, effects) = run([(9.0, RecordBody::Events(success(1, 0.0))), (18.9, RecordBody::Tick)]);
    assert_eq!(effects, [], "the grace after the session is ten seconds");
    let (engine, effects) = run([(9.0, RecordBody::Events(success(1, 0.0))), (19.0, RecordBody::Tick)]);
    let judged = judged(&effects);
    assert_eq!(judged.len(), 1);
    assert_eq!(judged[0].verdict.outcome(), Outcome::Succeeded);
    assert_eq!(judged[0].journey.close_reason, CloseReason::Terminal);
    assert_eq!(engine.counters().open, 0);
}

#[test]
fn timers_fire_before_the_events_of_their_record() {
    // The second login arrives in the same record that lets the first one's grace run out.
    let (_, effects) =
        run([(9.0, RecordBody::Events(success(1, 0.0))), (600.0, RecordBody::Events(success(2, 590.0)))]);
    assert_eq!(judged(&effects).len(), 1);
}

#[test]
fn the_same_records_give_the_same_effects_and_ticks_change_nothing() {
    let logins = || {
        (0..40)
            .map(|login| (login as f64 * 3.0 + 9.0, RecordBody::Events(success(login, login as f64 * 3.0))))
    };
    let end = || std::iter::once((5000.0, RecordBody::Tick));
    let (_, plain) = run(logins().chain(end()));
    let (_, again) = run(logins().chain(end()));
    assert_eq!(plain, again);
    let (_, ticked) = run(logins()
        .flat_map(|(seconds, body)| [(seconds - 0.5, RecordBody::Tick), (seconds, body)])
        .chain(end()));
    assert_eq!(plain, ticked);
    assert_eq!(judged(&plain).len(), 40);
}

/// One client that never stops fills neither the memory nor the others' time.
#[test]
fn a_journey_of_a_million_events_is_bounded_and_the_others_get_their_verdicts() {
    const EVENTS: u64 = 1_000_000;
    const A_RECORD: u64 = 10_000;
    let (mut engine, mut effects) = (Engine::new(Settings::default()), Vec::new());
    let mut sizes = Vec::new();
    for number in 0..EVENTS / A_RECORD {
        let seconds = number as f64 * 0.2;
        let mut events: Vec<_> = (0..A_RECORD)
            .map(|nth| {
                let mut event = event(QrShown, at(seconds), 1_000_000 + number * A_RECORD + nth);
                event.keys.journey = Secret::PUBLIC.key("default", KeyKind::Journey, "login-without-end");
                event
            })
            .collect();
        events.extend(success(number, seconds));
        let body = RecordBody::Events(events);
        engine
            .step(Record { position: Position(number + 1), received: at(seconds + 9.0), body }, &mut effects);
        if number % 10 == 0 {
            sizes.push(engine.snapshot().len());
        }
    }
    let end = Record { position: Position(1000), received: at(5000.0), body: RecordBody::Tick };
    engine.step(end, &mut effects);
    let counters = engine.counters();
    assert!(counters.over_cap > EVENTS * 99 / 100, "{counters:?}");
    let (huge, others): (Vec<_>, Vec<_>) =
        judged(&effects).into_iter().partition(|judged| judged.journey.events.len() > 100);
    assert_eq!(huge.len(), 1, "it is judged, too");
    assert!(huge[0].journey.events.len() <= 512);
    let succeeded = others.iter().filter(|judged| judged.verdict.outcome() == Outcome::Succeeded).count();
    assert_eq!((others.len() as u64, succeeded as u64), (EVENTS / A_RECORD, EVENTS / A_RECORD));
    assert!(sizes.iter().all(|bytes| *bytes < 200_000), "{sizes:?}");
}

#[test]
fn shutting_down_judges_what_is_open() {
    let open = vec![of(1, WebauthnStarted, 0.0), of(1, WebauthnFailed, 40.0)];
    let (mut engine, mut effects) = run([(40.0, RecordBody::Events(open))]);
    assert_eq!(effects, []);
    while engine.shut_down(&mut effects) {}
    assert_eq!(judged(&effects)[0].journey.close_reason, CloseReason::Shutdown);
}

#[test]
fn time_that_runs_on_closes_everything() {
    let (mut engine, mut effects) = run([(1.0, RecordBody::Events(vec![of(1, ChallengeCreated, 0.0)]))]);
    let mut steps = 0;
    while let Some(deadline) = engine.next_deadline() {
        let record = Record { position: Position(2 + steps), received: deadline, body: RecordBody::Tick };
        engine.step(record, &mut effects);
        steps += 1;
        assert!(steps < 100, "every timer is followed by another");
    }
    assert_eq!(judged(&effects)[0].journey.close_reason, CloseReason::Idle);
}

#[test]
fn a_line_can_be_found_under_every_key_of_its_events() {
    let mut first = of(1, ChallengeCreated, 0.0);
    first.keys.challenge = Secret::PUBLIC.key("default", KeyKind::Challenge, "a-challenge-value");
    let mut second = of(1, QrShown, 1.0);
    second.keys.session = Secret::PUBLIC.key("default", KeyKind::Session, "a-session-value");
    let (mut engine, mut effects) = run([(1.0, RecordBody::Events(vec![first.clone(), second.clone()]))]);
    while engine.shut_down(&mut effects) {}
    let keys = judged(&effects)[0].keys();
    for key in [first.keys.journey, first.keys.challenge, second.keys.session] {
        assert!(key.is_some_and(|key| keys.contains(&key)));
    }
    assert_eq!(keys.len(), 3);
}

#[test]
fn other_tables_judge_what_closes_from_then_on() {
    let (mut engine, mut effects) =
        run([(9.0, RecordBody::Events(success(1, 0.0))), (19.0, RecordBody::Tick)]);
    let other = r#"{"version": "other", "flows": {"app_qr": {"prior": {}}, "passkey_cda": {"prior": {}}, "magic_link": {"prior": {}}, "unknown": {"prior": {}}}}"#;
    engine.set_tables(Arc::new(Tables::from_json(other).unwrap()));
    let body = RecordBody::Events(success(2, 20.0));
    engine.step(Record { position: Position(3), received: at(29.0), body }, &mut effects);
    engine.step(Record { position: Position(4), received: at(39.0), body: RecordBody::Tick }, &mut effects);
    let versions: Vec<_> = judged(&effects).iter().map(|judged| judged.tables.to_string()).collect();
    assert_eq!(versions, [Tables::shipped().version(), "other"]);
}

/// Logins of several realms: first attempts of which some fail, and retries of the same session.
fn logins_of_realms() -> Vec<(f64, Vec<AuthEvent>)> {
    let mut records = Vec::new();
    for login in 0..60u64 {
        let realm = format!("realm-{}", login % 7);
        let from = login as f64 * 1.7;
        let mut events = success(login, from);
        if login % 3 == 0 {
            events.truncate(4);
        }
        for event in &mut events {
            event.realm = Realm::bounded(&realm);
            let session = format!("session-{:08}", login / 14);
            event.keys.session = Secret::PUBLIC.key(&realm, KeyKind::Session, &session);
            event.keys.journey =
                Secret::PUBLIC.key(&realm, KeyKind::Journey, &format!("login-{:08}", login / 7));
        }
        // One attempt in five has its events under two keys until a code joins them.
        if login % 5 == 0 {
            let code = Secret::PUBLIC.key(&realm, KeyKind::Code, &format!("code-{login:08}"));
            events[0].keys.journey = None;
            events[0].keys.challenge =
                Secret::PUBLIC.key(&realm, KeyKind::Challenge, &format!("order-{login:08}"));
            events[0].keys.code = code;
            events[3].keys.code = code;
        }
        records.push((from + 9.0, events));
    }
    records
}

/// The effects on one realm, in order.
fn effects_on<'a>(realm: &Realm, effects: &'a [Effect]) -> Vec<&'a Effect> {
    let of_realm =
        |effect: &Effect| matches!(effect, Effect::Judged(judged) if judged.journey.realm == *realm);
    let ids: Vec<_> =
        judged(effects).iter().map(|judged| (judged.journey.id, &judged.journey.realm)).collect();
    let is_of = |effect: &&Effect| match effect {
        Effect::Merged { journey, .. } => ids.iter().any(|(id, its)| id == journey && *its == realm),
        Effect::Judged(_) => of_realm(effect),
    };
    effects.iter().filter(is_of).collect()
}

#[test]
fn a_realm_has_the_same_effects_on_any_number_of_shards() {
    let realms: Vec<_> = (0..7).map(|realm| Realm::bounded(&format!("realm-{realm}"))).collect();
    let run_sharded = |shards: u32, wanted: u32| {
        let shards = NonZero::new(shards).unwrap();
        let records = logins_of_realms().into_iter().map(|(at, mut events)| {
            events.retain(|event| shard_of(&event.realm, shards) == wanted);
            (at, RecordBody::Events(events))
        });
        run(records.chain([(5000.0, RecordBody::Tick)])).1
    };
    let alone = run_sharded(1, 0);
    assert!(judged(&alone).iter().any(|judged| judged.journey.revision > 1), "some are told of twice");
    for shards in [2, 3, 5] {
        let effects: Vec<_> = (0..shards).map(|shard| run_sharded(shards, shard)).collect();
        assert!(effects.iter().filter(|effects| !effects.is_empty()).count() > 1, "the realms are spread");
        for realm in &realms {
            let shard = shard_of(realm, NonZero::new(shards).unwrap());
            assert_eq!(effects_on(realm, &effects[shard as usize]), effects_on(realm, &alone));
        }
        assert_eq!(effects.iter().map(Vec::len).sum::<usize>(), alone.len());
    }
}

#[test]
fn realms_are_spread_evenly_and_always_in_the_same_way() {
    let shards = NonZero::new(4).unwrap();
    let mut counts = [0; 4];
    for number in 0..4000 {
        counts[shard_of(&Realm::bounded(&format!("shop-{number}")), shards) as usize] += 1;
    }
    assert!(counts.iter().all(|count| (900..1100).contains(count)), "{counts:?}");
    let fixed = ["default", "shop-eu", "shop-us"].map(|realm| shard_of(&Realm::bounded(realm), shards));
    assert_eq!(fixed, [1, 1, 3]);
}
