//! The layout of KDD Cup 1999 and NSL-KDD: 41 features, a label, and in NSL-KDD a difficulty.

use super::{CategoricalColumn, LabelColumn, NumericColumn, TableSchema};
use crate::Transform;

/// Columns in file order with their units; text columns have the unit `text`.
const FEATURES: [(&str, &str); 41] = [
    ("duration", "s"),
    ("protocol_type", "text"),
    ("service", "text"),
    ("flag", "text"),
    ("src_bytes", "bytes"),
    ("dst_bytes", "bytes"),
    ("land", ""),
    ("wrong_fragment", ""),
    ("urgent", ""),
    ("hot", ""),
    ("num_failed_logins", ""),
    ("logged_in", ""),
    ("num_compromised", ""),
    ("root_shell", ""),
    ("su_attempted", ""),
    ("num_root", ""),
    ("num_file_creations", ""),
    ("num_shells", ""),
    ("num_access_files", ""),
    ("num_outbound_cmds", ""),
    ("is_host_login", ""),
    ("is_guest_login", ""),
    ("count", ""),
    ("srv_count", ""),
    ("serror_rate", "share"),
    ("srv_serror_rate", "share"),
    ("rerror_rate", "share"),
    ("srv_rerror_rate", "share"),
    ("same_srv_rate", "share"),
    ("diff_srv_rate", "share"),
    ("srv_diff_host_rate", "share"),
    ("dst_host_count", ""),
    ("dst_host_srv_count", ""),
    ("dst_host_same_srv_rate", "share"),
    ("dst_host_diff_srv_rate", "share"),
    ("dst_host_same_src_port_rate", "share"),
    ("dst_host_srv_diff_host_rate", "share"),
    ("dst_host_serror_rate", "share"),
    ("dst_host_srv_serror_rate", "share"),
    ("dst_host_rerror_rate", "share"),
    ("dst_host_srv_rerror_rate", "share"),
];

/// How many of 21 learners got a row right: of no use to a detector but to cheat.
const DIFFICULTY: &str = "difficulty";

impl TableSchema {
    /// The layout of NSL-KDD files, with or without a header line (Tavallaee et al. 2009); files of KDD Cup 1999
    /// lack the last column. Every number is taken as `ln(1 + x)`; the difficulty is ignored.
    #[must_use]
    pub fn nsl_kdd() -> Self {
        let named = |(name, unit): &(&str, &str)| (String::from(*name), String::from(*unit));
        let numeric = FEATURES.iter().filter(|(_, unit)| *unit != "text").map(named);
        let text = FEATURES.iter().filter(|(_, unit)| *unit == "text").map(named);
        let features = FEATURES.iter().map(|(name, _)| *name);
        Self {
            name: "nsl-kdd".to_owned(),
            delimiter: ',',
            header: false,
            columns: features.chain(["label", DIFFICULTY]).map(str::to_owned).collect(),
            numeric: numeric
                .map(|(name, unit)| NumericColumn { name, unit, transform: Transform::Log1p, low: None, high: None })
                .collect(),
            categorical: text.map(|(name, _)| CategoricalColumn { name, values: None }).collect(),
            label: LabelColumn {
                column: "label".to_owned(),
                benign: vec!["normal".to_owned()],
                verdict: None,
                undecided: Vec::new(),
                families: std::collections::BTreeMap::new(),
            },
            ignored: vec![DIFFICULTY.to_owned()],
            missing: super::Missing::Refuse,
            time: None,
            source: None,
            destination: None,
            destination_port: None,
        }
    }
}

/// Whether the fields of a first line are a header or a row of this layout: by number and kind of fields.
pub(crate) fn recognises(fields: &[String]) -> Option<Line> {
    let (features, rest) = fields.split_at_checked(FEATURES.len())?;
    if !matches!(rest.len(), 1 | 2) {
        return None;
    }
    let names = |at: usize, part: &str| features[at].trim().to_ascii_lowercase().contains(part);
    if names(0, "duration") && names(1, "protocol") {
        return Some(Line::Header);
    }
    let number = |field: &str| field.trim().parse::<f64>().is_ok();
    let fits = |(field, (_, unit)): (&String, &(&str, &str))| number(field) == (*unit != "text");
    (features.iter().zip(&FEATURES).all(fits) && !number(&rest[0])).then_some(Line::Row)
}

/// What the first line of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Header,
    Row,
}
