//! Reads the flows of a log from a file, or from standard input where the name is `-`, one by one, and says how fast and in how
//! much memory: `cargo run --release -p dais-traffic --example read_stream -- FILE|-`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]
#![expect(clippy::disallowed_types, reason = "a program, unlike the library, has files and a clock")]

use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::time::Instant;

use dais_traffic::{FlowReader, ReadOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).ok_or("name a file, or - for standard input")?;
    let input: Box<dyn Read> = if name == "-" { Box::new(io::stdin().lock()) } else { Box::new(File::open(&name)?) };
    let start = Instant::now();
    let mut reader = FlowReader::open(&name, input, &ReadOptions::default())?;
    let mut flows = 0_u64;
    for flow in reader.by_ref() {
        flow?;
        flows += 1;
    }
    let rate = flows as f64 / start.elapsed().as_secs_f64();
    let bad = reader.stats().bad_rows;
    println!("{flows} flows, {rate:.0} flows/s, {bad} broken rows, peak resident memory {}", peak_memory());
    Ok(())
}

/// The largest amount of memory that the process has held, as Linux says.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or("unknown", str::trim).to_owned()
}
