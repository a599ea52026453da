//! The data directory beside its database: the lock, and the secret under which keys are hashed.
//!
//! - The directory is its owner's alone, and so is the lock. One process at a time works in it. The locked file says where it can be asked, if it is a server.
//! - The secret is made at the first start, from the system's randomness, readable by its owner alone.
//! - A secret that is given is kept there, too, so that whoever has the directory can look keys up; a
//!   directory that was filled under another secret is refused.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use authstitch_model::Secret;

use crate::error::StartError;
use crate::settings::SecretSource;

const SECRET_BYTES: usize = 16;

/// A data directory that this process alone works in, as long as this lives.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    lock: File,
}

impl DataDir {
    /// Makes the directory if it is not there, and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, StartError> {
        // Realms and evidence stand there in plain: they are the owner's.
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed(path, "making"))?;
        let file = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&file)
            .map_err(failed(&file, "opening"))?;
        // Whoever can open it can hold it, and pretend to be the server.
        lock.set_permissions(Permissions::from_mode(0o600)).map_err(failed(&file, "guarding"))?;
        match lock.try_lock() {
            Ok(()) => {
                // The address of whoever worked here before is no more.
                lock.set_len(0).map_err(failed(&file, "writing"))?;
                Ok(Self { path: path.to_owned(), lock })
            }
            Err(TryLockError::WouldBlock) => Err(StartError::DataDirInUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(&file, "locking")(source)),
        }
    }

    /// Says where the server that works here can be asked.
    pub(crate) fn say_where(&self, url: &str) -> Result<(), StartError> {
        (&self.lock).write_all(url.as_bytes()).map_err(failed(&self.path.join("lock"), "writing"))
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory's secret, made or kept if there is none yet.
    pub(crate) fn secret(&self, source: SecretSource) -> Result<Secret, StartError> {
        let path = file(&self.path);
        match (read(&path)?, source) {
            (Some(kept), SecretSource::File) => Ok(Secret::new(kept)),
            (Some(kept), SecretSource::Fixed(secret)) if Secret::new(kept) == secret => Ok(secret),
            (Some(_), SecretSource::Fixed(_)) => Err(StartError::SecretDiffers { path }),
            (None, SecretSource::File) => {
                let bytes = random()?;
                self.keep(&path, bytes)?;
                Ok(Secret::new(bytes))
            }
            (None, SecretSource::Fixed(secret)) => {
                self.keep(&path, *secret.bytes())?;
                Ok(secret)
            }
        }
    }

    /// Writes the secret whole or not at all: half of one would make every key unfindable.
    fn keep(&self, path: &Path, bytes: [u8; SECRET_BYTES]) -> Result<(), StartError> {
        let half = self.path.join("secret.new");
        let mut options = OpenOptions::new();
        let written =
            options.create(true).truncate(true).write(true).mode(0o600).open(&half).and_then(|mut file| {
                file.write_all(&bytes)?;
                file.sync_all()?;
                fs::rename(&half, path)?;
                File::open(&self.path)?.sync_all()
            });
        written.map_err(failed(path, "writing"))
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        // Nobody is to be asked there any more; the next who opens it clears it, too.
        let _ = self.lock.set_len(0);
    }
}

/// Where the server that works in a data directory can be asked, if one does.
#[must_use]
pub fn served_at(directory: &Path) -> Option<String> {
    let mut lock = File::open(directory.join("lock")).ok()?;
    if !matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
        return None;
    }
    let mut url = String::new();
    lock.read_to_string(&mut url).ok()?;
    (!url.is_empty()).then_some(url)
}

/// The secret of a data directory that a server has worked in.
///
/// # Errors
/// If there is none, or it cannot be read.
pub(crate) fn secret_of(directory: &Path) -> Result<Secret, StartError> {
    let path = file(directory);
    let missing = || failed(&path, "reading")(ErrorKind::NotFound.into());
    read(&path)?.map(Secret::new).ok_or_else(missing)
}

/// Sixteen bytes of the system's randomness.
pub(crate) fn random() -> Result<[u8; SECRET_BYTES], StartError> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0; SECRET_BYTES];
    File::open(path).and_then(|mut file| file.read_exact(&mut bytes)).map_err(failed(path, "reading"))?;
    Ok(bytes)
}

fn file(directory: &Path) -> PathBuf {
    directory.join("secret")
}

fn read(path: &Path) -> Result<Option<[u8; SECRET_BYTES]>, StartError> {
    match fs::read(path) {
        Ok(bytes) => match <[u8; SECRET_BYTES]>::try_from(bytes.as_slice()) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(_) => Err(StartError::SecretLength { path: path.to_owned(), bytes: bytes.len() }),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path, "reading")(error)),
    }
}

fn failed(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> StartError {
    let path = path.to_owned();
    move |source| StartError::DataDir { path, doing, source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_secret_is_made_once_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let made = DataDir::open(directory.path()).unwrap().secret(SecretSource::File).unwrap();
        let again = DataDir::open(directory.path()).unwrap().secret(SecretSource::File).unwrap();
        assert_eq!(made, again);
        assert_eq!(secret_of(directory.path()).unwrap(), made);
        let mode = fs::metadata(file(directory.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = tempfile::tempdir().unwrap();
        assert!(DataDir::open(other.path()).unwrap().secret(SecretSource::File).unwrap() != made);
    }

    #[test]
    fn the_directory_and_the_lock_are_their_owners_alone_and_an_old_address_leads_nowhere() {
        let around = tempfile::tempdir().unwrap();
        let (directory, mode) = (around.path().join("data"), |path: &Path| {
            fs::metadata(path).unwrap().permissions().mode() & 0o777
        });
        let data = DataDir::open(&directory).unwrap();
        data.say_where("http://127.0.0.1:1").unwrap();
        let lock = directory.join("lock");
        assert_eq!((mode(&directory), mode(&lock)), (0o700, 0o600));
        drop(data);
        assert_eq!(fs::read(&lock).unwrap(), b"");
        fs::set_permissions(&lock, Permissions::from_mode(0o666)).unwrap();
        let _data = DataDir::open(&directory).unwrap();
        assert_eq!(mode(&lock), 0o600);
    }

    #[test]
    fn a_given_secret_is_kept_and_another_one_refused() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDir::open(directory.path()).unwrap();
        assert!(secret_of(directory.path()).is_err());
        data.secret(SecretSource::Fixed(Secret::PUBLIC)).unwrap();
        assert_eq!(secret_of(directory.path()).unwrap(), Secret::PUBLIC);
        let refused = data.secret(SecretSource::Fixed(Secret::new([7; 16])));
        assert!(matches!(refused, Err(StartError::SecretDiffers { .. })));
        fs::write(file(directory.path()), b"short").unwrap();
        assert!(matches!(data.secret(SecretSource::File), Err(StartError::SecretLength { bytes: 5, .. })));
    }

    #[test]
    fn one_process_at_a_time_works_in_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        let first = DataDir::open(directory.path()).unwrap();
        assert!(matches!(DataDir::open(directory.path()), Err(StartError::DataDirInUse { .. })));
        assert_eq!(served_at(directory.path()), None, "it has not said where");
        first.say_where("http://127.0.0.1:1").unwrap();
        assert_eq!(served_at(directory.path()).as_deref(), Some("http://127.0.0.1:1"));
        drop(first);
        assert_eq!(served_at(directory.path()), None, "nobody is there");
        assert!(DataDir::open(directory.path()).is_ok());
    }
}
