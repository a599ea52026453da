use authstitch_model::{Identity, Millis, Realm};

use super::*;

/// Timers of some journeys, each with the time at which it is due by now.
#[derive(Default)]
struct Clockwork {
    timers: Timers,
    journeys: Journeys,
    due: Vec<UnixNanos>,
}

fn seconds(seconds: u64) -> UnixNanos {
    UnixNanos(0).plus(Millis::from_secs(seconds))
}

impl Clockwork {
    /// A clockwork of journeys that are due at these times.
    fn armed(due: &[UnixNanos]) -> Self {
        let mut clockwork = Self::default();
        for (nth, at) in due.iter().enumerate() {
            // The ids run against the slots.
            let id = JourneyId::new(UnixNanos(0), Identity(u128::MAX - ((nth as u128) << 48)));
            let slot = clockwork.journeys.insert(id, &Realm::bounded("default"), UnixNanos(0));
            assert_eq!(slot as usize, nth);
            clockwork.due.push(UnixNanos(0));
            clockwork.arm(slot, *at);
        }
        clockwork
    }

    fn arm(&mut self, slot: Slot, at: UnixNanos) {
        self.due[slot as usize] = at;
        self.timers.arm(&mut self.journeys.lives, slot, at);
    }

    fn disarm(&mut self, slot: Slot) {
        self.timers.disarm(&mut self.journeys.lives, slot);
        self.journeys.lives[slot].state = State::New;
    }

    /// The timers that come round by `now`, each with its time.
    fn come_round(&mut self, now: UnixNanos) -> Vec<(Slot, UnixNanos)> {
        let Self { timers, journeys, due } = self;
        while timers.begin_second(now, journeys, |_, slot| due[slot as usize]) {}
        let mut came = Vec::new();
        while let Some((at, _, slot)) = timers.soonest(&journeys.lives).filter(|(at, ..)| *at <= now) {
            assert!(timers.next() <= Some(at), "none comes round before it is announced");
            timers.pop(&mut journeys.lives);
            came.push((slot, at));
        }
        came
    }
}

#[test]
fn timers_come_round_by_time_then_id() {
    let times = [5, 3, 3, 4, 9].map(seconds);
    let mut clockwork = Clockwork::armed(&times);
    assert_eq!(clockwork.come_round(seconds(2)), []);
    let came: Vec<Slot> = clockwork.come_round(seconds(5)).into_iter().map(|(slot, _)| slot).collect();
    assert_eq!(came, [2, 1, 3, 0], "of two at one time the one with the lesser id first");
    assert_eq!(clockwork.come_round(seconds(9)), [(4, seconds(9))]);
    assert_eq!(clockwork.timers.next(), None);
}

#[test]
fn what_is_moved_to_a_later_time_comes_round_then() {
    let mut clockwork = Clockwork::armed(&[seconds(3), seconds(4)]);
    clockwork.arm(0, seconds(20));
    assert!(clockwork.timers.next() <= Some(seconds(3)), "it stays in the queue of its second");
    assert_eq!(clockwork.come_round(seconds(10)), [(1, seconds(4))]);
    assert_eq!(clockwork.come_round(seconds(20)), [(0, seconds(20))]);
}

#[test]
fn what_is_moved_to_an_earlier_time_comes_round_then_and_only_then() {
    let mut clockwork = Clockwork::armed(&[seconds(30), seconds(31), seconds(31)]);
    clockwork.arm(1, seconds(3));
    assert_eq!(clockwork.come_round(seconds(3)), [(1, seconds(3))]);
    assert_eq!(clockwork.come_round(seconds(40)), [(0, seconds(30)), (2, seconds(31))]);
}

#[test]
fn within_a_second_that_has_begun_a_timer_can_be_moved_and_taken_away() {
    let mut clockwork = Clockwork::armed(&[seconds(3), seconds(3), seconds(3)]);
    assert_eq!(clockwork.come_round(UnixNanos(seconds(3).0 - 1)), [], "begun, and none is due");
    clockwork.disarm(1);
    clockwork.arm(2, UnixNanos(seconds(3).0 - 1));
    let came = clockwork.come_round(seconds(3));
    assert_eq!(came, [(2, UnixNanos(seconds(3).0 - 1)), (0, seconds(3))]);
}

#[test]
fn of_a_queue_the_first_the_last_and_one_between_can_be_taken_away() {
    for gone in 0..3 {
        let mut clockwork = Clockwork::armed(&[seconds(9); 3]);
        clockwork.disarm(gone);
        let came: Vec<Slot> = clockwork.come_round(seconds(9)).into_iter().map(|(slot, _)| slot).collect();
        let expected: Vec<Slot> = (0..3).rev().filter(|slot| *slot != gone).collect();
        assert_eq!(came, expected);
    }
    let mut clockwork = Clockwork::armed(&[seconds(9)]);
    clockwork.disarm(0);
    assert_eq!(clockwork.timers.next(), None);
}

#[test]
fn a_second_can_have_a_queue_in_the_map_and_one_in_the_ring() {
    for gone in [None, Some(0), Some(1), Some(2), Some(3)] {
        // The first two are queued when their second is far, the others when it is near.
        let mut clockwork = Clockwork::armed(&[seconds(2000), seconds(2000), seconds(4000), seconds(4000)]);
        assert_eq!(clockwork.come_round(seconds(1500)), []);
        clockwork.arm(2, seconds(2000));
        clockwork.arm(3, seconds(2000));
        if let Some(gone) = gone {
            clockwork.disarm(gone);
        }
        assert!(clockwork.timers.next() <= Some(seconds(2000)));
        let came: Vec<Slot> = clockwork.come_round(seconds(2000)).into_iter().map(|(slot, _)| slot).collect();
        let expected: Vec<Slot> = (0..4).rev().filter(|slot| Some(*slot) != gone).collect();
        assert_eq!(came, expected);
        assert_eq!(clockwork.timers.next(), None);
    }
}

#[test]
fn after_a_long_silence_the_ring_goes_on() {
    let mut clockwork = Clockwork::armed(&[seconds(3)]);
    assert_eq!(clockwork.come_round(seconds(90_000)), [(0, seconds(3))]);
    clockwork.arm(0, seconds(90_300));
    assert!(clockwork.timers.far.is_empty());
    assert_eq!(clockwork.come_round(seconds(90_299)), []);
    assert_eq!(clockwork.come_round(seconds(90_300)), [(0, seconds(90_300))]);
}
