use std::num::NonZero;

use authstitch_model::event::testing::event;
use authstitch_model::{EventName, Realm, RecordBody};
use tokio::sync::mpsc;

use super::*;
use crate::admission::Admission;
use crate::lag::Lines;
use crate::shards::Shard;

/// A writer, and what one engine takes its work from.
fn one(clock: Clock, places: usize) -> (Sequencer, Shard) {
    let (shards, mut ends) = Shards::new(NonZero::<u32>::MIN, places, Lines::new(NonZero::<u32>::MIN));
    (Sequencer::new(clock, Arc::new(shards)), ends.remove(0))
}

fn stamp(sequence: u64, received: u64) -> Option<Stamp> {
    Some(Stamp { sequence, received: UnixNanos(received) })
}

/// One request, whose only event says which one it was.
async fn send(sequencer: &Sequencer, stamp: Option<Stamp>, nth: u64) -> Result<(), Refusal> {
    let slot = Admission::new(usize::MAX, 1).enter().unwrap();
    let place = sequencer.reserve().await?;
    let events = vec![event(EventName::QrShown, UnixNanos(nth), nth)];
    sequencer.put(place, stamp, events, slot.charge()).await
}

async fn skip(sequencer: &Sequencer, stamp: Option<Stamp>) -> Result<(), Refusal> {
    let slot = Admission::new(usize::MAX, 1).enter().unwrap();
    sequencer.put(sequencer.reserve().await?, stamp, Vec::new(), slot.charge()).await
}

/// What the engine sees: position, receipt time, and which request; 0 for a tick.
fn seen(queue: &mut mpsc::Receiver<Work>) -> Vec<(u64, u64, u64)> {
    let mut seen = Vec::new();
    while let Ok(Work::Record(record, _)) = queue.try_recv() {
        let nth = match &record.body {
            RecordBody::Events(events) => events[0].time.0,
            RecordBody::Tick => 0,
        };
        seen.push((record.position.0, record.received.0, nth));
    }
    seen
}

#[tokio::test]
async fn a_schedule_gives_one_order_however_requests_arrive() {
    let (sequencer, Shard { mut queue, .. }) = one(Clock::Schedule, 16);
    let (third, first, second, zeroth) = tokio::join!(
        send(&sequencer, stamp(3, 130), 3),
        send(&sequencer, stamp(1, 110), 1),
        send(&sequencer, stamp(2, 120), 2),
        send(&sequencer, stamp(0, 100), 9),
    );
    assert_eq!([zeroth, first, second, third], [Ok(()), Ok(()), Ok(()), Ok(())]);
    assert_eq!(seen(&mut queue), [(1, 100, 9), (2, 110, 1), (3, 120, 2), (4, 130, 3)]);
}

#[tokio::test]
async fn a_sequence_is_taken_once_and_a_request_without_events_has_its_turn() {
    let (sequencer, Shard { mut queue, .. }) = one(Clock::Schedule, 16);
    send(&sequencer, stamp(0, 100), 1).await.unwrap();
    send(&sequencer, stamp(0, 100), 2).await.unwrap();
    skip(&sequencer, stamp(1, 200)).await.unwrap();
    let (copy, original) =
        tokio::join!(send(&sequencer, stamp(2, 300), 3), send(&sequencer, stamp(2, 300), 4));
    assert_eq!((copy, original), (Ok(()), Ok(())));
    let seen = seen(&mut queue);
    assert_eq!(
        seen.iter().map(|(position, received, _)| (*position, *received)).collect::<Vec<_>>(),
        [(1, 100), (2, 300)]
    );
}

#[tokio::test]
async fn receipt_time_never_goes_back() {
    let (sequencer, Shard { mut queue, .. }) = one(Clock::Schedule, 16);
    send(&sequencer, stamp(0, 100), 1).await.unwrap();
    send(&sequencer, stamp(1, 50), 2).await.unwrap();
    assert_eq!(seen(&mut queue), [(1, 100, 1), (2, 100, 2)]);
}

#[tokio::test]
async fn whoever_waits_for_a_gap_is_turned_away_when_the_service_stops() {
    let (sequencer, Shard { mut queue, .. }) = one(Clock::Schedule, 16);
    let (refused, ()) = tokio::join!(send(&sequencer, stamp(5, 100), 1), async { sequencer.close() });
    assert_eq!(refused, Err(Refusal::stopping()));
    assert_eq!(seen(&mut queue), []);
}

#[tokio::test]
async fn a_full_queue_turns_away_and_one_that_is_gone_says_so() {
    let (sequencer, Shard { queue, .. }) = one(Clock::System, 1);
    send(&sequencer, None, 1).await.unwrap();
    assert!(matches!(send(&sequencer, None, 2).await, Err(Refusal::Overloaded(_))));
    drop(queue);
    assert_eq!(send(&sequencer, None, 3).await, Err(Refusal::stopping()));
    assert_eq!(sequencer.flush().await, Err(Gone));
}

#[tokio::test]
async fn a_tick_is_made_only_when_a_timer_is_due() {
    let (sequencer, Shard { mut queue, deadline }) = one(Clock::System, 16);
    sequencer.tick();
    assert_eq!(seen(&mut queue), []);
    deadline.set(Some(UnixNanos(1)));
    sequencer.tick();
    assert_eq!(seen(&mut queue).len(), 1);
    deadline.set(None);
    sequencer.tick();
    assert_eq!(seen(&mut queue), []);
}

#[tokio::test]
async fn time_runs_out_from_deadline_to_deadline() {
    let (sequencer, Shard { mut queue, .. }) = one(Clock::Schedule, 16);
    let engine = async {
        let mut deadlines = vec![UnixNanos(900), UnixNanos(500)];
        let mut ticks = Vec::new();
        loop {
            match queue.recv().await {
                Some(Work::NextDeadline(answer)) => {
                    let next = deadlines.pop();
                    answer.send(next).unwrap();
                    if next.is_none() {
                        return ticks;
                    }
                }
                Some(Work::Record(record, _)) => ticks.push((record.position.0, record.received.0)),
                other => panic!("{other:?}"),
            }
        }
    };
    let (ran, ticks) = tokio::join!(sequencer.run_out(), engine);
    assert_eq!((ran, ticks), (Ok(()), vec![(1, 500), (2, 900)]));
}

#[tokio::test]
async fn a_record_goes_in_parts_to_the_shards_of_its_realms_and_a_tick_to_all() {
    let three = NonZero::new(3).unwrap();
    let (shards, mut ends) = Shards::new(three, 16, Lines::new(three));
    let sequencer = Sequencer::new(Clock::System, Arc::new(shards));
    let admission = Admission::new(usize::MAX, 1);
    let slot = admission.enter().unwrap();
    let events: Vec<_> = (0..30)
        .map(|nth| {
            let realm = Realm::bounded(&format!("realm-{}", nth % 10));
            AuthEvent { realm, ..event(EventName::QrShown, UnixNanos(nth + 1), nth) }
        })
        .collect();
    let mut charge = slot.charge();
    charge.settle(1000);
    sequencer.put(sequencer.reserve().await.unwrap(), None, events.clone(), charge).await.unwrap();
    ends[1].deadline.set(Some(UnixNanos(1)));
    sequencer.tick();

    let mut taken = Vec::new();
    let mut positions = Vec::new();
    for (number, shard) in (0..).zip(&mut ends) {
        while let Ok(Work::Record(record, _charge)) = shard.queue.try_recv() {
            positions.push((number, record.position.0));
            if let RecordBody::Events(events) = record.body {
                let shards = NonZero::new(3).unwrap();
                assert!(
                    events.iter().all(|event| authstitch_engine::shard_of(&event.realm, shards) == number)
                );
                taken.extend(events);
            }
        }
    }
    taken.sort_unstable_by_key(|event| event.time);
    assert_eq!(taken, events, "each event is in one shard");
    assert_eq!(
        positions,
        [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2)],
        "one position for the whole record"
    );
    assert_eq!(admission.bytes(), 0, "the charge ends with the last part");
}
