//! `/metrics`: the numbers in Prometheus's text format. Labels hold only codes, so nothing needs escaping.

use std::fmt::{Display, Write};

use bytes::Bytes;
use http::StatusCode;

use super::Web;
use crate::listener::{Reply, reply};
use crate::metrics::{Family, Kind, Sample, Value, quantiles};

/// The whole exposition.
pub(super) fn exposition(web: &Web) -> Reply {
    let mut out = Exposition::default();
    web.numbers.families().iter().for_each(|family| out.family(family));
    reply(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", Bytes::from(out.0))
}

#[derive(Default)]
struct Exposition(String);

impl Exposition {
    fn family(&mut self, family: &Family) {
        let name = family.prometheus();
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Summary => "summary",
        };
        self.line(format_args!("# HELP {name} {}", family.help));
        self.line(format_args!("# TYPE {name} {kind}"));
        for Sample { labels, value } in &family.samples {
            let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            match value {
                Value::Whole(value) => self.line(format_args!("{name}{labels} {value}")),
                Value::Seconds(length) => self.line(format_args!("{name}{labels} {}", length.as_secs_f64())),
                Value::Distribution(latencies) => {
                    for (quantile, length) in quantiles(latencies) {
                        let seconds = length.as_secs_f64();
                        self.line(format_args!("{name}{{quantile=\"{quantile}\"}} {seconds}"));
                    }
                    self.line(format_args!("{name}_sum {}", latencies.sum.as_secs_f64()));
                    self.line(format_args!("{name}_count {}", latencies.count));
                }
            }
        }
    }

    fn line(&mut self, line: impl Display) {
        writeln!(self.0, "{line}").expect("a string takes every line");
    }
}
