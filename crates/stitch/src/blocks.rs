//! Bytes of many owners in blocks of one size, so that what grows a little each time needs no allocation.

use crate::pool::{NOWHERE, Place, Pool};

/// Bytes of a block beside the place of the next: together one cache line.
const BLOCK: usize = 60;

/// All blocks.
pub type Blocks = Pool<Block>;

/// One block.
#[derive(Debug)]
pub struct Block {
    next: Place,
    bytes: [u8; BLOCK],
}

impl Default for Block {
    fn default() -> Self {
        Self { next: NOWHERE, bytes: [0; BLOCK] }
    }
}

/// The bytes of one owner.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    first: Place,
    last: Place,
    len: u32,
}

impl Default for Chain {
    fn default() -> Self {
        Self { first: NOWHERE, last: NOWHERE, len: 0 }
    }
}

impl Chain {
    /// Adds bytes at the end.
    pub fn push(&mut self, blocks: &mut Blocks, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let filled = self.len as usize % BLOCK;
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - filled));
            if filled == 0 {
                let next = blocks.claim();
                let block = &mut blocks[next];
                block.next = NOWHERE;
                block.bytes[..now.len()].copy_from_slice(now);
                match self.last {
                    NOWHERE => self.first = next,
                    last => blocks[last].next = next,
                }
                self.last = next;
            } else {
                blocks[self.last].bytes[filled..filled + now.len()].copy_from_slice(now);
            }
            self.len += now.len() as u32;
            bytes = later;
        }
    }

    /// Copies all bytes to where they can be read as one.
    pub fn read(&self, blocks: &Blocks, bytes: &mut Vec<u8>) {
        bytes.clear();
        let mut place = self.first;
        while place != NOWHERE {
            let block = &blocks[place];
            bytes.extend_from_slice(&block.bytes);
            place = block.next;
        }
        bytes.truncate(self.len as usize);
    }

    /// Reads the last block; says something of it.
    pub fn touch(&self, blocks: &Blocks) -> usize {
        if self.last == NOWHERE { 0 } else { blocks[self.last].bytes[0].into() }
    }

    /// Gives the blocks back.
    pub fn free(self, blocks: &mut Blocks) {
        let mut place = self.first;
        while place != NOWHERE {
            let next = blocks[place].next;
            blocks.release(place);
            place = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_owners_wrote_in_turn_is_read_back_and_freed() {
        let mut blocks = Blocks::default();
        let (mut odd, mut even) = (Chain::default(), Chain::default());
        let (mut odd_bytes, mut even_bytes) = (Vec::new(), Vec::new());
        for length in 0..150u8 {
            let (chain, bytes) =
                if length % 2 == 1 { (&mut odd, &mut odd_bytes) } else { (&mut even, &mut even_bytes) };
            let piece: Vec<u8> = (0..length).collect();
            chain.push(&mut blocks, &piece);
            bytes.extend(piece);
        }
        let mut read = Vec::new();
        odd.read(&blocks, &mut read);
        assert_eq!(read, odd_bytes);
        even.read(&blocks, &mut read);
        assert_eq!(read, even_bytes);
        odd.free(&mut blocks);
        even.free(&mut blocks);
        assert_eq!(blocks.len(), 0);
    }
}
