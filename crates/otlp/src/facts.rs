//! What a record says beside its name, reduced to small closed sets and numbers; the values are then dropped.

use authstitch_model::event::Transports;
use authstitch_model::ids::decode_hex;
use authstitch_model::{Attachment, EventName, Facts, HttpMethod, Mediation};

use crate::attributes::{Attr, Attributes};
use crate::reasons;
use crate::scan::Scan;
use crate::value::Value;

#[cfg(test)]
mod tests;

/// The facts that its attributes hold.
pub(crate) fn of_attributes(name: EventName, attributes: &Attributes<'_, '_>) -> Scan<Facts> {
    let bytes = |attr| attributes.bytes(attr);
    let names_method =
        matches!(name, EventName::MethodOffered | EventName::MethodSelected | EventName::MethodSwitched);
    let reason = attributes.text(Attr::Reason);
    Ok(Facts {
        code_ttl: attributes.millis(Attr::CodeTtl),
        webauthn_timeout: attributes.millis(Attr::WebauthnTimeout),
        webauthn_elapsed: attributes.millis(Attr::WebauthnElapsed),
        mediation: bytes(Attr::Mediation).and_then(Mediation::from_bytes),
        attachment: bytes(Attr::Attachment).and_then(Attachment::from_bytes),
        hybrid_capability: attributes.flag(Attr::HybridCapability),
        aaguid: attributes.get(Attr::Aaguid).and_then(aaguid),
        transports: attributes.get(Attr::Transports).map(transports).transpose()?.unwrap_or_default(),
        backup_eligible: attributes.flag(Attr::BackupEligible),
        backup_state: attributes.flag(Attr::BackupState),
        reason: reason.filter(|_| !names_method).map(reasons::reason),
        method: reason.filter(|_| names_method).map(reasons::method),
        http_method: bytes(Attr::HttpRequestMethod).map(http_method),
        country: bytes(Attr::CountryIsoCode).and_then(country),
        ..Facts::default()
    })
}

/// A method, in any case.
fn http_method(text: &[u8]) -> HttpMethod {
    let named = |method: &&HttpMethod| method.code().as_bytes().eq_ignore_ascii_case(text);
    HttpMethod::ALL.iter().find(named).copied().unwrap_or(HttpMethod::Other)
}

/// Two letters, in any case.
fn country(text: &[u8]) -> Option<[u8; 2]> {
    let letters: [u8; 2] = text.try_into().ok()?;
    letters.iter().all(u8::is_ascii_alphabetic).then(|| letters.map(|letter| letter.to_ascii_uppercase()))
}

/// The first eight bytes of a UUID in any notation; all zeros mean that the authenticator did not tell.
fn aaguid(value: Value<'_>) -> Option<u64> {
    let bytes: [u8; 16] = match value {
        Value::Bytes(bytes) => bytes.try_into().ok()?,
        Value::Text(_) => {
            let digits: String = value.text()?.chars().filter(char::is_ascii_hexdigit).collect();
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
fn transports(value: Value<'_>) -> Scan<Transports> {
    let codes = value.texts()?.into_iter().map(|code| if code == "cable" { "hybrid" } else { code });
    Ok(codes.fold(Transports::default(), Transports::with))
}
