//! What happened on a TCP connection, one letter for each kind of packet, as Zeek's column `history` has it.
//!
//! | letter | packet |
//! |---|---|
//! | `S`, `H` | SYN, SYN with ACK |
//! | `A`, `D` | an ACK alone, payload |
//! | `F`, `R` | FIN, RST |
//! | `I`, `Q` | FIN with RST; SYN with FIN or RST |
//! | `^` | originator and responder changed their places |
//!
//! Letters of the responder are small. A letter comes once for each side; `S`, `H`, `F` and `R` come again where another
//! sequence number shows that it is no repetition. Zeek's letters for check sums, gaps, windows and retransmissions
//! (`C`, `G`, `W`, `T`) are left out.

/// Most letters that are kept: what follows is left out.
const LETTERS_MAX: usize = 14;

/// Letters so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct History {
    letters: [u8; LETTERS_MAX],
    length: u8,
}

impl History {
    pub(super) fn letters(&self) -> &[u8] {
        &self.letters[..usize::from(self.length)]
    }

    pub(super) fn add(&mut self, letter: u8) {
        if let Some(place) = self.letters.get_mut(usize::from(self.length)) {
            *place = letter;
            self.length += 1;
        }
    }

    /// Takes a SYN-ACK that came first for the answer to a SYN that was not seen.
    pub(super) fn turn_first_answer(&mut self) {
        *self = Self::default();
        self.add(b'^');
        self.add(b'h');
    }

    /// Whether the originator sent nothing between a SYN and an RST but payload.
    pub(super) fn is_reset_attempt(&self) -> bool {
        let letters = self.letters();
        let letters = letters.strip_prefix(b"^").unwrap_or(letters);
        let Some((b'S', rest)) = letters.split_first() else { return false };
        rest.iter().take_while(|letter| !b"HAFGIQ".contains(letter)).any(|letter| *letter == b'R')
    }
}
