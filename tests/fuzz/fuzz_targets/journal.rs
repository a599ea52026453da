//! Any bytes as files of a journal: it opens, what can be read is read, and written anew it is read back the same. The
//! first byte chooses what the bytes are: a segment, a snapshot, or the entries of a frame whose checksums are right.

#![no_main]

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use authstitch_journal::disk::File;
use authstitch_journal::{Body, Disk, Entry, Header, Journal, OpenError, Setting, Settings, Stamp};
use authstitch_model::{Position, Record, RecordBody, UnixNanos};
use libfuzzer_sys::fuzz_target;

type Files = Arc<Mutex<BTreeMap<String, Arc<Mutex<Vec<u8>>>>>>;

/// A directory in memory.
#[derive(Clone, Debug, Default)]
struct Memory(Files);

#[derive(Debug)]
struct MemoryFile(Arc<Mutex<Vec<u8>>>);

impl Disk for Memory {
    type File = MemoryFile;

    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let files = self.0.lock().unwrap();
        Ok(files.iter().map(|(name, bytes)| (name.clone(), bytes.lock().unwrap().len() as u64)).collect())
    }

    fn written(&self, _name: &str) -> io::Result<UnixNanos> {
        Ok(UnixNanos(0))
    }

    fn open(&self, name: &str) -> io::Result<MemoryFile> {
        let files = self.0.lock().unwrap();
        files.get(name).cloned().map(MemoryFile).ok_or(io::ErrorKind::NotFound.into())
    }

    fn create(&self, name: &str, length: u64) -> io::Result<MemoryFile> {
        let bytes = Arc::new(Mutex::new(vec![0; length as usize]));
        self.0.lock().unwrap().insert(name.to_owned(), Arc::clone(&bytes));
        Ok(MemoryFile(bytes))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = self.0.lock().unwrap();
        let bytes = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn unlink(&self, name: &str) -> io::Result<()> {
        self.0.lock().unwrap().remove(name).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }
}

impl File for MemoryFile {
    fn read(&self) -> io::Result<Vec<u8>> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn read_first(&self, length: usize) -> io::Result<Vec<u8>> {
        let bytes = self.0.lock().unwrap();
        Ok(bytes[..length.min(bytes.len())].to_vec())
    }

    fn write_at(&self, offset: u64, written: &[u8]) -> io::Result<()> {
        let (mut bytes, begin) = (self.0.lock().unwrap(), offset as usize);
        let end = begin + written.len();
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[begin..end].copy_from_slice(written);
        Ok(())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.0.lock().unwrap().resize(length as usize, 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A segment with a head that is damaged and one frame of these entries.
fn segment(count: u8, entries: &[u8]) -> Vec<u8> {
    let (first, received, latest) = (Position(1), UnixNanos(1 << 60), UnixNanos(1 << 60));
    let (entries_there, length) = (u32::from(count).max(1), entries.len() as u32);
    let checksum = crc32fast::hash(entries);
    let header =
        Header { segment: 1, first, entries: entries_there, received, latest, synced: 512, length, checksum };
    let mut bytes = vec![0; 512];
    bytes.extend(header.bytes());
    bytes.extend(entries);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// Opens the journal of a disk, and gives what can be read of it.
fn entries(disk: &Memory) -> Option<(Journal<Memory>, Vec<Entry>)> {
    let settings = Settings { segment_bytes: 64 << 10, disk_bytes: 1 << 30, ..Settings::default() };
    match Journal::open(disk.clone(), settings, Stamp::default()) {
        Ok((journal, recovery)) => Some((journal, recovery.entries.filter_map(Result::ok).collect())),
        Err(OpenError::Version { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let disk = Memory::default();
    let (name, content) = match (first & 3, bytes.split_first()) {
        (0, _) => ("segment-0000000000000001", bytes.to_vec()),
        (1, _) => ("snapshot-0000000000000001", bytes.to_vec()),
        (_, Some((count, bytes))) => ("segment-0000000000000001", segment(*count, bytes)),
        (_, None) => return,
    };
    let file = disk.create(name, 0).unwrap();
    file.write_at(0, &content).unwrap();
    let Some((_, read)) = entries(&disk) else { return };
    assert_eq!(entries(&disk).expect("it opened before").1, read, "opening changes nothing");

    let disk = Memory::default();
    let (mut journal, _) = entries(&disk).expect("nothing is in it");
    for entry in &read {
        let body = match entry {
            Entry::Record(Record { body: RecordBody::Events(events), .. }) => Body::Events(events),
            Entry::Record(Record { body: RecordBody::Tick, .. }) => Body::Tick,
            Entry::Setting(Setting { kind, bytes, .. }) => Body::Setting { kind, bytes },
        };
        journal.append(entry.received(), body).unwrap();
    }
    journal.commit().unwrap();
    drop(journal);
    let again = entries(&disk).expect("our own version").1;
    let alike = |entry: &Entry| match entry.clone() {
        Entry::Record(record) => Entry::Record(Record { position: Position(0), ..record }),
        Entry::Setting(setting) => Entry::Setting(Setting { position: Position(0), ..setting }),
    };
    assert!(again.iter().map(alike).eq(read.iter().map(alike)));
});
