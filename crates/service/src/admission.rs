//! Who may come in: bytes and requests in flight are bounded, and what does not fit is turned away before it
//! has a position, with the advice to come again.
//!
//! A request is charged for the bytes it holds as they arrive, then for its unpacked body, then for the
//! events that came of it, until the engine has taken them. The last charge may pass the bound, by no more
//! than the requests that were let in; what comes next is turned away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::refusal::Refusal;
use crate::shares::Party;

/// The bounds, and how much of them is used.
#[derive(Debug)]
pub(crate) struct Admission {
    bytes: AtomicUsize,
    bytes_bound: usize,
    requests: AtomicUsize,
    requests_bound: usize,
}

impl Admission {
    pub(crate) fn new(bytes_bound: usize, requests_bound: usize) -> Arc<Self> {
        Arc::new(Self {
            bytes: AtomicUsize::new(0),
            bytes_bound,
            requests: AtomicUsize::new(0),
            requests_bound,
        })
    }

    /// Lets one more request in, until its [`Slot`] is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Slot, Refusal> {
        self.enter_with(None)
    }

    /// As [`Self::enter`]; a request that came through a public door must fit into its party's share, too.
    pub(crate) fn enter_with(self: &Arc<Self>, party: Option<Party>) -> Result<Slot, Refusal> {
        if !grow(&self.requests, 1, self.requests_bound) {
            let bound = self.requests_bound;
            return Err(Refusal::Overloaded(format!("{bound} requests are in flight; send again")));
        }
        let mut slot = Slot { admission: Arc::clone(self), party: None };
        if let Some(party) = party {
            party.begin()?;
            slot.party = Some(party);
        }
        Ok(slot)
    }

    /// Requests in flight.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// Bytes in use.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// Adds to a gauge, unless that passes its bound.
fn grow(gauge: &AtomicUsize, more: usize, bound: usize) -> bool {
    let add = |used: usize| used.checked_add(more).filter(|used| *used <= bound);
    gauge.try_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok()
}

/// One request in flight.
#[derive(Debug)]
pub(crate) struct Slot {
    admission: Arc<Admission>,
    party: Option<Party>,
}

impl Slot {
    /// A charge for what this request will hold; it may outlive the request.
    pub(crate) fn charge(&self) -> Charge {
        let party = self.party.clone().map(|party| (party, 0));
        Charge { admission: Arc::clone(&self.admission), party, bytes: 0 }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.admission.requests.fetch_sub(1, Ordering::Relaxed);
        if let Some(party) = &self.party {
            party.end();
        }
    }
}

/// Bytes held, given back when dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    admission: Arc<Admission>,
    /// Whom it burdens, too, and with how many bytes.
    party: Option<(Party, usize)>,
    bytes: usize,
}

impl Charge {
    /// Holds more bytes, if the bounds allow.
    pub(crate) fn add(&mut self, more: usize) -> Result<(), Refusal> {
        if let Some((party, held)) = &mut self.party {
            party.hold(more)?;
            *held += more;
        }
        if !grow(&self.admission.bytes, more, self.admission.bytes_bound) {
            let bound = self.admission.bytes_bound;
            return Err(Refusal::Overloaded(format!("{bound} bytes are waiting to be judged; send again")));
        }
        self.bytes += more;
        Ok(())
    }

    /// Holds exactly so many bytes from now on, bound or not. Its party is burdened with no more than before.
    pub(crate) fn settle(&mut self, bytes: usize) {
        self.admission.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.admission.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        if let Some((party, held)) = &mut self.party {
            let left = bytes.min(*held);
            party.release(*held - left);
            *held = left;
        }
        self.bytes = bytes;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.settle(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Share;
    use crate::shares::{Sender, Shares};

    #[test]
    fn requests_are_bounded() {
        let admission = Admission::new(10, 2);
        let first = admission.enter().unwrap();
        let _second = admission.enter().unwrap();
        assert!(admission.enter().is_err());
        drop(first);
        assert!(admission.enter().is_ok());
    }

    #[test]
    fn bytes_are_bounded_until_they_are_settled() {
        let admission = Admission::new(10, 2);
        let slot = admission.enter().unwrap();
        let mut charge = slot.charge();
        charge.add(4).unwrap();
        charge.add(6).unwrap();
        assert!(charge.add(1).unwrap_err().is_retryable());
        assert!(slot.charge().add(usize::MAX).is_err());
        charge.settle(30);
        assert_eq!(admission.bytes(), 30);
        drop(slot);
        drop(charge);
        assert_eq!(admission.bytes(), 0);
    }

    #[test]
    fn a_party_is_burdened_until_its_bytes_are_gone_and_with_no_more_than_it_sent() {
        let share = Share { connections: 1, requests_in_flight: 1, bytes: 10 };
        let shares = Shares::new(share, share);
        let party = Party::new(&shares, Sender::at([192, 0, 2, 1].into()), None);
        let admission = Admission::new(100, 3);
        let slot = admission.enter_with(Some(party.clone())).unwrap();
        assert!(admission.enter_with(Some(party.clone())).is_err());
        let (mut first, mut second) = (slot.charge(), slot.charge());
        first.add(8).unwrap();
        assert!(second.add(3).unwrap_err().is_retryable());
        second.add(2).unwrap();
        // Its eight bytes became more: that is not its doing, nor does it get more back than it was burdened with.
        first.settle(50);
        drop(first);
        assert!(second.add(9).is_err());
        second.add(8).unwrap();
        drop(slot);
        drop(admission.enter_with(Some(party.clone())).unwrap());
        drop(second);
        party.hold(10).unwrap();
        assert_eq!(admission.bytes(), 0);
    }
}
