//! Programs of others that a test can use where they are installed.

use std::path::PathBuf;

/// A program of others: the one that `variable` names, else the first of these names that is on PATH.
///
/// Where there is none the test says that it leaves out what needs it; with `AUTHSTITCH_REQUIRE_EXTERNAL=1`, as in CI, it
/// fails.
///
/// # Panics
/// If there is none, and it is required.
#[must_use]
pub fn external(variable: &str, names: &[&str]) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = || {
        let files = names.iter().flat_map(|name| std::env::split_paths(&path).map(move |dir| dir.join(name)));
        files.into_iter().find(|file| file.is_file())
    };
    let found = named.or_else(on_path);
    if found.is_none() {
        let missing = format!("none of {} is on PATH, and {variable} names none", names.join(", "));
        let required = std::env::var("AUTHSTITCH_REQUIRE_EXTERNAL").is_ok_and(|value| value == "1");
        assert!(!required, "{missing}; AUTHSTITCH_REQUIRE_EXTERNAL=1 requires it: install it");
        println!("left out: {missing}");
    }
    found
}
