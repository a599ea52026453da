//! Two logins, each played by three processes with the official OpenTelemetry SDK, become two judged journeys,
//! whichever transport the SDK uses.

use std::process::Command;

use authstitch_tests::{Serve, journeys, run_together};
use serde_json::Value;

#[test]
fn logins_sent_over_grpc_become_journeys() {
    logins_become_journeys("grpc", |serve| &serve.grpc);
}

#[test]
fn logins_sent_over_http_become_journeys() {
    logins_become_journeys("http", |serve| &serve.http);
}

fn logins_become_journeys(protocol: &str, endpoint: impl Fn(&Serve) -> &str) {
    let data = tempfile::tempdir().expect("a temporary directory");
    let serve = Serve::start_in_memory(data.path());
    for login in [&APP_QR, &PASSKEY] {
        login.play(endpoint(&serve), protocol);
    }
    serve.stop();

    let journeys = journeys(data.path());
    let flows: Vec<&str> = journeys.iter().map(|journey| text(&journey["flow"])).collect();
    assert_eq!(flows, ["app_qr", "passkey_cda"], "one journey a login, in their order");
    check_app_qr(&journeys[0]);
    check_passkey(&journeys[1]);
}

fn check_app_qr(journey: &Value) {
    assert_eq!(journey["outcome"], "succeeded", "{journey:#}");
    assert_eq!(journey["end_act"], "succeeded");
    assert_eq!(
        phases(journey),
        [
            "started observed",
            "presented observed",
            "scanned observed",
            "opened observed",
            "prompted observed",
            "confirmed observed",
            "verified observed",
            "returned observed",
            "established observed",
        ]
    );
    assert_eq!(
        events(journey),
        [
            "authenticator auth.confirmation.completed",
            "authenticator auth.confirmation.shown",
            "authenticator auth.mobile.opened",
            "authenticator auth.qr.scanned",
            "initiator auth.callback.received",
            "initiator auth.qr.shown",
            "initiator auth.session.established",
            "server auth.challenge.created",
            "server auth.verification.succeeded",
        ]
    );
    assert_eq!(
        devices(journey),
        [
            "initiator browser Chrome",
            "initiator os Windows",
            "authenticator app_version 7.4.0",
            "authenticator device Pixel 9",
            "authenticator os Android",
        ]
    );
}

fn check_passkey(journey: &Value) {
    assert_eq!(journey["outcome"], "succeeded", "{journey:#}");
    assert_eq!(
        phases(journey),
        [
            "started observed",
            "presented inferred",
            "scanned inferred",
            "proximity inferred",
            "prompted inferred",
            "confirmed observed",
            "verified observed",
            "returned observed",
            "established observed",
        ],
        "the browser and the phone's system hide what happens between them"
    );
    assert_eq!(
        events(journey),
        [
            "initiator auth.callback.received",
            "initiator auth.session.established",
            "initiator auth.webauthn.completed",
            "initiator auth.webauthn.started",
            "server auth.challenge.created",
            "server auth.verification.succeeded",
        ]
    );
    assert_eq!(devices(journey), ["initiator browser Chrome", "initiator os Windows"]);
    assert_eq!(journey["transport"]["basis"], "inferred", "{journey:#}");
}

/// What the three processes of one login are told.
struct Login {
    flow: &'static str,
    challenge: &'static str,
    code: &'static str,
    page: &'static str,
    app: &'static str,
}

const APP_QR: Login = Login {
    flow: "app_qr",
    challenge: "b3JkZXItNzMxOS1yYW5kb20tYnl0ZXM",
    code: "https://shop.example/qr/9f2c61d07ab84e55",
    page: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    app: "00-8a3c60f7d188f8fa79d48a391a778fa6-53995c3f42cd8ad8-01",
};

const PASSKEY: Login = Login {
    flow: "passkey_cda",
    challenge: "cGFzc2tleS1jaGFsbGVuZ2UtYnl0ZXM",
    code: "",
    page: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    app: "00-5759e988bd862e3fe1be46a994272793-b9c7c989f97918e1-01",
};

impl Login {
    /// Plays the login with one process for each who takes part.
    fn play(&self, endpoint: &str, protocol: &str) {
        let roles = [("desktop", self.page), ("phone", self.app), ("server", self.page)];
        let process = |(role, traceparent): (&str, &str)| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_instrumented_login"));
            // The receiver is on this machine, whatever proxy the environment names.
            command.env("NO_PROXY", "127.0.0.1");
            command.args(["--role", role, "--flow", self.flow]);
            command.args(["--endpoint", endpoint, "--protocol", protocol]);
            command.args(["--challenge", self.challenge, "--code", self.code, "--traceparent", traceparent]);
            command
        };
        run_together(&mut roles.map(process));
    }
}

/// `phase basis`, in the journey's order; a phase that was not reached is told apart.
fn phases(journey: &Value) -> Vec<String> {
    let phases = journey["phases"].as_array().expect("phases are a list");
    phases
        .iter()
        .map(|phase| {
            let (name, basis) = (text(&phase["phase"]), text(&phase["basis"]));
            let spans = phase["spans"].as_array().expect("a phase names its spans");
            assert_eq!(basis == "observed", !spans.is_empty(), "what is observed names its spans: {phase}");
            let reached = phase["reached"].as_f64().expect("a probability");
            if reached >= 0.5 { format!("{name} {basis}") } else { format!("{name} {basis}, not reached") }
        })
        .collect()
}

/// `side event`, sorted.
fn events(journey: &Value) -> Vec<String> {
    let spans = journey["spans"].as_array().expect("spans are a list");
    let mut events: Vec<_> =
        spans.iter().map(|span| format!("{} {}", text(&span["side"]), text(&span["event"]))).collect();
    events.sort();
    events
}

/// `side field value` of what is known of both devices, but for the browser's version, which nobody pins.
fn devices(journey: &Value) -> Vec<String> {
    let mut known = Vec::new();
    for side in ["initiator", "authenticator"] {
        let device = journey["environment"][side].as_object().expect("a device is a map");
        for (field, value) in
            device.iter().filter(|(field, value)| *field != "browser_version" && !value.is_null())
        {
            assert_eq!(value["basis"], "observed", "{field}");
            known.push(format!("{side} {field} {}", text(&value["value"])));
        }
    }
    known
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}
