//! Writing past the page cache.
//!
//! - Whole sectors at the place of a sector are written so, from memory that begins at a page, as disks ask for.
//! - A file system that cannot do it refuses the opening or the first write; then everything goes through the cache.

use std::cell::{Cell, RefCell};
use std::fs;
use std::io;
use std::os::unix::fs::FileExt as _;
#[cfg(target_os = "linux")]
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::frame::SECTOR;

/// Bytes written at once.
const CHUNK: usize = 1 << 20;

/// Where memory has to begin: no disk asks for more than a page.
const PAGE: usize = 4096;

/// A file that is written past the page cache.
#[derive(Debug)]
pub struct Direct {
    file: fs::File,
    /// A write was refused for the way in which it was asked for.
    refused: Cell<bool>,
    /// What is written, at the first place that begins a page. As long as the longest write, or a chunk.
    memory: RefCell<Vec<u8>>,
}

impl Direct {
    /// Opens a file that is there, if it can be written so.
    #[cfg(target_os = "linux")]
    pub fn open(path: &Path) -> Option<Self> {
        let flag = i32::try_from(rustix::fs::OFlags::DIRECT.bits()).ok()?;
        let file = fs::OpenOptions::new().write(true).custom_flags(flag).open(path).ok()?;
        Some(Self { file, refused: Cell::new(false), memory: RefCell::default() })
    }

    /// Elsewhere nothing is.
    #[cfg(not(target_os = "linux"))]
    pub const fn open(_path: &Path) -> Option<Self> {
        None
    }

    /// Writes what is whole sectors of the beginning; says how many bytes that is.
    ///
    /// # Errors
    /// If the disk is full or fails.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        if !offset.is_multiple_of(SECTOR as u64) {
            return Ok(0);
        }
        let whole = bytes.len() - bytes.len() % SECTOR;
        let mut memory = self.memory.borrow_mut();
        let mut written = 0;
        for part in bytes[..whole].chunks(CHUNK) {
            if self.refused.get() {
                break;
            }
            if memory.len() < part.len() + PAGE {
                memory.resize(part.len() + PAGE, 0);
            }
            let begin = memory.as_ptr().align_offset(PAGE);
            let aligned = &mut memory[begin..begin + part.len()];
            aligned.copy_from_slice(part);
            match self.file.write_all_at(aligned, offset + written as u64) {
                Ok(()) => written += part.len(),
                // Nothing is lost if part of it is there: it is all written again.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => self.refused.set(true),
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Durability;
    use crate::disk::{Directory, Disk, File};

    /// A directory beside this program, on a file system that lives on a disk more often than that of `/tmp`.
    fn directory() -> tempfile::TempDir {
        let program = std::env::current_exe().unwrap();
        tempfile::tempdir_in(program.parent().unwrap()).unwrap()
    }

    #[test]
    fn whatever_is_written_is_read_as_through_the_cache() {
        let directory = directory();
        let ways = [Durability::Fsync, Durability::Os];
        let disks = ways.map(|way| Directory::open(&directory.path().join(format!("{way:?}")), way).unwrap());
        let files = disks.map(|disk| disk.create("file", 8 << 20).unwrap());
        // Whole sectors and not, at their places and not, over a chunk and under it, behind the end.
        let writes = [
            (0, 512),
            (512, 1024),
            (4096, 100),
            (700, 512),
            (1024, 3 << 20),
            (4 << 20, (2 << 20) + 5),
            (9 << 20, 513),
        ];
        for (nth, (offset, length)) in (1u8..).zip(writes) {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8 ^ nth).collect();
            files.iter().for_each(|file| file.write_at(offset, &bytes).unwrap());
            files.iter().for_each(|file| file.sync().unwrap());
            let [past, through] = files.each_ref().map(|file| file.read().unwrap());
            assert!(past == through, "after writing {length} bytes at {offset}");
        }
    }

    #[test]
    fn what_is_not_whole_sectors_is_left() {
        let directory = directory();
        fs::write(directory.path().join("file"), []).unwrap();
        let Some(direct) = Direct::open(&directory.path().join("file")) else {
            eprintln!("skipped: this file system writes nothing past its cache");
            return;
        };
        assert_eq!(direct.write_at(1, &[1; 1024]).unwrap(), 0);
        assert_eq!(direct.write_at(512, &[1; 1023]).unwrap(), 512);
        assert_eq!(direct.write_at(0, &[1; 511]).unwrap(), 0);
    }

    #[test]
    fn once_refused_all_goes_through_the_cache() {
        let directory = directory();
        let path = directory.path().join("file");
        fs::write(&path, []).unwrap();
        let Some(direct) = Direct::open(&path) else {
            eprintln!("skipped: this file system writes nothing past its cache");
            return;
        };
        direct.refused.set(true);
        assert_eq!(direct.write_at(0, &[1; 512]).unwrap(), 0);
    }
}
