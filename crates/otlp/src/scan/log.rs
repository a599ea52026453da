//! `LogRecord`.

use super::{Fields, Odd, Row, Scan, fixed64, length, numbers};

/// A log record as it lies in the request. Severity and body are not looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Log<'a> {
    pub(crate) trace_id: &'a [u8],
    pub(crate) span_id: &'a [u8],
    pub(crate) event_name: &'a [u8],
    pub(crate) time: u64,
    pub(crate) observed: u64,
    pub(crate) attributes: Row<'a>,
}

const TIME: u32 = fixed64(1);
const SEVERITY: u32 = super::varint(2);
const BODY: u32 = length(5);
const ATTRIBUTE: u32 = length(6);
const TRACE_ID: u32 = length(9);
const SPAN_ID: u32 = length(10);
const OBSERVED: u32 = fixed64(11);
const EVENT_NAME: u32 = length(12);
const LOG: u32 = numbers([1, 2, 5, 6, 9, 10, 11, 12]);

impl<'a> Log<'a> {
    /// Reads a log record.
    #[inline]
    pub(crate) fn read(record: &'a [u8]) -> Scan<Self> {
        let mut read = Self::default();
        let mut fields = Fields::of(record);
        while let Some(tag) = fields.tag()? {
            match tag {
                ATTRIBUTE if read.attributes.is_empty() => read.attributes = fields.row(ATTRIBUTE)?,
                ATTRIBUTE => return Err(Odd),
                TIME => read.time = fields.fixed64()?,
                OBSERVED => read.observed = fields.fixed64()?,
                TRACE_ID => read.trace_id = fields.bytes()?,
                SPAN_ID => read.span_id = fields.bytes()?,
                EVENT_NAME => read.event_name = fields.text()?,
                BODY => drop(fields.bytes()?),
                SEVERITY => drop(fields.varint()?),
                other => fields.skip(other, LOG)?,
            }
        }
        Ok(read)
    }
}
