//! The durable log of what was accepted: events, ticks and settings, each with its place and its receipt time; and the
//! place of the snapshots that shorten it.
//!
//! - There is one writer, [`Journal`]. It gives each record its position and keeps receipt times from going back.
//!   Records are gathered in a batch; a commit writes the batch as one frame and waits for the disk. What a commit
//!   promised is read back after any crash, in order, once, byte for byte.
//! - What a record needs of the disk is there when it is taken into the batch. A full disk, or the bound that the
//!   journal has, refuses it there, before anything is written.
//! - A write or sync that fails ends it: nothing is taken or promised until the journal is opened anew, since nobody
//!   knows what is on the disk.
//! - A write that broke off is told from damage, see `walk.rs`. Damaged parts are set aside and counted, what stands
//!   behind them is read, and the journal opens; see `recovery.rs`.
//! - A segment goes when the snapshots that are kept and every sink are past it, see `snapshot.rs`.
//! - Events can be erased from all that is kept, see `erase.rs`.
//! - A frame is decoded by itself; entries are written as `codec.rs` says.
//!
//! No clock is read here, and no thread started. What is written to is behind [`disk::Disk`], so that tests can crash it
//! at every step.

mod batch;
mod bytes;
pub mod caps;
mod codec;
pub mod disk;
mod entries;
mod entry;
mod erase;
mod error;
mod frame;
mod head;
mod journal;
mod recovery;
mod snapshot;
mod walk;

#[cfg(test)]
mod tests;

pub use codec::{Flaw, read as read_entries};
pub use disk::{Directory, Disk};
pub use entries::Entries;
pub use entry::{Body, Entry, Setting};
pub use erase::Erased;
pub use error::{EraseError, OpenError, Poisoned, ReadError, Refused, SnapshotError};
pub use frame::Header;
pub use head::{NoHead, SnapshotHead, read_snapshot};
pub use journal::{Durability, Journal, Settings, Stamp};
pub use recovery::{Part, Recovery, Report, Snapshot};
pub use snapshot::{SnapshotWriter, Written};
pub use walk::{Walk, walk};
