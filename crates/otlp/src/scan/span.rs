//! `Span`, its `Event`s and its `Status`.

use super::{Fields, Odd, Scan, fixed64, length, numbers, varint};

/// A span as it lies in the request, but for its attributes and events, which are lists of their own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span<'a> {
    pub(crate) trace_id: &'a [u8],
    pub(crate) span_id: &'a [u8],
    pub(crate) parent_span_id: &'a [u8],
    pub(crate) trace_state: &'a [u8],
    pub(crate) name: &'a [u8],
    pub(crate) kind: i32,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) status: Option<&'a [u8]>,
}

const TRACE_ID: u32 = length(1);
const SPAN_ID: u32 = length(2);
const TRACE_STATE: u32 = length(3);
const PARENT_SPAN_ID: u32 = length(4);
const NAME: u32 = length(5);
const KIND: u32 = varint(6);
const START: u32 = fixed64(7);
const END: u32 = fixed64(8);
const ATTRIBUTE: u32 = length(9);
const EVENT: u32 = length(11);
const STATUS: u32 = length(15);
const SPAN: u32 = numbers([1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 15]);

impl<'a> Span<'a> {
    /// Reads a span; its attributes and events are appended to the lists as they lie.
    #[inline]
    pub(crate) fn read(
        span: &'a [u8],
        attributes: &mut Vec<&'a [u8]>,
        events: &mut Vec<&'a [u8]>,
    ) -> Scan<Self> {
        let mut read = Self::default();
        let mut fields = Fields::of(span);
        while let Some(tag) = fields.tag()? {
            match tag {
                ATTRIBUTE => fields.list(ATTRIBUTE, attributes)?,
                TRACE_ID => read.trace_id = fields.bytes()?,
                SPAN_ID => read.span_id = fields.bytes()?,
                TRACE_STATE => read.trace_state = fields.text()?,
                PARENT_SPAN_ID => read.parent_span_id = fields.bytes()?,
                NAME => read.name = fields.text()?,
                KIND => read.kind = fields.varint()? as i32,
                START => read.start = fields.fixed64()?,
                END => read.end = fields.fixed64()?,
                EVENT => events.push(fields.bytes()?),
                STATUS if read.status.is_none() => read.status = Some(fields.bytes()?),
                STATUS => return Err(Odd),
                other => fields.skip(other, SPAN)?,
            }
        }
        Ok(read)
    }
}

/// A span event, but for its attributes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SpanEvent<'a> {
    pub(crate) time: u64,
    pub(crate) name: &'a [u8],
}

impl<'a> SpanEvent<'a> {
    /// Reads a span event; its attributes are appended to the list as they lie.
    pub(crate) fn read(event: &'a [u8], attributes: &mut Vec<&'a [u8]>) -> Scan<Self> {
        const TIME: u32 = fixed64(1);
        const NAME: u32 = length(2);
        const ATTRIBUTE: u32 = length(3);
        const EVENT: u32 = numbers([1, 2, 3]);
        let mut read = Self::default();
        let mut fields = Fields::of(event);
        while let Some(tag) = fields.tag()? {
            match tag {
                TIME => read.time = fields.fixed64()?,
                NAME => read.name = fields.text()?,
                ATTRIBUTE => fields.list(ATTRIBUTE, attributes)?,
                other => fields.skip(other, EVENT)?,
            }
        }
        Ok(read)
    }
}

/// A span's status: its message and its code.
pub(crate) fn status(status: &[u8]) -> Scan<(&[u8], i32)> {
    const MESSAGE: u32 = length(2);
    const CODE: u32 = varint(3);
    let (mut message, mut code) = (&[][..], 0);
    let mut fields = Fields::of(status);
    while let Some(tag) = fields.tag()? {
        match tag {
            MESSAGE => message = fields.text()?,
            CODE => code = fields.varint()? as i32,
            other => fields.skip(other, numbers([2, 3]))?,
        }
    }
    Ok((message, code))
}
