//! A mix: several things, each with its weight.

use authstitch_model::document::Fields;
use serde_json::Value;

use crate::random::Dice;

/// Several things, each with its share; the shares sum to one, and the mix is never empty.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mix<T>(Vec<(T, f64)>);

impl<T> Mix<T> {
    /// This one thing.
    pub(crate) fn only(thing: T) -> Self {
        Self(vec![(thing, 1.0)])
    }

    /// The mix of these weights; `None` if they are all zero.
    pub(crate) fn new(weights: Vec<(T, f64)>) -> Option<Self> {
        let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
        (sum > 0.0).then(|| Self(weights.into_iter().map(|(thing, weight)| (thing, weight / sum)).collect()))
    }

    /// Reads a map from codes to weights.
    pub(crate) fn read(
        fields: &Fields<'_>,
        key: &'static str,
        accepted: &str,
        default: Self,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Self {
        if !fields.has(key) {
            return default;
        }
        let weights = fields.weights(key, 0.0..=1e6, accepted, parse);
        let understood = !weights.is_empty() || fields.get(key).is_some_and(is_empty_map);
        Self::new(weights).unwrap_or_else(|| {
            if understood {
                fields.problem(key, "nothing has a weight above zero; at least one is needed");
            }
            default
        })
    }

    /// One of them, by the shares.
    pub(crate) fn pick(&self, dice: &mut Dice) -> &T {
        let mut left = dice.unit();
        for (thing, share) in &self.0 {
            if left < *share {
                return thing;
            }
            left -= share;
        }
        &self.0[self.0.len() - 1].0
    }

    /// The things with their shares, which sum to one.
    pub(crate) fn shares(&self) -> impl Iterator<Item = (&T, f64)> {
        self.0.iter().map(|(thing, share)| (thing, *share))
    }

    /// The things, without their shares.
    pub(crate) fn things(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(thing, _)| thing)
    }
}

fn is_empty_map(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// The codes of a closed set as one text, for the message of a problem.
pub(crate) fn listed<'a>(codes: impl Iterator<Item = &'a str>) -> String {
    codes.collect::<Vec<_>>().join(", ")
}
