use authstitch_otlp::{Signal, wire};
use prost::Message as _;

use super::*;

fn text(key: &str, value: &str) -> wire::KeyValue {
    let value = Some(wire::AnyValue { value: Some(wire::Value::String(value.to_owned())) });
    wire::KeyValue { key: key.to_owned(), value }
}

fn request(spans: Vec<wire::Span>) -> Vec<u8> {
    let resource = Some(wire::Resource { attributes: vec![text("auth.relying_party.id", "rp-1.example")] });
    let scope_spans = vec![wire::ScopeSpans { spans, ..wire::ScopeSpans::default() }];
    let entry = wire::ResourceSpans { resource, scope_spans, ..wire::ResourceSpans::default() };
    wire::TracesRequest { resource_spans: vec![entry] }.encode_to_vec()
}

fn span(trace: u8, span: u8, attributes: Vec<wire::KeyValue>) -> wire::Span {
    wire::Span {
        trace_id: vec![trace; 16],
        span_id: vec![span; 8],
        name: "login".to_owned(),
        start_time_unix_nano: 1_000,
        attributes,
        ..wire::Span::default()
    }
}

/// The spans of one instance, and the resource's attribute.
fn instance(bytes: &[u8], number: u64, moved_by: i64) -> (Vec<wire::Span>, wire::KeyValue) {
    let level = Level::Request(Signal::Traces);
    let mut ids = Ids::default();
    ids.note(level, bytes).unwrap();
    ids.settle();
    let template = ids.template(level, bytes.to_vec()).unwrap();
    let mut out = Vec::new();
    template.instance(&ids, Fresh::new(1, number), moved_by, &mut out);
    assert_eq!(out.len(), bytes.len());
    let mut request = wire::TracesRequest::decode(&*out).unwrap();
    let mut entry = request.resource_spans.pop().unwrap();
    let attribute = entry.resource.unwrap().attributes.pop().unwrap();
    (entry.scope_spans.pop().unwrap().spans, attribute)
}

fn value(span: &wire::Span, place: usize) -> &str {
    match span.attributes[place].value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(wire::Value::String(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_old_value_gives_the_same_new_one_and_every_instance_others() {
    let mut child = span(1, 3, vec![text("auth.journey.id", "abcdef0123456789")]);
    child.parent_span_id = vec![2; 8];
    let bytes = request(vec![
        span(1, 2, vec![text("auth.journey.id", "abcdef0123456789"), text("auth.flow", "app_qr")]),
        child,
        span(4, 5, vec![text("session.id", "abcdef0123456789")]),
    ]);
    let (first, _) = instance(&bytes, 0, 0);
    assert_eq!(first, instance(&bytes, 0, 0).0);
    assert_eq!(first[0].trace_id, first[1].trace_id);
    assert_ne!(first[0].trace_id, first[2].trace_id);
    assert_eq!(first[0].span_id, first[1].parent_span_id);
    assert_ne!(first[0].span_id, first[1].span_id);
    assert_eq!(value(&first[0], 0), value(&first[1], 0));
    assert_eq!(value(&first[0], 0), value(&first[2], 0));
    assert_ne!(value(&first[0], 0), "abcdef0123456789");
    let (second, _) = instance(&bytes, 1, 0);
    assert_ne!(first[0].trace_id, second[0].trace_id);
    assert_ne!(first[0].span_id, second[0].span_id);
    assert_ne!(value(&first[0], 0), value(&second[0], 0));
}

#[test]
fn what_names_no_single_login_stays_as_it_was() {
    let bytes = request(vec![span(1, 2, vec![text("auth.flow", "app_qr"), text("auth.identity", "x")])]);
    let (spans, relying_party) = instance(&bytes, 3, 0);
    assert_eq!(relying_party, text("auth.relying_party.id", "rp-1.example"));
    assert_eq!(spans[0].attributes, vec![text("auth.flow", "app_qr"), text("auth.identity", "x")]);
    assert_eq!(spans[0].name, "login");
}

#[test]
fn times_move_and_a_time_of_zero_stays() {
    let bytes = request(vec![span(1, 2, Vec::new())]);
    let (spans, _) = instance(&bytes, 0, 234);
    assert_eq!(spans[0].start_time_unix_nano, 1_234);
    assert_eq!(spans[0].end_time_unix_nano, 0);
    assert_eq!(instance(&bytes, 0, -400).0[0].start_time_unix_nano, 600);
}

#[test]
fn a_digest_stays_the_digest_of_its_key() {
    let (challenge, code) = ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "PAIRING-CODE-1234567");
    let bytes = request(vec![
        span(1, 1, vec![text("auth.challenge.id", &hex(challenge_digest(challenge)))]),
        span(1, 2, vec![text("auth.challenge.id", challenge), text("auth.code.id", code)]),
        span(1, 3, vec![text("auth.code.id", &hex(code_digest(code)))]),
        span(1, 4, vec![text("auth.code.id", "0123456789abcdef0123456789abcdef")]),
    ]);
    let (spans, _) = instance(&bytes, 5, 0);
    assert_ne!(value(&spans[1], 0), challenge);
    assert_eq!(value(&spans[0], 0), hex(challenge_digest(value(&spans[1], 0))));
    assert_eq!(value(&spans[2], 0), hex(code_digest(value(&spans[1], 1))));
    assert_ne!(value(&spans[3], 0), "0123456789abcdef0123456789abcdef");
}

#[test]
fn a_trace_that_a_sampler_announced_keeps_what_the_sampler_looked_at() {
    let mut announced = span(1, 2, Vec::new());
    announced.trace_state = "ot=th:8".to_owned();
    let bytes = request(vec![span(1, 3, Vec::new()), announced, span(9, 4, Vec::new())]);
    let (spans, _) = instance(&bytes, 0, 0);
    assert_eq!(spans[0].trace_id, spans[1].trace_id);
    assert_eq!(spans[0].trace_id[9..], [1; 7]);
    assert_ne!(spans[0].trace_id[..9], [1; 9]);
    assert_ne!(spans[2].trace_id[9..], [9; 7]);
}

#[test]
fn bytes_that_are_no_request_are_no_template() {
    let level = Level::Request(Signal::Traces);
    let whole = request(vec![span(1, 2, vec![text("session.id", "abcdefghijkl")])]);
    for bytes in [&whole[..whole.len() - 1], &[10, 200, 1, 0][..], &[255; 12], &[11]] {
        assert_eq!(Ids::default().note(level, bytes), Err(NoTemplate::Malformed), "{bytes:?}");
    }
    assert_eq!(Ids::default().note(level, &[]), Ok(()));
}

proptest::proptest! {
    #[test]
    fn no_bytes_lead_beyond_their_end(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        for level in [Level::Request(Signal::Traces), Level::Request(Signal::Logs), Level::Records(Signal::Logs)] {
            let mut ids = Ids::default();
            if ids.note(level, &bytes).is_ok() {
                ids.settle();
                let mut out = Vec::new();
                ids.template(level, bytes.clone()).unwrap().instance(&ids, Fresh::new(1, 1), 7, &mut out);
                proptest::prop_assert_eq!(out.len(), bytes.len());
            }
        }
    }
}
