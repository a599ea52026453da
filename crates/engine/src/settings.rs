//! What decides beside the records, and the bytes in which a journal keeps it: what decided then has to decide again
//! when the records are read again.

use std::sync::Arc;

use authstitch_classify::Tables;
use authstitch_model::Completeness;
use serde::{Deserialize, Serialize};

use crate::StitchSettings;

/// Everything that decides beside the records.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How events become journeys.
    pub stitch: StitchSettings,
    /// How much telemetry arrives.
    pub completeness: Completeness,
    /// Likelihoods and priors.
    pub tables: Arc<Tables>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            stitch: StitchSettings::default(),
            completeness: Completeness::default(),
            tables: Tables::shipped(),
        }
    }
}

/// As written down: JSON, the tables as the text of their file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    stitch: StitchSettings,
    completeness: Completeness,
    tables: String,
}

impl Settings {
    /// The settings as bytes; equal ones have equal bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { stitch, completeness, tables } = self;
        let written =
            Written { stitch: *stitch, completeness: *completeness, tables: tables.text().to_string() };
        serde_json::to_vec(&written).expect("numbers and texts can always be written")
    }

    /// Reads the bytes.
    ///
    /// # Errors
    /// Why they are none, for a person.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let Written { stitch, completeness, tables } =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let tables = Tables::from_json(&tables).map_err(|problems| problems.to_string())?;
        Ok(Self { stitch, completeness, tables: Arc::new(tables) })
    }
}

#[cfg(test)]
mod tests {
    use authstitch_model::Millis;

    use super::*;

    #[test]
    fn settings_are_read_back_as_they_were() {
        let stitch = StitchSettings { hold: Millis(123), ..StitchSettings::default() };
        let completeness = Completeness { server_loss: 0.1, ..Completeness::default() };
        let settings = Settings { stitch, completeness, ..Settings::default() };
        let bytes = settings.to_bytes();
        let read = Settings::from_bytes(&bytes).unwrap();
        assert_eq!((read.stitch, read.completeness), (stitch, completeness));
        assert_eq!(read.tables, settings.tables);
        assert!(read.to_bytes() == bytes);
    }

    #[test]
    fn what_is_no_settings_is_refused() {
        for bytes in [&b""[..], b"{}", br#"{"stitch": 1, "completeness": 2, "tables": ""}"#] {
            assert!(Settings::from_bytes(bytes).is_err());
        }
    }
}
