//! From what a person has in hand to journeys: a journey's id, or the raw value of any key.
//!
//! - What reads as a journey id and names a stored journey is that journey.
//! - Anything else is hashed as every kind of key it could be, in the realm that is named, or in every realm
//!   that the store holds.
//! - The answer holds every journey once, the latest first.

use std::fmt;
use std::path::Path;

use authstitch_model::line::JourneyLine;
use authstitch_model::{JourneyId, KeyHash, KeyKind, Secret};
use authstitch_store::{Reader, StoreError};

use crate::caps;
use crate::data_dir;
use crate::error::StartError;

/// The kinds of keys that people have in hand. A trace id is shown with each journey and is no key of the
/// store.
const KINDS: [KeyKind; 5] =
    [KeyKind::Journey, KeyKind::Challenge, KeyKind::Code, KeyKind::Flow, KeyKind::Session];

/// Why nothing could be looked up.
#[derive(Debug)]
#[non_exhaustive]
pub enum FindError {
    /// The data directory's secret cannot be read.
    Secret(StartError),
    /// The store cannot be read.
    Store(StoreError),
}

impl fmt::Display for FindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Secret(error) => Some(error),
            Self::Store(error) => Some(error),
        }
    }
}

/// Finds the journeys of a key in the store of a data directory.
///
/// # Errors
/// If the directory's secret or the store cannot be read.
pub fn find(reader: &Reader, data_dir: &Path, key: &str) -> Result<Vec<JourneyLine>, FindError> {
    let secret = data_dir::secret_of(data_dir).map_err(FindError::Secret)?;
    find_with(reader, &secret, key, None).map_err(FindError::Store)
}

/// As [`find`], with the secret in hand, and in one realm if it is named.
pub(crate) fn find_with(
    reader: &Reader,
    secret: &Secret,
    key: &str,
    realm: Option<&str>,
) -> Result<Vec<JourneyLine>, StoreError> {
    let key = key.trim();
    if let Some(id) = JourneyId::parse(key)
        && let Some(line) = reader.journey(id)?
    {
        return Ok(vec![line]);
    }
    let realms = match realm {
        Some(realm) => vec![realm.to_owned()],
        None => realms(reader)?,
    };
    let mut found: Vec<JourneyLine> = Vec::new();
    for realm in &realms {
        for hash in hashes(secret, realm, key) {
            found.extend(reader.by_key(hash)?);
        }
    }
    found.sort_by_key(|line| std::cmp::Reverse((line.started_at, line.journey_id)));
    found.dedup_by_key(|line| line.journey_id);
    Ok(found)
}

/// The hashes of a raw value as every kind of key that people have in hand.
pub(crate) fn hashes(secret: &Secret, realm: &str, key: &str) -> impl Iterator<Item = KeyHash> {
    KINDS.iter().filter_map(move |kind| secret.key(realm, *kind, key))
}

/// The realms that a store knows.
pub(crate) fn realms(reader: &Reader) -> Result<Vec<String>, StoreError> {
    let sql = format!("SELECT DISTINCT realm FROM journeys LIMIT {}", caps::REALMS);
    let rows = reader.query(&sql)?.rows;
    Ok(rows.iter().filter_map(|row| Some(row.first()?.as_str()?.to_owned())).collect())
}
