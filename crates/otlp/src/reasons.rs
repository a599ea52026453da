//! Why a verification failed, and which method was meant: texts of servers, reduced to the vocabulary.
//!
//! - A word of the vocabulary is itself, in any case.
//! - Names that servers and their libraries use stand for the reason they mean.
//! - Any other `auth.reason` is `other`; any other error type says nothing of the reason.

use authstitch_model::{Method, Reason};

/// Words in lowercase without `_`, `-` and spaces, with the reason of a text that contains them; first wins.
const REASONS: &[(&str, Reason)] = &[
    ("challengenotfound", Reason::ChallengeExpired),
    ("challengeexpired", Reason::ChallengeExpired),
    ("challenge", Reason::ChallengeMismatch),
    ("rporigin", Reason::OriginMismatch),
    ("origin", Reason::OriginMismatch),
    ("rpid", Reason::RpIdMismatch),
    ("signature", Reason::SignatureInvalid),
    ("authenticationfailure", Reason::SignatureInvalid),
    ("credentialnotfound", Reason::UnknownCredential),
    ("unknowncredential", Reason::UnknownCredential),
    ("usernotverified", Reason::UserNotVerified),
    ("usernotpresent", Reason::UserNotVerified),
    ("alreadyused", Reason::TokenAlreadyUsed),
    ("tokenexpired", Reason::TokenExpired),
    ("codeexpired", Reason::TokenExpired),
    ("expiredcode", Reason::TokenExpired),
    ("expiredtoken", Reason::TokenExpired),
    ("linkexpired", Reason::TokenExpired),
];

/// Names of methods beyond the vocabulary's.
const METHODS: &[(&str, Method)] = &[
    ("webauthn", Method::Passkey),
    ("qr", Method::AppQr),
    ("qr_code", Method::AppQr),
    ("link", Method::MagicLink),
    ("email_link", Method::MagicLink),
    ("code", Method::Otp),
    ("sms", Method::Otp),
    ("totp", Method::Otp),
    ("oidc", Method::Federated),
    ("saml", Method::Federated),
    ("social", Method::Federated),
];

/// What `auth.reason` says of a verification.
pub(crate) fn reason(text: &str) -> Reason {
    Reason::from_code(&text.to_ascii_lowercase()).or_else(|| reason_of_error(text)).unwrap_or(Reason::Other)
}

/// What the type of a server's error says of the reason.
pub(crate) fn reason_of_error(kind: &str) -> Option<Reason> {
    let bare = kind.chars().filter(char::is_ascii_alphanumeric).map(|char| char.to_ascii_lowercase());
    let bare: String = bare.take(crate::caps::ERROR_BYTES).collect();
    REASONS.iter().find(|(word, _)| bare.contains(word)).map(|(_, reason)| *reason)
}

/// What `auth.reason` says of a method.
pub(crate) fn method(text: &str) -> Method {
    let text = text.to_ascii_lowercase();
    let alias = || METHODS.iter().find(|(name, _)| *name == text).map(|(_, method)| *method);
    Method::from_code(&text).or_else(alias).unwrap_or(Method::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_the_vocabulary_is_itself() {
        for known in Reason::ALL {
            assert_eq!(reason(&known.code().to_uppercase()), *known);
        }
        for known in Method::ALL {
            assert_eq!(method(&known.code().to_uppercase()), *known);
        }
    }

    #[test]
    fn names_of_libraries_stand_for_what_they_mean() {
        for (name, meant) in [
            ("ChallengeNotFound", Reason::ChallengeExpired),
            ("MismatchedChallenge", Reason::ChallengeMismatch),
            ("InvalidRPOrigin", Reason::OriginMismatch),
            ("InvalidRPIDHash", Reason::RpIdMismatch),
            ("AuthenticationFailure", Reason::SignatureInvalid),
            ("CredentialNotFound", Reason::UnknownCredential),
            ("UserNotVerified", Reason::UserNotVerified),
            ("UserNotPresent", Reason::UserNotVerified),
            ("expired_code", Reason::TokenExpired),
            ("com.example.TokenExpiredException", Reason::TokenExpired),
        ] {
            assert_eq!(reason_of_error(name), Some(meant), "{name}");
            assert_eq!(reason(name), meant, "{name}");
        }
    }

    #[test]
    fn anything_else_is_other_and_no_reason_of_an_error() {
        assert_eq!(reason("the user's mail address"), Reason::Other);
        assert_eq!(reason_of_error("java.lang.NullPointerException"), None);
        assert_eq!(method("carrier pigeon"), Method::Other);
        assert_eq!(method("webauthn"), Method::Passkey);
    }
}
