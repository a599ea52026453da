//! The service's own numbers, sent over OTLP: the families of `metrics`, as they are at `/metrics`.
//!
//! - The names are those of `/metrics` as namespaces; a distribution is told as the gauge of its quantiles, and as the
//!   counters `_sum` and `_count`.
//! - A report that is not taken within [`caps::REPORT_TIME`] is given up and counted, and told to the log once until
//!   one is taken again; the next one says the same and more. Nothing else waits for a report.
//! - When the service ends there is one last report, and one that is under way then is given up.
//! - It never reports to itself: an endpoint that is one of its own addresses keeps it from starting.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::Uri;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_otlp::{MetricExporter, Protocol, WithExportConfig, WithHttpConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{InstrumentKind, ManualReader, Pipeline, SdkMeterProvider, Temporality};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tonic::metadata::MetadataMap;

use crate::caps;
use crate::data_dir;
use crate::error::{Listener, StartError};
use crate::log::{Log, LogLevel};
use crate::metrics::{Family, Kind, Sample, Sources, Value, quantiles};
use crate::settings::{ReportProtocol, Telemetry};

/// Sends reports.
#[derive(Debug)]
pub(crate) struct Reports {
    sources: Sources,
    latest: Latest,
    reader: Shared,
    /// Keeps the instruments.
    _provider: SdkMeterProvider,
    exporter: MetricExporter,
    interval: Duration,
    log: Log,
    /// The last report was not taken, and that is told.
    failing: bool,
}

/// The numbers of the report that is being made.
#[derive(Clone, Debug, Default)]
struct Latest(Arc<Mutex<Vec<Family>>>);

impl Latest {
    fn get(&self) -> MutexGuard<'_, Vec<Family>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What reports need before there is anything to report: all of them that can fail.
#[derive(Debug)]
pub(crate) struct Exporting {
    exporter: MetricExporter,
    resource: Resource,
    interval: Duration,
}

impl Exporting {
    /// To there, as a service that is told from all others.
    pub(crate) fn new(telemetry: &Telemetry) -> Result<Self, StartError> {
        let unusable = |why: String| StartError::Telemetry { endpoint: telemetry.endpoint.to_string(), why };
        let exporter = exporter(telemetry).map_err(unusable)?;
        let random = data_dir::random()?;
        let instance = random.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte));
        let own = [
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", format!("{instance:032x}")),
        ];
        let resource = Resource::builder().with_service_name("authstitch").with_attributes(own).build();
        Ok(Self { exporter, resource, interval: telemetry.interval })
    }
}

impl Reports {
    /// Reports of these numbers.
    pub(crate) fn new(exporting: Exporting, sources: Sources, log: Log) -> Self {
        let Exporting { exporter, resource, interval } = exporting;
        let reader = Shared::default();
        let provider =
            SdkMeterProvider::builder().with_resource(resource).with_reader(reader.clone()).build();
        let latest = Latest::default();
        let meter = provider.meter("authstitch");
        sources.families().iter().for_each(|family| instruments(&meter, family, &latest));
        Self { sources, latest, reader, _provider: provider, exporter, interval, log, failing: false }
    }

    /// Reports until told to stop, and once more then.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut due = interval(self.interval);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick comes at once, and there is nothing to tell yet.
        due.tick().await;
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = async { due.tick().await; self.report().await } => {}
            }
        }
        self.report().await;
    }

    async fn report(&mut self) {
        *self.latest.get() = self.sources.families();
        let mut metrics = ResourceMetrics::default();
        let sent = match self.reader.collect(&mut metrics) {
            Err(error) => Err(error.to_string()),
            Ok(()) => match timeout(caps::REPORT_TIME, self.exporter.export(&metrics)).await {
                Ok(sent) => sent.map_err(|error| error.to_string()),
                Err(_late) => Err(format!("no answer within {} s", caps::REPORT_TIME.as_secs())),
            },
        };
        let counters = &self.sources.counters;
        match sent {
            Ok(()) => {
                counters.reports.add(1);
                if std::mem::take(&mut self.failing) {
                    self.log.tell(LogLevel::Info, "report_taken", "telemetry: reports are taken again", &[]);
                }
            }
            Err(why) => {
                counters.report_failures.add(1);
                if !std::mem::replace(&mut self.failing, true) {
                    let sentence = format!("telemetry: reports are not taken: {why}");
                    let fields = [("reason", why.into())];
                    self.log.tell(LogLevel::Warn, "report_failed", &sentence, &fields);
                }
            }
        }
    }
}

/// The instruments of a family, which read the numbers of the report that is being made.
fn instruments(meter: &Meter, family: &Family, latest: &Latest) {
    let (name, help) = (family.otlp(), family.help.to_string());
    let unit = if name.ends_with("_seconds") {
        "s"
    } else if name.ends_with("_milliseconds") {
        "ms"
    } else if name.ends_with("bytes") {
        "By"
    } else {
        "1"
    };
    let key = family.name.clone();
    let samples = {
        let latest = latest.clone();
        move || -> Vec<Sample> {
            let families = latest.get();
            families
                .iter()
                .find(|family| family.name == key)
                .map_or(Vec::new(), |found| found.samples.clone())
        }
    };
    let whole = {
        let samples = samples.clone();
        move |observer: &dyn opentelemetry::metrics::AsyncInstrument<u64>| {
            for Sample { labels, value } in samples() {
                if let Value::Whole(value) = value {
                    observer.observe(value, &attributes(labels));
                }
            }
        }
    };
    let seconds = {
        let samples = samples.clone();
        move |observer: &dyn opentelemetry::metrics::AsyncInstrument<f64>| {
            for Sample { labels, value } in samples() {
                match value {
                    Value::Whole(_) => {}
                    Value::Seconds(length) => observer.observe(length.as_secs_f64(), &attributes(labels)),
                    Value::Distribution(latencies) => {
                        for (quantile, length) in quantiles(&latencies) {
                            observer.observe(length.as_secs_f64(), &[KeyValue::new("quantile", quantile)]);
                        }
                    }
                }
            }
        }
    };
    let distribution = move || {
        samples().into_iter().find_map(|sample| match sample.value {
            Value::Distribution(latencies) => Some(latencies),
            _ => None,
        })
    };
    let is_whole = matches!(family.samples.first(), None | Some(Sample { value: Value::Whole(_), .. }));
    match family.kind {
        Kind::Counter => {
            meter
                .u64_observable_counter(name)
                .with_description(help)
                .with_unit(unit)
                .with_callback(move |observer| whole(observer))
                .build();
        }
        Kind::Gauge if is_whole => {
            meter
                .u64_observable_gauge(name)
                .with_description(help)
                .with_unit(unit)
                .with_callback(move |observer| whole(observer))
                .build();
        }
        Kind::Gauge => {
            meter
                .f64_observable_gauge(name)
                .with_description(help)
                .with_unit(unit)
                .with_callback(move |observer| seconds(observer))
                .build();
        }
        Kind::Summary => {
            let of_count = distribution.clone();
            meter
                .u64_observable_counter(format!("{name}_count"))
                .with_description(help.clone())
                .with_unit("1")
                .with_callback(move |observer| {
                    if let Some(latencies) = of_count() {
                        observer.observe(latencies.count, &[]);
                    }
                })
                .build();
            meter
                .f64_observable_counter(format!("{name}_sum"))
                .with_description(help.clone())
                .with_unit(unit)
                .with_callback(move |observer| {
                    if let Some(latencies) = distribution() {
                        observer.observe(latencies.sum.as_secs_f64(), &[]);
                    }
                })
                .build();
            meter
                .f64_observable_gauge(name)
                .with_description(help)
                .with_unit(unit)
                .with_callback(move |observer| seconds(observer))
                .build();
        }
    }
}

fn attributes(labels: Vec<(&'static str, Cow<'static, str>)>) -> Vec<KeyValue> {
    labels.into_iter().map(|(name, value)| KeyValue::new(name, value)).collect()
}

fn exporter(telemetry: &Telemetry) -> Result<MetricExporter, String> {
    let Telemetry { endpoint, protocol, headers, .. } = telemetry;
    let built = match protocol {
        ReportProtocol::Grpc => {
            let headers = headers.0.iter().cloned().collect();
            MetricExporter::builder()
                .with_temporality(Temporality::Cumulative)
                .with_tonic()
                .with_endpoint(endpoint.to_string())
                .with_timeout(caps::REPORT_TIME)
                .with_metadata(MetadataMap::from_headers(headers))
                .build()
        }
        ReportProtocol::HttpProtobuf => {
            let text = |value: &http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
            let headers: HashMap<_, _> =
                headers.0.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
            let path = if endpoint.path() == "/" { "v1/metrics" } else { "" };
            MetricExporter::builder()
                .with_temporality(Temporality::Cumulative)
                .with_http()
                .with_http_client(HyperClient::with_default_connector(caps::REPORT_TIME, None))
                .with_protocol(Protocol::HttpBinary)
                .with_endpoint(format!("{endpoint}{path}"))
                .with_headers(headers)
                .with_timeout(caps::REPORT_TIME)
                .build()
        }
    };
    built.map_err(|error| error.to_string())
}

/// Refuses an endpoint that is one of the service's own addresses. A name other than `localhost` is not looked up.
pub(crate) fn refuse_own(endpoint: &Uri, own: &[(Listener, SocketAddr)]) -> Result<(), StartError> {
    let host = endpoint.host().unwrap_or_default().trim_matches(['[', ']']);
    let named = match host.parse::<IpAddr>() {
        Ok(address) => Some(address),
        Err(_) => host.eq_ignore_ascii_case("localhost").then_some(IpAddr::from([127, 0, 0, 1])),
    };
    let Some((named, port)) = named.zip(endpoint.port_u16()) else { return Ok(()) };
    let is_own = |listener: &&(Listener, SocketAddr)| {
        let address = listener.1;
        let reached = named == address.ip()
            || named.is_unspecified()
            || named.is_loopback() && (address.ip().is_unspecified() || address.ip().is_loopback());
        address.port() == port && reached
    };
    match own.iter().find(is_own) {
        None => Ok(()),
        Some((what, _)) => {
            let why = format!(
                "that is this service's own address for {}; name a receiver that takes metrics, such as a Collector",
                what.name()
            );
            Err(StartError::Telemetry { endpoint: endpoint.to_string(), why })
        }
    }
}

/// A reader that is asked here and registered there.
#[derive(Clone, Debug, Default)]
struct Shared(Arc<ManualReader>);

impl MetricReader for Shared {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}
