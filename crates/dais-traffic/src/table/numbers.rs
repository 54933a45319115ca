//! The values of a numeric column, as small as they can be kept without losing what tells them apart.

/// Below this even numbers of 32 bits keep four digits behind the point.
const SMALL: f64 = 1024.0;

/// Numbers of one column: of 32 bits, or of 64 as soon as one comes that 32 would change in digits that matter, such as a
/// fraction of a second since 1970.
#[derive(Clone, Debug)]
pub enum Numbers {
    /// Numbers of 32 bits.
    Single(Vec<f32>),
    /// Numbers of 64 bits.
    Double(Vec<f64>),
}

impl Default for Numbers {
    fn default() -> Self {
        Self::Single(Vec::new())
    }
}

/// Columns are equal where their numbers are; missing ones equal one another.
impl PartialEq for Numbers {
    fn eq(&self, other: &Self) -> bool {
        let bits = |value: f64| if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
        self.len() == other.len() && self.iter().map(bits).eq(other.iter().map(bits))
    }
}

impl From<Vec<f32>> for Numbers {
    fn from(values: Vec<f32>) -> Self {
        Self::Single(values)
    }
}

impl Numbers {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Single(values) => values.len(),
            Self::Double(values) => values.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of a row.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn get(&self, row: usize) -> f64 {
        match self {
            Self::Single(values) => f64::from(values[row]),
            Self::Double(values) => values[row],
        }
    }

    /// The numbers in the order of rows.
    pub fn iter(&self) -> impl Iterator<Item = f64> {
        let (single, double) = match self {
            Self::Single(values) => (values.as_slice(), [].as_slice()),
            Self::Double(values) => ([].as_slice(), values.as_slice()),
        };
        single.iter().map(|value| f64::from(*value)).chain(double.iter().copied())
    }

    /// Adds a number; those before it keep their values.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) {
        match self {
            Self::Single(values) if value.abs() < SMALL || f64::from(value as f32).to_bits() == value.to_bits() => {
                values.push(value as f32);
            }
            Self::Single(values) if value.is_nan() => values.push(f32::NAN),
            Self::Single(values) => {
                let mut wider: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
                wider.push(value);
                *self = Self::Double(wider);
            }
            Self::Double(values) => values.push(value),
        }
    }

    /// Puts `value` where there is none.
    pub(crate) fn fill(&mut self, value: f64) {
        match self {
            Self::Single(values) => values.iter_mut().filter(|v| v.is_nan()).for_each(|v| *v = value as f32),
            Self::Double(values) => values.iter_mut().filter(|v| v.is_nan()).for_each(|v| *v = value),
        }
    }

    /// Bytes that the numbers take.
    #[cfg(feature = "parquet")]
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Single(values) => size_of_val(values.as_slice()),
            Self::Double(values) => size_of_val(values.as_slice()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_keep_what_tells_them_apart_and_others_stay_small() {
        let mut times = Numbers::default();
        for value in [0.1, 16_777_216.0, f64::NAN] {
            times.push(value);
        }
        assert!(matches!(&times, Numbers::Single(values) if values.len() == 3));
        for value in [1_600_000_000.25, 1_600_000_000.75] {
            times.push(value);
        }
        let all: Vec<f64> = times.iter().collect();
        assert_eq!(all[3..], [1_600_000_000.25, 1_600_000_000.75]);
        assert!((times.get(0) - 0.1).abs() < 1e-7 && times.get(2).is_nan() && times.len() == 5);
    }
}
