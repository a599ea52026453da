//! The stream: requests that are alike but for the marks of their logins.
//!
//! A request is encoded once; each further one is a copy with other marks written over the first's. So making a
//! request costs next to nothing beside sending it, and the same number is always the same request, but for its
//! times.

use std::collections::HashMap;
use std::ops::Range;

use authstitch_otlp::wire::{Resource, ResourceSpans, Scope, ScopeSpans, TracesRequest};
use bytes::Bytes;
use prost::Message;

use crate::login::{self, SPANS, text};
use crate::marks::{Mark, Marks};

/// Bytes before the message of a gRPC call: one flag, four of length.
const FRAME_HEAD: usize = 5;

/// Logins that lend their marks to the templates, counted down from here, so that the stream has others.
const TEMPLATE: u64 = u64::MAX / 16;

/// How the spans of a login lie in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// All of them in one request.
    Whole,
    /// Each in another request, one request after the other, as page, server and phone export them.
    Spread,
}

/// The requests of the stream.
pub struct Stream {
    /// One is sent after the other, in turn.
    templates: Vec<Template>,
    logins: u64,
}

/// A framed request, and where marks stand in it, login by login.
struct Template {
    framed: Vec<u8>,
    logins: Vec<Vec<Spot>>,
}

/// Where a mark stands.
struct Spot {
    mark: Mark,
    offset: usize,
}

impl Stream {
    /// The stream whose requests hold so many spans, rounded to whole logins.
    pub fn new(batch: usize, layout: Layout) -> Self {
        let each = match layout {
            Layout::Whole => SPANS,
            Layout::Spread => 1,
        };
        let logins = (batch / each).max(1);
        let parts = (0..SPANS).step_by(each).map(|first| first..first + each);
        let templates = parts.map(|part| Template::new(logins, part)).collect();
        Self { templates, logins: logins as u64 }
    }

    /// Spans in each request.
    pub fn batch(&self) -> u64 {
        self.logins * (SPANS / self.templates.len()) as u64
    }

    /// Bytes of a span, with its share of the request around it, on average.
    pub fn span_bytes(&self) -> f64 {
        let bytes: usize = self.templates.iter().map(|template| template.framed.len() - FRAME_HEAD).sum();
        bytes as f64 / (self.logins as usize * SPANS) as f64
    }

    /// The framed request with this number, whose logins end now (nanoseconds since 1970).
    pub fn request(&self, number: u64, now: u64) -> Bytes {
        let templates = self.templates.len() as u64;
        let template = &self.templates[(number % templates) as usize];
        let first = number / templates * self.logins;
        let mut bytes = template.framed.clone();
        for (login, spots) in (first..).zip(&template.logins) {
            let marks = Marks::new(login, now);
            for Spot { mark, offset } in spots {
                let new = marks.bytes(*mark);
                bytes[*offset..offset + new.len()].copy_from_slice(new);
            }
        }
        bytes.into()
    }
}

impl Template {
    /// The request of some spans of so many logins.
    fn new(logins: usize, part: Range<usize>) -> Self {
        // The times are random, too, so that no other bytes are taken for them.
        let marks: Vec<_> = (0..logins as u64)
            .map(|login| Marks::new(TEMPLATE - login, Marks::new(login, 0).time(Mark::Span(0))))
            .collect();
        let framed = framed(&marks, part);
        let logins = spots(&framed, &marks);
        Self { framed, logins }
    }
}

/// A request with some spans of these logins, in its frame.
fn framed(logins: &[Marks], part: Range<usize>) -> Vec<u8> {
    let described = [
        ("service.name", "login"),
        ("service.version", "2026.7.1"),
        ("deployment.environment.name", "production"),
        ("host.name", "gateway-2.eu-west-1.internal"),
        ("telemetry.sdk.name", "opentelemetry"),
    ];
    let resource = Resource { attributes: described.iter().map(|(key, value)| text(key, value)).collect() };
    let spans = logins
        .iter()
        .enumerate()
        .flat_map(|(place, marks)| part.clone().map(move |number| login::span(place, number, marks)));
    let scope = Scope { name: "login".into(), version: "1.0.0".into() };
    let scope_spans =
        vec![ScopeSpans { scope: Some(scope), spans: spans.collect(), schema_url: String::new() }];
    let resource_spans =
        vec![ResourceSpans { resource: Some(resource), scope_spans, schema_url: String::new() }];
    let message = TracesRequest { resource_spans }.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [[0].as_slice(), &length.to_be_bytes(), &message].concat()
}

/// Every place at which a mark stands, login by login.
fn spots(framed: &[u8], logins: &[Marks]) -> Vec<Vec<Spot>> {
    let begins = |bytes: &[u8]| bytes.first_chunk::<8>().copied();
    let mut known = HashMap::new();
    for (login, marks) in logins.iter().enumerate() {
        known.extend(Mark::all().map(|mark| (begins(marks.bytes(mark)), (login, mark))));
    }
    let mut spots: Vec<Vec<Spot>> = logins.iter().map(|_| Vec::new()).collect();
    for offset in 0..framed.len() {
        let rest = &framed[offset..];
        if let Some((login, mark)) = known.get(&begins(rest))
            && rest.starts_with(logins[*login].bytes(*mark))
        {
            spots[*login].push(Spot { mark: *mark, offset });
        }
    }
    spots
}

#[cfg(test)]
mod tests {
    use authstitch_model::Secret;
    use authstitch_otlp::{Encoding, Mapping, Signal, decode};

    use super::*;

    const NOW: u64 = 1_769_846_400_000_000_000;

    #[test]
    fn a_copy_with_other_marks_is_what_encoding_would_give() {
        let (whole, spread) = (Stream::new(100, Layout::Whole), Stream::new(100, Layout::Spread));
        for number in [0, 1, 12_344] {
            let marks = |logins: Range<u64>| logins.map(|login| Marks::new(login, NOW)).collect::<Vec<_>>();
            let twenty = marks(number * 20..number * 20 + 20);
            assert!(whole.request(number, NOW) == framed(&twenty, 0..5), "request {number}");
            let (turn, part) = (number / 5, (number % 5) as usize);
            let hundred = marks(turn * 100..turn * 100 + 100);
            assert!(spread.request(number, NOW) == framed(&hundred, part..part + 1), "request {number}");
        }
    }

    #[test]
    fn every_span_is_an_event_of_a_login_with_five_in_either_layout() {
        for layout in [Layout::Whole, Layout::Spread] {
            let stream = Stream::new(100, layout);
            let mapping = Mapping::new(Secret::PUBLIC);
            let mut traces: HashMap<_, usize> = HashMap::new();
            for number in 0..10 {
                let (request, mut events) = (stream.request(number, NOW), Vec::new());
                let message = &request[FRAME_HEAD..];
                let tally =
                    decode(Signal::Traces, Encoding::Protobuf, message, &mapping, &mut events).unwrap();
                assert_eq!((tally.records, tally.events, tally.rejected), (100, 100, 0), "{tally:?}");
                assert!(events.iter().all(|event| event.keys.strong().count() > 0));
                events.iter().for_each(|event| *traces.entry(event.keys.trace).or_default() += 1);
            }
            assert_eq!(traces.len(), 200);
            assert!(traces.values().all(|spans| *spans == SPANS));
        }
    }

    #[test]
    fn spans_have_ten_attributes_and_some_489_bytes() {
        let marks = Marks::new(0, NOW);
        let spans = (0..4).flat_map(|place| (0..SPANS).map(move |number| login::span(place, number, &marks)));
        assert!(spans.into_iter().all(|span| span.attributes.len() == 10));
        for layout in [Layout::Whole, Layout::Spread] {
            let bytes = Stream::new(100, layout).span_bytes();
            assert!((479.0..499.0).contains(&bytes), "{bytes}");
        }
    }
}
