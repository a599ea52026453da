//! TLS of a listener: rustls with ring, TLS 1.2 and 1.3, HTTP/2 before HTTP/1.1.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// A file and what it holds.
pub(crate) type Pem<'a> = (&'a Path, Vec<u8>);

/// How connections are made secure. With an authority for clients, each must show a certificate that it signed.
pub(crate) fn config(
    cert: &Pem<'_>,
    key: &Pem<'_>,
    client_ca: Option<&Pem<'_>>,
) -> Result<Arc<ServerConfig>, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be had: {error}"))?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let roots = Arc::new(authorities(file)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| wrong(file, &error))?)
        }
    };
    let (chain, secret) = (certificates(cert)?, secret(key)?);
    let mut config = builder.with_single_cert(chain, secret).map_err(|error| {
        let (cert, key) = (cert.0.display(), key.0.display());
        format!("the certificate in {cert} and the key in {key} cannot be used together: {error}")
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The authorities in a file.
pub(crate) fn authorities(file: &Pem<'_>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(file)? {
        roots.add(authority).map_err(|error| wrong(file, &error))?;
    }
    Ok(roots)
}

/// The key in a file.
pub(crate) fn secret(file: &Pem<'_>) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(&file.1).map_err(|error| match error {
        pem::Error::NoItemsFound => wrong(file, &"there is no key in it"),
        error => wrong(file, &error),
    })
}

/// The certificates in a file.
pub(crate) fn certificates(file: &Pem<'_>) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&file.1).collect();
    let read = read.map_err(|error| wrong(file, &error))?;
    if read.is_empty() { Err(wrong(file, &"there is no certificate in it")) } else { Ok(read) }
}

fn wrong(file: &Pem<'_>, why: &dyn std::fmt::Display) -> String {
    format!("{} cannot be used: {why}", file.0.display())
}
