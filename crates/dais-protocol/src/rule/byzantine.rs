//! Byzantine quorum: so many agree that two decisions share an honest member.

use super::{Call, Tally};

/// How many liars `members` can bear: the largest f with n ≥ 3f + 1 (Lamport, Shostak, Pease: *The Byzantine Generals
/// Problem*, 1982).
pub const fn byzantine_faults(members: usize) -> usize {
    members.saturating_sub(1) / 3
}

/// Members that must agree: ⌊(n + f) / 2⌋ + 1, which is 2f + 1 for n = 3f + 1 (Malkhi and Reiter: *Byzantine quorum
/// systems*, 1998). Two such quorums share more than f members, so at least one who is honest and says one thing. The
/// n - f honest members alone are such a quorum, so liars cannot block what all honest members agree on.
pub const fn byzantine_quorum(members: usize) -> usize {
    usize::midpoint(members, byzantine_faults(members)) + 1
}

/// Carried or lost when a quorum of the whole committee agrees; silence and abstentions count for neither.
pub(super) fn call(tally: &Tally) -> Call {
    let needed = byzantine_quorum(tally.members);
    let confirmations = tally.decisive_confirmations;
    if confirmations >= needed {
        Call::Carried
    } else if tally.decisive - confirmations >= needed {
        Call::Lost
    } else {
        Call::Wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_quorums_share_an_honest_member_and_the_honest_alone_are_one() {
        for members in 1..400 {
            let (faults, quorum) = (byzantine_faults(members), byzantine_quorum(members));
            assert!(members > 3 * faults && members < 3 * (faults + 1) + 1);
            assert!(2 * quorum > members + faults, "{members}: two quorums may share liars alone");
            assert!(quorum <= members - faults, "{members}: liars can block");
        }
        assert_eq!([4, 7, 10].map(byzantine_quorum), [3, 5, 7]);
    }
}
