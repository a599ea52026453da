//! One listening address: connections in, one handler for their requests, and an orderly end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::caps;
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

/// Serves requests until told to stop; then those under way may finish within [`caps::DRAIN_TIME`].
pub(crate) async fn serve<S, F>(
    listener: TcpListener,
    shared: Arc<S>,
    answer: fn(Arc<S>, Request<Incoming>) -> F,
    mut stop: watch::Receiver<bool>,
) where
    S: Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let graceful = GracefulShutdown::new();
    let free = Arc::new(Semaphore::new(caps::CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            Some(_ended) = connections.join_next() => {}
            (stream, permit) = accept(&listener, &free) => {
                let shared = Arc::clone(&shared);
                let service = service_fn(move |request| {
                    let answered = answer(Arc::clone(&shared), request);
                    async move { Ok::<_, Infallible>(answered.await) }
                });
                let connection = builder().serve_connection(TokioIo::new(stream), service).into_owned();
                let watched = graceful.watch(connection);
                connections.spawn(async move {
                    // A connection that breaks is its client's affair; the requests on it were answered or not.
                    let _ = watched.await;
                    drop(permit);
                });
            }
        }
    }
    drop(listener);
    // Whoever is not done by then is cut off with the set of connections.
    let _ = timeout(caps::DRAIN_TIME, graceful.shutdown()).await;
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

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(caps::STREAMS)
        .initial_stream_window_size(caps::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(caps::CONNECTION_WINDOW_BYTES)
        .max_frame_size(caps::FRAME_BYTES);
    builder
}
