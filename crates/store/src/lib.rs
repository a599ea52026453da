//! Journeys and their keys in one SQLite file of the data directory.
//!
//! There is one writer, [`Store`], and any number of [`Reader`]s beside it, in this process or another.
//!
//! - A batch of changes and the position it brings the store to are one transaction: both are on disk when
//!   [`Store::apply`] returns, or neither is.
//! - The newest revision of a journey wins, whether it puts the journey or removes it. Applying a change again
//!   therefore changes nothing, and an old revision that comes late changes nothing.
//! - A row holds one revision and is never rewritten, but for a link to a forgotten journey: a new revision is a new row at
//!   the end, and the old row goes. Row numbers are never used twice, and some are passed over.
//! - What is stored of a journey is what was stitched and what was made of it, see `body.rs`. Its line, with the
//!   sentences of its explanation, is made when somebody reads it, by the function that opens the reader; queries see
//!   it as `journeys.line`. What queries choose and group by stands in columns beside it.
//! - Keys lie in one table for each [`caps::PARTITION_ROWS`] row numbers, so that random keys only ever touch a small
//!   tree. A key whose row is gone finds nothing; it goes with its partition, which ends by age, too.
//! - What is too old goes, oldest first, see `retire.rs`; what is forgotten leaves the files, see `forget.rs`; of both
//!   no copy stays, see `wipe.rs`.
//! - A journey that became part of another is found under its old id, too.
//! - A query reads and does nothing else, within bounds that do not depend on the clock.

mod batch;
mod body;
pub mod caps;
mod change;
mod error;
mod forget;
mod query;
mod reader;
mod retire;
mod schema;
mod store;
#[cfg(test)]
mod testing;
mod wipe;

pub use change::Change;
pub use error::StoreError;
pub use query::Table;
pub use reader::{Line, Lines, Reader};
pub use store::Store;
