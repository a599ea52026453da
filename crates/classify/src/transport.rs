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

use crate::by_cause::{ByCause, add, multiply, sum};
use crate::evidence::Features;
use crate::tables::FlowTable;

/// What is left of a key's probability where its credential speaks against it: some keys hold such
/// credentials.
const KEY_DESPITE_CREDENTIAL: f32 = 0.1;

/// The probability of each transport given each cause and what was seen.
pub struct Transports([ByCause; Transport::COUNT]);

impl Transports {
    /// The mix of each cause, after the evidence.
    pub fn of(features: &Features, table: &FlowTable) -> Self {
        let mut mix = table.transport;
        let mut sums = [0.0_f32; Cause::COUNT];
        for transport in Transport::ALL {
            let likelihood = likelihood(features, *transport);
            for (share, sum) in mix[transport.index()].iter_mut().zip(&mut sums) {
                *share *= likelihood;
                *sum += *share;
            }
        }
        for line in &mut mix {
            for (share, sum) in line.iter_mut().zip(sums) {
                *share /= sum.max(f32::MIN_POSITIVE);
            }
        }
        Self(mix)
    }

    /// Given each cause and where it stopped, the probability that the ceremony had passed a phase before.
    pub fn passing(&self, phase: Phase, way: Way) -> ByCause {
        let mut passing = [1.0; Cause::COUNT];
        if way == Way::Scan {
            return passing;
        }
        let (mut through, mut all) = ([0.0; Cause::COUNT], [f32::MIN_POSITIVE; Cause::COUNT]);
        for transport in Transport::ALL.iter().filter(|transport| way.is_of(**transport)) {
            let shares = &self.0[transport.index()];
            add(&mut all, shares, 1.0);
            if passes(*transport, phase) {
                add(&mut through, shares, 1.0);
            }
        }
        for (passing, (through, all)) in passing.iter_mut().zip(through.iter().zip(all)) {
            *passing = through / all;
        }
        passing
    }

    /// The likeliest over all causes.
    pub fn verdict(&self, features: &Features, causes: &ByCause) -> TransportVerdict {
        let known = &features.authenticator;
        let seen = known.attachment == Some(Attachment::Platform) || known.scanned;
        let basis = if seen { Basis::Observed } else { Basis::Inferred };
        let mut likeliest = TransportVerdict { value: Transport::None, probability: -1.0, basis };
        for transport in Transport::ALL {
            let mut shares = self.0[transport.index()];
            multiply(&mut shares, causes);
            let probability = sum(&shares);
            if probability > likeliest.probability {
                likeliest = TransportVerdict { value: *transport, probability: probability.min(1.0), basis };
            }
        }
        likeliest
    }
}

/// How far a ceremony came, as far as that tells its transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the scan, or not so far.
    Scan,
    /// To proximity.
    Proximity,
    /// To an authenticator.
    Authenticator,
}

impl Way {
    /// How many there are.
    pub const COUNT: usize = 3;

    /// Every way.
    pub const ALL: [Self; Self::COUNT] = [Self::Scan, Self::Proximity, Self::Authenticator];

    /// The way to the phase that was not passed.
    pub const fn to(phase: Phase) -> Self {
        match phase {
            Phase::Started | Phase::Presented | Phase::Scanned | Phase::Opened => Self::Scan,
            Phase::Proximity => Self::Proximity,
            Phase::Prompted | Phase::Confirmed => Self::Authenticator,
            Phase::Verified | Phase::Returned | Phase::Established => Self::Authenticator,
        }
    }

    const fn is_of(self, transport: Transport) -> bool {
        match self {
            Self::Scan => matches!(transport, Transport::HybridQr),
            Self::Proximity => matches!(transport, Transport::HybridQr | Transport::HybridLinked),
            Self::Authenticator => !matches!(transport, Transport::None),
        }
    }
}

/// Whether a transport passes a hidden phase on its way.
pub const fn passes(transport: Transport, phase: Phase) -> bool {
    match phase {
        Phase::Presented | Phase::Scanned => matches!(transport, Transport::HybridQr),
        Phase::Proximity => matches!(transport, Transport::HybridQr | Transport::HybridLinked),
        Phase::Prompted => !matches!(transport, Transport::None),
        Phase::Started | Phase::Opened | Phase::Confirmed => true,
        Phase::Verified | Phase::Returned | Phase::Established => true,
    }
}

/// Whether a login over the likeliest transport needs a phase; a ceremony that reached no authenticator is
/// read as one that should have passed them all.
pub const fn requires(transport: Transport, phase: Phase) -> bool {
    matches!(transport, Transport::None) || passes(transport, phase)
}

fn likelihood(features: &Features, transport: Transport) -> f32 {
    let known = &features.authenticator;
    let phone = matches!(transport, Transport::HybridQr | Transport::HybridLinked);
    let key = transport == Transport::SecurityKey;
    let excluded = match known.attachment {
        Some(Attachment::Platform) => transport != Transport::Platform,
        Some(Attachment::CrossPlatform) => !(phone || key),
        None => false,
    };
    if excluded || (known.scanned && transport != Transport::HybridQr) || (known.only_key && phone) {
        return 0.0;
    }
    if key && known.no_key { KEY_DESPITE_CREDENTIAL } else { 1.0 }
}

#[cfg(test)]
mod tests;
