//! What the service counts, once for the program (`Counts`), the metrics page and the overview page.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use authstitch_engine as engine;
use authstitch_model::{Cause, Flow, Outcome, Verdict};
use authstitch_otlp::Reason;

use crate::latency::{Latencies, Latency};

/// Declares each count once: its field, its metric and what it means.
macro_rules! counts {
    ($($field:ident = $help:literal,)+) => {
        /// Everything counted since the start.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Counts {
            $(#[doc = $help] pub $field: u64,)+
            /// From the head of a request that was taken to its answer.
            pub acknowledged: Latencies,
            /// From the receipt of a record until everything it brought about was judged. Nothing on a schedule.
            pub judged: Latencies,
            /// What the engines counted, together.
            pub engine: engine::Counters,
            /// Verdicts by flow and displayed outcome; a later revision of a journey counts again.
            pub outcomes: Vec<(Flow, Outcome, u64)>,
            /// Verdicts by displayed cause; a later revision of a journey counts again.
            pub causes: Vec<(Cause, u64)>,
            /// Rejected authentication records, at the index of their reason.
            pub rejections: [u64; Reason::COUNT],
        }

        /// The running counts.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub $field: Count,)+
            pub acknowledged: Latency,
            pub judged: Latency,
            /// Bytes of the journal and its snapshots.
            pub journal_bytes: Count,
            /// Segments of the journal that hold records.
            pub journal_segments: Count,
            pub rejections: [Count; Reason::COUNT],
            engines: Mutex<BTreeMap<usize, engine::Counters>>,
            outcomes: [[Count; Outcome::COUNT]; Flow::COUNT],
            causes: [Count; Cause::COUNT],
        }

        impl Counters {
            /// The counts as they stand.
            pub(crate) fn snapshot(&self) -> Counts {
                Counts {
                    $($field: self.$field.get(),)+
                    acknowledged: self.acknowledged.summary(),
                    judged: self.judged.summary(),
                    engine: self.engines.lock().unwrap_or_else(PoisonError::into_inner).values().copied().sum(),
                    outcomes: self.outcomes(),
                    causes: self.causes(),
                    rejections: std::array::from_fn(|reason| self.rejections[reason].get()),
                }
            }
        }

        impl Counts {
            /// The simple counts: name, what it means, value.
            pub(crate) fn plain(&self) -> Vec<(&'static str, &'static str, u64)> {
                vec![$((stringify!($field), $help, self.$field),)+]
            }
        }
    };
}

counts! {
    requests = "Export requests that came, taken or not.",
    request_bytes = "Bytes of export requests after decompression.",
    spans = "Spans received.",
    log_records = "Log records received.",
    events = "Authentication events taken.",
    rejected = "Authentication records rejected for what they hold.",
    server_claims = "Events of a server's side that came to the public listener, and were rejected.",
    malformed = "Requests refused for good: unreadable or too large.",
    turned_away = "Requests told to come again: too much was waiting, or the service stopped.",
    failed = "Requests that met a mistake of ours.",
    unauthorized = "Requests without a token that is accepted.",
    foreign_origins = "Requests from pages of origins that are not listed.",
    crowded_out = "Connections to the public listener beyond the share of their address.",
    handshakes_failed = "Connections that did not become secure.",
    credentials_refused = "Times that changed certificates or tokens could not be used, and the old ones stayed.",
    journeys = "Journeys judged for the first time.",
    revisions = "Later verdicts on journeys that had one.",
    merged = "Journeys that became part of another.",
    stored = "Changes written to the store; what it knew already does not count.",
    store_failures = "Transactions of the store that failed.",
    lost = "Changes given up because the store failed until the end.",
    retired = "Journeys removed from the store because they were too old.",
    forgotten = "Journeys forgotten on request.",
    commits = "Commits of the journal.",
    snapshots = "Snapshots of the engines written beside the journal.",
    reports = "Reports of these numbers sent over OTLP.",
    report_failures = "Reports over OTLP that were not taken; the next one says the same and more.",
    quarantined = "Parts of records passed over at the start because the engine of their shard panics on them.",
}

/// One running count.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    /// Counts one verdict.
    pub(crate) fn verdict(&self, flow: Flow, revision: u32, verdict: &Verdict) {
        if revision <= 1 { &self.journeys } else { &self.revisions }.add(1);
        self.outcomes[flow.index()][verdict.outcome().index()].add(1);
        if let Some(cause) = verdict.cause() {
            self.causes[cause.index()].add(1);
        }
    }

    /// Says what the engine of a shard has counted.
    pub(crate) fn of_shard(&self, number: usize, counters: engine::Counters) {
        self.engines.lock().unwrap_or_else(PoisonError::into_inner).insert(number, counters);
    }

    fn outcomes(&self) -> Vec<(Flow, Outcome, u64)> {
        let cells =
            Flow::ALL.iter().flat_map(|flow| Outcome::ALL.iter().map(move |outcome| (*flow, *outcome)));
        let counted =
            cells.map(|(flow, outcome)| (flow, outcome, self.outcomes[flow.index()][outcome.index()].get()));
        counted.filter(|(_, _, count)| *count > 0).collect()
    }

    fn causes(&self) -> Vec<(Cause, u64)> {
        let counted = Cause::ALL.iter().map(|cause| (*cause, self.causes[cause.index()].get()));
        counted.filter(|(_, count)| *count > 0).collect()
    }
}
