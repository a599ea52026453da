//! What one of many senders may use of a public listener at once, so that no client address and no origin takes
//! what is there for all.
//!
//! A sender stands in the table as long as it uses something; an IPv6 address counts as its network of 64 bits, as
//! one customer has it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::caps;
use crate::refusal::Refusal;
use crate::settings::Share;

/// Who shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sender {
    /// A client address, or the network it counts as.
    Address(IpAddr),
    /// One of the origins that are listed, by its place.
    Origin(usize),
}

impl Sender {
    /// The sender behind an address.
    pub(crate) fn at(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            }
            address => address,
        })
    }
}

/// The bounds, and who uses what.
#[derive(Debug)]
pub(crate) struct Shares {
    pub per_address: Share,
    pub per_origin: Share,
    used: Mutex<HashMap<Sender, Used>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Used {
    connections: usize,
    requests: usize,
    bytes: usize,
}

impl Shares {
    pub(crate) fn new(per_address: Share, per_origin: Share) -> Arc<Self> {
        Arc::new(Self { per_address, per_origin, used: Mutex::default() })
    }

    /// One more connection of an address, until what comes back is dropped; nothing, if it has its share.
    pub(crate) fn connect(self: &Arc<Self>, sender: Sender) -> Option<Connected> {
        self.take(sender, Used { connections: 1, ..Used::default() })
            .then(|| Connected(Arc::clone(self), sender))
    }

    /// Takes more, unless that passes a bound.
    fn take(&self, sender: Sender, more: Used) -> bool {
        let bound = match sender {
            Sender::Address(_) => self.per_address,
            Sender::Origin(_) => self.per_origin,
        };
        let mut table = self.used();
        if table.len() >= caps::SENDERS && !table.contains_key(&sender) {
            return false;
        }
        let used = table.get(&sender).copied().unwrap_or_default();
        let sum = Used {
            connections: used.connections + more.connections,
            requests: used.requests + more.requests,
            bytes: used.bytes.saturating_add(more.bytes),
        };
        let fits = sum.connections <= bound.connections
            && sum.requests <= bound.requests_in_flight
            && sum.bytes <= bound.bytes;
        if fits {
            table.insert(sender, sum);
        }
        fits
    }

    /// Gives back.
    fn give(&self, sender: Sender, less: Used) {
        if let Entry::Occupied(mut entry) = self.used().entry(sender) {
            let used = entry.get_mut();
            used.connections = used.connections.saturating_sub(less.connections);
            used.requests = used.requests.saturating_sub(less.requests);
            used.bytes = used.bytes.saturating_sub(less.bytes);
            if *used == Used::default() {
                entry.remove();
            }
        }
    }

    fn used(&self) -> MutexGuard<'_, HashMap<Sender, Used>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection of an address.
#[derive(Debug)]
pub(crate) struct Connected(Arc<Shares>, Sender);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.give(self.1, Used { connections: 1, ..Used::default() });
    }
}

/// Who sent a request: an address, and an origin if it names one.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    shares: Arc<Shares>,
    senders: [Option<Sender>; 2],
}

impl Party {
    pub(crate) fn new(shares: &Arc<Shares>, address: Sender, origin: Option<Sender>) -> Self {
        Self { shares: Arc::clone(shares), senders: [Some(address), origin] }
    }

    /// One more request in flight, until it is ended.
    pub(crate) fn begin(&self) -> Result<(), Refusal> {
        self.take(Used { requests: 1, ..Used::default() }, "requests in flight")
    }

    /// A request was answered.
    pub(crate) fn end(&self) {
        self.give(Used { requests: 1, ..Used::default() });
    }

    /// Holds so many more bytes.
    pub(crate) fn hold(&self, bytes: usize) -> Result<(), Refusal> {
        self.take(Used { bytes, ..Used::default() }, "bytes waiting to be judged")
    }

    /// Holds so many bytes less.
    pub(crate) fn release(&self, bytes: usize) {
        self.give(Used { bytes, ..Used::default() });
    }

    fn take(&self, more: Used, what: &str) -> Result<(), Refusal> {
        for (nth, sender) in self.senders.iter().enumerate() {
            let Some(sender) = sender else { continue };
            if !self.shares.take(*sender, more) {
                for taken in self.senders[..nth].iter().flatten() {
                    self.shares.give(*taken, more);
                }
                let who = match sender {
                    Sender::Address(_) => "client address",
                    Sender::Origin(_) => "origin",
                };
                return Err(Refusal::Overloaded(format!("this {who} has its share of {what}; send again")));
            }
        }
        Ok(())
    }

    fn give(&self, less: Used) {
        for sender in self.senders.iter().flatten() {
            self.shares.give(*sender, less);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Share = Share { connections: 1, requests_in_flight: 1, bytes: 10 };
    const MORE: Share = Share { connections: 2, requests_in_flight: 2, bytes: 15 };

    fn address(last: u8) -> Sender {
        Sender::at(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn an_address_and_an_origin_have_their_shares_and_the_table_is_empty_again() {
        let shares = Shares::new(ONE, MORE);
        let from = |last| Party::new(&shares, address(last), Some(Sender::Origin(0)));
        let (first, second, third) = (from(1), from(2), from(3));
        first.begin().unwrap();
        assert!(first.begin().is_err(), "the address has its share");
        second.begin().unwrap();
        let refused = third.begin().unwrap_err();
        assert!(refused.is_retryable(), "the origin has its share: {refused:?}");
        first.hold(10).unwrap();
        assert!(first.hold(1).is_err() && second.hold(6).is_err());
        second.hold(5).unwrap();
        first.end();
        third.begin().unwrap();
        let connected = shares.connect(address(1)).unwrap();
        assert!(shares.connect(address(1)).is_none() && shares.connect(address(2)).is_some());
        second.end();
        third.end();
        first.release(10);
        second.release(5);
        drop(connected);
        assert!(shares.used().is_empty(), "{:?}", shares.used());
    }

    #[test]
    fn the_table_is_bounded() {
        let shares = Shares::new(ONE, ONE);
        let parties = (0..caps::SENDERS as u32)
            .map(|nth| Party::new(&shares, Sender::at(IpAddr::from(nth.to_be_bytes())), None));
        let parties: Vec<_> = parties.inspect(|party| party.begin().unwrap()).collect();
        let one_more = Party::new(&shares, Sender::Origin(0), None);
        assert!(one_more.begin().is_err());
        parties[0].hold(1).unwrap();
        parties[0].release(1);
        parties[0].end();
        one_more.begin().unwrap();
    }

    #[test]
    fn an_ipv6_network_is_one_sender_and_a_mapped_address_is_that_of_ipv4() {
        let at = |text: &str| Sender::at(text.parse().unwrap());
        assert_eq!(at("2001:db8:1:2::3"), at("2001:db8:1:2:ffff::4"));
        assert_ne!(at("2001:db8:1:2::3"), at("2001:db8:1:3::3"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
        assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
    }
}
