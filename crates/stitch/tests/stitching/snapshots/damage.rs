//! Bytes that are not those that were written.

use super::*;

/// What happens to bytes.
#[derive(Clone, Debug)]
enum Damage {
    /// Some become others.
    Become(Vec<(Index, u8)>),
    /// The rest is lost.
    Cut(Index),
    /// Some are lost in the middle.
    Lost(Index, usize),
    /// Some stand there twice.
    Twice(Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let byte = prop_oneof![any::<u8>(), Just(0), Just(1), Just(0x7f), Just(0x80), Just(0xff)];
    prop_oneof![
        6 => vec((any::<Index>(), byte), 1..4).prop_map(Damage::Become),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), 1..40usize).prop_map(|(at, count)| Damage::Lost(at, count)),
        1 => (any::<Index>(), 1..40usize).prop_map(|(at, count)| Damage::Twice(at, count)),
    ]
}

impl Damage {
    fn to(&self, bytes: &mut Vec<u8>) {
        let some = |at: &Index, count: usize| {
            let at = at.index(bytes.len());
            at..bytes.len().min(at + count)
        };
        match self {
            Self::Become(those) => {
                for (at, byte) in those {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
            }
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Lost(at, count) => drop(bytes.drain(some(at, *count))),
            Self::Twice(at, count) => {
                let some = some(at, *count);
                let again = bytes[some.clone()].to_vec();
                bytes.splice(some.start..some.start, again);
            }
        }
    }
}

/// A snapshot in the middle of these lines.
fn snapshot(lines: &[Line], cut: &Index, settings: Settings) -> Vec<u8> {
    let (mut stitcher, mut changes) = (Stitcher::new(settings), Vec::new());
    for (nth, line) in lines[..=cut.index(lines.len())].iter().enumerate() {
        feed(&mut stitcher, line, nth, &mut changes);
    }
    written(&stitcher)
}

/// Does with a stitcher what can be done with it.
fn use_up(mut stitcher: Stitcher, lines: &[Line]) {
    let mut changes = Vec::new();
    let events: Vec<_> = lines.iter().filter_map(Line::event).collect();
    stitcher.look_ahead(&events);
    for (nth, line) in lines.iter().enumerate() {
        feed(&mut stitcher, line, nth, &mut changes);
    }
    let _ = (stitcher.counters(), stitcher.next_deadline(), written(&stitcher));
    while stitcher.shut_down(UnixNanos(u64::MAX), 5, &mut changes) {}
    stitcher.advance(UnixNanos(u64::MAX), &mut changes);
    written(&stitcher);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, max_shrink_iters: 5_000, ..ProptestConfig::default() })]

    #[test]
    fn damaged_bytes_are_an_error(lines in arrivals(), cut in any::<Index>(), damage in damage()) {
        let bytes = snapshot(&lines, &cut, Settings::default());
        let mut damaged = bytes.clone();
        damage.to(&mut damaged);
        prop_assert!(damaged == bytes || Stitcher::restore(Settings::default(), &damaged).is_err());
    }

    /// What a checksum does not tell, as whoever wrote it was damaged: an error or a stitcher, which then does no
    /// harm either.
    #[test]
    fn no_bytes_with_a_right_checksum_do_harm(
        lines in arrivals(), cut in any::<Index>(), damage in vec(damage(), 1..3), journeys in 1..20usize,
    ) {
        let settings = Settings { journeys, ..Settings::default() };
        let mut bytes = snapshot(&lines, &cut, settings);
        bytes.truncate(bytes.len() - 4);
        for damage in damage {
            if !bytes.is_empty() {
                damage.to(&mut bytes);
            }
        }
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        if let Ok(stitcher) = Stitcher::restore(settings, &bytes) {
            use_up(stitcher, &lines);
        }
    }

    #[test]
    fn chance_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..600)) {
        prop_assert_eq!(Stitcher::restore(Settings::default(), &bytes).err(), Some(SnapshotError::NoSnapshot));
        let mut bytes = [b"stitcher\x01\0", &bytes[..]].concat();
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        if let Ok(stitcher) = Stitcher::restore(Settings::default(), &bytes) {
            use_up(stitcher, &[]);
        }
    }
}

#[test]
fn an_error_says_what_is_wrong_and_what_to_do() {
    let error = |bytes: &[u8]| Stitcher::restore(Settings::default(), bytes).unwrap_err().to_string();
    let mut bytes = written(&Stitcher::default());
    assert_eq!(error(b"stitch"), "these bytes are no snapshot: restore from a file that is one");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert_eq!(
        error(&bytes),
        "the snapshot is damaged at byte 40: the checksum is another; restore from the one before it"
    );
    bytes[8] = 9;
    assert_eq!(
        error(&bytes),
        "the snapshot has format 9, this build reads format 1: restore it with the build that wrote it"
    );
}
