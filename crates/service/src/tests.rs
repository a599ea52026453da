//! The whole service, over its sockets.

mod bursts;
mod client;
mod connections;
mod faults;
mod forgetting;
mod grpc;
mod http;
mod journaled;
mod lifecycle;
pub(crate) mod mines;
mod overload;
mod public;
mod reports;
mod schedule;
mod secrets;
mod secure;
mod simulation;
mod telemetry;
mod wire;
mod writer;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use authstitch_model::Secret;

use crate::{Clock, Durability, Journal, Listening, Running, SecretSource, Settings, start};

/// Free ports, a public secret, a data directory of the test's own, a small journal.
pub(crate) fn settings(data_dir: &Path) -> Settings {
    Settings {
        grpc: Listening::free_port(),
        http: Listening::free_port(),
        web: Listening::free_port(),
        data_dir: Some(data_dir.to_owned()),
        secret: SecretSource::Fixed(Secret::PUBLIC),
        journal: Journal { segment_bytes: 64 << 10, disk_bytes: 4 << 20, ..Journal::default() },
        ..Settings::default()
    }
}

/// The same without a journal: open journeys end with the service.
pub(crate) fn in_memory(data_dir: &Path) -> Settings {
    let settings = settings(data_dir);
    Settings { journal: Journal { durability: Durability::None, ..settings.journal }, ..settings }
}

/// A service for one test, with its directory.
pub(crate) async fn running(clock: Clock) -> (Running, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let running = start(settings(directory.path()), clock).await.unwrap();
    (running, directory)
}

pub(crate) use client::{call, call_http2, post};
pub(crate) use telemetry::{gzip, login, request, span, zstd};

/// What a log was told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Lines {
    /// A log into these lines.
    pub fn log(&self, format: crate::LogFormat, level: crate::LogLevel) -> crate::Log {
        crate::Log::new(format, level, Box::new(self.clone()))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
