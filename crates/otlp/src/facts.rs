//! What a record says beside its name, reduced to small closed sets and numbers; the values are then dropped.

use authstitch_model::event::Transports;
use authstitch_model::ids::decode_hex;
use authstitch_model::{Attachment, EventName, Facts, HttpMethod, Mediation};

use crate::attributes::{Attr, Attributes};
use crate::reasons;
use crate::wire::Value;

#[cfg(test)]
mod tests;

/// The facts that its attributes hold.
pub(crate) fn of_attributes(name: EventName, attributes: &Attributes<'_>) -> Facts {
    let text = |attr| attributes.text(attr);
    let names_method =
        matches!(name, EventName::MethodOffered | EventName::MethodSelected | EventName::MethodSwitched);
    let reason = text(Attr::Reason);
    Facts {
        code_ttl: attributes.millis(Attr::CodeTtl),
        webauthn_timeout: attributes.millis(Attr::WebauthnTimeout),
        webauthn_elapsed: attributes.millis(Attr::WebauthnElapsed),
        mediation: text(Attr::Mediation).and_then(Mediation::from_code),
        attachment: text(Attr::Attachment).and_then(Attachment::from_code),
        hybrid_capability: attributes.flag(Attr::HybridCapability),
        aaguid: attributes.get(Attr::Aaguid).and_then(aaguid),
        transports: attributes.get(Attr::Transports).map(transports).unwrap_or_default(),
        backup_eligible: attributes.flag(Attr::BackupEligible),
        backup_state: attributes.flag(Attr::BackupState),
        reason: reason.filter(|_| !names_method).map(reasons::reason),
        method: reason.filter(|_| names_method).map(reasons::method),
        http_method: text(Attr::HttpRequestMethod).map(http_method),
        country: text(Attr::CountryIsoCode).and_then(country),
        ..Facts::default()
    }
}

fn http_method(text: &str) -> HttpMethod {
    HttpMethod::from_code(&text.to_ascii_uppercase()).unwrap_or(HttpMethod::Other)
}

/// Two letters, in any case.
fn country(text: &str) -> Option<[u8; 2]> {
    let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
    letters.iter().all(u8::is_ascii_alphabetic).then(|| letters.map(|letter| letter.to_ascii_uppercase()))
}

/// The first eight bytes of a UUID in any notation; all zeros mean that the authenticator did not tell.
fn aaguid(value: &Value) -> Option<u64> {
    let bytes: [u8; 16] = match value {
        Value::Bytes(bytes) => bytes.as_slice().try_into().ok()?,
        Value::String(text) => {
            let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
            let mut bytes = [0; 16];
            decode_hex(&digits, &mut bytes)?;
            bytes
        }
        _ => return None,
    };
    let (first, _) = bytes.split_first_chunk::<8>()?;
    (bytes != [0; 16]).then_some(u64::from_be_bytes(*first))
}

/// `cable` is the name that hybrid had in Chrome.
fn transports(value: &Value) -> Transports {
    let codes = value.texts().map(|code| if code == "cable" { "hybrid" } else { code });
    codes.fold(Transports::default(), Transports::with)
}
