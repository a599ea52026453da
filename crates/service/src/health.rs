//! Whether each part works. A part that has stopped, fails or hangs at its work, or has fallen behind makes the answer unhealthy.
//!
//! Every change is told to the log once: a part that begins to fail, works again, or stops while the service does not.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::log::{Log, LogLevel};

/// What is wrong with which part; nothing, if all is well.
#[derive(Debug, Default)]
pub(crate) struct Health {
    parts: Mutex<BTreeMap<&'static str, Trouble>>,
    /// What began something that is soon done, when, and how long that may take.
    begun: Mutex<BTreeMap<&'static str, (Stopwatch, Duration)>>,
    /// The service ends, and its parts with it.
    ending: AtomicBool,
    log: Log,
}

/// What is wrong with a part.
#[derive(Clone, Debug)]
enum Trouble {
    /// It fails at its work and goes on trying.
    Failing(String),
    /// It is gone.
    Stopped,
}

impl Health {
    /// All is well, and what changes is told here.
    pub(crate) fn new(log: Log) -> Self {
        Self { log, ..Self::default() }
    }

    /// Says that a part begins something that is done within so long; until it works, fails or has ended it is watched.
    pub(crate) fn begins(&self, part: &'static str, within: Duration) {
        self.begun().insert(part, (Stopwatch::start(), within));
    }

    /// Says that a part is no longer at it, which says nothing of whether it works.
    pub(crate) fn ends(&self, part: &'static str) {
        self.begun().remove(part);
    }

    /// Says that a part fails at its work. One that is gone stays gone.
    pub(crate) fn failing(&self, part: &'static str, why: String) {
        self.begun().remove(part);
        let sentence = format!("{part}: {why}");
        let fields = [("part", part.into()), ("reason", why.as_str().into())];
        let mut parts = self.parts();
        match parts.get(part) {
            Some(Trouble::Stopped) => return,
            Some(Trouble::Failing(before)) if *before == why => return,
            _ => parts.insert(part, Trouble::Failing(why)),
        };
        // A log that takes nothing must hold up nobody who asks.
        drop(parts);
        self.log.tell(LogLevel::Warn, "part_failing", &sentence, &fields);
    }

    /// Says that a part works again.
    pub(crate) fn works(&self, part: &'static str) {
        self.begun().remove(part);
        let mut parts = self.parts();
        if matches!(parts.get(part), Some(Trouble::Failing(_))) {
            parts.remove(part);
            drop(parts);
            let fields = [("part", part.into())];
            self.log.tell(LogLevel::Info, "part_works", &format!("{part}: works again"), &fields);
        }
    }

    /// Watches over a part: when the guard is dropped, by its end or by a panic, the part has stopped.
    pub(crate) fn watch(self: &Arc<Self>, part: &'static str) -> Running {
        Running { health: Arc::clone(self), part }
    }

    /// From here on parts stop because they were told to.
    pub(crate) fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// Whether every part runs, even if one fails at its work.
    pub(crate) fn live(&self) -> Result<(), String> {
        self.report(|trouble| matches!(trouble, Trouble::Stopped))
    }

    /// Whether every part works.
    pub(crate) fn ready(&self) -> Result<(), String> {
        let mut hanging: Vec<_> = (self.begun().iter())
            .filter(|(_, (since, within))| since.elapsed() > *within)
            .map(|(part, (since, _))| format!("{part}: hangs since {} s", since.elapsed().as_secs()))
            .collect();
        if hanging.is_empty() {
            return self.report(|_| true);
        }
        hanging.extend(self.report(|_| true).err());
        Err(hanging.join("\n"))
    }

    fn begun(&self) -> MutexGuard<'_, BTreeMap<&'static str, (Stopwatch, Duration)>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, counts: impl Fn(&Trouble) -> bool) -> Result<(), String> {
        let parts = self.parts();
        let troubles: Vec<_> = parts
            .iter()
            .filter(|(_, trouble)| counts(trouble))
            .map(|(part, trouble)| match trouble {
                Trouble::Failing(why) => format!("{part}: {why}"),
                Trouble::Stopped => format!("{part}: stopped"),
            })
            .collect();
        if troubles.is_empty() { Ok(()) } else { Err(troubles.join("\n")) }
    }

    fn parts(&self) -> MutexGuard<'_, BTreeMap<&'static str, Trouble>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A part that runs as long as this lives.
#[derive(Debug)]
pub(crate) struct Running {
    health: Arc<Health>,
    part: &'static str,
}

impl Drop for Running {
    fn drop(&mut self) {
        let Self { health, part } = self;
        health.parts().insert(part, Trouble::Stopped);
        if !health.ending.load(Ordering::Relaxed) {
            let fields = [("part", (*part).into())];
            health.log.tell(LogLevel::Error, "part_stopped", &format!("{part}: stopped"), &fields);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::LogFormat;
    use crate::tests::Lines;

    #[test]
    fn a_part_that_fails_is_live_but_not_ready_and_one_that_stopped_is_neither() {
        let health = Arc::new(Health::default());
        let engine = health.watch("engine");
        assert_eq!((health.live(), health.ready()), (Ok(()), Ok(())));
        health.failing("store", "disk full".into());
        assert_eq!((health.live(), health.ready()), (Ok(()), Err("store: disk full".into())));
        health.works("store");
        drop(engine);
        health.failing("engine", "it is late".into());
        health.works("engine");
        assert_eq!(health.live(), Err("engine: stopped".into()));
    }

    #[test]
    fn what_takes_too_long_hangs_until_it_ends_and_a_failure_stays_a_failure() {
        let health = Health::default();
        health.begins("journal", Duration::from_secs(3600));
        assert_eq!(health.ready(), Ok(()));
        health.failing("journal", "no room".into());
        health.begins("journal", Duration::ZERO);
        assert_eq!(health.ready(), Err("journal: hangs since 0 s\njournal: no room".into()));
        assert_eq!(health.live(), Ok(()));
        health.ends("journal");
        assert_eq!(health.ready(), Err("journal: no room".into()));
        health.works("journal");
        assert_eq!(health.ready(), Ok(()));
    }

    #[test]
    fn changes_are_told_once() {
        let lines = Lines::default();
        let health = Arc::new(Health::new(lines.log(LogFormat::Text, LogLevel::Info)));
        let (engine, store) = (health.watch("engine"), health.watch("store"));
        for _ in 0..2 {
            health.failing("store", "disk full".into());
        }
        for _ in 0..2 {
            health.works("store");
        }
        drop(engine);
        health.end();
        drop(store);
        assert_eq!(lines.text(), "store: disk full\nstore: works again\nengine: stopped\n");
    }
}
