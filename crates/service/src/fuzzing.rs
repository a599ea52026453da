//! What fuzzing reaches into: a request's head and body without a connection.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::Request;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE};
use http_body_util::BodyExt;

use authstitch_otlp::{Encoding, Signal};

use crate::admission::Admission;
use crate::door;
use crate::error::Listener;
use crate::intake::Head;
use crate::listener::Reply;
use crate::settings::{Limits, Listening, Public};
use crate::{grpc, http as over_http};

/// A door that asks for a token, or one for pages.
#[derive(Debug)]
pub struct Door(door::Door);

/// What a receiver says of a request.
#[derive(Debug)]
pub enum Said {
    /// It is taken: its signal, its encoding, and its message as it was packed.
    Taken(Signal, Encoding, Bytes),
    /// It is not: the status, the content type and the body of the answer.
    Refused(u16, String, Bytes),
}

impl Door {
    /// That of OTLP over HTTP, where this token is asked for.
    ///
    /// # Errors
    /// If it is no token.
    pub fn guarded(token: &str) -> Result<Self, String> {
        let mut listening = Listening::free_port();
        listening.tokens.add(token)?;
        door::Door::new(Listener::Http, &listening, None, Limits::default(), Arc::default()).map(Self)
    }

    /// That of pages of these origins.
    ///
    /// # Errors
    /// If a file that it names cannot be used.
    pub fn public(public: &Public) -> Result<Self, String> {
        let listening = &public.listening;
        door::Door::new(Listener::Public, listening, Some(public), Limits::default(), Arc::default())
            .map(Self)
    }

    /// What becomes of a request over HTTP; its body may have so many bytes when it is unpacked, and so many may
    /// be held meanwhile. `framed` has its body be the frame of a call.
    ///
    /// # Panics
    /// If more is held than may be, or anything stays behind.
    #[must_use]
    pub fn say(&self, request: &Request<Bytes>, framed: bool, bound: usize, room: usize) -> Said {
        let head = match over_http::head(&self.0, request) {
            Ok(head) => head,
            Err(reply) => return refused(*reply),
        };
        let admission = Admission::new(room, 1);
        let unpacked = {
            let slot = admission.enter();
            slot.and_then(|slot| {
                let mut charge = slot.charge();
                let Head { packing, .. } = head;
                let body = request.body();
                let (body, packing) =
                    if framed { grpc::unframe(body, packing)? } else { (body.clone(), packing) };
                let unpacked =
                    packing.map_or(Ok(body.clone()), |packing| packing.unpack(&body, bound, &mut charge));
                assert!(admission.bytes() <= room, "what is held is charged before it is had");
                unpacked
            })
        };
        assert_eq!((admission.bytes(), admission.requests()), (0, 0), "what was charged is given back");
        match unpacked {
            Ok(message) => Said::Taken(head.signal, head.encoding, message),
            Err(refusal) => refused(over_http::refused_in(head.encoding, &refusal)),
        }
    }
}

fn refused(reply: Reply) -> Said {
    let (head, body) = reply.into_parts();
    assert!(!head.headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "a refusal allows nothing");
    let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // A whole body is there at once.
    let body = pin!(body.collect()).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Ok(body)) = body else { panic!("the body of a refusal is there at once") };
    Said::Refused(head.status.as_u16(), kind.to_owned(), body.to_bytes())
}
