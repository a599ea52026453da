//! `/metrics`: the counts in Prometheus's text format.
//!
//! Counters are `authstitch_<name>_total`, gauges `authstitch_<name>`; those of the engine begin with
//! `authstitch_engine_`. Labels hold only codes, so nothing needs escaping.

use std::fmt::{Display, Write};

use authstitch_model::Side;
use bytes::Bytes;
use http::StatusCode;

use super::Web;
use crate::counters::Counts;
use crate::latency::{Latencies, QUANTILES};
use crate::listener::{Reply, reply};

/// The whole exposition.
pub(super) fn exposition(web: &Web) -> Reply {
    let mut out = Exposition::default();
    out.counts(&web.counters.snapshot());
    let waiting = web.admission.bytes() as u64;
    let counters = &web.counters;
    out.gauge("journal_bytes", "Bytes of the journal and its snapshots.", counters.journal_bytes.get());
    let segments = counters.journal_segments.get();
    out.gauge("journal_segments", "Segments of the journal that hold records.", segments);
    out.gauge("bytes_waiting", "Bytes of requests and events in the service.", waiting);
    out.gauge("ready", "Whether every part works.", u64::from(web.health.ready().is_ok()));
    reply(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", Bytes::from(out.0))
}

#[derive(Default)]
struct Exposition(String);

impl Exposition {
    fn counts(&mut self, counts: &Counts) {
        for (name, help, value) in counts.plain() {
            self.counter(name, help, [(String::new(), value)]);
        }
        let help = "From the head of a request that was taken to its answer.";
        self.latency("acknowledged", help, &counts.acknowledged);
        let help = "From the receipt of a record until everything it brought about was judged.";
        self.latency("judged", help, &counts.judged);
        let outcomes = counts
            .outcomes
            .iter()
            .map(|(flow, outcome, count)| (format!("{{flow=\"{flow}\",outcome=\"{outcome}\"}}"), *count));
        self.counter("verdicts", "Verdicts by flow and outcome; a later revision counts again.", outcomes);
        let causes = counts.causes.iter().map(|(cause, count)| (format!("{{cause=\"{cause}\"}}"), *count));
        self.counter("causes", "Verdicts by cause; a later revision counts again.", causes);
        for (name, value) in counts.engine.totals() {
            let help = format!("Counted by the engine: {}.", name.replace('_', " "));
            self.counter(&format!("engine_{name}"), &help, [(String::new(), value)]);
        }
        for (name, value) in counts.engine.gauges() {
            let help = format!("Held by the engine now: {}.", name.replace('_', " "));
            self.gauge(&format!("engine_{name}"), &help, value);
        }
        let late = || Side::ALL.iter().zip(counts.engine.too_late);
        let events = late().map(|(side, late)| (format!("{{side=\"{side}\"}}"), late.events));
        self.counter("engine_too_late", "Events that came after their journey was forgotten.", events);
        let lags = late().map(|(side, late)| (format!("{{side=\"{side}\"}}"), late.lag_sum.0));
        self.counter("engine_too_late_lag_milliseconds", "Their lags behind the closing, summed.", lags);
    }

    fn latency(&mut self, name: &str, help: &str, latencies: &Latencies) {
        self.line(format_args!("# HELP authstitch_{name}_seconds {help}"));
        self.line(format_args!("# TYPE authstitch_{name}_seconds summary"));
        for (quantile, length) in QUANTILES.iter().zip(latencies.quantiles) {
            let seconds = length.as_secs_f64();
            self.line(format_args!("authstitch_{name}_seconds{{quantile=\"{quantile}\"}} {seconds}"));
        }
        self.line(format_args!("authstitch_{name}_seconds_sum {}", latencies.sum.as_secs_f64()));
        self.line(format_args!("authstitch_{name}_seconds_count {}", latencies.count));
    }

    fn counter(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (String, u64)>) {
        self.line(format_args!("# HELP authstitch_{name}_total {help}"));
        self.line(format_args!("# TYPE authstitch_{name}_total counter"));
        for (labels, value) in samples {
            self.line(format_args!("authstitch_{name}_total{labels} {value}"));
        }
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.line(format_args!("# HELP authstitch_{name} {help}"));
        self.line(format_args!("# TYPE authstitch_{name} gauge"));
        self.line(format_args!("authstitch_{name} {value}"));
    }

    fn line(&mut self, line: impl Display) {
        writeln!(self.0, "{line}").expect("a string takes every line");
    }
}
