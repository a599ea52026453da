//! The training mixture.

use super::SHIPPED;

/// The mixture as data.
const MIXTURE: &str = include_str!("../../worlds/mixture.yaml");

/// The shipped worlds of the training mixture with their weights, which sum to one.
#[must_use]
pub fn mixture() -> Vec<(&'static str, f64)> {
    let weights = weights(MIXTURE);
    let known = |name: &str| SHIPPED.iter().map(|(known, _)| *known).find(|known| *known == name);
    let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
    weights.iter().filter_map(|(name, weight)| Some((known(name)?, weight / sum))).collect()
}

/// Names and weights as they stand in the file, in its order.
fn weights(text: &str) -> Vec<(String, f64)> {
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    lines
        .filter(|(name, _)| !name.starts_with('#'))
        .filter_map(|(name, weight)| Some((name.to_owned(), weight.trim().parse().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_mixture_is_a_shipped_world_with_a_weight() {
        let lines = MIXTURE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        let mixture = mixture();
        assert_eq!(mixture.len(), lines);
        assert!((mixture.iter().map(|(_, weight)| weight).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(mixture.iter().all(|(_, weight)| *weight > 0.0));
    }
}
