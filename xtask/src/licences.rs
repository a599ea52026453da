//! The chore `licences`: holds the resolved dependency tree against deny.toml. It asks nobody: cargo has the
//! manifests of all dependencies already.

use std::fs;
use std::path::Path;

use cargo_metadata::{MetadataCommand, Package};

use crate::spdx::Expression;

/// Checks every dependency, of every platform, and sums up.
///
/// # Errors
/// Every dependency that breaks a rule, or what kept the chore from looking.
pub fn check(root: &Path) -> Result<String, String> {
    let path = root.join("deny.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let accepted = accepted(&text)?;
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .other_options(["--offline".to_owned()])
        .exec()
        .map_err(|error| format!("{error}\nhint: run `cargo fetch` once, then try again"))?;
    let mut problems: Vec<String> =
        metadata.packages.iter().flat_map(|package| problems(package, &accepted)).collect();
    problems.sort();
    if problems.is_empty() {
        Ok(format!("{} packages, all under {}", metadata.packages.len(), accepted.join(", ")))
    } else {
        problems.push(format!("accepted: {} (`licenses.allow` in deny.toml)", accepted.join(", ")));
        Err(problems.join("\n"))
    }
}

/// The list `licenses.allow`.
fn accepted(deny: &str) -> Result<Vec<String>, String> {
    let deny: toml::Table = deny.parse().map_err(|error| format!("deny.toml: {error}"))?;
    let list =
        deny.get("licenses").and_then(|licences| licences.get("allow")).and_then(toml::Value::as_array);
    let names = list.and_then(|list| list.iter().map(|name| name.as_str().map(str::to_owned)).collect());
    names.ok_or_else(|| "deny.toml: `licenses.allow` is not a list of licences".to_owned())
}

fn problems(package: &Package, accepted: &[String]) -> Vec<String> {
    let name = format!("{} {}", package.name, package.version);
    [licence_problem(package.license.as_deref(), accepted), source_problem(package)]
        .into_iter()
        .flatten()
        .map(|problem| format!("{name}: {problem}"))
        .collect()
}

fn licence_problem(licence: Option<&str>, accepted: &[String]) -> Option<String> {
    let Some(licence) = licence else { return Some("names no licence".into()) };
    match Expression::parse(licence) {
        Ok(expression) => {
            let known = |name: &str| accepted.iter().any(|known| known == name);
            (!expression.satisfied(&known)).then(|| format!("`{licence}` is not accepted"))
        }
        Err(error) => Some(format!("`{licence}` is no licence expression: {error}")),
    }
}

/// A package without a source lies in the workspace.
fn source_problem(package: &Package) -> Option<String> {
    let source = package.source.as_ref()?;
    (!source.is_crates_io()).then(|| format!("comes from {source}, not from crates.io"))
}

#[cfg(test)]
mod tests {
    use super::{accepted, licence_problem};

    #[test]
    fn the_list_of_deny_toml_is_read() {
        assert_eq!(accepted("[licenses]\nallow = [\"MIT\"]"), Ok(vec!["MIT".to_owned()]));
        assert!(accepted("[licenses]\nallow = [1]").is_err());
        assert!(accepted("[bans]").is_err());
    }

    #[test]
    fn a_problem_names_the_licence() {
        let mit = ["MIT".to_owned()];
        assert_eq!(licence_problem(Some("MIT OR GPL-3.0"), &mit), None);
        assert_eq!(licence_problem(None, &mit).as_deref(), Some("names no licence"));
        assert_eq!(licence_problem(Some("GPL-3.0"), &mit).as_deref(), Some("`GPL-3.0` is not accepted"));
        assert_eq!(
            licence_problem(Some("MIT OR"), &mit).as_deref(),
            Some("`MIT OR` is no licence expression: a licence is missing")
        );
    }
}
