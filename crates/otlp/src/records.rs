//! Walks a request and picks out the events.
//!
//! - A record is an event if its name is: a span's name or its attribute `auth.event`; a span event's name; a
//!   log record's event name, or its attribute `event.name` or `auth.event`.
//! - It counts as ours only with our schema URL (of its scope or resource), `auth.flow`, or an `auth.*.id`:
//!   the names alone may be anybody's.
//! - A span may be an event and carry events; all of them count.
//! - A span that is a result reports at its end, any other at its start.
//! - A record of ours that is broken is rejected alone; the good events of its span stay. Other records are
//!   skipped without a look at their ids and times.

use std::cell::Cell;

use authstitch_model::{AuthEvent, EventName, SCHEMA_URL_PREFIX};

use crate::attributes::{Attr, Attributes, Level, find};
use crate::caps;
use crate::emitter::{Descriptions, Emitter};
use crate::event::{self, Record};
use crate::hashes::Hashes;
use crate::mapping::{EventRule, Mapping};
use crate::realm::Realms;
use crate::reject::{Reason, Reject, log_origin, span_origin, time};
use crate::scan::log::Log;
use crate::scan::span::{self, Span, SpanEvent};
use crate::scan::{Fields, Odd, Row, Scan, length, numbers};
use crate::{Signal, Tally};

#[cfg(test)]
mod tests;

// Requests of both signals have the same shape: resources, in each of them scopes, in each of them records.
const RESOURCE_LIST: u32 = length(1);
const RESOURCE: u32 = length(1);
const SCOPE_LIST: u32 = length(2);
const SCOPE: u32 = length(1);
const RECORD_LIST: u32 = length(2);
const SCHEMA_URL: u32 = length(3);

/// Appends the events of a request, or says that it is not in the usual form.
pub(crate) fn walk(
    signal: Signal,
    request: &[u8],
    mapping: &Mapping,
    events: &mut Vec<AuthEvent>,
) -> Scan<Tally> {
    let mut walk = Walk::new(mapping, events);
    let mut place = Place { signal, resource: 0, scope: 0, record: 0, event: None };
    let mut fields = Fields::of(request);
    while let Some(tag) = fields.tag()? {
        if tag == RESOURCE_LIST {
            walk.resource(fields.bytes()?, place)?;
            place.resource += 1;
        } else {
            fields.skip(tag, numbers([1]))?;
        }
    }
    Ok(walk.out.tally)
}

/// Whether the scope or the resource of a record has our schema URL. It stands behind the records and is looked for
/// only when somebody asks, for then the records come into the cache once and not twice.
struct Schema<'a> {
    scope: &'a [u8],
    of_resource: bool,
    known: Cell<Option<bool>>,
}

impl<'a> Schema<'a> {
    const fn of(scope: &'a [u8], of_resource: bool) -> Self {
        Self { scope, of_resource, known: Cell::new(None) }
    }

    fn is_ours(&self) -> Scan<bool> {
        if let Some(known) = self.known.get() {
            return Ok(known);
        }
        let (mut url, mut fields) = (&[][..], Fields::of(self.scope));
        while let Some(tag) = fields.tag()? {
            match tag {
                SCHEMA_URL => url = fields.text()?,
                other => fields.skip(other, 0)?,
            }
        }
        let is_ours = self.of_resource || is_ours(url);
        self.known.set(Some(is_ours));
        Ok(is_ours)
    }
}

fn is_ours(schema_url: &[u8]) -> bool {
    schema_url.starts_with(SCHEMA_URL_PREFIX.as_bytes())
}

/// Where a record stands in its request, for messages about it.
#[derive(Clone, Copy)]
struct Place {
    signal: Signal,
    resource: usize,
    scope: usize,
    record: usize,
    event: Option<usize>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { signal, resource, scope, record, event } = self;
        match signal {
            Signal::Traces => write!(f, "resource_spans[{resource}].scope_spans[{scope}].spans[{record}]"),
            Signal::Logs => write!(f, "resource_logs[{resource}].scope_logs[{scope}].log_records[{record}]"),
        }?;
        event.map_or(Ok(()), |event| write!(f, ".events[{event}]"))
    }
}

/// The span that a record is, or stands in.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'r, 'a> {
    pub(crate) span: &'r Span<'a>,
    /// Its attributes in force.
    pub(crate) attributes: Attributes<'r, 'a>,
}

/// What the record at hand and the event in it say, and the events made so far.
struct Walk<'m, 'a> {
    mapping: &'m Mapping,
    own: Level<'a>,
    inner: Level<'a>,
    out: Output<'m, 'a>,
}

/// The events made so far, and what is remembered to make the next.
struct Output<'m, 'a> {
    mapping: &'m Mapping,
    realms: Realms<'m>,
    descriptions: Descriptions<'a>,
    hashes: Hashes<'a>,
    events: &'m mut Vec<AuthEvent>,
    tally: Tally,
}

impl<'m, 'a> Walk<'m, 'a> {
    fn new(mapping: &'m Mapping, events: &'m mut Vec<AuthEvent>) -> Self {
        let out = Output {
            mapping,
            realms: Realms::new(mapping),
            descriptions: Descriptions::default(),
            hashes: Hashes::of(mapping.realm_rule().only().clone(), mapping.secret()),
            events,
            tally: Tally::default(),
        };
        Self { mapping, own: Level::new(), inner: Level::new(), out }
    }

    /// A resource and all that it emitted.
    fn resource(&mut self, resource: &'a [u8], mut place: Place) -> Scan<()> {
        let (mut emitted_by, mut schema_url, mut fields) = (None, &[][..], Fields::of(resource));
        while let Some(tag) = fields.tag()? {
            match tag {
                RESOURCE if emitted_by.is_none() => emitted_by = Some(fields.bytes()?),
                RESOURCE => return Err(Odd),
                SCHEMA_URL => schema_url = fields.text()?,
                other => fields.skip(other, numbers([1, 3]))?,
            }
        }
        let emitter = Emitter::read(emitted_by.unwrap_or_default(), self.mapping)?;
        self.out.realms.leave_resource();
        self.out.descriptions.leave_resource();
        let mut fields = Fields::of(resource);
        while let Some(tag) = fields.tag()? {
            if tag == SCOPE_LIST {
                self.scope(&Schema::of(fields.bytes()?, is_ours(schema_url)), &emitter, place)?;
                place.scope += 1;
            } else {
                fields.skip(tag, numbers([2]))?;
            }
        }
        Ok(())
    }

    /// The records of a scope.
    fn scope(&mut self, schema: &Schema<'a>, emitter: &Emitter<'a>, mut place: Place) -> Scan<()> {
        let mut fields = Fields::of(schema.scope);
        while let Some(tag) = fields.tag()? {
            match tag {
                RECORD_LIST => {
                    let record = fields.bytes()?;
                    self.out.tally.records += 1;
                    match place.signal {
                        Signal::Traces => self.span(record, emitter, schema, place)?,
                        Signal::Logs => self.log(record, emitter, schema, place)?,
                    }
                    place.record += 1;
                }
                SCOPE => drop(fields.bytes()?),
                SCHEMA_URL => drop(fields.text()?),
                other => fields.skip(other, numbers([1, 2, 3]))?,
            }
        }
        Ok(())
    }

    fn span(
        &mut self,
        bytes: &'a [u8],
        emitter: &Emitter<'a>,
        schema: &Schema<'a>,
        place: Place,
    ) -> Scan<()> {
        let (mut span, mut fields) = Span::head(bytes)?;
        let mut own = self.mapping.event(span.name);
        // An event's attributes are read where they are found; of other spans only one name among them is.
        let read = own.is_some() && fields.at(span::ATTRIBUTE);
        if read {
            span.attributes = self.own.read_at(&mut fields, span::ATTRIBUTE, self.mapping)?;
        }
        span.rest(fields)?;
        if own.is_none() {
            own = match self.mapping.event(span.name) {
                None => self.named_by(span.attributes, Attr::Event)?,
                named => named,
            };
            if own.is_none() && !self.any_is_event(span.events)? {
                return Ok(());
            }
        }
        if !read {
            self.own.read(span.attributes, self.mapping)?;
        }
        let attributes = Attributes::new(&self.own, &emitter.level);
        let origin = span_origin(&span);
        let record = |rule, origin, time, duration| Record {
            rule,
            levels: [span.attributes, Row::default(), emitter.raw],
            attributes,
            origin,
            time,
            observed: None,
            duration,
            around: Some(Surroundings { span: &span, attributes }),
            emitter,
        };
        let mut rejected = None;
        if let Some(rule) = own
            && (attributes.marked_ours() || schema.is_ours()?)
        {
            let times = || -> Result<_, Reject<'_>> {
                let start = time("start_time_unix_nano", span.start)?;
                let end = time("end_time_unix_nano", span.end)?;
                Ok((origin?, start, end))
            };
            match times() {
                Ok((origin, start, end)) => {
                    let time = if rule.name.is_result() { end } else { start };
                    let duration = (start <= end).then(|| end.since(start));
                    self.out.append(&record(rule, origin, time, duration))?;
                }
                Err(reject) => {
                    rejected = rejected.or(Some(reject.reason()));
                    self.out.note(place, rule.name, reject);
                }
            }
        }
        let mut appended = 0;
        for (index, event) in span.events.into_iter().enumerate() {
            let event = SpanEvent::read(event)?;
            let Some(rule) = self.mapping.event(event.name) else { continue };
            self.inner.read(event.attributes, self.mapping)?;
            let attributes = attributes.within(&self.inner);
            if !attributes.marked_ours() && !schema.is_ours()? {
                continue;
            }
            let checked = || {
                if appended == caps::EVENTS_PER_SPAN {
                    return Err(Reject::TooManyEvents);
                }
                Ok((origin?, time("time_unix_nano", event.time)?))
            };
            match checked() {
                Ok((origin, time)) => {
                    appended += 1;
                    self.out.append(&Record {
                        levels: [event.attributes, span.attributes, emitter.raw],
                        attributes,
                        ..record(rule, origin, time, None)
                    })?;
                }
                Err(reject) => {
                    rejected = rejected.or(Some(reject.reason()));
                    self.out.note(Place { event: Some(index), ..place }, rule.name, reject);
                }
            }
        }
        if let Some(reason) = rejected {
            self.out.reject(reason);
        }
        Ok(())
    }

    fn log(&mut self, bytes: &'a [u8], emitter: &Emitter<'a>, schema: &Schema<'a>, place: Place) -> Scan<()> {
        let log = Log::read(bytes)?;
        let mut named = self.mapping.event(log.event_name);
        for attr in [Attr::EventName, Attr::Event] {
            if named.is_none() {
                named = self.named_by(log.attributes, attr)?;
            }
        }
        let Some(rule) = named else { return Ok(()) };
        self.own.read(log.attributes, self.mapping)?;
        let attributes = Attributes::new(&self.own, &emitter.level);
        if !attributes.marked_ours() && !schema.is_ours()? {
            return Ok(());
        }
        let checked = || -> Result<_, Reject<'_>> {
            let origin = log_origin(&log)?;
            let time = match log.time {
                0 => time("observed_time_unix_nano, as time_unix_nano is 0,", log.observed),
                sent => time("time_unix_nano", sent),
            };
            Ok((origin, time?))
        };
        match checked() {
            Ok((origin, happened)) => self.out.append(&Record {
                rule,
                levels: [log.attributes, Row::default(), emitter.raw],
                attributes,
                origin,
                time: happened,
                observed: time("observed_time_unix_nano", log.observed).ok(),
                duration: None,
                around: None,
                emitter,
            })?,
            Err(reject) => {
                self.out.reject(reject.reason());
                self.out.note(place, rule.name, reject);
            }
        }
        Ok(())
    }

    /// The event that an attribute of a record names.
    fn named_by(&self, attributes: Row<'a>, attr: Attr) -> Scan<Option<EventRule>> {
        let name = find(attributes, attr, self.mapping)?;
        Ok(name.and_then(|name| self.mapping.event(name)))
    }

    /// Whether any event of a span is one of ours by its name.
    fn any_is_event(&self, events: Row<'a>) -> Scan<bool> {
        for event in events {
            if self.mapping.event(SpanEvent::read(event)?.name).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl<'a> Output<'_, 'a> {
    fn append(&mut self, record: &Record<'_, 'a>) -> Scan<()> {
        let realm = self.realms.of(&record.levels, record.attributes.own_realm())?;
        let (descriptions, hashes) = (&mut self.descriptions, &mut self.hashes);
        event::append(record, realm, descriptions, hashes, self.mapping, self.events)?;
        self.tally.events += 1;
        Ok(())
    }

    /// Counts a record that was rejected.
    fn reject(&mut self, reason: Reason) {
        self.tally.rejected += 1;
        self.tally.reasons[reason.index()] += 1;
    }

    /// Says why the first rejected record was.
    fn note(&mut self, place: Place, name: EventName, reject: Reject<'_>) {
        self.tally.message.get_or_insert_with(|| format!("{place} ({name}): {reject}"));
    }
}
