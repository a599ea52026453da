//! Captured requests played again: with fresh ids and keys, and times moved to when they are sent.
//!
//! 1. Requests keep their order. Each is due when the capture's clock stands at the middle one of its times;
//!    the clock never goes back.
//! 2. The clock does not follow a request that lies over an hour from it, unless the next one lies there, too:
//!    some device's clock is off by years.
//! 3. Within one pass over the capture the same old id or key gives the same new one; every pass has others
//!    (see [`crate::template`]).
//! 4. A pass begins when the one before is over: the length of a pass is that of the capture and one mean pause
//!    between its requests.

use authstitch_model::{Millis, UnixNanos};
use authstitch_otlp::Signal;

use crate::template::fresh::Fresh;
use crate::template::{Ids, Level, NoTemplate, Template, records};
use crate::throng::Packed;

/// What a request may lie from the clock and still move it.
const JUMP: Millis = Millis::from_mins(60);

/// Captured requests, ready to be played.
#[derive(Clone, Debug, Default)]
pub struct Capture {
    ids: Ids,
    requests: Vec<Captured>,
    /// From the first request to the end of a pass.
    length: u64,
    began: UnixNanos,
}

#[derive(Clone, Debug)]
struct Captured {
    signal: Signal,
    records: usize,
    template: Template,
    /// Nanoseconds after the first request.
    after: u64,
}

impl Capture {
    /// Reads requests in binary protobuf.
    ///
    /// # Errors
    /// Which request is none, counted from 1, and why.
    pub fn new(requests: Vec<(Signal, Vec<u8>)>) -> Result<Self, String> {
        let mut ids = Ids::default();
        for (place, (signal, bytes)) in requests.iter().enumerate() {
            ids.note(Level::Request(*signal), bytes).map_err(|why| told(place, why))?;
        }
        ids.settle();
        let mut captured = Vec::with_capacity(requests.len());
        for (place, (signal, bytes)) in requests.into_iter().enumerate() {
            let level = Level::Request(signal);
            let records = records(level, &bytes);
            let template = ids.template(level, bytes).map_err(|why| told(place, why))?;
            captured.push(Captured { signal, records, template, after: 0 });
        }
        let middles: Vec<_> = captured.iter().map(|request| request.template.middle_time()).collect();
        let clock = clock(&middles);
        let began = clock.first().copied().unwrap_or_default();
        for (request, at) in captured.iter_mut().zip(&clock) {
            request.after = at.0 - began.0;
        }
        let last = captured.last().map_or(0, |request| request.after);
        let length = last + last / (captured.len() as u64).saturating_sub(1).max(1);
        Ok(Self { ids, requests: captured, length: length.max(1), began })
    }

    /// How many requests it holds.
    #[must_use]
    pub const fn requests(&self) -> usize {
        self.requests.len()
    }

    /// Plays it from `start` on: once, or again and again until `end`.
    pub fn play(self, seed: u64, start: UnixNanos, end: Option<UnixNanos>) -> impl Iterator<Item = Packed> {
        let (mut pass, mut place) = (0, 0);
        std::iter::from_fn(move || {
            if place == self.requests.len() {
                (pass, place) = (pass + 1, 0);
            }
            if end.is_none() && pass > 0 {
                return None;
            }
            let request = self.requests.get(place)?;
            place += 1;
            let begins = UnixNanos(start.0.saturating_add(self.length.saturating_mul(pass)));
            let at = UnixNanos(begins.0.saturating_add(request.after));
            let moved_by = begins.signed_since(self.began);
            let mut bytes = Vec::with_capacity(request.template.len());
            request.template.instance(&self.ids, Fresh::new(seed, pass), moved_by, &mut bytes);
            let packed = Packed { at, signal: request.signal, records: request.records, bytes };
            Some(packed).filter(|packed| end.is_none_or(|end| packed.at < end))
        })
    }
}

fn told(place: usize, why: NoTemplate) -> String {
    let why = match why {
        NoTemplate::Malformed => "it is no OTLP request",
        NoTemplate::TooLarge => "it is too large, or the requests hold too many different ids",
    };
    format!("request {}: {why}", place + 1)
}

/// Where the clock stands at each request.
fn clock(middles: &[Option<UnixNanos>]) -> Vec<UnixNanos> {
    let near = |a: UnixNanos, b: UnixNanos| a.0.abs_diff(b.0) <= JUMP.nanos();
    let follows = |place: usize, time: UnixNanos| {
        let next = middles[place + 1..].iter().flatten().next();
        next.is_none_or(|next| near(*next, time))
    };
    let mut now: Option<UnixNanos> = None;
    let times = middles.iter().enumerate().map(|(place, middle)| {
        let believed = middle.filter(|time| now.is_some_and(|now| near(now, *time)) || follows(place, *time));
        if let Some(time) = believed {
            now = Some(now.map_or(time, |now| now.max(time)));
        }
        now
    });
    let times: Vec<_> = times.collect();
    let first = times.iter().flatten().next().copied().unwrap_or_default();
    times.into_iter().map(|time| time.unwrap_or(first)).collect()
}

#[cfg(test)]
mod tests {
    use authstitch_otlp::wire;
    use prost::Message as _;

    use super::*;

    fn request(trace: u8, seconds: u64) -> (Signal, Vec<u8>) {
        let span = wire::Span {
            trace_id: vec![trace; 16],
            start_time_unix_nano: seconds * 1_000_000_000,
            end_time_unix_nano: seconds * 1_000_000_000,
            ..wire::Span::default()
        };
        let scope_spans = vec![wire::ScopeSpans { spans: vec![span], ..wire::ScopeSpans::default() }];
        let entry = wire::ResourceSpans { scope_spans, ..wire::ResourceSpans::default() };
        (Signal::Traces, wire::TracesRequest { resource_spans: vec![entry] }.encode_to_vec())
    }

    /// Due second, second of the span and trace of each request.
    fn played(capture: &Capture, end_s: Option<u64>) -> Vec<(u64, u64, Vec<u8>)> {
        let seconds = |time: u64| time / 1_000_000_000;
        let end = end_s.map(|seconds| UnixNanos(seconds * 1_000_000_000));
        let packed = capture.clone().play(1, UnixNanos(5_000_000_000_000), end);
        packed
            .map(|packed| {
                let mut request = wire::TracesRequest::decode(&*packed.bytes).unwrap();
                let span =
                    request.resource_spans.pop().unwrap().scope_spans.pop().unwrap().spans.pop().unwrap();
                assert_eq!(packed.records, 1);
                (seconds(packed.at.0), seconds(span.start_time_unix_nano), span.trace_id)
            })
            .collect()
    }

    #[test]
    fn a_pass_keeps_order_and_distances_and_every_pass_has_ids_of_its_own() {
        let capture = Capture::new(vec![request(1, 1000), request(2, 1004), request(1, 1006)]).unwrap();
        let once = played(&capture, None);
        let times: Vec<_> = once.iter().map(|(due, time, _)| (*due, *time)).collect();
        assert_eq!(times, [(5000, 5000), (5004, 5004), (5006, 5006)]);
        assert_eq!(once[0].2, once[2].2);
        assert!(once[0].2 != once[1].2 && once[0].2 != vec![1; 16]);
        // A pass takes six seconds and a mean pause of three.
        let again = played(&capture, Some(5010));
        assert_eq!(again.iter().map(|(due, _, _)| *due).collect::<Vec<_>>(), [5000, 5004, 5006, 5009]);
        assert_eq!(again[0].2, once[0].2);
        assert_ne!(again[3].2, once[0].2);
    }

    #[test]
    fn a_device_whose_clock_is_off_does_not_move_the_capture() {
        let off = 900_000_000;
        let capture = Capture::new(vec![
            request(9, off),
            request(1, 1000),
            request(4, 1001),
            request(2, off),
            request(3, 1000),
        ]);
        let times: Vec<_> = played(&capture.unwrap(), None).iter().map(|(due, _, _)| *due).collect();
        assert_eq!(times, [5000, 5000, 5001, 5001, 5001]);
        let leap = [(1, 1000), (2, 1001), (3, 90_000), (4, 90_001)].map(|(trace, at)| request(trace, at));
        let leap = Capture::new(leap.to_vec()).unwrap();
        let times: Vec<_> = played(&leap, None).iter().map(|(due, _, _)| *due).collect();
        assert_eq!(times, [5000, 5001, 94_000, 94_001]);
    }

    #[test]
    fn what_is_no_request_is_named() {
        let error = Capture::new(vec![request(1, 1000), (Signal::Traces, vec![10, 9])]).unwrap_err();
        assert_eq!(error, "request 2: it is no OTLP request");
        assert_eq!(played(&Capture::new(Vec::new()).unwrap(), Some(9000)), []);
    }
}
