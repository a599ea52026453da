//! Every bound of the store, with its reason.

/// Rows whose keys share one table. A batch of random keys touches every page of the table that it goes to, and a page
/// that is touched is written twice: with tables of twice this size the file of a million journeys grows by a quarter more
/// for each. A look-up probes each table, some 150 at ten million journeys.
pub const PARTITION_ROWS: u64 = 1 << 16;

/// Milliseconds from the first row of a table of keys after which a new row begins the next one, three days: so long at
/// most keys outlive their journeys where few come. A tenth of the usual retention, so it makes ten tables more to probe,
/// where a busy store has hundreds.
pub const PARTITION_MS: u64 = 3 * 24 * 3600 * 1000;

/// Journeys that one key finds, the latest ones: a key is one attempt's, or a container's few; more is a
/// broken key.
pub const KEY_JOURNEYS: usize = 64;

/// Removals followed from an id to the journey that took its place: each is a merge of a merge, and longer
/// chains than two have not been seen.
pub const MERGES_FOLLOWED: usize = 16;

/// Lines fetched at once when all are read: a megabyte or two.
pub const LINES_FETCHED: usize = 500;

/// Rows of one answer: what a person scrolls through or a script fetches at once.
pub const QUERY_ROWS: usize = 10_000;

/// Bytes of one answer's texts, so that wide rows cannot fill the memory.
pub const QUERY_BYTES: usize = 32 << 20;

/// Bytes of one value inside a query: a journey line is about two thousand, a group of them some millions.
pub const VALUE_BYTES: i32 = 8 << 20;

/// Bytes of one query.
pub const SQL_BYTES: i32 = 64 << 10;

/// Steps of SQLite's machine in one query, some 10 to 30 seconds of work: a scan of ten million journeys takes
/// a tenth of it. Steps, not seconds, so that the same query on the same data ends the same way.
pub const QUERY_STEPS: u64 = 2_000_000_000;

/// Steps between two looks at the count.
pub const STEPS_PER_LOOK: i32 = 10_000;

/// Steps that a journey's line counts for in a query: making it takes as long as some thousand of them.
pub const STEPS_OF_LINE: u64 = 2_000;

/// Milliseconds that a connection waits for a lock: a commit takes a few, a checkpoint some hundred.
pub const LOCK_WAIT_MS: u64 = 10_000;

/// Statements kept ready by the writer: one for each kind of change, and one for each partition that is
/// written to at a time.
pub const STATEMENTS_KEPT: usize = 32;

/// Kibibytes of pages that the writer keeps: most of one partition's keys, which each batch touches at random.
pub const WRITER_CACHE_KIB: u32 = 64 << 10;

/// Pages that the write-ahead log grows to before they are moved into the database, 64 MiB: a page that many
/// batches touch is moved once.
pub const LOG_PAGES: u32 = 16 << 10;

/// Pages that are wiped at a time where old journeys are retired, 16 MiB: some milliseconds. Looked every minute, it comes
/// round a file of 20 GB once a day.
pub const PAGES_WIPED: u32 = 4 << 10;
