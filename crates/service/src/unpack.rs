//! How a body may be packed, and unpacking it: within the bound of a request, its memory charged before it is
//! had, so that a small body which becomes a large one is turned away while it grows.
//!
//! - gzip: each member, with its checksum.
//! - zstd: each frame, skippable ones passed over; a checksum is checked where there is one. The
//!   window is charged, too, and may have the bytes that RFC 9659 allows on the web.

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use crate::admission::Charge;
use crate::body::too_large;
use crate::caps;
use crate::refusal::Refusal;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
}

/// What may be named, for messages and for the headers that say so.
pub(crate) const ACCEPTED: &str = "identity, gzip, zstd";

impl Packing {
    /// The packing of this name, if any; an unknown name is the error.
    pub(crate) fn named(name: &str) -> Result<Option<Self>, ()> {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(None),
            "gzip" | "x-gzip" => Ok(Some(Self::Gzip)),
            "zstd" => Ok(Some(Self::Zstd)),
            _ => Err(()),
        }
    }

    /// Unpacks into at most so many bytes.
    pub(crate) fn unpack(self, packed: &[u8], bound: usize, charge: &mut Charge) -> Result<Bytes, Refusal> {
        let mut out = Growing { bytes: Vec::new(), bound, charge, piece: vec![0; caps::UNPACK_PIECE_BYTES] };
        let mut zstd = Zstd::default();
        let (mut rest, mut parts) = (packed, 0);
        while !rest.is_empty() {
            parts += 1;
            if parts > caps::PACKED_PARTS {
                let why = format!("the body is packed in more than {} parts", caps::PACKED_PARTS);
                return Err(Refusal::Malformed(why));
            }
            rest = match self {
                Self::Gzip => {
                    let mut member = GzDecoder::new(rest);
                    out.fill(&mut member, "gzip")?;
                    member.into_inner()
                }
                Self::Zstd => zstd.frame(rest, &mut out)?,
            };
        }
        Ok(Bytes::from(out.bytes))
    }
}

/// What was unpacked so far. Its memory is charged before it is had.
struct Growing<'a> {
    bytes: Vec<u8>,
    bound: usize,
    charge: &'a mut Charge,
    piece: Vec<u8>,
}

impl Growing<'_> {
    /// Takes all that a reader gives.
    fn fill(&mut self, mut from: impl Read, kind: &str) -> Result<(), Refusal> {
        loop {
            match from.read(&mut self.piece) {
                Ok(0) => return Ok(()),
                Ok(length) => self.take(length)?,
                Err(error) => return Err(Refusal::Malformed(format!("the body is not {kind}: {error}"))),
            }
        }
    }

    /// Takes so many bytes of the piece.
    fn take(&mut self, length: usize) -> Result<(), Refusal> {
        let needed = self.bytes.len() + length;
        if needed > self.bound {
            return Err(too_large(self.bound));
        }
        if needed > self.bytes.capacity() {
            let capacity = needed.next_power_of_two().min(self.bound);
            self.charge.add(capacity - self.bytes.capacity())?;
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(&self.piece[..length]);
        Ok(())
    }
}

/// The decoder of all frames of a body, and the largest window that was charged for it.
#[derive(Default)]
struct Zstd {
    decoder: FrameDecoder,
    charged: usize,
}

impl Zstd {
    /// Unpacks one frame; gives what stands behind it.
    fn frame<'p>(&mut self, packed: &'p [u8], out: &mut Growing<'_>) -> Result<&'p [u8], Refusal> {
        // Without room for a window the decoder says what it would need, and allocates nothing.
        self.decoder.set_max_window_size(0);
        match self.decoder.init(packed) {
            Ok(()) => {}
            Err(FrameDecoderError::WindowSizeTooBig { requested, .. }) => {
                let window = usize::try_from(requested).unwrap_or(usize::MAX);
                let most = caps::ZSTD_WINDOW_BYTES;
                if window > most {
                    let why =
                        format!("its window has {window} bytes; accepted: at most {most}; use a lower level");
                    return Err(no_zstd(&why));
                }
                out.charge.add(window.saturating_sub(self.charged))?;
                self.charged = self.charged.max(window);
                self.decoder.set_max_window_size(requested);
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                let skipped = caps::ZSTD_SKIP_HEAD_BYTES.saturating_add(length as usize);
                return packed.get(skipped..).ok_or_else(|| no_zstd(&"it ends within a skippable frame"));
            }
            Err(error) => return Err(no_zstd(&error)),
        }
        let mut frame =
            StreamingDecoder::new_with_decoder(packed, &mut self.decoder).map_err(|error| no_zstd(&error))?;
        out.fill(&mut frame, "zstd")?;
        let rest = frame.into_inner();
        let sent = self.decoder.get_checksum_from_data();
        if sent.is_some() && sent != self.decoder.get_calculated_checksum() {
            return Err(no_zstd(&"its checksum is that of other bytes"));
        }
        Ok(rest)
    }
}

fn no_zstd(why: &dyn std::fmt::Display) -> Refusal {
    Refusal::Malformed(format!("the body is not zstd: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::Admission;
    use crate::tests::{gzip, zstd};

    const PLENTY: usize = 1 << 30;

    fn unpacked(packing: Packing, packed: &[u8], bound: usize, room: usize) -> Result<Bytes, Refusal> {
        let admission = Admission::new(room, 1);
        let slot = admission.enter().unwrap();
        let mut charge = slot.charge();
        let unpacked = packing.unpack(packed, bound, &mut charge);
        assert!(admission.bytes() <= room);
        drop(charge);
        assert_eq!(admission.bytes(), 0);
        unpacked
    }

    fn texts() -> [Vec<u8>; 3] {
        let varied = (0..300_000_u32).flat_map(|nth| nth.wrapping_mul(2_654_435_761).to_le_bytes());
        [Vec::new(), b"short".to_vec(), varied.collect()]
    }

    #[test]
    fn what_was_packed_comes_out_in_as_many_parts_as_there_are() {
        for text in texts() {
            for (packing, packed) in [(Packing::Gzip, gzip(&text)), (Packing::Zstd, zstd(&text))] {
                let twice = [packed.as_slice(), &packed].concat();
                let out = unpacked(packing, &twice, PLENTY, PLENTY).unwrap();
                assert_eq!(out, [text.as_slice(), &text].concat(), "{packing:?}");
            }
        }
    }

    #[test]
    fn zstd_of_the_reference_implementation_is_read() {
        // `zstd -19` with a checksum, `zstd -1 --no-check`, and a skippable frame between them.
        let packed = include_bytes!("tests/data/reference.zst");
        let out = unpacked(Packing::Zstd, packed, PLENTY, PLENTY).unwrap();
        let numbers = |to: u32| (1..=to).map(|nth| format!("{nth}\n")).collect::<String>();
        assert_eq!(out, [numbers(5000), numbers(200)].concat());
    }

    #[test]
    fn exactly_the_bound_is_taken_and_one_byte_more_is_not() {
        let text = vec![7; 100_000];
        for (packing, packed) in [(Packing::Gzip, gzip(&text)), (Packing::Zstd, zstd(&text))] {
            assert_eq!(unpacked(packing, &packed, 100_000, PLENTY).unwrap().len(), 100_000);
            assert!(matches!(unpacked(packing, &packed, 99_999, PLENTY), Err(Refusal::TooLarge(_))));
        }
    }

    #[test]
    fn a_bomb_is_turned_away_while_it_grows() {
        let bomb = vec![0; 64 << 20];
        for (packing, packed) in [(Packing::Gzip, gzip(&bomb)), (Packing::Zstd, zstd(&bomb))] {
            assert!(packed.len() < 1 << 20, "{packing:?}");
            let refused = unpacked(packing, &packed, PLENTY, 16 << 20).unwrap_err();
            assert!(refused.is_retryable(), "{packing:?}: {refused:?}");
        }
    }

    #[test]
    fn a_window_is_charged_and_one_that_the_web_does_not_allow_is_refused() {
        // A frame of one empty block: magic, no flags, the window, the block.
        let frame = |window: u8| [0x28, 0xb5, 0x2f, 0xfd, 0, window, 1, 0, 0];
        let eight_mebibytes = 13 << 3;
        assert_eq!(unpacked(Packing::Zstd, &frame(eight_mebibytes), PLENTY, 8 << 20), Ok(Bytes::new()));
        let refused = unpacked(Packing::Zstd, &frame(eight_mebibytes), PLENTY, (8 << 20) - 1).unwrap_err();
        assert!(refused.is_retryable(), "{refused:?}");
        let refused = unpacked(Packing::Zstd, &frame(eight_mebibytes + 1), PLENTY, PLENTY).unwrap_err();
        let Refusal::Malformed(why) = refused else { panic!("{refused:?}") };
        assert!(why.contains("9437184 bytes; accepted: at most 8388608"), "{why}");
    }

    #[test]
    fn parts_that_hold_nothing_are_work_for_nothing_and_bounded() {
        let skippable = [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0].to_vec();
        for (packing, nothing) in
            [(Packing::Gzip, gzip(b"")), (Packing::Zstd, zstd(b"")), (Packing::Zstd, skippable)]
        {
            let bound = nothing.repeat(caps::PACKED_PARTS);
            assert_eq!(unpacked(packing, &bound, PLENTY, PLENTY), Ok(Bytes::new()), "{packing:?}");
            let refused = unpacked(packing, &[bound, nothing].concat(), PLENTY, PLENTY);
            assert!(matches!(refused, Err(Refusal::Malformed(_))), "{packing:?}: {refused:?}");
        }
    }

    #[test]
    fn what_is_broken_is_malformed() {
        let text = texts()[2].clone();
        for (packing, packed) in [(Packing::Gzip, gzip(&text)), (Packing::Zstd, zstd(&text))] {
            let cut = packed[..packed.len() - 3].to_vec();
            let mut wrong_sum = packed.clone();
            // The last byte of gzip is of its length, that of zstd of its checksum.
            *wrong_sum.last_mut().unwrap() ^= 1;
            let behind = [packed.as_slice(), b"more"].concat();
            for (what, broken) in [("cut", cut), ("sum", wrong_sum), ("behind", behind)] {
                let refused = unpacked(packing, &broken, PLENTY, PLENTY);
                assert!(matches!(refused, Err(Refusal::Malformed(_))), "{packing:?}, {what}: {refused:?}");
            }
        }
        let skipped_too_far = [0x50, 0x2a, 0x4d, 0x18, 9, 0, 0, 0, 1];
        assert!(unpacked(Packing::Zstd, &skipped_too_far, PLENTY, PLENTY).is_err());
    }
}
