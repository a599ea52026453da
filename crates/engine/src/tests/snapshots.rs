//! A snapshot and the records after it give what all records give.

use super::*;

fn records() -> Vec<Record> {
    let logins = logins_of_realms().into_iter().map(|(at, events)| (at, RecordBody::Events(events)));
    let ticks = (1..60).map(|nth| (110.0 + nth as f64 * 11.0, RecordBody::Tick));
    let records = logins.chain(ticks).enumerate();
    records
        .map(|(nth, (seconds, body))| Record {
            position: Position(nth as u64 + 1),
            received: at(seconds),
            body,
        })
        .collect()
}

fn replay(engine: &mut Engine, records: &[Record]) -> Vec<Effect> {
    let mut effects = Vec::new();
    records.iter().for_each(|record| engine.step(record.clone(), &mut effects));
    effects
}

#[test]
fn a_snapshot_and_the_records_after_it_give_what_all_records_give() {
    let records = records();
    let mut plain = Engine::new(Settings::default());
    let (mut snapshots, mut all) = (Vec::new(), Vec::new());
    for (nth, record) in records.iter().enumerate() {
        snapshots.push((nth, all.len(), plain.snapshot()));
        plain.step(record.clone(), &mut all);
    }
    assert!(judged(&all).iter().any(|judged| judged.journey.revision > 1), "some are told of twice");
    let last = plain.snapshot();
    for (nth, told, snapshot) in snapshots {
        let mut engine = Engine::restore(Settings::default(), &snapshot).unwrap();
        assert!(engine.snapshot() == snapshot, "what is restored is written as it was");
        assert_eq!(replay(&mut engine, &records[nth..]), all[told..], "from record {nth} on");
        assert!(engine.snapshot() == last && engine.counters() == plain.counters());
    }
}

#[test]
fn what_is_restored_again_and_again_is_the_same() {
    let (mut plain, mut often) = (Engine::new(Settings::default()), Engine::new(Settings::default()));
    for record in records() {
        often = Engine::restore(Settings::default(), &often.snapshot()).unwrap();
        let record = std::slice::from_ref(&record);
        assert_eq!(replay(&mut often, record), replay(&mut plain, record));
        assert!(often.snapshot() == plain.snapshot());
    }
}

#[test]
fn other_tables_and_times_hold_from_the_restoring_on() {
    let (engine, _) = run([(9.0, RecordBody::Events(success(1, 0.0)))]);
    let other = r#"{"version": "other", "flows": {"app_qr": {"prior": {}}, "passkey_cda": {"prior": {}}, "magic_link": {"prior": {}}, "unknown": {"prior": {}}}}"#;
    let stitch =
        StitchSettings { grace: authstitch_model::Millis::from_secs(1), ..StitchSettings::default() };
    let tables = Arc::new(Tables::from_json(other).unwrap());
    let settings = Settings { stitch, tables, ..Settings::default() };
    let mut engine = Engine::restore(settings, &engine.snapshot()).unwrap();
    let tick = Record { position: Position(2), received: at(10.0), body: RecordBody::Tick };
    let effects = replay(&mut engine, &[tick]);
    let versions: Vec<_> = judged(&effects).iter().map(|judged| judged.tables.to_string()).collect();
    assert_eq!(versions, ["other"]);
}

#[test]
fn a_damaged_snapshot_is_an_error() {
    let (engine, _) = run([(9.0, RecordBody::Events(success(1, 0.0)))]);
    let bytes = engine.snapshot();
    for at in 0..bytes.len() {
        assert!(Engine::restore(Settings::default(), &bytes[..at]).is_err(), "cut at {at}");
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        assert!(Engine::restore(Settings::default(), &damaged).is_err(), "byte {at}");
    }
    let error = |bytes: &[u8]| Engine::restore(Settings::default(), bytes).unwrap_err();
    assert_eq!(error(b"engin"), SnapshotError::NoSnapshot);
    assert_eq!(error(b"engine\x02\x00"), SnapshotError::Format { found: 2, read: 1 });
    let what = "the time's hash is another";
    assert_eq!(error(&[&bytes[..16], &[0; 8]].concat()), SnapshotError::Damaged { at: 8, what });
}
