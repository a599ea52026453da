//! The likeliest cause against the rest: which evidence moved its log odds, and by how much.
//!
//! The weights of all evidence, shown or not, add up to the log odds, within their bound.

use authstitch_model::verdict::{CauseSet, Weighed};
use authstitch_model::{Cause, Evidence, caps as model_caps};

use super::product::Product;
use crate::by_cause::ByCause;
use crate::caps;

/// The odds of one cause against the rest, while evidence is weighed.
pub struct Duel {
    product: Product,
    /// The evidence that is being weighed: neighbours of one kind count together.
    evidence: Evidence,
    /// The log odds before it.
    before: f32,
    weights: [f32; Evidence::COUNT],
    /// The evidence that has a weight, as bits by [`Evidence::index`].
    weighed: u64,
}

const _: () = assert!(Evidence::COUNT <= 64, "every kind of evidence is a bit");

impl Duel {
    /// Begins with the priors.
    #[inline]
    pub const fn begin(prior: &ByCause, cause: Cause) -> Self {
        Self {
            product: Product::but_one(*prior, cause),
            evidence: Evidence::Prior,
            before: 0.0,
            weights: [0.0; Evidence::COUNT],
            weighed: 0,
        }
    }

    /// The evidence of a matter that one ruling ended: before it the prior's log odds, after it no bound but ours.
    #[inline]
    pub fn ended(prior: f32, ruling: Evidence) -> [Option<Weighed>; model_caps::EVIDENCE_SHOWN] {
        let mut heaviest = [None; model_caps::EVIDENCE_SHOWN];
        insert(&mut heaviest, Evidence::Prior, prior);
        insert(&mut heaviest, ruling, caps::WEIGHT_NATS - prior);
        heaviest
    }

    /// A ruling excludes what is not left.
    #[inline]
    pub fn leave(&mut self, evidence: Evidence, left: CauseSet) {
        self.turn_to(evidence);
        self.product.leave(left);
    }

    /// Factors that move no cause by more nats than `reach`.
    #[inline]
    pub fn multiply(&mut self, evidence: Evidence, factors: &[&ByCause], reach: f32) {
        self.turn_to(evidence);
        self.product.multiply(factors, reach);
    }

    fn turn_to(&mut self, evidence: Evidence) {
        if evidence != self.evidence {
            self.settle();
            self.evidence = evidence;
        }
    }

    fn settle(&mut self) {
        let after = self.product.log_odds();
        self.weights[self.evidence.index()] += after - self.before;
        self.weighed |= 1 << self.evidence.index();
        self.before = after;
    }

    /// The evidence that moved the log odds most.
    #[inline]
    pub fn heaviest(mut self) -> [Option<Weighed>; model_caps::EVIDENCE_SHOWN] {
        self.settle();
        let mut heaviest = [None; model_caps::EVIDENCE_SHOWN];
        while self.weighed != 0 {
            let next = self.weighed.trailing_zeros() as usize;
            self.weighed &= self.weighed - 1;
            insert(&mut heaviest, Evidence::ALL[next], self.weights[next]);
        }
        heaviest
    }
}

/// Puts a piece of evidence that is worth showing before the first that is lighter.
fn insert(heaviest: &mut [Option<Weighed>], evidence: Evidence, weight: f32) {
    if weight.abs() <= caps::SHOWN_WEIGHT_NATS {
        return;
    }
    let mut piece = Weighed { evidence, weight };
    for place in heaviest {
        match place {
            Some(known) if known.weight.abs() >= piece.weight.abs() => {}
            Some(known) => std::mem::swap(known, &mut piece),
            None => {
                *place = Some(piece);
                return;
            }
        }
    }
}
