use authstitch_model::EventName;
use authstitch_model::event::testing::event;

use super::*;
use crate::admission::Admission;

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
    let (sender, mut queue) = mpsc::channel(16);
    let sequencer = Sequencer::new(Clock::Schedule, sender);
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
    let (sender, mut queue) = mpsc::channel(16);
    let sequencer = Sequencer::new(Clock::Schedule, sender);
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
    let (sender, mut queue) = mpsc::channel(16);
    let sequencer = Sequencer::new(Clock::Schedule, sender);
    send(&sequencer, stamp(0, 100), 1).await.unwrap();
    send(&sequencer, stamp(1, 50), 2).await.unwrap();
    assert_eq!(seen(&mut queue), [(1, 100, 1), (2, 100, 2)]);
}

#[tokio::test]
async fn whoever_waits_for_a_gap_is_turned_away_when_the_service_stops() {
    let (sender, mut queue) = mpsc::channel(16);
    let sequencer = Sequencer::new(Clock::Schedule, sender);
    let (refused, ()) = tokio::join!(send(&sequencer, stamp(5, 100), 1), async { sequencer.close() });
    assert_eq!(refused, Err(Refusal::stopping()));
    assert_eq!(seen(&mut queue), []);
}

#[tokio::test]
async fn a_full_queue_turns_away_and_one_that_is_gone_says_so() {
    let (sender, queue) = mpsc::channel(1);
    let sequencer = Sequencer::new(Clock::System, sender);
    send(&sequencer, None, 1).await.unwrap();
    assert!(matches!(send(&sequencer, None, 2).await, Err(Refusal::Overloaded(_))));
    drop(queue);
    assert_eq!(send(&sequencer, None, 3).await, Err(Refusal::stopping()));
    assert_eq!(sequencer.flush().await, Err(Gone));
}

#[tokio::test]
async fn a_tick_is_made_only_when_a_timer_is_due() {
    let (sender, mut queue) = mpsc::channel(16);
    let sequencer = Sequencer::new(Clock::System, sender);
    let deadline = NextDeadline::default();
    sequencer.tick(&deadline);
    assert_eq!(seen(&mut queue), []);
    deadline.set(Some(UnixNanos(1)));
    sequencer.tick(&deadline);
    assert_eq!(seen(&mut queue).len(), 1);
    deadline.set(None);
    sequencer.tick(&deadline);
    assert_eq!(seen(&mut queue), []);
}

#[tokio::test]
async fn time_runs_out_from_deadline_to_deadline() {
    let (sender, mut queue) = mpsc::channel(16);
    let sequencer = Sequencer::new(Clock::Schedule, sender);
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
