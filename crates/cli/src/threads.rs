//! Independent work on as many threads as there are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::caps;
use crate::failure::Failure;

/// What `work` makes of each item, in their order: the same on any number of threads.
pub fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Result<Vec<R>, Failure> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(place) else { return done };
            done.push((place, work(item)));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(caps::WORLDS_AT_ONCE);
    let done: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        running.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    let mut results = Vec::with_capacity(items.len());
    for part in done {
        results.extend(part.map_err(|_panic| Failure::new("a thread that judged a world panicked"))?);
    }
    results.sort_by_key(|(place, _)| *place);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}
