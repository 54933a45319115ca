//! Figures of many runs of one set.

use std::collections::BTreeMap;

use dais_lab::{Detection, Summary};
use dais_sim::Mode;

/// Draws of a bootstrap interval.
const DRAWS: u64 = 2_000;

/// What was seen, seed by seed.
#[derive(Default)]
pub(crate) struct Figures {
    recall: BTreeMap<Mode, Vec<f64>>,
    fpr: BTreeMap<Mode, Vec<f64>>,
    /// Collaborative minus isolated macro recall at the false positive rate of the collaborative world.
    gain: Vec<f64>,
    accepted: Vec<f64>,
    accepted_benign: Vec<f64>,
}

impl Figures {
    pub(crate) const HEAD: &'static str = "set              world          macro recall %  at false positives %  \
                                           gain at equal rate (95 %)  accepted, benign";

    pub(crate) fn is_empty(&self) -> bool {
        self.fpr.is_empty()
    }

    pub(crate) fn add(&mut self, summary: &Summary) {
        for (&mode, detection) in &summary.detection {
            self.recall.entry(mode).or_default().extend(detection.macro_recall);
            self.fpr.entry(mode).or_default().extend(detection.fpr);
        }
        self.accepted.push(summary.signatures.accepted as f64);
        self.accepted_benign.push(summary.signatures.accepted_benign as f64);
        let worlds = (summary.detection.get(&Mode::Isolated), summary.detection.get(&Mode::Collaborative));
        if let (Some(isolated), Some(collaborative)) = worlds {
            self.gain.extend(gain(isolated, collaborative));
        }
    }

    /// One line of the table; nothing where the world was not run.
    pub(crate) fn line(&self, set: &str, mode: Mode) -> Option<String> {
        let percent = |values: &[f64]| match mean(values) {
            Some(mean) => format!("{:.2}", 100.0 * mean),
            None => "–".to_owned(),
        };
        let fpr = self.fpr.get(&mode)?;
        let recall = self.recall.get(&mode).map_or(&[][..], Vec::as_slice);
        let (gain, accepted) = if mode == Mode::Collaborative {
            let interval =
                interval(&self.gain).map(|(low, high)| format!("{:+.1} to {:+.1}", 100.0 * low, 100.0 * high));
            let accepted = mean(&self.accepted).zip(mean(&self.accepted_benign));
            (interval.unwrap_or_default(), accepted.map(|(all, benign)| format!("{all:.1}, {benign:.1}")))
        } else {
            (String::new(), None)
        };
        let accepted = accepted.unwrap_or_default();
        let line = format!(
            "{set:<16} {:<14} {:>14}  {:>20}  {gain:>25}  {accepted:>16}",
            mode.name(),
            percent(recall),
            percent(fpr)
        );
        Some(line.trim_end().to_owned())
    }
}

/// What the collaborative world finds more than the isolated one at the same rate of false positives, where the isolated
/// world's curve reaches it.
fn gain(isolated: &Detection, collaborative: &Detection) -> Option<f64> {
    let (recall, fpr) = (collaborative.macro_recall?, collaborative.fpr?);
    let curve = &isolated.curve;
    let above = curve.iter().position(|point| point.fpr >= fpr)?;
    let (low, high) = (curve.get(above.checked_sub(1)?)?, &curve[above]);
    let share = if high.fpr > low.fpr { (fpr - low.fpr) / (high.fpr - low.fpr) } else { 1.0 };
    Some(recall - (low.macro_recall + share * (high.macro_recall - low.macro_recall)))
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The middle 95 % of means of values drawn again and again (bootstrap; B. Efron 1979).
fn interval(values: &[f64]) -> Option<(f64, f64)> {
    if values.is_empty() {
        return None;
    }
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = || {
        // An xorshift is random enough to draw a handful of values.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        values[(state % values.len() as u64) as usize]
    };
    let mut means: Vec<f64> =
        (0..DRAWS).map(|_| values.iter().map(|_| draw()).sum::<f64>() / values.len() as f64).collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means[(share * (means.len() - 1) as f64) as usize];
    Some((at(0.025), at(0.975)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_the_mean_and_shrinks_with_agreement() {
        let (low, high) = interval(&[0.1, 0.2, 0.3, 0.4, 0.5]).expect("values");
        assert!(low < 0.3 && high > 0.3 && low >= 0.1 && high <= 0.5, "{low} {high}");
        let (low, high) = interval(&[0.3; 5]).expect("values");
        assert!((low - 0.3).abs() < 1e-12 && (high - 0.3).abs() < 1e-12);
        assert_eq!(interval(&[]), None);
    }
}
