#![allow(clippy::all, clippy::pedantic, missing_docs, clippy::print_stdout, clippy::unwrap_used)]
use dais_lab::*;
use dais_ledger::MemoryStorage;
use dais_sim::*;
use dais_traffic::*;
use std::path::PathBuf;

fn set(value: &mut serde_json::Value, path: &str, text: &str) {
    let mut at = value;
    for key in path.split('.') {
        at = &mut at[key];
    }
    *at = serde_json::from_str(text).unwrap_or(serde_json::Value::String(text.to_owned()));
}

fn files(glob: &str) -> Vec<PathBuf> {
    let dir = std::env::var("XP").unwrap_or("/tmp/xp".into());
    let mut v: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| {
            p.file_name().unwrap().to_str().unwrap().starts_with(glob) && p.extension().is_some_and(|e| e == "log")
        })
        .collect();
    v.sort();
    v
}

fn recorded(name: &str, prefix: &str, steps: u32, leave: bool) -> Scenario {
    let leave_out = if leave {
        vec!["source_destinations".into(), "source_same_service_share".into(), "source_out_share".into()]
    } else {
        vec![]
    };
    Scenario {
        name: name.into(),
        traffic: Traffic::Files(Files {
            paths: files(prefix),
            play: Some(Play::Recorded(RecordedParams { steps, leave_out, ..Default::default() })),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn synthetic(sites: u32, steps: u32, flows: f64, benign: bool) -> Scenario {
    let mut p = SyntheticParams { sites, steps, flows_per_step: flows, ..Default::default() };
    if benign {
        p.campaigns = Campaigns::Listed(vec![]);
    }
    Scenario { name: format!("syn{sites}x{steps}x{flows}"), traffic: Traffic::Synthetic(p), ..Default::default() }
}

fn fix(s: &mut Scenario) {
    if let Traffic::Files(f) = &mut s.traffic {
        for p in &mut f.paths {
            let t = p.to_str().unwrap().split("shared/data/").nth(1).unwrap().to_owned();
            *p = PathBuf::from("/work/shared/data").join(t);
        }
    }
}

fn scenario(name: &str) -> Scenario {
    let root = PathBuf::from("/work/wt/decide/scenarios");
    match name {
        "syn" => synthetic(50, 100, 100.0, false),
        "nsl" => {
            let mut s = Scenario::read(&root.join("nsl-kdd.yaml")).unwrap();
            s.name = "nsl".into();
            fix(&mut s);
            s
        }
        "ctu" => {
            let mut s = Scenario::read(&root.join("zeek-ctu50.yaml")).unwrap();
            fix(&mut s);
            s
        }
        "iot" => recorded(name, "iot-", 100, false),
        "lu07" => recorded(name, "lu07", 100, false),
        n if n.starts_with("unsw:") => recorded("unsw", "unsw-", n[5..].parse().unwrap(), false),
        n if n.starts_with("iotben:") => recorded(n, &format!("iotben-{}", &n[7..]), 100, false),
        "iotben" => recorded(name, "iotben-", 100, false),
        "lu12" => recorded(name, "lu12", 100, false),
        "unswben" => recorded(name, "unswben-", 100, false),
        "ctuben" => recorded(name, "ctuben-", 100, false),
        n if n.starts_with("synben:") => {
            let f: f64 = n[7..].parse().unwrap();
            synthetic(if f > 500.0 { 4 } else { 12 }, if f > 500.0 { 40 } else { 100 }, f, true)
        }
        n if n.starts_with("syn:") => {
            let f: u32 = n[4..].parse().unwrap();
            synthetic(f, 100, 100.0, false)
        }
        _ => panic!("unknown {name}"),
    }
}

fn recall_at(mut points: Vec<(f64, f64)>, fpr: f64) -> Option<f64> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    points.dedup_by(|later, kept| later.0.total_cmp(&kept.0).is_eq());
    let above = points.partition_point(|point| point.0 < fpr);
    let upper = *points.get(above)?;
    if upper.0 == fpr {
        return Some(upper.1);
    }
    let lower = points[above.checked_sub(1)?];
    Some(lower.1 + (upper.1 - lower.1) * (fpr - lower.0) / (upper.0 - lower.0))
}

fn main() {
    let mut names = vec![];
    let mut sets = vec![];
    let mut seeds = vec![1u64];
    let mut worlds: Option<Vec<Mode>> = None;
    let mut verbose = false;
    for a in std::env::args().skip(1) {
        if let Some(s) = a.strip_prefix("seeds=") {
            let (l, h) = s.split_once('-').unwrap();
            seeds = (l.parse().unwrap()..=h.parse().unwrap()).collect();
        } else if a == "iso" {
            worlds = Some(vec![Mode::Isolated]);
        } else if a == "ic" {
            worlds = Some(vec![Mode::Isolated, Mode::Collaborative]);
        } else if a == "v" {
            verbose = true;
        } else if let Some((k, v)) = a.split_once('=') {
            sets.push((k.to_owned(), v.to_owned()));
        } else {
            names.push(a);
        }
    }
    println!(
        "{:<26} {:<5} {:>6} {:>6} | {:>5} {:>5} {:>5} (benign %: alert match block) acc(ben) gain s",
        "set", "world", "recall", "fpr%", "al", "ma", "bl"
    );
    for name in names {
        let mut s = scenario(&name);
        if let Some(w) = &worlds {
            s.worlds = w.clone();
        }
        let mut v = serde_json::to_value(&s).unwrap();
        for (k, x) in &sets {
            set(&mut v, k, x);
        }
        let s: Scenario = serde_json::from_value(v).unwrap();
        let material = Material::read(&s.traffic).unwrap();
        let mut acc: std::collections::BTreeMap<Mode, Vec<[f64; 5]>> = Default::default();
        let mut sig = vec![];
        let mut gains = vec![];
        let mut fams: std::collections::BTreeMap<(String, Mode), Vec<f64>> = Default::default();
        let t = std::time::Instant::now();
        for &seed in &seeds {
            let loaded = material.clone().load(&s.traffic, seed).unwrap();
            let h = run_loaded(&s, loaded, seed, Execution::default(), Box::new(MemoryStorage::new()), &mut |_| {
                Next::Continue
            })
            .unwrap();
            let sum = summarise(&h, None);
            for (&m, d) in &sum.detection {
                let mut tot = StepTally::default();
                for tl in h.worlds[&m].course.tallies() {
                    tot.add(tl);
                }
                let b = tot.benign.max(1) as f64 / 100.0;
                acc.entry(m).or_default().push([
                    d.macro_recall.unwrap_or(f64::NAN) * 100.0,
                    d.fpr.unwrap_or(f64::NAN) * 100.0,
                    tot.false_alerts as f64 / b,
                    tot.false_matches as f64 / b,
                    tot.false_blocks as f64 / b,
                ]);
                for f in &d.families {
                    if let Some(r) = f.recall {
                        fams.entry((f.name.clone(), m)).or_default().push(r * 100.0);
                    }
                }
                if verbose {
                    let tl = h.worlds[&m].course.tallies();
                    let n = tl.len();
                    let q: Vec<String> = (0..10)
                        .map(|i| {
                            let mut t = StepTally::default();
                            for x in &tl[i * n / 10..(i + 1) * n / 10] {
                                t.add(x);
                            }
                            format!("{:.1}", 100.0 * t.false_alarms as f64 / t.benign.max(1) as f64)
                        })
                        .collect();
                    println!("   seed {seed} {:<12} fpr by tenth {}", m.name(), q.join(" "));
                }
            }
            sig.push([
                sum.signatures.accepted as f64,
                sum.signatures.accepted_benign as f64,
                sum.signatures.revoked as f64,
            ]);
            if let (Some(c), Some(i)) = (sum.detection.get(&Mode::Collaborative), sum.detection.get(&Mode::Isolated)) {
                let pts = i.curve.iter().map(|p| (p.fpr, p.macro_recall)).collect();
                if let (Some(r), Some(f)) = (c.macro_recall, c.fpr) {
                    if let Some(at) = recall_at(pts, f) {
                        gains.push(100.0 * (r - at));
                    }
                }
            }
        }
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len().max(1) as f64;
        for (m, rows) in &acc {
            let col = |k: usize| mean(&rows.iter().map(|r| r[k]).collect::<Vec<_>>());
            let extra = if *m == Mode::Collaborative {
                format!(
                    "{:.1} ({:.1}) rev {:.1} gain {:+.1}",
                    mean(&sig.iter().map(|s| s[0]).collect::<Vec<_>>()),
                    mean(&sig.iter().map(|s| s[1]).collect::<Vec<_>>()),
                    mean(&sig.iter().map(|s| s[2]).collect::<Vec<_>>()),
                    mean(&gains)
                )
            } else {
                String::new()
            };
            println!(
                "{:<26} {:<5} {:>6.1} {:>6.2} | {:>5.2} {:>5.2} {:>5.2} {extra} {:.1}s",
                name,
                &m.name()[..5],
                col(0),
                col(1),
                col(2),
                col(3),
                col(4),
                t.elapsed().as_secs_f64()
            );
        }
        if verbose {
            for ((f, m), r) in &fams {
                {
                    println!("     {f:<24} {:<6} {:.1}", &m.name()[..5], mean(r));
                }
            }
        }
    }
}
