//! The health that another process serves.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use dais_telemetry::health::Report;
use reqwest::Url;
use reqwest::blocking::Client;

use dais_runs::ENDPOINT;

/// The longest answer that is read.
const ANSWER_MAX: u64 = 16 << 20;

/// The address of `/health` that a URL or the folder of a run stands for.
pub(super) fn address(target: &str) -> anyhow::Result<Url> {
    let text = if target.contains("://") { target.to_owned() } else { of_run(Path::new(target))? };
    let mut url = Url::parse(&text).with_context(|| format!("`{text}` is no address"))?;
    if !matches!(url.scheme(), "http" | "https") {
        bail!("`{text}` is no address that health is served at: it begins with neither http:// nor https://");
    }
    if url.path() == "/" {
        url.set_path("/health");
    }
    Ok(url)
}

/// Where the process that makes a run serves, as it wrote it into the folder while it works.
fn of_run(run: &Path) -> anyhow::Result<String> {
    let read = |folder: &Path| fs::read_to_string(folder.join(ENDPOINT)).ok().map(|text| text.trim().to_owned());
    if let Some(found) = read(run).or_else(|| dais_runs::unfinished_of(run).iter().find_map(|path| read(path))) {
        return Ok(found);
    }
    let shown = run.display();
    if !run.exists() && dais_runs::unfinished_of(run).is_empty() {
        bail!("there is no run at {shown}; for the address of a process write http://HOST:PORT");
    }
    bail!("no process serves the health of {shown}: the run has ended, or serves none")
}

/// Asks the process.
pub(super) fn ask(url: &Url, timeout: Duration) -> anyhow::Result<Report> {
    // It is asked itself, not by way of a proxy.
    let client = Client::builder().timeout(timeout).no_proxy().build().context("cannot ask over HTTP")?;
    let answer = client.get(url.clone()).send().map_err(|error| {
        let why = if error.is_timeout() { "it does not answer in time".to_owned() } else { innermost(&error) };
        anyhow::anyhow!("cannot reach {url}: {why}")
    })?;
    let status = answer.status();
    let mut body = String::new();
    std::io::Read::read_to_string(&mut std::io::Read::take(answer, ANSWER_MAX), &mut body)
        .with_context(|| format!("{url} broke off its answer"))?;
    // 503 is how an unhealthy process answers.
    match serde_json::from_str(&body) {
        Ok(report) => Ok(report),
        Err(_) => bail!("{url} answers {status}, which is no report of health: is it a dais?"),
    }
}

fn innermost(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
