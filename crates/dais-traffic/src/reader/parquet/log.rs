//! Connection logs of Zeek that were converted to Parquet.

use super::super::flows::{LOG_BAD_ROWS, LabelledFlow, labelled};
use super::super::tally::Tally;
use super::super::verdict::Families;
use super::super::{FlowLog, Format, ReadError, ReadOptions, zeek};
use super::{BATCH_ROWS, Opened, WHAT, columns};

impl Opened {
    /// The flows, where each column is the one of Zeek's that `known` says.
    pub(super) fn log(
        &self,
        known: &[Option<usize>],
        options: &ReadOptions,
        bytes_max: u64,
    ) -> Result<FlowLog, ReadError> {
        let names = self.names();
        let wanted = |name: &str| names.iter().zip(known).any(|(known_name, at)| at.is_some() && known_name == name);
        let places = self.places(wanted);
        let known: Vec<usize> = places.iter().filter_map(|place| known[*place]).collect();
        let mut tally = Tally::new(&self.file, options.bad_rows_max.unwrap_or(LOG_BAD_ROWS));
        let (mut families, mut flows) = (Families::default(), Vec::<LabelledFlow>::new());
        let mut texts = vec![Vec::new(); known.len()];
        let mut number = 0;
        for batch in self.batches(&places, BATCH_ROWS)? {
            let batch = batch?;
            let values = columns(&self.file, &batch)?;
            for at in 0..batch.num_rows() {
                number += 1;
                let mut row = zeek::Row::default();
                for ((value, known), text) in values.iter().zip(&known).zip(&mut texts) {
                    row.fields[*known] = zeek::unmarked(value.cell(at).text(text));
                }
                match labelled(row.flow(), &mut families) {
                    Ok(flow) => {
                        tally.good();
                        tally.stats.count(&flow.flow);
                        let before = flows.last().map_or(f64::NEG_INFINITY, |last| last.flow.time_s);
                        tally.stats.out_of_order += u64::from(flow.flow.time_s < before);
                        flows.push(flow);
                    }
                    Err(flaw) => tally.bad(number, flaw)?,
                }
            }
            if (flows.len() * size_of::<LabelledFlow>()) as u64 > bytes_max {
                return Err(ReadError::TooLarge { file: self.file.clone(), what: WHAT, bytes_max });
            }
        }
        tally.check()?;
        FlowLog::sorted(self.file.clone(), Format::Parquet, flows, families, tally.stats)
    }
}
