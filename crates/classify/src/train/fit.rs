//! The weights of one flow: the maximum of the penalised likelihood, found by L-BFGS from zero.
//!
//! The function is concave, so there is one maximum and the way to it does not matter. Sums run in the order of
//! the examples.

use authstitch_model::Cause;

use super::example::Example;
use super::math::{exp, ln};
use crate::by_cause::ByCause;
use crate::feature::{Known, VALUES};
use crate::likelihood::{came_so_far, open, silence_between};
use crate::tables::FlowTable;

const CAUSES: usize = Cause::COUNT;
/// What an excluded cause has in place of a logarithm.
const EXCLUDED: f64 = -1e9;
/// Steps after which the fit ends in any case.
const STEPS: usize = 150;
/// The relative gain below which a step is the last one.
const ENOUGH: f64 = 3e-6;
/// Pairs of steps that are remembered.
const MEMORY: usize = 8;
/// Weights smaller than this are left out.
const SMALL: f64 = 0.01;
/// Weights are rounded to so many parts of a nat.
const PARTS: f64 = 100.0;

/// The examples of one flow, as numbers.
struct Data {
    /// Log prior and log silence; [`EXCLUDED`] where a rule excludes.
    base: Vec<[f64; CAUSES]>,
    /// Rows of the weights, by example.
    rows: Vec<Vec<u32>>,
    truth: Vec<usize>,
    weight: Vec<f64>,
    /// The value that each row stands for.
    value_of: Vec<Known>,
}

/// Fits the weights to the examples that no rule decides.
pub fn fit(examples: &[&Example], table: &mut FlowTable, shared_fate: f32, penalty: f64) {
    let data = Data::new(examples, table, shared_fate);
    if data.truth.is_empty() {
        return;
    }
    let weights = maximise(&data, penalty);
    let mut rows: Vec<_> = data.value_of.iter().zip(weights.chunks_exact(CAUSES)).collect();
    rows.sort_by_key(|(known, _)| known.row());
    for (known, weights) in rows {
        let mut nats = ByCause::all(0.0);
        for (nats, weight) in nats.iter_mut().zip(weights) {
            if weight.abs() >= SMALL {
                *nats = ((weight * PARTS).round() / PARTS) as f32;
            }
        }
        if nats.iter().any(|weight| *weight != 0.0) {
            table.weights.set(*known, nats);
        }
    }
}

impl Data {
    fn new(examples: &[&Example], table: &FlowTable, shared_fate: f32) -> Self {
        let mut data = Self {
            base: Vec::new(),
            rows: Vec::new(),
            truth: Vec::new(),
            weight: Vec::new(),
            value_of: Vec::new(),
        };
        let mut row_of = vec![u32::MAX; VALUES];
        for example in examples.iter().filter(|example| !example.decided && example.is_left()) {
            let silence = silence_between(example.flow, example.known, &example.losses, table, shared_fate);
            let came = came_so_far(&open(example.passed, &silence), table);
            let mut base = [EXCLUDED; CAUSES];
            for cause in example.left.iter().map(Cause::index) {
                let came = if example.decisive { 1.0 } else { came[cause] };
                let start = f64::from(table.prior.shares[cause]) * f64::from(came);
                if start > 0.0 {
                    base[cause] = ln(start);
                }
            }
            let truth = example.label.cause.index();
            if base[truth] == EXCLUDED {
                continue;
            }
            let rows = example.values.iter().map(|known| {
                let row = &mut row_of[known.row()];
                if *row == u32::MAX {
                    *row = data.value_of.len() as u32;
                    data.value_of.push(*known);
                }
                *row
            });
            data.rows.push(rows.collect());
            data.base.push(base);
            data.truth.push(truth);
            data.weight.push(example.label.weight);
        }
        data
    }

    /// The penalised loss in nats, and its gradient; with `curvature` its second derivative along each axis.
    fn loss(
        &self,
        weights: &[f64],
        penalty: f64,
        gradient: &mut [f64],
        mut curvature: Option<&mut Vec<f64>>,
    ) -> f64 {
        let mut loss = 0.0;
        for (gradient, weight) in gradient.iter_mut().zip(weights) {
            *gradient = penalty * weight;
            loss += 0.5 * penalty * weight * weight;
        }
        for (nth, rows) in self.rows.iter().enumerate() {
            let mut shares = self.base[nth];
            for row in rows {
                add(&mut shares, line(weights, *row));
            }
            let truth = self.truth[nth];
            let greatest = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let of_truth = shares[truth] - greatest;
            shares.iter_mut().for_each(|share| *share = exp((*share - greatest).max(-701.0)));
            let sum: f64 = shares.iter().sum();
            let counts = self.weight[nth];
            loss += counts * (ln(sum) - of_truth);
            shares.iter_mut().for_each(|share| *share *= counts / sum);
            if let Some(curvature) = curvature.as_deref_mut() {
                let bent = shares.map(|share| share * (1.0 - share / counts));
                for row in rows {
                    add(line_mut(curvature, *row), &bent);
                }
            }
            shares[truth] -= counts;
            for row in rows {
                add(line_mut(gradient, *row), &shares);
            }
        }
        loss
    }
}

fn line(weights: &[f64], row: u32) -> &[f64] {
    &weights[row as usize * CAUSES..(row as usize + 1) * CAUSES]
}

fn line_mut(weights: &mut [f64], row: u32) -> &mut [f64] {
    &mut weights[row as usize * CAUSES..(row as usize + 1) * CAUSES]
}

fn add(sum: &mut [f64], other: &[f64]) {
    for (sum, other) in sum.iter_mut().zip(other) {
        *sum += other;
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// A step, and by how much the gradient changed along it.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    product: f64,
}

/// L-BFGS, scaled by the curvature at the start.
fn maximise(data: &Data, penalty: f64) -> Vec<f64> {
    let size = data.value_of.len() * CAUSES;
    let mut weights = vec![0.0; size];
    let mut gradient = vec![0.0; size];
    let mut curvature = vec![penalty; size];
    let mut loss = data.loss(&weights, penalty, &mut gradient, Some(&mut curvature));
    let mut memory: Vec<Pair> = Vec::new();
    for _ in 0..STEPS {
        let direction = direction(&gradient, &curvature, &memory);
        let slope = dot(&direction, &gradient);
        let mut length = if memory.is_empty() { 0.1 } else { 1.0 };
        let mut next_gradient = vec![0.0; size];
        let (next, next_loss) = loop {
            let next: Vec<_> =
                weights.iter().zip(&direction).map(|(weight, along)| weight + length * along).collect();
            let next_loss = data.loss(&next, penalty, &mut next_gradient, None);
            if next_loss <= loss + 1e-4 * length * slope || length < 1e-6 {
                break (next, next_loss);
            }
            length *= 0.4;
        };
        let step = difference(&next, &weights);
        let change = difference(&next_gradient, &gradient);
        let product = dot(&step, &change);
        if product > 0.0 {
            if memory.len() == MEMORY {
                memory.remove(0);
            }
            memory.push(Pair { step, change, product });
        }
        let gain = loss - next_loss;
        (weights, gradient, loss) = (next, next_gradient, next_loss);
        if gain < ENOUGH * loss.abs() {
            break;
        }
    }
    weights
}

/// The two-loop recursion.
fn direction(gradient: &[f64], curvature: &[f64], memory: &[Pair]) -> Vec<f64> {
    let mut direction: Vec<_> = gradient.iter().map(|slope| -slope).collect();
    let mut shares = vec![0.0; memory.len()];
    for (pair, share) in memory.iter().zip(&mut shares).rev() {
        *share = dot(&pair.step, &direction) / pair.product;
        direction.iter_mut().zip(&pair.change).for_each(|(along, change)| *along -= *share * change);
    }
    let scale = memory.last().map_or(1.0, |pair| {
        let bent =
            pair.change.iter().zip(curvature).map(|(change, bent)| change * change / bent).sum::<f64>();
        pair.product / bent.max(f64::MIN_POSITIVE)
    });
    for (along, bent) in direction.iter_mut().zip(curvature) {
        *along *= scale / bent;
    }
    for (pair, share) in memory.iter().zip(&shares) {
        let back = dot(&pair.change, &direction) / pair.product;
        direction.iter_mut().zip(&pair.step).for_each(|(along, step)| *along += (share - back) * step);
    }
    direction
}
