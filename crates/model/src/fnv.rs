//! FNV-1a: a hash without a secret that is the same in every version and on every machine.

/// The hash of bytes, in 64 bits. Its high bits depend on the last bytes little: whoever takes those mixes them first.
#[must_use]
pub const fn fnv1a(bytes: &[u8]) -> u64 {
    let (mut hash, mut place) = (0xcbf2_9ce4_8422_2325_u64, 0);
    while place < bytes.len() {
        hash = (hash ^ bytes[place] as u64).wrapping_mul(0x0100_0000_01b3);
        place += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::fnv1a;

    #[test]
    fn it_is_what_others_compute() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
