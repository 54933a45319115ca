//! ICMP messages that belong together: a question and its answer are one flow, anything else is a flow of one direction.

/// Questions with their answers in ICMP for IP version 4 (RFC 792, 950, 1256).
pub(super) const VERSION_4: &[(u8, u8)] = &[(8, 0), (13, 14), (15, 16), (17, 18), (10, 9)];
/// The same for IP version 6 (RFC 4443, 2710, 4861, 4620, 6275).
pub(super) const VERSION_6: &[(u8, u8)] = &[(128, 129), (130, 131), (133, 134), (135, 136), (139, 140), (144, 145)];

/// Marks the code of a message without answer, so that no message in the other direction is taken for one.
const ONE_WAY: u16 = 0x100;

/// What stands for the ports in the key of a flow: the type of a message and that of its answer, so that the two swap
/// their places as ports do.
pub(super) fn ports(pairs: &[(u8, u8)], kind: u8, code: u8) -> (u16, u16) {
    let answer = pairs.iter().find_map(|&(question, answer)| match kind {
        kind if kind == question => Some(answer),
        kind if kind == answer => Some(question),
        _ => None,
    });
    (u16::from(kind), answer.map_or(ONE_WAY | u16::from(code), u16::from))
}
