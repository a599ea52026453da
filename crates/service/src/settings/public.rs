//! The listener for browsers and phones: whose pages may send, and how much of everything one of them may use.

use std::fmt;

use authstitch_model::document::{Fields, quoted};

use super::listeners::{ACCEPTED, Listening, check, guarded};
use crate::caps;

/// A listener to which browsers and phones send straight: OTLP over HTTP and over gRPC, from anybody, so nothing
/// that only a server can know is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Public {
    /// Its address.
    pub listening: Listening,
    /// Pages of these origins may send; programs that name none may, too.
    pub origins: Vec<Origin>,
    /// Bytes of one request, after decompression.
    pub request_bytes: usize,
    /// What one client address may use at once.
    pub per_address: Share,
    /// What the pages of one origin may use at once.
    pub per_origin: Share,
}

/// What one of many may use at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Connections.
    pub connections: usize,
    /// Requests that are not answered yet.
    pub requests_in_flight: usize,
    /// Bytes of requests and events that wait or are worked on.
    pub bytes: usize,
}

/// An origin, as browsers write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// An origin: a scheme, a host, and a port if it is not the scheme's own.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let (scheme, host) = lower.split_once("://")?;
        let of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
        let right = !scheme.is_empty()
            && scheme.bytes().all(of_scheme)
            && !host.is_empty()
            && host.bytes().all(of_host)
            && lower.len() <= caps::ORIGIN_BYTES;
        right.then_some(Self(lower))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Public {
    /// The usual bounds, on a free port of this machine.
    pub(crate) fn new() -> Self {
        Self {
            listening: Listening::free_port(),
            origins: Vec::new(),
            request_bytes: caps::PUBLIC_REQUEST_BYTES,
            per_address: caps::ADDRESS_SHARE,
            per_origin: caps::ORIGIN_SHARE,
        }
    }
}

/// Reads the public listener, if there is one.
pub(super) fn public(fields: &Fields<'_>, key: &'static str, beyond: bool) -> Option<Public> {
    let value = fields.get(key)?;
    let default = Listening { beyond_loopback: beyond, ..Listening::free_port() };
    let usual = Public::new();
    if !value.is_object() {
        let address = fields.parsed(key, ACCEPTED, default.address, |text| text.parse().ok());
        let listening = Listening { address, ..default };
        check(fields, key, &listening, true);
        return Some(Public { listening, ..usual });
    }
    Some(fields.map(key, |inner| {
        let request_bytes = size(inner, "request_bytes", 1 << 10, usual.request_bytes);
        let share = |fields: &Fields<'_>, usual| share(fields, usual, request_bytes);
        Public {
            listening: guarded(inner, &default, true),
            origins: origins(inner),
            request_bytes,
            per_address: inner.map("per_address", |fields| Share {
                connections: size(fields, "connections", 1, usual.per_address.connections),
                ..share(fields, usual.per_address)
            }),
            per_origin: inner.map("per_origin", |fields| share(fields, usual.per_origin)),
        }
    }))
}

fn origins(fields: &Fields<'_>) -> Vec<Origin> {
    let texts = fields.texts("origins");
    if texts.len() > caps::ORIGINS {
        fields.problem("origins", format!("{} origins; at most {} are accepted", texts.len(), caps::ORIGINS));
    }
    let read = |text: &String| {
        let origin = Origin::parse(text);
        if origin.is_none() {
            let accepted = "accepted: scheme://host or scheme://host:port, such as https://shop.example";
            fields.problem("origins", format!("{} is no origin; {accepted}", quoted(text)));
        }
        origin
    };
    texts.iter().filter_map(read).collect()
}

fn share(fields: &Fields<'_>, default: Share, request_bytes: usize) -> Share {
    let bytes = size(fields, "bytes", 1 << 12, default.bytes);
    if bytes / 2 < request_bytes {
        let message = format!(
            "`{bytes}` is less than twice the request_bytes beside it ({request_bytes}): a packed request and what it \
             unpacks to must both fit"
        );
        fields.problem("bytes", message);
    }
    let requests_in_flight = size(fields, "requests_in_flight", 1, default.requests_in_flight);
    Share { requests_in_flight, bytes, ..default }
}

fn size(fields: &Fields<'_>, key: &'static str, least: u64, default: usize) -> usize {
    usize::try_from(fields.integer(key, least..=1 << 30, default as u64)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_and_a_host_and_no_more() {
        for text in
            ["https://shop.example", "http://localhost:3000", "capacitor://localhost", "http://[::1]:80"]
        {
            assert_eq!(Origin::parse(text).map(|origin| origin.to_string()).as_deref(), Some(text));
        }
        assert_eq!(Origin::parse("HTTPS://Shop.Example").unwrap().as_str(), "https://shop.example");
        let long = format!("https://{}", "a".repeat(caps::ORIGIN_BYTES));
        for text in [
            "",
            "*",
            "null",
            "shop.example",
            "https://",
            "://a",
            "https://a/",
            "https://a?b",
            "a b://c",
            &long,
        ] {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
    }
}
