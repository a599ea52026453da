//! A directory of the file system.
//!
//! What is synced at once anyway is written past the page cache, where the file system lets it: nothing reads it until
//! the next start, and a page costs more to have than to write. What is not whole sectors goes through the cache.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use authstitch_model::UnixNanos;

use super::direct::Direct;
use super::{Disk, File};
use crate::Durability;
use crate::caps::ZEROS;

/// The name of the file that says that a journal is open.
const LOCK: &str = "lock";

/// A directory of the file system, locked for one journal.
#[derive(Clone, Debug)]
pub struct Directory {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    past_cache: bool,
    handle: fs::File,
    /// Locked as long as it is open.
    _lock: fs::File,
}

impl Directory {
    /// Opens a directory, and makes it if it is not there; what is written will be synced as `durability` says.
    ///
    /// # Errors
    /// If it cannot be made or another process has it open.
    pub fn open(path: &Path, durability: Durability) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::File::open(parent)?.sync_all()?;
        }
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK))?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => io::Error::new(
                io::ErrorKind::ResourceBusy,
                format!(
                    "{} is open in another process; end it, or choose another data directory",
                    path.display()
                ),
            ),
            fs::TryLockError::Error(error) => error,
        })?;
        let handle = fs::File::open(path)?;
        let past_cache = durability == Durability::Fsync;
        Ok(Self { inner: Arc::new(Inner { path: path.to_owned(), past_cache, handle, _lock: lock }) })
    }

    /// Whether a directory holds anything of a journal; one that cannot be looked into may.
    #[must_use]
    pub fn holds_files(path: &Path) -> bool {
        match fs::read_dir(path) {
            Ok(files) => files.flatten().any(|file| file.file_name() != LOCK),
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.inner.path.join(name)
    }

    fn file(&self, name: &str, cached: fs::File) -> DirectoryFile {
        let direct = self.inner.past_cache.then(|| Direct::open(&self.path(name))).flatten();
        DirectoryFile { cached, direct }
    }
}

/// An open file of a [`Directory`].
#[derive(Debug)]
pub struct DirectoryFile {
    cached: fs::File,
    /// The same file past the cache, if it can be had so.
    direct: Option<Direct>,
}

impl Disk for Directory {
    type File = DirectoryFile;

    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.inner.path)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) {
                files.push((name, metadata.len()));
            }
        }
        Ok(files)
    }

    fn written(&self, name: &str) -> io::Result<UnixNanos> {
        let since_1970 = fs::metadata(self.path(name))?.modified()?.duration_since(UNIX_EPOCH);
        let nanos = since_1970.unwrap_or_default().as_nanos();
        Ok(UnixNanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    fn open(&self, name: &str) -> io::Result<DirectoryFile> {
        let cached = OpenOptions::new().read(true).write(true).open(self.path(name))?;
        Ok(self.file(name, cached))
    }

    fn create(&self, name: &str, length: u64) -> io::Result<DirectoryFile> {
        let cached =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(self.path(name))?;
        let file = self.file(name, cached);
        // Zeros, and not room that the file system only promises: overwriting what was written needs no change of its
        // own books, which makes a sync a third cheaper.
        let zeros = vec![0; ZEROS.min(usize::try_from(length).unwrap_or(ZEROS))];
        let mut written = 0;
        while written < length {
            let part = zeros.len().min(usize::try_from(length - written).unwrap_or(ZEROS));
            file.write_at(written, &zeros[..part])?;
            written += part as u64;
        }
        Ok(file)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn unlink(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.inner.handle.sync_all()
    }
}

impl File for DirectoryFile {
    fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut file = &self.cached;
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn read_first(&self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut file = &self.cached;
        file.seek(SeekFrom::Start(0))?;
        file.take(length as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let written = match &self.direct {
            Some(direct) => direct.write_at(offset, bytes)?,
            None => 0,
        };
        if written == bytes.len() {
            return Ok(());
        }
        let mut file = &self.cached;
        file.seek(SeekFrom::Start(offset + written as u64))?;
        file.write_all(&bytes[written..])
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.cached.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.cached.sync_data()
    }
}
