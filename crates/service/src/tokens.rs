//! Bearer tokens: who shows one may come in.
//!
//! - Several are accepted at once, so that they can be changed one after the other.
//! - Only their SHA-256 is kept, and compared in the same time whatever differs.
//! - A file of tokens has one a line; empty lines, and those that begin with `#`, are none.

use std::fmt;

use authstitch_model::key::decode_base64;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::caps;

/// The tokens that are accepted.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tokens(Vec<[u8; 32]>);

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tokens", self.0.len())
    }
}

impl Tokens {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Accepts one more.
    ///
    /// # Errors
    /// If it is no token; the message does not show it.
    pub fn add(&mut self, token: &str) -> Result<(), String> {
        let (least, most) = (caps::TOKEN_BYTES_LEAST, caps::TOKEN_BYTES);
        if !(least..=most).contains(&token.len()) || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!(
                "is no token; accepted: {least} to {most} visible ASCII characters, such as `openssl rand -hex 32` prints"
            ));
        }
        if self.0.len() == caps::TOKENS {
            return Err(format!("is one too many; at most {} are accepted at once", caps::TOKENS));
        }
        self.0.push(Sha256::digest(token).into());
        Ok(())
    }

    /// Accepts those of a file beside these.
    pub(crate) fn with_lines(mut self, text: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim).enumerate();
        for (nth, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            self.add(line).map_err(|why| format!("line {} {why}", nth + 1))?;
        }
        if self.is_empty() { Err("it has no token".to_owned()) } else { Ok(self) }
    }

    /// Whether this is one of them.
    fn accept(&self, shown: &[u8]) -> bool {
        let shown: [u8; 32] = Sha256::digest(shown).into();
        let any = |found: Choice, token: &[u8; 32]| found | token.ct_eq(&shown);
        self.0.iter().fold(Choice::from(0), any).into()
    }

    /// Whether a request shows one of them: as a bearer, or, where `basic` is accepted, as the password of any user.
    pub(crate) fn admit(&self, headers: &HeaderMap, basic: bool) -> bool {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return false };
        let Some((scheme, shown)) = value.to_str().ok().and_then(|text| text.split_once(' ')) else {
            return false;
        };
        let shown = shown.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.accept(shown.as_bytes());
        }
        let password = || {
            let pair = decode_base64(shown)?;
            let colon = pair.iter().position(|byte| *byte == b':')?;
            Some(self.accept(&pair[colon + 1..]))
        };
        basic && scheme.eq_ignore_ascii_case("basic") && password().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const OLD: &str = "the-old-token-0123456789";
    const NEW: &str = "the-new-token-0123456789";

    fn admitted(tokens: &Tokens, values: &[&str], basic: bool) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        tokens.admit(&headers, basic)
    }

    #[test]
    fn each_of_several_is_accepted_and_nothing_else() {
        let tokens = Tokens::default().with_lines(&format!("# both\n{OLD}\n\n  {NEW}\n")).unwrap();
        for token in [OLD, NEW] {
            for scheme in ["Bearer", "bearer", "BEARER"] {
                assert!(admitted(&tokens, &[&format!("{scheme} {token}")], false), "{scheme}");
            }
        }
        let [cut, longer] = [format!("Bearer {}", &OLD[1..]), format!("Bearer {OLD}x")];
        let twice = format!("Bearer {OLD}");
        for values in
            [&[][..], &[""], &["Bearer"], &["Bearer "], &[OLD], &[&cut], &[&longer], &[&twice, &twice]]
        {
            assert!(!admitted(&tokens, values, true), "{values:?}");
        }
        assert!(!admitted(&Tokens::default(), &["Bearer "], true));
    }

    #[test]
    fn a_browser_shows_it_as_a_password() {
        let mut tokens = Tokens::default();
        tokens.add(OLD).unwrap();
        // `anybody:the-old-token-0123456789`, then with a letter less.
        let shown = "Basic YW55Ym9keTp0aGUtb2xkLXRva2VuLTAxMjM0NTY3ODk=";
        assert!(admitted(&tokens, &[shown], true));
        assert!(!admitted(&tokens, &[shown], false), "programs send a bearer");
        assert!(!admitted(&tokens, &["Basic YW55Ym9keTp0aGUtb2xkLXRva2VuLTAxMjM0NTY3OA=="], true));
        assert!(!admitted(&tokens, &["Basic ?"], true));
    }

    #[test]
    fn what_is_no_token_is_refused_and_not_shown() {
        for wrong in [
            "",
            "short",
            "with a space in the middle",
            "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
        ] {
            let why = Tokens::default().add(wrong).unwrap_err();
            assert!(wrong.is_empty() || !why.contains(wrong), "{why}");
        }
        let many: String = (0..=caps::TOKENS).map(|nth| format!("token-of-many-{nth:04}\n")).collect();
        assert_eq!(
            Tokens::default().with_lines(&many).unwrap_err(),
            "line 17 is one too many; at most 16 are accepted at once"
        );
        assert!(Tokens::default().with_lines("# nothing\n").is_err());
        let tokens = Tokens::default().with_lines(OLD).unwrap();
        assert_eq!(format!("{tokens:?}"), "1 tokens");
    }
}
