//! The report page: what stands on it, and what can never stand on it.

use std::collections::BTreeSet;

use dais_lab::{LedgerSummary, Series, Signatures, Summary, TrustSummary, report_html};
use dais_sim::Mode;

use crate::sample;

fn page(summary: &Summary, series: &Series) -> String {
    let page = report_html(summary, series).expect("the template takes the figures");
    assert_well_formed(&page);
    page
}

/// The values of an attribute, in order.
fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    page.split(start.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Every element is closed where it should be, ids are unique, and what is referred to exists.
fn assert_well_formed(page: &str) {
    let body = page.split_once("</style>").expect("the page has a style").1;
    let mut open = vec!["html", "head"];
    let mut seen = 0;
    for tag in body.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap_or_else(|| panic!("unfinished tag <{tag}"));
        let bare = tag.trim_start_matches('/');
        let name = bare.split([' ', '/']).next().unwrap_or(bare);
        seen += 1;
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closed in the wrong place");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(seen > 100, "looked at {seen} tags only");
    assert!(open.is_empty(), "left open: {open:?}");
    let ids = attributes(page, "id");
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "an id is used twice: {ids:?}");
    for referred in attributes(page, "aria-labelledby").iter().flat_map(|ids| ids.split(' ')) {
        assert!(unique.contains(referred), "no element has the id {referred}");
    }
}

fn charts(page: &str) -> usize {
    page.matches("<svg").count()
}

#[test]
fn every_section_stands_on_the_page_with_its_figures() {
    let page = page(&sample::summary(), &sample::series());
    for heading in [
        "<h1>campaigns</h1>",
        "Detection</h2>",
        "Spread of attacks, spread of signatures</h2>",
        "Attack families</h2>",
        "Warning between sites</h2>",
        "Signatures and votes</h2>",
        "Trust in agents</h2>",
        "Slowest phases</h3>",
        "Notes</h2>",
        "How to repeat this run</h2>",
    ] {
        assert_eq!(page.matches(heading).count(), 1, "{heading}");
    }
    for figure in [
        "seed\u{a0}7 · 50\u{a0}agents · 15\u{a0}liars · 100\u{a0}steps",
        "79.0\u{202f}%",
        "isolated 62.0\u{202f}% · oracle 86.0\u{202f}%",
        "71\u{202f}%",
        "268 &#x2f; 97",
        "20\u{202f}418",
        "T1498.001",
        "42\u{202f}013",
        "18\u{202f}733",
        "14.0\u{202f}KiB",
        "431 (69.5\u{202f}%)",
        "7.4\u{202f}h",
        "413\u{202f}MiB",
        "collaborative · observe",
        "line 8812",
        "At 2.7\u{202f}% false positives, the rate of the collaborative world: isolated 6",
        "dais run scenario.yaml",
        sample::HEAD,
    ] {
        assert!(page.contains(figure), "{figure} is missing");
    }
    assert_eq!(
        charts(&page),
        4 + 12 + 1 + 2,
        "three of detection, spread and its families, trust over time and at the end"
    );
    assert!(page.contains("2 more are in the mean above"));
    assert!(!page.contains("class=\"banner\""));
}

#[test]
fn a_page_is_a_function_of_its_figures() {
    let (first, second) = (page(&sample::summary(), &sample::series()), page(&sample::summary(), &sample::series()));
    assert!(first == second, "two pages of one run differ");
}

#[test]
fn drawings_are_named_and_table_headers_scoped() {
    let page = page(&sample::summary(), &sample::series());
    assert_eq!(page.matches("role=\"img\" aria-labelledby=").count(), charts(&page));
    assert_eq!(page.matches("<desc").count(), charts(&page));
    let headers = page.matches("<th ").count() + page.matches("<th>").count();
    assert!(headers > 40, "{headers}");
    assert_eq!(page.matches("<th scope=").count(), headers);
}

#[test]
fn names_cannot_become_markup() {
    let mut summary = sample::summary();
    summary.scenario = "<img src=x onerror=alert(1)>".to_owned();
    summary.notes = vec!["</ul><script>alert('note')</script>".to_owned()];
    summary.schema.numeric[0].name = "<b>bytes</b>".to_owned();
    for detection in summary.detection.values_mut() {
        detection.families[3].technique = Some("\"><script>".to_owned());
    }
    let mut series = sample::series();
    series.phases.push((Mode::Oracle, "<i>phase</i>".to_owned(), 99.0));
    let page = page(&summary, &series);
    for markup in ["<script", "<img", "<b>", "<i>", "</ul><"] {
        assert!(!page.contains(markup), "{markup} came through");
    }
    assert!(page.contains("&lt;script&gt;alert(&#x27;family&#x27;)"), "in tables");
    assert!(page.contains("Spread of &lt;script&gt;alert(&#39;family&#39;)"), "in drawings");
    assert!(page.contains("&lt;i&gt;phase&lt;"));
    assert!(page.contains(sample::LONG));
}

#[test]
fn a_page_loads_nothing() {
    let page = page(&sample::summary(), &sample::series());
    for load in ["http://", "https://", "<script", " src=", "@import", "@font-face", "<iframe", "<object"] {
        assert!(!page.contains(load), "{load}");
    }
    let inner = page.matches("url(#").count();
    assert!(inner > 0 && page.matches("url(").count() == inner, "style refers to parts of the page alone");
    let links: Vec<&str> = attributes(&page, "href");
    assert_eq!(links, ["data:,"], "an empty icon, so that none is asked for");
}

#[test]
fn worlds_that_were_left_out_are_said_to_be() {
    let (mut summary, mut series) = (sample::summary(), sample::series());
    summary.detection.retain(|mode, _| *mode == Mode::Isolated);
    series.recall.retain(|mode, _| *mode == Mode::Isolated);
    series.fpr.retain(|mode, _| *mode == Mode::Isolated);
    summary.gap_closed = None;
    summary.ledger = LedgerSummary::default();
    summary.signatures = Signatures::default();
    summary.warning = None;
    summary.trust = TrustSummary::default();
    (series.trust_honest, series.trust_liars, series.trust_end) = (Vec::new(), Vec::new(), Vec::new());
    (series.reached, series.protected) = (Vec::new(), Vec::new());
    let page = page(&summary, &series);
    assert_eq!(page.matches("left out of this run</td>").count(), 2);
    assert!(page.contains("62.0\u{202f}%"), "the isolated world stands first");
    assert!(page.contains("needs labels and three worlds that differ"));
    assert!(page.contains("The collaborative world was left out of this run"));
    assert!(page.contains("This run kept no ledger"));
    assert!(page.contains("Needs a collaborative world"));
    assert!(!page.contains("Warning between sites"));
    assert_eq!(charts(&page), 3);
}

#[test]
fn traffic_without_labels_gives_dashes_and_says_why() {
    let (mut summary, mut series) = (sample::summary(), sample::series());
    for detection in summary.detection.values_mut() {
        detection.families.clear();
        detection.curve.clear();
        for figure in [
            &mut detection.recall,
            &mut detection.macro_recall,
            &mut detection.precision,
            &mut detection.f1,
            &mut detection.fpr,
            &mut detection.delay_steps_median,
            &mut detection.immunity_steps_median,
        ] {
            *figure = None;
        }
    }
    summary.gap_closed = None;
    for values in series.recall.values_mut().chain(series.fpr.values_mut()) {
        values.fill(None);
    }
    (series.reached, series.protected) = (Vec::new(), Vec::new());
    let page = page(&summary, &series);
    assert!(page.contains("The traffic carries no labels"));
    assert_eq!(page.matches("<td class=\"num\">–</td>").count(), 3 * 7);
    assert!(page.contains("No attack family is known in this traffic."));
    assert_eq!(charts(&page), 3, "trust alone is drawn");
    assert!(page.contains("Warning between sites"));
}

#[test]
fn a_run_without_a_step_has_a_page() {
    let mut summary = sample::summary();
    summary.steps = 0;
    summary.flows = 0;
    summary.wall_s = 0.0;
    summary.agent_steps_per_s = f64::NAN;
    summary.flows_per_s = f64::NAN;
    summary.detection.clear();
    summary.interrupted = true;
    let page = page(&summary, &Series::default());
    assert!(page.contains("No step was carried out."));
    assert!(page.contains("stopped after 0 of 100 steps"));
    assert!(!page.contains("NaN"));
    assert_eq!(charts(&page), 0);
}

#[test]
fn an_interrupted_run_says_so_first() {
    let mut summary = sample::summary();
    (summary.interrupted, summary.steps) = (true, 61);
    let page = page(&summary, &sample::series());
    let banner = page.find("stopped after 61 of 100 steps").expect("a banner");
    assert!(banner < page.find("class=\"card\"").expect("cards"));
}

#[test]
fn one_agent_and_one_step_are_drawn_as_points() {
    let mut summary = sample::summary();
    (summary.agents, summary.adversaries, summary.steps) = (1, 0, 1);
    let mut series = sample::series();
    for values in series.recall.values_mut().chain(series.fpr.values_mut()) {
        *values = vec![Some(0.5)];
    }
    for (_, shares) in series.reached.iter_mut().chain(&mut series.protected) {
        *shares = vec![1.0];
    }
    (series.trust_honest, series.trust_liars, series.trust_end) = (vec![0.5], Vec::new(), vec![(0.5, false)]);
    let page = page(&summary, &series);
    assert!(page.contains("1\u{a0}agent · 0\u{a0}liars · 1\u{a0}step"));
    assert!(page.matches("<circle").count() > 5);
    assert_eq!(page.matches("Trust of liars at the end").count(), 0);
    assert_eq!(page.matches("Liars, mean").count(), 0);
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn figures_that_are_no_numbers_are_left_out() {
    let (mut summary, mut series) = (sample::summary(), sample::series());
    summary.gap_closed = Some(f64::INFINITY);
    for detection in summary.detection.values_mut() {
        (detection.fpr, detection.macro_recall) = (Some(f64::NAN), Some(f64::NAN));
        detection.curve[2].fpr = f64::NAN;
        detection.families[0].recall = Some(f64::NAN);
    }
    series.reached[0].1[5] = f64::NAN;
    series.trust_honest[7] = f64::NAN;
    series.trust_end[0].0 = f64::NAN;
    series.phases[0].2 = f64::NAN;
    for values in series.recall.values_mut() {
        values[50] = Some(f64::NAN);
    }
    let page = page(&summary, &series);
    assert!(!page.contains("NaN") && !page.contains("inf\u{202f}"));
}

#[test]
fn the_size_is_bounded_for_many_agents_steps_and_families() {
    let (summary, mut series) = (sample::summary(), sample::series());
    let usual = page(&summary, &series).len();
    assert!(usual < 300_000, "{usual} bytes");
    series.trust_end = (0..10_000).map(|agent| (f64::from(agent) / 10_000.0, agent % 3 == 0)).collect();
    let drawn = page(&summary, &series).len();
    assert!(drawn < usual + 10_000, "10,000 agents took {} more bytes", drawn.saturating_sub(usual));
    for values in series.recall.values_mut().chain(series.fpr.values_mut()) {
        *values = values.iter().copied().cycle().take(5_000).collect();
    }
    for (_, shares) in series.reached.iter_mut().chain(&mut series.protected) {
        *shares = shares.iter().copied().cycle().take(5_000).collect();
    }
    series.trust_honest = series.trust_honest.iter().copied().cycle().take(5_000).collect();
    let long = page(&summary, &series).len();
    assert!(long < 500_000, "5,000 steps took {long} bytes");
}
