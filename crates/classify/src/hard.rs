//! What is certain: rules that leave some causes and exclude the others. In order of precedence:
//!
//! 1. A session on the initiator leaves success alone, whatever else was seen.
//! 2. A reason that the server named for a refusal leaves what it means: an expired challenge or token is
//!    `code_expired` (in `passkey_cda` `verification_rejected`); another account, another device and a risk
//!    rule are what they say; challenge, origin, RP ID, signature, credential and user verification are
//!    `verification_rejected`; a used token is `link_prefetched` in `magic_link` after a scanner's fetch, and
//!    without one it may also have been used or expired in earnest; in `app_qr` it may be either, elsewhere it
//!    is `verification_rejected`.
//! 3. In `app_qr` an error before anything was presented leaves `render_failed`, unless it is the server's and
//!    nothing was started: then it may be `server_error`, too. Where the page was never heard, a server's error
//!    after the start says nothing of what was presented.
//! 4. An error of the ceremony that is the page's or the browser's own fault leaves `client_error`; one of the
//!    platform may as well be a policy's.
//!
//! Where none of these applies, all of the following do:
//!
//! 5. A refusal without a known reason excludes success and what is not the server's business.
//! 6. A ceremony that failed excludes success and what stops only later than the confirmation.
//! 7. A refusal on the phone excludes success.
//! 8. A page's word, before anything was started, that the system does not support it leaves out the person's own
//!    decisions: what they do then only ends it.
//! 9. A cause is out when every phase it can stop in this flow lies behind the journey. Two causes let later
//!    events appear although they stop `opened`: a spent link is still fetched and refused, and a link in the
//!    wrong browser logs in there.

use authstitch_model::verdict::CauseSet;
use authstitch_model::{Cause, Evidence, Flow, Outcome, Phase, Reason, Side};

use crate::evidence::Features;
use crate::feature::{Ceremony, Fault, Parting, Refusal, Scanner};
use crate::phase_set::PhaseSet;

/// A rule that applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// On what it rests.
    pub evidence: Evidence,
    /// What it leaves.
    pub left: CauseSet,
}

/// How many rules can apply to one journey.
pub const RULINGS: usize = 5;

/// By flow and cause: the phases at which the cause can stop the flow, as far as events show it.
static MAY_HALT: [[PhaseSet; Cause::COUNT]; Flow::COUNT] = {
    let mut table = [[PhaseSet::of(&[]); Cause::COUNT]; Flow::COUNT];
    let mut flow = 0;
    while flow < Flow::COUNT {
        let mut cause = 0;
        while cause < Cause::COUNT {
            table[flow][cause] = halting_phases(Flow::ALL[flow], Cause::ALL[cause]);
            cause += 1;
        }
        flow += 1;
    }
    table
};

/// By flow and phase: the causes that can stop the flow there.
static HALTING_AT: [[CauseSet; Phase::COUNT]; Flow::COUNT] = {
    let mut table = [[CauseSet::of(&[]); Phase::COUNT]; Flow::COUNT];
    let mut flow = 0;
    while flow < Flow::COUNT {
        let mut cause = 0;
        while cause < Cause::COUNT {
            let mut phase = 0;
            while phase < Phase::COUNT {
                if MAY_HALT[flow][cause].has(Phase::ALL[phase]) {
                    table[flow][phase] = table[flow][phase].with(Cause::ALL[cause]);
                }
                phase += 1;
            }
            cause += 1;
        }
        flow += 1;
    }
    table
};

const fn halting_phases(flow: Flow, cause: Cause) -> PhaseSet {
    use Phase::{Confirmed, Established, Prompted, Returned, Verified};
    let seen_later: &[Phase] = match (flow, cause) {
        (Flow::MagicLink, Cause::LinkPrefetched) => &[Prompted, Confirmed, Verified],
        (Flow::MagicLink, Cause::WrongBrowser) => &[Prompted, Confirmed, Verified, Returned, Established],
        _ => &[],
    };
    PhaseSet::of(cause.stops()).and(PhaseSet::of(seen_later)).common(PhaseSet::of_flow(flow))
}

/// The phases at which a cause can stop a flow, as far as events show it; empty where it cannot.
pub fn may_halt(flow: Flow, cause: Cause) -> PhaseSet {
    MAY_HALT[flow.index()][cause.index()]
}

/// The causes that can stop a flow at one phase at least other than these.
fn halting_elsewhere(flow: Flow, behind: PhaseSet) -> CauseSet {
    let at = HALTING_AT[flow.index()].iter().zip(Phase::ALL);
    at.filter(|(_, phase)| !behind.has(**phase))
        .fold(CauseSet::default(), |all, (causes, _)| all.and(*causes))
}

/// The rules that apply, in order; a decisive one stands alone.
pub fn rulings(features: &Features) -> [Option<Ruling>; RULINGS] {
    let decisive = session(features)
        .or_else(|| named_reason(features))
        .or_else(|| nothing_presented(features))
        .or_else(|| own_fault(features));
    match decisive {
        Some(ruling) => [Some(ruling), None, None, None, None],
        None => [
            unnamed_refusal(features),
            failed_ceremony(features),
            refused_on_phone(features),
            unsupported(features),
            Some(phases_reached(features)),
        ],
    }
}

/// Whether the first ruling stands alone.
pub fn is_decisive(rulings: &[Option<Ruling>; RULINGS]) -> bool {
    rulings[RULINGS - 1].is_none()
}

/// The cause that a ruling leaves alone, if one does.
pub fn decided(rulings: &[Option<Ruling>; RULINGS]) -> Option<Cause> {
    rulings.iter().flatten().find_map(|ruling| ruling.left.only())
}

const fn ruling(evidence: Evidence, left: CauseSet) -> Option<Ruling> {
    Some(Ruling { evidence, left })
}

fn all_but(excluded: impl Fn(Cause) -> bool) -> CauseSet {
    Cause::ALL
        .iter()
        .filter(|cause| !excluded(**cause))
        .fold(CauseSet::default(), |set, cause| set.with(*cause))
}

fn session(features: &Features) -> Option<Ruling> {
    let established = features.progress.observed().has(Phase::Established);
    established.then(|| Ruling { evidence: Evidence::SessionEstablished, left: CauseSet::of(&[Cause::None]) })
}

fn named_reason(features: &Features) -> Option<Ruling> {
    let left = match (features.reason?, features.flow) {
        (Reason::ChallengeExpired | Reason::TokenExpired, Flow::PasskeyCda) => {
            CauseSet::of(&[Cause::VerificationRejected])
        }
        (Reason::ChallengeExpired | Reason::TokenExpired, _) => CauseSet::of(&[Cause::CodeExpired]),
        (Reason::WrongAccount, _) => CauseSet::of(&[Cause::WrongAccount]),
        (Reason::WrongDevice, _) => CauseSet::of(&[Cause::WrongDevice]),
        (Reason::RiskDenied, _) => CauseSet::of(&[Cause::RiskDenied]),
        (Reason::TokenAlreadyUsed, Flow::MagicLink) => match features.values.scanner {
            Some(Scanner::Fetched | Scanner::Suspected) => CauseSet::of(&[Cause::LinkPrefetched]),
            Some(Scanner::NoSign) | None => {
                CauseSet::of(&[Cause::LinkPrefetched, Cause::VerificationRejected, Cause::CodeExpired])
            }
        },
        (Reason::TokenAlreadyUsed, Flow::AppQr) => {
            CauseSet::of(&[Cause::LinkPrefetched, Cause::VerificationRejected])
        }
        (
            Reason::TokenAlreadyUsed
            | Reason::ChallengeMismatch
            | Reason::OriginMismatch
            | Reason::RpIdMismatch
            | Reason::SignatureInvalid
            | Reason::UnknownCredential
            | Reason::UserNotVerified,
            _,
        ) => CauseSet::of(&[Cause::VerificationRejected]),
        (Reason::Other, _) => return None,
    };
    ruling(Evidence::ServerReason, left)
}

fn nothing_presented(features: &Features) -> Option<Ruling> {
    if !features.error_before_presented {
        return None;
    }
    let by_server = features.values.server_fault != Some(Fault::Nothing);
    let started = features.progress.observed().has(Phase::Started);
    if by_server && !started {
        return ruling(Evidence::ServerError, CauseSet::of(&[Cause::RenderFailed, Cause::ServerError]));
    }
    if by_server && !features.heard[Side::Initiator.index()] {
        return None;
    }
    let evidence = if by_server { Evidence::ServerError } else { Evidence::InitiatorError };
    ruling(evidence, CauseSet::of(&[Cause::RenderFailed]))
}

fn own_fault(features: &Features) -> Option<Ruling> {
    let own = features.values.ceremony == Some(Ceremony::Client);
    own.then(|| Ruling { evidence: Evidence::InitiatorError, left: CauseSet::of(&[Cause::ClientError]) })
}

fn unnamed_refusal(features: &Features) -> Option<Ruling> {
    if features.values.refusal != Some(Refusal::Unnamed) {
        return None;
    }
    let spent_link = |cause| features.flow == Flow::MagicLink && cause == Cause::LinkPrefetched;
    let servers_business = |cause: Cause| {
        cause.outcome() == Outcome::TechnicalFailure && cause.stops().contains(&Phase::Verified)
    };
    let left = all_but(|cause| !servers_business(cause) && !spent_link(cause));
    ruling(Evidence::ServerReason, left)
}

fn failed_ceremony(features: &Features) -> Option<Ruling> {
    features.failed_ceremony?;
    let too_late = PhaseSet::of(&[Phase::Verified, Phase::Returned, Phase::Established]);
    ruling(Evidence::InitiatorError, halting_elsewhere(features.flow, too_late))
}

fn refused_on_phone(features: &Features) -> Option<Ruling> {
    let declined = features.values.parting == Some(Parting::Declined);
    declined
        .then(|| Ruling { evidence: Evidence::DeclinedOnPhone, left: all_but(|cause| cause == Cause::None) })
}

fn unsupported(features: &Features) -> Option<Ruling> {
    let said = features.values.page_fault == Some(Fault::Unsupported);
    let own = |cause: Cause| matches!(cause.outcome(), Outcome::UserAbandoned | Outcome::UserDeclined);
    (said && !features.known.has(Phase::Started))
        .then(|| Ruling { evidence: Evidence::InitiatorError, left: all_but(own) })
}

fn phases_reached(features: &Features) -> Ruling {
    let left = halting_elsewhere(features.flow, features.passed).with(Cause::None);
    Ruling { evidence: stage(features), left }
}

/// As what the distance covered is cited.
pub fn stage(features: &Features) -> Evidence {
    let phone_expected = features.flow != Flow::PasskeyCda && !features.heard[Side::Authenticator.index()];
    match features.known.last() {
        Some(Phase::Returned) => Evidence::CallbackWithoutSession,
        Some(Phase::Verified) => Evidence::VerifiedWithoutCallback,
        Some(Phase::Confirmed) => Evidence::ConfirmedWithoutVerification,
        _ if phone_expected => Evidence::PhoneSilent,
        _ => Evidence::LastPhase,
    }
}

#[cfg(test)]
mod tests;
