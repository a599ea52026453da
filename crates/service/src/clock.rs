//! Where receipt times come from: the one place that reads a clock.
//!
//! - `System`: the time at start, moved on by the monotonic clock, so that receipt time never goes back.
//! - `Schedule`: every request says its place and its time in the header [`SCHEDULE_HEADER`]. Requests are
//!   taken in the order of their places, however they arrive. Only a server started with this clock believes
//!   the header; every other one ignores it.

use std::time::Duration;

use authstitch_model::UnixNanos;
use http::HeaderMap;

use crate::refusal::Refusal;

/// The header by which a scheduled request says its place and time: `<sequence from 0>;<unix nanoseconds>`.
pub const SCHEDULE_HEADER: &str = "authstitch-schedule";

/// Where receipt times come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// This machine's clock.
    System,
    /// The sender's schedule.
    Schedule,
}

/// Place and time of a scheduled request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Its place; the first is 0, and there are no gaps.
    pub sequence: u64,
    /// Its receipt time.
    pub received: UnixNanos,
}

impl Stamp {
    /// Reads the stamp of a request.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let accepted = format!("`{SCHEDULE_HEADER}: <sequence from 0>;<unix nanoseconds>`");
        let value = headers.get(SCHEDULE_HEADER).ok_or_else(|| {
            Refusal::Malformed(format!("this server runs on a schedule and wants {accepted}"))
        })?;
        let read = |value: &str| {
            let (sequence, nanos) = value.split_once(';')?;
            Some(Self { sequence: sequence.parse().ok()?, received: UnixNanos(nanos.parse().ok()?) })
        };
        value
            .to_str()
            .ok()
            .and_then(read)
            .ok_or_else(|| Refusal::Malformed(format!("{value:?} is not {accepted}")))
    }
}

/// This machine's clock, read once and moved on monotonically.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock {
    anchor: UnixNanos,
    started: Started,
}

/// Since when a clock runs.
#[derive(Clone, Copy, Debug)]
enum Started {
    Machine(std::time::Instant),
    /// It is moved by a test.
    #[cfg(test)]
    Hand(&'static std::sync::atomic::AtomicU64),
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "receipt time enters the program here")]
    pub(crate) fn start() -> Self {
        let since_1970 =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let anchor = UnixNanos(u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX));
        Self { anchor, started: Started::Machine(std::time::Instant::now()) }
    }

    /// A clock that shows a time and the nanoseconds that a test has let go since.
    #[cfg(test)]
    pub(crate) const fn by_hand(anchor: UnixNanos, elapsed: &'static std::sync::atomic::AtomicU64) -> Self {
        Self { anchor, started: Started::Hand(elapsed) }
    }

    /// This clock, going on from a time, should it have begun before it.
    pub(crate) fn after(self, latest: UnixNanos) -> Self {
        Self { anchor: self.anchor.max(latest), ..self }
    }

    /// How much time has gone since a receipt time of this clock.
    pub(crate) fn since(&self, received: UnixNanos) -> Duration {
        Duration::from_nanos(self.now().0.saturating_sub(received.0))
    }

    pub(crate) fn now(&self) -> UnixNanos {
        let elapsed = match self.started {
            Started::Machine(started) => u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX),
            #[cfg(test)]
            Started::Hand(elapsed) => elapsed.load(std::sync::atomic::Ordering::Relaxed),
        };
        UnixNanos(self.anchor.0.saturating_add(elapsed))
    }
}

/// How long something takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "latencies are measured, and decide nothing")]
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_time_never_goes_back() {
        let clock = SystemClock::start();
        let first = clock.now();
        assert!(first.0 > 1_700_000_000_000_000_000, "{first}");
        assert!(clock.now() >= first);
    }

    #[test]
    fn time_goes_on_from_where_it_was() {
        let behind = SystemClock::start().now().plus(authstitch_model::Millis::from_mins(60));
        let clock = SystemClock::start().after(behind);
        assert!(clock.now() >= behind);
        let ahead = SystemClock::start().after(UnixNanos(1));
        assert!(ahead.now() < behind && ahead.now().0 > 1_700_000_000_000_000_000);
    }

    #[test]
    fn a_stamp_is_a_sequence_and_a_time() {
        let mut headers = HeaderMap::new();
        assert!(Stamp::of(&headers).is_err());
        for (value, stamp) in [
            ("7;1700000000000000000", Some((7, 1_700_000_000_000_000_000))),
            ("7", None),
            ("-1;5", None),
            ("a;b", None),
        ] {
            headers.insert(SCHEDULE_HEADER, value.parse().unwrap());
            let read = Stamp::of(&headers).ok().map(|stamp| (stamp.sequence, stamp.received.0));
            assert_eq!(read, stamp, "{value}");
        }
    }
}
