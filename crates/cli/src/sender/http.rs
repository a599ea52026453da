//! HTTP as the sender and `explain` need it: one POST, one answer.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::failure::{Failure, While};

/// A client that keeps its connections.
#[derive(Clone)]
pub struct HttpClient(Client<HttpConnector, Full<Bytes>>);

impl HttpClient {
    /// A client without connections.
    pub fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self(Client::builder(TokioExecutor::new()).build(connector))
    }

    /// Posts a body; gives the status and the answer's body.
    pub async fn post(
        &self,
        url: &str,
        content_type: &str,
        body: Bytes,
        header: Option<(&'static str, &str)>,
    ) -> Result<(u16, Bytes), String> {
        let mut request = http::Request::post(url).header(CONTENT_TYPE, content_type);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
        let response = self.0.request(request).await.map_err(|error| chain(&error))?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(|error| chain(&error))?;
        Ok((status, body.to_bytes()))
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

/// One POST from a command that is not asynchronous; a status other than 200 is a failure.
pub fn post_once(url: &str, content_type: &str, body: Vec<u8>) -> Result<Bytes, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().cannot("start")?;
    let answer = runtime.block_on(HttpClient::new().post(url, content_type, body.into(), None));
    match answer.map_err(Failure::new)? {
        (200, answer) => Ok(answer),
        (status, answer) => {
            Err(Failure::new(format!("HTTP status {status}: {}", String::from_utf8_lossy(&answer))))
        }
    }
}
