//! Networks and countries of both devices.
//!
//! A relayed code is suspected where the phone took part and stands in another country and another network
//! than the initiator, or where the initiator spoke from three networks or more.

use authstitch_model::{AuthEvent, EventName, Flow, Phase, Side, phases};

use super::Progress;
use crate::feature::Place;

/// Networks of an initiator from which on its origin counts as many: a laptop seldom sees more than two
/// within one login.
const MANY_NETWORKS: usize = 3;

/// The places while events are read.
#[derive(Debug, Default)]
pub struct Places {
    /// What the devices say of themselves.
    own: Spots,
    /// The same, and what the server says of those who asked it: in `app_qr`, whose codes can be relayed.
    told: Spots,
}

/// Networks and countries of both devices.
#[derive(Debug, Default)]
struct Spots {
    networks: [Option<u64>; MANY_NETWORKS],
    phone_network: Option<u64>,
    country: Option<[u8; 2]>,
    phone_country: Option<[u8; 2]>,
}

impl Places {
    /// Notes where an event came from.
    #[inline]
    pub fn see(&mut self, flow: Flow, event: &AuthEvent) {
        if event.facts.network.is_some() || event.facts.country.is_some() {
            self.note(flow, event);
        }
    }

    fn note(&mut self, flow: Flow, event: &AuthEvent) {
        if phases::is_scanner(event) {
            return;
        }
        self.own.note(event.side, event);
        if flow == Flow::AppQr {
            self.told.note(asker(event), event);
        }
    }

    /// Compares what the devices say; `None` where either is unknown.
    pub fn compare(&self) -> Option<Place> {
        self.own.compare()
    }

    /// Whether the code looks relayed.
    pub fn relayed(&self, progress: &Progress) -> bool {
        let phone_took_part = progress.observed().last() >= Some(Phase::Scanned);
        let many = self.told.networks.iter().all(Option::is_some);
        let abroad = self.told.compare() == Some(Place::OtherCountry)
            && self.told.phone_network.is_none_or(|phone| !self.told.networks.contains(&Some(phone)));
        phone_took_part && (many || abroad)
    }
}

/// Whose request an event of a site's own QR login belongs to: the page asks for the challenge, and the phone posts
/// the result.
const fn asker(event: &AuthEvent) -> Side {
    match (event.side, event.name) {
        (Side::Server, EventName::ChallengeCreated | EventName::LinkSent) => Side::Initiator,
        (Side::Server, EventName::VerificationSucceeded | EventName::VerificationFailed) => {
            Side::Authenticator
        }
        (side, _) => side,
    }
}

impl Spots {
    fn note(&mut self, side: Side, event: &AuthEvent) {
        let (network, country) = (event.facts.network, event.facts.country);
        match side {
            Side::Initiator => {
                if let Some(network) = network
                    && !self.networks.contains(&Some(network))
                    && let Some(free) = self.networks.iter_mut().find(|known| known.is_none())
                {
                    *free = Some(network);
                }
                self.country = self.country.or(country);
            }
            Side::Authenticator => {
                self.phone_network = self.phone_network.or(network);
                self.phone_country = self.phone_country.or(country);
            }
            Side::Server => {}
        }
    }

    fn compare(&self) -> Option<Place> {
        let countries = self.country.zip(self.phone_country);
        if countries.is_some_and(|(initiator, phone)| initiator != phone) {
            return Some(Place::OtherCountry);
        }
        let phone = self.phone_network?;
        self.networks[0]?;
        Some(if self.networks.contains(&Some(phone)) { Place::Same } else { Place::OtherNetwork })
    }
}
