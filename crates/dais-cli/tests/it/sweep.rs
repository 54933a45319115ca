//! Comparing many runs.

use std::fs;

use crate::{dais, json, printed, refusal};

const SMALL: [&str; 7] = ["sweep", "--agents", "6", "--steps", "6", "--set", "traffic.synthetic.flows_per_step=30"];

#[test]
fn every_choice_has_a_line_and_figures_go_to_the_folder() {
    let place = tempfile::tempdir().unwrap();
    let flags = ["--seeds", "2", "--alert-p", "0.02,0.1", "--liars", "0,0.5", "--out", "figures"];
    let screen = printed(dais(place.path()).args(SMALL).args(flags));
    assert!(screen.contains("8 runs of 2 seeds") && screen.contains("trust liars"), "{screen}");
    assert_eq!(screen.lines().filter(|line| line.contains(" at ") && line.contains('±')).count(), 5, "{screen}");
    let written = fs::read_to_string(place.path().join("figures/sweep.json")).unwrap();
    let written: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written["points"].as_array().map(Vec::len), Some(4));
    let refused = refusal(dais(place.path()).args(SMALL).args(["--out", "figures"]));
    assert!(refused.contains("holds a sweep already"), "{refused}");
}

#[test]
fn json_is_one_object_and_seeds_may_be_listed() {
    let place = tempfile::tempdir().unwrap();
    let sweep = json(dais(place.path()).args(SMALL).args(["--seed-list", "5,9", "--worlds", "isolated", "--json"]));
    assert_eq!(sweep["seeds"], serde_json::json!([5, 9]));
    assert_eq!(sweep["points"][0]["worlds"]["isolated"]["fpr"]["values"], 2);
}
