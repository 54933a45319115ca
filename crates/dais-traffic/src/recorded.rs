//! Recorded traffic with times, replayed on one clock.

use serde::{Deserialize, Serialize};

use crate::table::renumbered;
use crate::{
    Batch, BatchBuilder, Context, Endpoint, FLOW_CATEGORICAL, FLOW_NUMERIC, Family, FlowLog, Label, Observation,
    Partition, PartitionError, RowKey, Schema, SiteRows, Source, TableSet, Truth, flow_schema,
};

/// How recorded traffic is cut into sites and steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordedParams {
    /// How flows are dealt to sites; one file a site where not given.
    pub partition: Partition,
    /// How many steps of equal length the whole time span is divided into; at least 1, default 100.
    pub steps: u32,
    /// Features that agents are not to see. Where a site is a single host that is the originator of all its benign
    /// traffic, features of the source (`source_destinations`, `source_same_service_share`, …) tell its own flows
    /// from those of strangers, and so give away labels that were made from addresses.
    pub leave_out: Vec<String>,
}

impl Default for RecordedParams {
    fn default() -> Self {
        Self { partition: Partition::File, steps: 100, leave_out: Vec::new() }
    }
}

/// Why recorded traffic cannot be replayed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RecordedError {
    /// Time must be cut into something.
    #[error("0 steps: expected at least 1")]
    NoSteps,
    /// Rows without times cannot be replayed.
    #[error(
        "the rows of {file} have no times: name their column as `time` in the schema file, or draw from the rows without replaying them"
    )]
    NoTimes {
        /// Name of the file.
        file: String,
    },
    /// A feature to leave out that is not there.
    #[error("feature `{0}` cannot be left out: it is not in the schema")]
    NoFeature(String),
    /// Nothing is left to look at.
    #[error("all features are left out")]
    NoFeatures,
    /// The flows cannot be dealt.
    #[error(transparent)]
    Partition(#[from] PartitionError),
}

/// Recorded flows as a [`Source`]: all sites on one clock, the whole time span divided into equal steps.
///
/// Features are computed once, when the flows are loaded; the `context` given to [`Source::observe`] stays unused.
/// There is no baseline: agents learn as they go.
#[derive(Clone, Debug)]
pub struct Recorded {
    schema: Schema,
    families: Vec<Family>,
    sites: Vec<Site>,
    origin_s: f64,
    step_s: f64,
    steps: u32,
}

/// One site's flows in order of time, by row.
#[derive(Clone, Debug, Default)]
struct Site {
    name: String,
    numeric: Vec<f32>,
    codes: Vec<u16>,
    endpoints: Vec<Endpoint>,
    time_s: Vec<f64>,
    labels: Vec<Label>,
    /// First row of each step, and the end.
    starts: Vec<usize>,
}

impl Recorded {
    /// Replays flow logs with the features of [`flow_schema`]; each site computes them from its own flows. The seed
    /// matters to the partitions that draw.
    ///
    /// # Errors
    /// Where there are no flows or steps, the flows cannot be dealt to sites, or a feature to leave out is not there.
    pub fn from_logs(logs: Vec<FlowLog>, params: &RecordedParams, seed: u64) -> Result<Self, RecordedError> {
        let mut families: Vec<Family> = logs.iter().flat_map(|log| log.families.iter().cloned()).collect();
        families.sort_by(|a, b| a.name.cmp(&b.name));
        families.dedup_by(|a, b| a.name == b.name);
        let logs: Vec<FlowLog> = logs
            .into_iter()
            .map(|log| FlowLog { labels: renumbered(log.labels, &log.families, &families), ..log })
            .collect();
        let files: Vec<(&str, usize)> = logs.iter().map(|log| (log.name.as_str(), log.flows.len())).collect();
        let dealt = params.partition.deal(seed, &files, |file, row| {
            let flow = &logs[file].flows[row];
            RowKey { source: Some(flow.source), destination: Some(flow.destination), service: flow.service.code() }
        })?;
        let sites = dealt.into_iter().map(|rows| Site::of_flows(rows, &logs)).collect();
        Self::new(flow_schema(), families, sites, params)
    }

    /// Replays labelled tables that have times, with the features of the tables.
    ///
    /// Dirichlet partitions go by the feature named `service`, or else by the first categorical one.
    ///
    /// # Errors
    /// Where there are no rows, times or steps, the rows cannot be dealt to sites, or a feature to leave out is not
    /// there.
    pub fn from_tables(set: &TableSet, params: &RecordedParams, seed: u64) -> Result<Self, RecordedError> {
        if let Some(file) = set.files().iter().find(|rows| rows.time_s().is_none()) {
            return Err(RecordedError::NoTimes { file: file.name().to_owned() });
        }
        let files: Vec<(&str, usize)> = set.files().iter().map(|rows| (rows.name(), rows.rows())).collect();
        let service = set.schema().categorical_column("service").unwrap_or(0);
        let dealt = params.partition.deal(seed, &files, |file, row| {
            let endpoint = set.files()[file].endpoint(row);
            RowKey {
                source: endpoint.map(|endpoint| endpoint.source),
                destination: endpoint.map(|endpoint| endpoint.destination),
                service: set.values(file, row).1.get(service).copied().unwrap_or(0),
            }
        })?;
        let sites = dealt.into_iter().map(|rows| Site::of_rows(rows, set)).collect();
        Self::new(set.schema().clone(), set.families().to_vec(), sites, params)
    }

    fn new(
        mut schema: Schema,
        families: Vec<Family>,
        mut sites: Vec<Site>,
        params: &RecordedParams,
    ) -> Result<Self, RecordedError> {
        let steps = params.steps;
        if steps == 0 {
            return Err(RecordedError::NoSteps);
        }
        let (numeric, categorical) = leave_out(&mut schema, &params.leave_out)?;
        for site in &mut sites {
            keep_columns(&mut site.numeric, &numeric);
            keep_columns(&mut site.codes, &categorical);
        }
        let firsts = sites.iter().filter_map(|site| site.time_s.first());
        let lasts = sites.iter().filter_map(|site| site.time_s.last());
        let origin_s = firsts.copied().fold(f64::INFINITY, f64::min);
        let end_s = lasts.copied().fold(f64::NEG_INFINITY, f64::max);
        let span_s = end_s - origin_s;
        // Flows that all start at once make one step of a second each.
        let step_s = if span_s > 0.0 { span_s / f64::from(steps) } else { 1.0 };
        for site in &mut sites {
            let start = |step: u32| match step {
                0 => 0,
                step if step == steps => site.time_s.len(),
                step => site.time_s.partition_point(|time| *time < origin_s + f64::from(step) * step_s),
            };
            site.starts = (0..=steps).map(start).collect();
        }
        Ok(Self { schema, families, sites, origin_s, step_s, steps })
    }

    /// Start of the first step, in seconds on the clock of the recording.
    #[must_use]
    pub fn origin_s(&self) -> f64 {
        self.origin_s
    }

    /// How many steps the recording is divided into; later ones are empty.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// How many flows there are at all sites together.
    #[must_use]
    pub fn flows(&self) -> usize {
        self.sites.iter().map(|site| site.labels.len()).sum()
    }
}

/// Takes features out of a schema; gives which numeric and which categorical ones stay.
fn leave_out(schema: &mut Schema, names: &[String]) -> Result<(Vec<bool>, Vec<bool>), RecordedError> {
    if let Some(unknown) = names.iter().find(|name| !schema.names().any(|known| known == *name)) {
        return Err(RecordedError::NoFeature(unknown.clone()));
    }
    let stays = |name: &String| !names.contains(name);
    let numeric = schema.numeric.iter().map(|feature| stays(&feature.name)).collect();
    let categorical = schema.categorical.iter().map(|feature| stays(&feature.name)).collect();
    schema.numeric.retain(|feature| stays(&feature.name));
    schema.categorical.retain(|feature| stays(&feature.name));
    if schema.names().next().is_none() { Err(RecordedError::NoFeatures) } else { Ok((numeric, categorical)) }
}

/// Keeps those values of each row whose place in the row stays.
fn keep_columns<T>(by_row: &mut Vec<T>, stays: &[bool]) {
    let mut places = stays.iter().cycle();
    by_row.retain(|_| places.next().is_none_or(|stays| *stays));
}

impl Site {
    fn of_flows(SiteRows { name, mut rows }: SiteRows, logs: &[FlowLog]) -> Self {
        let flow = |(file, row): (u32, u32)| &logs[file as usize].flows[row as usize];
        rows.sort_by(|a, b| flow(*a).time_s.total_cmp(&flow(*b).time_s));
        let mut site = Self { name, ..Self::default() };
        let (mut context, mut numeric, mut codes) = (Context::default(), [0.0; FLOW_NUMERIC], [0; FLOW_CATEGORICAL]);
        for (file, row) in rows {
            let flow = flow((file, row));
            context.observe(flow, &mut numeric, &mut codes);
            site.numeric.extend_from_slice(&numeric);
            site.codes.extend_from_slice(&codes);
            site.time_s.push(flow.time_s);
            site.labels.push(logs[file as usize].labels[row as usize]);
            site.endpoints.push(Endpoint {
                source: flow.source,
                destination: flow.destination,
                destination_port: flow.destination_port,
            });
        }
        site
    }

    fn of_rows(SiteRows { name, mut rows }: SiteRows, set: &TableSet) -> Self {
        let time = |(file, row): (u32, u32)| {
            let times = set.files()[file as usize].time_s();
            times.map_or(0.0, |times| times[row as usize])
        };
        rows.sort_by(|a, b| time(*a).total_cmp(&time(*b)));
        let mut site = Self { name, ..Self::default() };
        for (file, row) in rows {
            let (numeric, codes) = set.values(file as usize, row as usize);
            site.numeric.extend_from_slice(numeric);
            site.codes.extend_from_slice(codes);
            site.time_s.push(time((file, row)));
            site.labels.push(set.files()[file as usize].labels()[row as usize]);
            site.endpoints.extend(set.files()[file as usize].endpoint(row as usize));
        }
        site
    }

    fn rows(&self, schema: &Schema, rows: std::ops::Range<usize>) -> Observation {
        let (numbers, kinds) = (schema.numeric.len(), schema.categorical.len());
        let mut builder = BatchBuilder::new(schema, rows.len());
        for row in rows.clone() {
            builder.push(
                &self.numeric[row * numbers..(row + 1) * numbers],
                &self.codes[row * kinds..(row + 1) * kinds],
                self.endpoints.get(row).copied(),
                Some(self.time_s[row]),
            );
        }
        Observation { batch: builder.finish(), truth: Truth::new(self.labels[rows].to_vec()) }
    }
}

impl Source for Recorded {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn families(&self) -> &[Family] {
        &self.families
    }

    fn sites(&self) -> usize {
        self.sites.len()
    }

    fn site_name(&self, site: u32) -> String {
        self.sites[site as usize].name.clone()
    }

    fn step_s(&self) -> Option<f64> {
        Some(self.step_s)
    }

    fn flows_per_step(&self) -> f64 {
        let flows: usize = self.sites.iter().map(|site| site.time_s.len()).sum();
        flows.max(1) as f64 / (self.sites.len().max(1) as f64 * f64::from(self.steps.max(1)))
    }

    fn baseline(&self, _site: u32, _rows: usize) -> Batch {
        BatchBuilder::new(&self.schema, 0).finish()
    }

    fn observe(&self, site: u32, step: u32, _context: &mut Context) -> Observation {
        let site = &self.sites[site as usize];
        let start = |step: u32| site.starts[step.min(self.steps) as usize];
        site.rows(&self.schema, start(step)..start(step.saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::{Input, ReadOptions, TableSchema, read};

    fn log(name: &str, times: &[f64]) -> FlowLog {
        let mut text = "#fields\tts\tid.orig_h\tid.resp_h\tproto\tconn_state\tlabel\tdetailedlabel\n".to_owned();
        for time in times {
            writeln!(text, "{time}\t10.0.0.1\t10.0.0.2\ttcp\tSF\tMalicious\t{name}").expect("text grows");
        }
        match read(name, text.as_bytes(), &ReadOptions::default()) {
            Ok(Input::Flows(log)) => log,
            other => panic!("{other:?}"),
        }
    }

    fn rows(source: &Recorded, site: u32) -> Vec<usize> {
        (0..=source.steps()).map(|step| source.observe(site, step, &mut Context::default()).batch.rows()).collect()
    }

    #[test]
    fn all_sites_share_one_clock_and_no_flow_is_lost() {
        let logs = vec![log("b", &[100.0, 109.0, 104.0, 110.0]), log("a", &[106.0, 107.5])];
        let params = RecordedParams { steps: 5, ..RecordedParams::default() };
        let source = Recorded::from_logs(logs, &params, 0).expect("two logs");
        assert_eq!((source.origin_s(), source.step_s(), source.flows()), (100.0, Some(2.0), 6));
        assert_eq!(rows(&source, 0), [1, 0, 1, 0, 2, 0]);
        assert_eq!(rows(&source, 1), [0, 0, 0, 2, 0, 0]);
        let names: Vec<&str> = source.families().iter().map(|family| family.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let seen = source.observe(0, 0, &mut Context::default());
        assert_eq!(seen.truth.labels(), [Label::Attack(crate::FamilyId(1))]);
        assert_eq!(seen.batch.time_s(), Some([100.0].as_slice()));
    }

    #[test]
    fn flows_that_all_start_at_once_are_one_step() {
        let source = Recorded::from_logs(vec![log("a", &[5.0; 3])], &RecordedParams::default(), 0).expect("a log");
        assert_eq!(rows(&source, 0)[..2], [3, 0]);
    }

    fn tables(time: bool) -> TableSet {
        let schema = TableSchema::from_yaml(&format!(
            "{{name: t, numeric: [{{name: a}}], label: {{column: y, benign: [ok]}}, {}}}",
            if time { "time: ts" } else { "ignored: [ts]" }
        ));
        let options = ReadOptions { schema: Some(schema.expect("a sound schema")), ..ReadOptions::default() };
        match read("t", "ts,a,y\n9,3,ok\n0,1,ok\n4,2,bad\n".as_bytes(), &options) {
            Ok(Input::Table(table)) => TableSet::new(vec![table]).expect("a table"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_table_with_times_is_replayed_in_their_order() {
        let params = RecordedParams { steps: 2, ..RecordedParams::default() };
        let source = Recorded::from_tables(&tables(true), &params, 0).expect("times are there");
        assert_eq!(rows(&source, 0), [2, 1, 0]);
        let seen = source.observe(0, 0, &mut Context::default());
        assert_eq!(seen.batch.numeric(), [0.0, 0.5]);
    }

    #[test]
    fn features_left_out_are_gone_and_the_others_keep_their_values() {
        let whole = Recorded::from_logs(vec![log("a", &[1.0, 2.0])], &RecordedParams::default(), 0).expect("a log");
        let leave_out = vec!["bytes_out".to_owned(), "service".to_owned()];
        let params = RecordedParams { leave_out, ..RecordedParams::default() };
        let part = Recorded::from_logs(vec![log("a", &[1.0, 2.0])], &params, 0).expect("a log");
        let [whole_seen, part_seen] = [&whole, &part].map(|source| source.observe(0, 0, &mut Context::default()).batch);
        assert_eq!((part.schema().numeric.len(), part.schema().categorical.len()), (19, 2));
        for (k, feature) in part.schema().numeric.iter().enumerate() {
            let before = whole.schema().numeric_column(&feature.name).expect("it was there");
            assert_eq!(part_seen.numeric_column(k), whole_seen.numeric_column(before), "{}", feature.name);
        }
        assert_eq!(part_seen.code_column(1), whole_seen.code_column(2));
        let params = RecordedParams { leave_out: vec!["nothing".to_owned()], ..RecordedParams::default() };
        let refused = Recorded::from_logs(vec![log("a", &[1.0])], &params, 0).err();
        assert_eq!(refused, Some(RecordedError::NoFeature("nothing".into())));
    }

    #[test]
    fn what_cannot_be_replayed_is_refused() {
        let refused = Recorded::from_tables(&tables(false), &RecordedParams::default(), 0).err();
        assert_eq!(refused, Some(RecordedError::NoTimes { file: "t".into() }));
        let none = RecordedParams { steps: 0, ..RecordedParams::default() };
        assert_eq!(Recorded::from_logs(vec![log("a", &[5.0])], &none, 0).err(), Some(RecordedError::NoSteps));
        let refused = Recorded::from_logs(vec![], &RecordedParams::default(), 0).err();
        assert_eq!(refused, Some(RecordedError::Partition(PartitionError::NoFlows)));
    }
}
