//! The whole service, over its sockets.

mod client;
mod connections;
mod grpc;
mod http;
mod lifecycle;
mod overload;
mod schedule;
mod telemetry;
mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use authstitch_model::Secret;

use crate::{Clock, Running, SecretSource, Settings, start};

/// Free ports, a public secret, a data directory of the test's own.
pub(crate) fn settings(data_dir: &Path) -> Settings {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Settings {
        grpc: free,
        http: free,
        web: free,
        data_dir: Some(data_dir.to_owned()),
        secret: SecretSource::Fixed(Secret::PUBLIC),
        ..Settings::default()
    }
}

/// A service for one test, with its directory.
pub(crate) async fn running(clock: Clock) -> (Running, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let running = start(settings(directory.path()), clock).await.unwrap();
    (running, directory)
}

pub(crate) use client::{call, call_http2, post};
pub(crate) use telemetry::{gzip, login, zstd};
