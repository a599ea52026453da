//! One connection: HTTP/1 or HTTP/2, whichever its client speaks, to an orderly end.
//!
//! - A client that is slow to say what it wants is cut off: it has one time for each head, and the same until its
//!   first request. Without a request a connection of HTTP/1 lives as long, one of HTTP/2 for a longer time.
//! - Whoever is to go is told so, and has [`caps::DRAIN_TIME`] for the requests under way.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::caps;
use crate::listener::{Patience, Reply};

/// Answers the requests of a connection until it ends, is idle for too long, or the service stops.
pub(crate) async fn run<F>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    patience: Patience,
    answer: impl Fn(Request<Incoming>) -> F,
    mut stop: watch::Receiver<bool>,
) where
    F: Future<Output = Reply> + Send + 'static,
{
    let under_way = Arc::new(watch::Sender::new(0));
    let mut watched = under_way.subscribe();
    let service = service_fn(move |request| {
        let begun = UnderWay::begin(&under_way);
        let answered = answer(request);
        async move {
            let reply = answered.await;
            drop(begun);
            Ok::<_, Infallible>(reply)
        }
    });
    let builder = builder(patience);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // A connection that breaks is its client's affair; the requests on it were answered or not.
        _ended = connection.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => {}
        () = idle(&mut watched, patience.head, patience.idle) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(caps::DRAIN_TIME, connection).await;
}

/// A request under way.
struct UnderWay(Arc<watch::Sender<usize>>);

impl UnderWay {
    fn begin(count: &Arc<watch::Sender<usize>>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(Arc::clone(count))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Returns once no request was under way for so long; until the first one another time counts.
async fn idle(under_way: &mut watch::Receiver<usize>, first: Duration, then: Duration) {
    let mut allowed = first;
    loop {
        match timeout(allowed, under_way.changed()).await {
            Ok(Ok(())) => allowed = then,
            // The connection is gone, and its other half ends this wait.
            Ok(Err(_gone)) => return std::future::pending().await,
            Err(_quiet) => {
                if *under_way.borrow() == 0 {
                    return;
                }
            }
        }
    }
}

fn builder(patience: Patience) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_headers(caps::HEADERS)
        .max_buf_size(caps::READ_AHEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(caps::STREAMS)
        .max_header_list_size(caps::HEADER_LIST_BYTES)
        .initial_stream_window_size(caps::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(caps::CONNECTION_WINDOW_BYTES)
        .max_frame_size(caps::FRAME_BYTES);
    builder
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::StatusCode;
    use http_body_util::Full;
    use hyper::client::conn::http2;

    use super::*;
    use crate::listener::text;

    #[tokio::test]
    async fn http2_without_a_request_is_closed_later_than_one_that_never_had_any() {
        let (near, far) = tokio::io::duplex(1 << 16);
        let [head, idle] = [50, 400].map(Duration::from_millis);
        let patience = Patience { connections: 1, head, idle };
        let (_stop, stopped) = watch::channel(false);
        let served = tokio::spawn(run(
            far,
            patience,
            |_request| async {
                // A request under way is no idleness.
                tokio::time::sleep(Duration::from_millis(200)).await;
                text(StatusCode::OK, "done")
            },
            stopped,
        ));
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(near)).await.unwrap();
        let client = tokio::spawn(connection);
        let request = Request::builder().uri("http://x/").body(Full::<Bytes>::default()).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert!(!served.is_finished(), "it may be idle for longer than a head may take");
        timeout(Duration::from_secs(20), served).await.expect("it is closed").unwrap();
        assert!(client.await.unwrap().is_ok(), "in order");
    }
}
