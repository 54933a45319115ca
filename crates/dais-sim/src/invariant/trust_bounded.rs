//! Trust is a number from 0 to 1.

use super::View;

pub(super) fn check(view: &View<'_>) -> Result<(), String> {
    let wrong = view.trust.iter().position(|trust| !(0.0..=1.0).contains(trust));
    wrong.map_or(Ok(()), |agent| Err(format!("a{agent} has {}", view.trust[agent])))
}
