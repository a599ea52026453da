//! TLS, client certificates and tokens, over sockets. The certificates in `data/tls`: `ca` signed `server`, its
//! `renewed` one and `client`; `stranger` signed itself.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::{Limits, StartError, TlsFiles, Tokens};

const PROTOBUF: &str = "application/x-protobuf";
const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const OLD: &str = "the-old-token-0123456789";
const NEW: &str = "the-new-token-0123456789";

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/tests/data/tls").join(name)
}

fn tls(name: &str) -> TlsFiles {
    TlsFiles { cert: data(&format!("{name}.pem")), key: data(&format!("{name}.key")), client_ca: None }
}

/// Connects as a client that trusts the authority, with a certificate of this name if there is one.
async fn connect(
    to: SocketAddr,
    certificate: Option<&str>,
    protocol: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let certificates = |name: &str| {
        let read = CertificateDer::pem_file_iter(data(&format!("{name}.pem"))).unwrap();
        read.collect::<Result<Vec<_>, _>>().unwrap()
    };
    let mut roots = RootCertStore::empty();
    roots.add(certificates("ca").remove(0)).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let mut config = match certificate {
        None => builder.with_no_client_auth(),
        Some(name) => {
            let key = PrivateKeyDer::from_pem_file(data(&format!("{name}.key"))).unwrap();
            builder.with_client_auth_cert(certificates(name), key).unwrap()
        }
    };
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(to).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
}

/// What a GET over TLS is answered, head and body.
async fn get(
    to: SocketAddr,
    certificate: Option<&str>,
    path: &str,
    authorization: &str,
) -> std::io::Result<String> {
    let mut stream = connect(to, certificate, b"http/1.1").await?;
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{authorization}\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8(answer).unwrap())
}

/// The certificate that a server shows.
async fn shown(to: SocketAddr) -> CertificateDer<'static> {
    let stream = connect(to, None, b"http/1.1").await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].clone()
}

#[tokio::test]
async fn every_listener_can_be_secure_and_speaks_both_versions() {
    let directory = tempfile::tempdir().unwrap();
    let secure = || Listening { tls: Some(tls("server")), ..Listening::free_port() };
    let settings = Settings {
        grpc: secure(),
        http: secure(),
        web: secure(),
        public: Some(crate::Public { listening: secure(), ..crate::Public::new() }),
        ..settings(directory.path())
    };
    let service = start(settings, Clock::System).await.unwrap();
    assert!(service.web_is_secure);
    for to in [service.grpc, service.http, service.web, service.public.unwrap()] {
        for protocol in [b"h2".as_slice(), b"http/1.1"] {
            let stream = connect(to, None, protocol).await.unwrap();
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol));
        }
    }
    let stream = connect(service.http, None, b"h2").await.unwrap();
    let headers = [("content-type", PROTOBUF)];
    let answer = client::call_over(stream, "POST", "/v1/traces", &headers, &login("journey-secure")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(service.counters().events, 5);
    assert!(get(service.web, None, "/health/ready", "").await.unwrap().starts_with("HTTP/1.1 200 OK"));
    // Who speaks no TLS is not served, and harms nobody.
    let mut plain = TcpStream::connect(service.web).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/"));
    assert!(get(service.web, None, "/health/live", "").await.is_ok());
    let counts = service.counters();
    assert_eq!(counts.handshakes_failed, 1);
    service.stop().await;
}

#[tokio::test]
async fn a_handshake_has_the_time_of_a_head_and_does_not_hold_up_a_stop() {
    let directory = tempfile::tempdir().unwrap();
    let web = Listening { tls: Some(tls("server")), ..Listening::free_port() };
    let limits = Limits { request_time: Duration::from_millis(200), ..Limits::default() };
    let hasty = Settings { web: web.clone(), limits, ..settings(directory.path()) };
    let service = start(hasty, Clock::System).await.unwrap();
    let mut silent = TcpStream::connect(service.web).await.unwrap();
    let closed = timeout(Duration::from_secs(20), silent.read_to_end(&mut Vec::new())).await;
    assert!(closed.is_ok());
    assert_eq!(service.counters().handshakes_failed, 1);
    service.stop().await;

    let patient = Settings { web, ..settings(directory.path()) };
    let service = start(patient, Clock::System).await.unwrap();
    let _silent = TcpStream::connect(service.web).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(timeout(Duration::from_secs(10), service.stop()).await.is_ok());
}

#[tokio::test]
async fn with_an_authority_for_clients_each_must_show_its_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let web = Listening {
        tls: Some(TlsFiles { client_ca: Some(data("ca.pem")), ..tls("server") }),
        ..Listening::free_port()
    };
    let service = start(Settings { web, ..settings(directory.path()) }, Clock::System).await.unwrap();
    let answer = get(service.web, Some("client"), "/metrics", "").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    for refused in [None, Some("stranger")] {
        // TLS 1.3 tells a client only when it reads.
        let answer = get(service.web, refused, "/metrics", "").await;
        assert!(answer.is_err(), "{refused:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a_token_is_asked_for_on_every_protocol_and_nothing_else_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let mut tokens = Tokens::default();
    tokens.add(OLD).unwrap();
    tokens.add(NEW).unwrap();
    let guarded = || Listening { tokens: tokens.clone(), ..Listening::free_port() };
    let settings =
        Settings { grpc: guarded(), http: guarded(), web: guarded(), ..settings(directory.path()) };
    let service = start(settings, Clock::System).await.unwrap();
    let mut answers = Vec::new();
    for shown in ["", "Bearer", "Bearer the-wrong-token-0123456", &format!("Basic {OLD}"), OLD] {
        let headers = [("content-type", "application/json"), ("authorization", shown)];
        let headers = if shown.is_empty() { &headers[..1] } else { &headers[..] };
        let answer = call(service.http, "POST", "/v1/traces", headers, b"{}").await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("bearer")), "{shown}");
        assert_eq!(answer.header("retry-after"), None);
        answers.push(answer.text().to_owned());
    }
    // It hears so even if it sends far more than fits into the sockets.
    let headers = [("content-type", PROTOBUF)];
    let answer = call(service.http, "POST", "/v1/traces", &headers, &vec![0; 32 << 20]).await;
    assert_eq!(answer.status, 401);
    answers.dedup();
    assert_eq!(answers.len(), 1, "it does not depend on what was wrong: {answers:?}");
    let empty = [0_u8; 5];
    let answer =
        call_http2(service.grpc, "POST", TRACES, &[("content-type", "application/grpc")], &empty).await;
    assert_eq!((answer.status, answer.header("grpc-status")), (200, Some("16")));
    let answer =
        call_http2(service.grpc, "POST", "/made.up/Call", &[("content-type", "application/grpc")], &empty);
    assert_eq!(
        answer.await.header("grpc-status"),
        Some("16"),
        "who is not let in learns nothing of what is here"
    );
    for token in [OLD, NEW] {
        let bearer = format!("Bearer {token}");
        let headers = [("content-type", PROTOBUF), ("authorization", bearer.as_str())];
        assert_eq!(call(service.http, "POST", "/v1/traces", &headers, b"").await.status, 200);
        let headers = [("content-type", "application/grpc"), ("authorization", bearer.as_str())];
        let answer = call_http2(service.grpc, "POST", TRACES, &headers, &empty).await;
        assert_eq!(answer.header("grpc-status"), Some("0"));
        let headers = [("authorization", bearer.as_str())];
        assert_eq!(call(service.web, "GET", "/metrics", &headers, b"").await.status, 200);
    }
    let counts = service.counters();
    assert_eq!((counts.unauthorized, counts.requests), (8, 4));
}

#[tokio::test]
async fn pages_ask_a_browser_for_the_token_and_health_asks_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let mut tokens = Tokens::default();
    tokens.add(OLD).unwrap();
    let settings =
        Settings { web: Listening { tokens, ..Listening::free_port() }, ..settings(directory.path()) };
    let service = start(settings, Clock::System).await.unwrap();
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(call(service.web, "GET", path, &[], b"").await.status, 200, "{path}");
    }
    let answer = call(service.web, "GET", "/", &[], b"").await;
    assert_eq!(answer.status, 401);
    assert!(answer.header("www-authenticate").unwrap().starts_with("basic realm="));
    // `anybody:` and the token.
    let shown = [("authorization", "Basic YW55Ym9keTp0aGUtb2xkLXRva2VuLTAxMjM0NTY3ODk=")];
    assert_eq!(call(service.web, "GET", "/", &shown, b"").await.status, 200);
    let question = b"{\"sql\": \"SELECT 1\"}";
    let headers = [("content-type", "application/json"), ("host", "journeys.example")];
    assert_eq!(call(service.web, "POST", "/api/v1/query", &headers, question).await.status, 401);
    // With a token no name matters: a foreign page has none.
    let headers = [headers[0], headers[1], shown[0]];
    assert_eq!(call(service.web, "POST", "/api/v1/query", &headers, question).await.status, 200);
}

#[tokio::test]
async fn changed_certificates_count_from_the_next_connection_and_broken_ones_change_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let [cert, key] = ["server.pem", "server.key"].map(|name| directory.path().join(name));
    let put = |name: &str| {
        std::fs::copy(data(&format!("{name}.pem")), &cert).unwrap();
        std::fs::copy(data(&format!("{name}.key")), &key).unwrap();
    };
    put("server");
    let files = TlsFiles { cert: cert.clone(), key: key.clone(), client_ca: None };
    let web = Listening { tls: Some(files), ..Listening::free_port() };
    let settings = Settings { web, ..settings(&directory.path().join("data")) };
    let service = start(settings, Clock::System).await.unwrap();
    let first = shown(service.web).await;
    assert_eq!(refreshed(&service).await, Vec::<String>::new(), "nothing has changed");
    // A new certificate without its key, as in the midst of a renewal.
    std::fs::copy(data("renewed.pem"), &cert).unwrap();
    let said = refreshed(&service).await;
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("pages and queries: the old certificates and tokens stay: "), "{said:?}");
    assert!(said[0].contains("cannot be used together"), "{said:?}");
    assert_eq!(refreshed(&service).await, Vec::<String>::new(), "a complaint is told once");
    assert_eq!(shown(service.web).await, first);
    put("renewed");
    let said = refreshed(&service).await;
    assert_eq!(said, ["pages and queries: the certificates and tokens were read again"]);
    let second = shown(service.web).await;
    assert_ne!(second, first);
    std::fs::remove_file(&cert).unwrap();
    assert!(refreshed(&service).await[0].contains("cannot be read"));
    assert_eq!(shown(service.web).await, second);
    put("renewed");
    assert_eq!(refreshed(&service).await, Vec::<String>::new(), "they are back");
    assert_eq!(service.counters().credentials_refused, 2);
}

#[tokio::test]
async fn a_file_of_tokens_is_read_again_too() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokens.txt");
    std::fs::write(&file, OLD).unwrap();
    let http = Listening { token_file: Some(file.clone()), ..Listening::free_port() };
    let settings = Settings { http, ..settings(&directory.path().join("data")) };
    let service = start(settings, Clock::System).await.unwrap();
    let status = async |token: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("content-type", PROTOBUF), ("authorization", bearer.as_str())];
        call(service.http, "POST", "/v1/traces", &headers, b"").await.status
    };
    assert_eq!((status(OLD).await, status(NEW).await), (200, 401));
    std::fs::write(&file, format!("{OLD}\n{NEW}\n")).unwrap();
    refreshed(&service).await;
    assert_eq!((status(OLD).await, status(NEW).await), (200, 200));
    std::fs::write(&file, "").unwrap();
    assert!(refreshed(&service).await[0].ends_with("it has no token"));
    assert_eq!(
        (status(OLD).await, status(NEW).await),
        (200, 200),
        "an empty file opens nothing and shuts nobody out"
    );
    std::fs::write(&file, NEW).unwrap();
    refreshed(&service).await;
    assert_eq!((status(OLD).await, status(NEW).await), (401, 200));
}

#[tokio::test]
async fn a_start_with_files_that_cannot_be_used_says_which() {
    let directory = tempfile::tempdir().unwrap();
    let refused = async |web: Listening| {
        let refused = start(Settings { web, ..settings(directory.path()) }, Clock::System).await.unwrap_err();
        assert!(matches!(refused, StartError::Credentials { .. }), "{refused:?}");
        refused.to_string()
    };
    let missing = TlsFiles { key: data("nowhere.key"), ..tls("server") };
    let said = refused(Listening { tls: Some(missing), ..Listening::free_port() }).await;
    assert!(
        said.contains("nowhere.key cannot be read")
            && said.ends_with("mend `listeners.web` in the configuration")
    );
    let no_certificate = TlsFiles { cert: data("server.key"), ..tls("server") };
    let said = refused(Listening { tls: Some(no_certificate), ..Listening::free_port() }).await;
    assert!(said.contains("there is no certificate in it"), "{said}");
    let said = refused(Listening { token_file: Some(data("nowhere.txt")), ..Listening::free_port() }).await;
    assert!(said.contains("nowhere.txt cannot be read"), "{said}");
}

#[tokio::test]
async fn a_guarded_address_may_be_reached_by_other_machines() {
    let directory = tempfile::tempdir().unwrap();
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let mut http = Listening { tls: Some(tls("server")), ..Listening::from(everywhere) };
    let with = |http: &Listening| Settings { http: http.clone(), ..settings(directory.path()) };
    assert!(matches!(start(with(&http), Clock::System).await, Err(StartError::BeyondLoopback { .. })));
    http.tokens.add(OLD).unwrap();
    let service = start(with(&http), Clock::System).await.unwrap();
    assert!(service.http.ip().is_unspecified());
}

/// What reading certificates and tokens again came to.
async fn refreshed(service: &Running) -> Vec<String> {
    service.refresh_credentials().await.into_iter().map(|refreshed| refreshed.sentence).collect()
}
