//! Random journals on a disk that crashes, fails and fills: every committed record is read back, in order, once, byte
//! for byte; what was under way is there as a whole or not at all; nothing counts as damaged.

use rand::SeedableRng;

use super::*;
use crate::disk::simulated::Crash;
use crate::{Durability, Report};

/// What the outside knows of a journal.
#[derive(Debug, Default)]
struct Known {
    committed: Vec<Entry>,
    /// In the batch, or in a commit of which nothing was heard.
    under_way: Vec<Entry>,
    snapshots: Vec<(Position, Vec<u8>)>,
    /// Of which nothing was heard.
    perhaps: Vec<(Position, Vec<u8>)>,
}

impl Known {
    /// One life of a journal: opened, checked, used, until the disk stops or it has been enough.
    fn live(&mut self, disk: &Simulated, settings: &Settings, chance: &mut ChaCha8Rng, steps: u32) {
        let Ok((mut journal, recovery)) = Journal::open(disk.clone(), settings.clone(), Stamp::default())
        else {
            assert!(disk.has_failed(), "only a disk that fails keeps a journal from opening");
            return;
        };
        let snapshot = recovery.snapshot.map(|snapshot| (snapshot.position, snapshot.bytes));
        let entries: Result<Vec<_>, _> = recovery.entries.collect();
        let Ok(entries) = entries else {
            assert!(disk.has_failed(), "{entries:?}");
            return;
        };
        self.check(snapshot, &entries, &recovery.report, settings.durability);
        for _ in 0..steps {
            if !self.step(&mut journal, chance) {
                break;
            }
            assert!(journal.bytes() <= settings.disk_bytes + 64 * 1024, "{}", journal.bytes());
        }
    }

    fn check(
        &mut self,
        snapshot: Option<(Position, Vec<u8>)>,
        entries: &[Entry],
        report: &Report,
        durability: Durability,
    ) {
        assert_eq!((&report.damaged, report.lost), (&Vec::new(), 0));
        let newest = self.snapshots.iter().map(|(position, _)| *position).max();
        assert!(snapshot.as_ref().map(|(position, _)| *position) >= newest, "{snapshot:?} {newest:?}");
        let mut from = Position(0);
        if let Some(snapshot) = snapshot {
            assert!(self.snapshots.contains(&snapshot) || self.perhaps.contains(&snapshot));
            from = snapshot.0;
            self.snapshots.push(snapshot);
        }
        let behind = |entry: &&Entry| entry.position() > from;
        let committed: Vec<_> = self.committed.iter().filter(behind).collect();
        if durability == Durability::Os && entries.len() < committed.len() {
            // A loss of power takes what no sync was asked for, from the end.
            assert!(entries.iter().eq(committed[..entries.len()].iter().copied()));
            let last = entries.last().map_or(from, Entry::position);
            self.committed.retain(|entry| entry.position() <= last);
        } else {
            assert!(entries.len() >= committed.len(), "{} of {}", entries.len(), committed.len());
            let (first, more) = entries.split_at(committed.len());
            assert!(first.iter().eq(committed), "what was committed");
            assert!(more.is_empty() || more == self.under_way, "a commit is there as a whole or not");
            self.committed.extend(more.iter().cloned());
        }
        self.under_way.clear();
        self.perhaps.clear();
    }

    /// Does something; `false` when nothing can be done any more.
    fn step(&mut self, journal: &mut Journal<Simulated>, chance: &mut ChaCha8Rng) -> bool {
        match chance.random_range(0..20) {
            0..10 => match append(journal, some_entry(chance)) {
                Ok(entry) => {
                    if let Some(before) = self.under_way.last().or(self.committed.last()) {
                        assert!(entry.position() > before.position(), "positions grow");
                        assert!(entry.received() >= before.received(), "receipt time never goes back");
                    }
                    self.under_way.push(entry);
                    true
                }
                Err(Refused::Poisoned(_)) => {
                    assert!(journal.commit().is_err(), "what is poisoned promises nothing");
                    false
                }
                Err(_) => true,
            },
            10..16 => match journal.commit() {
                Ok(position) => {
                    self.committed.append(&mut self.under_way);
                    assert_eq!(
                        Some(position),
                        self.committed.last().map(Entry::position).max(Some(position))
                    );
                    true
                }
                Err(_) => {
                    assert!(journal.poisoned().is_some());
                    false
                }
            },
            16 => {
                let Some(last) = self.committed.last().map(Entry::position) else { return true };
                let position = Position(last.0 - chance.random_range(0..=last.0.min(9)));
                if self.snapshots.iter().chain(&self.perhaps).any(|known| known.0 == position) {
                    return true;
                }
                let bytes = (0..chance.random_range(0..2000)).map(|_| chance.random()).collect();
                self.perhaps.push((position, bytes));
                let Ok(writer) = journal.snapshot_at(position) else { return true };
                let bytes = &self.perhaps.last().unwrap().1;
                if let Ok(written) = writer.write(bytes) {
                    self.snapshots.extend(self.perhaps.pop());
                    drop(journal.keep(written));
                }
                true
            }
            17..19 => {
                let last = self.committed.last().map_or(Position(0), Entry::position);
                drop(journal.release(Position(last.0.saturating_sub(chance.random_range(0..20)))));
                true
            }
            _ => {
                drop(journal.make_ready());
                true
            }
        }
    }
}

/// The lives of one journal, one after another.
fn lives(seed: u64, durability: Durability) {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let disk = Simulated::new(seed);
    let bytes = chance.random_range(8..64) * 512;
    let settings =
        Settings { durability, segment_bytes: bytes, disk_bytes: bytes * chance.random_range(4..40) };
    let (mut known, mut life) = (Known::default(), disk.clone());
    for _ in 0..chance.random_range(2..8) {
        match chance.random_range(0..5) {
            0 => life.fail_sync_after(chance.random_range(0..30)),
            1 => life.set_room(chance.random_range(0..bytes as usize * 8)),
            2 => {}
            _ => life.stop_after(chance.random_range(1..120)),
        }
        let steps = chance.random_range(0..200);
        known.live(&life, &settings, &mut chance, steps);
        let crash = Crash::ALL[chance.random_range(0..Crash::ALL.len())];
        life = life.restart(crash);
    }
    known.live(&life, &settings, &mut chance, 0);
}

/// Runs many seeds; the one that fails is told.
fn with_seeds(seeds: std::ops::Range<u64>, test: impl Fn(u64) + std::panic::RefUnwindSafe) {
    for seed in seeds {
        if let Err(panic) = std::panic::catch_unwind(|| test(seed)) {
            eprintln!("the seed is {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn what_was_committed_outlives_every_crash() {
    with_seeds(0..3000, |seed| lives(seed, Durability::Fsync));
}

#[test]
fn without_syncs_a_beginning_outlives_every_crash() {
    with_seeds(0..2000, |seed| lives(seed, Durability::Os));
}

/// The same journal, stopped at each of its steps, and stopped again while it is opened.
#[test]
fn every_step_can_be_the_last() {
    let settings = Settings { disk_bytes: 64 * 1024, ..small() };
    let run = |stop: Option<u64>, crash: Crash, again: u64| {
        let (disk, mut chance) = (Simulated::new(again), ChaCha8Rng::seed_from_u64(7));
        let mut known = Known::default();
        if let Some(stop) = stop {
            disk.stop_after(stop);
        }
        known.live(&disk, &settings, &mut chance, 150);
        let steps = disk.steps();
        let second = disk.restart(crash);
        second.stop_after(again);
        known.live(&second, &settings, &mut chance, 10);
        let third = second.restart(crash);
        known.live(&third, &settings, &mut chance, 10);
        known.live(&third.restart(Crash::Lost), &settings, &mut chance, 0);
        steps
    };
    let steps = run(None, Crash::Killed, 1000);
    assert!(steps > 100, "{steps}");
    for stop in 1..steps {
        for crash in Crash::ALL {
            run(Some(stop), crash, stop % 23 + 1);
        }
    }
}
