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

use authstitch_model::{AuthEvent, EventName, SCHEMA_URL_PREFIX};

use crate::Tally;
use crate::attributes::{Attr, find};
use crate::caps;
use crate::emitter::Emitter;
use crate::event::{Record, event};
use crate::mapping::{EventRule, Mapping};
use crate::realm::Realms;
use crate::reject::{Reject, log_origin, span_origin, time};
use crate::wire::{KeyValue, LogRecord, LogsRequest, Span, TracesRequest};

#[cfg(test)]
mod tests;

/// Appends the events of a traces request.
pub(crate) fn traces(request: &TracesRequest, mapping: &Mapping, events: &mut Vec<AuthEvent>) -> Tally {
    let mut walk = Walk::new(mapping, events);
    for (resource, resource_spans) in request.resource_spans.iter().enumerate() {
        let emitter = Emitter::new(resource_spans.resource.as_ref(), mapping);
        for (scope, scope_spans) in resource_spans.scope_spans.iter().enumerate() {
            let by_schema = is_ours(&scope_spans.schema_url) || is_ours(&resource_spans.schema_url);
            for (index, span) in scope_spans.spans.iter().enumerate() {
                let place = || format!("resource_spans[{resource}].scope_spans[{scope}].spans[{index}]");
                walk.span(span, &emitter, by_schema, place);
            }
        }
    }
    walk.tally
}

/// Appends the events of a logs request.
pub(crate) fn logs(request: &LogsRequest, mapping: &Mapping, events: &mut Vec<AuthEvent>) -> Tally {
    let mut walk = Walk::new(mapping, events);
    for (resource, resource_logs) in request.resource_logs.iter().enumerate() {
        let emitter = Emitter::new(resource_logs.resource.as_ref(), mapping);
        for (scope, scope_logs) in resource_logs.scope_logs.iter().enumerate() {
            let by_schema = is_ours(&scope_logs.schema_url) || is_ours(&resource_logs.schema_url);
            for (index, record) in scope_logs.log_records.iter().enumerate() {
                let place = || format!("resource_logs[{resource}].scope_logs[{scope}].log_records[{index}]");
                walk.log(record, &emitter, by_schema, place);
            }
        }
    }
    walk.tally
}

fn is_ours(schema_url: &str) -> bool {
    schema_url.starts_with(SCHEMA_URL_PREFIX)
}

struct Walk<'m> {
    mapping: &'m Mapping,
    realms: Realms<'m>,
    events: &'m mut Vec<AuthEvent>,
    tally: Tally,
}

impl<'m> Walk<'m> {
    fn new(mapping: &'m Mapping, events: &'m mut Vec<AuthEvent>) -> Self {
        Self { mapping, realms: Realms::new(mapping), events, tally: Tally::default() }
    }

    fn span(&mut self, span: &Span, emitter: &Emitter<'_>, by_schema: bool, place: impl Fn() -> String) {
        self.tally.records += 1;
        let mapping = self.mapping;
        let own = mapping.event(&span.name).or_else(|| self.named_by(&span.attributes, Attr::Event));
        let inner = span.events.iter().enumerate();
        let mut inner =
            inner.filter_map(|(index, event)| Some((index, event, mapping.event(&event.name)?))).peekable();
        if own.is_none() && inner.peek().is_none() {
            return;
        }
        let attributes = emitter.attributes.with(&span.attributes, mapping);
        let origin = span_origin(span);
        let mut rejected = false;
        if let Some(rule) = own
            && (by_schema || attributes.marked_ours())
        {
            let times = || {
                let start = time("start_time_unix_nano", span.start_time_unix_nano)?;
                let end = time("end_time_unix_nano", span.end_time_unix_nano)?;
                Ok((origin?, start, end))
            };
            match times() {
                Ok((origin, start, end)) => self.append(
                    &Record {
                        rule,
                        levels: [&span.attributes, &[], emitter.raw],
                        attributes: attributes.clone(),
                        origin,
                        time: if rule.name.is_result() { end } else { start },
                        observed: None,
                        duration: (start <= end).then(|| end.since(start)),
                        span: Some(span),
                    },
                    emitter,
                ),
                Err(reject) => {
                    rejected = true;
                    self.note(&place, rule.name, reject);
                }
            }
        }
        let mut appended = 0;
        for (index, event, rule) in inner {
            let attributes = attributes.with(&event.attributes, mapping);
            if !(by_schema || attributes.marked_ours()) {
                continue;
            }
            let checked = || {
                if appended == caps::EVENTS_PER_SPAN {
                    return Err(Reject::TooManyEvents);
                }
                Ok((origin?, time("time_unix_nano", event.time_unix_nano)?))
            };
            match checked() {
                Ok((origin, time)) => {
                    appended += 1;
                    self.append(
                        &Record {
                            rule,
                            levels: [&event.attributes, &span.attributes, emitter.raw],
                            attributes,
                            origin,
                            time,
                            observed: None,
                            duration: None,
                            span: Some(span),
                        },
                        emitter,
                    );
                }
                Err(reject) => {
                    rejected = true;
                    self.note(|| format!("{}.events[{index}]", place()), rule.name, reject);
                }
            }
        }
        self.tally.rejected += u64::from(rejected);
    }

    fn log(
        &mut self,
        record: &LogRecord,
        emitter: &Emitter<'_>,
        by_schema: bool,
        place: impl Fn() -> String,
    ) {
        self.tally.records += 1;
        let by_attribute = |attr| self.named_by(&record.attributes, attr);
        let named = self.mapping.event(&record.event_name);
        let named = named.or_else(|| by_attribute(Attr::EventName)).or_else(|| by_attribute(Attr::Event));
        let Some(rule) = named else { return };
        let attributes = emitter.attributes.with(&record.attributes, self.mapping);
        if !(by_schema || attributes.marked_ours()) {
            return;
        }
        let observed = record.observed_time_unix_nano;
        let checked = || {
            let origin = log_origin(record)?;
            let time = match record.time_unix_nano {
                0 => time("observed_time_unix_nano, as time_unix_nano is 0,", observed),
                sent => time("time_unix_nano", sent),
            };
            Ok((origin, time?))
        };
        match checked() {
            Ok((origin, happened)) => self.append(
                &Record {
                    rule,
                    levels: [&record.attributes, &[], emitter.raw],
                    attributes,
                    origin,
                    time: happened,
                    observed: time("observed_time_unix_nano", observed).ok(),
                    duration: None,
                    span: None,
                },
                emitter,
            ),
            Err(reject) => {
                self.tally.rejected += 1;
                self.note(place, rule.name, reject);
            }
        }
    }

    /// The event that an attribute names.
    fn named_by(&self, attributes: &[KeyValue], attr: Attr) -> Option<EventRule> {
        self.mapping.event(find(attributes, attr, self.mapping)?)
    }

    fn append(&mut self, record: &Record<'_>, emitter: &Emitter<'_>) {
        let realm = self.realms.of(&record.levels);
        self.tally.events += 1;
        self.events.push(event(record, realm, emitter, self.mapping));
    }

    /// Says why the first rejected record was.
    fn note(&mut self, place: impl FnOnce() -> String, name: EventName, reject: Reject<'_>) {
        self.tally.message.get_or_insert_with(|| format!("{} ({name}): {reject}", place()));
    }
}
