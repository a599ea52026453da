//! Who tries to log in, and what they hold.

use std::sync::Arc;

use authstitch_model::{Browser, Os, Transport};

use crate::random::Dice;
use crate::world::{Segment, World};

/// One person with both devices.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) segment: Arc<Segment>,
    pub(crate) initiator: Initiator,
    pub(crate) phone: Phone,
    /// Where on the site they begin.
    pub(crate) entry_point: Arc<str>,
}

/// The device that wants to be logged in.
#[derive(Clone, Debug)]
pub(crate) struct Initiator {
    pub(crate) os: Os,
    pub(crate) browser: Browser,
    /// The browser's major version.
    pub(crate) version: u32,
    /// The network's address.
    pub(crate) address: [u8; 4],
    /// The country of that network.
    pub(crate) country: Arc<str>,
}

/// The phone.
#[derive(Clone, Debug)]
pub(crate) struct Phone {
    pub(crate) os: Os,
    pub(crate) model: &'static str,
    pub(crate) app_version: Arc<str>,
    pub(crate) address: [u8; 4],
    pub(crate) country: Arc<str>,
}

/// Share of people whose phone is in the same network as the desktop: our own guess.
const SAME_NETWORK: f64 = 0.6;

impl Person {
    pub(crate) fn meet(world: &World, dice: &mut Dice) -> Self {
        let segment = world.segments.pick(dice).clone();
        let (os, browser) = *segment.initiators.pick(dice);
        let version = match browser {
            Browser::Safari => dice.one(&[17, 18, 18, 26, 26, 26]),
            _ => dice.one(&[139, 140, 141, 141, 141, 142]),
        };
        let address = [dice.one(&[84, 91, 93]), dice.bytes::<1>()[0], dice.bytes::<1>()[0], 17];
        let phone_os = *segment.phones.pick(dice);
        let model = match phone_os {
            Os::Ios => dice.one(&["iPhone14,7", "iPhone15,4", "iPhone16,1", "iPhone17,3"]),
            _ => dice.one(&["Pixel 8", "Pixel 9", "SM-S921B", "SM-A546B", "2312DRA50G"]),
        };
        let phone_address = if dice.chance(SAME_NETWORK) && !segment.relayed {
            address
        } else {
            [109, 40, dice.bytes::<1>()[0], 23]
        };
        let mut initiator = Initiator { os, browser, version, address, country: segment.country.clone() };
        if segment.relayed {
            initiator.address = [45, 155, 205, 9];
            initiator.country = "NL".into();
        }
        let phone = Phone {
            os: phone_os,
            model,
            app_version: segment.app_versions.pick(dice).clone(),
            address: phone_address,
            country: segment.country.clone(),
        };
        let entry_point = segment.entry_points.pick(dice).clone();
        Self { segment, initiator, phone, entry_point }
    }

    /// The transport that these devices allow in place of the wanted one: an iPhone is never linked.
    pub(crate) fn possible(&self, wanted: Transport) -> Transport {
        match wanted {
            Transport::HybridLinked if self.phone.os == Os::Ios => Transport::HybridQr,
            transport => transport,
        }
    }
}
