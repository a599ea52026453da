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
use authstitch_model::{Attachment, Basis, Cause, Phase, Transport};

use crate::by_cause::ByCause;
use crate::evidence::{Authenticator, Features};

/// What is left of a key's probability where its credential speaks against it: some keys hold such
/// credentials.
const KEY_DESPITE_CREDENTIAL: f32 = 0.1;

/// One number for each transport, by [`Transport::index`].
pub type ByTransport = [f32; Transport::COUNT];

/// How far what was seen fits each transport.
fn fit(known: &Authenticator) -> ByTransport {
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

/// What can be seen of an authenticator is little, so what it says of each cause is there before it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Transports(Vec<Mix>);

/// By cause: the transports of its logins, and what those had on their way.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    /// The probability of each transport.
    pub shares: [ByCause; Transport::COUNT],
    /// That of having had a code, of what stopped at proximity: on its way to a phone.
    pub code_before_proximity: ByCause,
    /// In the order of [`Needs`] from a code on: that of having had it, of what stopped later, or nowhere.
    pub later: [ByCause; Needs::COUNT - 1],
}

impl Transports {
    /// By [`Transport::index`]: the share of each cause's logins.
    pub fn new(shares: &[ByCause; Transport::COUNT]) -> Self {
        let all = (0..SEEN).map(|place| Mix::new(shares, &fit(&seen_at(place))));
        Self(all.collect())
    }

    /// The mix of each cause, given what was seen.
    pub fn given(&self, known: &Authenticator) -> &Mix {
        &self.0[place_of(known)]
    }
}

/// In how many ways an authenticator can be seen.
const SEEN: usize = 3 * 8;

fn place_of(known: &Authenticator) -> usize {
    let attachment = match known.attachment {
        None => 0,
        Some(Attachment::Platform) => 1,
        Some(Attachment::CrossPlatform) => 2,
    };
    let flags = [known.scanned, known.only_key, known.no_key];
    flags.iter().fold(attachment, |place, flag| place * 2 + usize::from(*flag))
}

fn seen_at(place: usize) -> Authenticator {
    let flag = |bit: usize| place >> bit & 1 == 1;
    let attachment = [None, Some(Attachment::Platform), Some(Attachment::CrossPlatform)][place / 8];
    Authenticator { attachment, scanned: flag(2), only_key: flag(1), no_key: flag(0) }
}

impl Mix {
    fn new(shares: &[ByCause; Transport::COUNT], fit: &ByTransport) -> Self {
        let nothing = ByCause::all(0.0);
        let mut mix =
            Self { shares: *shares, code_before_proximity: nothing, later: [nothing; Needs::COUNT - 1] };
        for cause in Cause::ALL.iter().map(|cause| cause.index()) {
            let fitting: ByTransport =
                std::array::from_fn(|transport| shares[transport][cause] * fit[transport]);
            let sum = fitting.iter().sum::<f32>().max(f32::MIN_POSITIVE);
            mix.shares.iter_mut().zip(fitting).for_each(|(shares, share)| shares[cause] = share / sum);
            let of = |transport: Transport| mix.shares[transport.index()][cause];
            let code = of(Transport::HybridQr);
            let phone = code + of(Transport::HybridLinked);
            let any = phone + of(Transport::SecurityKey) + of(Transport::Platform);
            mix.code_before_proximity[cause] = code / phone.max(f32::MIN_POSITIVE);
            for (later, had) in mix.later.iter_mut().zip([code, phone, any]) {
                later[cause] = had / any.max(f32::MIN_POSITIVE);
            }
        }
        mix
    }
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

#[cfg(test)]
mod tests;
