use authstitch_otlp::{wire::*, *};
use prost::Message;

fn kv(k: &str, v: &str) -> KeyValue {
    KeyValue { key: k.into(), value: Some(AnyValue { value: Some(Value::String(v.into())) }) }
}
struct T(u64);
impl T {
    fn now() -> u64 {
        std::fs::read_to_string("/proc/self/schedstat").unwrap().split(' ').next().unwrap().parse().unwrap()
    }
    fn start() -> T {
        T(T::now())
    }
    fn elapsed(&self) -> std::time::Duration {
        std::time::Duration::from_nanos(T::now() - self.0)
    }
}
fn main() {
    let ua = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.87";
    for (label, related, own_ua) in [
        ("all relevant, UA on resource", 100u32, false),
        ("all relevant, own UA", 100, true),
        ("5 % relevant", 5, false),
    ] {
        let mut spans = vec![];
        for i in 0..512u32 {
            let ours = i % 100 < related;
            let mut attributes = vec![
                kv("auth.flow", "passkey_cda"),
                kv("auth.challenge.id", &format!("{:032x}", i / 5)),
                kv("session.id", &format!("sess-{i:016}")),
                kv("http.request.method", "POST"),
                kv("http.route", "/login/finish"),
                kv("client.address", "203.0.113.7"),
                kv("url.domain", "shop.example"),
                kv("auth.webauthn.elapsed_ms", "5123"),
                kv("server.address", "shop.example"),
                kv("network.protocol.version", "1.1"),
            ];
            if own_ua {
                attributes[9] = kv("user_agent.original", ua);
            }
            if !ours {
                attributes[0].key = "flow.kind".into();
                attributes[1].key = "x.id".into();
            }
            spans.push(Span {
                trace_id: vec![7; 16],
                span_id: (i as u64 + 1).to_be_bytes().to_vec(),
                name: if ours { "auth.webauthn.completed".into() } else { "SELECT users".into() },
                kind: 2,
                start_time_unix_nano: 1769846400000000000,
                end_time_unix_nano: 1769846401000000000,
                attributes,
                ..Default::default()
            });
        }
        let req = TracesRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource {
                    attributes: vec![
                        kv("service.name", "shop"),
                        kv("telemetry.sdk.language", "webjs"),
                        kv("user_agent.original", ua),
                    ],
                }),
                scope_spans: vec![ScopeSpans { spans, ..Default::default() }],
                ..Default::default()
            }],
        };
        let m = Mapping::new(authstitch_model::Secret::PUBLIC);
        let bytes = req.encode_to_vec();
        let json = encode_traces(&req);
        for (enc, b) in [(Encoding::Protobuf, &bytes[..]), (Encoding::Json, json.as_bytes())] {
            let t = T::start();
            let n = 400;
            let mut ev = vec![];
            for _ in 0..n {
                ev.clear();
                decode(Signal::Traces, enc, b, &m, &mut ev).unwrap();
            }
            let s = t.elapsed().as_secs_f64();
            println!(
                "{label} {enc:?}: {:.2} M spans/s, {} bytes a span, events {}",
                512.0 * n as f64 / s / 1e6,
                b.len() / 512,
                ev.len()
            );
        }
        let t = T::start();
        for _ in 0..400 {
            std::hint::black_box(TracesRequest::decode(&*bytes).unwrap());
        }
        println!(
            "   prost alone {:.2} M/s; AuthEvent {} bytes",
            512.0 * 400.0 / t.elapsed().as_secs_f64() / 1e6,
            std::mem::size_of::<authstitch_model::AuthEvent>()
        );
    }
}
