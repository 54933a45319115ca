//! A line for every adversary and share.

use std::error::Error;

use dais_sim::{AdversaryGroup, Behaviour, Mode};

use crate::Size;
use crate::life::{Figures, mean};

/// Prints recall and false positive rate beside those of agents on their own, trust, and whether the audit holds.
pub(crate) fn print(size: Size, shares: &[f64], only: &[String]) -> Result<(), Box<dyn Error>> {
    if let Some(unknown) = only.iter().find(|name| Behaviour::ALL.iter().all(|known| known.name() != name.as_str())) {
        return Err(format!("no adversary is named `{unknown}`: `dais list adversaries` shows them").into());
    }
    println!("{:<14}{:>7}{:>9}{:>9}{:>9}{:>9}{:>8}", "adversary", "share", "recall", "FPR", "liars", "honest", "audit");
    line("(isolated)", 0.0, mean(Mode::Isolated, size, &[])?);
    line("(honest)", 0.0, mean(Mode::Collaborative, size, &[])?);
    let chosen =
        Behaviour::ALL.into_iter().filter(|known| only.is_empty() || only.iter().any(|name| known.name() == name));
    for behaviour in chosen {
        for &share in shares {
            let group = AdversaryGroup::new(share, &[behaviour]);
            line(behaviour.name(), share, mean(Mode::Collaborative, size, &[group])?);
        }
    }
    Ok(())
}

fn line(name: &str, share: f64, figures: Figures) {
    let Figures { recall, false_positives, liars, honest, audited } = figures;
    let (recall, false_positives) = (100.0 * recall, 100.0 * false_positives);
    let audit = if audited < 1.0 { "FAILS" } else { "holds" };
    println!("{name:<14}{share:>7.2}{recall:>8.1}%{false_positives:>8.2}%{liars:>9.2}{honest:>9.2}{audit:>8}");
}
