//! Where the ids, keys and times stand in encoded OTLP: one walk over the protobuf fields, which reads nothing
//! else and copies nothing.

use std::ops::Range;

use authstitch_otlp::Signal;

/// What bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// A whole export request.
    Request(Signal),
    /// The records of one scope, each with its field number.
    Records(Signal),
}

/// Something that an instance replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Time { at: usize },
    Trace { at: usize, sampled: bool },
    Span { at: usize },
    Text { range: Range<usize>, key: TextKey },
}

/// What a text identifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum TextKey {
    Challenge,
    Code,
    Other,
}

impl Place {
    pub(super) const fn at(&self) -> usize {
        match self {
            Self::Time { at } | Self::Trace { at, .. } | Self::Span { at } => *at,
            Self::Text { range, .. } => range.start,
        }
    }
}

/// Tells all places to `found`, in their order but for a trace id, which waits for its span's end; `None` if
/// the bytes are no such message.
pub(super) fn places(level: Level, bytes: &[u8], found: &mut dyn FnMut(Place)) -> Option<()> {
    let mut walk = Walk { bytes, found };
    let all = 0..bytes.len();
    match level {
        Level::Request(signal) => walk.each(all, 1, |walk, resource| {
            walk.each(resource.clone(), 1, Walk::attributes_of_resource)?;
            walk.each(resource, 2, |walk, scope| walk.records(signal, scope))
        }),
        Level::Records(signal) => walk.records(signal, all),
    }
}

/// How many spans or log records there are in well-formed bytes.
pub(crate) fn records(level: Level, bytes: &[u8]) -> usize {
    let mut count = 0;
    let mut walk = Walk { bytes, found: &mut |_| {} };
    let mut scope = |walk: &mut Walk<'_>, scope| {
        walk.each(scope, 2, |_, _| {
            count += 1;
            Some(())
        })
    };
    let all = 0..bytes.len();
    let _ = match level {
        Level::Request(_) => {
            walk.each(all, 1, |walk, resource| walk.each(resource, 2, |walk, inner| scope(walk, inner)))
        }
        Level::Records(_) => scope(&mut walk, all),
    };
    count
}

struct Walk<'a> {
    bytes: &'a [u8],
    found: &'a mut dyn FnMut(Place),
}

/// A field's value.
enum Value {
    Fixed64 {
        at: usize,
    },
    Bytes(Range<usize>),
    /// A number that is no fixed one of 64 bits: nothing here is interested.
    Number,
}

impl Walk<'_> {
    /// Does something with every embedded message of this number.
    fn each(
        &mut self,
        within: Range<usize>,
        number: u64,
        mut then: impl FnMut(&mut Self, Range<usize>) -> Option<()>,
    ) -> Option<()> {
        self.fields(within, |walk, found, value| match value {
            Value::Bytes(range) if found == number => then(walk, range),
            _ => Some(()),
        })
    }

    fn fields(
        &mut self,
        within: Range<usize>,
        mut then: impl FnMut(&mut Self, u64, Value) -> Option<()>,
    ) -> Option<()> {
        let mut at = within.start;
        while at < within.end {
            let tag = varint(self.bytes, &mut at, within.end)?;
            let value = match tag & 7 {
                0 => {
                    varint(self.bytes, &mut at, within.end)?;
                    Value::Number
                }
                1 => {
                    at += 8;
                    Value::Fixed64 { at: at - 8 }
                }
                2 => {
                    let length = usize::try_from(varint(self.bytes, &mut at, within.end)?).ok()?;
                    let start = at;
                    at = at.checked_add(length)?;
                    Value::Bytes(start..at)
                }
                5 => {
                    at += 4;
                    Value::Number
                }
                _ => return None,
            };
            if at > within.end {
                return None;
            }
            then(self, tag >> 3, value)?;
        }
        Some(())
    }

    fn records(&mut self, signal: Signal, scope: Range<usize>) -> Option<()> {
        match signal {
            Signal::Traces => self.each(scope, 2, Self::span),
            Signal::Logs => self.each(scope, 2, Self::log_record),
        }
    }

    fn attributes_of_resource(&mut self, resource: Range<usize>) -> Option<()> {
        self.each(resource, 1, Self::attribute)
    }

    fn span(&mut self, span: Range<usize>) -> Option<()> {
        let (mut trace, mut sampled) = (None, false);
        self.fields(span, |walk, number, value| match (number, value) {
            (1, Value::Bytes(range)) if range.len() == 16 => {
                trace = Some(range.start);
                Some(())
            }
            (2 | 4, Value::Bytes(range)) => walk.span_id(&range),
            (3, Value::Bytes(range)) => {
                sampled = !range.is_empty();
                Some(())
            }
            (7 | 8, Value::Fixed64 { at }) => walk.time(at),
            (9, Value::Bytes(range)) => walk.attribute(range),
            (11, Value::Bytes(range)) => walk.span_event(range),
            (13, Value::Bytes(range)) => walk.link(range),
            _ => Some(()),
        })?;
        if let Some(at) = trace {
            (self.found)(Place::Trace { at, sampled });
        }
        Some(())
    }

    fn span_event(&mut self, event: Range<usize>) -> Option<()> {
        self.fields(event, |walk, number, value| match (number, value) {
            (1, Value::Fixed64 { at }) => walk.time(at),
            (3, Value::Bytes(range)) => walk.attribute(range),
            _ => Some(()),
        })
    }

    fn link(&mut self, link: Range<usize>) -> Option<()> {
        self.fields(link, |walk, number, value| match (number, value) {
            (1, Value::Bytes(range)) => walk.trace_id(&range),
            (2, Value::Bytes(range)) => walk.span_id(&range),
            (4, Value::Bytes(range)) => walk.attribute(range),
            _ => Some(()),
        })
    }

    fn log_record(&mut self, record: Range<usize>) -> Option<()> {
        self.fields(record, |walk, number, value| match (number, value) {
            (1 | 11, Value::Fixed64 { at }) => walk.time(at),
            (6, Value::Bytes(range)) => walk.attribute(range),
            (9, Value::Bytes(range)) => walk.trace_id(&range),
            (10, Value::Bytes(range)) => walk.span_id(&range),
            _ => Some(()),
        })
    }

    fn time(&mut self, at: usize) -> Option<()> {
        if self.bytes[at..at + 8] != [0; 8] {
            (self.found)(Place::Time { at });
        }
        Some(())
    }

    fn trace_id(&mut self, range: &Range<usize>) -> Option<()> {
        if range.len() == 16 {
            (self.found)(Place::Trace { at: range.start, sampled: false });
        }
        Some(())
    }

    fn span_id(&mut self, range: &Range<usize>) -> Option<()> {
        if range.len() == 8 {
            (self.found)(Place::Span { at: range.start });
        }
        Some(())
    }

    fn attribute(&mut self, attribute: Range<usize>) -> Option<()> {
        let (mut key, mut text) = (None, None);
        self.fields(attribute, |walk, number, value| match (number, value) {
            (1, Value::Bytes(range)) => {
                key = TextKey::of(&walk.bytes[range]);
                Some(())
            }
            (2, Value::Bytes(any)) => walk.each(any, 1, |_, range| {
                text = Some(range);
                Some(())
            }),
            _ => Some(()),
        })?;
        if let (Some(key), Some(range)) = (key, text) {
            (self.found)(Place::Text { range, key });
        }
        Some(())
    }
}

impl TextKey {
    /// What an attribute of this name identifies, if it is one that an instance replaces.
    fn of(name: &[u8]) -> Option<Self> {
        match name {
            b"auth.challenge.id" => Some(Self::Challenge),
            b"auth.code.id" => Some(Self::Code),
            b"log.record.uid" | b"session.id" => Some(Self::Other),
            b"auth.relying_party.id" => None,
            _ => (name.starts_with(b"auth.") && name.ends_with(b".id")).then_some(Self::Other),
        }
    }
}

fn varint(bytes: &[u8], at: &mut usize, end: usize) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at).filter(|_| *at < end)?;
        *at += 1;
        number |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return Some(number);
        }
    }
    None
}
