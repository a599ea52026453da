//! Every number that the service tells of itself, once for `/metrics` and for OTLP.
//!
//! A family is a counter, a gauge or a distribution, with a sample for each set of labels. All families are always
//! there; labels hold codes and numbers of ours only. In Prometheus a name begins with `authstitch_`, and with
//! `authstitch_engine_` where the engines count; over OTLP these are namespaces, with dots, and there is no `_total`.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use authstitch_model::Side;
use authstitch_otlp::Reason;

use crate::admission::Admission;
use crate::counters::{Counters, Counts};
use crate::health::Health;
use crate::lag::{Lines, Waiting};
use crate::latency::{Latencies, QUANTILES};

/// Where the numbers come from.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    pub counters: Arc<Counters>,
    pub health: Arc<Health>,
    pub admission: Arc<Admission>,
    pub lines: Arc<Lines>,
}

/// How a family's numbers behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only grows.
    Counter,
    /// It comes and goes.
    Gauge,
    /// A distribution of lengths of time.
    Summary,
}

/// One number, or distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    /// A whole number.
    Whole(u64),
    /// A length of time, in seconds.
    Seconds(Duration),
    /// A distribution of them.
    Distribution(Latencies),
}

/// A number and its labels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    /// Names and codes.
    pub labels: Vec<(&'static str, Cow<'static, str>)>,
    /// The number.
    pub value: Value,
}

/// Numbers of one name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Family {
    /// Without `authstitch_` and `_total`.
    pub name: Cow<'static, str>,
    /// What it means.
    pub help: Cow<'static, str>,
    /// How it behaves.
    pub kind: Kind,
    /// Its numbers.
    pub samples: Vec<Sample>,
}

impl Family {
    /// Its name for Prometheus.
    pub(crate) fn prometheus(&self) -> String {
        let total = if self.kind == Kind::Counter { "_total" } else { "" };
        format!("authstitch_{}{total}", self.name)
    }

    /// Its name over OTLP.
    pub(crate) fn otlp(&self) -> String {
        match self.name.strip_prefix("engine_") {
            Some(rest) => format!("authstitch.engine.{rest}"),
            None => format!("authstitch.{}", self.name),
        }
    }

    fn whole(
        name: impl Into<Cow<'static, str>>,
        help: impl Into<Cow<'static, str>>,
        kind: Kind,
        value: u64,
    ) -> Self {
        Self::labelled(name, help, kind, [(Vec::new(), Value::Whole(value))])
    }

    fn labelled(
        name: impl Into<Cow<'static, str>>,
        help: impl Into<Cow<'static, str>>,
        kind: Kind,
        samples: impl IntoIterator<Item = (Vec<(&'static str, Cow<'static, str>)>, Value)>,
    ) -> Self {
        let samples = samples.into_iter().map(|(labels, value)| Sample { labels, value }).collect();
        Self { name: name.into(), help: help.into(), kind, samples }
    }
}

impl Sources {
    /// All numbers as they stand.
    pub(crate) fn families(&self) -> Vec<Family> {
        let counts = self.counters.snapshot();
        let mut families = counted(&counts);
        families.extend(engines(&counts));
        families.extend(self.held());
        families
    }

    /// What the service holds, and how far its parts are behind.
    fn held(&self) -> Vec<Family> {
        let gauge =
            |name: &'static str, help: &'static str, value| Family::whole(name, help, Kind::Gauge, value);
        let seconds = |name: &'static str, help: &'static str, lag| {
            Family::labelled(name, help, Kind::Gauge, [(Vec::new(), Value::Seconds(lag))])
        };
        let (counters, lines) = (&self.counters, &self.lines);
        let (journal, store) = (lines.journal.waiting(), lines.store.waiting());
        let engines: Vec<Waiting> = lines.engines.iter().map(|line| line.waiting()).collect();
        let of_engines = |name: &'static str, help: &'static str, value: fn(&Waiting) -> Value| {
            let samples = engines.iter().enumerate();
            let samples =
                samples.map(|(shard, waiting)| (vec![("shard", shard.to_string().into())], value(waiting)));
            Family::labelled(name, help, Kind::Gauge, samples)
        };
        vec![
            gauge("journal_bytes", "Bytes of the journal and its snapshots.", counters.journal_bytes.get()),
            gauge(
                "journal_segments",
                "Segments of the journal that hold records.",
                counters.journal_segments.get(),
            ),
            gauge("journal_waiting", "Requests that wait for their commit.", journal.count),
            gauge("journal_waiting_bytes", "Bytes of their events in memory.", journal.size),
            seconds("journal_lag_seconds", "How long the oldest of them has waited.", journal.lag),
            of_engines(
                "engine_records_waiting",
                "Records that are committed and not yet stitched.",
                |waiting| Value::Whole(waiting.count),
            ),
            of_engines("engine_waiting_bytes", "Bytes of their events in memory.", |waiting| {
                Value::Whole(waiting.size)
            }),
            of_engines("engine_lag_seconds", "How long the oldest of them has waited.", |waiting| {
                Value::Seconds(waiting.lag)
            }),
            gauge("store_waiting", "Changes that are brought about and not yet stored.", store.size),
            seconds("store_lag_seconds", "How long the oldest of them has waited.", store.lag),
            gauge(
                "bytes_waiting",
                "Bytes of requests and events in the service.",
                self.admission.bytes() as u64,
            ),
            gauge("requests_in_flight", "Requests not answered yet.", self.admission.requests() as u64),
            gauge("ready", "Whether every part works.", u64::from(self.health.ready().is_ok())),
            gauge("live", "Whether every part runs.", u64::from(self.health.live().is_ok())),
        ]
    }
}

/// What was counted by the service.
fn counted(counts: &Counts) -> Vec<Family> {
    let plain = counts.plain().into_iter();
    let mut families: Vec<_> =
        plain.map(|(name, help, value)| Family::whole(name, help, Kind::Counter, value)).collect();
    let rejections = Reason::ALL.iter().map(|reason| {
        (vec![("reason", reason.code().into())], Value::Whole(counts.rejections[reason.index()]))
    });
    families.push(Family::labelled(
        "rejections",
        "Rejected authentication records by reason.",
        Kind::Counter,
        rejections,
    ));
    for (name, help, latencies) in [
        (
            "acknowledged_seconds",
            "From the head of a request that was taken to its answer.",
            counts.acknowledged,
        ),
        (
            "judged_seconds",
            "From the receipt of a record until everything it brought about was judged.",
            counts.judged,
        ),
    ] {
        let value = Value::Distribution(latencies);
        families.push(Family::labelled(name, help, Kind::Summary, [(Vec::new(), value)]));
    }
    let outcomes = counts.outcomes.iter().map(|(flow, outcome, count)| {
        let labels = vec![("flow", flow.to_string().into()), ("outcome", outcome.to_string().into())];
        (labels, Value::Whole(*count))
    });
    let help = "Verdicts by flow and outcome; a later revision counts again.";
    families.push(Family::labelled("verdicts", help, Kind::Counter, outcomes));
    let causes = counts
        .causes
        .iter()
        .map(|(cause, count)| (vec![("cause", cause.to_string().into())], Value::Whole(*count)));
    let help = "Verdicts by cause; a later revision counts again.";
    families.push(Family::labelled("causes", help, Kind::Counter, causes));
    families
}

/// What the engines counted.
fn engines(counts: &Counts) -> Vec<Family> {
    let mut families = Vec::new();
    for (name, value) in counts.engine.totals() {
        let help = format!("Counted by the engines: {}.", name.replace('_', " "));
        families.push(Family::whole(format!("engine_{name}"), help, Kind::Counter, value));
    }
    for (name, value) in counts.engine.gauges() {
        let help = format!("Held by the engines now: {}.", name.replace('_', " "));
        families.push(Family::whole(format!("engine_{name}"), help, Kind::Gauge, value));
    }
    let late = counts.engine.too_late;
    let by_side = |value: &dyn Fn(Side) -> u64| -> Vec<_> {
        let samples = Side::ALL
            .iter()
            .map(|side| (vec![("side", side.to_string().into())], Value::Whole(value(*side))));
        samples.collect()
    };
    let of = |side: Side| late[side.index()];
    families.push(Family::labelled(
        "engine_too_late",
        "Events that came after their journey was forgotten.",
        Kind::Counter,
        by_side(&|side| of(side).events),
    ));
    families.push(Family::labelled(
        "engine_too_late_lag_milliseconds",
        "Their lags behind the closing, summed.",
        Kind::Counter,
        by_side(&|side| of(side).lag_sum.0),
    ));
    families.push(Family::labelled(
        "engine_too_late_greatest_lag_milliseconds",
        "The greatest of these lags.",
        Kind::Gauge,
        by_side(&|side| of(side).lag_max.0),
    ));
    families
}

/// The quantiles of a distribution, each with its label.
pub(crate) fn quantiles(latencies: &Latencies) -> impl Iterator<Item = (String, Duration)> {
    QUANTILES.iter().map(ToString::to_string).zip(latencies.quantiles)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::num::NonZero;

    use super::*;

    fn families() -> Vec<Family> {
        let sources = Sources {
            counters: Arc::default(),
            health: Arc::default(),
            admission: Admission::new(1, 1),
            lines: Lines::new(NonZero::<u32>::MIN),
        };
        sources.families()
    }

    #[test]
    fn the_table_of_the_page_on_operations_has_every_family_and_no_other() {
        let page = include_str!("../../../docs/operations.md");
        let listed: Vec<&str> = page.lines().filter(|line| line.contains("` | `authstitch.")).collect();
        let wanted: Vec<String> = families()
            .iter()
            .map(|family| {
                let kind = format!("{:?}", family.kind).to_lowercase();
                let labels: BTreeSet<&str> = match (&*family.name, family.kind) {
                    ("verdicts", _) => BTreeSet::from(["flow", "outcome"]),
                    ("causes", _) => BTreeSet::from(["cause"]),
                    (_, Kind::Summary) => BTreeSet::from(["quantile"]),
                    _ => family
                        .samples
                        .iter()
                        .flat_map(|sample| &sample.labels)
                        .map(|(name, _)| *name)
                        .collect(),
                };
                let labels = labels.into_iter().collect::<Vec<_>>().join(", ");
                format!(
                    "| `{}` | `{}` | {kind} | {labels} | {} |",
                    family.prometheus(),
                    family.otlp(),
                    family.help
                )
            })
            .collect();
        assert!(listed == wanted, "the table should be:\n{}", wanted.join("\n"));
    }

    #[test]
    fn no_name_comes_twice() {
        let families = families();
        let names: BTreeSet<_> = families.iter().map(Family::otlp).collect();
        assert_eq!(names.len(), families.len());
    }
}
