//! Reading a request's body: bounded in bytes, charged as it arrives, unpacked within the same bound.

use std::io::Read;

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use crate::admission::Charge;
use crate::refusal::Refusal;

/// Reads the whole body, which may have so many bytes.
pub(crate) async fn read(mut body: Incoming, bound: usize, charge: &mut Charge) -> Result<Bytes, Refusal> {
    let announced = body.size_hint().lower();
    if announced > bound as u64 {
        return Err(too_large(bound));
    }
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

/// Unpacks gzip into at most so many bytes.
pub(crate) fn unzip(packed: &[u8], bound: usize, charge: &mut Charge) -> Result<Bytes, Refusal> {
    let mut unpacked = Vec::new();
    let bounded = u64::try_from(bound).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(packed)
        .take(bounded)
        .read_to_end(&mut unpacked)
        .map_err(|error| Refusal::Malformed(format!("the body is not gzip: {error}")))?;
    if unpacked.len() > bound {
        return Err(too_large(bound));
    }
    charge.add(unpacked.len())?;
    Ok(Bytes::from(unpacked))
}

fn too_large(bound: usize) -> Refusal {
    Refusal::TooLarge(format!(
        "the request has more than {bound} bytes (limits.request_bytes); send smaller batches"
    ))
}
