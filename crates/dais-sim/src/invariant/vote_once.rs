//! No vote counts twice: a ballot holds one vote of a member, and only of members.

use super::View;

pub(super) fn check(view: &View<'_>) -> Result<(), String> {
    for ballot in &view.ballots {
        if !ballot.votes().is_sorted_by(|a, b| a.voter < b.voter) {
            return Err(format!("the ballot on {} holds two votes of one voter", ballot.signature().short()));
        }
        let outsider = ballot.votes().iter().find(|vote| ballot.committee().binary_search(&vote.voter).is_err());
        if let Some(vote) = outsider {
            return Err(format!("{} voted on {} from outside the committee", vote.voter, ballot.signature().short()));
        }
    }
    Ok(())
}
