//! Two observers who know how the world works, and what they make of what arrived: the ceilings of every
//! classifier.
//!
//! - The *ideal* observer knows the world that made the telemetry.
//! - The *blind* one knows the training mixture and not which of its worlds it sees, and is applied unchanged
//!   to worlds outside of it.
//!
//! Both see the mapped fields of every surviving event with its receipt time, under the true grouping, of one
//! chain of attempts alone; never the truth. They sum over what was hidden, lost or sampled away: the segment,
//! the instrumentation, the transport, the browser's limit, the steps that nobody told of, mishaps that were
//! overcome, and obstacles that still stand when the person tries again. Times that nobody told are integrated
//! numerically, at points spread evenly over their laws.
//!
//! What they neglect, each of it small: a second mishap overcome on one step; several unreported ones in a row
//! before a phase that was seen; the few instrumented phones in passkey logins that say nothing; doubt in a
//! clock's offset, which is settled before the walk and then only blurred; unread records between the events of
//! a login, which also tell that a batch arrived; the moments of tries and echoes.

mod chain;
mod density;
mod model;
mod offset;
mod seen;
mod traces;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;

use authstitch_model::line::CauseShare;
use authstitch_model::{AuthEvent, Cause, Secret, UnixNanos};
use authstitch_otlp::{Encoding, Mapping, decode};

use crate::block::Block;
use crate::emission::{Content, Emission, Scope};
use crate::request::Request;
use crate::world::{World, mixture};
use chain::{Weighed, weigh};
use model::Model;
use seen::Sighting;

#[cfg(test)]
mod tests;

/// Probabilities below this are left out of a posterior's line.
const SMALLEST_SHARE: f64 = 1e-7;

/// Both observers of one world.
#[derive(Debug)]
pub struct Ceilings {
    own: Model,
    /// The worlds of the training mixture with their weights.
    mixture: Vec<(Model, f64)>,
    /// Which of them is the world itself.
    itself: Option<usize>,
    mapping: Mapping,
}

impl Ceilings {
    /// The observers of `world`; the blind one believes in `mixture`, worlds with their weights.
    #[must_use]
    pub fn new(world: &Arc<World>, mixture: &[(Arc<World>, f64)]) -> Self {
        Self {
            own: Model::new(world),
            itself: mixture.iter().position(|(known, _)| known == world),
            mixture: mixture.iter().map(|(world, weight)| (Model::new(world), *weight)).collect(),
            mapping: Mapping::new(Secret::PUBLIC),
        }
    }

    /// The observers of `world`; the blind one believes in the shipped training mixture.
    #[must_use]
    pub fn under_training_mixture(world: &Arc<World>) -> Self {
        let shipped = |name| World::from_yaml(World::shipped(name).unwrap_or_default()).ok().map(Arc::new);
        let worlds = mixture().into_iter().filter_map(|(name, weight)| Some((shipped(name)?, weight)));
        Self::new(world, &worlds.collect::<Vec<_>>())
    }

    /// Writes both posteriors into the truth of a block's attempts; an attempt of which nothing arrived has
    /// none.
    pub fn fill(&self, block: &mut Block) {
        self.fill_from(block, 0.0);
    }

    /// The same from other points, which shows how exact the integrals are.
    fn fill_from(&self, block: &mut Block, turn: f64) {
        let mut sightings = self.sightings(&block.emissions);
        let mut chains: Vec<Vec<usize>> = Vec::new();
        for (place, line) in block.attempts.iter().enumerate() {
            let before = line.previous_attempt.is_some();
            match chains.last_mut().filter(|_| before) {
                Some(chain) => chain.push(place),
                None => chains.push(vec![place]),
            }
        }
        for mut chain in chains {
            chain.retain(|place| sightings.contains_key(&block.attempts[*place].attempt));
            if chain.is_empty() {
                continue;
            }
            let seen: Vec<Vec<Sighting>> = chain
                .iter()
                .map(|place| sightings.remove(&block.attempts[*place].attempt).unwrap_or_default())
                .collect();
            let own = weigh(&self.own, &seen, turn);
            let blind = self.blind(&seen, &own, turn);
            for (nth, place) in chain.into_iter().enumerate() {
                block.attempts[place].ideal = Some(shares(&own.causes[nth]));
                block.attempts[place].ideal_blind = blind.as_ref().map(|blind| shares(&blind[nth]));
            }
        }
    }

    /// The posterior over all worlds of the mixture, by what each makes of the chain.
    fn blind(&self, seen: &[Vec<Sighting>], own: &Weighed, turn: f64) -> Option<Vec<[f64; Cause::COUNT]>> {
        let found: Vec<Weighed> = self
            .mixture
            .iter()
            .enumerate()
            .map(|(nth, (model, _))| match self.itself {
                Some(itself) if itself == nth => {
                    Weighed { causes: own.causes.clone(), log_likelihood: own.log_likelihood }
                }
                _ => weigh(model, seen, turn),
            })
            .collect();
        let greatest = found.iter().map(|found| found.log_likelihood).fold(f64::NEG_INFINITY, f64::max);
        let mut sum = vec![[0.0; Cause::COUNT]; seen.len()];
        for (found, (_, weight)) in found.iter().zip(&self.mixture) {
            let likely = weight * (found.log_likelihood - greatest).exp();
            for (sum, causes) in sum.iter_mut().zip(&found.causes) {
                for (sum, share) in sum.iter_mut().zip(causes) {
                    *sum += likely * share;
                }
            }
        }
        (!self.mixture.is_empty()).then_some(sum)
    }

    /// What arrived of each attempt, as the receiver's mapping leaves it; of duplicates the first to arrive.
    fn sightings(&self, emissions: &[Emission]) -> BTreeMap<u64, Vec<Sighting>> {
        let mut sightings: BTreeMap<u64, Vec<Sighting>> = BTreeMap::new();
        for emission in emissions.iter().filter(|emission| emission.copy == 0) {
            let (Content::Span { scope, .. } | Content::Log { scope, .. }) = &emission.content;
            if *scope == Scope::Other {
                continue;
            }
            if let Some(event) = self.mapped(emission) {
                let arrives = emission.arrives;
                sightings.entry(emission.attempt).or_default().push(Sighting { event, arrives });
            }
        }
        for of_attempt in sightings.values_mut() {
            of_attempt.sort_by_key(|seen| (seen.event.time, seen.arrives));
        }
        sightings
    }

    fn mapped(&self, emission: &Emission) -> Option<AuthEvent> {
        let signal = emission.content.signal();
        let request = Request::new(UnixNanos(0), signal, vec![emission.clone()]);
        let mut events = Vec::with_capacity(1);
        decode(signal, Encoding::Protobuf, &request.encode_protobuf(), &self.mapping, &mut events).ok()?;
        events.pop()
    }
}

fn shares(causes: &[f64; Cause::COUNT]) -> Vec<CauseShare> {
    let sum: f64 = causes.iter().sum();
    let mut shares: Vec<CauseShare> = Cause::ALL
        .iter()
        .map(|cause| CauseShare {
            cause: *cause,
            probability: if sum > 0.0 { causes[cause.index()] / sum } else { 1.0 / Cause::COUNT as f64 },
        })
        .filter(|share| share.probability >= SMALLEST_SHARE)
        .collect();
    shares.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    shares
}
