//! The values of the keys that one attempt's events carry, and their labels in the truth.

use authstitch_model::KeyKind;
use authstitch_model::key::{challenge_digest, code_digest};
use authstitch_model::line::KeyLabel;
use authstitch_otlp::wire::KeyValue;

use super::attributes::text;
use super::event::{Asker, Event};
use crate::random::Dice;
use crate::world::SideStyle;

/// The raw values.
#[derive(Clone, Debug)]
pub(crate) struct KeyValues {
    pub(crate) journey: String,
    pub(crate) challenge: Option<String>,
    pub(crate) codes: Vec<String>,
    pub(crate) container: String,
    pub(crate) page_session: String,
    pub(crate) phone_session: String,
}

impl KeyValues {
    /// Fresh values, apart from the codes.
    pub(crate) fn fresh(dice: &mut Dice) -> Self {
        Self {
            journey: dice.token(26),
            challenge: None,
            codes: Vec::new(),
            container: dice.token(26),
            page_session: dice.token(26),
            phone_session: dice.token(26),
        }
    }

    /// The attributes and labels of the keys that an event carries in a style.
    pub(super) fn of_event(
        &self,
        event: &Event,
        style: &SideStyle,
        attributes: &mut Vec<KeyValue>,
    ) -> Vec<KeyLabel> {
        let mut labels = Vec::with_capacity(style.keys.len() + 1);
        for kind in &style.keys {
            if let Some((attribute, value, number)) = self.value(*kind, event, style.hashed) {
                attributes.push(text(attribute, value));
                labels.push(KeyLabel { kind: *kind, number });
            }
        }
        labels
    }

    /// The attribute, the value, and which one of its kind it is.
    fn value(&self, kind: KeyKind, event: &Event, hashed: bool) -> Option<(&'static str, String, u32)> {
        let has_id = !event.before_keys;
        match kind {
            KeyKind::Journey => has_id.then(|| ("auth.journey.id", self.journey.clone(), 1)),
            KeyKind::Challenge => {
                let challenge = self.challenge.as_ref().filter(|_| has_id)?;
                let value = if hashed { hex(challenge_digest(challenge)) } else { challenge.clone() };
                Some(("auth.challenge.id", value, 1))
            }
            KeyKind::Code => {
                let number = event.code.filter(|_| has_id)?;
                let code = self.codes.get(number)?;
                let value = if hashed { hex(code_digest(code)) } else { code.clone() };
                Some(("auth.code.id", value, number as u32 + 1))
            }
            KeyKind::Flow => Some(("auth.flow.id", self.container.clone(), 1)),
            KeyKind::Session => match event.asked_by {
                Asker::Page => Some(("session.id", self.page_session.clone(), 1)),
                Asker::Phone => Some(("session.id", self.phone_session.clone(), 2)),
                Asker::Scanner => None,
            },
            KeyKind::Trace => None,
        }
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: [u8; 16]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// Base64url of a challenge's bytes: 32 of them make 43 characters.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 2);
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            text.push(char::from(DIGITS[(bits >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_reads_back() {
        for bytes in [&[][..], &[1], &[1, 2], &[255, 254, 253], &[7; 32]] {
            assert_eq!(authstitch_model::key::decode_base64(&base64url(bytes)).as_deref(), Some(bytes));
        }
    }
}
