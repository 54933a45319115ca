//! How recorded flows are dealt to sites.

use std::collections::BTreeMap;
use std::net::IpAddr;

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::stream::{Purpose, cumulated, dirichlet, pick, stream};

/// Length of the networks that IPv6 addresses are put in, in bits.
const IPV6_PREFIX: u8 = 64;

/// The rule by which every recorded flow goes to exactly one site.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Partition {
    /// Each file is one site.
    File,
    /// Each network of sources is one site.
    SourceSubnet {
        /// Length of IPv4 networks in bits, up to 32; IPv6 networks have 64.
        prefix: u8,
    },
    /// Each network of destinations is one site.
    DestinationSubnet {
        /// Length of IPv4 networks in bits, up to 32; IPv6 networks have 64.
        prefix: u8,
    },
    /// Each flow goes to a site drawn evenly: all sites see alike.
    Iid {
        /// How many sites there are.
        sites: u32,
    },
    /// The flows of each service are spread over the sites by shares from a Dirichlet distribution: sites differ.
    Dirichlet {
        /// How many sites there are.
        sites: u32,
        /// Evenness: 0.1 gives each service to few sites, 100 spreads all alike.
        alpha: f64,
    },
}

/// What a flow is dealt by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowKey {
    /// Address of the originator, where known.
    pub source: Option<IpAddr>,
    /// Address of the responder, where known.
    pub destination: Option<IpAddr>,
    /// Code of the service.
    pub service: u16,
}

/// The flows of one site, as file and row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteRows {
    /// Name to show to people.
    pub name: String,
    /// File and row of each flow, in the order of files and rows.
    pub rows: Vec<(u32, u32)>,
}

/// Why flows cannot be dealt this way.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PartitionError {
    /// There must be sites to deal to.
    #[error("a partition onto 0 sites: expected at least 1")]
    NoSites,
    /// There is nothing to deal.
    #[error("there are no flows to deal to sites")]
    NoFlows,
    /// No such network.
    #[error("a prefix of {0} bits: expected at most 32")]
    Prefix(u8),
    /// No such distribution.
    #[error("a Dirichlet alpha of {0}: expected a number above 0")]
    Alpha(f64),
    /// The data has no addresses.
    #[error("{file} records no addresses: deal it by file, iid or dirichlet")]
    NoAddresses {
        /// Name of the file.
        file: String,
    },
}

impl Partition {
    /// Checks the parameters.
    ///
    /// # Errors
    /// Where there are no sites, a prefix is too long, or alpha is not positive.
    pub fn check(self) -> Result<(), PartitionError> {
        match self {
            Self::SourceSubnet { prefix } | Self::DestinationSubnet { prefix } if prefix > 32 => {
                Err(PartitionError::Prefix(prefix))
            }
            Self::Iid { sites: 0 } | Self::Dirichlet { sites: 0, .. } => Err(PartitionError::NoSites),
            Self::Dirichlet { alpha, .. } if !(alpha.is_finite() && alpha > 0.0) => Err(PartitionError::Alpha(alpha)),
            Self::File
            | Self::SourceSubnet { .. }
            | Self::DestinationSubnet { .. }
            | Self::Iid { .. }
            | Self::Dirichlet { .. } => Ok(()),
        }
    }

    /// Deals the rows of `files` (name and number of rows) to sites; `key` says what a row is dealt by.
    ///
    /// Every row goes to exactly one site. By network, sites are the networks that occur, in the order of their
    /// addresses; the drawn partitions may leave a site without flows.
    ///
    /// # Errors
    /// Where the parameters are unsound, there are no rows, or a row has no address to be dealt by.
    pub fn deal(
        self,
        seed: u64,
        files: &[(&str, usize)],
        key: impl Fn(usize, usize) -> RowKey,
    ) -> Result<Vec<SiteRows>, PartitionError> {
        self.check()?;
        if files.iter().all(|(_, rows)| *rows == 0) {
            return Err(PartitionError::NoFlows);
        }
        match self {
            Self::File => Ok(by_file(files)),
            Self::SourceSubnet { prefix } => by_subnet(files, prefix, |file, row| key(file, row).source),
            Self::DestinationSubnet { prefix } => by_subnet(files, prefix, |file, row| key(file, row).destination),
            Self::Iid { sites } => {
                let mut random = stream(seed, Purpose::Partition, 0, 0);
                Ok(drawn(files, sites, |_, _| random.random_range(0..sites) as usize))
            }
            Self::Dirichlet { sites, alpha } => {
                let mut random = stream(seed, Purpose::Partition, 0, 0);
                let mut shares: BTreeMap<u16, Vec<f64>> = BTreeMap::new();
                let site = |file, row| {
                    let service = key(file, row).service;
                    let sums = shares.entry(service).or_insert_with(|| {
                        let mut random = stream(seed, Purpose::Partition, 1, u32::from(service));
                        cumulated(dirichlet(&mut random, &vec![alpha; sites as usize]).into_iter())
                    });
                    pick(&mut random, sums)
                };
                Ok(drawn(files, sites, site))
            }
        }
    }
}

/// File and row of all rows.
fn all_rows(files: &[(&str, usize)]) -> impl Iterator<Item = (usize, usize)> {
    files.iter().enumerate().flat_map(|(file, (_, rows))| (0..*rows).map(move |row| (file, row)))
}

fn by_file(files: &[(&str, usize)]) -> Vec<SiteRows> {
    let site = |(file, (name, rows)): (usize, &(&str, usize))| SiteRows {
        name: (*name).to_owned(),
        rows: (0..*rows).map(|row| (file as u32, row as u32)).collect(),
    };
    files.iter().enumerate().map(site).collect()
}

fn drawn(files: &[(&str, usize)], sites: u32, mut site: impl FnMut(usize, usize) -> usize) -> Vec<SiteRows> {
    let name = |site| SiteRows { name: format!("site {site}"), rows: Vec::new() };
    let mut dealt: Vec<SiteRows> = (0..sites).map(name).collect();
    for (file, row) in all_rows(files) {
        dealt[site(file, row)].rows.push((file as u32, row as u32));
    }
    dealt
}

fn by_subnet(
    files: &[(&str, usize)],
    prefix: u8,
    address: impl Fn(usize, usize) -> Option<IpAddr>,
) -> Result<Vec<SiteRows>, PartitionError> {
    let mut dealt: BTreeMap<IpAddr, Vec<(u32, u32)>> = BTreeMap::new();
    for (file, row) in all_rows(files) {
        let Some(address) = address(file, row) else {
            return Err(PartitionError::NoAddresses { file: files[file].0.to_owned() });
        };
        dealt.entry(network(address, prefix)).or_default().push((file as u32, row as u32));
    }
    let name = |network: IpAddr| format!("{network}/{}", if network.is_ipv4() { prefix } else { IPV6_PREFIX });
    Ok(dealt.into_iter().map(|(network, rows)| SiteRows { name: name(network), rows }).collect())
}

/// The first address of the network that an address is in.
fn network(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX << (128 - u32::from(IPV6_PREFIX));
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [(&str, usize); 3] = [("a", 300), ("b", 0), ("c", 200)];

    fn key(file: usize, row: usize) -> RowKey {
        let address = |a: usize, b: usize| Some(IpAddr::from([10, file as u8, a as u8, b as u8]));
        RowKey { source: address(row % 3, row % 200), destination: address(row % 5, 1), service: (row % 7) as u16 }
    }

    #[test]
    fn every_flow_goes_to_exactly_one_site() {
        for partition in [
            Partition::File,
            Partition::SourceSubnet { prefix: 24 },
            Partition::SourceSubnet { prefix: 0 },
            Partition::DestinationSubnet { prefix: 32 },
            Partition::Iid { sites: 4 },
            Partition::Dirichlet { sites: 4, alpha: 0.1 },
        ] {
            let dealt = partition.deal(7, &FILES, key).expect("a sound partition");
            let mut rows: Vec<(u32, u32)> = dealt.iter().flat_map(|site| site.rows.iter().copied()).collect();
            assert!(dealt.iter().all(|site| site.rows.is_sorted()), "{partition:?}");
            rows.sort_unstable();
            let all: Vec<(u32, u32)> = all_rows(&FILES).map(|(file, row)| (file as u32, row as u32)).collect();
            assert_eq!(rows, all, "{partition:?}");
            assert_eq!(dealt, partition.deal(7, &FILES, key).expect("and again"), "{partition:?}");
        }
    }

    #[test]
    fn networks_are_sites_named_after_them() {
        let dealt = Partition::SourceSubnet { prefix: 24 }.deal(7, &FILES, key).expect("addresses are there");
        let names: Vec<&str> = dealt.iter().map(|site| site.name.as_str()).collect();
        assert_eq!(names[..2], ["10.0.0.0/24", "10.0.1.0/24"]);
        assert_eq!(names.len(), 6);
    }

    #[test]
    fn a_small_alpha_makes_sites_differ_and_a_large_one_makes_them_alike() {
        let largest = |alpha| {
            let files = [("a", 7_000)];
            let dealt = Partition::Dirichlet { sites: 4, alpha }.deal(3, &files, key).expect("a sound partition");
            let of_service = |site: &SiteRows| site.rows.iter().filter(|(_, row)| row % 7 == 0).count();
            dealt.iter().map(of_service).max().unwrap_or(0)
        };
        assert!(largest(0.05) > 600 && largest(1_000.0) < 320, "{} {}", largest(0.05), largest(1_000.0));
    }

    #[test]
    fn unsound_partitions_are_refused() {
        let refused = |partition: Partition| partition.deal(7, &FILES, key).expect_err("unsound");
        assert_eq!(refused(Partition::Iid { sites: 0 }), PartitionError::NoSites);
        assert_eq!(refused(Partition::SourceSubnet { prefix: 33 }), PartitionError::Prefix(33));
        assert_eq!(refused(Partition::Dirichlet { sites: 3, alpha: 0.0 }), PartitionError::Alpha(0.0));
        assert_eq!(Partition::File.deal(7, &[("a", 0)], key), Err(PartitionError::NoFlows));
        let without = |_, _| RowKey { source: None, destination: None, service: 0 };
        let refused = Partition::SourceSubnet { prefix: 24 }.deal(7, &FILES, without);
        assert_eq!(refused, Err(PartitionError::NoAddresses { file: "a".into() }));
    }
}
