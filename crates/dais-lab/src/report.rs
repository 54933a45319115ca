//! The report of a run: one page that needs nothing but itself.

mod detectors;
mod figure;
mod finding;
mod headline;
mod plot;
mod spread;
mod table;
mod trust;
mod words;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use crate::summary::{Series, Summary};
pub use detectors::eval_html;
use figure::Figure;
use finding::Findings;
use headline::Card;
use spread::Spread;
use table::{Bar, Fact, FamilyRow, WorldRow};

/// The one template that is no HTML.
const STYLE: &str = "style.css";

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The template of the page did not take the figures.
    #[error("report page: {0}")]
    Template(#[from] minijinja::Error),
}

/// The report of a run as one HTML page: figures, tables and drawings, for screens light and dark, small and large, and
/// for paper. It loads nothing: style and drawings are inside, there is no script. Figures that are missing are shown
/// as dashes, and drawings without values are replaced by a sentence that says why. The same input gives the same page.
///
/// The size does not grow with agents (their trust is binned) nor beyond some 200 points a line with steps; it grows by
/// about one kilobyte a family.
///
/// # Errors
///
/// [`ReportError::Template`] where the page cannot be put together.
pub fn report_html(summary: &Summary, series: &Series) -> Result<String, ReportError> {
    rendered("page.html", include_str!("report/page.html"), &Page::new(summary, series))
}

/// The page that a template makes of its figures.
fn rendered(name: &str, template: &str, page: &impl Serialize) -> Result<String, ReportError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_auto_escape_callback(|name| if name == STYLE { AutoEscape::None } else { AutoEscape::Html });
    environment.add_template(STYLE, include_str!("report/style.css"))?;
    environment.add_template("part.html", include_str!("report/part.html"))?;
    environment.add_template(name, template)?;
    Ok(environment.get_template(name)?.render(Serde(page))?)
}

/// Everything the template shows, as text.
#[derive(Debug, Serialize)]
struct Page<'a> {
    summary: &'a Summary,
    version: &'static str,
    subtitle: Vec<String>,
    has_labels: bool,
    has_collaboration: bool,
    missing: bool,
    findings: Findings,
    cards: Vec<Card>,
    worlds: Vec<WorldRow>,
    world_keys: Vec<WorldKey>,
    recall: Option<Figure>,
    fpr: Option<Figure>,
    trade_off: Option<Figure>,
    spread: Option<Spread>,
    families: Vec<FamilyRow>,
    trust: Option<Figure>,
    trust_end: Option<Figure>,
    trust_mean: Vec<Fact>,
    phases: Vec<Bar>,
    cost: Vec<Fact>,
    warning: Option<Vec<Fact>>,
    signatures: Vec<Bar>,
    accepted_benign: String,
    votes: Vec<Fact>,
}

/// A world that was run, with its colour.
#[derive(Debug, Serialize)]
struct WorldKey {
    label: &'static str,
    pen: &'static str,
}

impl<'a> Page<'a> {
    fn new(summary: &'a Summary, series: &Series) -> Self {
        let worlds = table::worlds(summary);
        let world_keys = worlds.iter().filter(|row| !row.cells.is_empty());
        let missing = worlds.iter().flat_map(|row| &row.cells).any(|cell| cell == words::NOTHING);
        Self {
            summary,
            version: env!("CARGO_PKG_VERSION"),
            subtitle: subtitle(summary),
            has_labels: table::has_labels(summary),
            has_collaboration: headline::has_collaboration(summary),
            missing,
            findings: finding::findings(summary),
            cards: headline::cards(summary),
            world_keys: world_keys.map(|row| WorldKey { label: row.name, pen: row.pen }).collect(),
            worlds,
            recall: figure::recall_over_time(series),
            fpr: figure::fpr_over_time(series),
            trade_off: figure::trade_off(summary),
            spread: spread::spread(summary, series),
            families: table::families(summary),
            trust: trust::over_time(series),
            trust_end: trust::at_end(series),
            trust_mean: table::trust(summary),
            phases: table::phases(series),
            cost: table::cost(summary),
            warning: table::warning(summary),
            signatures: table::signatures(summary),
            accepted_benign: words::count(summary.signatures.accepted_benign),
            votes: table::votes(summary),
        }
    }
}

/// What was run, in a few words.
fn subtitle(summary: &Summary) -> Vec<String> {
    let steps = u64::from(summary.steps);
    vec![
        format!("seed\u{a0}{}", summary.seed),
        words::counted(summary.agents as u64, "agent", "agents"),
        words::counted(summary.adversaries as u64, "liar", "liars"),
        words::counted(steps, "step", "steps"),
        words::counted(summary.flows, "flow", "flows"),
    ]
}
