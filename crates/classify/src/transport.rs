//! How a passkey ceremony reached its authenticator.
//!
//! - Each cause has its own mix of transports, from the tables.
//! - An authenticator attached to the device is the platform's, and seen. One from across is a phone or a key.
//! - A scan that the phone reported is a QR code, and seen.
//! - Registered transports without a phone leave a key, those without a key, or a credential that is backed
//!   up, seldom do.
//! - A linked phone needs no code; a key and the platform need neither code nor proximity.
//! - What stopped at the scan was on the way to a phone by its code, what stopped at proximity to a phone, and
//!   what stopped later had reached an authenticator.

use authstitch_model::verdict::TransportVerdict;
use authstitch_model::{Attachment, Basis, Phase, Transport};

use crate::evidence::Features;

/// What is left of a key's probability where its credential speaks against it: some keys hold such
/// credentials.
const KEY_DESPITE_CREDENTIAL: f32 = 0.1;

/// One number for each transport, by [`Transport::index`].
pub type ByTransport = [f32; Transport::COUNT];

/// How far what was seen fits each transport.
pub fn fit(features: &Features) -> ByTransport {
    let known = &features.authenticator;
    let mut fit = [0.0; Transport::COUNT];
    for (fit, transport) in fit.iter_mut().zip(Transport::ALL) {
        let phone = matches!(transport, Transport::HybridQr | Transport::HybridLinked);
        let key = *transport == Transport::SecurityKey;
        let excluded = match known.attachment {
            Some(Attachment::Platform) => *transport != Transport::Platform,
            Some(Attachment::CrossPlatform) => !(phone || key),
            None => false,
        };
        let excluded =
            excluded || (known.scanned && *transport != Transport::HybridQr) || (known.only_key && phone);
        *fit = match (excluded, key && known.no_key) {
            (true, _) => 0.0,
            (false, true) => KEY_DESPITE_CREDENTIAL,
            (false, false) => 1.0,
        };
    }
    fit
}

/// One number for each of some causes.
type Of<const CAUSES: usize> = [f32; CAUSES];

/// The mix of transports of some causes, given what was seen.
#[inline]
pub fn mix<const CAUSES: usize>(
    of_causes: &[Of<CAUSES>; Transport::COUNT],
    fit: &ByTransport,
) -> [Of<CAUSES>; Transport::COUNT] {
    let mut mix = *of_causes;
    let mut scale = [0.0; CAUSES];
    for (shares, fit) in mix.iter_mut().zip(fit) {
        for (share, sum) in shares.iter_mut().zip(&mut scale) {
            *share *= fit;
            *sum += *share;
        }
    }
    scale.iter_mut().for_each(|sum| *sum = inverse(*sum));
    for shares in &mut mix {
        shares.iter_mut().zip(&scale).for_each(|(share, scale)| *share *= scale);
    }
    mix
}

#[inline]
fn inverse(number: f32) -> f32 {
    1.0 / if number > f32::MIN_POSITIVE { number } else { f32::MIN_POSITIVE }
}

/// The likeliest over all causes; the first of equals.
pub fn verdict(features: &Features, shares: &ByTransport) -> TransportVerdict {
    let known = &features.authenticator;
    let seen = known.attachment == Some(Attachment::Platform) || known.scanned;
    let basis = if seen { Basis::Observed } else { Basis::Inferred };
    let mut likeliest = TransportVerdict { value: Transport::None, probability: -1.0, basis };
    for (transport, share) in Transport::ALL.iter().zip(shares) {
        if *share > likeliest.probability {
            likeliest = TransportVerdict { value: *transport, probability: share.min(1.0), basis };
        }
    }
    likeliest
}

/// What a login must have on its way to pass a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// A code, to be scanned by a phone.
    Code,
    /// A phone that is near.
    Phone,
    /// Any authenticator.
    Authenticator,
}

impl Needs {
    /// How many there are.
    pub const COUNT: usize = 4;

    /// What a phase of a passkey login needs.
    pub const fn of(phase: Phase) -> Self {
        match phase {
            Phase::Presented | Phase::Scanned => Self::Code,
            Phase::Proximity => Self::Phone,
            Phase::Prompted => Self::Authenticator,
            Phase::Started | Phase::Opened | Phase::Confirmed => Self::Nothing,
            Phase::Verified | Phase::Returned | Phase::Established => Self::Nothing,
        }
    }

    const fn are_met_by(self, transport: Transport) -> bool {
        match self {
            Self::Nothing => true,
            Self::Code => matches!(transport, Transport::HybridQr),
            Self::Phone => matches!(transport, Transport::HybridQr | Transport::HybridLinked),
            Self::Authenticator => !matches!(transport, Transport::None),
        }
    }
}

/// Whether a login over the likeliest transport needs a phase; a ceremony that reached no authenticator is
/// read as one that should have passed them all.
pub const fn requires(transport: Transport, phase: Phase) -> bool {
    matches!(transport, Transport::None) || Needs::of(phase).are_met_by(transport)
}

/// The probability that a login had what a phase needs, by cause.
pub struct Had<const CAUSES: usize> {
    /// A code, where it stopped at proximity: on its way to a phone.
    pub code_before_proximity: Of<CAUSES>,
    /// In the order of [`Needs`] from a code on, where it stopped later, or nowhere.
    pub later: [Of<CAUSES>; Needs::COUNT - 1],
}

/// What logins of some causes had, of these transports.
#[inline]
pub fn had<const CAUSES: usize>(mix: &[Of<CAUSES>; Transport::COUNT]) -> Had<CAUSES> {
    let mut had = Had { code_before_proximity: [0.0; CAUSES], later: [[0.0; CAUSES]; Needs::COUNT - 1] };
    let [of_code, of_phone, of_any] = &mut had.later;
    for nth in 0..CAUSES {
        let code = mix[Transport::HybridQr.index()][nth];
        let phone = code + mix[Transport::HybridLinked.index()][nth];
        let any = phone + mix[Transport::SecurityKey.index()][nth] + mix[Transport::Platform.index()][nth];
        had.code_before_proximity[nth] = code * inverse(phone);
        let over_any = inverse(any);
        of_code[nth] = code * over_any;
        of_phone[nth] = phone * over_any;
        of_any[nth] = any * over_any;
    }
    had
}

#[cfg(test)]
mod tests;
