//! AuthEvents → Journeys. Pure, bounded, deterministic; time is an argument.
//!
//! An *attempt* is one try of one person; a *journey* is what the stitcher makes of its events. The rules, in
//! the order in which they are asked:
//!
//! 1. **Strong keys.** Events that share a journey, challenge or code key belong to one journey, with precedence
//!    in that order. Two different journey keys never meet in one journey; what would join them is counted as a
//!    key conflict, once for each journey and key, and the event follows its key of highest precedence that leads
//!    to a journey that may have it.
//! 2. **Containers.** A container (an identity server's flow) holds attempts one after another. A journey or
//!    challenge value new to it starts the next attempt, unless the attempt at that time has no strong key yet:
//!    then it is that one's. An event with nothing stronger than the container waits as under rule 4, then goes
//!    to the latest attempt started by its time, else to the next to start, else founds one, which the page's own
//!    coming and going never does. A result after a failed result, or anything over 10 s after a terminal event,
//!    goes to the next attempt; a beginning (methods offered or chosen, a challenge, a ceremony, a code, a link)
//!    already right after a terminal event or the end of its page, here and in rule 4.
//! 3. **Codes rotate.** A code that comes with a journey, challenge or container key is bound to that journey; a
//!    journey that had nothing but the code is part of it. A key that would link more than 8 journeys while it is
//!    bound is poisoned: it is no key any more, and counted. Of two keys that meet, the weaker is the one that
//!    links.
//! 4. **Weak keys.** An event with only a session or a trace waits 6 s of receipt time. Then the journeys that
//!    hold one of its weak keys through an event of their own are candidates, if they span its time: from 2 s
//!    before their start to their last event and idle time, at most 10 s after a terminal event. It joins the
//!    one with the latest start at or before it, else the next to start; if another one started within 2 s of
//!    that one, neither (counted). A key under which more than 8 journeys are open says nothing. If no candidate
//!    is there and events of its trace that wait, itself among them, hold one that can found a journey, it founds
//!    one. Else it is an orphan (counted).
//! 5. **Duplicates** are dropped and counted: the same identity among events that are kept or wait.
//! 6. **Closing** is by receipt time: 10 s after a terminal event, else after the flow's idle time, which an
//!    announced lifetime and a browser's own limit can lengthen and a page that went away shortens to 60 s;
//!    at the greatest age in any case.
//! 7. **Late events.** A closed journey keeps its state for the reopen window; an event that comes by then
//!    gives a new revision. Afterwards its journey, challenge and still living code keys stay as tombstones: a
//!    start event on one begins a new journey, anything else is counted as too late, unless another of its keys
//!    leads to a journey, or it is a code beside a new key of higher precedence: a value that came again.
//! 8. **Merging.** If two journeys turn out to be one, the older id survives. A journey that its trace founded
//!    is absorbed by another one of that trace whose time overlaps.
//! 9. **Clocks.** Each side's offset is estimated from what must have happened before what, see [`clock`].
//! 10. **Retries.** Attempts of one session or container that follow each other are linked; the earlier one
//!     gets a new revision for it if it has closed.
//! 11. **Bounds.** Everything is bounded, see `caps.rs`. At the bound of journeys those that only wait for late
//!     events go first, then the oldest is closed as evicted.
//! 12. **Forgetting.** On request a journey leaves for good, without a word and without tombstones, see `forget.rs`.
//!
//! No result depends on the order of a hash map or of a slab: timers fire by (deadline, kind, id), candidates
//! are chosen by (start, id), and everything else follows from the order of events, see [`order`].

mod blocks;
mod candidates;
mod caps;
mod carried;
pub mod clock;
mod closed;
mod counters;
mod emit;
mod fingerprints;
mod forget;
mod hold;
mod index;
mod interned;
mod journeys;
mod keys;
mod links;
mod live;
mod merge;
mod oldest;
pub mod order;
mod pack;
mod pool;
mod settings;
mod snapshot;
mod span;
mod stitcher;
mod strong;
mod timers;
mod tombstones;
mod waiting;

pub use counters::{Counters, TooLate};
pub use settings::{FlowTimes, Settings};
pub use snapshot::SnapshotError;
pub use stitcher::Stitcher;

use authstitch_model::{Journey, JourneyId};

/// What the stitcher says.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A journey closed, or a closed one learnt something: a new revision.
    Closed(Box<Journey>),
    /// Two journeys are one: this one, already told of, is no more.
    Merged {
        /// The one that is no more.
        journey: JourneyId,
        /// Its final revision.
        revision: u32,
        /// The one that took its place.
        into: JourneyId,
    },
}
