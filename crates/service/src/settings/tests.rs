use expect_test::expect;
use serde_json::Value;

use super::*;

fn read(text: &str) -> Result<Settings, Problems> {
    let variable = |name: &str| match name {
        "PORT" => Some("4400".to_owned()),
        "STORE" => Some("false".to_owned()),
        "BYTES" => Some("65536".to_owned()),
        _ => None,
    };
    Settings::from_yaml_with(text, variable)
}

#[test]
fn the_example_says_the_defaults_and_an_empty_document_is_the_defaults() {
    let default = format!("{:?}", Settings::default());
    assert_eq!(format!("{:?}", read(Settings::default_yaml()).unwrap()), default);
    assert_eq!(format!("{:?}", read("").unwrap()), default);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let problems = read(
        "listeners: {grpc: localhost, web: 0.0.0.0:4380, htpp: x}\nstore: maybe\nlimits: {request_bytes: 5}\n\
         data_dir: '${env:NOT_SET}/data'\ncompleteness: {unload_loss: 1.5}\nlistener: {}\n",
    );
    expect![[r#"
        data_dir: the environment variable NOT_SET is not set; set it, or write `${env:NOT_SET:-other}`
        listeners.grpc: `localhost` is not accepted here; accepted: an IP address and a port, such as 127.0.0.1:4317
        listeners.web: 0.0.0.0:4380 can be reached from other machines, without encryption and without a password; use 127.0.0.1, or set `beyond_loopback: true` beside it where the network is trusted
        listeners.htpp: unknown key; accepted here: beyond_loopback, grpc, http, web
        store: `"maybe"` is not `true` or `false`
        completeness.unload_loss: `1.5` is not a number from 0 to 1
        limits.request_bytes: `5` is not a whole number from 1024 to 1073741824
        listener: unknown key; accepted here: completeness, data_dir, limits, listeners, mapping, shards, stitch, store, tables
    "#]]
    .assert_eq(&format!("{}\n", problems.unwrap_err()));
}

#[test]
fn what_is_no_yaml_or_says_a_thing_twice_is_refused() {
    for text in ["a: [", "store: true\nstore: false", "3", "- a", "1: 2\n? [a]\n: b"] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn variables_take_their_place_and_their_type() {
    let settings = read(
        "listeners: {grpc: '127.0.0.1:${env:PORT}', http: '127.0.0.1:${env:OTHER:-4401}'}\nstore: ${env:STORE}\n\
         limits: {request_bytes: '${env:BYTES}'}\n",
    )
    .unwrap();
    assert_eq!((settings.grpc.port(), settings.http.port(), settings.store), (4400, 4401, false));
    assert_eq!(settings.limits.request_bytes, 65536);
}

#[test]
fn a_queue_that_cannot_hold_one_request_is_a_mistake() {
    let problems = read("limits: {request_bytes: 65536, queue_bytes: 65536}").unwrap_err();
    assert_eq!(problems.0[0].path, "limits.queue_bytes");
}

#[test]
fn beyond_loopback_is_said_once_for_all_addresses() {
    let settings = read("listeners: {grpc: '0.0.0.0:4317', beyond_loopback: true}").unwrap();
    assert!(settings.beyond_loopback && settings.grpc.ip().is_unspecified());
}

#[test]
fn the_schema_has_the_keys_and_defaults_of_the_example() {
    let schema: Value = serde_json::from_str(Settings::schema()).unwrap();
    let example = parse(Settings::default_yaml()).unwrap();
    assert_eq!(defaults(&schema), example);
}

/// What a schema says of defaults, as a document.
fn defaults(schema: &Value) -> Value {
    match schema.get("properties") {
        Some(Value::Object(properties)) => {
            assert_eq!(schema["additionalProperties"], false);
            properties.iter().map(|(key, schema)| (key.clone(), defaults(schema))).collect()
        }
        _ => schema["default"].clone(),
    }
}
