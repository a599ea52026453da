//! Any bytes as the snapshot of an engine: it is restored or refused; what is restored writes a snapshot that restores
//! to itself, and lives on. The first byte chooses whether the bytes are all of it, or what stands between a head and
//! a checksum that are right.

#![no_main]

use std::sync::LazyLock;

use authstitch_engine::{Engine, Settings};
use authstitch_model::{Millis, Position, Record, RecordBody, UnixNanos};
use libfuzzer_sys::fuzz_target;

/// The snapshot of an engine that knows nothing: its head, and where the stitcher's begins in it.
static EMPTY: LazyLock<(Vec<u8>, usize)> = LazyLock::new(|| {
    let bytes = Engine::new(Settings::default()).snapshot();
    let stitcher = bytes.windows(8).position(|eight| eight == b"stitcher").expect("it begins so");
    (bytes, stitcher)
});

/// A snapshot of these bytes with everything around them that is checked first.
fn sealed(content: &[u8]) -> Vec<u8> {
    let (empty, stitcher) = &*EMPTY;
    // What it begins with, and its format.
    let mut bytes = empty[..stitcher + 10].to_vec();
    bytes.extend_from_slice(content);
    let checksum = crc32fast::hash(&bytes[*stitcher..]);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

fuzz_target!(|input: &[u8]| {
    let Some((first, content)) = input.split_first() else { return };
    let bytes = if first & 1 == 0 { sealed(content) } else { content.to_vec() };
    let mut engine = match Engine::restore(Settings::default(), &bytes) {
        Ok(engine) => engine,
        Err(error) => return assert!(error.to_string().len() < 1024),
    };
    let written = engine.snapshot();
    let again = Engine::restore(Settings::default(), &written).expect("it was written here");
    assert!(again.snapshot() == written, "what is restored is written as it was");

    // Behind the magic number and the format stands the time.
    let stood = written[8..].first_chunk().map_or(0, |time| u64::from_le_bytes(*time));
    let now = UnixNanos(stood.max(1 << 60));
    let mut effects = Vec::new();
    for (position, received) in (1..).map(Position).zip([now, now.plus(Millis::from_mins(3 * 24 * 60))]) {
        engine.step(Record { position, received, body: RecordBody::Tick }, &mut effects);
    }
    engine.shut_down(&mut effects);
    let _ = engine.snapshot();
});
