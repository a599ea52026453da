//! A block: eight attempts with whole chains of retries, made from (world, seed, block number) alone.
//!
//! An attempt starts at its slot plus jitter; one that tries again starts a gap after the attempt before it.
//! The last attempt of a block has no retry, for there is no room for one.

use std::sync::Arc;

use authstitch_model::truth::TruthLine;
use authstitch_model::{EndAct, Flow, Millis, Outcome, UnixNanos};

use crate::caps::{self, BLOCK_ATTEMPTS};
use crate::emission::Emission;
use crate::faults::Faults;
use crate::life::{self, Person, Stopped, Story};
use crate::load::Load;
use crate::observer::Ceilings;
use crate::random::{Dice, Stream, after};
use crate::stack::{self, KeyValues, Scene, Visit, base64url};
use crate::truth;
use crate::world::{Day, Timing, World};

/// When the first attempt of every world starts: 2026-01-01T00:00:00Z.
pub const EPOCH: UnixNanos = UnixNanos(1_767_225_600_000_000_000);

/// A world under a seed: all its attempts, each made when it is asked for.
#[derive(Clone, Debug)]
pub struct Simulation {
    world: Arc<World>,
    seed: u64,
    /// When the first slot begins.
    epoch: UnixNanos,
    load: Load,
    day: Option<Day>,
    /// Those who write into the truth what could have been known.
    ceilings: Option<Arc<Ceilings>>,
}

/// Which blocks one of several senders makes: every `of`-th, from its own on. Together they make all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    index: u64,
    pub(crate) of: u64,
}

impl Share {
    /// All blocks.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// The share number `index`, counted from 1, of `of`; `None` if there is no such one.
    #[must_use]
    pub fn new(index: u64, of: u64) -> Option<Self> {
        (1..=of.min(caps::SHARES)).contains(&index).then(|| Self { index: index - 1, of })
    }

    /// Whether a block belongs to it.
    pub(crate) const fn has(self, block: u64) -> bool {
        block % self.of == self.index
    }
}

/// Eight attempts: what really happened, and what of their telemetry arrives.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The truth of each attempt, in their order.
    pub attempts: Vec<TruthLine>,
    /// The records that arrive, duplicates included, in no particular order.
    pub emissions: Vec<Emission>,
}

/// What one attempt hands to the next of the same person.
struct Chain {
    first: u64,
    previous: u64,
    person: Person,
    visit: Visit,
    flow: Flow,
    starts: UnixNanos,
    standing: Option<Stopped>,
}

impl Simulation {
    /// The attempts of a world under a seed.
    #[must_use]
    pub fn new(world: impl Into<Arc<World>>, seed: u64) -> Self {
        let world = world.into();
        let (load, day) = (Load::Constant { rate: world.pace.attempts_per_second }, world.pace.day);
        Self { world, seed, epoch: EPOCH, load, day, ceilings: None }
    }

    /// The same attempts under this load instead of the world's pace, and without the quiet between its days.
    #[must_use]
    pub fn under(mut self, load: Load) -> Self {
        self.load = load;
        self.day = None;
        self
    }

    /// The same attempts, the first of them starting at this time instead of [`EPOCH`].
    #[must_use]
    pub const fn starting_at(mut self, epoch: UnixNanos) -> Self {
        self.epoch = epoch;
        self
    }

    /// The same attempts, this one's slot beginning at this time.
    #[must_use]
    pub fn with_slot_at(self, attempt: u64, time: UnixNanos) -> Self {
        let until = self.slot(attempt).0.saturating_sub(self.epoch.0);
        self.starting_at(UnixNanos(time.0.saturating_sub(until)))
    }

    /// The same attempts as the world itself has them, from [`EPOCH`] on.
    pub(crate) fn at_own_pace(&self) -> Self {
        Self { ceilings: self.ceilings.clone(), ..Self::new(Arc::clone(&self.world), self.seed) }
    }

    /// How many attempts have their slot within this time from the start.
    #[must_use]
    pub fn attempts_within(&self, length: Millis) -> u64 {
        let end = self.epoch.plus(length);
        let (mut low, mut high) = (0, 1);
        while self.slot(high) < end {
            (low, high) = (high, high * 2);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if self.slot(middle) < end { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The same attempts without the quiet between the world's days.
    #[must_use]
    pub const fn without_nights(mut self) -> Self {
        self.day = None;
        self
    }

    /// The same attempts, and in the truth of each the posteriors of both ideal observers. That takes a hundred
    /// times as long.
    #[must_use]
    pub fn with_ceilings(mut self) -> Self {
        self.ceilings = Some(Arc::new(Ceilings::under_training_mixture(&self.world)));
        self
    }

    /// The world.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The seed.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// When the slot of an attempt begins; nothing of its block is sent before the block's first slot.
    #[must_use]
    pub fn slot(&self, attempt: u64) -> UnixNanos {
        let block = attempt / BLOCK_ATTEMPTS;
        let (day, in_day) = self.day.map_or((0, block), |day| (block / day.blocks, block % day.blocks));
        let length = self.day.map_or(0, |day| day.length.nanos());
        let morning = UnixNanos(self.epoch.0 + day * length);
        after(morning, self.load.slot_s(in_day * BLOCK_ATTEMPTS + attempt % BLOCK_ATTEMPTS))
    }

    /// One block, whatever other blocks were made before.
    #[must_use]
    pub fn block(&self, number: u64) -> Block {
        let dice = |stream| Dice::new(self.seed, stream, [number, 0, 0]);
        let (mut lives, mut stack, mut noise) =
            (dice(Stream::Life), dice(Stream::Stack), dice(Stream::Noise));
        let mut faults = Faults::new(&self.world, self.seed);
        let mut chain: Option<Chain> = None;
        let mut attempts = Vec::with_capacity(BLOCK_ATTEMPTS as usize);
        for attempt in number * BLOCK_ATTEMPTS..(number + 1) * BLOCK_ATTEMPTS {
            let retry = chain.is_some();
            let link = chain.take().unwrap_or_else(|| self.begin(attempt, &mut lives, &mut stack));
            let story =
                life::live(&self.world, &link.person, link.flow, link.starts, link.standing, &mut lives);
            let mut visit = link.visit;
            self.issue(attempt, &story, &mut visit, &mut stack);
            let scene = Scene { world: &self.world, person: &link.person, visit: &visit, story: &story };
            let outgoing = stack::emit(&scene, &mut stack, &mut noise);
            let fates = faults.strike(attempt, link.first, visit.style.sampling, outgoing);
            let previous = retry.then_some(link.previous);
            attempts.push(truth::line(&scene, attempt, previous, fates));
            let room = (attempt + 1) % BLOCK_ATTEMPTS != 0;
            chain = Some(Chain { first: link.first, previous: attempt, visit, ..link })
                .filter(|_| room && lives.chance(self.world.people.retry.share(story.outcome())))
                .map(|link| self.again(link, attempt + 1, &story, &mut lives, &mut stack));
        }
        let mut block = Block { attempts, emissions: faults.into_emissions() };
        if let Some(ceilings) = &self.ceilings {
            ceilings.fill(&mut block);
        }
        block
    }

    /// A person comes for the first time.
    fn begin(&self, attempt: u64, lives: &mut Dice, stack: &mut Dice) -> Chain {
        let person = Person::meet(&self.world, lives);
        let flow = *person.segment.mix.pick(lives);
        let starts = after(self.slot(attempt), lives.between(0.0, self.world.pace.jitter_s));
        let telemetry = &self.world.telemetry;
        let visit = Visit {
            page: attempt,
            phone: attempt,
            relying_party: attempt / BLOCK_ATTEMPTS % self.world.realms.relying_parties,
            style: telemetry.styles.pick(stack).clone(),
            phone_emits_in_passkey: stack.chance(telemetry.phone_emits_in_passkey),
            keys: KeyValues::fresh(stack),
            page_trace: stack.bytes(),
            phone_trace: stack.bytes(),
        };
        Chain { first: attempt, previous: attempt, person, visit, flow, starts, standing: None }
    }

    /// The same person comes again: a new login, in what stays of the old surroundings.
    fn again(&self, link: Chain, attempt: u64, story: &Story, lives: &mut Dice, stack: &mut Dice) -> Chain {
        let retry = &self.world.people.retry;
        let gap = retry.gap.draw(lives, Timing::PLAIN);
        let switches = story.end.act == EndAct::Switched && lives.chance(retry.with_other_flow);
        let flow = if switches { *link.person.segment.mix.pick(lives) } else { link.flow };
        let mishap =
            story.stopped.filter(|_| story.outcome() == Outcome::TechnicalFailure && flow == link.flow);
        let standing = mishap.filter(|stopped| life::stands(stopped.cause));
        let old = link.visit;
        let mut keys = KeyValues::fresh(stack);
        let fresh_trace: [u8; 16] = stack.bytes();
        let same_session = stack.chance(retry.same_session);
        if same_session {
            keys.page_session.clone_from(&old.keys.page_session);
        }
        keys.phone_session.clone_from(&old.keys.phone_session);
        if stack.chance(retry.same_container) {
            keys.container.clone_from(&old.keys.container);
        }
        let same_trace = stack.chance(retry.same_trace) && same_session;
        let visit = Visit {
            page: if story.end.act == EndAct::Closed { attempt } else { old.page },
            keys,
            page_trace: if same_trace { old.page_trace } else { fresh_trace },
            phone_trace: stack.bytes(),
            ..old
        };
        Chain { visit, flow, starts: after(story.end.at, gap), standing, ..link }
    }

    /// The server gives out a challenge and the codes that this story needs.
    fn issue(&self, attempt: u64, story: &Story, visit: &mut Visit, stack: &mut Dice) {
        let challenge: [u8; 32] = stack.bytes();
        visit.keys.challenge = (story.flow != Flow::MagicLink).then(|| base64url(&challenge));
        let codes = match story.flow {
            Flow::PasskeyCda => 0,
            _ => story.codes.len().max(1),
        };
        let mut dice = Dice::new(self.seed, Stream::Codes, [self.code_number(attempt), 0, 0]);
        visit.keys.codes = (0..codes).map(|_| dice.token(20)).collect();
    }

    /// Where codes are reused, those of one relying party come again at the others, and every day anew.
    fn code_number(&self, attempt: u64) -> u64 {
        if !self.world.realms.codes_reused {
            return attempt;
        }
        let (block, place) = (attempt / BLOCK_ATTEMPTS, attempt % BLOCK_ATTEMPTS);
        let in_day = self.day.map_or(block, |day| block % day.blocks);
        in_day / self.world.realms.relying_parties * BLOCK_ATTEMPTS + place
    }
}
