//! Rule 10: which attempts follow one another.

use authstitch_model::{JourneyId, KeyHash, KeyKind};
use authstitch_stitch::Change;

use super::{Attempt, Link, Oracle};

impl Oracle {
    /// Works out every link anew, and tells of the closed journeys whose links lead elsewhere.
    pub(super) fn link_all(&mut self, but: Option<JourneyId>, changes: &mut Vec<Change>) {
        let links: Vec<_> = self.attempts.iter().map(|attempt| self.links_of(attempt)).collect();
        for (attempt, (previous, next)) in self.attempts.iter_mut().zip(links) {
            (attempt.previous, attempt.next) = (previous, next);
        }
        let mut changed: Vec<_> = self
            .attempts
            .iter()
            .filter(|attempt| attempt.closed.is_some() && Some(attempt.id) != but)
            .filter(|attempt| attempt.told != attempt.names())
            .map(|attempt| (attempt.start(), attempt.id))
            .collect();
        changed.sort();
        for (_, id) in changed {
            self.tell(id, changes);
        }
    }

    pub(super) fn links_of(&self, attempt: &Attempt) -> (Option<Link>, Option<Link>) {
        let linking = |attempt: &Attempt| -> Vec<KeyHash> {
            let keys = attempt.keys.iter().chain(&attempt.weak);
            let linking = keys.filter(|(kind, _)| matches!(kind, KeyKind::Flow | KeyKind::Session));
            linking.map(|(_, key)| *key).collect()
        };
        let own = linking(attempt);
        let place = (attempt.start(), attempt.id);
        let around: Vec<_> = self
            .attempts
            .iter()
            .filter(|other| other.id != attempt.id && linking(other).iter().any(|key| own.contains(key)))
            .collect();
        let order = |other: &&&Attempt| (other.start(), other.id);
        let before = around.iter().filter(|other| order(other) < place).max_by_key(order).copied();
        let after = around.iter().filter(|other| order(other) > place).min_by_key(order).copied();
        let link =
            |to: &Attempt, gap| Link { to: to.id, gap, flow: to.flow(), start: to.start(), forgotten: false };
        let mut previous = before.map(|before| link(before, attempt.start().since(before.last())));
        let mut next = after.map(|after| link(after, after.start().since(attempt.last())));
        if let Some(gone) = attempt.previous.filter(|gone| gone.forgotten && gone.start <= attempt.start())
            && previous.is_none_or(|previous| gone.start >= previous.start)
        {
            previous = Some(gone);
        }
        if let Some(gone) = attempt.next.filter(|gone| gone.forgotten && gone.start >= attempt.start())
            && next.is_none_or(|next| gone.start <= next.start)
        {
            next = Some(gone);
        }
        (previous, next)
    }
}
