//! Finds the labelled data sets, which are not part of the repository.

use std::path::{Path, PathBuf};

use dais_traffic::{FlowLog, Input, ReadOptions, Table, read};

fn folder() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("DAIS_DATA").map_or(beside, PathBuf::from)
}

/// The bytes of a data file; `None`, said loudly, on a machine without the data. In CI the data must be there.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub(crate) fn bytes(path: &str) -> Option<Vec<u8>> {
    let path = folder().join(path);
    if let Ok(bytes) = std::fs::read(&path) {
        return Some(bytes);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing; set DAIS_DATA to the data folder", path.display());
    eprintln!("SKIPPED: {} is missing; set DAIS_DATA to the data folder", path.display());
    None
}

/// Where a data file is, for programs that read it themselves.
pub(crate) fn path(path: &str) -> Option<PathBuf> {
    Some(folder().join(path)).filter(|path| path.is_file())
}

/// A flow log of the data sets.
pub(crate) fn log(path: &str) -> Option<FlowLog> {
    match read(path, bytes(path)?.as_slice(), &ReadOptions::default()) {
        Ok(Input::Flows(log)) => Some(log),
        Ok(Input::Table(_)) => panic!("{path} is read as a table"),
        Err(error) => panic!("{error}"),
    }
}

/// A labelled table of the data sets.
pub(crate) fn table(path: &str) -> Option<Table> {
    match read(path, bytes(path)?.as_slice(), &ReadOptions::default()) {
        Ok(Input::Table(table)) => Some(table),
        Ok(Input::Flows(_)) => panic!("{path} is read as a flow log"),
        Err(error) => panic!("{error}"),
    }
}

pub(crate) const NSL_TRAIN: &str = "nsl_kdd/KDDTrain+.csv.gz";
pub(crate) const NSL_TEST: &str = "nsl_kdd/KDDTest+.csv.gz";
pub(crate) const CTU_167: &str = "zeek_ctu50/CTU-Normal-40_day1_147.32.81.167.conn.log.labeled.gz";
pub(crate) const CTU_165: &str = "zeek_ctu50/CTU-Normal-43_day1_147.32.83.165.conn.log.labeled.gz";
pub(crate) const CTU_234: &str = "zeek_ctu50/CTU-Normal-42_day2_147.32.83.234.conn.log.labeled.gz";
pub(crate) const NJRAT: &str = "zeek_small/NjRAT_CTU-Malware-230-1_first1000.conn.log.labeled.gz";
pub(crate) const REMCOS: &str = "zeek_small/RemcosRAT_CTU-SME-11_win.conn.log.labeled.gz";
pub(crate) const NMAP: &str = "zeek_small/nmap_scans_172.16.1.11.conn.json.log.gz";
pub(crate) const EVE: &str = "suricata/eve_home_24h_first5000.json.gz";
