//! `Span`, its `Event`s and its `Status`.

use super::{Fields, Odd, Row, Scan, fixed64, length, numbers, varint};

/// A span as it lies in the request.
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
    pub(crate) attributes: Row<'a>,
    pub(crate) events: Row<'a>,
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
pub(crate) const ATTRIBUTE: u32 = length(9);
const EVENT: u32 = length(11);
const STATUS: u32 = length(15);
const SPAN: u32 = numbers([1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 15]);

impl<'a> Span<'a> {
    /// Reads a span up to its attributes, and says what stands behind. Encoders write the fields in the order of
    /// their numbers, so those that most spans have are asked for one after the other; what lies otherwise is left
    /// for [`Self::rest`].
    #[inline]
    pub(crate) fn head(span: &'a [u8]) -> Scan<(Self, Fields<'a>)> {
        let mut read = Self::default();
        let mut fields = Fields::of(span);
        if fields.at(TRACE_ID) {
            read.trace_id = fields.bytes()?;
        }
        if fields.at(SPAN_ID) {
            read.span_id = fields.bytes()?;
        }
        if fields.at(PARENT_SPAN_ID) {
            read.parent_span_id = fields.bytes()?;
        }
        if fields.at(NAME) {
            read.name = fields.text()?;
        }
        if fields.at(KIND) {
            read.kind = fields.varint()? as i32;
        }
        if fields.at(START) {
            read.start = fields.fixed64()?;
        }
        if fields.at(END) {
            read.end = fields.fixed64()?;
        }
        Ok((read, fields))
    }

    /// Reads what the head left. The name may have been acted upon, so it does not come twice.
    #[inline]
    pub(crate) fn rest(&mut self, mut fields: Fields<'a>) -> Scan<()> {
        while let Some(tag) = fields.tag()? {
            match tag {
                ATTRIBUTE if self.attributes.is_empty() => self.attributes = fields.row(ATTRIBUTE)?,
                TRACE_ID => self.trace_id = fields.bytes()?,
                SPAN_ID => self.span_id = fields.bytes()?,
                TRACE_STATE => self.trace_state = fields.text()?,
                PARENT_SPAN_ID => self.parent_span_id = fields.bytes()?,
                NAME if self.name.is_empty() => self.name = fields.text()?,
                KIND => self.kind = fields.varint()? as i32,
                START => self.start = fields.fixed64()?,
                END => self.end = fields.fixed64()?,
                EVENT if self.events.is_empty() => self.events = fields.row(EVENT)?,
                STATUS if self.status.is_none() => self.status = Some(fields.bytes()?),
                ATTRIBUTE | NAME | EVENT | STATUS => return Err(Odd),
                other => fields.skip(other, SPAN)?,
            }
        }
        Ok(())
    }
}

/// A span event as it lies in the request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SpanEvent<'a> {
    pub(crate) time: u64,
    pub(crate) name: &'a [u8],
    pub(crate) attributes: Row<'a>,
}

impl<'a> SpanEvent<'a> {
    /// Reads a span event.
    pub(crate) fn read(event: &'a [u8]) -> Scan<Self> {
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
                ATTRIBUTE if read.attributes.is_empty() => read.attributes = fields.row(ATTRIBUTE)?,
                ATTRIBUTE => return Err(Odd),
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
