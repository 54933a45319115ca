//! Drawing rows and features at random, and taking them evenly spaced.

use rand_philox::Philox;

/// The most reference rows a model may keep.
pub(crate) const REFERENCE_MAX: usize = 1 << 24;

/// The row of the `index`-th of `count` evenly spaced rows out of `rows`.
pub(crate) fn evenly_spaced(index: usize, count: usize, rows: usize) -> usize {
    match index.checked_mul(rows) {
        _ if count == rows => index,
        Some(product) => product / count,
        None => (index as u128 * rows as u128 / count as u128) as usize,
    }
}

/// One step of a Fisher-Yates shuffle: swaps one of those from `place` on to `place` and returns it. `below` draws a number
/// below how many there are.
pub(crate) fn deal<T: Copy>(deck: &mut [T], place: usize, below: impl FnOnce(usize) -> usize) -> T {
    let other = place + below(deck.len() - place);
    deck.swap(place, other);
    deck[place]
}

/// A normally distributed number of mean 0 and standard deviation 1 (Box and Muller), from two numbers drawn evenly: one
/// above 0 and at most 1, and one from 0 to 1.
pub(crate) fn normal(radius: f64, turn: f64) -> f64 {
    libm::sqrt(-2.0 * libm::log(radius)) * libm::cos(std::f64::consts::TAU * turn)
}

/// Draws rows without repetition by a partial shuffle of all of them.
pub(crate) fn draw_from_deck(deck: &mut [u32], rows: &mut [u32], words: &mut Words<'_>) {
    for (row, place) in (0u32..).zip(deck.iter_mut()) {
        *place = row;
    }
    if deck.len() > rows.len() {
        for place in 0..rows.len() {
            deal(deck, place, |count| words.below(count));
        }
    }
    rows.copy_from_slice(&deck[..rows.len()]);
}

/// Draws a small share of many rows without repetition: a row that was drawn before is drawn again.
pub(crate) fn draw_sparse(count: usize, drawn: &mut [u32], taken: &mut [u64], words: &mut Words<'_>) {
    for place in drawn.iter_mut() {
        let row = loop {
            let row = words.below(count);
            let bit = 1 << (row % 64);
            if taken[row / 64] & bit == 0 {
                taken[row / 64] |= bit;
                break row;
            }
        };
        *place = row as u32;
    }
    for &row in drawn.iter() {
        taken[row as usize / 64] = 0;
    }
}

/// The random words of one tree.
pub(crate) struct Words<'a> {
    stream: Philox,
    buffer: &'a mut Vec<u32>,
    used: usize,
}

impl<'a> Words<'a> {
    /// A tree of 256 rows takes some 330 words: little is generated in vain.
    const BUFFER: usize = 64;

    pub(crate) fn new(seed: u64, tree: u64, buffer: &'a mut Vec<u32>) -> Self {
        buffer.resize(Self::BUFFER, 0);
        Self { stream: Philox::from_u64_seed_stream(seed, tree), buffer, used: Self::BUFFER }
    }

    pub(crate) fn next(&mut self) -> u32 {
        if self.used >= self.buffer.len() {
            self.stream.fill_u32(self.buffer);
            self.used = 0;
        }
        let word = self.buffer[self.used];
        self.used += 1;
        word
    }

    /// A number below `count`, and what the same word says about where between two such numbers: a
    /// second, independent number in units of 2^-32.
    pub(crate) fn below_with_fraction(&mut self, count: usize) -> (usize, u32) {
        let product = u64::from(self.next()) * count as u64;
        ((product >> 32) as usize, product as u32)
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.below_with_fraction(count).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_drawn_without_repetition_and_each_equally_often() {
        let mut buffer = Vec::new();
        let (mut deck, mut rows) = (vec![0; 40], [0; 10]);
        let (mut drawn, mut taken) = (vec![0; 10], vec![0; 1]);
        let (mut in_place, mut sparse) = ([0u32; 40], [0u32; 40]);
        for tree in 0..4_000 {
            draw_from_deck(&mut deck, &mut rows, &mut Words::new(1, tree, &mut buffer));
            draw_sparse(40, &mut drawn, &mut taken, &mut Words::new(2, tree, &mut buffer));
            let mut seen = (0u64, 0u64);
            for (&row, &other) in rows.iter().zip(&drawn) {
                in_place[row as usize] += 1;
                sparse[other as usize] += 1;
                seen = (seen.0 | 1 << row, seen.1 | 1 << other);
            }
            assert_eq!((seen.0.count_ones(), seen.1.count_ones()), (10, 10));
            assert_eq!(taken, [0]);
        }
        // 1000 expected, standard deviation 27.
        for count in in_place.iter().chain(&sparse) {
            assert!((870..1_130).contains(count), "{in_place:?} {sparse:?}");
        }
    }
}
