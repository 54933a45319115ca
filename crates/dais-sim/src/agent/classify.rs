//! Which threat a cluster of flows looks like, by rules over the context features.

use dais_protocol::ThreatClass;
use dais_traffic::{Batch, Schema};

/// Rules over the features of the flow schema; a schema without them gets [`ThreatClass::Unknown`].
#[derive(Clone, Debug)]
pub(crate) struct Classifier {
    schema: Schema,
}

/// The mean raw values the rules read.
struct Picture {
    destinations: f64,
    ports: f64,
    failed_share: f64,
    flows_2s: f64,
    to_destination_2s: f64,
    regularity: f64,
    bytes_out: f64,
    out_share: f64,
    port_sources: f64,
}

impl Classifier {
    pub(crate) fn new(schema: &Schema) -> Self {
        Self { schema: schema.clone() }
    }

    /// The first rule that fits the mean of the rows.
    ///
    /// | class | rule |
    /// |---|---|
    /// | DNS tunnel | service `dns` with more than 100 bytes out a flow |
    /// | flood | more than 20 flows to one destination in 2 s, most of them failed |
    /// | port scan | mostly failed connections of a source to more than 5 ports or 5 destinations |
    /// | worm | mostly failed `windows` connections to more than 2 destinations |
    /// | brute force | `ssh`, `rdp`, `ftp`, `smtp` or `mailbox` with more than 3 flows of the source in 2 s or clock-like repetition |
    /// | exfiltration | more than 100 kB out a flow, at least 80 % of all bytes outwards |
    /// | command and control | contacts as regular as a clock (0.8) |
    pub(crate) fn classify(&self, batch: &Batch, rows: &[usize]) -> ThreatClass {
        let Some(picture) = self.picture(batch, rows) else { return ThreatClass::Unknown };
        let service = self.service(batch, rows);
        let failed = picture.failed_share > 0.5;
        let guessable = matches!(service, "ssh" | "rdp" | "ftp" | "smtp" | "mailbox");
        if service == "dns" && picture.bytes_out > 100.0 {
            ThreatClass::DnsTunnel
        } else if failed && picture.to_destination_2s > 20.0 && picture.ports < 5.0 {
            ThreatClass::Flood
        } else if failed && service == "windows" && picture.destinations > 2.0 {
            ThreatClass::Worm
        } else if failed && (picture.ports > 5.0 || picture.destinations > 5.0 || picture.port_sources > 5.0) {
            ThreatClass::PortScan
        } else if guessable && (picture.flows_2s > 3.0 || picture.regularity > 0.8) {
            ThreatClass::BruteForce
        } else if picture.bytes_out > 100_000.0 && picture.out_share > 0.8 {
            ThreatClass::Exfiltration
        } else if picture.regularity > 0.8 {
            ThreatClass::CommandAndControl
        } else {
            ThreatClass::Unknown
        }
    }

    fn picture(&self, batch: &Batch, rows: &[usize]) -> Option<Picture> {
        let mean = |name: &str| {
            let column = self.schema.numeric_column(name)?;
            let values = batch.numeric_column(column);
            let sum: f64 = rows.iter().map(|&row| self.schema.numeric[column].raw(values[row])).sum();
            Some(sum / rows.len().max(1) as f64)
        };
        Some(Picture {
            destinations: mean("source_destinations")?,
            ports: mean("source_ports")?,
            failed_share: mean("source_failed_share")?,
            flows_2s: mean("source_flows_2s")?,
            to_destination_2s: mean("destination_flows_2s")?,
            regularity: mean("regularity")?,
            bytes_out: mean("bytes_out")?,
            out_share: mean("out_share")?,
            port_sources: mean("destination_port_sources")?,
        })
    }

    /// Service of the first row: the rows of a cluster share their categories.
    fn service(&self, batch: &Batch, rows: &[usize]) -> &str {
        let column = self.schema.categorical_column("service");
        let code = column.zip(rows.first()).map(|(column, &row)| (column, batch.code_column(column)[row]));
        code.map_or("?", |(column, code)| self.schema.categorical[column].value(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dais_traffic::{BatchBuilder, flow_schema};

    fn batch(service: &str, values: &[(&str, f64)]) -> Batch {
        let schema = flow_schema();
        let mut numeric: Vec<f32> = schema.numeric.iter().map(|feature| feature.scale(0.0)).collect();
        for (name, value) in values {
            let column = schema.numeric_column(name).expect("a feature of the schema");
            numeric[column] = schema.numeric[column].scale(*value);
        }
        let codes: Vec<u16> = schema.categorical.iter().map(|feature| feature.code(service)).collect();
        let mut builder = BatchBuilder::new(&schema, 1);
        builder.push(&numeric, &codes, None, None);
        builder.finish()
    }

    #[test]
    fn each_class_has_flows_that_look_like_it() {
        let cases = [
            ("dns", vec![("bytes_out", 400.0)], ThreatClass::DnsTunnel),
            ("none", vec![("source_failed_share", 0.9), ("source_ports", 30.0)], ThreatClass::PortScan),
            ("none", vec![("source_failed_share", 0.9), ("destination_flows_2s", 80.0)], ThreatClass::Flood),
            ("ssh", vec![("source_flows_2s", 9.0)], ThreatClass::BruteForce),
            ("tls", vec![("bytes_out", 5e6), ("out_share", 0.99)], ThreatClass::Exfiltration),
            ("tls", vec![("regularity", 0.95)], ThreatClass::CommandAndControl),
            ("http", vec![], ThreatClass::Unknown),
        ];
        for (service, values, expected) in cases {
            let classifier = Classifier::new(&flow_schema());
            assert_eq!(classifier.classify(&batch(service, &values), &[0]), expected, "{service} {values:?}");
        }
    }
}
