//! Forgetting in a data directory in which no server works: the parts are put together, but nothing is received.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use authstitch_journal::Durability;
use authstitch_store::Store;
use tokio::task::spawn_blocking;

use super::{Forgotten, Wanted};
use crate::caps;
use crate::clock::Clock;
use crate::data_dir::{self, DataDir};
use crate::error::StartError;
use crate::log::Log;
use crate::parts::{OnDisk, Parts};
use crate::settings::{Journal, Settings, days};

/// Forgets what is known under a key in a data directory in which no server works: a journey id, or the raw value of any
/// key, in the realm that is named or in every one.
///
/// Nothing is received meanwhile, no time goes on, and what decides stays what it was.
///
/// # Errors
/// If there is no such directory, somebody works in it, or it cannot be done, or not all of it.
pub async fn forget(data_dir: &Path, key: &str, realm: Option<&str>) -> Result<Forgotten, StartError> {
    let there = data_dir.join("secret").is_file();
    let nothing = || StartError::NothingThere { path: data_dir.to_owned() };
    let data = there.then(|| DataDir::open(data_dir)).ok_or_else(nothing)??;
    let secret = data_dir::secret_of(data_dir)?;
    let store =
        Store::is_in(data_dir).then(|| Store::open(data_dir)).transpose().map_err(StartError::Store)?;
    let durability = match data_dir.join("journal").is_dir() {
        true => Durability::Fsync,
        false => Durability::None,
    };
    let mut settings = Settings::default();
    // A segment as small as can be, and room for it whatever the server's bound.
    settings.journal = Journal {
        durability,
        segment_bytes: caps::SMALL_SEGMENT_BYTES,
        disk_bytes: 1 << 50,
        ..settings.journal
    };
    settings.retention = days(caps::RETENTION_DAYS_MOST);
    let counters = Arc::default();
    let disk = OnDisk { data: Some(data), store, secret };
    let (parts, threads, _) =
        Parts::running(settings, Clock::System, counters, None, disk, Log::none()).await?;
    let wanted = Wanted { key: key.to_owned(), realm: realm.map(str::to_owned) };
    let done = parts.sequencer.forget(&parts.forgetting, wanted).await;
    parts.stopping.store(true, Ordering::Release);
    let stopped = parts.sequencer.stop().await;
    let joined = spawn_blocking(|| threads.into_iter().try_for_each(JoinHandle::join)).await;
    let panicked = || StartError::Forgetting("a thread panicked".to_owned());
    joined.map_err(|_panic| panicked())?.map_err(|_panic| panicked())?;
    let done = done.map_err(StartError::Forgetting)?;
    stopped.map_err(StartError::Forgetting)?;
    Ok(done)
}
