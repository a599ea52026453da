//! Writes a message so that it means the same and looks like nothing an exporter would send.

use crate::scan::Fields;

/// The messages whose fields are messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    LogsRequest,
    Resources,
    LogsResources,
    Resource,
    Scope,
    LogsScope,
    Span,
    SpanEvent,
    Status,
    Log,
    Attribute,
    Value,
    Array,
    Map,
}

impl Kind {
    /// What a field of it holds, where that is a message.
    const fn field(self, number: u32) -> Option<Self> {
        Some(match (self, number) {
            (Self::Request, 1) => Self::Resources,
            (Self::LogsRequest, 1) => Self::LogsResources,
            (Self::Resources | Self::LogsResources, 1) => Self::Resource,
            (Self::Resources, 2) => Self::Scope,
            (Self::LogsResources, 2) => Self::LogsScope,
            (Self::Scope, 2) => Self::Span,
            (Self::LogsScope, 2) => Self::Log,
            (Self::Resource, 1)
            | (Self::Span, 9)
            | (Self::SpanEvent, 3)
            | (Self::Log, 6)
            | (Self::Map, 1) => Self::Attribute,
            (Self::Span, 11) => Self::SpanEvent,
            (Self::Span, 15) => Self::Status,
            (Self::Attribute, 2) | (Self::Array, 1) => Self::Value,
            (Self::Value, 5) => Self::Array,
            (Self::Value, 6) => Self::Map,
            _ => return None,
        })
    }

    /// Whether several of one field are one message in pieces.
    const fn is_in_pieces(self, number: u32) -> bool {
        matches!(
            (self, number),
            (Self::Resources | Self::LogsResources, 1) | (Self::Span, 15) | (Self::Attribute, 2)
        )
    }
}

/// The message written anew, by chance.
pub(super) fn unusual(message: &[u8], kind: Kind, chance: u64) -> Vec<u8> {
    Writer { chance: chance | 1 }.message(message, kind)
}

struct Writer {
    chance: u64,
}

impl Writer {
    fn one_in(&mut self, many: u64) -> bool {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        self.chance.is_multiple_of(many)
    }

    fn message(&mut self, message: &[u8], kind: Kind) -> Vec<u8> {
        let mut parts: Vec<(u32, Vec<u8>)> = Vec::new();
        let mut fields = Fields::of(message);
        while let Some(tag) = fields.tag().unwrap() {
            let number = tag >> 3;
            let payload = match tag & 7 {
                0 => self.number(fields.varint().unwrap()),
                1 => fields.fixed64().unwrap().to_le_bytes().to_vec(),
                _ => {
                    let bytes = fields.bytes().unwrap();
                    let bytes = match kind.field(number) {
                        None => bytes.to_vec(),
                        Some(inner) => {
                            let inner = self.message(bytes, inner);
                            if kind.is_in_pieces(number) && self.one_in(8) {
                                parts.push((number, self.field(tag, &[0])));
                            }
                            inner
                        }
                    };
                    let mut payload = self.number(bytes.len() as u64);
                    payload.extend(bytes);
                    payload
                }
            };
            parts.push((number, self.field(tag, &payload)));
            if self.one_in(8) {
                let stranger = self.stranger();
                parts.push((number, stranger));
            }
        }
        // The order of the fields means nothing, but for fields of one number and of one oneof.
        if kind != Kind::Value {
            for place in 1..parts.len() {
                if parts[place - 1].0 != parts[place].0 && self.one_in(3) {
                    parts.swap(place - 1, place);
                }
            }
        }
        parts.into_iter().flat_map(|(_, part)| part).collect()
    }

    fn field(&mut self, tag: u32, payload: &[u8]) -> Vec<u8> {
        [self.number(u64::from(tag)), payload.to_vec()].concat()
    }

    /// A number, at times with needless bytes.
    fn number(&mut self, number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut left = number;
        while left >= 0x80 {
            bytes.push(left as u8 | 0x80);
            left >>= 7;
        }
        bytes.push(left as u8);
        if bytes.len() < 4 && self.one_in(16) {
            *bytes.last_mut().unwrap() |= 0x80;
            bytes.push(0);
        }
        bytes
    }

    /// A field that nobody knows, of any type.
    fn stranger(&mut self) -> Vec<u8> {
        const NUMBER: u32 = 1000;
        let (tag, payload): (u32, &[u8]) = match self.chance % 5 {
            0 => (NUMBER << 3, &[0x96, 0x01]),
            1 => (NUMBER << 3 | 1, &[7; 8]),
            2 => (NUMBER << 3 | 2, &[3, 1, 2, 3]),
            3 => (NUMBER << 3 | 5, &[7; 4]),
            // A group with a field in it, and its end.
            _ => (NUMBER << 3 | 3, &[0x08, 0x01, 0xc4, 0x3e]),
        };
        self.field(tag, payload)
    }
}
