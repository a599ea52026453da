//! The engines of all shards together, before they run on threads of their own: made new, or from a snapshot, fed with
//! what the journal kept.
//!
//! A snapshot of all of them is: the version of this form, the number of shards, what decided then, and the bytes of
//! each engine, every part with its length before it, numbers with the least significant byte first.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};

use authstitch_engine::{self as engine, Effect, Engine, StitchSettings, shard_of};
use authstitch_model::{AuthEvent, Forget, Record, RecordBody};

/// The version of the form.
const VERSION: u32 = 1;

/// An engine for each shard, and what decides in them.
#[derive(Debug)]
pub(crate) struct Engines {
    /// The bound on journeys is that of all together, whichever realms have them.
    settings: engine::Settings,
    shards: NonZero<u32>,
    engines: Vec<Engine>,
}

/// Why a snapshot does not become engines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It was made by another number of shards.
    Shards(u32),
    /// It is none that this version reads, and why.
    Bytes(String),
}

impl Engines {
    /// Engines without journeys.
    pub(crate) fn new(settings: engine::Settings, shards: NonZero<u32>) -> Self {
        let of_one = of_one(&settings, shards);
        let engines = (0..shards.get()).map(|_| Engine::new(of_one.clone())).collect();
        Self { settings, shards, engines }
    }

    /// The engines that a snapshot is of, as many as are wanted.
    pub(crate) fn restore(snapshot: &[u8], wanted: Option<NonZero<u32>>) -> Result<Self, Unusable> {
        let cut_off = || Unusable::Bytes("it is cut off".into());
        let mut rest = snapshot;
        let version = number(&mut rest).ok_or_else(cut_off)?;
        if version != VERSION {
            let why = format!("it has version {version}, and this program reads {VERSION}");
            return Err(Unusable::Bytes(why));
        }
        let count = number(&mut rest).ok_or_else(cut_off)?;
        let there = NonZero::new(count).filter(|there| wanted.is_none_or(|wanted| wanted == *there));
        let shards = there.ok_or(Unusable::Shards(count))?;
        let settings = part(&mut rest).ok_or_else(cut_off)?;
        let settings = engine::Settings::from_bytes(settings).map_err(Unusable::Bytes)?;
        let of_one = of_one(&settings, shards);
        let mut engines = Vec::new();
        for _ in 0..count {
            let bytes = part(&mut rest).ok_or_else(cut_off)?;
            let engine =
                Engine::restore(of_one.clone(), bytes).map_err(|error| Unusable::Bytes(error.to_string()))?;
            engines.push(engine);
        }
        Ok(Self { settings, shards, engines })
    }

    /// What decides.
    pub(crate) const fn settings(&self) -> &engine::Settings {
        &self.settings
    }

    /// Other settings decide from here on, over the same journeys.
    pub(crate) fn change(&mut self, settings: engine::Settings) -> Result<(), Unusable> {
        let of_one = of_one(&settings, self.shards);
        for engine in &mut self.engines {
            *engine = Engine::restore(of_one.clone(), &engine.snapshot())
                .map_err(|error| Unusable::Bytes(error.to_string()))?;
        }
        self.settings = settings;
        Ok(())
    }

    /// Feeds a record to the engines of its realms, but for the shards that pass it over.
    ///
    /// # Errors
    /// The shard whose engine panics on its part; then the engines are of no more use.
    pub(crate) fn step(
        &mut self,
        record: Record,
        passes_over: impl Fn(u32) -> bool,
        effects: &mut Vec<Effect>,
    ) -> Result<(), u32> {
        let Record { position, received, body } = record;
        let parts = match body {
            RecordBody::Events(events) => {
                spread(events, self.shards).into_iter().map(RecordBody::Events).collect()
            }
            RecordBody::Tick => vec![RecordBody::Tick; self.engines.len()],
        };
        for ((engine, body), shard) in self.engines.iter_mut().zip(parts).zip(0..) {
            let is_empty = matches!(&body, RecordBody::Events(events) if events.is_empty());
            if is_empty || passes_over(shard) {
                continue;
            }
            let part = Record { position, received, body };
            catch_unwind(AssertUnwindSafe(|| step(engine, part, effects))).map_err(|_panic| shard)?;
        }
        Ok(())
    }

    /// How many there are.
    pub(crate) const fn shards(&self) -> NonZero<u32> {
        self.shards
    }

    /// Forgets journeys for good.
    pub(crate) fn forget(&mut self, forget: &Forget) {
        self.engines.iter_mut().for_each(|engine| engine.forget(forget));
    }

    /// The engines, each for its thread.
    pub(crate) fn into_each(self) -> Vec<Engine> {
        self.engines
    }
}

/// Feeds an engine with its part of a record.
pub(crate) fn step(engine: &mut Engine, part: Record, effects: &mut Vec<Effect>) {
    #[cfg(test)]
    crate::tests::mines::step_on(&part);
    engine.step(part, effects);
}

/// The snapshot of all shards, from the bytes of each.
pub(crate) fn snapshot(settings: &engine::Settings, engines: &[Vec<u8>]) -> Vec<u8> {
    let settings = settings.to_bytes();
    let mut bytes = Vec::with_capacity(64 + settings.len() + engines.iter().map(Vec::len).sum::<usize>());
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend((engines.len() as u32).to_le_bytes());
    for part in std::iter::once(&settings).chain(engines) {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// Events by the shards of their realms, in their order.
pub(crate) fn spread(events: Vec<AuthEvent>, shards: NonZero<u32>) -> Vec<Vec<AuthEvent>> {
    let mut parts: Vec<Vec<AuthEvent>> = (0..shards.get()).map(|_| Vec::new()).collect();
    match parts.as_mut_slice() {
        [only] => *only = events,
        parts => {
            for event in events {
                parts[shard_of(&event.realm, shards) as usize].push(event);
            }
        }
    }
    parts
}

/// The settings of one engine among so many.
fn of_one(settings: &engine::Settings, shards: NonZero<u32>) -> engine::Settings {
    let journeys = settings.stitch.journeys.div_ceil(shards.get() as usize);
    engine::Settings { stitch: StitchSettings { journeys, ..settings.stitch }, ..settings.clone() }
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (number, behind) = rest.split_first_chunk::<4>()?;
    *rest = behind;
    Some(u32::from_le_bytes(*number))
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk::<8>()?;
    let (part, behind) = behind.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    *rest = behind;
    Some(part)
}
