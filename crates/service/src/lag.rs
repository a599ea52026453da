//! How far each part is behind what it was given, and when that is too far.
//!
//! - Whoever hands something on takes a ticket for it, and the ticket is dropped once it is done: a request's when its
//!   commit is on the disk, a record's when its engine has taken it, effects' when the store has written them. So what
//!   waits, and for how long, is known of each part even while it does nothing at all.
//! - A part's lag is the time that its oldest has waited. One that was above [`caps::BEHIND`] at every look for
//!   [`caps::BEHIND_FOR`] has fallen behind; it has caught up once its lag is below half of that.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::caps;
use crate::clock::Stopwatch;
use crate::health::Health;

/// What waits for one part.
#[derive(Debug)]
pub(crate) struct Line {
    began: Stopwatch,
    tickets: Mutex<Tickets>,
}

#[derive(Debug, Default)]
struct Tickets {
    next: u64,
    /// When each began to wait, and how much it is; oldest first.
    waiting: BTreeMap<u64, (Duration, u64)>,
    size: u64,
}

/// Something waits as long as this lives.
#[derive(Debug)]
pub(crate) struct Ticket {
    line: Arc<Line>,
    number: u64,
}

/// What waits for a part now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// How many things.
    pub count: u64,
    /// How much they are together.
    pub size: u64,
    /// For how long the oldest has waited.
    pub lag: Duration,
}

impl Line {
    /// A line in which nothing waits.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { began: Stopwatch::start(), tickets: Mutex::default() })
    }

    /// Something of this size waits from now on.
    pub(crate) fn enter(self: &Arc<Self>, size: u64) -> Ticket {
        let since = self.began.elapsed();
        let mut tickets = self.tickets();
        let number = tickets.next;
        tickets.next += 1;
        tickets.size += size;
        tickets.waiting.insert(number, (since, size));
        Ticket { line: Arc::clone(self), number }
    }

    /// What waits now.
    pub(crate) fn waiting(&self) -> Waiting {
        let now = self.began.elapsed();
        let tickets = self.tickets();
        let oldest = tickets.waiting.first_key_value();
        Waiting {
            count: tickets.waiting.len() as u64,
            size: tickets.size,
            lag: oldest.map_or(Duration::ZERO, |(_, (since, _))| now.saturating_sub(*since)),
        }
    }

    fn tickets(&self) -> MutexGuard<'_, Tickets> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut tickets = self.line.tickets();
        if let Some((_, size)) = tickets.waiting.remove(&self.number) {
            tickets.size -= size;
        }
    }
}

/// The lines of all parts.
#[derive(Debug)]
pub(crate) struct Lines {
    /// Requests that wait for their commit, by bytes of events.
    pub journal: Arc<Line>,
    /// Records that wait for each engine, by bytes of events.
    pub engines: Box<[Arc<Line>]>,
    /// Batches of effects that wait for the store, by changes.
    pub store: Arc<Line>,
}

impl Lines {
    /// Those of so many engines.
    pub(crate) fn new(engines: NonZero<u32>) -> Arc<Self> {
        let engines = (0..engines.get()).map(|_| Line::new()).collect();
        Arc::new(Self { journal: Line::new(), engines, store: Line::new() })
    }

    /// The greatest lag of each part, by its name in the health answer.
    pub(crate) fn lags(&self) -> [(&'static str, Duration); 3] {
        let engines = self.engines.iter().map(|line| line.waiting().lag).max().unwrap_or_default();
        [
            ("journal lag", self.journal.waiting().lag),
            ("engine lag", engines),
            ("store lag", self.store.waiting().lag),
        ]
    }
}

/// Which parts have fallen behind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lags([Behind; 3]);

impl Lags {
    /// Looks at every part's lag at a time since whenever, and has the health answer say what has changed.
    pub(crate) fn look(&mut self, now: Duration, lags: [(&'static str, Duration); 3], health: &Health) {
        for (behind, (part, lag)) in self.0.iter_mut().zip(lags) {
            match behind.look(now, lag) {
                Some(true) => {
                    let bound = caps::BEHIND.as_secs();
                    health.failing(
                        part,
                        format!("what waits there has waited for more than {bound} s; see /metrics"),
                    );
                }
                Some(false) => health.works(part),
                None => {}
            }
        }
    }
}

/// Whether a part has fallen behind.
#[derive(Clone, Copy, Debug, Default)]
struct Behind {
    above_since: Option<Duration>,
    behind: bool,
}

impl Behind {
    /// Looks at a part's lag at a time since whenever; whether it is behind, if that has changed.
    fn look(&mut self, now: Duration, lag: Duration) -> Option<bool> {
        if self.behind {
            self.behind = lag >= caps::BEHIND / 2;
            return (!self.behind).then(|| {
                self.above_since = None;
                false
            });
        }
        if lag <= caps::BEHIND {
            self.above_since = None;
            return None;
        }
        let since = *self.above_since.get_or_insert(now);
        self.behind = now.saturating_sub(since) >= caps::BEHIND_FOR;
        self.behind.then_some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_counted_until_it_is_done() {
        let line = Line::new();
        assert_eq!(line.waiting(), Waiting::default());
        let (first, second) = (line.enter(10), line.enter(5));
        let waiting = line.waiting();
        assert_eq!((waiting.count, waiting.size), (2, 15));
        drop(first);
        assert_eq!((line.waiting().count, line.waiting().size), (1, 5));
        drop(second);
        assert_eq!(line.waiting(), Waiting::default(), "and nothing waits for no time");
    }

    #[test]
    fn the_lag_is_that_of_the_oldest_whatever_is_done_first() {
        let line = Line::new();
        let oldest = line.enter(1);
        std::thread::sleep(Duration::from_millis(20));
        let newest = line.enter(1);
        assert!(line.waiting().lag >= Duration::from_millis(20));
        drop(newest);
        assert!(line.waiting().lag >= Duration::from_millis(20));
        drop(oldest);
        assert_eq!(line.waiting().lag, Duration::ZERO);
    }

    #[test]
    fn the_health_answer_names_the_part_that_is_behind_until_it_has_caught_up() {
        let (health, mut lags, lines) = (Health::default(), Lags::default(), Lines::new(NonZero::<u32>::MIN));
        let of_store =
            |lag| lines.lags().map(|(part, none)| (part, if part == "store lag" { lag } else { none }));
        let long = caps::BEHIND * 2;
        lags.look(Duration::ZERO, of_store(long), &health);
        assert_eq!(health.ready(), Ok(()));
        lags.look(caps::BEHIND_FOR, of_store(long), &health);
        let told = health.ready().unwrap_err();
        assert!(told.starts_with("store lag: ") && told.lines().count() == 1, "{told}");
        assert_eq!(health.live(), Ok(()), "it runs");
        lags.look(caps::BEHIND_FOR * 2, of_store(Duration::ZERO), &health);
        assert_eq!(health.ready(), Ok(()));
    }

    #[test]
    fn a_part_is_behind_after_some_seconds_above_the_bound_and_no_more_once_it_is_far_below() {
        let mut part = Behind::default();
        let (at, over) = (Duration::from_secs, caps::BEHIND + Duration::from_millis(1));
        let patience = caps::BEHIND_FOR.as_secs();
        assert_eq!(part.look(at(0), caps::BEHIND), None, "at the bound is not above it");
        assert_eq!(part.look(at(1), over), None);
        assert_eq!(part.look(at(patience), over), None, "not for long enough");
        assert_eq!(part.look(at(patience), Duration::ZERO), None);
        assert_eq!(part.look(at(patience + 1), over), None, "it begins anew");
        assert_eq!(part.look(at(2 * patience + 1), over), Some(true));
        assert_eq!(part.look(at(2 * patience + 2), over), None, "told once");
        assert_eq!(part.look(at(2 * patience + 3), caps::BEHIND / 2), None, "not caught up yet");
        assert_eq!(part.look(at(2 * patience + 4), Duration::ZERO), Some(false));
        assert_eq!(part.look(at(2 * patience + 5), over), None);
        assert_eq!(part.look(at(3 * patience + 5), over), Some(true), "and the same again");
    }
}
