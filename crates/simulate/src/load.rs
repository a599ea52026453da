//! How many attempts start a second, as a shape over time.

use authstitch_model::Millis;

/// The rate at which attempts start, in attempts a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Load {
    /// Always the same.
    Constant {
        /// Attempts a second.
        rate: f64,
    },
    /// From one rate to another in a straight line, then the last one.
    Ramp {
        /// Attempts a second at the start.
        from: f64,
        /// Attempts a second at the end.
        to: f64,
        /// Seconds until then.
        over_s: f64,
    },
    /// A rate that changes by a step each time.
    Step {
        /// Attempts a second at the start.
        from: f64,
        /// Attempts a second more at each step.
        by: f64,
        /// Seconds from step to step.
        every_s: f64,
    },
}

/// Rates below this would never come to the second attempt.
const LEAST_RATE: f64 = 0.001;
const GREATEST_RATE: f64 = 10_000_000.0;

impl Load {
    /// Reads `constant:R`, `ramp:R1..R2/D` or `step:R1+dR/D`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rate =
            |text: &str| text.parse::<f64>().ok().filter(|rate| (LEAST_RATE..=GREATEST_RATE).contains(rate));
        let seconds =
            |text| Millis::parse(text).filter(|length| length.0 > 0).map(|length| length.0 as f64 / 1000.0);
        let (shape, rest) = text.split_once(':')?;
        match shape {
            "constant" => Some(Self::Constant { rate: rate(rest)? }),
            "ramp" => {
                let (rates, over) = rest.split_once('/')?;
                let (from, to) = rates.split_once("..")?;
                Some(Self::Ramp { from: rate(from)?, to: rate(to)?, over_s: seconds(over)? })
            }
            "step" => {
                let (rates, every) = rest.split_once('/')?;
                let (from, by) = rates.split_once('+')?;
                Some(Self::Step { from: rate(from)?, by: rate(by)?, every_s: seconds(every)? })
            }
            _ => None,
        }
    }

    /// Seconds from the start to the slot of an attempt: where the rate's integral reaches its number.
    #[must_use]
    pub fn slot_s(self, attempt: u64) -> f64 {
        let wanted = attempt as f64;
        match self {
            Self::Constant { rate } => wanted / rate,
            Self::Ramp { from, to, over_s } => {
                let in_ramp = (from + to) / 2.0 * over_s;
                let slope = (to - from) / over_s;
                if wanted >= in_ramp {
                    over_s + (wanted - in_ramp) / to
                } else if slope.abs() < 1e-12 {
                    wanted / from
                } else {
                    ((from * from + 2.0 * slope * wanted).sqrt() - from) / slope
                }
            }
            Self::Step { from, by, every_s } => {
                // After k steps k·from + by·k·(k−1)/2 slots a unit of `every_s` have passed.
                let (linear, units) = (from - by / 2.0, wanted / every_s);
                let passed = ((linear * linear + 2.0 * by * units).sqrt() - linear) / by;
                let steps = passed.floor();
                let before = (steps * linear + by * steps * steps / 2.0) * every_s;
                steps * every_s + (wanted - before) / (from + steps * by)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_shapes_are_read() {
        assert_eq!(Load::parse("constant:50"), Some(Load::Constant { rate: 50.0 }));
        assert_eq!(Load::parse("ramp:1..9/2m"), Some(Load::Ramp { from: 1.0, to: 9.0, over_s: 120.0 }));
        assert_eq!(Load::parse("step:10+5/30s"), Some(Load::Step { from: 10.0, by: 5.0, every_s: 30.0 }));
        for wrong in
            ["", "constant", "constant:0", "constant:-1", "ramp:1..2", "step:1/3s", "ramp:1..2/0s", "sine:3"]
        {
            assert_eq!(Load::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn slots_follow_the_integral_of_the_rate() {
        assert_eq!(Load::Constant { rate: 4.0 }.slot_s(10), 2.5);
        // 10 a second for 2 s, then 15, then 20: 20 attempts, then 30, then 40.
        let step = Load::Step { from: 10.0, by: 5.0, every_s: 2.0 };
        for (attempt, second) in [(0, 0.0), (10, 1.0), (20, 2.0), (35, 3.0), (50, 4.0), (90, 6.0)] {
            assert!((step.slot_s(attempt) - second).abs() < 1e-9, "{attempt}: {}", step.slot_s(attempt));
        }
        // From 0.001 to 20 a second in 10 s: a hundred attempts, then 20 a second.
        let ramp = Load::Ramp { from: 0.001, to: 20.0, over_s: 10.0 };
        assert!((ramp.slot_s(100) - 10.0).abs() < 0.01);
        assert!((ramp.slot_s(120) - 11.0).abs() < 0.01);
        assert!((ramp.slot_s(25) - 5.0).abs() < 0.01);
    }

    #[test]
    fn slots_never_go_back() {
        for load in ["constant:3", "ramp:9..1/1m", "ramp:1..90/5s", "step:1+2/3s"]
            .map(|text| Load::parse(text).unwrap())
        {
            let slots: Vec<_> = (0..2000).map(|attempt| load.slot_s(attempt)).collect();
            assert!(slots.is_sorted(), "{load:?}");
        }
    }
}
