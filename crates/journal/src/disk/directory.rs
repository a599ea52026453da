//! A directory of the file system.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Disk, File};

/// The name of the file that says that a journal is open.
const LOCK: &str = "lock";

/// Bytes of zeros written at once.
const ZEROS: usize = 1 << 20;

/// A directory of the file system, locked for one journal.
#[derive(Clone, Debug)]
pub struct Directory {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    handle: fs::File,
    /// Locked as long as it is open.
    _lock: fs::File,
}

impl Directory {
    /// Opens a directory, and makes it if it is not there.
    ///
    /// # Errors
    /// If it cannot be made or another process has it open.
    pub fn open(path: &Path) -> io::Result<Self> {
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
        Ok(Self { inner: Arc::new(Inner { path: path.to_owned(), handle, _lock: lock }) })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.inner.path.join(name)
    }
}

impl Disk for Directory {
    type File = fs::File;

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

    fn open(&self, name: &str) -> io::Result<fs::File> {
        OpenOptions::new().read(true).write(true).open(self.path(name))
    }

    fn create(&self, name: &str, length: u64) -> io::Result<fs::File> {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(self.path(name))?;
        // Zeros, and not room that the file system only promises: overwriting what was written needs no change of its
        // own books, which makes a sync a third cheaper.
        let zeros = vec![0; ZEROS.min(usize::try_from(length).unwrap_or(ZEROS))];
        let mut left = length;
        while left > 0 {
            let part = zeros.len().min(usize::try_from(left).unwrap_or(ZEROS));
            file.write_all(&zeros[..part])?;
            left -= part as u64;
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

impl File for fs::File {
    fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut file = self;
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn read_first(&self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut file = self;
        file.seek(SeekFrom::Start(0))?;
        file.take(length as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = self;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
