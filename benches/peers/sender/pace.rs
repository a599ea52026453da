//! When requests are due.
//!
//! With a rate, a request is due at its place in the schedule, whether or not the receiver is ready: a
//! receiver that stalls is charged for all that had to wait. Without one, a request is due when the one before
//! it has left.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;

/// Gives the due times of a run's requests, one after the other.
pub enum Pace {
    /// As fast as they are taken: so many are left.
    Flat { left: u64 },
    /// By a schedule, which a thread of its own keeps: timers of the runtime are a millisecond late.
    Scheduled(mpsc::Receiver<Instant>),
}

impl Pace {
    /// A schedule of so many requests, so far apart, or as fast as they are taken.
    pub fn new(requests: u64, apart: Option<Duration>) -> Self {
        let Some(apart) = apart else { return Self::Flat { left: requests } };
        let (due, dues) = mpsc::channel(1);
        std::thread::spawn(move || {
            let began = now();
            for number in 0..requests {
                let at = began + apart.mul_f64(number as f64);
                std::thread::sleep(at.saturating_duration_since(now()));
                if due.blocking_send(at).is_err() {
                    return;
                }
            }
        });
        Self::Scheduled(dues)
    }

    /// Waits until the next request is due; says when it was.
    pub async fn next(&mut self) -> Option<Instant> {
        match self {
            Self::Flat { left } => {
                *left = left.checked_sub(1)?;
                Some(now())
            }
            Self::Scheduled(dues) => dues.recv().await,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the sender keeps a schedule and measures latencies")]
pub fn now() -> Instant {
    Instant::now()
}

/// The time of day, for the times of spans, in nanoseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "what is sent now happened just now")]
pub fn wall_clock() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn dues(mut pace: Pace) -> Vec<Instant> {
        let mut dues = Vec::new();
        while let Some(due) = pace.next().await {
            assert!(due <= now());
            dues.push(due);
        }
        dues
    }

    #[tokio::test]
    async fn a_schedule_keeps_its_distances_however_late_it_is_read() {
        let apart = Duration::from_micros(300);
        let dues = dues(Pace::new(50, Some(apart))).await;
        assert_eq!(dues.len(), 50);
        assert!(dues.windows(2).all(|pair| (pair[1] - pair[0]).abs_diff(apart) < Duration::from_nanos(10)));
    }

    #[tokio::test]
    async fn without_a_rate_each_is_due_at_once() {
        assert_eq!(dues(Pace::new(50, None)).await.len(), 50);
    }
}
