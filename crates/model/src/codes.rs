//! One way to write a closed set of codes: the enum, its text on the wire, and the two conversions.

/// Declares an enum whose variants each have one code, the text used in every line, table and event.
///
/// It gives `ALL`, `COUNT`, `code()`, `from_code()`, `from_bytes()`, `index()`, `Display`, and serde by code; in
/// a format that people do not read, by index.
macro_rules! codes {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_meta])* #[doc = concat!("`", $code, "`")] $variant,)+ }

        impl $name {
            /// Every variant, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// How many variants there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The text of this variant.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The variant with this text, if there is one.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }

            /// The variant whose text these bytes are, if there is one.
            #[must_use]
            pub fn from_bytes(code: &[u8]) -> Option<Self> {
                // One after the other, so that each is compared by words and not by a call.
                $(if code == $code.as_bytes() {
                    return Some(Self::$variant);
                })+
                None
            }

            /// The position in [`Self::ALL`].
            #[must_use]
            pub const fn index(self) -> usize { self as usize }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.code()) }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match serializer.is_human_readable() {
                    true => serializer.serialize_str(self.code()),
                    false => serializer.serialize_u8(*self as u8),
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if !deserializer.is_human_readable() {
                    let index = u8::deserialize(deserializer)?;
                    return Self::ALL.get(usize::from(index)).copied().ok_or_else(|| {
                        serde::de::Error::custom(format!("{index} is not a {}", stringify!($name)))
                    });
                }
                let code = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::from_code(&code).ok_or_else(|| {
                    let accepted: Vec<_> = Self::ALL.iter().map(|known| known.code()).collect();
                    serde::de::Error::custom(format!(
                        "`{code}` is not a {}; accepted: {}", stringify!($name), accepted.join(", ")
                    ))
                })
            }
        }
    };
}

pub(crate) use codes;
