//! What a synthetic world promises: truth, rhythm, heavy tails, worms that keep to their edges, honest difficulty.

use std::collections::BTreeSet;
use std::net::IpAddr;

use dais_traffic::{
    Batch, Campaign, CampaignFamily, CampaignMix, Campaigns, Context, FamilyId, Label, Observation, SiteProfile,
    Source, Synthetic, SyntheticParams,
};

use crate::source_suite;

fn world(params: &SyntheticParams) -> Synthetic {
    params.build(11).expect("sound parameters")
}

fn small() -> SyntheticParams {
    SyntheticParams { sites: 8, steps: 30, ..SyntheticParams::default() }
}

fn with(campaign: Campaign) -> Synthetic {
    world(&SyntheticParams { campaigns: Campaigns::Listed(vec![campaign]), sites: 12, ..small() })
}

/// Observations of the first steps of a site.
fn history(world: &Synthetic, site: u32, steps: u32) -> Vec<Observation> {
    let mut context = Context::default();
    (0..steps).map(|step| world.observe(site, step, &mut context)).collect()
}

fn attacks(seen: &Observation) -> usize {
    seen.truth.labels().iter().filter(|label| **label != Label::Benign).count()
}

/// Raw values of a numeric feature.
fn raw(world: &Synthetic, batch: &Batch, name: &str) -> Vec<f64> {
    let k = world.schema().numeric_column(name).expect("a feature of flows");
    batch.numeric_column(k).iter().map(|value| world.schema().numeric[k].raw(*value)).collect()
}

/// Share of each service among the flows of some sites of one profile, and of failed flows.
fn shares(profile: SiteProfile) -> (Vec<f64>, f64) {
    let campaigns = Campaigns::Listed(vec![]);
    let world = world(&SyntheticParams { profiles: vec![profile], campaigns, ..small() });
    let (mut counts, mut failed, mut rows) = (vec![0.0; world.schema().categorical[1].codes()], 0, 0);
    for seen in (0..4).flat_map(|site| history(&world, site, 10)) {
        seen.batch.code_column(1).iter().for_each(|code| counts[usize::from(*code)] += 1.0);
        failed += seen.batch.code_column(2).iter().filter(|state| [1, 4].contains(*state)).count();
        rows += seen.batch.rows();
    }
    (counts.into_iter().map(|count| count / rows as f64).collect(), failed as f64 / rows as f64)
}

#[test]
fn the_smallest_world_keeps_to_the_rules_of_sources() {
    source_suite::check(&world(&SyntheticParams { sites: 1, steps: 2, flows_per_step: 1.0, ..small() }), 2);
}

#[test]
fn another_seed_is_another_world() {
    let first = |seed| small().build(seed).expect("sound parameters").observe(0, 0, &mut Context::default());
    assert_eq!(first(1), first(1));
    assert_ne!(first(1), first(2));
}

#[test]
fn a_world_without_campaigns_is_benign_and_campaigns_leave_the_benign_flows_alone() {
    let quiet = world(&SyntheticParams { campaigns: Campaigns::Listed(vec![]), ..small() });
    let busy = world(&small());
    let mut seen_attacks = 0;
    for site in 0..8 {
        for (quiet, busy) in history(&quiet, site, 20).iter().zip(history(&busy, site, 20)) {
            assert_eq!(attacks(quiet), 0);
            seen_attacks += attacks(&busy);
            let labels = busy.truth.labels();
            let benign: Vec<usize> = (0..labels.len()).filter(|row| labels[*row] == Label::Benign).collect();
            let benign = busy.batch.select(&benign);
            assert_eq!((benign.endpoints(), benign.time_s()), (quiet.batch.endpoints(), quiet.batch.time_s()));
        }
    }
    assert!(seen_attacks > 500, "{seen_attacks} attack flows");
}

#[test]
fn every_family_attacks_when_and_where_the_plan_says_and_as_much() {
    for family in CampaignFamily::ALL {
        for stealth in [0.0, 0.8] {
            let campaign = Campaign { family, start_step: 4, duration_steps: 6, stealth, ..Campaign::default() };
            let world = with(Campaign { spacing_steps: 1.5, ..campaign });
            let (mut under_attack, mut flows) = (0, 0);
            for site in 0..12 {
                let (first, seen) = (world.first_step(0, site), history(&world, site, 30));
                for (step, seen) in (0..).zip(&seen) {
                    let labels = seen.truth.labels();
                    assert!(labels.iter().all(|label| [Label::Benign, Label::Attack(family.id())].contains(label)));
                    let planned = first.is_some_and(|first| (first..first + 6).contains(&step));
                    if family != CampaignFamily::Worm {
                        assert!(planned || attacks(seen) == 0, "{family:?} at site {site} in step {step}");
                        under_attack += u32::from(planned);
                        flows += attacks(seen);
                    }
                }
            }
            let (mean, expected) = (flows as f64 / f64::from(under_attack), 15.0 * (1.0 - 0.75 * stealth));
            let spared = family == CampaignFamily::Worm;
            assert!(spared || (mean / expected - 1.0).abs() < 0.15, "{family:?}: {mean} flows, planned {expected}");
        }
    }
}

#[test]
fn a_worm_is_seen_at_infected_sites_and_their_neighbours_and_alike_at_both_ends() {
    let worm = Campaign { family: CampaignFamily::Worm, spacing_steps: 2.0, start_step: 3, ..Campaign::default() };
    let params = SyntheticParams { sites: 40, campaigns: Campaigns::Listed(vec![worm]), ..small() };
    let world = world(&params);
    let infected = |site, step| world.first_step(0, site).is_some_and(|first| (first..first + 8).contains(&step));
    let mut contexts = vec![Context::default(); 40];
    let (mut edges, mut infections) = (0, 0);
    for step in 0..20 {
        let seen: Vec<BTreeSet<(IpAddr, IpAddr, u64)>> =
            (0..40).map(|site| worm_flows(&world, site, step, &mut contexts[site as usize])).collect();
        for site in 0..40 {
            let near = world.neighbours(site).any(|other| infected(other, step));
            assert!(seen[site as usize].is_empty() || near || infected(site, step), "site {site} in step {step}");
            for other in world.neighbours(site) {
                let between = |at: u32| -> BTreeSet<_> {
                    seen[at as usize].iter().filter(|(from, to, _)| is_in(*from, site) && is_in(*to, other)).collect()
                };
                assert_eq!(between(site), between(other), "flows from {site} to {other} in step {step}");
                edges += between(site).len();
            }
        }
    }
    for site in 0..40 {
        if let Some(from) = world.infected_by(0, site) {
            assert!(world.neighbours(site).any(|other| other == from));
            infections += 1;
        }
    }
    assert!(edges > 200 && infections > 20, "{edges} flows along edges, {infections} infections");
}

fn worm_flows(world: &Synthetic, site: u32, step: u32, context: &mut Context) -> BTreeSet<(IpAddr, IpAddr, u64)> {
    let Observation { batch, truth } = world.observe(site, step, context);
    let (endpoints, times) = (batch.endpoints().expect("endpoints"), batch.time_s().expect("times"));
    let hostile = (0..batch.rows()).filter(|row| truth.labels()[*row] != Label::Benign);
    hostile.map(|row| (endpoints.source[row], endpoints.destination[row], times[row].to_bits())).collect()
}

fn is_in(address: IpAddr, site: u32) -> bool {
    matches!(address, IpAddr::V4(address) if address.octets()[..3] == [10, (site >> 8) as u8, site as u8])
}

#[test]
fn sites_under_one_campaign_share_some_attackers_but_not_all() {
    let campaign = Campaign { spacing_steps: 0.0, stealth: 0.9, site_share: 1.0, ..Campaign::default() };
    let world = with(campaign);
    let attackers = |site: u32| -> BTreeSet<IpAddr> {
        let observations = history(&world, site, 8);
        let rows = observations.iter().flat_map(|seen| {
            let sources = &seen.batch.endpoints().expect("endpoints").source;
            sources.iter().zip(seen.truth.labels()).filter(|(_, label)| **label != Label::Benign)
        });
        rows.map(|(source, _)| *source).collect()
    };
    let sites: Vec<BTreeSet<IpAddr>> = (0..12).map(attackers).collect();
    let first = &sites[0];
    assert!(sites[1..].iter().any(|other| !other.is_disjoint(first)), "some attackers are met again");
    assert!(sites[1..].iter().any(|other| other != first), "no two sites need meet the same ones");
}

#[test]
fn service_mixes_differ_between_profiles_and_everywhere_something_fails() {
    let mixes: Vec<(Vec<f64>, f64)> = SiteProfile::ALL.into_iter().map(shares).collect();
    for (k, (mix, failed)) in mixes.iter().enumerate() {
        assert!((0.01..0.2).contains(failed), "{:?}: {failed} of the flows failed", SiteProfile::ALL[k]);
        for (other, _) in &mixes[..k] {
            let distance = 0.5 * mix.iter().zip(other).map(|(a, b)| (a - b).abs()).sum::<f64>();
            assert!(distance > 0.2, "{:?} is {distance} from an earlier one", SiteProfile::ALL[k]);
        }
    }
}

#[test]
fn sizes_and_durations_have_heavy_tails() {
    let world = world(&SyntheticParams { campaigns: Campaigns::Listed(vec![]), ..small() });
    for name in ["bytes_out", "bytes_in", "duration"] {
        let mut values: Vec<f64> =
            (0..8).flat_map(|site| history(&world, site, 15)).flat_map(|seen| raw(&world, &seen.batch, name)).collect();
        values.sort_by(f64::total_cmp);
        let top: f64 = values[values.len() * 99 / 100..].iter().sum();
        let share = top / values.iter().sum::<f64>();
        assert!(share > 0.4, "{name}: the largest hundredth has {share} of all");
    }
}

#[test]
fn an_office_is_busier_by_day_than_by_night() {
    let at = |start_hour| {
        let params = SyntheticParams { profiles: vec![SiteProfile::Office], start_hour, ..small() };
        let world = world(&SyntheticParams { campaigns: Campaigns::Listed(vec![]), ..params });
        (0..8).flat_map(|site| history(&world, site, 6)).map(|seen| seen.batch.rows()).sum::<usize>() as f64
    };
    let ratio = at(14.0) / at(2.5);
    assert!((2.8..5.5).contains(&ratio), "by day {ratio} times the flows of the night");
}

#[test]
fn a_baseline_has_the_asked_rows_all_before_the_first_step() {
    let world = world(&small());
    let baseline = world.baseline(3, 512);
    let first = world.observe(3, 0, &mut Context::default());
    let (before, after) = (baseline.time_s().expect("times"), first.batch.time_s().expect("times"));
    assert_eq!((baseline.rows(), before.is_sorted()), (512, true));
    assert!(before[511] <= after[0]);
    assert_eq!(world.baseline(3, 0).rows(), 0);
}

#[test]
fn a_hundred_thousand_sites_cost_no_more_than_the_few_that_are_asked() {
    let world = world(&SyntheticParams { sites: 131_072, ..SyntheticParams::default() });
    for site in [0, 65_536, 131_071] {
        assert!(world.observe(site, 40, &mut Context::default()).batch.rows() > 20);
    }
    let worm = world.campaigns().position(|campaign| campaign.family == CampaignFamily::Worm).expect("a worm");
    assert!((0..131_072).filter(|site| world.first_step(worm, *site).is_some()).count() > 1_000);
}

/// AUROC of each family, by a score without any learning but means, deviations and frequencies of the baseline.
fn difficulty(stealth: f64) -> Vec<f64> {
    let mix = CampaignMix { stealth_min: stealth, stealth_max: stealth, ..CampaignMix::default() };
    let world = world(&SyntheticParams { sites: 12, steps: 40, campaigns: Campaigns::Auto(mix), ..small() });
    let (mut scores, mut benign) = (vec![Vec::new(); CampaignFamily::ALL.len()], Vec::new());
    for site in 0..12 {
        let baseline = world.baseline(site, 512);
        for seen in history(&world, site, 40) {
            for (row, label) in seen.truth.labels().iter().enumerate() {
                let score = strangeness(&baseline, &seen.batch, row);
                match label {
                    Label::Attack(FamilyId(family)) => scores[usize::from(*family)].push(score),
                    Label::Benign | Label::Undecided => benign.push(score),
                }
            }
        }
    }
    benign.sort_by(f64::total_cmp);
    let below = |score: &f64| benign.partition_point(|other| other < score) as f64 / benign.len() as f64;
    scores.iter().map(|scores| scores.iter().map(below).sum::<f64>() / scores.len() as f64).collect()
}

fn strangeness(baseline: &Batch, batch: &Batch, row: usize) -> f64 {
    let numeric = (0..17).map(|k| {
        let (column, count) = (baseline.numeric_column(k), baseline.rows() as f32);
        let mean = column.iter().sum::<f32>() / count;
        let variance = column.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / count;
        f64::from((batch.numeric_column(k)[row] - mean).powi(2) / (variance + 0.003))
    });
    let rarity = (0..3).map(|k| {
        let (column, code) = (baseline.code_column(k), batch.code_column(k)[row]);
        let same = column.iter().filter(|other| **other == code).count() as f64;
        -libm::log((same + 0.5) / (column.len() as f64 + 8.0))
    });
    numeric.sum::<f64>() + rarity.sum::<f64>()
}

#[test]
fn loud_campaigns_are_found_by_a_simple_score_and_stealthy_ones_less() {
    let (loud, stealthy) = (difficulty(0.0), difficulty(0.9));
    let mean = |areas: &[f64]| areas.iter().sum::<f64>() / areas.len() as f64;
    assert!((0.8..0.99).contains(&mean(&loud)), "loud {loud:?}");
    assert!(mean(&stealthy) < mean(&loud) - 0.03, "loud {loud:?}, stealthy {stealthy:?}");
    assert!(stealthy.iter().any(|area| *area < 0.85), "stealthy {stealthy:?}");
}
