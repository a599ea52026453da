//! Templates: encoded OTLP whose ids, keys and times are replaced in place.
//!
//! 1. Replaced are trace and span ids, the texts of `auth.*.id` attributes, of `session.id` and of
//!    `log.record.uid`, and times. Not replaced is `auth.relying_party.id`, which names a population.
//! 2. A fresh value is a pure function of (seed, number of the instance, old value): within one instance the
//!    same old value gives the same new one, wherever it stands.
//! 3. Everything keeps its length, and a text keeps its kind of characters (see [`fresh`]).
//! 4. A key that is the digest of another one in the same template stays its digest.
//! 5. A trace that a sampler announced keeps its last seven bytes, which the sampler has looked at.
//! 6. A time that is zero says nothing and stays.

pub(crate) mod fresh;
mod places;

use std::collections::HashMap;

use authstitch_model::UnixNanos;
use authstitch_model::key::{challenge_digest, code_digest};

use crate::caps;
use crate::stack::hex;
use fresh::{Fresh, Kind};
pub(crate) use places::{Level, records};
use places::{Place, TextKey, places};

/// Encoded OTLP, and what of it differs from instance to instance.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    patches: Vec<Patch>,
}

/// Old values by their kind, each with its number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    numbers: HashMap<Old, u32>,
    /// What is known of each, by its number.
    known: Vec<Known>,
    /// Of every digest, as hex: what it would be the digest of.
    digests: HashMap<String, (u32, TextKey)>,
}

/// An old value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Old {
    Trace([u8; 16]),
    Span([u8; 8]),
    Text(String),
}

/// What is known of an old value.
#[derive(Clone, Debug)]
enum Known {
    Plain,
    /// A trace that a sampler announced.
    Sampled,
    /// The text whose digest this value is.
    DigestOf {
        text: Box<[u8]>,
        number: u32,
        key: TextKey,
    },
}

/// Bytes that differ from instance to instance.
#[derive(Clone, Copy, Debug)]
struct Patch {
    at: u32,
    /// The number of the old value; nothing for times.
    id: u32,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Time,
    Trace,
    /// All of a trace id but its last seven bytes.
    TraceHead,
    Span,
    Text {
        length: u16,
        kind: Kind,
    },
    Digest,
}

/// Why bytes are no template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTemplate {
    /// They are not the protobuf message that they should be.
    Malformed,
    /// They are too long, or hold too many different ids.
    TooLarge,
}

impl Ids {
    /// Takes note of the ids in these bytes. All bytes of an instance must be noted before the first of them
    /// becomes a template, for what is said of a value in one place holds in all.
    pub(crate) fn note(&mut self, level: Level, bytes: &[u8]) -> Result<(), NoTemplate> {
        let mut too_many = false;
        places(level, bytes, &mut |place| {
            let known = if matches!(place, Place::Trace { sampled: true, .. }) {
                Known::Sampled
            } else {
                Known::Plain
            };
            let Some(old) = Old::at(bytes, &place) else { return };
            too_many |= self.known.len() >= caps::TEMPLATE_IDS;
            let next = self.known.len() as u32;
            let number = *self.numbers.entry(old.clone()).or_insert(next);
            if number < next {
                if matches!(known, Known::Sampled) {
                    self.known[number as usize] = known;
                }
                return;
            }
            self.known.push(known);
            if let (Old::Text(text), Place::Text { key, .. }) = (old, place)
                && let Some(digest) = key.digest(text.as_bytes()).map(hex)
                && digest != text
            {
                self.digests.insert(digest, (number, key));
            }
        })
        .ok_or(NoTemplate::Malformed)?;
        if too_many { Err(NoTemplate::TooLarge) } else { Ok(()) }
    }

    /// Settles which values are digests of others.
    pub(crate) fn settle(&mut self) {
        let texts = self.numbers.iter().filter_map(|(old, number)| match old {
            Old::Text(text) => Some((*number, text)),
            Old::Trace(_) | Old::Span(_) => None,
        });
        let texts: HashMap<u32, &String> = texts.collect();
        for (digest, (of, key)) in std::mem::take(&mut self.digests) {
            if let (Some(number), Some(text)) = (self.numbers.get(&Old::Text(digest)), texts.get(&of)) {
                let text = text.as_bytes().into();
                self.known[*number as usize] = Known::DigestOf { text, number: of, key };
            }
        }
    }

    /// The template of bytes that were noted.
    pub(crate) fn template(&self, level: Level, bytes: Vec<u8>) -> Result<Template, NoTemplate> {
        u32::try_from(bytes.len()).map_err(|_| NoTemplate::TooLarge)?;
        let mut patches = Vec::new();
        places(level, &bytes, &mut |place| patches.extend(self.patch(&bytes, &place)))
            .ok_or(NoTemplate::Malformed)?;
        patches.shrink_to_fit();
        Ok(Template { bytes, patches })
    }

    fn patch(&self, bytes: &[u8], place: &Place) -> Option<Patch> {
        let at = place.at() as u32;
        if let Place::Time { .. } = place {
            return Some(Patch { at, id: 0, what: What::Time });
        }
        let id = *self.numbers.get(&Old::at(bytes, place)?)?;
        let what = match (place, &self.known[id as usize]) {
            (Place::Trace { .. }, Known::Sampled) => What::TraceHead,
            (Place::Trace { .. }, _) => What::Trace,
            (Place::Text { .. }, Known::DigestOf { .. }) => What::Digest,
            (Place::Text { range, .. }, _) => {
                let text = &bytes[range.clone()];
                What::Text { length: u16::try_from(text.len()).ok()?, kind: Kind::of(text) }
            }
            _ => What::Span,
        };
        Some(Patch { at, id, what })
    }

    /// What became of a trace id.
    pub(crate) fn fresh_trace(&self, fresh: Fresh, old: [u8; 16]) -> [u8; 16] {
        let mut trace = old;
        if let Some(id) = self.numbers.get(&Old::Trace(old)) {
            let kept = if matches!(self.known[*id as usize], Known::Sampled) { 9 } else { 16 };
            trace[..kept].copy_from_slice(&fresh.trace(*id)[..kept]);
        }
        trace
    }

    /// What became of a span id.
    pub(crate) fn fresh_span(&self, fresh: Fresh, old: [u8; 8]) -> [u8; 8] {
        self.numbers.get(&Old::Span(old)).map_or(old, |id| fresh.span(*id))
    }

    /// What became of a `log.record.uid`.
    pub(crate) fn fresh_uid(&self, fresh: Fresh, old: &str) -> String {
        let mut text = old.as_bytes().to_vec();
        if let Some(id) = self.numbers.get(&Old::Text(old.to_owned())) {
            fresh.text(*id, Kind::of(old.as_bytes()), &mut text);
        }
        String::from_utf8(text).unwrap_or_default()
    }
}

impl Old {
    fn at(bytes: &[u8], place: &Place) -> Option<Self> {
        match place {
            Place::Trace { at, .. } => Some(Self::Trace(bytes.get(*at..at + 16)?.try_into().ok()?)),
            Place::Span { at } => Some(Self::Span(bytes.get(*at..at + 8)?.try_into().ok()?)),
            Place::Text { range, .. } => {
                Some(Self::Text(str::from_utf8(bytes.get(range.clone())?).ok()?.to_owned()))
            }
            Place::Time { .. } => None,
        }
    }
}

impl TextKey {
    /// The digest that clients may send in place of such a key.
    fn digest(self, text: &[u8]) -> Option<[u8; 16]> {
        match self {
            Self::Challenge => Some(challenge_digest(str::from_utf8(text).ok()?)),
            Self::Code => Some(code_digest(str::from_utf8(text).ok()?)),
            Self::Other => None,
        }
    }
}

impl Template {
    /// Its length, and that of every instance.
    pub(crate) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The middle one of its times; `None` if it has none.
    pub(crate) fn middle_time(&self) -> Option<UnixNanos> {
        let times = self.patches.iter().filter(|patch| matches!(patch.what, What::Time));
        let mut times: Vec<_> =
            times.map(|patch| read_time(&self.bytes[patch.at as usize..patch.at as usize + 8])).collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied().map(UnixNanos)
    }

    /// Appends one instance: with fresh ids and keys, and times moved by so many nanoseconds.
    pub(crate) fn instance(&self, ids: &Ids, fresh: Fresh, moved_by: i64, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        let bytes = &mut out[start..];
        for patch in &self.patches {
            let at = patch.at as usize;
            match patch.what {
                What::Time => {
                    let time = &mut bytes[at..at + 8];
                    let moved = read_time(time).saturating_add_signed(moved_by);
                    time.copy_from_slice(&moved.to_le_bytes());
                }
                What::Trace => bytes[at..at + 16].copy_from_slice(&fresh.trace(patch.id)),
                What::TraceHead => bytes[at..at + 9].copy_from_slice(&fresh.trace(patch.id)[..9]),
                What::Span => bytes[at..at + 8].copy_from_slice(&fresh.span(patch.id)),
                What::Text { length, kind } => {
                    fresh.text(patch.id, kind, &mut bytes[at..at + usize::from(length)]);
                }
                What::Digest => {
                    if let Known::DigestOf { text, number, key } = &ids.known[patch.id as usize] {
                        let mut text = text.to_vec();
                        fresh.text(*number, Kind::of(&text), &mut text);
                        let digest = hex(key.digest(&text).unwrap_or_default());
                        bytes[at..at + 32].copy_from_slice(digest.as_bytes());
                    }
                }
            }
        }
    }
}

fn read_time(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |time, byte| time << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests;
