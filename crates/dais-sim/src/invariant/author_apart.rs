//! Nobody accuses or acquits itself: an author has no seat on its own signature's committee.

use super::View;

pub(super) fn check(view: &View<'_>) -> Result<(), String> {
    let own = view.ballots.iter().find(|ballot| ballot.committee().binary_search(&ballot.author()).is_ok());
    own.map_or(Ok(()), |ballot| Err(format!("{} sits on {}", ballot.author(), ballot.signature().short())))
}
