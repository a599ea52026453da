//! What a record says beside its name, reduced to small closed sets and numbers; the values are then dropped.

use authstitch_model::event::Transports;
use authstitch_model::ids::decode_hex;
use authstitch_model::{Attachment, EventName, Facts, HttpMethod, Mediation};

use crate::attributes::{Attr, Attributes, Set};
use crate::reasons;
use crate::scan::Scan;
use crate::value::Value;

#[cfg(test)]
mod tests;

/// The attributes that hold facts.
const FACTS: Set = Set::of(&[
    Attr::CodeTtl,
    Attr::WebauthnTimeout,
    Attr::WebauthnElapsed,
    Attr::Mediation,
    Attr::Attachment,
    Attr::HybridCapability,
    Attr::Aaguid,
    Attr::Transports,
    Attr::BackupEligible,
    Attr::BackupState,
    Attr::Reason,
    Attr::HttpRequestMethod,
    Attr::CountryIsoCode,
]);

/// Adds the facts that its attributes hold.
pub(crate) fn read(facts: &mut Facts, name: EventName, attributes: &Attributes<'_, '_>) -> Scan<()> {
    for attr in attributes.present(FACTS) {
        let Some(value) = attributes.get(attr) else { continue };
        let bytes = || value.bytes();
        match attr {
            Attr::CodeTtl => facts.code_ttl = value.millis(),
            Attr::WebauthnTimeout => facts.webauthn_timeout = value.millis(),
            Attr::WebauthnElapsed => facts.webauthn_elapsed = value.millis(),
            Attr::Mediation => facts.mediation = bytes().and_then(Mediation::from_bytes),
            Attr::Attachment => facts.attachment = bytes().and_then(Attachment::from_bytes),
            Attr::HybridCapability => facts.hybrid_capability = value.flag(),
            Attr::Aaguid => facts.aaguid = aaguid(value),
            Attr::Transports => facts.transports = transports(value)?,
            Attr::BackupEligible => facts.backup_eligible = value.flag(),
            Attr::BackupState => facts.backup_state = value.flag(),
            Attr::Reason if names_method(name) => facts.method = value.text().map(reasons::method),
            Attr::Reason => facts.reason = value.text().map(reasons::reason),
            Attr::HttpRequestMethod => facts.http_method = bytes().map(http_method),
            Attr::CountryIsoCode => facts.country = bytes().and_then(country),
            _ => {}
        }
    }
    Ok(())
}

/// Whether the reason of an event is a method's name.
const fn names_method(name: EventName) -> bool {
    matches!(name, EventName::MethodOffered | EventName::MethodSelected | EventName::MethodSwitched)
}

/// A method, in any case.
fn http_method(text: &[u8]) -> HttpMethod {
    let named = |method: &&HttpMethod| method.code().as_bytes().eq_ignore_ascii_case(text);
    let in_any_case = || HttpMethod::ALL.iter().find(named).copied();
    HttpMethod::from_bytes(text).or_else(in_any_case).unwrap_or(HttpMethod::Other)
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
