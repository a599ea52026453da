//! Whether each part works. A part that has stopped, or fails at its work, makes the answer unhealthy.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::caps;
use crate::clock::Stopwatch;

/// What is wrong with which part; nothing, if all is well.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<BTreeMap<&'static str, Trouble>>, Mutex<BTreeMap<&'static str, Stopwatch>>);

/// What is wrong with a part.
#[derive(Clone, Debug)]
enum Trouble {
    /// It fails at its work and goes on trying.
    Failing(String),
    /// It is gone.
    Stopped,
}

impl Health {
    /// Says that a part begins something that is soon done; until it works or fails it is watched.
    pub(crate) fn begins(&self, part: &'static str) {
        self.begun().insert(part, Stopwatch::start());
    }

    /// Says that a part fails at its work.
    pub(crate) fn failing(&self, part: &'static str, why: String) {
        self.begun().remove(part);
        self.parts().insert(part, Trouble::Failing(why));
    }

    /// Says that a part works again.
    pub(crate) fn works(&self, part: &'static str) {
        self.begun().remove(part);
        self.parts().remove(part);
    }

    /// Watches over a part: when the guard is dropped, by its end or by a panic, the part has stopped.
    pub(crate) fn watch(self: &Arc<Self>, part: &'static str) -> Running {
        Running { health: Arc::clone(self), part }
    }

    /// Whether every part runs, even if one fails at its work.
    pub(crate) fn live(&self) -> Result<(), String> {
        self.report(|trouble| matches!(trouble, Trouble::Stopped))
    }

    /// Whether every part works.
    pub(crate) fn ready(&self) -> Result<(), String> {
        let mut hanging: Vec<_> = (self.begun().iter())
            .filter(|(_, since)| since.elapsed() > caps::HANGS)
            .map(|(part, since)| format!("{part}: hangs since {} s", since.elapsed().as_secs()))
            .collect();
        if hanging.is_empty() {
            return self.report(|_| true);
        }
        hanging.extend(self.report(|_| true).err());
        Err(hanging.join("\n"))
    }

    fn begun(&self) -> MutexGuard<'_, BTreeMap<&'static str, Stopwatch>> {
        self.1.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.health.parts().insert(self.part, Trouble::Stopped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_fails_is_live_but_not_ready_and_one_that_stopped_is_neither() {
        let health = Arc::new(Health::default());
        let engine = health.watch("engine");
        assert_eq!((health.live(), health.ready()), (Ok(()), Ok(())));
        health.failing("store", "disk full".into());
        assert_eq!((health.live(), health.ready()), (Ok(()), Err("store: disk full".into())));
        health.works("store");
        drop(engine);
        assert_eq!(health.live(), Err("engine: stopped".into()));
    }
}
