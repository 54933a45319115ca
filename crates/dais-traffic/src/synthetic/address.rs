//! Who has which address: every site its subnet, the rest of the world public ones.

use super::random::{Seed, below};

/// Sites that the address plan has room for: every half of every /24 of 10.0.0.0/8.
pub(crate) const SITES_MAX: u32 = 1 << 17;

/// Addresses of a site that may be in use, from 1.
pub(crate) const HOSTS: u32 = 126;

/// First host number of a site's clients; servers are below.
pub(crate) const CLIENT_FIRST: u32 = 16;

/// First octets of public addresses: 20.0.0.0 to 99.255.255.255 holds no special-purpose range of RFC 6890.
const PUBLIC_FIRST: u32 = 20;
const PUBLIC_COUNT: u32 = 80;

/// Address of a host of a site: 10.x.y.h, and 10.x.y.(128 + h) for the sites beyond 65,536.
pub(crate) fn local(site: u32, host: u32) -> u32 {
    10 << 24 | (site & 0xffff) << 8 | (site >> 16 & 1) << 7 | (host & 127)
}

/// The site whose subnet holds this address.
#[cfg(test)]
pub(crate) fn site_of(address: u32) -> Option<u32> {
    (address >> 24 == 10).then_some((address >> 7 & 1) << 16 | (address >> 8 & 0xffff))
}

/// The subnet of a site in CIDR notation.
pub(crate) fn subnet(site: u32) -> String {
    let network = std::net::Ipv4Addr::from_bits(local(site, 0));
    let bits = if site >> 16 == 0 { 24 } else { 25 };
    format!("{network}/{bits}")
}

/// The public address of whoever has this number; ordinary and hostile ones come from the same ranges.
pub(crate) fn public(seed: Seed, id: u64) -> u32 {
    let name = seed.name(id);
    let first = PUBLIC_FIRST + below((name >> 32) as u32, PUBLIC_COUNT);
    first << 24 | (name as u32 & 0x00ff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_sites_share_an_address() {
        for site in [0, 1, 255, 256, 65_535, 65_536, 100_000, SITES_MAX - 1] {
            assert_eq!([site_of(local(site, 1)), site_of(local(site, HOSTS))], [Some(site); 2]);
        }
    }

    #[test]
    fn subnets_are_written_as_networks() {
        assert_eq!([subnet(259), subnet(65_537)], ["10.1.3.0/24", "10.0.1.128/25"]);
    }

    #[test]
    fn public_addresses_are_spread_over_public_ranges() {
        let addresses: Vec<u32> = (0..1_000).map(|id| public(Seed::new(1), id)).collect();
        assert!(addresses.iter().all(|address| (20..100).contains(&(address >> 24))));
        let mut firsts: Vec<u32> = addresses.iter().map(|address| address >> 24).collect();
        firsts.sort_unstable();
        firsts.dedup();
        assert!(firsts.len() > 70);
    }
}
