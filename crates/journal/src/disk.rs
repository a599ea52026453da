//! What the journal asks of a disk: one directory of files.
//!
//! What is written is on the disk for certain only after [`File::sync`]; what is created, renamed or unlinked only after
//! [`Disk::sync_directory`]. After a sync that failed nothing is known of what it was for.

use std::io;

use authstitch_model::UnixNanos;

mod direct;
mod directory;
#[cfg(any(test, feature = "testing"))]
pub mod simulated;

pub use directory::{Directory, DirectoryFile};

/// One directory of files, without others in it.
pub trait Disk: Clone {
    /// An open file.
    type File: File;

    /// Every file, with its length.
    ///
    /// # Errors
    /// If the disk fails.
    fn list(&self) -> io::Result<Vec<(String, u64)>>;

    /// When a file was last written to, by this machine's clock.
    ///
    /// # Errors
    /// If it is not there, or the disk fails.
    fn written(&self, name: &str) -> io::Result<UnixNanos>;

    /// Opens a file that is there.
    ///
    /// # Errors
    /// If it is not, or the disk fails.
    fn open(&self, name: &str) -> io::Result<Self::File>;

    /// Makes a file of so many zeros, each with its room on the disk, in the place of one that is there. After a sync
    /// of it and of the directory it needs nothing more of the disk, however often it is overwritten.
    ///
    /// # Errors
    /// If the disk is full or fails.
    fn create(&self, name: &str, length: u64) -> io::Result<Self::File>;

    /// Gives a file another name, and takes it from the file that had it.
    ///
    /// # Errors
    /// If the disk fails.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// If the disk fails.
    fn unlink(&self, name: &str) -> io::Result<()>;

    /// Waits until names are on the disk.
    ///
    /// # Errors
    /// If the disk fails.
    fn sync_directory(&self) -> io::Result<()>;
}

/// An open file.
pub trait File {
    /// Reads all of it.
    ///
    /// # Errors
    /// If the disk fails.
    fn read(&self) -> io::Result<Vec<u8>>;

    /// Reads its first bytes, at most so many.
    ///
    /// # Errors
    /// If the disk fails.
    fn read_first(&self, length: usize) -> io::Result<Vec<u8>>;

    /// Writes bytes from a place on; the file grows as it needs.
    ///
    /// # Errors
    /// If the disk is full or fails.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts it off, or lengthens it by zeros.
    ///
    /// # Errors
    /// If the disk fails.
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// Waits until what was written is on the disk.
    ///
    /// # Errors
    /// If the disk fails; then nothing is known of what was written since the last sync.
    fn sync(&self) -> io::Result<()>;
}
