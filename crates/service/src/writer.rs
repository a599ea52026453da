//! The journal's thread: the one that gives records their place and time, writes them down, and only then answers.
//!
//! - Requests that wait together are committed together: all that came while the disk was busy; then, until every
//!   request in flight is among them, what comes within [`caps::GATHER`].
//! - A request is answered when its commit is on the disk, and then its record goes to the engines. What the engines
//!   or the disk have no room for is refused before anything of it is written.
//! - An engine that is gone ends it, too: what was committed is handed to no engine any more, so that none goes on with a
//!   gap, and the next start reads it.
//! - A disk that fails ends it: the health answer says so, and every request is told to come again, until the service
//!   is started anew.
//! - Ticks and changes of what decides are records, too.
//! - After so many bytes, and when the journal has no room left, a snapshot is made: every engine gives its bytes at one
//!   position, what they brought about until then is stored, and a thread of its own writes them down. Then the journal
//!   lets go what stands before.
//! - Only what the two snapshots that the journal keeps are past can be let go, and what a snapshot holds goes with it.
//!   So that nothing stays because little comes, one is made soon after a start, and another when the newest is older than
//!   [`caps::SNAPSHOT_AGE`], or the one before it than twice that; each at a record of its own, a tick if need be. What
//!   counts are the receipt times that the snapshots say, whatever was started anew or stood still between them.
//! - Copies of damaged parts are removed when they are as old as a journey may become.
//! - What is to be forgotten leaves everything at once, see `forgetting`; meanwhile the thread does nothing else.
//! - A snapshot that failed, or a forgetting, is tried again after a while, though nothing comes.
//! - Stopping commits what waits and makes a snapshot; open journeys stay open.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};

use authstitch_engine as engine;
use authstitch_journal::{Body, Disk, Journal, Poisoned, Refused, Stamp, Written};
use authstitch_model::ids::Text;
use authstitch_model::{AuthEvent, Forget, Millis, Position, UnixNanos};
use tokio::sync::oneshot;

use crate::admission::{Admission, Charge};
use crate::caps;
use crate::clock::{Stopwatch, SystemClock};
use crate::counters::Counters;
use crate::engines::snapshot;
use crate::forgetting::{Forgetting, Forgotten, Wanted};
use crate::health::Health;
use crate::lag::Ticket;
use crate::log::{Log, LogLevel};
use crate::refusal::Refusal;
use crate::shards::{Asked, Gone, Shards, Work};

/// The journal's name in the health answer.
const PART: &str = "journal";

/// The kind of the journal's records that say what decides.
pub(crate) const SETTINGS: &str = "engine";

/// What the journal's thread is given to do.
#[derive(Debug)]
pub(crate) enum Job {
    /// A request's events.
    Append(Append),
    /// A timer is due.
    Tick,
    /// Other settings decide from here on.
    Settings(engine::Settings, oneshot::Sender<Result<(), Refusal>>),
    /// Forget what is known under a key, and say what came of it.
    Forget(Wanted, oneshot::Sender<Result<Forgotten, String>>),
    /// End; what the engines hold is in a snapshot then, or it is said why not.
    Stop(oneshot::Sender<Result<(), String>>),
}

/// A request's events, and who waits.
#[derive(Debug)]
pub(crate) struct Append {
    pub events: Vec<AuthEvent>,
    pub charge: Charge,
    pub answer: oneshot::Sender<Result<(), Refusal>>,
    /// Held until it is answered.
    pub ticket: Ticket,
}

/// The journal, and what its thread needs.
pub(crate) struct Writer<D: Disk> {
    pub journal: Journal<D>,
    pub clock: SystemClock,
    pub shards: Arc<Shards>,
    pub admission: Arc<Admission>,
    pub counters: Arc<Counters>,
    pub health: Arc<Health>,
    /// What decides.
    pub settings: engine::Settings,
    /// An engine is gone.
    pub gone: bool,
    pub log: Log,
    /// How long copies of damaged parts are kept.
    pub retention: Millis,
    pub snapshots: Snapshots,
    pub forgetting: Forgetting,
    /// What is to be forgotten, and is not everywhere yet.
    pub unfinished: Option<Forget>,
    /// Where that was written down last, by this process.
    pub noted: Option<Position>,
}

/// When a snapshot is made.
#[derive(Debug)]
pub(crate) struct Snapshots {
    /// After so many bytes of records.
    pub every_bytes: u64,
    /// Bytes since the last.
    pub since: u64,
    /// The journal has no room, and may have with another one.
    pub wanted: bool,
    /// When the last was begun.
    pub begun: UnixNanos,
    /// The last one failed, or what needed it, and when.
    pub failed: Option<UnixNanos>,
    /// One is being made, and this is where its thread says what became of it.
    pub under_way: Option<Receiver<Result<(Written, Position), String>>>,
}

impl Snapshots {
    /// One after so many bytes, and one soon: what was read again is read no third time.
    pub(crate) const fn every(bytes: u64) -> Self {
        let begun = UnixNanos(0);
        Self { every_bytes: bytes, since: 0, wanted: true, begun, failed: None, under_way: None }
    }

    /// Whether one that failed is to be tried again.
    fn is_time_again(&self, clock: &SystemClock) -> bool {
        self.failed.is_some_and(|failed| clock.since(failed) >= caps::SNAPSHOT_RETRY)
    }

    /// Whether those that are kept, oldest first, have become so old that another is to take the place of one.
    ///
    /// One that was made in vain, for the journal took no tick, is not made again at once.
    fn are_old(&self, kept: impl DoubleEndedIterator<Item = Stamp>, now: UnixNanos) -> bool {
        let is_idle = self.under_way.is_none() && self.failed.is_none();
        let ages = (1..=2).map(|spans| Millis(spans * caps::SNAPSHOT_AGE.0));
        is_idle
            && now >= self.begun.plus(caps::SNAPSHOT_PAUSE)
            && kept.rev().zip(ages).any(|(kept, age)| now >= kept.received.plus(age))
    }

    /// One is begun.
    pub(crate) const fn begin(&mut self, now: UnixNanos) {
        self.since = 0;
        self.failed = None;
        self.begun = now;
    }
}

/// Bytes of a sector, in which the journal is written.
const SECTOR: u64 = 512;

/// What is in the batch, and who waits for it.
type Waiting = Vec<(Stamp, Append)>;

/// What is left to do after a turn.
pub(crate) enum After {
    /// Nothing.
    Go,
    /// A snapshot is to be written, which waits for the engines and the store.
    Snapshot(Box<dyn FnOnce() + Send>),
    /// The last snapshot is to be written, and who waits for it.
    Stop(oneshot::Sender<Result<(), String>>),
}

impl<D: Disk<File: Send> + Send + 'static> Writer<D> {
    /// Works until it is told to stop.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) {
        // What a start found unfinished. If it fails, the health answer says so.
        let _ = self.finish_forgetting();
        loop {
            self.look_for_snapshot();
            self.snapshots.wanted |= self.snapshots.is_time_again(&self.clock);
            let job = match jobs.recv_timeout(caps::TICK) {
                Ok(job) => job,
                Err(RecvTimeoutError::Timeout) => {
                    self.health.begins(PART, caps::JOURNAL_HANGS);
                    self.make_ready();
                    if !self.snapshots.wanted {
                        continue;
                    }
                    Job::Tick
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            match self.turn(job, jobs) {
                After::Go => {}
                After::Snapshot(write) => self.spawn(write),
                After::Stop(stopped) => {
                    self.wait_for_snapshot();
                    // Whoever asked may have gone.
                    let finished = self.finish_forgetting();
                    let unfinished = |_| "what is to be forgotten is not forgotten everywhere".to_owned();
                    let asked = finished.map_err(unfinished).and_then(|_| self.ask_last());
                    let _ = stopped.send(self.stop(asked.and_then(Asked::wait)));
                    return;
                }
            }
        }
    }

    /// Does a job and what else waits.
    pub(crate) fn turn(&mut self, job: Job, jobs: &Receiver<Job>) -> After {
        match self.gather(job, jobs) {
            Some(Job::Settings(settings, answer)) => {
                // Whoever asked may have gone.
                let _ = answer.send(self.change(settings));
            }
            Some(Job::Forget(wanted, answer)) => {
                // Whoever asked may have gone.
                let _ = answer.send(self.forget(&wanted));
            }
            Some(Job::Stop(stopped)) => return After::Stop(stopped),
            None | Some(Job::Append(_) | Job::Tick) => {}
        }
        // It may need a tick before it.
        let is_time = self.snapshots.wanted && self.snapshots.under_way.is_none() && self.shards.room() > 1;
        let write = if is_time { self.begin_snapshot() } else { None };
        self.publish();
        write.map_or(After::Go, After::Snapshot)
    }

    fn spawn(&mut self, write: Box<dyn FnOnce() + Send>) {
        if let Err(error) = std::thread::Builder::new().name("snapshot".into()).spawn(write) {
            self.snapshots.under_way = None;
            self.keep(Err(format!("no thread for it: {error}")));
        }
    }

    /// Commits a job and what else waits; gives the first that is no record.
    fn gather(&mut self, first: Job, jobs: &Receiver<Job>) -> Option<Job> {
        let begun = Stopwatch::start();
        let mut waiting = Waiting::new();
        let mut ticks = Vec::new();
        let mut next = Some(first);
        let mut other = None;
        // What is taken may need room on the disk, which may hang as a sync does.
        self.health.begins(PART, caps::JOURNAL_HANGS);
        while let Some(job) = next {
            match job {
                Job::Append(append) => self.append(append, &mut waiting, &mut ticks),
                // A full queue needs no tick, for its records bring the time along; one that the journal has no room for
                // is made again.
                Job::Tick if self.gone || self.shards.room() <= waiting.len() + ticks.len() => {}
                Job::Tick => ticks.extend(self.journal.append(self.clock.now(), Body::Tick)),
                job => {
                    other = Some(job);
                    break;
                }
            }
            next = jobs.try_recv().ok().or_else(|| {
                let left = caps::GATHER.checked_sub(begun.elapsed())?;
                let all_wait = waiting.len() >= self.admission.requests();
                if all_wait { None } else { jobs.recv_timeout(left).ok() }
            });
        }
        self.commit(waiting, ticks);
        self.health.ends(PART);
        other
    }

    fn append(&mut self, append: Append, waiting: &mut Waiting, ticks: &mut Vec<Stamp>) {
        if self.gone {
            return answer(append, Err(Refusal::stopping()));
        }
        if self.shards.room() <= waiting.len() + ticks.len() {
            let busy = Refusal::Overloaded("the engine's queue is full; send again".into());
            return answer(append, Err(busy));
        }
        let now = self.clock.now();
        let refused = match self.journal.append(now, Body::Events(&append.events)) {
            Ok(stamp) => return waiting.push((stamp, append)),
            Err(Refused::Batch) => {
                self.commit(std::mem::take(waiting), std::mem::take(ticks));
                match self.journal.append(now, Body::Events(&append.events)) {
                    Ok(stamp) => return waiting.push((stamp, append)),
                    Err(refused) => refused,
                }
            }
            Err(refused) => refused,
        };
        let refusal = self.refusal(&refused);
        answer(append, Err(refusal));
    }

    /// Says of what the journal refuses that it is too large, or to be sent again.
    fn refusal(&mut self, refused: &Refused) -> Refusal {
        match refused {
            Refused::TooLarge { .. } => Refusal::TooLarge(refused.to_string()),
            _ => {
                self.snapshots.wanted |= matches!(refused, Refused::Full { .. } | Refused::Disk { .. });
                self.health.failing(PART, refused.to_string());
                Refusal::Unavailable("the journal takes nothing now; send again".into())
            }
        }
    }

    /// Commits the batch, answers who waits for it, and hands the records on in their order.
    fn commit(&mut self, waiting: Waiting, ticks: Vec<Stamp>) {
        if waiting.is_empty() && ticks.is_empty() {
            return;
        }
        // On the disk a commit takes whole sectors, and one of zeros behind it.
        let bytes = (self.journal.waiting_bytes() as u64).next_multiple_of(SECTOR) + SECTOR;
        if self.sync().is_err() {
            for (_, append) in waiting {
                let lost = "the journal's disk has failed, and the service must be started anew; send again";
                answer(append, Err(Refusal::Unavailable(lost.into())));
            }
            return;
        }
        // A tick may be beyond the bound at which requests are refused.
        if !waiting.is_empty() {
            self.health.works(PART);
        }
        self.counters.commits.add(1);
        self.snapshots.since += bytes;
        let mut ticks = ticks.into_iter().peekable();
        let hand_on = || -> Result<(), Gone> {
            for (Stamp { position, received }, append) in waiting {
                if self.gone {
                    // It is on the disk, and the next start takes it.
                    answer(append, Ok(()));
                    continue;
                }
                while let Some(tick) = ticks.next_if(|tick| tick.position < position) {
                    self.shards.tick_blocking(tick.position, tick.received)?;
                }
                let Append { events, charge, answer, ticket } = append;
                // Whoever waited may have gone; the record stays.
                let _ = answer.send(Ok(()));
                drop(ticket);
                self.shards.put_blocking(position, received, events, charge)?;
            }
            ticks.try_for_each(|tick| self.shards.tick_blocking(tick.position, tick.received))
        };
        // An engine that is gone shows in the health answer.
        self.gone |= hand_on().is_err();
        self.snapshots.wanted |= self.snapshots.since >= self.snapshots.every_bytes;
    }

    /// Has what was taken on the disk. While that hangs, and where it fails, the health answer says so.
    pub(crate) fn sync(&mut self) -> Result<(), Poisoned> {
        self.health.begins(PART, caps::JOURNAL_HANGS);
        let committed = self.journal.commit();
        self.health.ends(PART);
        committed.map(drop).inspect_err(|poisoned| self.health.failing(PART, poisoned.to_string()))
    }

    /// Sees to it that there is room for what comes, while there is time; then the journal works again.
    fn make_ready(&mut self) {
        self.health.begins(PART, caps::JOURNAL_HANGS);
        // A disk that is full says so when room is asked for.
        let ready = self.journal.make_ready().is_ok();
        self.health.ends(PART);
        if ready && self.journal.has_room() {
            self.health.works(PART);
        }
    }

    /// From here on other settings decide, in the journal first.
    fn change(&mut self, settings: engine::Settings) -> Result<(), Refusal> {
        let (kind, bytes) = (Text::bounded(SETTINGS), settings.to_bytes());
        let body = Body::Setting { kind: &kind, bytes: &bytes };
        if let Err(refused) = self.journal.append(self.clock.now(), body) {
            return Err(self.refusal(&refused));
        }
        self.sync().map_err(|poisoned| Refusal::Unavailable(poisoned.to_string()))?;
        let tables = Arc::clone(&settings.tables);
        self.settings = settings;
        self.shards.tell_blocking(|| Work::Tables(Arc::clone(&tables))).map_err(|Gone| Refusal::stopping())
    }

    /// Asks every engine for its bytes; gives what writes them down.
    fn begin_snapshot(&mut self) -> Option<Box<dyn FnOnce() + Send>> {
        self.snapshots.wanted = false;
        // No other may stand behind the record of what is to be forgotten; the health answer says why.
        if self.unfinished.is_some() {
            // It makes a snapshot of its own; if it fails, the health answer says why. It looks through the whole store, so
            // it is not tried again at once.
            if self.snapshots.failed.is_none() || self.snapshots.is_time_again(&self.clock) {
                let _ = self.finish_forgetting();
            }
            return None;
        }
        if self.gone {
            return None;
        }
        // Two snapshots at one place let go no more than one does, and a journal that is full stays at its place but
        // for ticks.
        let newest = self.journal.snapshots().next_back();
        if newest.is_some_and(|newest| newest.position == self.journal.committed()) {
            let tick = self.journal.append(self.clock.now(), Body::Tick);
            self.commit(Waiting::new(), tick.into_iter().collect());
        }
        let asked = self.shards.snapshot_blocking().ok()?;
        let position = self.journal.committed();
        let writer = match self.journal.snapshot_at(position) {
            Ok(writer) => writer,
            Err(error) => {
                self.health.failing(PART, error.to_string());
                return None;
            }
        };
        self.snapshots.begin(self.clock.now());
        let settings = self.settings.clone();
        let (done, under_way) = sync_channel(1);
        self.snapshots.under_way = Some(under_way);
        Some(Box::new(move || {
            let written = asked.wait().and_then(|engines| {
                writer.write(&snapshot(&settings, &engines)).map_err(|error| error.to_string())
            });
            // A writer that is gone wants no snapshot.
            let _ = done.send(written.map(|written| (written, position)));
        }))
    }

    /// Takes over a snapshot that is written by now, and looks whether those that are kept are too old.
    pub(crate) fn look_for_snapshot(&mut self) {
        if let Some(under_way) = &self.snapshots.under_way {
            let written = match under_way.try_recv() {
                Ok(written) => written,
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => Err("its thread panicked".to_owned()),
            };
            self.snapshots.under_way = None;
            self.keep(written);
        }
        self.snapshots.wanted |= self.snapshots.are_old(self.journal.snapshots(), self.clock.now());
    }

    /// Waits for the snapshot that is being made.
    pub(crate) fn wait_for_snapshot(&mut self) {
        if let Some(under_way) = self.snapshots.under_way.take() {
            self.keep(under_way.recv().unwrap_or_else(|_gone| Err("its thread panicked".to_owned())));
        }
    }

    /// Lets go what stands before a snapshot.
    fn keep(&mut self, written: Result<(Written, Position), String>) {
        let kept = written.and_then(|(written, position)| {
            self.counters.snapshots.add(1);
            let at = position.0;
            let sentence = format!("snapshot: the engines are written down as of record {at}");
            self.log.tell(LogLevel::Debug, "snapshot_written", &sentence, &[("position", at.into())]);
            let kept = self.journal.keep(written).and_then(|()| self.journal.release(position));
            let too_old = self.clock.now().minus(self.retention);
            kept.and_then(|()| self.journal.remove_aside(too_old)).map_err(|error| error.to_string())
        });
        match kept {
            Ok(()) => {
                self.health.works(SNAPSHOT);
                if self.journal.has_room() {
                    self.health.works(PART);
                }
            }
            // The journal grows until one can be written again; at its bound it takes nothing more.
            Err(why) => {
                self.health.failing(SNAPSHOT, why);
                self.snapshots.failed = Some(self.clock.now());
            }
        }
    }

    /// Asks every engine for its bytes a last time.
    pub(crate) fn ask_last(&self) -> Result<Asked, String> {
        let asked = self.shards.snapshot_blocking().ok().filter(|_| !self.gone);
        asked.ok_or_else(|| "an engine is gone".to_owned())
    }

    /// Writes the last snapshot, and has the engines end.
    pub(crate) fn stop(&mut self, engines: Result<Vec<Vec<u8>>, String>) -> Result<(), String> {
        let position = self.journal.committed();
        let made = engines.and_then(|engines| {
            let kept = self.journal.snapshot(position, &snapshot(&self.settings, &engines));
            kept.and_then(|()| self.journal.release(position)).map_err(|error| error.to_string())
        });
        // An engine that is gone has stopped already.
        let _ = self.shards.tell_blocking(|| Work::Stop);
        // Without one the next start reads more of the journal.
        made.map_err(|why| format!("no snapshot was written, and the next start reads the journal: {why}"))
    }

    fn publish(&self) {
        self.counters.journal_bytes.set(self.journal.bytes());
        self.counters.journal_segments.set(self.journal.segments() as u64);
    }
}

/// The snapshots' name in the health answer.
const SNAPSHOT: &str = "snapshot";

#[cfg(test)]
mod tests;

/// Answers a request; whoever waited may have gone.
fn answer(append: Append, outcome: Result<(), Refusal>) {
    let _ = append.answer.send(outcome);
}
