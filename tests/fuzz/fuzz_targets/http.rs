//! Any head and any body as a request over HTTP: it is taken within the bounds, or refused with a status, a type and
//! a message that a client can read. The first byte chooses the door and whether the body is framed; then come the
//! lines of the head, an empty line, and the body.

#![no_main]

use std::sync::LazyLock;

use authstitch_service::fuzzing::{Door, Said};
use authstitch_service::{Settings, caps};
use bytes::Bytes;
use http::Request;
use libfuzzer_sys::fuzz_target;
use prost::Message;

/// Bytes that a message may have, and that may be held meanwhile: a window of zstd, and some.
const BOUND: usize = 64 << 10;
const ROOM: usize = caps::ZSTD_WINDOW_BYTES + 3 * BOUND;

static GUARDED: LazyLock<Door> =
    LazyLock::new(|| Door::guarded("the-token-of-the-collectors").expect("it is a token"));

static PUBLIC: LazyLock<Door> = LazyLock::new(|| {
    let text = "listeners: {public: {address: '127.0.0.1:0', origins: ['https://shop.example']}}";
    let settings = Settings::from_yaml(text).expect("it is right");
    Door::public(&settings.public.expect("it is there")).expect("no file is named")
});

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

fn request(text: &[u8]) -> Option<Request<Bytes>> {
    let end = text.windows(2).position(|two| two == b"\n\n")?;
    let (head, body) = (std::str::from_utf8(&text[..end]).ok()?, &text[end + 2..]);
    let mut lines = head.lines();
    let (method, target) = lines.next()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(target);
    for line in lines {
        let (name, value) = line.split_once(':')?;
        request = request.header(name, value.trim());
    }
    request.body(Bytes::copy_from_slice(body)).ok()
}

fuzz_target!(|input: &[u8]| {
    let Some((first, text)) = input.split_first() else { return };
    let Some(request) = request(text) else { return };
    let door = if first & 1 == 0 { &GUARDED } else { &PUBLIC };
    match door.say(&request, first & 2 != 0, BOUND, ROOM) {
        Said::Taken(_, _, message) => assert!(message.len() <= BOUND.max(request.body().len())),
        Said::Refused(status, kind, body) => {
            assert!((400..500).contains(&status), "{status}: whoever sent it is to blame");
            let message = match kind.as_str() {
                "application/json" => {
                    let status: serde_json::Value = serde_json::from_slice(&body).expect("it is JSON");
                    status["message"].as_str().expect("it has a message").to_owned()
                }
                "application/x-protobuf" => Status::decode(body).expect("it is a status").message,
                other => panic!("an answer of type {other}"),
            };
            assert!(!message.is_empty());
        }
    }
});
