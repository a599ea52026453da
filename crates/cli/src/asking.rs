//! Asking a running server one question, as `explain` and `forget` do.
//!
//! - A question goes in the body: URLs end up in logs.
//! - A token is read from a file, for a command line can be read by others of the machine. Of a file with several, as a
//!   listener has, the first is shown.
//! - Over https the certificates in the named file are trusted, and no others. A token goes over https, or to this
//!   machine: anywhere else it could be read on the way.

use std::fs::File;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::Path;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::args::Access;
use crate::caps;
use crate::failure::{Failure, While};
use crate::sender::http::{Answered, HttpClient, Version};
use crate::sender::{roots, runtime};

/// Posts a question to a path of a server, and reads its answer.
pub fn ask<T: DeserializeOwned>(
    endpoint: &str,
    path: &str,
    question: &Value,
    access: &Access,
) -> Result<T, Failure> {
    let what = format!("ask {endpoint}");
    let uri: Uri = format!("{}{path}", endpoint.trim_end_matches('/')).parse().cannot(&what)?;
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    if let Some(file) = &access.token_file {
        if !is_private(&uri) {
            return Err(Failure::usage(format!("a token is not sent to {endpoint} in plain text"))
                .hint("use https://, and `--tls-ca FILE` with the certificate to trust"));
        }
        headers.insert(AUTHORIZATION, bearer(file)?);
    }
    let client = HttpClient::new(Version::Http1, roots(endpoint, access.tls_ca.as_deref())?)?;
    let body = question.to_string().into_bytes().into();
    let answer = runtime()?.block_on(client.post(uri, headers, Bytes::new(), body));
    let unreachable = |error: String| {
        let failure = Failure::new(format!("cannot {what}: {error}"));
        match endpoint.starts_with("https:") && error.contains("certificate") {
            true => failure.hint(
                "name the server as its certificate does, `--endpoint https://NAME:PORT`, and trust who signed it, \
                 `--tls-ca FILE`",
            ),
            false => failure,
        }
    };
    let Answered { status, body, .. } = answer.map_err(unreachable)?;
    match status {
        StatusCode::OK => serde_json::from_slice(&body).cannot(format!("read the answer of {endpoint}")),
        StatusCode::UNAUTHORIZED => {
            Err(Failure::new(format!("{endpoint} does not accept the token, or was shown none"))
                .hint("`--token-file FILE` shows the first token in the file; the server's are those of `listeners.web`"))
        }
        _ => {
            let said = String::from_utf8_lossy(&body);
            Err(Failure::new(format!("cannot {what}: HTTP status {}: {said}", status.as_u16())))
        }
    }
}

/// Whether nobody can read on the way what is sent there.
fn is_private(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    uri.scheme_str() == Some("https") || is_here
}

/// The header that shows the first token of a file. No error shows what stands in it.
fn bearer(file: &Path) -> Result<HeaderValue, Failure> {
    let mut text = String::new();
    File::open(file)
        .and_then(|file| file.take(caps::TOKEN_FILE_BYTES).read_to_string(&mut text))
        .cannot(format!("read the token in {}", file.display()))?;
    let token = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let none = || {
        Failure::new(format!("{} holds no token", file.display()))
            .hint("accepted: one a line, in visible ASCII characters; lines that begin with `#` are comments")
    };
    let token = token.filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic())).ok_or_else(none)?;
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_invalid| none())?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_over_https_or_to_this_machine() {
        for url in ["https://a.example/", "http://localhost:1/", "http://127.0.0.2:1/", "http://[::1]:1/"] {
            assert!(is_private(&url.parse().unwrap()), "{url}");
        }
        for url in ["http://a.example/", "http://192.0.2.1:4380/", "http://localhost.example/"] {
            assert!(!is_private(&url.parse().unwrap()), "{url}");
        }
    }

    #[test]
    fn the_first_token_of_a_file_is_shown_and_what_is_none_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("tokens");
        std::fs::write(&file, "# readers\n\n  the-first-token  \nthe-second-token\n").unwrap();
        let header = bearer(&file).unwrap();
        assert_eq!((header.to_str().unwrap(), header.is_sensitive()), ("Bearer the-first-token", true));
        for wrong in ["", "# nothing\n", "no token at all\n", "s\u{fc}ss-token-of-a-reader\n"] {
            std::fs::write(&file, wrong).unwrap();
            let said = bearer(&file).unwrap_err().to_string();
            assert!(said.contains("holds no token"), "{said}");
            assert!(!said.contains("at all") && !said.contains("reader"), "{said}");
        }
    }
}
