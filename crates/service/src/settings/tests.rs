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
        data_dir: the environment variable `NOT_SET` is not set; set it, or write `${env:NOT_SET:-other}`
        listeners.grpc: `localhost` is not accepted here; accepted: an IP address and a port, such as 127.0.0.1:4317
        listeners.web: 0.0.0.0:4380 can be reached from other machines unguarded; use 127.0.0.1, give it `tls`, and `tokens` or a `tls.client_ca` beside it, or set `beyond_loopback: true` where the network is trusted
        listeners.htpp: unknown key; accepted here: beyond_loopback, grpc, http, public, web
        store: `"maybe"` is not `true` or `false`
        completeness.unload_loss: `1.5` is not a number from 0 to 1
        limits.request_bytes: `5` is not a whole number from 1024 to 1073741824
        listener: unknown key; accepted here: completeness, data_dir, journal, limits, listeners, log, mapping, retention, shards, shutdown_seconds, stitch, store, tables, telemetry
    "#]]
    .assert_eq(&format!("{}\n", problems.unwrap_err()));
}

#[test]
fn what_is_told_is_set_and_the_values_of_headers_are_shown_nowhere() {
    let settings = read(
        "log: {format: json, level: debug}\nshutdown_seconds: 7\ntelemetry: {endpoint: 'http://collector:4318', protocol: \
         http/protobuf, interval_seconds: 5, headers: {authorization: Bearer not-shown}}\n",
    )
    .unwrap();
    assert_eq!(settings.log, Logging { format: crate::LogFormat::Json, level: crate::LogLevel::Debug });
    assert_eq!(settings.shutdown, Duration::from_secs(7));
    assert!(!format!("{settings:?}").contains("not-shown"));
    let telemetry = settings.telemetry.unwrap();
    assert_eq!((telemetry.protocol, telemetry.interval.as_secs()), (ReportProtocol::HttpProtobuf, 5));
    assert_eq!(telemetry.headers.0[0].1, "Bearer not-shown");
    let problems = read(
        "telemetry: {endpoint: 'https://collector:4318', protocol: udp, headers: {'a b': not-shown}}\nlog: {level: loud}",
    );
    expect![[r#"
        log.level: `loud` is not accepted here; accepted: error, warn, info or debug
        telemetry.endpoint: `https://collector:4318` is not accepted here; accepted: http://HOST:PORT, such as http://127.0.0.1:14317; where TLS is wanted, that of a Collector beside authstitch
        telemetry.protocol: `udp` is not accepted here; accepted: grpc or http/protobuf
        telemetry.headers: `a b` and its value are no header; accepted: visible ASCII texts
    "#]]
    .assert_eq(&format!("{}\n", problems.unwrap_err()));
}

#[test]
fn retention_is_some_days_and_never_none() {
    let days = |text: &str| read(text).map(|settings| settings.retention.0 / 86_400_000);
    assert_eq!(days("{}").unwrap(), 30);
    assert_eq!(days("retention: {days: 7}").unwrap(), 7);
    for days in ["0", "36501", "off", "1.5"] {
        assert!(read(&format!("retention: {{days: {days}}}")).is_err(), "{days}");
    }
}

#[test]
fn what_is_no_yaml_or_says_a_thing_twice_is_refused() {
    for text in ["a: [", "store: true\nstore: false", "3", "- a", "1: 2\n? [a]\n: b"] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn a_number_that_is_none_is_a_mistake_and_no_default() {
    for (text, path) in [
        ("completeness: {server_loss: .nan}", "completeness.server_loss"),
        ("completeness: {server_loss: .inf}", "completeness.server_loss"),
        ("completeness: {server_loss: -.inf}", "completeness.server_loss"),
        ("completeness: {server_loss: 1e400}", "completeness.server_loss"),
        ("completeness: {server_loss: '${env:NONE:-1e400}'}", "completeness.server_loss"),
        ("completeness: {server_loss: '${env:NONE:-.nan}'}", "completeness.server_loss"),
        ("shards: .nan", "shards"),
        ("shards: 18446744073709551616", "shards"),
        ("shards: -170141183460469231731687303715884105728", "shards"),
        ("shards: 99999999999999999999999999999999999999999999", "shards"),
        ("store: .nan", "store"),
        ("data_dir: .inf", "data_dir"),
        ("listeners: .nan", "listeners"),
        ("listeners: {grpc: .nan}", "listeners.grpc"),
        ("listeners: {http: {tokens: [.nan]}}", "listeners.http.tokens[0]"),
        ("mapping: {presets: [.inf]}", "mapping.presets[0]"),
        ("mapping: {events: {SignInDone: .nan}}", "mapping.events.SignInDone"),
        ("mapping: {realm: {attributes: [a], defaults: {a: .inf}}}", "mapping.realm.defaults.a"),
        ("retention: {days: .inf}", "retention.days"),
    ] {
        let Err(Problems(problems)) = read(text) else { panic!("{text} is accepted") };
        assert!(problems.iter().any(|problem| problem.path == path), "{text}: {problems:?}");
    }
}

#[test]
fn a_mistake_is_told_as_shortly_whatever_was_written() {
    let long = "x".repeat(100_000);
    for text in [
        "store: @",
        "@: 1",
        "listeners: {grpc: @}",
        "listeners: {public: {address: '127.0.0.1:1', origins: [@]}}",
        "mapping: {presets: [@], events: {@: @}, attributes: {@: @}}",
        "mapping: {realm: {attributes: [@], defaults: {a: b}}}",
        "mapping: {events: {@: [@]}}",
        "log: {level: @}",
        "telemetry: {endpoint: @, headers: {@: ' '}}",
        "data_dir: '${env:@'",
        "data_dir: '${env:@}'",
        "data_dir: '${env:a b@}'",
        "store: *@",
        "{@: 1, @: 2}",
        "store: !@ 1",
        "? [@]\n: 1",
    ] {
        let Err(Problems(problems)) = read(&text.replace('@', &long)) else { panic!("{text} is accepted") };
        for Problem { path, message } in problems {
            assert!(path.len() + message.len() < 4096, "{text}: {} and {}", path.len(), message.len());
        }
    }
}

#[test]
fn variables_take_their_place_and_their_type() {
    let settings = read(
        "listeners: {grpc: '127.0.0.1:${env:PORT}', http: '127.0.0.1:${env:OTHER:-4401}'}\nstore: ${env:STORE}\n\
         limits: {request_bytes: '${env:BYTES}'}\n",
    )
    .unwrap();
    assert_eq!(
        (settings.grpc.address.port(), settings.http.address.port(), settings.store),
        (4400, 4401, false)
    );
    assert_eq!(settings.limits.request_bytes, 65536);
}

#[test]
fn a_queue_that_cannot_hold_one_request_is_a_mistake() {
    let problems = read("limits: {request_bytes: 65536, queue_bytes: 65536}").unwrap_err();
    assert_eq!(problems.0[0].path, "limits.queue_bytes");
}

#[test]
fn beyond_loopback_is_said_once_for_all_addresses_or_for_one() {
    let settings = read("listeners: {grpc: '0.0.0.0:4317', beyond_loopback: true}").unwrap();
    assert!(settings.grpc.beyond_loopback && settings.web.beyond_loopback);
    let settings =
        read("listeners: {http: {address: '0.0.0.0:4318', beyond_loopback: true}, grpc: '127.0.0.1:1'}")
            .unwrap();
    assert!(settings.http.beyond_loopback && !settings.grpc.beyond_loopback);
    let own = "listeners: {http: {address: '0.0.0.0:4318', beyond_loopback: false}, beyond_loopback: true}";
    assert_eq!(read(own).unwrap_err().0[0].path, "listeners.http.address");
}

#[test]
fn what_other_machines_reach_is_guarded() {
    let tls = "tls: {cert: c.pem, key: k.pem}";
    let tokens = "tokens: [0123456789abcdef]";
    let listener = |key: &str, guard: &str| {
        let document = format!("listeners: {{{key}: {{address: '[::]:4', {guard}}}}}");
        read(&document).map(|_| ()).map_err(|problems| problems.0[0].path.clone())
    };
    for key in ["grpc", "http", "web"] {
        assert_eq!(listener(key, &format!("{tls}, {tokens}")), Ok(()));
        assert_eq!(listener(key, &format!("{tls}, token_file: t.txt")), Ok(()));
        assert_eq!(listener(key, "tls: {cert: c.pem, key: k.pem, client_ca: a.pem}"), Ok(()));
        for half in ["", tls, tokens] {
            assert_eq!(listener(key, half), Err(format!("listeners.{key}.address")), "{half}");
        }
    }
    assert_eq!(listener("public", tls), Ok(()), "a token that stands in a page is no secret");
    assert_eq!(listener("public", tokens), Err("listeners.public.address".to_owned()));
}

#[test]
fn a_listener_is_an_address_or_a_map_of_what_guards_it() {
    let settings = read(
        "listeners:\n  web: {tokens: ['first-token-0123456', 'next-token-01234567'], token_file: t.txt}\n  public:\n    \
         address: 127.0.0.1:0\n    tls: {cert: c.pem, key: k.pem, client_ca: a.pem}\n    origins: [https://Shop.example, \
         'http://localhost:3000']\n    request_bytes: 8192\n    per_address: {connections: 3, requests_in_flight: 4, \
         bytes: 20000}\n    per_origin: {requests_in_flight: 5, bytes: 30000}\n",
    )
    .unwrap();
    assert_eq!(settings.web.address.port(), 4380, "the default of its place");
    assert_eq!(settings.web.token_file, Some("t.txt".into()));
    assert!(!settings.web.tokens.is_empty() && settings.grpc.tokens.is_empty());
    let public = settings.public.unwrap();
    let tls = public.listening.tls.unwrap();
    assert_eq!((tls.cert, tls.key, tls.client_ca), ("c.pem".into(), "k.pem".into(), Some("a.pem".into())));
    let origins: Vec<_> = public.origins.iter().map(Origin::as_str).collect();
    assert_eq!(origins, ["https://shop.example", "http://localhost:3000"]);
    assert_eq!(public.request_bytes, 8192);
    assert_eq!(public.per_address, Share { connections: 3, requests_in_flight: 4, bytes: 20000 });
    assert_eq!((public.per_origin.requests_in_flight, public.per_origin.bytes), (5, 30000));
    let short = read("listeners: {public: '127.0.0.1:7'}").unwrap().public.unwrap();
    assert_eq!((short.listening.address.port(), short.origins.len()), (7, 0));
}

#[test]
fn mistakes_in_a_listener_are_told_at_once_and_no_token_is_shown() {
    let problems = read(
        "listeners:\n  grpc: {adress: x, tls: {cert: 3}, tokens: [too-secret, 12345678901234567890, '${env:NOT_SET}']}\n  \
         http: {tokens: {}, token_file: []}\n  web: [1]\n  public: {origins: ['*', 'https://a.example/path'], \
         request_bytes: 65536, per_origin: {connections: 1}, per_address: {bytes: 65536}}\n",
    )
    .unwrap_err()
    .to_string();
    assert!(!problems.contains("too-secret") && !problems.contains("12345678901234567890"), "{problems}");
    expect![[r#"
        listeners.grpc.tokens[2]: the environment variable `NOT_SET` is not set; set it, or write `${env:NOT_SET:-other}`
        listeners.grpc.tls.cert: `3` is not a text
        listeners.grpc.tls.key: is missing; accepted: a file in PEM
        listeners.grpc.tokens[0]: is no token; accepted: 16 to 512 visible ASCII characters, such as `openssl rand -hex 32` prints
        listeners.grpc.tokens[1]: is not a text; put quotes around it, or into a `token_file`
        listeners.grpc.tokens[2]: is not a text; put quotes around it, or into a `token_file`
        listeners.grpc.adress: unknown key; accepted here: address, beyond_loopback, tls, token_file, tokens
        listeners.http.tokens: is not a list of texts
        listeners.http.token_file: a list is not a text
        listeners.web: a list is not a text
        listeners.public.address: is missing; accepted: an IP address and a port, such as 127.0.0.1:4317
        listeners.public.origins: `*` is no origin; accepted: scheme://host or scheme://host:port, such as https://shop.example
        listeners.public.origins: `https://a.example/path` is no origin; accepted: scheme://host or scheme://host:port, such as https://shop.example
        listeners.public.per_address.bytes: `65536` is less than twice the request_bytes beside it (65536): a packed request and what it unpacks to must both fit
        listeners.public.per_origin.connections: unknown key; accepted here: bytes, requests_in_flight
    "#]]
    .assert_eq(&format!("{problems}\n"));
}

#[test]
fn the_schema_of_a_listener_has_the_keys_that_are_accepted_and_their_defaults() {
    let schema: Value = serde_json::from_str(Settings::schema()).unwrap();
    let usual = Public::new();
    for (key, definition) in [("http", "listener"), ("public", "public_listener")] {
        let definition = &schema["$defs"][definition];
        let accepted = |path: &str, properties: &Value| {
            let keys =
                properties.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let inner =
                if path.is_empty() { "nonsense: 1".to_owned() } else { format!("{path}: {{nonsense: 1}}") };
            let said = read(&format!("listeners: {{{key}: {{{inner}}}}}")).unwrap_err().to_string();
            assert!(
                said.contains(&format!("nonsense: unknown key; accepted here: {keys}")),
                "{keys}: {said}"
            );
        };
        accepted("", &definition["properties"]);
        accepted("tls", &definition["properties"]["tls"]["properties"]);
        if key == "public" {
            let properties = &definition["properties"];
            assert_eq!(properties["request_bytes"]["default"], usual.request_bytes);
            for (share, usual) in [("per_address", usual.per_address), ("per_origin", usual.per_origin)] {
                let inner = &properties[share]["properties"];
                accepted(share, inner);
                assert_eq!(inner["requests_in_flight"]["default"], usual.requests_in_flight);
                assert_eq!(inner["bytes"]["default"], usual.bytes);
            }
            let connections = &properties["per_address"]["properties"]["connections"];
            assert_eq!(connections["default"], usual.per_address.connections);
        }
    }
    let example = Settings::default_yaml();
    for (what, share) in [("per_address", usual.per_address), ("per_origin", usual.per_origin)] {
        let Share { requests_in_flight, bytes, .. } = share;
        let said = format!("requests_in_flight: {requests_in_flight}, bytes: {bytes}}}");
        let line = example.lines().find(|line| line.contains(&format!("{what}: {{"))).unwrap();
        assert!(line.ends_with(&said), "{line}");
    }
    assert!(example.contains(&format!("request_bytes: {} ", usual.request_bytes)));
}

#[test]
fn the_examples_of_the_page_on_listeners_are_read() {
    let page = include_str!("../../../../docs/listeners.md");
    let examples: Vec<_> =
        page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 3);
    for example in examples {
        let token = |name: &str| (name == "AUTHSTITCH_TOKEN").then(|| "a-token-of-a-collector".to_owned());
        let read = Settings::from_yaml_with(example, token);
        assert!(read.is_ok(), "{example}\n{}", read.unwrap_err());
    }
}

#[test]
fn the_schema_has_the_keys_and_defaults_of_the_example() {
    let schema: Value = serde_json::from_str(Settings::schema()).unwrap();
    let (example, problems) = parse(Settings::default_yaml()).unwrap();
    assert_eq!((defaults(&schema), problems), (example, Vec::new()));
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
