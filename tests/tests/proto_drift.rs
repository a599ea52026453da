//! The .proto files say exactly what the model says: the same enums with the same values in the same order, and
//! messages with exactly the fields of the structs and of the JSON lines.

use std::collections::BTreeSet;

use authstitch_model::event::Named;
use authstitch_model::key::KeyKind;
use authstitch_model::line::{
    CauseShare, DeviceLine, EnvironmentBasis, EnvironmentLine, EvidenceLine, JourneyLine, KeyLabel, Known,
    OffsetLine, OutcomeShare, PhaseLine, RemedyLine, SpanLine, TransportLine,
};
use authstitch_model::truth::{TruePhase, TruthLine};
use authstitch_model::vocabulary::{
    Attachment, Basis, Browser, Cause, CloseReason, EndAct, ErrorClass, EventName, Evidence, Flow,
    HttpMethod, JoinedBy, Mediation, Method, Os, Outcome, Phase, Reason, Side, Synthetic, Transport,
};
use authstitch_model::{
    AuthEvent, Environment, EventId, EventKeys, Facts, Identity, JourneyId, Origin, Realm, SpanId, TraceId,
    UnixNanos,
};
use authstitch_tests::workspace;
use protox::prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::Value;

const FILES: [&str; 3] =
    ["authstitch/v1/event.proto", "authstitch/v1/journey.proto", "authstitch/v1/truth.proto"];

fn pool() -> DescriptorPool {
    let mut compiler = protox::Compiler::new([workspace().join("proto")]).expect("proto/ is there");
    compiler.open_files(FILES).unwrap_or_else(|error| panic!("{error}"));
    compiler.descriptor_pool()
}

fn message(pool: &DescriptorPool, name: &str) -> MessageDescriptor {
    pool.get_message_by_name(&format!("authstitch.v1.{name}")).unwrap_or_else(|| panic!("no message {name}"))
}

/// The model's enums, by name, with their codes.
macro_rules! enums {
    ($($name:ident),+ $(,)?) => {
        [$((stringify!($name), $name::ALL.iter().map(|value| value.code()).collect::<Vec<_>>()),)+]
    };
}

#[test]
fn every_enum_has_the_values_of_the_model_in_its_order() {
    let mut expected = enums![
        Attachment,
        Basis,
        Browser,
        Cause,
        CloseReason,
        EndAct,
        ErrorClass,
        EventName,
        Evidence,
        Flow,
        HttpMethod,
        JoinedBy,
        Mediation,
        Method,
        Os,
        Outcome,
        Phase,
        Reason,
        Side,
        Synthetic,
        Transport,
    ]
    .to_vec();
    expected.push(("EnvironmentBasis", vec!["observed", "registered"]));
    let pool = pool();
    let defined: BTreeSet<String> = pool
        .all_enums()
        .filter(|known| known.package_name() == "authstitch.v1")
        .map(|known| known.name().to_owned())
        .collect();
    assert_eq!(defined, expected.iter().map(|(name, _)| (*name).to_owned()).collect());

    for (name, codes) in expected {
        let known = pool.get_enum_by_name(&format!("authstitch.v1.{name}")).expect("checked above");
        let written: Vec<_> = known.values().map(|value| (value.number(), value.name().to_owned())).collect();
        let values = std::iter::once("unspecified").chain(codes);
        let values: Vec<_> = (0..)
            .zip(values)
            .map(|(number, code)| (number, format!("{}_{}", screaming(name), shout(code))))
            .collect();
        assert_eq!(written, values, "enum {name}");
    }
}

/// `EventName` → `EVENT_NAME`.
fn screaming(name: &str) -> String {
    let mut text = String::new();
    for char in name.chars() {
        if char.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(char.to_ascii_uppercase());
    }
    text
}

/// `auth.qr.shown` → `AUTH_QR_SHOWN`.
fn shout(code: &str) -> String {
    code.chars()
        .map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_uppercase() } else { '_' })
        .collect()
}

/// Names every field of a struct; the compiler refuses a list that leaves one out.
macro_rules! fields {
    ($name:ident { $($field:ident),+ $(,)? }) => {{
        let _complete: fn(&$name) = |$name { $($field: _,)+ }| ();
        (stringify!($name), vec![$(stringify!($field)),+])
    }};
}

#[test]
fn event_messages_have_the_fields_of_the_structs() {
    type NamedOs = Named<Os>;
    type NamedBrowser = Named<Browser>;
    let structs = [
        fields!(AuthEvent {
            realm,
            name,
            side,
            flow,
            time,
            observed,
            origin,
            event_id,
            identity,
            keys,
            facts,
            environment
        }),
        fields!(Origin { trace_id, span_id, parent_span_id }),
        fields!(EventKeys { journey, challenge, code, flow, session, trace }),
        fields!(Facts {
            duration,
            code_ttl,
            webauthn_timeout,
            webauthn_elapsed,
            mediation,
            attachment,
            hybrid_capability,
            aaguid,
            transports,
            backup_eligible,
            backup_state,
            reason,
            method,
            error,
            http_method,
            network,
            country,
            synthetic,
            sampled
        }),
        fields!(Environment { os, browser, browser_version, device, app_version, service, entry_point }),
        fields!(NamedOs { kind, name }),
        fields!(NamedBrowser { kind, name }),
    ];
    let pool = pool();
    for (name, fields) in structs {
        // A number has its unit in its name here and in its type there.
        let without_unit = |field: FieldDescriptor| {
            let name = field.name();
            let name = name.strip_suffix("_unix_nano").or(name.strip_suffix("_ms")).unwrap_or(name);
            name.to_owned()
        };
        let written: Vec<_> = message(&pool, name).fields().map(without_unit).collect();
        assert_eq!(written, fields, "message {name}");
    }
    let kinds: Vec<_> = KeyKind::ALL.iter().map(|kind| kind.code()).collect();
    let written: Vec<_> = message(&pool, "EventKeys").fields().map(|field| field.name().to_owned()).collect();
    assert_eq!(written, kinds);
}

#[test]
fn the_journey_message_has_the_fields_of_the_journey_line() {
    let line = serde_json::to_value(journey()).expect("a line is JSON");
    assert_eq!(differences(&message(&pool(), "Journey"), &line), Vec::<String>::new());
}

#[test]
fn the_truth_message_has_the_fields_of_the_truth_line() {
    let line = serde_json::to_value(truth()).expect("a line is JSON");
    assert_eq!(differences(&message(&pool(), "Truth"), &line), Vec::<String>::new());
}

#[test]
fn a_difference_between_message_and_line_is_seen() {
    let mut line = serde_json::to_value(truth()).expect("a line is JSON");
    line["world"] = Value::from(1);
    line["new_field"] = Value::from(1);
    line["phases"][0].as_object_mut().expect("a phase is a map").remove("at");
    assert_eq!(
        differences(&message(&pool(), "Truth"), &line),
        [
            "Truth.new_field: only in the line",
            "Truth.world: string here, 1 in the line",
            "ReachedPhase.at: only here"
        ]
        .map(str::to_owned)
    );
}

/// Where a message and the JSON of a line with every field set do not agree.
fn differences(message: &MessageDescriptor, line: &Value) -> Vec<String> {
    let line = line.as_object().unwrap_or_else(|| panic!("{}: {line} is no map", message.name()));
    let mut found = Vec::new();
    for key in line.keys().filter(|key| message.get_field_by_name(key).is_none()) {
        found.push(format!("{}.{key}: only in the line", message.name()));
    }
    for field in message.fields() {
        let name = format!("{}.{}", message.name(), field.name());
        match (line.get(field.name()), field.is_list()) {
            (None, _) => found.push(format!("{name}: only here")),
            (Some(Value::Array(items)), true) => {
                let item = items.first().unwrap_or_else(|| panic!("{name}: the example has no item"));
                found.extend(different_values(&name, &field, item));
            }
            (Some(value), false) => found.extend(different_values(&name, &field, value)),
            (Some(value), true) => found.push(format!("{name}: a list here, {value} in the line")),
        }
    }
    found
}

fn different_values(name: &str, field: &FieldDescriptor, value: &Value) -> Vec<String> {
    let same = match field.kind() {
        Kind::Message(known) if known.full_name() != "google.protobuf.Timestamp" => {
            return differences(&known, value);
        }
        Kind::Message(_) | Kind::String | Kind::Bytes | Kind::Enum(_) => value.is_string(),
        Kind::Bool => value.is_boolean(),
        Kind::Double => value.is_f64(),
        Kind::Int64 => value.is_i64(),
        _ => value.is_u64(),
    };
    if same { Vec::new() } else { vec![format!("{name}: {:?} here, {value} in the line", field.kind())] }
}

const AT: UnixNanos = UnixNanos(1_767_225_599_999_999_999);

fn event_ref() -> SpanLine {
    SpanLine {
        trace_id: TraceId::from_bytes(&[1; 16]),
        span_id: SpanId::from_bytes(&[2; 8]),
        event_id: Some(EventId::new("01J0000000000000")),
        side: Side::Server,
        event: EventName::QrShown,
        joined_by: Some(JoinedBy::Strong),
        at: Some(AT),
        detail: Some("timeout".into()),
        keys: Some(vec![KeyLabel { kind: KeyKind::Code, number: 1 }]),
    }
}

fn devices() -> EnvironmentLine {
    let known = || Some(Known { value: "Windows".into(), basis: EnvironmentBasis::Registered });
    let device = || DeviceLine {
        os: known(),
        browser: known(),
        browser_version: known(),
        device: known(),
        app_version: known(),
    };
    EnvironmentLine { initiator: device(), authenticator: device() }
}

/// A journey line with every field set; the compiler refuses one that leaves a field out.
fn journey() -> JourneyLine {
    let id = JourneyId::new(AT, Identity(7));
    JourneyLine {
        journey_id: id,
        revision: 1,
        merged_into: Some(id),
        realm: Realm::bounded("default"),
        flow: Flow::PasskeyCda,
        started_at: AT,
        ended_at: AT,
        duration_ms: 1,
        outcome: Outcome::TechnicalFailure,
        cause: Some(Cause::ProximityFailed),
        failing_phase: Some(Phase::Proximity),
        end_act: EndAct::TimedOut,
        hiccups: vec![Cause::CodeExpired],
        relay_suspected: false,
        outcomes: vec![OutcomeShare { outcome: Outcome::TechnicalFailure, probability: 0.5 }],
        causes: vec![CauseShare { cause: Cause::ProximityFailed, probability: 0.5 }],
        credible_set: vec![Cause::ProximityFailed],
        transport: Some(TransportLine {
            value: Transport::HybridQr,
            probability: 0.5,
            basis: Basis::Inferred,
        }),
        phases: vec![PhaseLine {
            phase: Phase::Started,
            reached: 0.5,
            basis: Basis::Observed,
            at: Some(AT),
            spans: vec!["id".into()],
        }],
        environment: devices(),
        spans: vec![event_ref()],
        previous_journey: Some(id),
        retried_after_ms: Some(1),
        close_reason: CloseReason::Idle,
        clock_offset_ms: OffsetLine { initiator: Some(1), authenticator: Some(1), server: Some(1) },
        remedy: Some(RemedyLine { cause: Cause::ProximityFailed, action: "do".into() }),
        evidence: vec![EvidenceLine { evidence: Evidence::Elapsed, weight: 0.5 }],
        tables: "1".into(),
        explanation: "why".into(),
    }
}

/// A truth line with every field set.
fn truth() -> TruthLine {
    let causes = || Some(vec![CauseShare { cause: Cause::CodeExpired, probability: 0.5 }]);
    TruthLine {
        attempt: 1,
        world: "baseline".into(),
        segment: "office".into(),
        flow: Flow::AppQr,
        outcome: Outcome::TechnicalFailure,
        cause: Some(Cause::CodeExpired),
        failing_phase: Some(Phase::Scanned),
        end_act: EndAct::TimedOut,
        hiccups: vec![Cause::ScanFailed],
        relayed: false,
        transport: Some(Transport::HybridLinked),
        started_at: AT,
        phases: vec![TruePhase { phase: Phase::Started, at: AT }],
        spans: vec![event_ref()],
        lost: vec![event_ref()],
        environment: devices(),
        previous_attempt: Some(1),
        ideal: causes(),
        ideal_blind: causes(),
    }
}
