//! Attributes, as the wire wants them.

use authstitch_otlp::wire::{AnyValue, ArrayValue, KeyValue, Value};

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }) }
}

pub(super) fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::String(value.into()))
}

pub(super) fn number(key: &str, value: u64) -> KeyValue {
    attribute(key, Value::Int(value.min(i64::MAX as u64) as i64))
}

pub(super) fn flag(key: &str, value: bool) -> KeyValue {
    attribute(key, Value::Bool(value))
}

pub(super) fn texts(key: &str, values: &[&str]) -> KeyValue {
    let item = |text: &&str| AnyValue { value: Some(Value::String((*text).to_owned())) };
    attribute(key, Value::Array(ArrayValue { values: values.iter().map(item).collect() }))
}
