//! A client's address, reduced to a keyed hash of its network: /24 of IPv4, /48 of IPv6. The address is then
//! dropped; the hash tells whether two devices sit in one network, and nothing else.
//!
//! A port and brackets are accepted; an IPv4 address written as IPv6 is an IPv4 address; a name is no address.

use std::net::{IpAddr, SocketAddr};

use authstitch_model::RealmSecret;

/// The hash of the network that an address lies in.
pub(crate) fn network(address: &str, secret: &RealmSecret) -> Option<u64> {
    let address = address.trim();
    let bare = address.trim_start_matches('[').trim_end_matches(']');
    let address: IpAddr =
        bare.parse().ok().or_else(|| address.parse().ok().map(|with_port: SocketAddr| with_port.ip()))?;
    Some(match address.to_canonical() {
        IpAddr::V4(v4) => secret.network(&v4.octets()[..3]),
        IpAddr::V6(v6) => secret.network(&v6.octets()[..6]),
    })
}

#[cfg(test)]
mod tests {
    use authstitch_model::Secret;

    use super::*;

    fn of(address: &str) -> Option<u64> {
        network(address, &Secret::PUBLIC.of_realm("default"))
    }

    #[test]
    fn one_network_is_one_hash() {
        for (one, other) in [
            ("203.0.113.7", "203.0.113.250"),
            ("203.0.113.7", "203.0.113.7:49152"),
            ("203.0.113.7", "::ffff:203.0.113.9"),
            ("2001:db8:1::1", "2001:db8:1:ffff::2"),
            ("2001:db8:1::1", "[2001:db8:1::1]:443"),
            ("2001:db8:1::1", "[2001:db8:1::1]"),
        ] {
            assert!(of(one).is_some() && of(one) == of(other), "{one} {other}");
        }
    }

    #[test]
    fn two_networks_or_realms_are_two() {
        assert_ne!(of("203.0.113.7"), of("203.0.114.7"));
        assert_ne!(of("2001:db8:1::1"), of("2001:db8:2::1"));
        assert_ne!(of("203.0.113.7"), network("203.0.113.7", &Secret::PUBLIC.of_realm("other")));
    }

    #[test]
    fn a_name_is_no_address() {
        for name in ["", "client.example.com", "203.0.113", "unknown"] {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
