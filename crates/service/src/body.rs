//! Reading a request's body: bounded in bytes, charged as it arrives.
//!
//! Who is refused over HTTP/1 for what it sends is heard out before the answer, up to a bound: a connection that is
//! closed on bytes unread takes the answer with it, and the client would send the same again.

use bytes::{Bytes, BytesMut};
use http::header::EXPECT;
use http::{Request, Version};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use crate::admission::Charge;
use crate::caps;
use crate::refusal::Refusal;

/// Reads the whole body of a request, which may have so many bytes.
pub(crate) async fn read(
    request: Request<Incoming>,
    bound: usize,
    charge: &mut Charge,
) -> Result<Bytes, Refusal> {
    if request.body().size_hint().lower() > bound as u64 {
        hear_out(request).await;
        return Err(too_large(bound));
    }
    let (head, mut body) = request.into_parts();
    let read = within(&mut body, bound, charge).await;
    if matches!(read, Err(Refusal::TooLarge(_))) {
        hear(body, head.version).await;
    }
    read
}

/// Reads a body that is not wanted, and keeps nothing of it. A client that asks before it sends is simply told no.
pub(crate) async fn hear_out(request: Request<Incoming>) {
    if !request.headers().contains_key(EXPECT) {
        let version = request.version();
        hear(request.into_body(), version).await;
    }
}

/// HTTP/2 can end one stream and needs no such thing.
async fn hear(mut body: Incoming, version: Version) {
    if version < Version::HTTP_2 {
        // Whoever takes longer is cut off.
        let _ = timeout(caps::DRAIN_TIME, unheard(&mut body)).await;
    }
}

async fn within(body: &mut Incoming, bound: usize, charge: &mut Charge) -> Result<Bytes, Refusal> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refusal::Malformed(format!("the body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + all.len() + data.len() > bound {
            return Err(too_large(bound));
        }
        charge.add(data.len())?;
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

async fn unheard(body: &mut Incoming) {
    let mut left = caps::UNHEARD_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
            Some(less) => left = less,
            None => return,
        }
    }
}

/// More than the bound came, or came of it.
pub(crate) fn too_large(bound: usize) -> Refusal {
    Refusal::TooLarge(format!(
        "the request has more than {bound} bytes (`request_bytes` in the configuration); send smaller batches"
    ))
}
