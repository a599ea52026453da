//! Where a login stops: at one of its phases, or nowhere.

use authstitch_model::Phase;

/// One number for each phase at which a login can stop, by [`Phase::index`], then those of [`NOWHERE`] and
/// [`BEHIND`].
pub type ByStop = [f32; STOPS];

/// How many there are.
pub const STOPS: usize = Phase::COUNT + 2;

/// The place of going through to the end.
pub const NOWHERE: usize = Phase::COUNT;

/// The place of stopping at none that is left, for all that a cause can stop lies behind.
pub const BEHIND: usize = Phase::COUNT + 1;
