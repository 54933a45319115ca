//! Comparing detectors.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::{dais, json, printed, refusal};

/// A labelled table: ordinary rows fill a square, every 20th is an attack far outside of it, every 50th nobody decided.
fn table(rows: u32, shift: f64) -> String {
    let mut text = "bytes,packets,label\n".to_owned();
    for row in 0..rows {
        let (a, b) = (f64::from(row * 7919 % 997) / 997.0, f64::from(row * 104_729 % 1009) / 1009.0);
        let (attack, unknown) = (row % 20 == 3, row % 50 == 7);
        let far = if attack { 3.0 } else { 0.0 };
        let label = if attack { "scan" } else { "benign" };
        let label = if unknown { "unknown" } else { label };
        writeln!(text, "{},{},{label}", a + far + shift, b + far).unwrap();
    }
    text
}

fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for (name, rows, shift) in [("one.csv", 400, 0.0), ("day_train.csv", 600, 1.0), ("day_test.csv", 300, 1.0)] {
        fs::write(place.path().join(name), table(rows, shift)).unwrap();
    }
    let schema = "{name: t, numeric: [{name: bytes}, {name: packets}], label: {column: label, benign: [benign], undecided: [unknown]}}";
    fs::write(place.path().join("t.yaml"), schema).unwrap();
    place
}

fn eval(place: &Path, flags: &[&str]) -> assert_cmd::Command {
    let mut command = dais(place);
    command.args(["eval", "--schema", "t.yaml", "--data"]).args(flags);
    command
}

#[test]
fn the_json_has_mean_and_spread_of_every_figure_and_the_same_ones_again() {
    let place = place();
    let flags = ["one.csv", "day_test.csv", "day_train.csv", "--detector", "ensemble,ecod", "--seeds", "3", "--json"];
    let mut compared = json(&mut eval(place.path(), &flags));
    assert_eq!(compared["datasets"][0]["name"], "one");
    assert_eq!(compared["datasets"][0]["protocol"], "unsupervised");
    assert_eq!(compared["datasets"][1]["name"], "day_train → day_test");
    assert_eq!(compared["datasets"][1]["protocol"], "novelty");
    // 300 rows, of which every 50th from the 7th on is undecided.
    assert_eq!(compared["datasets"][1]["scored"], 294);
    let results = compared["results"].as_array().unwrap();
    assert_eq!(results.len(), 4);
    for result in results {
        assert!(result["auroc_mean"].as_f64().unwrap() > 0.98, "{result}");
        assert!(result["average_precision_mean"].as_f64().unwrap() > 0.8, "{result}");
        assert_eq!(result["recall_at_fpr"].as_array().map(Vec::len), Some(3));
        assert!(result["model_bytes"].as_u64().unwrap() > 1_000, "{result}");
        assert!(result["auroc_std"].as_f64().unwrap() < 0.02 && result["fit_ms"].as_f64().unwrap() > 0.0);
    }
    assert_eq!(compared["comparison"]["datasets"], 2);
    let mut again = json(&mut eval(place.path(), &flags));
    for eval in [&mut compared, &mut again] {
        eval["wall_s"].take();
        eval["peak_rss_mb"].take();
        for result in eval["results"].as_array_mut().unwrap() {
            for time in ["fit_ms", "score_ms", "scored_rows_per_s"] {
                result[time].take();
            }
        }
    }
    assert_eq!(compared, again);
    // Each went to a folder of its own.
    for number in 1..=2 {
        let folder = place.path().join(format!("evals/one-day_train-day_test-{number}"));
        assert!(fs::read_to_string(folder.join("eval.html")).unwrap().contains("<svg"));
        let all: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(folder.join("eval.json")).unwrap()).unwrap();
        assert_eq!(all["results"][0]["curves"]["roc"][0][0], 0.0);
    }
}

#[test]
fn halves_are_drawn_by_the_seed_and_a_chosen_folder_is_kept() {
    let place = place();
    let halves = |seed: &str, out: &str| {
        let flags =
            ["one.csv", "--protocol", "novelty", "--detector", "ecod", "--json", "--seed-list", seed, "--out", out];
        let set = json(&mut eval(place.path(), &flags))["datasets"][0].clone();
        [&set["learned"], &set["attacks"]].map(|count| count.as_u64().unwrap())
    };
    let (first, second) = (halves("1", "first"), halves("2", "second"));
    assert_eq!(first, halves("1", "again"));
    assert_ne!(first, second);
    // 8 of 400 rows are undecided and 20 attacks.
    assert!(first[0] > 150 && first[0] < 200 && first[1] < 20, "{first:?}");
    let flags = ["one.csv", "--detector", "ecod", "--out", "kept"];
    printed(&mut eval(place.path(), &flags));
    let refused = refusal(&mut eval(place.path(), &flags));
    assert!(refused.contains("kept holds eval.json") && refused.contains("--force"), "{refused}");
    printed(eval(place.path(), &flags).arg("--force"));
}

#[test]
fn what_cannot_be_measured_is_refused_with_the_way_out() {
    let place = place();
    fs::write(place.path().join("calm.csv"), "bytes,packets,label\n1,2,benign\n2,3,benign\n").unwrap();
    fs::write(place.path().join("other.csv"), "x,label\n1,benign\n2,scan\n").unwrap();
    let refused = |flags: &[&str]| refusal(dais(place.path()).args(["eval", "--data"]).args(flags));
    let calm = refused(&["calm.csv"]);
    assert!(calm.contains("calm.csv") && calm.contains("0 are labelled as attacks and 2 as benign"), "{calm}");
    fs::write(place.path().join("unknown.csv"), "bytes,packets,label\n1,2,unknown\n2,3,unknown\n").unwrap();
    let unlabelled = refused(&["unknown.csv", "--schema", "t.yaml", "--protocol", "novelty"]);
    assert!(unlabelled.contains("unknown.csv: no row is labelled"), "{unlabelled}");
    let unlike = refused(&["one.csv", "--test", "other.csv"]);
    assert!(unlike.contains("other.csv"), "{unlike}");
    let unknown = refused(&["one.csv", "--detector", "oracle"]);
    assert!(unknown.contains("oracle") && unknown.contains("isolation-forest"), "{unknown}");
    assert!(refused(&["missing.csv"]).contains("missing.csv"));
}
