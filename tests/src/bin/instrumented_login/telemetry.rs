//! The SDK, set up as an application sets it up: batching exporters for spans and logs, one resource, one scope.

use std::collections::HashMap;
use std::error::Error;

use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, InstrumentationScope, KeyValue, Value};
use opentelemetry_otlp::{LogExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::runtime::Runtime;

/// The two transports of OTLP that the SDK ships.
#[derive(Clone, Copy)]
pub enum Protocol {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP with binary protobuf.
    Http,
}

/// A tracer and a logger whose records leave the process.
pub struct Telemetry {
    tracer: SdkTracer,
    logger: SdkLogger,
    tracers: SdkTracerProvider,
    loggers: SdkLoggerProvider,
    /// The gRPC exporter lives on it, so it must outlive the providers.
    _runtime: Option<Runtime>,
}

impl Telemetry {
    /// Sets up both signals.
    ///
    /// # Errors
    /// What the exporters say of the endpoint.
    pub fn start(endpoint: &str, protocol: Protocol, resource: Resource) -> Result<Self, Box<dyn Error>> {
        let (spans, logs, runtime) = match protocol {
            Protocol::Grpc => {
                let runtime = Runtime::new()?;
                let entered = runtime.enter();
                let spans = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
                let logs = LogExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
                drop(entered);
                (spans, logs, Some(runtime))
            }
            Protocol::Http => {
                let url = |signal| format!("{endpoint}/v1/{signal}");
                let spans = SpanExporter::builder().with_http().with_endpoint(url("traces")).build()?;
                let logs = LogExporter::builder().with_http().with_endpoint(url("logs")).build()?;
                (spans, logs, None)
            }
        };
        let tracers =
            SdkTracerProvider::builder().with_resource(resource.clone()).with_batch_exporter(spans).build();
        let loggers = SdkLoggerProvider::builder().with_resource(resource).with_batch_exporter(logs).build();
        let scope = InstrumentationScope::builder("instrumented-login").with_version("1.0.0").build();
        Ok(Self {
            tracer: tracers.tracer_with_scope(scope.clone()),
            logger: loggers.logger_with_scope(scope),
            tracers,
            loggers,
            _runtime: runtime,
        })
    }

    /// A log record with an event name, in the trace of `context`.
    pub fn log(&self, context: &Context, event: &'static str, attributes: &[KeyValue]) {
        let _active = context.clone().attach();
        let mut record = self.logger.create_log_record();
        record.set_event_name(event);
        record.set_severity_number(Severity::Info);
        for attribute in attributes {
            record.add_attribute(attribute.key.clone(), log_value(&attribute.value));
        }
        self.logger.emit(record);
    }

    /// A span around `work`, which may add to it through its context.
    pub fn span(
        &self,
        context: &Context,
        name: &'static str,
        kind: SpanKind,
        attributes: &[KeyValue],
        work: impl FnOnce(&Context),
    ) {
        let builder = self.tracer.span_builder(name).with_kind(kind).with_attributes(attributes.to_vec());
        let context = context.with_span(builder.start_with_context(&self.tracer, context));
        work(&context);
        context.span().end();
    }

    /// Sends what is left and stops.
    ///
    /// # Errors
    /// What the exporters say of the receiver.
    pub fn finish(self) -> Result<(), Box<dyn Error>> {
        self.tracers.force_flush()?;
        self.loggers.force_flush()?;
        self.tracers.shutdown()?;
        self.loggers.shutdown()?;
        Ok(())
    }
}

fn log_value(value: &Value) -> AnyValue {
    match value {
        Value::Bool(flag) => AnyValue::Boolean(*flag),
        Value::I64(number) => AnyValue::Int(*number),
        Value::F64(number) => AnyValue::Double(*number),
        other => AnyValue::String(other.as_str().into_owned().into()),
    }
}

/// The context that a `traceparent` header gives; an empty one without it.
pub fn remote_parent(traceparent: Option<&str>) -> Context {
    let headers: HashMap<String, String> =
        traceparent.map(|value| ("traceparent".to_owned(), value.to_owned())).into_iter().collect();
    TraceContextPropagator::new().extract_with_context(&Context::new(), &headers)
}
