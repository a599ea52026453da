//! Receivers that are no authstitch: one that notes what comes and answers as it is told, and TLS before one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

use crate::workspace;

/// A receiver of OTLP over HTTP/1.
#[derive(Debug)]
pub struct Sink {
    /// `http://ADDRESS`.
    pub url: String,
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    requests: Mutex<Vec<Posted>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Posted {
    /// Its request line and headers.
    pub head: String,
    /// Its body.
    pub body: Vec<u8>,
}

impl Posted {
    /// Spans and log records in a body of JSON.
    #[must_use]
    pub fn records(&self) -> usize {
        let text = String::from_utf8_lossy(&self.body);
        text.matches("\"spanId\":").count().max(text.matches("\"timeUnixNano\":").count())
    }
}

impl Sink {
    /// Starts one that gives each request the status that `answer` says.
    ///
    /// # Panics
    /// If no port is free.
    #[must_use]
    pub fn start(answer: impl Fn(&Posted) -> u16 + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (seen, answer) = (Arc::new(Seen::default()), Arc::new(answer));
        let noted = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &noted, &*answer));
            }
        });
        Self { url, seen }
    }

    /// What came since the last call.
    #[must_use]
    pub fn requests(&self) -> Vec<Posted> {
        std::mem::take(&mut self.seen.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many requests waited for their answer at the same time, at most.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        self.seen.most_at_once.load(Ordering::SeqCst)
    }
}

/// Answers the requests of one connection until it closes.
fn serve(stream: TcpStream, seen: &Seen, answer: &dyn Fn(&Posted) -> u16) {
    let Ok(mut out) = stream.try_clone() else { return };
    let mut input = BufReader::new(stream);
    while let Some(posted) = read(&mut input) {
        let at_once = seen.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        seen.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        let status = answer(&posted);
        seen.requests.lock().unwrap_or_else(PoisonError::into_inner).push(posted);
        seen.at_once.fetch_sub(1, Ordering::SeqCst);
        let reply = format!("HTTP/1.1 {status} told\r\ncontent-length: 2\r\n\r\n{{}}");
        if out.write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}

fn read(input: &mut BufReader<TcpStream>) -> Option<Posted> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        input.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if line.trim_end().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    Some(Posted { head, body })
}

/// Puts TLS before a plain receiver; gives the URL to send to, `https://localhost:PORT`.
///
/// # Panics
/// If the test certificates cannot be read or no port is free.
#[must_use]
pub fn tls_before(plain: &str) -> String {
    let certificate = |name: &str| workspace().join("tests/data/tls").join(name);
    let chain = CertificateDer::from_pem_file(certificate("server.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(certificate("server.key")).expect("a key");
    let mut config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider knows them")
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .expect("the key is that of the certificate");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a listener need not block");
    let port = listener.local_addr().expect("it is bound").port();
    let plain = plain.trim_start_matches("http://").to_owned();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("it does not block");
            while let Ok((outside, _)) = listener.accept().await {
                let (acceptor, plain) = (acceptor.clone(), plain.clone());
                tokio::spawn(async move {
                    let Ok(mut outside) = acceptor.accept(outside).await else { return };
                    let Ok(mut inside) = tokio::net::TcpStream::connect(plain).await else { return };
                    // Either side may close as it likes.
                    let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                });
            }
        });
    });
    format!("https://localhost:{port}")
}
