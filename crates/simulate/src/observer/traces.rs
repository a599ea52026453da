//! What a mishap leaves behind that a receiver can see, with the probability of each form of it: the stack's
//! side of `stack::mishap`, asked instead of drawn. A test compares both.

use authstitch_model::{Browser, Cause, ErrorClass, Flow, Phase, Reason, Side};
use authstitch_otlp::error_class;

use crate::stack::mishap::{ECHO_OF_FAILURE, ECHOED, LOGGED_IN_THERE, echo_of_refusal};

/// What stands in the telemetry as the trace of one mishap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// An error of a side.
    Error(Side, ErrorClass),
    /// A failed verification with its reason.
    Refusal(Option<Reason>),
    /// A failed user verification.
    UserVerification,
    /// A link fetched by a browser that does not know of the login.
    ForeignFetch,
    /// A login of a browser for which nobody waits.
    ForeignLogin,
    /// The page was told that the credential is unknown.
    CredentialUnknown,
}

/// What a mishap may leave.
#[derive(Clone, Debug, Default)]
pub(super) struct Traces {
    /// Each mark with its probability; what is missing to one leaves nothing.
    marks: Vec<(Mark, f64)>,
}

impl Traces {
    /// The probability of one mark.
    pub(super) fn of(&self, mark: Mark) -> f64 {
        self.marks.iter().filter(|(known, _)| *known == mark).map(|(_, share)| share).sum()
    }

    /// The probability that anything is left.
    pub(super) fn any(&self) -> f64 {
        self.marks.iter().map(|(_, share)| share).sum()
    }

    /// Who leaves it.
    pub(super) fn side(&self) -> Side {
        match self.marks.first() {
            Some((Mark::Error(side, _), _)) => *side,
            Some((Mark::Refusal(_) | Mark::ForeignFetch | Mark::ForeignLogin, _)) | None => Side::Server,
            Some((Mark::UserVerification, _)) => Side::Authenticator,
            Some((Mark::CredentialUnknown, _)) => Side::Initiator,
        }
    }
}

/// How much of what goes wrong is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Telling {
    /// Share of mishaps that page, app or server reports.
    pub(super) reported: f64,
    /// Share of unknown faults that leave an error.
    pub(super) unknown: f64,
    /// Whether the phone's part of a passkey login is instrumented.
    pub(super) phone_emits: bool,
}

/// The traces of a mishap that struck before a phase.
pub(super) fn traces(flow: Flow, cause: Cause, phase: Phase, telling: Telling) -> Traces {
    let passkey = flow == Flow::PasskeyCda;
    let hidden = passkey && phase > Phase::Started && phase <= Phase::Confirmed;
    let started = phase == Phase::Started;
    let reported = telling.reported;
    let errors = |side: Side, share: f64, kinds: &[&str]| {
        let each = share / kinds.len() as f64;
        let browser = (side == Side::Initiator).then_some(Browser::Chrome);
        let mark = |kind: &&str| {
            let message = (*kind == "TypeError" && cause == Cause::ResultLost).then_some("Failed to fetch");
            (Mark::Error(side, error_class(kind, message, browser, side)), each)
        };
        Traces { marks: kinds.iter().map(mark).collect() }
    };
    let page = |kinds: &[&str]| errors(Side::Initiator, reported, kinds);
    let server = |kinds: &[&str]| errors(Side::Server, reported, kinds);
    let phone = |kinds: &[&str]| {
        let share = if hidden && !telling.phone_emits { 0.0 } else { reported };
        errors(Side::Authenticator, share, kinds)
    };
    // Who asked may tell what the server does not.
    let echo = |asker: Side, kinds: &[&str]| errors(asker, (1.0 - reported) * ECHOED, kinds).marks;
    let refused = |reasons: &[Reason]| {
        if hidden || started {
            return Traces::default();
        }
        let asker = if passkey { Side::Initiator } else { Side::Authenticator };
        let share = 1.0 / reasons.len() as f64;
        let marks = reasons.iter().flat_map(|reason| {
            let echoes = echo(asker, echo_of_refusal(*reason)).into_iter();
            let echoes = echoes.map(move |(mark, of)| (mark, of * share));
            [(Mark::Refusal(Some(*reason)), reported * share)].into_iter().chain(echoes)
        });
        Traces { marks: marks.collect() }
    };
    match cause {
        Cause::RenderFailed if !hidden => page(&["render_failed", "CanvasError", "ImageLoadError"]),
        Cause::DeliveryFailed => server(&["delivery_failed", "smtp_bounce", "550"]),
        Cause::WrongApp => phone(&["no_app_for_code", "app_not_installed"]),
        Cause::WrongBrowser if flow == Flow::MagicLink => Traces {
            marks: vec![(Mark::ForeignFetch, 1.0 - LOGGED_IN_THERE), (Mark::ForeignLogin, LOGGED_IN_THERE)],
        },
        Cause::WrongBrowser => phone(&["wrong_browser"]),
        Cause::CodeExpired => refused(&[Reason::TokenExpired]),
        Cause::HandoffFailed => phone(&["handoff_failed", "deep_link_failed", "ActivityNotFoundException"]),
        Cause::LinkPrefetched => Traces { marks: vec![(Mark::Refusal(Some(Reason::TokenAlreadyUsed)), 1.0)] },
        Cause::WrongDevice => refused(&[Reason::WrongDevice]),
        Cause::WrongAccount => refused(&[Reason::WrongAccount]),
        Cause::UnsupportedDevice if started => errors(Side::Initiator, 1.0, &["unsupported_device"]),
        Cause::UnsupportedDevice => phone(&["unsupported_device", "os_too_old"]),
        Cause::PolicyBlocked => phone(&["policy_blocked", "managed_profile"]),
        Cause::NoCredential => phone(&["no_credential", "NoCredentialException"]),
        Cause::BluetoothUnavailable => phone(&["bluetooth_off"]),
        Cause::ProximityFailed => phone(&["proximity_timeout"]),
        Cause::NetworkBlocked => phone(&["network_error", "UnknownHostException", "tunnel_failed"]),
        Cause::PromptExpired => phone(&["prompt_expired"]),
        Cause::UserVerificationFailed => {
            let share = if hidden && !telling.phone_emits { 0.0 } else { 1.0 };
            Traces { marks: vec![(Mark::UserVerification, share)] }
        }
        Cause::ResultLost if passkey => errors(Side::Initiator, 0.4 * reported, &["TypeError"]),
        Cause::ResultLost => errors(Side::Authenticator, 0.4 * reported, &["network_error"]),
        Cause::VerificationRejected if passkey => {
            let mut rejected = refused(&[
                Reason::ChallengeExpired,
                Reason::UnknownCredential,
                Reason::SignatureInvalid,
                Reason::OriginMismatch,
                Reason::UserNotVerified,
            ]);
            // The page is told of an unknown credential whether or not the server reports it.
            rejected.marks.push((Mark::CredentialUnknown, 0.2 * (1.0 - reported)));
            rejected
        }
        Cause::VerificationRejected => refused(&[
            Reason::ChallengeMismatch,
            Reason::SignatureInvalid,
            Reason::Other,
            Reason::UserNotVerified,
        ]),
        Cause::RiskDenied => refused(&[Reason::RiskDenied]),
        Cause::CallbackLost => page(&["network_error", "EventSourceError", "request_timeout"]),
        Cause::SessionNotKept => page(&["session_missing", "401"]),
        Cause::ServerError => {
            let mut failed = server(&["500", "503", "java.util.concurrent.TimeoutException"]);
            let by_phone = phase == Phase::Verified && !passkey;
            failed
                .marks
                .extend(echo(if by_phone { Side::Authenticator } else { Side::Initiator }, ECHO_OF_FAILURE));
            failed
        }
        Cause::ClientError if passkey && !started => Traces::default(),
        Cause::ClientError => match phase {
            Phase::Scanned | Phase::Opened | Phase::Proximity | Phase::Prompted => {
                phone(&["IllegalStateException", "NSInvalidArgumentException", "TypeError"])
            }
            _ => page(&["OperationError", "SecurityError", "NotSupportedError"]),
        },
        Cause::Unknown => {
            let side = match phase {
                Phase::Started | Phase::Verified => Side::Server,
                Phase::Scanned | Phase::Opened | Phase::Proximity | Phase::Prompted | Phase::Confirmed => {
                    Side::Authenticator
                }
                _ => Side::Initiator,
            };
            let silent = side == Side::Authenticator && hidden && !telling.phone_emits;
            let share = if silent { 0.0 } else { telling.unknown * reported };
            errors(side, share, &["E4711"])
        }
        Cause::ScanFailed
        | Cause::RenderFailed
        | Cause::WalkedAway
        | Cause::ConfirmationAbandoned
        | Cause::SwitchedMethod
        | Cause::Cancelled
        | Cause::Declined
        | Cause::None => Traces::default(),
    }
}
