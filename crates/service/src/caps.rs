//! Every bound of the service that is no setting, with its reason.

use std::time::Duration;

use authstitch_model::Millis;

use crate::settings::Share;

/// Bytes of one request after decompression, by default: what the Collector's receivers accept, thrice over.
pub const REQUEST_BYTES: usize = 64 << 20;

/// Bytes of requests and events that wait or are worked on, by default: some seconds of full load.
pub const QUEUE_BYTES: usize = 256 << 20;

/// Requests in flight, by default: far above what a gateway of Collectors keeps open at once.
pub const REQUESTS_IN_FLIGHT: usize = 1024;

/// Time for one request from its headers to its answer, by default, and for the headers themselves: clients give
/// up after 10 s by default, patient ones after 30.
pub const REQUEST_TIME: Duration = Duration::from_secs(30);

/// Bytes of a body up to which it is decoded where it was read, about a millisecond; a larger one goes to a
/// thread of its own so that it holds nobody up.
pub const DECODE_INLINE_BYTES: usize = 256 << 10;

/// How many times its size a packed body is expected to have once unpacked, to guess the work in it.
pub const UNPACK_GUESS: usize = 8;

/// Bytes that are unpacked between two looks at the bounds: a block of zstd and two of gzip at most.
pub const UNPACK_PIECE_BYTES: usize = 64 << 10;

/// Members of gzip, or frames of zstd, of one body: exporters send one. Empty ones have ten or twenty bytes, and cost
/// the work of a microsecond or two each.
pub const PACKED_PARTS: usize = 1024;

/// The largest window of a zstd frame: what RFC 9659 lets senders use on the web, and `zstd -19` keeps within.
pub const ZSTD_WINDOW_BYTES: usize = 8 << 20;

/// Bytes before the content of a skippable zstd frame: four that say so, four of its length.
pub const ZSTD_SKIP_HEAD_BYTES: usize = 8;

/// Bytes beyond the bound that are read and thrown away so that a client hears that it sent too many: as many
/// again as a request may have. Who sends more than that is cut off.
pub const UNHEARD_BYTES: usize = 64 << 20;

/// The most engines: as many as the cores of the largest machines.
pub const SHARDS: u32 = 256;

/// Records that the engine takes from its queue at once, so that its counters are published soon.
pub const ENGINE_BATCH: usize = 64;

/// Effects that the engine gathers before it hands them on.
pub const EFFECTS_BATCH: usize = 256;

/// Batches of effects between the engine and the store. When they are full the engine waits, its queue fills,
/// and clients are asked to come again. Full, they hold some 8,000 journeys, about 40 MB.
pub const SINK_BATCHES: usize = 32;

/// Changes that go into the store in one transaction: enough that its sync does not count.
pub const STORE_BATCH: usize = 8192;

/// Time after which a transaction of the store that has not ended hangs, as the health answer has it: a checkpoint of a
/// slow disk takes some hundred milliseconds.
pub const STORE_HANGS: Duration = Duration::from_secs(2);

/// Time after which a commit of the journal that has not ended hangs: its sync takes some hundred milliseconds on a slow
/// disk, a new segment of zeros before it a second or two.
pub const JOURNAL_HANGS: Duration = Duration::from_secs(5);

/// Pause before a transaction that failed is tried again.
pub const STORE_RETRY: Duration = Duration::from_secs(1);

/// Pause between looks at the clock for timers that are due while nothing comes.
pub const TICK: Duration = Duration::from_millis(250);

/// Connections open at once on one listener, by default; further ones wait in the system's backlog.
pub const CONNECTIONS: usize = 4096;

/// Connections that wait in the system's backlog until they are accepted: all clients come back at once after a restart.
/// Linux takes `net.core.somaxconn` at most, 4096 by default.
pub const BACKLOG: u32 = 4096;

/// Time that an HTTP/2 connection may be without a request: an SDK's longest usual interval is a minute. One of
/// HTTP/1 has the time of a request.
pub const IDLE_TIME: Duration = Duration::from_secs(300);

/// Streams of one HTTP/2 connection: exporters use one or a few.
pub const STREAMS: u32 = 256;

/// Bytes of the headers of a request, as HTTP/2 counts them: tokens and trace context take one or two thousand.
pub const HEADER_LIST_BYTES: u32 = 16 << 10;

/// Headers of a request over HTTP/1, as proxies add them.
pub const HEADERS: usize = 100;

/// Bytes a client may send ahead on one stream and on one connection; the protocol's default of 64 KiB would
/// make a batch wait for round trips, and windows that are seldom full seldom need to be opened again.
pub const STREAM_WINDOW_BYTES: u32 = 2 << 20;

/// See [`STREAM_WINDOW_BYTES`].
pub const CONNECTION_WINDOW_BYTES: u32 = 16 << 20;

/// Bytes of one HTTP/2 frame: a request of hundreds of spans then lies in one piece, and is read without a copy.
pub const FRAME_BYTES: u32 = 256 << 10;

/// Bytes that are read ahead over HTTP/1, for the same reason; a head must fit into them.
pub const READ_AHEAD_BYTES: usize = 256 << 10;

/// Pause after the system could not accept a connection (no file descriptor left, most often).
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Time that requests have to finish once the service stops.
pub const DRAIN_TIME: Duration = Duration::from_secs(5);

/// Seconds after which a client that was turned away should come again.
pub const RETRY_SECONDS: u32 = 1;

/// Microseconds up to which latencies are told apart: a minute, twice the time that a request may take.
pub const LATENCY_MICROS: u64 = 60_000_000;

/// Decimal digits to which latencies are exact; a distribution takes some 20 KB then.
pub const LATENCY_DIGITS: u8 = 2;

/// Bytes of a request to the query interface: a long SQL statement.
pub const QUERY_BYTES: usize = 64 << 10;

/// Questions to the store that are answered at once; further ones wait.
pub const QUERIES_AT_ONCE: usize = 4;

/// Bytes of a configuration file: far above any that a person wrote.
pub const SETTINGS_BYTES: usize = 1 << 20;

/// Bytes of a file of tables: some hundred times the shipped ones.
pub const TABLES_BYTES: u64 = 16 << 20;

/// Realms in which a key is looked up if none is named; an installation has one or a few.
pub const REALMS: usize = 64;

/// Bytes of a file of certificates, a key or tokens: a chain takes some thousands, a bundle of authorities some
/// hundred thousands.
pub const PEM_BYTES: u64 = 1 << 20;

/// Pause between looks at the files of certificates and tokens. They are renewed days before they end.
pub const CREDENTIALS_CHECK: Duration = Duration::from_secs(10);

/// Tokens that a listener accepts at once: those of some teams, each with its next one.
pub const TOKENS: usize = 16;

/// The shortest token: 16 characters of hex are 64 bits, which nobody guesses over a network.
pub const TOKEN_BYTES_LEAST: usize = 16;

/// The longest token, so that it fits into a header.
pub const TOKEN_BYTES: usize = 512;

/// Origins that a public listener accepts; each request is compared with all.
pub const ORIGINS: usize = 64;

/// Bytes of an origin: a host has 253 at most.
pub const ORIGIN_BYTES: usize = 300;

/// Seconds for which a browser remembers the answer to a preflight; Chromium takes no more.
pub const PREFLIGHT_SECONDS: u32 = 7200;

/// Bytes of one request to a public listener, by default: a browser's batch of 512 spans, many times over.
pub const PUBLIC_REQUEST_BYTES: usize = 4 << 20;

/// What one client address may use at once of a public listener, by default: an office behind one address sends so
/// much, and a sixteenth of the requests and an eighth of the bytes that there are for all.
pub const ADDRESS_SHARE: Share = Share { connections: 256, requests_in_flight: 64, bytes: 32 << 20 };

/// What the pages of one origin may use at once, by default: half of what there is for all.
pub const ORIGIN_SHARE: Share = Share { connections: usize::MAX, requests_in_flight: 512, bytes: 128 << 20 };

/// Senders who use something of a public listener at the same time: far more than there are connections by
/// default, in some six megabytes. Beyond it new ones are told to come again.
pub const SENDERS: usize = 1 << 16;

/// Time that the journal gathers requests for one commit while others are in flight: a commit costs some 50 µs of
/// processor time however little is in it.
pub const GATHER: Duration = Duration::from_micros(500);

/// Bytes of records after which a snapshot is made, by default: read again in some seconds at a start.
pub const SNAPSHOT_BYTES: u64 = 512 << 20;

/// Age of the newest snapshot at which another is made, whatever comes: of the retention, which is counted in days, a
/// record has two such spans in the journal at most, and a snapshot costs little.
pub const SNAPSHOT_AGE: Millis = Millis::from_mins(24 * 60);

/// Pause between two snapshots that are made for their age: as before one that failed is tried again.
pub const SNAPSHOT_PAUSE: Millis = Millis(SNAPSHOT_RETRY.as_millis() as u64);

/// Jobs that wait for the journal's thread beside those of requests: a tick, a change of what decides, the end of a
/// snapshot, the stop.
pub const JOURNAL_JOBS: usize = 16;

/// Records that are passed over at a start because the engine panics on them: one is a mistake of ours, many are a
/// version that should not run.
pub const QUARANTINED: usize = 16;

/// The lag of a part above which it may be falling behind: clients give up a request after ten seconds by default, and
/// what waits for the store in an ordinary load is written within one.
pub const BEHIND: Duration = Duration::from_secs(10);

/// For how long a part's lag must be above [`BEHIND`]: a snapshot or a checkpoint may hold it up once.
pub const BEHIND_FOR: Duration = Duration::from_secs(5);

/// Pause between looks at the parts' lags.
pub const LAG_CHECK: Duration = Duration::from_secs(1);

/// Time over which refused requests are summed up into one line of the log.
pub const REFUSALS_SUMMARY: Duration = Duration::from_secs(60);

/// Time from report to report over OTLP, by default: what SDKs use.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// Time for one report: it has some twenty kilobytes, and must not hold up the end.
pub const REPORT_TIME: Duration = Duration::from_secs(5);

/// Headers of a report: a token, a tenant.
pub const REPORT_HEADERS: usize = 16;

/// Time for an orderly end, by default: what orchestrators give before they kill.
pub const SHUTDOWN_TIME: Duration = Duration::from_secs(30);

/// Journeys that are removed in one transaction because they are too old: some 50 ms, beside which new ones wait no longer
/// than for a commit.
pub const RETIRED_AT_ONCE: usize = 4096;

/// Pause between two such transactions, so that new journeys have the store for themselves most of the time.
pub const RETIRE_PAUSE: Duration = Duration::from_millis(200);

/// Pause before it is looked again whether a journey is too old: nobody counts retention in minutes.
pub const RETIRE_LOOK: Duration = Duration::from_secs(60);

/// Pause before a snapshot or a forgetting that failed is tried again: a disk that was full may have room by then.
pub const SNAPSHOT_RETRY: Duration = Duration::from_secs(30);

/// Days for which journeys are kept, by default.
pub const RETENTION_DAYS: u64 = 30;

/// The most days that can be set, a hundred years: for ever is more than anyone can promise.
pub const RETENTION_DAYS_MOST: u64 = 36_500;

/// Bytes of a segment where nothing but what is to be forgotten is written to the journal.
pub const SMALL_SEGMENT_BYTES: u64 = 64 << 10;
