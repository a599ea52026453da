//! One listening address: connections in, one handler for their requests, and an orderly end.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::caps;
use crate::connection;
use crate::door::{Door, Peer};
use crate::error::{Listener, StartError};
use crate::settings::Listening;

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

/// Opens an address; one that other machines reach must be guarded, or allowed.
pub(crate) async fn bind(what: Listener, listening: &Listening) -> Result<TcpListener, StartError> {
    let address = listening.address;
    if !listening.may_listen(what == Listener::Public) {
        return Err(StartError::BeyondLoopback { what, address });
    }
    listen(address).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::AddressInUse { what, address },
        _ => StartError::Listen { what, address, source },
    })
}

/// Listens, with room for a burst of connections: the usual 128 overflow before they are accepted, and Linux then resets
/// some of them.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As a listener usually has it: a restart need not wait for the connections of before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(caps::BACKLOG)
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
    door: Arc<Door>,
    shared: Arc<S>,
    answer: fn(Arc<S>, Request<Incoming>) -> F,
    mut stop: watch::Receiver<bool>,
) where
    S: Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let free = Arc::new(Semaphore::new(door.patience.connections));
    let mut connections = JoinSet::new();
    let stopped = stop.clone();
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            Some(_ended) = connections.join_next() => {}
            (stream, peer, permit) = accept(&listener, &free) => {
                let Ok(share) = door.connect(peer) else { continue };
                let (door, shared, stop) = (Arc::clone(&door), Arc::clone(&shared), stopped.clone());
                connections.spawn(async move {
                    let answer = move |mut request: Request<Incoming>| {
                        request.extensions_mut().insert(Peer(peer));
                        answer(Arc::clone(&shared), request)
                    };
                    connect(stream, &door, answer, stop).await;
                    drop((permit, share));
                });
            }
        }
    }
    drop(listener);
    // Each gives its requests their time, and is cut off after it.
    while connections.join_next().await.is_some() {}
}

/// Makes a connection secure where that is asked for, and serves it.
async fn connect<F>(
    stream: TcpStream,
    door: &Door,
    answer: impl Fn(Request<Incoming>) -> F,
    mut stop: watch::Receiver<bool>,
) where
    F: Future<Output = Reply> + Send + 'static,
{
    let Some(config) = door.tls() else {
        return connection::run(stream, door.patience, answer, stop).await;
    };
    let handshake = timeout(door.patience.head, TlsAcceptor::from(config).accept(stream));
    let shaken = tokio::select! {
        _ = stop.wait_for(|stop| *stop) => return,
        shaken = handshake => shaken,
    };
    match shaken {
        Ok(Ok(stream)) => connection::run(stream, door.patience, answer, stop).await,
        Ok(Err(_)) | Err(_) => door.counters.handshakes_failed.add(1),
    }
}

async fn accept(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
) -> (TcpStream, IpAddr, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there is always a permit.
    let permit = Arc::clone(free).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Without it small answers wait; a socket that refuses is slower and no worse.
                let _ = stream.set_nodelay(true);
                return (stream, peer.ip(), permit);
            }
            Err(_) => sleep(caps::ACCEPT_PAUSE).await,
        }
    }
}
