//! Networks and countries of both devices.
//!
//! A relayed code is suspected where the phone took part and stands in another country and another network
//! than the initiator, or where the initiator spoke from three networks or more.

use authstitch_model::{AuthEvent, Phase, Side, phases};

use super::Progress;
use crate::feature::Place;

/// Networks of an initiator from which on its origin counts as many: a laptop seldom sees more than two
/// within one login.
const MANY_NETWORKS: usize = 3;

/// The places while events are read.
#[derive(Debug, Default)]
pub struct Places {
    networks: [Option<u64>; MANY_NETWORKS],
    phone_network: Option<u64>,
    country: Option<[u8; 2]>,
    phone_country: Option<[u8; 2]>,
}

impl Places {
    /// Notes where an event came from.
    pub fn see(&mut self, event: &AuthEvent) {
        let (network, country) = (event.facts.network, event.facts.country);
        match event.side {
            Side::Initiator => {
                if let Some(network) = network
                    && !self.networks.contains(&Some(network))
                    && let Some(free) = self.networks.iter_mut().find(|known| known.is_none())
                {
                    *free = Some(network);
                }
                self.country = self.country.or(country);
            }
            Side::Authenticator if !phases::is_scanner(event) => {
                self.phone_network = self.phone_network.or(network);
                self.phone_country = self.phone_country.or(country);
            }
            Side::Authenticator | Side::Server => {}
        }
    }

    /// Compares them; `None` where either is unknown.
    pub fn compare(&self) -> Option<Place> {
        let countries = self.country.zip(self.phone_country);
        if countries.is_some_and(|(initiator, phone)| initiator != phone) {
            return Some(Place::OtherCountry);
        }
        let phone = self.phone_network?;
        self.networks[0]?;
        Some(if self.networks.contains(&Some(phone)) { Place::Same } else { Place::OtherNetwork })
    }

    /// Whether the code looks relayed.
    pub fn relayed(&self, progress: &Progress) -> bool {
        let phone_took_part = progress.observed().last() >= Some(Phase::Scanned);
        let many = self.networks.iter().all(Option::is_some);
        let abroad = self.compare() == Some(Place::OtherCountry)
            && self.phone_network.is_none_or(|phone| !self.networks.contains(&Some(phone)));
        phone_took_part && (many || abroad)
    }
}
