//! What was made of the emitters met so far, over all requests: browsers and servers are few, requests are many.
//! What is kept changes no event; it saves reading the same user agent again, and lets all events of one emitter
//! share one environment.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::caps;
use crate::emitter::Described;

/// Descriptions by everything that they were made of.
#[derive(Debug, Default)]
pub(crate) struct Emitters(Mutex<HashMap<Box<[u8]>, Described>>);

impl Emitters {
    /// The description made of these bytes, if there is one.
    pub(crate) fn get(&self, made_of: &[u8]) -> Option<Described> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(made_of).cloned()
    }

    /// Keeps a description. At the bound everything is forgotten and learnt anew.
    pub(crate) fn keep(&self, made_of: &[u8], described: &Described) {
        if made_of.len() > caps::EMITTER_BYTES {
            return;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() == caps::EMITTERS_KEPT {
            known.clear();
        }
        known.insert(made_of.into(), described.clone());
    }
}
