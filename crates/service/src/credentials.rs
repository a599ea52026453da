//! The certificates and tokens of one listener, and reading their files again.
//!
//! - Connections made from then on use what was read last; those that are open go on.
//! - Files that cannot be read, or do not fit each other, change nothing: the old ones stay, and that is said once.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderMap;
use rustls::ServerConfig;
use sha2::{Digest, Sha256};

use crate::caps;
use crate::settings::{Listening, TlsFiles};
use crate::tls::{self, Pem};
use crate::tokens::Tokens;

/// What guards a listener.
#[derive(Debug)]
pub(crate) struct Credentials {
    tls: Option<TlsFiles>,
    tokens: Tokens,
    token_file: Option<PathBuf>,
    now: RwLock<Current>,
}

/// What was read last.
#[derive(Clone, Debug)]
struct Current {
    tls: Option<Arc<ServerConfig>>,
    tokens: Tokens,
    /// Of the files that all this was made of.
    digest: [u8; 32],
    /// Why the files, as they stand now, were refused.
    complaint: Option<String>,
}

/// What came of reading the files again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// They have changed, and the new ones count.
    Changed,
    /// The old ones stay, for this reason, which is told once.
    Refused(String),
}

impl Credentials {
    /// Reads them for the first time.
    pub(crate) fn open(listening: &Listening) -> Result<Self, String> {
        let (tls, tokens) = (listening.tls.clone(), listening.tokens.clone());
        let token_file = listening.token_file.clone();
        let now = read(tls.as_ref(), &tokens, token_file.as_deref())?;
        Ok(Self { tls, tokens, token_file, now: RwLock::new(now) })
    }

    /// How connections are made secure, if they are.
    pub(crate) fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).tls.clone()
    }

    /// Whether a request may come in.
    pub(crate) fn admit(&self, headers: &HeaderMap, basic: bool) -> bool {
        if self.tokens.is_empty() && self.token_file.is_none() {
            return true;
        }
        self.now.read().unwrap_or_else(PoisonError::into_inner).tokens.admit(headers, basic)
    }

    /// Reads the files again.
    pub(crate) fn refresh(&self) -> Option<News> {
        if self.tls.is_none() && self.token_file.is_none() {
            return None;
        }
        let read = read(self.tls.as_ref(), &self.tokens, self.token_file.as_deref());
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(new) if new.digest == now.digest => {
                now.complaint = None;
                None
            }
            Ok(new) => {
                *now = new;
                Some(News::Changed)
            }
            Err(why) if now.complaint.as_ref() == Some(&why) => None,
            Err(why) => {
                now.complaint = Some(why.clone());
                Some(News::Refused(why))
            }
        }
    }
}

/// Everything for which [`Credentials::open`] would refuse the files of a listener, each with the key that names the
/// file: that ends with the first, and a person wants to hear of all.
pub(crate) fn mistakes(listening: &Listening) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if let Some(TlsFiles { cert, key, client_ca }) = &listening.tls {
        let certificates = |pem: &Pem<'_>| tls::certificates(pem).map(drop);
        found.extend(wrong("tls.cert", cert, certificates));
        found.extend(wrong("tls.key", key, |pem| tls::secret(pem).map(drop)));
        let authorities = |pem: &Pem<'_>| tls::authorities(pem).map(drop);
        found.extend(client_ca.as_deref().and_then(|path| wrong("tls.client_ca", path, authorities)));
        let named = [cert, key].iter().all(|path| !path.as_os_str().is_empty());
        if named && found.is_empty() {
            let together = read(listening.tls.as_ref(), &Tokens::default(), None);
            found.extend(together.err().map(|why| ("tls", why)));
        }
    }
    if let Some(path) = &listening.token_file {
        let tokens = read(None, &listening.tokens, Some(path));
        found.extend(tokens.err().map(|why| ("token_file", why)));
    }
    found
}

/// Why a file is not what it is named for. One that the configuration fails to name is told of there.
fn wrong(
    key: &'static str,
    path: &Path,
    check: impl FnOnce(&Pem<'_>) -> Result<(), String>,
) -> Option<(&'static str, String)> {
    let named = (!path.as_os_str().is_empty()).then_some(path)?;
    let checked = bytes(named).and_then(|bytes| check(&(named, bytes)));
    checked.err().map(|why| (key, why))
}

fn read(files: Option<&TlsFiles>, tokens: &Tokens, token_file: Option<&Path>) -> Result<Current, String> {
    let mut digest = Sha256::new();
    let mut contents = |path: &Path| {
        let bytes = bytes(path)?;
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(&bytes);
        Ok::<_, String>(bytes)
    };
    let tls = match files {
        Some(TlsFiles { cert, key, client_ca }) => {
            let client_ca =
                client_ca.as_deref().map(|path| contents(path).map(|bytes| (path, bytes))).transpose()?;
            let (cert, key) = ((cert.as_path(), contents(cert)?), (key.as_path(), contents(key)?));
            Some(tls::config(&cert, &key, client_ca.as_ref())?)
        }
        None => None,
    };
    let mut tokens = tokens.clone();
    if let Some(path) = token_file {
        let wrong = |why: String| format!("the tokens in {} cannot be used: {why}", path.display());
        let text = String::from_utf8(contents(path)?).map_err(|_| wrong("it is no text".to_owned()))?;
        tokens = tokens.with_lines(&text).map_err(wrong)?;
    }
    Ok(Current { tls, tokens, digest: digest.finalize().into(), complaint: None })
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |why: &dyn std::fmt::Display| format!("{} cannot be read: {why}", path.display());
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    file.take(caps::PEM_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > caps::PEM_BYTES {
        return Err(unreadable(&format!("it has more than {} bytes", caps::PEM_BYTES)));
    }
    Ok(bytes)
}
