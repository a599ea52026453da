//! The two logins, told by each who takes part. Every way in which an event can be sent is used: a span with the
//! event's name, a span with the attribute `auth.event`, a span event, and a log record with an event name.
//!
//! The server puts the raw challenge and code into its telemetry, as an uncareful backend does; the devices send
//! digests, as the convention asks.

use std::thread;
use std::time::Duration;

use opentelemetry::trace::{SpanKind, TraceContextExt};
use opentelemetry::{Array, Context, KeyValue, Value};
use opentelemetry_sdk::Resource;
use sha2::{Digest, Sha256};

use crate::telemetry::Telemetry;

/// Who this process is.
#[derive(Clone, Copy)]
pub enum Role {
    /// The browser that wants to be logged in.
    Desktop,
    /// The phone with the site's app.
    Phone,
    /// The site's backend.
    Server,
}

/// Which login is played.
#[derive(Clone, Copy)]
pub enum Flow {
    /// The site's own QR login.
    AppQr,
    /// A passkey on another device.
    PasskeyCda,
}

/// What the processes of one login share.
pub struct Attempt<'a> {
    /// Base64url without padding.
    pub challenge: &'a str,
    /// What the QR code says; empty for a passkey.
    pub code: &'a str,
    /// The trace of the page or app that this process belongs to.
    pub page: Context,
}

impl Role {
    /// The resource that this process's SDK reports.
    pub fn resource(self) -> Resource {
        const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                              Chrome/141.0.0.0 Safari/537.36";
        let attributes: &[(&'static str, &'static str)] = match self {
            Self::Desktop => {
                &[("service.name", "shop-web"), ("user_agent.original", CHROME), ("os.name", "Windows")]
            }
            Self::Phone => &[
                ("service.name", "shop-app"),
                ("service.version", "7.4.0"),
                ("os.name", "Android"),
                ("os.version", "16"),
                ("device.model.name", "Pixel 9"),
            ],
            Self::Server => &[("service.name", "shop-login"), ("service.version", "2026.3")],
        };
        let attributes = attributes.iter().map(|(key, value)| KeyValue::new(*key, *value));
        Resource::builder().with_attributes(attributes).build()
    }
}

/// Plays one side of one login.
pub fn play(role: Role, flow: Flow, attempt: &Attempt<'_>, telemetry: &Telemetry) {
    match (flow, role) {
        (Flow::AppQr, Role::Desktop) => app_qr_desktop(attempt, telemetry),
        (Flow::AppQr, Role::Phone) => app_qr_phone(attempt, telemetry),
        (Flow::AppQr, Role::Server) => app_qr_server(attempt, telemetry),
        (Flow::PasskeyCda, Role::Desktop) => passkey_desktop(attempt, telemetry),
        (Flow::PasskeyCda, Role::Phone) => passkey_phone(attempt, telemetry),
        (Flow::PasskeyCda, Role::Server) => passkey_server(attempt, telemetry),
    }
}

fn app_qr_server(attempt: &Attempt<'_>, telemetry: &Telemetry) {
    let keys = [
        KeyValue::new("auth.flow", "app_qr"),
        KeyValue::new("auth.challenge.id", attempt.challenge.to_owned()),
        KeyValue::new("auth.code.id", attempt.code.to_owned()),
        KeyValue::new("auth.code.ttl_ms", 180_000),
        KeyValue::new("auth.event", "auth.challenge.created"),
    ];
    telemetry.span(&attempt.page, "POST /login/orders", SpanKind::Server, &keys, |_| pause(5));
    pause(300);
    let keys = [KeyValue::new("auth.flow", "app_qr"), KeyValue::new("auth.code.id", attempt.code.to_owned())];
    telemetry.span(&Context::new(), "POST /login/confirm", SpanKind::Server, &[], |span| {
        pause(5);
        span.span().add_event("auth.verification.succeeded", keys.to_vec());
    });
}

fn app_qr_desktop(attempt: &Attempt<'_>, telemetry: &Telemetry) {
    let keys = [
        KeyValue::new("auth.flow", "app_qr"),
        KeyValue::new("auth.challenge.id", challenge_digest(attempt.challenge)),
    ];
    let shown = [keys.as_slice(), &[KeyValue::new("auth.code.id", code_digest(attempt.code))]].concat();
    pause(40);
    telemetry.span(&attempt.page, "GET /assets/logo.svg", SpanKind::Client, &[], |_| pause(2));
    telemetry.log(&attempt.page, "auth.qr.shown", &shown);
    pause(310);
    telemetry.log(&attempt.page, "auth.callback.received", &keys);
    telemetry.span(&attempt.page, "auth.session.established", SpanKind::Client, &keys, |_| pause(8));
}

fn app_qr_phone(attempt: &Attempt<'_>, telemetry: &Telemetry) {
    let keys = [
        KeyValue::new("auth.flow", "app_qr"),
        KeyValue::new("auth.side", "authenticator"),
        KeyValue::new("auth.code.id", code_digest(attempt.code)),
    ];
    pause(120);
    telemetry.log(&attempt.page, "auth.qr.scanned", &keys);
    telemetry.span(&attempt.page, "auth.mobile.opened", SpanKind::Internal, &keys, |opened| {
        pause(20);
        telemetry.log(opened, "auth.confirmation.shown", &keys);
    });
    pause(80);
    telemetry.span(&attempt.page, "auth.confirmation.completed", SpanKind::Client, &keys, |_| pause(20));
}

fn passkey_server(attempt: &Attempt<'_>, telemetry: &Telemetry) {
    let keys = [
        KeyValue::new("auth.flow", "passkey_cda"),
        KeyValue::new("auth.challenge.id", attempt.challenge.to_owned()),
    ];
    let created = [keys.as_slice(), &[KeyValue::new("auth.event", "auth.challenge.created")]].concat();
    telemetry.span(&attempt.page, "POST /passkey/options", SpanKind::Server, &created, |_| pause(5));
    pause(260);
    let transports = Value::Array(Array::String(vec!["hybrid".into(), "internal".into()]));
    let verified = [
        keys.as_slice(),
        &[
            KeyValue::new("auth.credential.aaguid", "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"),
            KeyValue::new("auth.credential.transports", transports),
            KeyValue::new("auth.credential.backup_eligible", true),
        ],
    ]
    .concat();
    telemetry.span(&attempt.page, "POST /passkey/verify", SpanKind::Server, &[], |span| {
        pause(5);
        span.span().add_event("auth.verification.succeeded", verified);
    });
}

fn passkey_desktop(attempt: &Attempt<'_>, telemetry: &Telemetry) {
    let keys = [
        KeyValue::new("auth.flow", "passkey_cda"),
        KeyValue::new("auth.challenge.id", challenge_digest(attempt.challenge)),
    ];
    let started = [
        keys.as_slice(),
        &[
            KeyValue::new("auth.webauthn.timeout_ms", 300_000),
            KeyValue::new("auth.webauthn.mediation", "optional"),
            KeyValue::new("auth.capability.hybrid", true),
        ],
    ]
    .concat();
    let completed = [
        keys.as_slice(),
        &[
            KeyValue::new("auth.webauthn.elapsed_ms", 200),
            KeyValue::new("auth.webauthn.authenticator_attachment", "cross-platform"),
        ],
    ]
    .concat();
    pause(40);
    telemetry.log(&attempt.page, "auth.webauthn.started", &started);
    telemetry.span(&attempt.page, "auth.webauthn.completed", SpanKind::Client, &completed, |_| pause(200));
    pause(60);
    telemetry.log(&attempt.page, "auth.callback.received", &keys);
    telemetry.span(&attempt.page, "auth.session.established", SpanKind::Client, &keys, |_| pause(8));
}

/// The phone's system scans, connects and asks for the fingerprint, and tells nobody. The site's app happens to
/// be open: it reports what has nothing to do with the login.
fn passkey_phone(attempt: &Attempt<'_>, telemetry: &Telemetry) {
    pause(100);
    telemetry.span(&attempt.page, "inbox.refresh", SpanKind::Client, &[], |_| pause(20));
}

fn pause(millis: u64) {
    thread::sleep(Duration::from_millis(millis));
}

/// What a device sends in place of the challenge: the first 16 bytes of the SHA-256 of its bytes, as hex.
fn challenge_digest(challenge: &str) -> String {
    digest(&decode_base64url(challenge))
}

/// What a device sends in place of the code.
fn code_digest(code: &str) -> String {
    digest(code.as_bytes())
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Characters outside the alphabet are skipped: the input is our own.
fn decode_base64url(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0u32, 0u32);
    for sextet in text.bytes().filter_map(|char| ALPHABET.iter().position(|known| *known == char)) {
        held = held << 6 | sextet as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    bytes
}
