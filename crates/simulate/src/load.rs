//! How many attempts start a second, as a shape over time.

use std::sync::Arc;

use authstitch_model::Millis;

use crate::caps;

/// The rate at which attempts start, in attempts a second.
#[derive(Clone, Debug, PartialEq)]
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
    /// In straight lines from point to point, then the last rate.
    Points(Arc<[Point]>),
}

/// A rate at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Seconds from the start.
    at_s: f64,
    /// Attempts a second from here on, until the line to the next point says otherwise.
    rate: f64,
    /// Slots before this time.
    slots: f64,
}

/// Rates below this would never come to the second attempt.
const LEAST_RATE: f64 = 0.001;
const GREATEST_RATE: f64 = 10_000_000.0;
/// A year.
const GREATEST_TIME_S: f64 = 31_557_600.0;

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

    /// Reads a file of points: on each line the seconds from the start and the attempts a second at that time,
    /// the first at 0 seconds. Between two lines the rate changes evenly; two lines of one time make it jump.
    /// After the last line its rate stays, which must not be zero. `#` begins a comment.
    ///
    /// # Errors
    /// The first line that is wrong, and what is accepted.
    pub fn read(text: &str) -> Result<Self, String> {
        let lines = text.lines().enumerate().map(|(place, line)| (place + 1, line));
        let lines = lines.map(|(number, line)| (number, line.split('#').next().unwrap_or_default().trim()));
        let mut points: Vec<Point> = Vec::new();
        for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
            let wrong = |why: &str| Err(format!("line {number}: `{line}`: {why}"));
            let Some((at_s, rate)) = numbers(line) else {
                return wrong("not two numbers, seconds and attempts a second from 0 to 10000000");
            };
            let slots = match points.last() {
                None if at_s > 0.0 => return wrong("the first time must be 0"),
                Some(last) if at_s < last.at_s => {
                    return wrong("its time lies before that of the line before");
                }
                None => 0.0,
                Some(last) => last.slots + (last.rate + rate) / 2.0 * (at_s - last.at_s),
            };
            if points.len() == caps::LOAD_POINTS {
                return wrong(&format!("over {} lines", caps::LOAD_POINTS));
            }
            points.push(Point { at_s, rate, slots });
        }
        match points.last() {
            None => Err("it has no line of seconds and attempts a second".to_owned()),
            Some(last) if last.rate < LEAST_RATE => {
                Err(format!("the last rate is {}, and it stays: it must be at least {LEAST_RATE}", last.rate))
            }
            Some(_) => Ok(Self::Points(points.into())),
        }
    }

    /// Seconds from the start to the slot of an attempt: where the rate's integral reaches its number.
    #[must_use]
    pub fn slot_s(&self, attempt: u64) -> f64 {
        let wanted = attempt as f64;
        match *self {
            Self::Constant { rate } => wanted / rate,
            Self::Ramp { from, to, over_s } => {
                let in_ramp = (from + to) / 2.0 * over_s;
                let slope = (to - from) / over_s;
                if wanted >= in_ramp { over_s + (wanted - in_ramp) / to } else { along(from, slope, wanted) }
            }
            Self::Step { from, by, every_s } => {
                // After k steps k·from + by·k·(k−1)/2 slots a unit of `every_s` have passed.
                let (linear, units) = (from - by / 2.0, wanted / every_s);
                let passed = ((linear * linear + 2.0 * by * units).sqrt() - linear) / by;
                let steps = passed.floor();
                let before = (steps * linear + by * steps * steps / 2.0) * every_s;
                steps * every_s + (wanted - before) / (from + steps * by)
            }
            Self::Points(ref points) => {
                let next = points.partition_point(|point| point.slots <= wanted).max(1);
                let last = points[next - 1];
                let slope =
                    points.get(next).map_or(0.0, |next| (next.rate - last.rate) / (next.at_s - last.at_s));
                last.at_s + along(last.rate, slope, wanted - last.slots)
            }
        }
    }
}

/// Seconds until so many slots have passed, from a rate that changes by `slope` a second.
fn along(from: f64, slope: f64, slots: f64) -> f64 {
    if slope.abs() < 1e-12 {
        slots / from
    } else {
        ((from * from + 2.0 * slope * slots).max(0.0).sqrt() - from) / slope
    }
}

/// A time and a rate.
fn numbers(line: &str) -> Option<(f64, f64)> {
    let mut words = line.split_whitespace().map(|word| word.parse::<f64>().ok());
    let (at_s, rate) = (words.next()??, words.next()??);
    let accepted = (0.0..=GREATEST_TIME_S).contains(&at_s) && (0.0..=GREATEST_RATE).contains(&rate);
    (accepted && words.next().is_none()).then_some((at_s, rate))
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

    #[test]
    fn a_file_of_points_is_followed_in_straight_lines() {
        // 10 a second for 2 s, a jump to 30 that falls to 10 in 2 s, a pause of 5 s, then 4 a second.
        let load = Load::read("0 10\n2 10 # noon\n2 30\n\n4 10\n4 0\n9 0\n9 4").unwrap();
        for (attempt, second) in
            [(0, 0.0), (10, 1.0), (19, 1.9), (45, 3.0), (60, 9.0), (64, 10.0), (464, 110.0)]
        {
            assert!((load.slot_s(attempt) - second).abs() < 1e-9, "{attempt}: {}", load.slot_s(attempt));
        }
        let slots: Vec<_> = (0..2000).map(|attempt| load.slot_s(attempt)).collect();
        assert!(slots.is_sorted());
        assert_eq!(Load::read("0 50").unwrap().slot_s(100), 2.0);
    }

    #[test]
    fn a_mistake_in_a_file_of_points_is_told_with_its_line() {
        for (text, said) in [
            ("", "no line"),
            ("# nothing\n", "no line"),
            ("0 10\n5\n", "line 2: `5`: not two numbers"),
            ("0 10 3", "line 1: `0 10 3`: not two numbers"),
            ("0 -1", "line 1: `0 -1`: not two numbers"),
            ("3 10", "line 1: `3 10`: the first time must be 0"),
            ("0 1\n\n9 2\n8 2", "line 4: `8 2`: its time lies before"),
            ("0 1\n9 0", "the last rate is 0"),
        ] {
            let told = Load::read(text).unwrap_err();
            assert!(told.contains(said), "{text:?}: {told}");
        }
    }
}
