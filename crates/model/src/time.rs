//! Times as numbers: this crate reads no clock.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixNanos(pub u64);

/// A length of time in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Millis(pub u64);

const NANOS_PER_MILLI: u64 = 1_000_000;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

impl Millis {
    /// So many whole seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds * 1000)
    }

    /// So many whole minutes.
    #[must_use]
    pub const fn from_mins(minutes: u64) -> Self {
        Self(minutes * 60_000)
    }

    /// Reads a number with a unit, as `250ms`, `30s`, `1.5m` or `2h`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let split = text.find(|char: char| char.is_ascii_alphabetic())?;
        let millis = match &text[split..] {
            "ms" => 1.0,
            "s" => 1000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            _ => return None,
        };
        let number: f64 = text[..split].parse().ok()?;
        (0.0..=1e9).contains(&number).then(|| Self((number * millis).round() as u64))
    }

    /// In nanoseconds, saturating.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0.saturating_mul(NANOS_PER_MILLI)
    }
}

impl UnixNanos {
    /// This time and so much more, saturating.
    #[must_use]
    pub const fn plus(self, length: Millis) -> Self {
        Self(self.0.saturating_add(length.nanos()))
    }

    /// This time less so much, saturating.
    #[must_use]
    pub const fn minus(self, length: Millis) -> Self {
        Self(self.0.saturating_sub(length.nanos()))
    }

    /// This time moved by a signed number of nanoseconds, saturating.
    #[must_use]
    pub const fn shifted(self, nanos: i64) -> Self {
        Self(self.0.saturating_add_signed(nanos))
    }

    /// How far this time lies after `earlier`, in whole milliseconds; zero if it lies before.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Millis {
        Millis(self.0.saturating_sub(earlier.0) / NANOS_PER_MILLI)
    }

    /// `self - other` in nanoseconds, saturating.
    #[must_use]
    pub const fn signed_since(self, other: Self) -> i64 {
        let difference = self.0 as i128 - other.0 as i128;
        if difference > i64::MAX as i128 {
            i64::MAX
        } else if difference < i64::MIN as i128 {
            i64::MIN
        } else {
            difference as i64
        }
    }

    /// Whole milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0 / NANOS_PER_MILLI
    }

    /// Reads an RFC 3339 time in UTC (`Z` or `+00:00`) with up to nine decimals.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let text = text
            .strip_suffix('Z')
            .or_else(|| text.strip_suffix('z'))
            .or_else(|| text.strip_suffix("+00:00"))?;
        let (date, clock) = text.split_once(['T', 't', ' '])?;
        let mut date = date.splitn(3, '-');
        let (year, month, day) =
            (number(date.next()?, 4)?, number(date.next()?, 2)?, number(date.next()?, 2)?);
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
        let mut clock = clock.splitn(3, ':');
        let (hour, minute, second) =
            (number(clock.next()?, 2)?, number(clock.next()?, 2)?, number(clock.next()?, 2)?);
        let valid =
            (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
        if !valid
            || fraction.is_empty()
            || fraction.len() > 9
            || !fraction.bytes().all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let nanos = fraction.parse::<u64>().ok()? * 10u64.pow(9 - fraction.len() as u32);
        let days = u64::try_from(days_from_civil(year as i64, month as i64, day as i64)).ok()?;
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second;
        seconds.checked_mul(NANOS_PER_SECOND)?.checked_add(nanos).map(Self)
    }
}

fn number(text: &str, digits: usize) -> Option<u64> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar (Howard Hinnant's `days_from_civil`).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date of a number of days after 1970-01-01 (the inverse of `days_from_civil`).
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

impl fmt::Display for UnixNanos {
    /// RFC 3339 in UTC with nine decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0 / NANOS_PER_SECOND, self.0 % NANOS_PER_SECOND);
        let (year, month, day) = civil_from_days(seconds / 86_400);
        let (hour, minute, second) = (seconds % 86_400 / 3600, seconds % 3600 / 60, seconds % 60);
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        let parts = [
            (0..4, year),
            (5..7, month),
            (8..10, day),
            (11..13, hour),
            (14..16, minute),
            (17..19, second),
            (20..29, nanos),
        ];
        for (places, mut number) in parts {
            for place in text[places].iter_mut().rev() {
                *place += (number % 10) as u8;
                number /= 10;
            }
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl Serialize for UnixNanos {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_str(self),
            false => serializer.serialize_u64(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for UnixNanos {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return u64::deserialize(deserializer).map(Self);
        }
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse_rfc3339(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "`{text}` is not an RFC 3339 time in UTC, such as 2026-01-31T08:00:00Z"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_round_trips() {
        for nanos in [0, 1, 951_782_400_000_000_000, 1_767_225_599_999_999_999, u64::MAX] {
            let time = UnixNanos(nanos);
            assert_eq!(UnixNanos::parse_rfc3339(&time.to_string()), Some(time), "{time}");
        }
        assert_eq!(UnixNanos(951_782_400_000_000_000).to_string(), "2000-02-29T00:00:00.000000000Z");
    }

    #[test]
    fn rfc3339_refuses_what_is_no_time() {
        for text in [
            "",
            "Z",
            "2026-01-01",
            "2026-13-01T00:00:00Z",
            "2026-01-01T25:00:00Z",
            "2026-01-01T00:00:00.Z",
            "1960-01-01T00:00:00Z",
        ] {
            assert_eq!(UnixNanos::parse_rfc3339(text), None, "{text}");
        }
    }
}
