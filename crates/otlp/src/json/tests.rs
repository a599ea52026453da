use authstitch_model::key::decode_base64;
use expect_test::expect;

use super::*;
use crate::testing::{NOW, attribute, logs, span, span_event, texts, traces};
use crate::wire::{LogRecord, LogsRequest, Span, Status, TracesRequest};

fn span_of(json: &str) -> Span {
    let request = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{json}]}}]}}]}}"#);
    let mut request: TracesRequest = read(request.as_bytes()).unwrap();
    request.resource_spans.remove(0).scope_spans.remove(0).spans.remove(0)
}

fn value_of(json: &str) -> Option<Value> {
    let span = span_of(&format!(r#"{{"attributes":[{{"key":"k","value":{json}}}]}}"#));
    span.attributes[0].value.clone().and_then(|value| value.value)
}

fn error_of(json: &str) -> String {
    read::<TracesRequest>(json.as_bytes()).unwrap_err()
}

#[test]
fn numbers_come_as_numbers_or_as_text() {
    for time in ["1769846400000000000", r#""1769846400000000000""#, "1.7698464e18", r#""1.7698464e18""#] {
        assert_eq!(
            span_of(&format!(r#"{{"startTimeUnixNano":{time}}}"#)).start_time_unix_nano,
            NOW,
            "{time}"
        );
    }
    for int in ["42", r#""42""#, "42.0"] {
        assert_eq!(value_of(&format!(r#"{{"intValue":{int}}}"#)), Some(Value::Int(42)), "{int}");
    }
    for double in ["0.5", r#""0.5""#, "5e-1"] {
        assert_eq!(value_of(&format!(r#"{{"doubleValue":{double}}}"#)), Some(Value::Double(0.5)), "{double}");
    }
    assert!(matches!(value_of(r#"{"doubleValue":"NaN"}"#), Some(Value::Double(nan)) if nan.is_nan()));
    assert_eq!(value_of(r#"{"doubleValue":"-Infinity"}"#), Some(Value::Double(f64::NEG_INFINITY)));
}

#[test]
fn enums_come_as_numbers_or_by_name() {
    for kind in ["2", r#""2""#, r#""SPAN_KIND_SERVER""#] {
        assert_eq!(span_of(&format!(r#"{{"kind":{kind}}}"#)).kind, 2, "{kind}");
    }
    assert_eq!(span_of(r#"{"status":{"code":"STATUS_CODE_ERROR"}}"#).status.unwrap().code, 2);
    assert_eq!(span_of(r#"{"kind":"SPAN_KIND_OF_TOMORROW"}"#).kind, 0);
}

#[test]
fn ids_are_hex_of_any_case_and_what_is_no_hex_has_no_ids_length() {
    assert_eq!(span_of(r#"{"spanId":"00F0abCD00000001"}"#).span_id, [0, 0xf0, 0xab, 0xcd, 0, 0, 0, 1]);
    for id in ["xyz", "abc", "Zm9vYmFyYmF6cXV4MTIzNA==", "é"] {
        assert_eq!(span_of(&format!(r#"{{"traceId":"{id}"}}"#)).trace_id, NOT_HEX, "{id}");
    }
    assert!(!matches!(NOT_HEX.len(), 8 | 16));
}

#[test]
fn a_time_that_is_no_number_lies_too_late() {
    for time in [r#""soon""#, "-1", "1.5", r#""99999999999999999999""#] {
        assert_eq!(
            span_of(&format!(r#"{{"endTimeUnixNano":{time}}}"#)).end_time_unix_nano,
            NO_TIME,
            "{time}"
        );
    }
}

#[test]
fn a_value_that_cannot_be_read_is_no_value() {
    for value in [
        "{}",
        "null",
        r#"{"intValue":"many"}"#,
        r#"{"intValue":99999999999999999999}"#,
        r#"{"boolValue":"perhaps"}"#,
        r#"{"bytesValue":"not base64!"}"#,
        r#"{"valueOfTomorrow":1}"#,
    ] {
        assert_eq!(value_of(value), None, "{value}");
    }
}

#[test]
fn null_is_absent_and_unknown_fields_are_ignored() {
    let span = span_of(
        r#"{"traceId":null,"name":null,"kind":null,"startTimeUnixNano":null,"attributes":null,"status":null,
            "events":[null,{"name":"a","tomorrow":[{"deep":{}}]}],"flags":257,"links":[{"traceId":"00"}]}"#,
    );
    let expected = Span {
        events: vec![crate::wire::SpanEvent { name: "a".into(), ..Default::default() }],
        ..Span::default()
    };
    assert_eq!(span, expected);
    assert_eq!(read::<TracesRequest>(b"{}"), Ok(TracesRequest::default()));
    assert_eq!(read::<TracesRequest>(br#"{"resourceSpans":null}"#), Ok(TracesRequest::default()));
}

#[test]
fn bytes_are_base64() {
    assert_eq!(value_of(r#"{"bytesValue":"AAECAw=="}"#), Some(Value::Bytes(vec![0, 1, 2, 3])));
    for length in 0..7 {
        let bytes: Vec<u8> = (0..length).map(|byte: u8| byte.wrapping_mul(77)).collect();
        assert_eq!(decode_base64(&base64(&bytes)), Some(bytes), "{length}");
    }
}

#[test]
fn json_of_the_wrong_shape_is_malformed_and_what_was_sent_is_not_repeated() {
    let errors = [
        "",
        "[]",
        "{",
        r#"{"resourceSpans":5}"#,
        r#"{"resourceSpans":[[]]}"#,
        r#"{"resourceSpans":[{"resource":[]}]}"#,
        r#"{"resourceSpans":"a secret \" with a quote"}"#,
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":7}]}]}]}"#,
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":{}}]}]}]}"#,
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":7}]}]}]}"#,
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":true}]}]}]}"#,
    ]
    .map(error_of)
    .join("\n");
    expect![[r#"
        EOF while parsing a value at line 1 column 0
        invalid type: sequence, expected a map or null at line 1 column 2
        EOF while parsing an object at line 1 column 1
        invalid type: integer `5`, expected a sequence at line 1 column 18
        invalid type: sequence, expected a map or null at line 1 column 20
        invalid type: sequence, expected a map or null at line 1 column 32
        invalid type: a text, expected a sequence at line 1 column 43
        invalid type: integer `7`, expected a string at line 1 column 52
        invalid type: map, expected a number, a text, true, false or null at line 1 column 56
        an id is not a text of hex digits at line 1 column 56
        a time is neither a number nor the text of one at line 1 column 69"#]]
    .assert_eq(&errors);
}

#[test]
fn nesting_too_deep_is_malformed() {
    let deep = format!("{}{}{}", r#"{"arrayValue":{"values":["#.repeat(500), "{}", "]}}".repeat(500));
    let request =
        format!(r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"k","value":{deep}}}]}}}}]}}"#);
    assert!(error_of(&request).contains("recursion limit exceeded"), "{}", error_of(&request));
    let unknown = format!(r#"{{"tomorrow":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(read::<TracesRequest>(unknown.as_bytes()), Ok(TracesRequest::default()));
}

#[test]
fn a_request_is_written_as_the_specification_says() {
    let mut login = span("auth.webauthn.completed", &[("auth.flow", "passkey_cda")]);
    login.trace_state = "ot=th:8".into();
    login.parent_span_id = vec![0xab; 8];
    login.kind = 3;
    login.status = Some(Status { message: String::new(), code: 2 });
    login.events = vec![span_event("exception", &[])];
    let values = [
        Value::Bool(false),
        Value::Int(-1),
        Value::Double(0.5),
        Value::Double(f64::NAN),
        Value::Bytes(vec![1, 2]),
        Value::Array(ArrayValue { values: vec![AnyValue { value: None }] }),
        Value::KeyValueList(KeyValueList { values: texts(&[("a", "b")]) }),
    ];
    login.attributes.extend(values.into_iter().map(|value| attribute("k", value)));
    let written = write(&traces(&[("service.name", "shop")], vec![login]));
    expect![[r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[{"traceId":"11111111111111111111111111111111","spanId":"2222222222222222","traceState":"ot=th:8","parentSpanId":"abababababababab","name":"auth.webauthn.completed","kind":3,"startTimeUnixNano":"1769846400000000000","endTimeUnixNano":"1769846402000000000","attributes":[{"key":"auth.flow","value":{"stringValue":"passkey_cda"}},{"key":"k","value":{"boolValue":false}},{"key":"k","value":{"intValue":"-1"}},{"key":"k","value":{"doubleValue":0.5}},{"key":"k","value":{"doubleValue":"NaN"}},{"key":"k","value":{"bytesValue":"AQI="}},{"key":"k","value":{"arrayValue":{"values":[{}]}}},{"key":"k","value":{"kvlistValue":{"values":[{"key":"a","value":{"stringValue":"b"}}]}}}],"events":[{"timeUnixNano":"1769846401000000000","name":"exception"}],"status":{"code":2}}]}]}]}"#]].assert_eq(&written);
    let mut record = log_record();
    record.body = Some(AnyValue { value: Some(Value::String("b".into())) });
    expect![[r#"{"resourceLogs":[{"resource":{},"scopeLogs":[{"logRecords":[{"timeUnixNano":"1769846400000000000","severityNumber":9,"body":{"stringValue":"b"},"traceId":"01010101010101010101010101010101","observedTimeUnixNano":"1769846405000000000","eventName":"auth.qr.shown"}]}]}]}"#]].assert_eq(&write(&logs(&[], vec![record])));
}

fn log_record() -> LogRecord {
    LogRecord { severity_number: 9, trace_id: vec![1; 16], ..crate::testing::log("auth.qr.shown", &[]) }
}

#[test]
fn what_is_written_reads_back() {
    let request = logs(&[("a", "b")], vec![log_record(), log_record()]);
    assert_eq!(read::<LogsRequest>(write(&request).as_bytes()), Ok(request));
}
