//! What else is going on around a login: page loads, requests, database calls. They share its traces and
//! sessions, and none of them is an authentication event.

use authstitch_model::{Side, TraceId, UnixNanos};
use authstitch_otlp::wire;

use super::attributes::{number, text};
use super::form::{INTERNAL_KIND, SERVER_KIND};
use super::{Outgoing, Scene};
use crate::emission::{Content, Scope};
use crate::random::Dice;

const PAGE: &[&str] = &["documentLoad", "documentFetch", "resourceFetch", "HTTP GET", "HTTP POST", "click"];
const PHONE: &[&str] = &["AppStart", "HTTP GET", "screen.load", "push.receive"];
const SERVER: &[&str] =
    &["GET /api/config", "SELECT sessions", "redis GET", "POST /api/telemetry", "INSERT audit_log"];

pub(super) fn records(scene: &Scene<'_>, outgoing: &mut Vec<Outgoing>, dice: &mut Dice) {
    let (from, to) = (scene.story.started_at, scene.story.end.at);
    for (side, names) in [(Side::Initiator, PAGE), (Side::Authenticator, PHONE), (Side::Server, SERVER)] {
        // A phone that was never reached does nothing around the login.
        let login: Vec<usize> =
            (0..outgoing.len()).filter(|place| outgoing[*place].exporter.side() == side).collect();
        if login.is_empty() {
            continue;
        }
        for _ in 0..around(*scene.world.telemetry.unrelated.of(side), dice) {
            let beside = &outgoing[dice.one(&login)];
            let length = to.0.saturating_sub(from.0);
            let at = UnixNanos(from.0 + (length as f64 * dice.unit()) as u64);
            if beside.gone_at.is_none_or(|gone| at < gone) {
                let record = unrelated(scene, beside, dice.one(names), at, dice);
                outgoing.push(record);
            }
        }
    }
}

/// A whole number around a mean: between none and twice as many.
fn around(mean: f64, dice: &mut Dice) -> u64 {
    (mean * 2.0 * dice.unit()).round() as u64
}

/// A span of the process, and in the trace, of one of the login's records.
fn unrelated(scene: &Scene<'_>, beside: &Outgoing, name: &str, at: UnixNanos, dice: &mut Dice) -> Outgoing {
    let side = beside.exporter.side();
    let end = UnixNanos(at.0 + (dice.between(0.001, 0.4) * 1e9) as u64);
    let end = beside.gone_at.map_or(end, |gone| end.min(gone));
    let (about, own_trace) = match side {
        Side::Initiator => (text("session.id", &*scene.visit.keys.page_session), scene.visit.page_trace),
        Side::Authenticator => {
            (text("session.id", &*scene.visit.keys.phone_session), scene.visit.phone_trace)
        }
        Side::Server => (text("db.system.name", "postgresql"), scene.visit.page_trace),
    };
    let trace = beside.trace.map_or(own_trace, TraceId::bytes);
    let span = wire::Span {
        trace_id: trace.to_vec(),
        span_id: dice.bytes::<8>().to_vec(),
        name: name.to_owned(),
        kind: if side == Side::Server { SERVER_KIND } else { INTERNAL_KIND },
        start_time_unix_nano: at.0,
        end_time_unix_nano: end.0,
        attributes: vec![number("http.response.status_code", 200), text("url.path", "/assets/app.js"), about],
        ..wire::Span::default()
    };
    Outgoing {
        exporter: beside.exporter,
        ready_at: Some(end),
        gone_at: beside.gone_at,
        trace: TraceId::from_bytes(&trace),
        failed: false,
        content: Content::Span { span, scope: Scope::Other },
        resource: beside.resource.clone(),
        truth: None,
    }
}
