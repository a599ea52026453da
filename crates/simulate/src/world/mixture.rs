//! The training mixture.

use std::collections::BTreeMap;

use super::SHIPPED;

/// The mixture as data: a map from worlds to weights.
const MIXTURE: &str = include_str!("../../worlds/mixture.yaml");

/// The shipped worlds of the training mixture with their weights, which sum to one.
#[must_use]
pub fn mixture() -> Vec<(&'static str, f64)> {
    let weights = weights().unwrap_or_default();
    let sum: f64 = weights.values().sum();
    let share = |name: &'static str| Some((name, weights.get(name)? / sum));
    SHIPPED.iter().filter_map(|(name, _)| share(name)).collect()
}

fn weights() -> Result<BTreeMap<String, f64>, yaml_serde::Error> {
    yaml_serde::from_str(MIXTURE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_world_of_the_mixture_is_shipped_and_the_weights_sum_to_one() {
        let (stated, mixture) = (weights().unwrap(), mixture());
        let names: Vec<_> = mixture.iter().map(|(name, _)| *name).collect();
        for name in stated.keys() {
            assert!(names.contains(&name.as_str()), "{name} is no shipped world");
        }
        assert!((mixture.iter().map(|(_, weight)| weight).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(mixture.iter().all(|(_, weight)| *weight > 0.0));
        assert!((mixture[0].1 - 6.0 / 22.0).abs() < 1e-12 && mixture[0].0 == "baseline");
    }

    #[test]
    fn offices_attacks_and_variants_lie_outside() {
        let mixture = mixture();
        let outside = ["corporate_network", "attack"].into_iter();
        for name in outside.chain(super::super::VARIANTS.iter().map(|(name, _)| *name)) {
            assert!(mixture.iter().all(|(inside, _)| *inside != name), "{name}");
        }
    }
}
