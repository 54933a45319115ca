//! `dais schema`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::BufReader;
use std::process::ExitCode;

use anyhow::{Context, bail};
use dais_traffic::{Input, Label, ReadOptions, Table, TableSchema, Transform, read};

use crate::args::schema::SchemaArgs;
use crate::screen::figure::{count, percent, plural};
use crate::screen::output;

/// Families listed among the comments.
const FAMILIES_MAX: usize = 12;

pub(crate) fn schema(args: &SchemaArgs) -> anyhow::Result<ExitCode> {
    let name = args.file.display().to_string();
    // The draft is a guess: rows it does not fit are counted and shown rather than refused.
    match read_by(&name, None, 1.0)? {
        Input::Table(table) => output::print(&commented(&table)?)?,
        Input::Flows(log) => {
            bail!("{name} is a flow log ({}), which needs no schema: run it with `dais run --data {name}`", log.format)
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read_by(name: &str, schema: Option<TableSchema>, bad_rows_max: f64) -> anyhow::Result<Input> {
    let file = File::open(name).with_context(|| name.to_owned())?;
    let options = ReadOptions { schema, bad_rows_max: Some(bad_rows_max), ..ReadOptions::default() };
    Ok(read(name, BufReader::new(file), &options)?)
}

/// The schema with what there is to check about it.
fn commented(table: &Table) -> anyhow::Result<String> {
    let mut schema = (*table.schema).clone();
    let known = schema.name == TableSchema::nsl_kdd().name;
    if known {
        // The built-in layout leaves it open whether there is a header; a schema file says it.
        if read_by(&table.name, Some(schema.clone()), 0.0).is_err() {
            schema.header = true;
            schema.columns.clear();
        }
    } else {
        schema.name = name_of(&table.name);
    }
    let mut text = String::new();
    let mut say = |line: &str| writeln!(text, "# {line}").map_err(anyhow::Error::from);
    if known {
        say(&format!("The built-in schema of NSL-KDD, which fits {}. It need not be given.", table.name))?;
    } else {
        say(&format!(
            "A draft for {}, guessed from its header and first rows. Check it before you trust it:",
            table.name
        ))?;
    }
    for line in checks(table, known) {
        say(&line)?;
    }
    Ok(text + &schema.to_yaml()?)
}

fn checks(table: &Table, known: bool) -> Vec<String> {
    let mut lines = labels(table);
    let stats = &table.stats;
    if stats.bad_rows > 0 {
        let (bad, rows) = (count(stats.bad_rows), count(stats.rows));
        lines.push(format!("{bad} of {rows} rows do not fit, the first:"));
        lines.extend(stats.first_errors.iter().take(1).map(|error| format!("  {error}")));
    }
    if known {
        return lines;
    }
    lines.extend(table.left_out.iter().map(ToString::to_string));
    let schema = &table.schema;
    let is_log1p = |transform: Transform| matches!(transform, Transform::Log1p);
    let amounts: Vec<&str> =
        schema.numeric.iter().filter(|column| is_log1p(column.transform)).map(|column| column.name.as_str()).collect();
    lines.push(
        "numeric: another column that identifies a row, or was made from the label, belongs under `ignored`;"
            .to_owned(),
    );
    lines.push("  numbers that are codes (protocols, flags) belong under `categorical`.".to_owned());
    if !amounts.is_empty() {
        lines.push("  `log1p` is for amounts with a heavy tail: bytes, packets, seconds, counts.".to_owned());
    }
    lines.push(
        "  low, high: bounds after the transform, by default those of the data; give them to make runs on".to_owned(),
    );
    lines.push("  different files comparable. unit: for people.".to_owned());
    for (column, values) in schema.categorical.iter().zip(&table.values) {
        if values.len() > 100 {
            lines.push(format!(
                "categorical `{}` has {} values: is it a name or an id?",
                column.name,
                count(values.len() as u64)
            ));
        }
    }
    if table.numeric.iter().any(|numbers| numbers.iter().any(f64::is_nan)) {
        lines.push(
            "missing: `fill` puts the median where a number is missing, and a feature beside it that says where;"
                .to_owned(),
        );
        lines.push("  `refuse` leaves such rows out as broken.".to_owned());
    }
    if let Some(verdict) = &schema.label.verdict {
        let names = &schema.label.column;
        lines.push(format!("label: `{verdict}` says whether a row is an attack, `{names}` which one."));
    }
    if schema.time.is_none() {
        lines.push(
            "time: no column was recognised, so rows are drawn at random; name one to play them back.".to_owned(),
        );
    }
    if schema.source.is_none() {
        lines
            .push("source, destination: no addresses were recognised; name both to have attackers blocked.".to_owned());
    }
    lines
}

fn labels(table: &Table) -> Vec<String> {
    let (mut benign, mut undecided, mut attacks) = (0_u64, 0_u64, BTreeMap::<usize, u64>::new());
    for label in &table.labels {
        match label {
            Label::Benign => benign += 1,
            Label::Undecided => undecided += 1,
            Label::Attack(family) => *attacks.entry(usize::from(family.0)).or_default() += 1,
        }
    }
    let rows = table.rows() as u64;
    let share = |part: u64| percent((rows > 0).then(|| part as f64 / rows as f64));
    let mut lines = vec![format!(
        "label `{}`: {} in all, {} benign ({}), {} undecided; every other value is an attack family:",
        table.schema.label.column,
        plural(rows, "row"),
        count(benign),
        share(benign),
        count(undecided)
    )];
    let mut order: Vec<(usize, u64)> = attacks.into_iter().collect();
    order.sort_by_key(|&(_, flows)| std::cmp::Reverse(flows));
    let named =
        order.iter().take(FAMILIES_MAX).map(|&(at, flows)| format!("{} {}", table.families[at].name, count(flows)));
    let mut named: Vec<String> = named.collect();
    if order.len() > FAMILIES_MAX {
        named.push(format!("and {} more", order.len() - FAMILIES_MAX));
    }
    for part in named.chunks(6) {
        lines.push(format!("  {}", part.join(", ")));
    }
    if benign == 0 {
        lines.push("  NO ROW IS BENIGN: name the values that mean ordinary traffic under `label.benign`.".to_owned());
    }
    lines
}

fn name_of(file: &str) -> String {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or("table").to_owned()
}
