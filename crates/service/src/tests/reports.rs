//! The service's own numbers over OTLP, into a receiver of the test's.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{metric, number_data_point};
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::*;
use crate::connection;
use crate::listener::{Patience, Reply, reply};
use crate::{Headers, LogFormat, LogLevel, ReportProtocol, StartError, Telemetry, start_with_log};

/// What a receiver was sent, each with its authorization.
pub(super) type Taken = std::sync::Arc<Mutex<Vec<(String, ExportMetricsServiceRequest)>>>;

async fn take(taken: Taken, request: ::http::Request<Incoming>) -> Reply {
    let (head, body) = request.into_parts();
    let mut body = body.collect().await.unwrap().to_bytes();
    let is_grpc = head.headers["content-type"] == "application/grpc";
    let path = if is_grpc {
        body = body.slice(crate::grpc::FRAME_HEAD..);
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
    } else {
        "/v1/metrics"
    };
    assert_eq!(head.uri.path(), path);
    let shown = head.headers["authorization"].to_str().unwrap().to_owned();
    taken.lock().unwrap().push((shown, ExportMetricsServiceRequest::decode(body).unwrap()));
    match is_grpc {
        true => crate::grpc::succeeded(&[]),
        false => reply(::http::StatusCode::OK, "application/x-protobuf", Bytes::new()),
    }
}

/// A receiver that takes metrics over both protocols.
pub(super) async fn receiver() -> (SocketAddr, Taken) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (address, taken) = (listener.local_addr().unwrap(), Taken::default());
    let shared = taken.clone();
    tokio::spawn(async move {
        let (_never, stop) = watch::channel(false);
        while let Ok((stream, _)) = listener.accept().await {
            let (taken, stop) = (shared.clone(), stop.clone());
            let [head, idle] = [Duration::from_secs(60); 2];
            let patience = Patience { connections: 1, head, idle };
            tokio::spawn(connection::run(
                stream,
                patience,
                move |request| take(taken.clone(), request),
                stop,
            ));
        }
    });
    (address, taken)
}

pub(super) fn reporting(directory: &Path, to: SocketAddr, protocol: ReportProtocol) -> Settings {
    let token = ("authorization".parse().unwrap(), "Bearer of-the-test".parse().unwrap());
    let telemetry = Telemetry {
        endpoint: format!("http://{to}").parse().unwrap(),
        protocol,
        interval: Duration::from_secs(1),
        headers: Headers(vec![token]),
    };
    Settings { telemetry: Some(telemetry), ..settings(directory) }
}

/// The whole number of a name and labels, as the last report had it.
fn number(taken: &Taken, name: &str, label: Option<&str>) -> Option<i64> {
    let taken = taken.lock().unwrap();
    let (_, request) = taken.last()?;
    let metrics = request.resource_metrics[0].scope_metrics.iter().flat_map(|scope| &scope.metrics);
    let points = match metrics.into_iter().find(|metric| metric.name == name)?.data.as_ref()? {
        metric::Data::Sum(sum) => &sum.data_points,
        metric::Data::Gauge(gauge) => &gauge.data_points,
        _ => return None,
    };
    let point = points.iter().find(|point| {
        label.is_none_or(|label| point.attributes.iter().any(|found| format!("{found:?}").contains(label)))
    });
    match point?.value? {
        number_data_point::Value::AsInt(number) => Some(number),
        number_data_point::Value::AsDouble(_) => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_of_the_metrics_page_are_reported_over_both_protocols() {
    for protocol in [ReportProtocol::Grpc, ReportProtocol::HttpProtobuf] {
        let (address, taken) = receiver().await;
        let directory = tempfile::tempdir().unwrap();
        let service = start(reporting(directory.path(), address, protocol), Clock::System).await.unwrap();
        post(service.http, "/v1/traces", "application/x-protobuf", &login("journey-reported")).await;
        post(service.http, "/v1/traces", "application/x-protobuf", b"no request").await;
        service.stop().await;
        assert_eq!(number(&taken, "authstitch.spans", None), Some(5), "{protocol:?}");
        assert_eq!(number(&taken, "authstitch.malformed", None), Some(1));
        assert_eq!(number(&taken, "authstitch.rejections", Some("invalid_time")), Some(0));
        assert_eq!(number(&taken, "authstitch.acknowledged_seconds_count", None), Some(1));
        assert!(number(&taken, "authstitch.engine.journeys_open", None).is_some());
        let taken = taken.lock().unwrap();
        assert_eq!(taken[0].0, "Bearer of-the-test");
        let resource = format!("{:?}", taken[0].1.resource_metrics[0].resource);
        assert!(resource.contains("service.instance.id") && resource.contains("authstitch"), "{resource}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_dead_changes_nothing_and_is_told_once() {
    let dead = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    for protocol in [ReportProtocol::Grpc, ReportProtocol::HttpProtobuf] {
        let (directory, lines) = (tempfile::tempdir().unwrap(), Lines::default());
        let log = lines.log(LogFormat::Json, LogLevel::Info);
        let service =
            start_with_log(reporting(directory.path(), dead, protocol), Clock::System, log).await.unwrap();
        let wait = async {
            while service.counters().report_failures < 2 {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_secs(60), wait).await.expect("reports fail");
        let answer =
            post(service.http, "/v1/traces", "application/x-protobuf", &login("journey-alone")).await;
        assert_eq!((answer.status, service.health()), (200, Ok(())));
        assert_eq!(service.stop().await.trouble, None);
        assert_eq!(lines.text().matches("\"event\":\"report_failed\"").count(), 1, "{}", lines.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_hangs_delays_the_end_by_one_report() {
    let hangs = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let settings = reporting(directory.path(), hangs.local_addr().unwrap(), ReportProtocol::HttpProtobuf);
    let service = start(settings, Clock::System).await.unwrap();
    let (_stream, _) = hangs.accept().await.unwrap();
    let begun = crate::clock::Stopwatch::start();
    let summary = service.stop().await;
    assert_eq!((summary.trouble, summary.counts.report_failures), (None, 1));
    let bound = crate::caps::REPORT_TIME * 2;
    assert!(begun.elapsed() < bound, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn reports_that_cannot_be_made_keep_it_from_starting_and_nothing_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let mut settings = reporting(&data, nobody, ReportProtocol::Grpc);
    settings.telemetry.as_mut().unwrap().endpoint = "https://127.0.0.1:1".parse().unwrap();
    let refused = start(settings.clone(), Clock::System).await.unwrap_err();
    assert!(matches!(refused, StartError::Telemetry { .. }), "{refused}");
    assert!(!data.exists(), "it is told before anything is made");
    settings.telemetry = None;
    start(settings, Clock::System).await.unwrap().stop().await;
}

#[tokio::test]
async fn it_does_not_report_to_itself() {
    let own = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = reporting(directory.path(), own, ReportProtocol::Grpc);
        settings.grpc.address = own;
        let endpoint = format!("http://{host}:{}", own.port()).parse().unwrap();
        settings.telemetry.as_mut().unwrap().endpoint = endpoint;
        let refused = start(settings, Clock::System).await.unwrap_err();
        assert!(matches!(refused, StartError::Telemetry { .. }), "{refused}");
        assert!(refused.to_string().contains("own address for OTLP/gRPC"), "{refused}");
    }
}
