//! Bad input gets a clear answer, harms nothing beside it, and never panics.

use expect_test::expect;
use proptest::prelude::{Just, ProptestConfig, any, prop_oneof, proptest};
use proptest::sample::Index;
use prost::Message;

use super::requests::{traces_request, value};
use crate::testing::{NOW, attribute, log, logs, mapped, mapped_logs, plain, span, span_event, traces};
use crate::wire::{AnyValue, ArrayValue, LogRecord, Span, TracesRequest, Value};
use crate::{Encoding, Malformed, Signal, Tally, decode};

const YEAR_2400: u64 = 13_569_465_600_000_000_000;

fn plainly(signal: Signal, encoding: Encoding, bytes: &[u8]) -> Result<Tally, Malformed> {
    let mut events = Vec::new();
    let tally = decode(signal, encoding, bytes, &plain(), &mut events);
    assert!(tally.is_ok() || events.is_empty(), "of a malformed request nothing is appended");
    tally
}

fn protobuf(bytes: &[u8]) -> Result<Tally, Malformed> {
    plainly(Signal::Traces, Encoding::Protobuf, bytes)
}

fn login() -> Span {
    let mut login = span("auth.webauthn.completed", &[("auth.challenge.id", "challenge-0001")]);
    login.events = vec![span_event("auth.page.hidden", &[("a", "b")])];
    login
}

/// The message about a span beside a good one, which stays.
fn rejected(change: impl FnOnce(&mut Span)) -> String {
    let mut bad = login();
    change(&mut bad);
    let (events, tally) = mapped(&plain(), &traces(&[], vec![login(), bad]));
    assert!(events.len() >= 2 && tally.rejected == 1, "{tally:?}");
    tally.message.unwrap()
}

fn rejected_log(change: impl FnOnce(&mut LogRecord)) -> String {
    let good = log("auth.qr.shown", &[("auth.journey.id", "journey-0001")]);
    let mut bad = good.clone();
    change(&mut bad);
    let (events, tally) = mapped_logs(&plain(), &logs(&[], vec![bad, good]));
    assert_eq!((events.len(), tally.records, tally.rejected), (1, 2, 1));
    tally.message.unwrap()
}

#[test]
fn empty_requests_are_fine() {
    for signal in [Signal::Traces, Signal::Logs] {
        assert_eq!(plainly(signal, Encoding::Protobuf, b""), Ok(Tally::default()));
        assert_eq!(plainly(signal, Encoding::Json, b"{}"), Ok(Tally::default()));
    }
    assert_eq!(protobuf(&traces(&[], vec![]).encode_to_vec()), Ok(Tally::default()));
}

#[test]
fn an_empty_body_is_no_json() {
    let error = plainly(Signal::Logs, Encoding::Json, b"").unwrap_err();
    expect![
        "the body is no ExportLogsServiceRequest in OTLP JSON: EOF while parsing a value at line 1 column 0"
    ]
    .assert_eq(&error.to_string());
}

#[test]
fn truncated_protobuf_is_malformed_at_every_length() {
    let whole = traces(&[("service.name", "shop")], vec![login(), login()]).encode_to_vec();
    for length in 1..whole.len() {
        assert!(protobuf(&whole[..length]).is_err(), "{length}");
    }
    let error = protobuf(&whole[..whole.len() - 1]).unwrap_err();
    expect!["the body is no ExportTraceServiceRequest in protobuf: failed to decode Protobuf message: TracesRequest.resource_spans: buffer underflow"].assert_eq(&error.to_string());
}

#[test]
fn truncated_json_is_malformed_at_every_length() {
    let whole = crate::encode_traces(&traces(&[("service.name", "shop")], vec![login()]));
    for length in 0..whole.len() {
        assert!(plainly(Signal::Traces, Encoding::Json, &whole.as_bytes()[..length]).is_err(), "{length}");
    }
}

#[test]
fn wrong_wire_types_are_malformed() {
    let of_span = |field: &[u8]| {
        let nested = |inner: &[u8], tag: u8| [&[tag, inner.len() as u8], inner].concat();
        nested(&nested(&nested(field, 0x12), 0x12), 0x0a)
    };
    let errors = [
        protobuf(&[0x08, 0x01]),
        protobuf(&of_span(&[0x2d, 1, 2, 3, 4])),
        protobuf(&of_span(&[0x3a, 0x01, 0x00])),
        protobuf(&of_span(&[0x2a, 0x02, 0xff, 0xfe])),
        protobuf(&of_span(&[0x0f])),
        protobuf(&[0xff; 16]),
    ]
    .map(|answer| answer.unwrap_err().to_string())
    .join("\n");
    expect![[r#"
        the body is no ExportTraceServiceRequest in protobuf: failed to decode Protobuf message: TracesRequest.resource_spans: invalid wire type: Varint (expected LengthDelimited)
        the body is no ExportTraceServiceRequest in protobuf: failed to decode Protobuf message: Span.name: ScopeSpans.spans: ResourceSpans.scope_spans: TracesRequest.resource_spans: invalid wire type: ThirtyTwoBit (expected LengthDelimited)
        the body is no ExportTraceServiceRequest in protobuf: failed to decode Protobuf message: Span.start_time_unix_nano: ScopeSpans.spans: ResourceSpans.scope_spans: TracesRequest.resource_spans: invalid wire type: LengthDelimited (expected SixtyFourBit)
        the body is no ExportTraceServiceRequest in protobuf: failed to decode Protobuf message: Span.name: ScopeSpans.spans: ResourceSpans.scope_spans: TracesRequest.resource_spans: invalid string value: data is not UTF-8 encoded
        the body is no ExportTraceServiceRequest in protobuf: failed to decode Protobuf message: ScopeSpans.spans: ResourceSpans.scope_spans: TracesRequest.resource_spans: invalid wire type value: 7
        the body is no ExportTraceServiceRequest in protobuf: failed to decode Protobuf message: invalid varint"#]].assert_eq(&errors);
}

#[test]
fn ids_of_wrong_length_or_all_zero_reject_their_span_alone() {
    let messages = [
        rejected(|span| span.trace_id = vec![0xab; 5]),
        rejected(|span| span.trace_id = vec![0; 16]),
        rejected(|span| span.trace_id = vec![]),
        rejected(|span| span.trace_id = vec![7; 1000]),
        rejected(|span| span.span_id = vec![0xab; 16]),
        rejected(|span| span.span_id = vec![0; 8]),
        rejected(|span| span.parent_span_id = vec![1]),
    ]
    .join("\n");
    expect![[r#"
        resource_spans[0].scope_spans[0].spans[1] (auth.webauthn.completed): trace_id has 5 bytes (ababababab); accepted: 16 bytes that are not all zero
        resource_spans[0].scope_spans[0].spans[1] (auth.webauthn.completed): trace_id has 16 bytes (00000000000000000000000000000000); accepted: 16 bytes that are not all zero
        resource_spans[0].scope_spans[0].spans[1] (auth.webauthn.completed): trace_id is missing; accepted: 16 bytes that are not all zero
        resource_spans[0].scope_spans[0].spans[1] (auth.webauthn.completed): trace_id has 1000 bytes (070707070707070707070707070707070707070707070707…); accepted: 16 bytes that are not all zero
        resource_spans[0].scope_spans[0].spans[1] (auth.webauthn.completed): span_id has 16 bytes (abababababababababababababababab); accepted: 8 bytes that are not all zero
        resource_spans[0].scope_spans[0].spans[1] (auth.webauthn.completed): span_id has 8 bytes (0000000000000000); accepted: 8 bytes that are not all zero
        resource_spans[0].scope_spans[0].spans[1] (auth.webauthn.completed): parent_span_id has 1 bytes (01); accepted: 8 bytes, or none"#]].assert_eq(&messages);
}

#[test]
fn a_log_record_may_have_no_ids_but_none_of_wrong_length() {
    let messages = [
        rejected_log(|record| record.trace_id = vec![1; 15]),
        rejected_log(|record| record.span_id = vec![1; 9]),
    ]
    .join("\n");
    expect![[r#"
        resource_logs[0].scope_logs[0].log_records[0] (auth.qr.shown): trace_id has 15 bytes (010101010101010101010101010101); accepted: 16 bytes, or none outside a trace
        resource_logs[0].scope_logs[0].log_records[0] (auth.qr.shown): span_id has 9 bytes (010101010101010101); accepted: 8 bytes, or none"#]].assert_eq(&messages);
    let zeros = LogRecord {
        trace_id: vec![0; 16],
        span_id: vec![0; 8],
        ..log("auth.qr.shown", &[("auth.journey.id", "journey-0001")])
    };
    let (events, tally) = mapped_logs(&plain(), &logs(&[], vec![zeros]));
    assert_eq!((events.len(), tally.rejected), (1, 0));
    assert_eq!(events[0].origin, authstitch_model::Origin::default());
}

#[test]
fn times_of_0_and_of_the_year_2400_reject_their_record_alone() {
    let messages = [
        rejected(|span| span.start_time_unix_nano = 0),
        rejected(|span| span.end_time_unix_nano = 0),
        rejected(|span| span.end_time_unix_nano = YEAR_2400),
        rejected(|span| span.events[0].time_unix_nano = 0),
        rejected(|span| span.events[0].time_unix_nano = u64::MAX),
        rejected_log(|record| record.time_unix_nano = YEAR_2400),
        rejected_log(|record| (record.time_unix_nano, record.observed_time_unix_nano) = (0, 0)),
    ]
    .join("\n");
    expect![[r#"
        resource_spans[0].scope_spans[0].spans[1] (auth.webauthn.completed): start_time_unix_nano is 0; accepted: nanoseconds since 1970, above 0 and before 2200-01-01
        resource_spans[0].scope_spans[0].spans[1] (auth.webauthn.completed): end_time_unix_nano is 0; accepted: nanoseconds since 1970, above 0 and before 2200-01-01
        resource_spans[0].scope_spans[0].spans[1] (auth.webauthn.completed): end_time_unix_nano is 13569465600000000000; accepted: nanoseconds since 1970, above 0 and before 2200-01-01
        resource_spans[0].scope_spans[0].spans[1].events[0] (auth.page.hidden): time_unix_nano is 0; accepted: nanoseconds since 1970, above 0 and before 2200-01-01
        resource_spans[0].scope_spans[0].spans[1].events[0] (auth.page.hidden): time_unix_nano is no time; accepted: nanoseconds since 1970, above 0 and before 2200-01-01
        resource_logs[0].scope_logs[0].log_records[0] (auth.qr.shown): time_unix_nano is 13569465600000000000; accepted: nanoseconds since 1970, above 0 and before 2200-01-01
        resource_logs[0].scope_logs[0].log_records[0] (auth.qr.shown): observed_time_unix_nano, as time_unix_nano is 0, is 0; accepted: nanoseconds since 1970, above 0 and before 2200-01-01"#]].assert_eq(&messages);
}

#[test]
fn json_ids_and_times_spelled_wrongly_reject_their_record_alone() {
    let good = crate::encode_traces(&traces(&[], vec![login(), login()]));
    let reject = |from: &str, to: &str| {
        let json = good.replacen(from, to, 1);
        let tally = plainly(Signal::Traces, Encoding::Json, json.as_bytes()).unwrap();
        assert_eq!((tally.records, tally.rejected), (2, 1), "{json}");
        tally.message.unwrap()
    };
    let messages = [
        reject(&"11".repeat(16), "this is no hex, but base64 perhaps"),
        reject(&"22".repeat(8), "2222"),
        reject(&NOW.to_string(), "yesterday"),
        reject(&format!("\"{NOW}\""), "-5"),
    ]
    .join("\n");
    expect![[r#"
        resource_spans[0].scope_spans[0].spans[0] (auth.webauthn.completed): trace_id is not an even number of hex digits; accepted: 16 bytes that are not all zero
        resource_spans[0].scope_spans[0].spans[0] (auth.webauthn.completed): span_id has 2 bytes (2222); accepted: 8 bytes that are not all zero
        resource_spans[0].scope_spans[0].spans[0] (auth.webauthn.completed): start_time_unix_nano is no time; accepted: nanoseconds since 1970, above 0 and before 2200-01-01
        resource_spans[0].scope_spans[0].spans[0] (auth.webauthn.completed): start_time_unix_nano is no time; accepted: nanoseconds since 1970, above 0 and before 2200-01-01"#]].assert_eq(&messages);
}

#[test]
fn deep_nesting_is_not_followed() {
    let mut value = AnyValue { value: Some(Value::Int(1)) };
    for _ in 0..500 {
        value = AnyValue { value: Some(Value::Array(ArrayValue { values: vec![value] })) };
    }
    for key in ["deep", "auth.credential.transports", "auth.journey.id"] {
        let mut deep = login();
        deep.attributes.push(attribute(key, value.value.clone().unwrap()));
        let (events, tally) = mapped(&plain(), &traces(&[], vec![login(), deep]));
        assert_eq!((events.len(), tally.rejected), (4, 0), "{key}");
    }
}

#[test]
fn what_is_broken_within_something_that_nobody_reads_breaks_nothing() {
    let unrelated =
        Span { attributes: vec![attribute("http.route", Value::Bytes(vec![0xff; 30]))], ..span("GET", &[]) };
    let mut bytes = traces(&[], vec![login(), unrelated]).encode_to_vec();
    let broken = bytes.windows(30).position(|window| window == [0xff; 30]).unwrap();
    // The length of the bytes, now beyond the value.
    bytes[broken - 1] = 0x7f;
    assert!(TracesRequest::decode(&*bytes).is_err());
    assert_eq!(protobuf(&bytes).map(|tally| (tally.records, tally.events, tally.rejected)), Ok((2, 2, 0)));
}

#[test]
fn huge_strings_are_read_and_cut() {
    let huge = "é".repeat(1 << 20);
    let attributes: Vec<_> =
        crate::attributes::Attr::ALL.iter().map(|attr| (attr.name(), huge.as_str())).collect();
    let mut span = span("auth.verification.failed", &attributes);
    span.trace_state = huge.clone();
    let (events, tally) = mapped(&plain(), &traces(&attributes, vec![span]));
    assert_eq!(tally.events, 1);
    assert!(format!("{:?}", events[0]).len() < 4000);
    let bytes = traces(&[("a", &huge)], vec![]).encode_to_vec();
    assert!(protobuf(&bytes[..bytes.len() - 1]).unwrap_err().0.len() < 1000);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..256),
        signal in prop_oneof![Just(Signal::Traces), Just(Signal::Logs)],
        encoding in prop_oneof![Just(Encoding::Protobuf), Just(Encoding::Json)],
    ) {
        let _ = plainly(signal, encoding, &bytes);
    }

    #[test]
    fn a_flipped_byte_never_panics(request in traces_request(), at in any::<Index>(), byte in any::<u8>()) {
        for (encoding, mut bytes) in [
            (Encoding::Protobuf, request.encode_to_vec()),
            (Encoding::Json, crate::encode_traces(&request).into_bytes()),
        ] {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
                let _ = plainly(Signal::Traces, encoding, &bytes);
            }
        }
    }

    #[test]
    fn a_value_of_any_kind_in_any_place_costs_no_record(
        attr in proptest::sample::select(crate::attributes::Attr::ALL),
        value in value(),
        place in 0..3,
    ) {
        let mut request: TracesRequest = traces(&[], vec![login()]);
        let resource = &mut request.resource_spans[0];
        let span = &mut resource.scope_spans[0].spans[0];
        let attributes = match place {
            0 => &mut resource.resource.as_mut().unwrap().attributes,
            1 => &mut span.attributes,
            _ => &mut span.events[0].attributes,
        };
        attributes.insert(0, attribute(attr.name(), value));
        let (events, tally) = mapped(&plain(), &request);
        proptest::prop_assert_eq!((events.len(), tally.rejected), (2, 0));
    }
}
