//! Writes the report of a made-up run, to look at while its page or style is changed:
//! `cargo run -p dais-lab --example sample_report -- report.html`.

#[path = "../tests/it/sample.rs"]
mod sample;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "report.html".to_owned());
    std::fs::write(path, dais_lab::report_html(&sample::summary(), &sample::series())?)?;
    Ok(())
}
