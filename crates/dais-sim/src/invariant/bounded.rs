//! Nothing is unbounded.

use super::View;

pub(super) fn check(view: &View<'_>) -> Result<(), String> {
    let over = view.bounds.iter().find(|(_, kept, most)| kept > most);
    over.map_or(Ok(()), |(what, kept, most)| Err(format!("{kept} {what} are kept, allowed are {most}")))
}
