//! What several targets check.

use authstitch_model::document::{Problem, Problems};

/// Bytes of one problem, whatever the text: what it quotes is cut, and lists of what is accepted are known.
const PROBLEM_BYTES: usize = 4096;

/// A document that is refused is told why, and each problem is short.
pub fn assert_short(Problems(problems): Problems) {
    assert!(!problems.is_empty());
    for Problem { path, message } in problems {
        assert!(path.len() + message.len() < PROBLEM_BYTES, "{} and {} bytes", path.len(), message.len());
    }
}
