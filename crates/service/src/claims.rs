//! What a public listener does not believe: events of a server's side, and events that only servers emit, whoever
//! is said to have emitted them. Anybody could forge them.

use authstitch_model::{AuthEvent, Side, SpanId, TraceId};
use authstitch_otlp::{Reason, Signal, Tally};

/// Takes a server's claims out and counts their records as rejected; says how many claims there were.
pub(crate) fn remove(signal: Signal, events: &mut Vec<AuthEvent>, tally: &mut Tally) -> u64 {
    let before = events.len();
    let (mut records, mut last) = (0, None::<(Option<TraceId>, Option<SpanId>)>);
    events.retain(|event| {
        let claim = event.side == Side::Server || event.name.usual_side() == Some(Side::Server);
        if claim {
            let span = (event.origin.trace_id, event.origin.span_id);
            // The events of one span stand together, and it is one record.
            if signal == Signal::Logs || last != Some(span) {
                records += 1;
            }
            last = Some(span);
        }
        !claim
    });
    let claims = (before - events.len()) as u64;
    if claims > 0 {
        tally.events -= claims;
        // A record may have been rejected already, for another of its events.
        let rejected = (tally.rejected + records).min(tally.records);
        tally.reasons[Reason::ServerClaim.index()] += rejected - tally.rejected;
        tally.rejected = rejected;
        tally.message.get_or_insert_with(|| {
            "an event of the server's side came to the public listener; accepted there: events of initiator and \
             authenticator; send a server's events to a listener that is not public"
                .to_owned()
        });
    }
    claims
}

#[cfg(test)]
mod tests {
    use authstitch_otlp::{Encoding, Mapping, decode};
    use prost::Message;

    use super::*;
    use crate::tests::{request, span};

    #[test]
    fn a_servers_claims_are_rejected_by_the_record_and_the_rest_stays() {
        let mut with_events = span("auth.qr.shown", "initiator", "journey-claims", 0);
        for name in ["auth.verification.succeeded", "auth.challenge.created"] {
            let inner = span(name, "server", "journey-claims", 0);
            with_events.events.push(authstitch_otlp::wire::SpanEvent {
                name: name.into(),
                time_unix_nano: inner.start_time_unix_nano,
                attributes: inner.attributes,
            });
        }
        let spans = vec![
            with_events,
            span("auth.session.established", "server", "journey-claims", 1),
            // Whoever is said to have emitted it, only a server can know.
            span("auth.verification.succeeded", "initiator", "journey-claims", 2),
            span("auth.qr.scanned", "authenticator", "journey-claims", 3),
        ];
        let mut events = Vec::new();
        let bytes = request(spans).encode_to_vec();
        let mapping = Mapping::new(authstitch_model::Secret::PUBLIC);
        let mut tally = decode(Signal::Traces, Encoding::Protobuf, &bytes, &mapping, &mut events).unwrap();
        assert_eq!((tally.records, tally.events, tally.rejected), (4, 6, 0));
        assert_eq!(remove(Signal::Traces, &mut events, &mut tally), 4);
        assert_eq!((tally.records, tally.events, tally.rejected), (4, 2, 3));
        assert_eq!(tally.reasons[Reason::ServerClaim.index()], 3);
        assert_eq!(events.len(), 2);
        assert!(tally.message.unwrap().contains("not public"));
    }
}
