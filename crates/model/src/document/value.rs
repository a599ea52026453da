//! From a format that knows more than JSON to a [`Value`].
//!
//! YAML has numbers that JSON has not: infinite ones, none at all, and whole ones of more than 64 bits. As they are, they
//! would become null, and null is the default: each is a problem instead. So is a key that stands twice.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{Problem, quoted};

/// The value of a document, and what in it is no value. Where a problem is, there is null.
///
/// # Errors
/// If the document cannot be read, or a map in it has keys that are no texts.
pub fn value<'de, D: Deserializer<'de>>(document: D) -> Result<(Value, Vec<Problem>), D::Error> {
    let problems = RefCell::new(Vec::new());
    let value = Place { path: "", problems: &problems }.deserialize(document)?;
    Ok((value, problems.into_inner()))
}

/// A place in the document.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    problems: &'a RefCell<Vec<Problem>>,
}

impl Place<'_> {
    fn problem(self, message: String) -> Value {
        let path = if self.path.is_empty() { "(top)" } else { self.path };
        self.problems.borrow_mut().push(Problem::at(path, message));
        Value::Null
    }

    /// The value of a number that may be none.
    fn number(self, number: Option<Number>, shown: impl fmt::Display) -> Value {
        let refused = || {
            let shown = quoted(&shown.to_string());
            self.problem(format!(
                "{shown} is no number that is accepted; accepted: finite ones, whole ones of 64 bits"
            ))
        };
        number.map_or_else(refused, Value::Number)
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, document: D) -> Result<Value, D::Error> {
        document.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true or false, a list, or a map whose keys are texts")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, document: D) -> Result<Value, D::Error> {
        self.deserialize(document)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Value, E> {
        Ok(self.number(Number::from_i128(value), value))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Value, E> {
        Ok(self.number(Number::from_u128(value), value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(self.number(Number::from_f64(value), value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let path = format!("{}[{}]", self.path, list.len());
            match items.next_element_seed(Place { path: &path, ..self })? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let path = if self.path.is_empty() { key.clone() } else { format!("{}.{key}", self.path) };
            let place = Place { path: &path, ..self };
            let item = entries.next_value_seed(place)?;
            if map.insert(key, item).is_some() {
                place.problem("stands twice; remove one".to_owned());
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A number as a format gives it that knows more than JSON.
    enum Given {
        Float(f64),
        Long(i128),
        Longer(u128),
    }

    impl<'de> Deserializer<'de> for Given {
        type Error = serde::de::value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            match self {
                Self::Float(number) => visitor.visit_f64(number),
                Self::Long(number) => visitor.visit_i128(number),
                Self::Longer(number) => visitor.visit_u128(number),
            }
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }

    #[test]
    fn a_number_that_json_has_not_is_a_problem_and_no_default() {
        for given in [
            Given::Float(f64::NAN),
            Given::Float(f64::INFINITY),
            Given::Float(f64::NEG_INFINITY),
            Given::Long(i128::MIN),
            Given::Longer(u128::from(u64::MAX) + 1),
        ] {
            let (read, problems) = value(given).unwrap();
            assert_eq!((read, problems.len(), problems[0].path.as_str()), (Value::Null, 1, "(top)"));
            assert!(problems[0].message.contains("is no number that is accepted"), "{problems:?}");
        }
        for (given, number) in
            [(Given::Float(1.5), json!(1.5)), (Given::Long(-7), json!(-7)), (Given::Longer(7), json!(7))]
        {
            assert_eq!(value(given).unwrap(), (number, Vec::new()));
        }
    }

    #[test]
    fn what_json_has_too_is_what_it_was_and_a_key_that_stands_twice_is_told() {
        let document = json!({"a": [1, -2, 1.5, null, true, "x", {"b": {}}], "c": ""});
        assert_eq!(value(&document).unwrap(), (document, Vec::new()));
        let mut twice = serde_json::Deserializer::from_str(r#"{"a": {"b": 1, "b": 2}}"#);
        let (read, problems) = value(&mut twice).unwrap();
        assert_eq!(read, json!({"a": {"b": 2}}));
        assert_eq!(problems, [Problem::at("a.b", "stands twice; remove one")]);
    }
}
