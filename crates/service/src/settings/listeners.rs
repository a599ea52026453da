//! Where the service listens, and who may use each address.
//!
//! - A listener is an address, or a map with an address and what guards it.
//! - What other machines reach must be guarded: by TLS, and by tokens or client certificates beside it. A public
//!   listener needs TLS alone, for a token that stands in a page is no secret. Whoever has other means, such as a
//!   proxy or a network of its own, says so with `beyond_loopback: true`, for one listener or for all.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use authstitch_model::document::Fields;
use serde_json::Value;

use crate::tokens::Tokens;

/// An address, and what guards it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// The address; port 0 picks a free one.
    pub address: SocketAddr,
    /// The certificates, for TLS.
    pub tls: Option<TlsFiles>,
    /// Tokens that are accepted; none means that none is asked for, unless there is a file of them.
    pub tokens: Tokens,
    /// A file of further tokens.
    pub token_file: Option<PathBuf>,
    /// Whether other machines may reach it unguarded.
    pub beyond_loopback: bool,
}

impl From<SocketAddr> for Listening {
    fn from(address: SocketAddr) -> Self {
        Self { address, tls: None, tokens: Tokens::default(), token_file: None, beyond_loopback: false }
    }
}

impl Listening {
    /// A free port of this machine, with nothing to guard it.
    #[must_use]
    pub fn free_port() -> Self {
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()
    }

    /// Whether a token is asked for.
    pub(crate) const fn asks_for_tokens(&self) -> bool {
        !self.tokens.is_empty() || self.token_file.is_some()
    }

    /// Whether only this machine reaches it, as far as is known, and nothing is asked for.
    pub(crate) fn is_private(&self) -> bool {
        self.address.ip().is_loopback() && !self.beyond_loopback && !self.asks_for_tokens()
    }

    /// Whether it may be opened: only this machine reaches it, it is guarded, or somebody said so.
    pub(crate) fn may_listen(&self, public: bool) -> bool {
        let knows_clients = self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        let guarded = self.tls.is_some() && (public || knows_clients || self.asks_for_tokens());
        self.address.ip().is_loopback() || guarded || self.beyond_loopback
    }
}

/// Files in PEM, read again when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those between it and its authority.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Whose certificates clients must show; without one they need none.
    pub client_ca: Option<PathBuf>,
}

pub(super) const ACCEPTED: &str = "an IP address and a port, such as 127.0.0.1:4317";

/// Reads a listener.
pub(super) fn listening(
    fields: &Fields<'_>,
    key: &'static str,
    default: SocketAddr,
    beyond: bool,
) -> Listening {
    let default = Listening { beyond_loopback: beyond, ..Listening::from(default) };
    if fields.get(key).is_some_and(Value::is_object) {
        return fields.map(key, |inner| guarded(inner, &default, false));
    }
    let address = fields.parsed(key, ACCEPTED, default.address, |text| text.parse().ok());
    let listening = Listening { address, ..default };
    check(fields, key, &listening, false);
    listening
}

/// Reads the map of a listener.
pub(super) fn guarded(fields: &Fields<'_>, default: &Listening, public: bool) -> Listening {
    if public && !fields.has("address") {
        fields.problem("address", format!("is missing; accepted: {ACCEPTED}"));
    }
    let listening = Listening {
        address: fields.parsed("address", ACCEPTED, default.address, |text| text.parse().ok()),
        tls: fields.has("tls").then(|| fields.map("tls", tls)),
        tokens: tokens(fields),
        token_file: fields.text("token_file").map(PathBuf::from),
        beyond_loopback: fields.flag("beyond_loopback", default.beyond_loopback),
    };
    check(fields, "address", &listening, public);
    listening
}

/// Notes it where a listener may not be opened.
pub(super) fn check(fields: &Fields<'_>, key: &str, listening: &Listening, public: bool) {
    if !listening.may_listen(public) {
        let address = listening.address;
        fields.problem(key, format!("{address} {}", beyond_loopback(public)));
    }
}

/// Why an address that other machines reach is refused, and what to do.
pub(crate) fn beyond_loopback(public: bool) -> String {
    let guard =
        if public { "give it `tls`" } else { "give it `tls`, and `tokens` or a `tls.client_ca` beside it" };
    format!(
        "can be reached from other machines unguarded; use 127.0.0.1, {guard}, or set `beyond_loopback: true` where \
         the network is trusted"
    )
}

fn tls(fields: &Fields<'_>) -> TlsFiles {
    let file = |key| {
        fields.text(key).map(PathBuf::from).unwrap_or_else(|| {
            if !fields.has(key) {
                fields.problem(key, "is missing; accepted: a file in PEM");
            }
            PathBuf::new()
        })
    };
    TlsFiles { cert: file("cert"), key: file("key"), client_ca: fields.text("client_ca").map(PathBuf::from) }
}

/// Reads a list of tokens, and never shows one.
fn tokens(fields: &Fields<'_>) -> Tokens {
    let texts = match fields.get("tokens") {
        None => return Tokens::default(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            fields.problem("tokens", "is not a list of texts");
            return Tokens::default();
        }
    };
    let mut tokens = Tokens::default();
    for (nth, item) in texts.iter().enumerate() {
        let added = match item {
            Value::String(text) => tokens.add(text),
            _ => Err("is not a text; put quotes around it, or into a `token_file`".to_owned()),
        };
        if let Err(why) = added {
            fields.problem(&format!("tokens[{nth}]"), why);
        }
    }
    if tokens.is_empty() && texts.is_empty() {
        fields.problem("tokens", "is an empty list; leave it out where no token is asked for");
    }
    tokens
}
