//! HTTP as the sender and questions need it: one POST, one answer.

use std::sync::Arc;

use bytes::{Buf, Bytes, buf::Chain};
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};

use crate::caps;
use crate::failure::{Failure, While};

/// What is sent: some bytes before the message, and the message, neither copied.
pub type Body = Full<Chain<Bytes, Bytes>>;

/// Which HTTP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// As many connections as there are requests in flight.
    Http1,
    /// One connection for everything.
    Http2,
}

/// A client that keeps its connections.
#[derive(Clone, Debug)]
pub struct HttpClient(Client<HttpsConnector<HttpConnector>, Body>);

/// An answer, read to its end.
pub struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub trailers: Option<HeaderMap>,
}

impl HttpClient {
    /// A client without connections, which trusts these certificates where a URL says https.
    pub fn new(version: Version, roots: RootCertStore) -> Result<Self, Failure> {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .cannot("set up TLS")?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        let connector = match version {
            Version::Http1 => https.enable_http1().wrap_connector(tcp),
            Version::Http2 => https.enable_http2().wrap_connector(tcp),
        };
        let mut builder = Client::builder(TokioExecutor::new());
        builder.http2_only(version == Version::Http2).http2_max_send_buf_size(caps::SEND_BUFFER_BYTES);
        Ok(Self(builder.build(connector)))
    }

    /// Posts a body.
    pub async fn post(
        &self,
        uri: Uri,
        headers: HeaderMap,
        before: Bytes,
        body: Bytes,
    ) -> Result<Answered, String> {
        let mut request = Request::new(Full::new(before.chain(body)));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let response = self.0.request(request).await.map_err(|error| chain(&error))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| chain(&error))?;
        let trailers = body.trailers().cloned();
        Ok(Answered { status: head.status, headers: head.headers, body: body.to_bytes(), trailers })
    }
}

/// An error with its sources: hyper's own text alone says only "client error".
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
