//! A world by its name, or from a file.

use std::path::Path;
use std::sync::Arc;

use authstitch_model::{Secret, document};
use authstitch_otlp::Mapping;
use authstitch_simulate::{SHIPPED, VARIANTS, World};

use crate::failure::{Failure, While};

/// The shipped world of this name, else the world file at this path.
pub fn load(name: &str) -> Result<World, Failure> {
    let (text, source) = match World::shipped(name) {
        Some(text) => (text.to_owned(), format!("the shipped world `{name}`")),
        None if Path::new(name).is_file() => {
            (std::fs::read_to_string(name).cannot(format!("read {name}"))?, name.to_owned())
        }
        None => {
            let shipped: Vec<_> = SHIPPED.iter().map(|(name, _)| *name).collect();
            return Err(Failure::usage(format!("`{name}` is neither a shipped world nor a file"))
                .hint(format!("shipped worlds: {}", shipped.join(", "))));
        }
    };
    World::from_yaml(&text).map_err(|problems| Failure::usage(format!("{source} has mistakes\n{problems}")))
}

/// Every world that is part of the program, variants last.
pub fn all() -> Result<Vec<Arc<World>>, Failure> {
    SHIPPED.iter().chain(VARIANTS).map(|(name, _)| load(name).map(Arc::new)).collect()
}

/// The mapping for a world's telemetry: what keeps its realms apart, under the public secret.
pub fn mapping(world: &World) -> Mapping {
    let document = serde_json::json!({ "realm": { "attributes": world.realm_attributes() } });
    document::read(&document, |fields| Mapping::read(fields, Secret::PUBLIC))
        .unwrap_or_else(|_| Mapping::new(Secret::PUBLIC))
}
