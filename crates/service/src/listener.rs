//! One listening address: connections in, one handler for their requests, and an orderly end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::caps;
use crate::connection;
use crate::error::{Listener, StartError};

/// The body of every answer.
pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Every answer.
pub(crate) type Reply = Response<Body>;

/// An answer with a body.
pub(crate) fn reply(status: StatusCode, content_type: &'static str, body: Bytes) -> Reply {
    let mut reply = Response::new(Body::new(Full::new(body)));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// An answer in plain text.
pub(crate) fn text(status: StatusCode, body: &str) -> Reply {
    reply(status, "text/plain; charset=utf-8", Bytes::copy_from_slice(body.as_bytes()))
}

/// Opens an address; anything beyond this machine must be allowed.
pub(crate) async fn bind(
    what: Listener,
    address: SocketAddr,
    beyond_loopback: bool,
) -> Result<TcpListener, StartError> {
    if !beyond_loopback && !address.ip().is_loopback() {
        return Err(StartError::BeyondLoopback { what, address });
    }
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => StartError::AddressInUse { what, address },
        _ => StartError::Listen { what, address, source },
    })
}

/// How much a listener lets its clients do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Connections open at once.
    pub connections: usize,
    /// Time for a handshake, for a request's head, and until a connection's first request.
    pub head: Duration,
    /// Time without a request after the first.
    pub idle: Duration,
}

/// Serves requests until told to stop; then those under way may finish within [`caps::DRAIN_TIME`].
pub(crate) async fn serve<S, F>(
    listener: TcpListener,
    patience: Patience,
    shared: Arc<S>,
    answer: fn(Arc<S>, Request<Incoming>) -> F,
    mut stop: watch::Receiver<bool>,
) where
    S: Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let free = Arc::new(Semaphore::new(patience.connections));
    let mut connections = JoinSet::new();
    let stopped = stop.clone();
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            Some(_ended) = connections.join_next() => {}
            (stream, permit) = accept(&listener, &free) => {
                let (shared, stop) = (Arc::clone(&shared), stopped.clone());
                connections.spawn(async move {
                    let answer = move |request| answer(Arc::clone(&shared), request);
                    connection::run(stream, patience, answer, stop).await;
                    drop(permit);
                });
            }
        }
    }
    drop(listener);
    // Each gives its requests their time, and is cut off after it.
    while connections.join_next().await.is_some() {}
}

async fn accept(listener: &TcpListener, free: &Arc<Semaphore>) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there is always a permit.
    let permit = Arc::clone(free).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _peer)) => {
                // Without it small answers wait; a socket that refuses is slower and no worse.
                let _ = stream.set_nodelay(true);
                return (stream, permit);
            }
            Err(_) => sleep(caps::ACCEPT_PAUSE).await,
        }
    }
}
