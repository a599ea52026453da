//! The whole service, over its sockets.

mod client;
mod connections;
mod grpc;
mod http;
mod lifecycle;
mod overload;
mod public;
mod schedule;
mod secure;
mod telemetry;
mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use authstitch_model::Secret;

use crate::{Clock, Listening, Running, SecretSource, Settings, start};

/// Free ports, a public secret, a data directory of the test's own.
pub(crate) fn settings(data_dir: &Path) -> Settings {
    Settings {
        grpc: Listening::free_port(),
        http: Listening::free_port(),
        web: Listening::free_port(),
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
pub(crate) use telemetry::{gzip, login, request, span, zstd};
