//! Numbers in heads and headers, little-endian.

/// The four bytes from a place on. The caller's array has them.
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// The eight bytes from a place on. The caller's array has them.
pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// The number in a file's name after this beginning, as sixteen hex digits.
pub fn numbered(name: &str, beginning: &str) -> Option<u64> {
    let digits = name.strip_prefix(beginning)?;
    let plain = digits.len() == 16 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    plain.then(|| u64::from_str_radix(digits, 16).ok())?
}
