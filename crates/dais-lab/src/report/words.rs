//! Figures as people read them, and text as HTML takes it.

use crate::name::grouped;

/// What stands where there is nothing to show.
pub(super) const NOTHING: &str = "–";

/// Narrow space that does not break, between groups of digits and before units.
const NARROW: char = '\u{202f}';

/// A whole number, its digits in groups of three from five digits up.
pub(super) fn count(value: u64) -> String {
    if value < 10_000 { value.to_string() } else { grouped(value, NARROW) }
}

/// A share in [0, 1] as a percentage with one decimal, two below 0.1 %.
pub(super) fn share(value: Option<f64>) -> String {
    match present(value) {
        Some(share) if share > 0.0 && share < 0.001 => format!("{:.2}{NARROW}%", share * 100.0),
        Some(share) => format!("{:.1}{NARROW}%", share * 100.0),
        None => NOTHING.to_owned(),
    }
}

/// A number in [0, 1] with two decimals.
pub(super) fn level(value: Option<f64>) -> String {
    present(value).map_or_else(|| NOTHING.to_owned(), |level| format!("{level:.2}"))
}

/// An amount: whole from 100 up and where it is whole, else with one decimal.
pub(super) fn amount(value: Option<f64>) -> String {
    match present(value) {
        Some(amount) if amount >= 100.0 || (amount.round() - amount).abs() < 0.05 => count(amount.round() as u64),
        Some(amount) => format!("{amount:.1}"),
        None => NOTHING.to_owned(),
    }
}

/// An amount of steps.
pub(super) fn steps(value: Option<f64>) -> String {
    let text = amount(value);
    match text.as_str() {
        NOTHING => text,
        "1" => "1 step".to_owned(),
        _ => format!("{text} steps"),
    }
}

/// Seconds with as many digits as matter; minutes and hours where they are long.
pub(super) fn seconds(value: f64) -> String {
    match present(Some(value)) {
        None => NOTHING.to_owned(),
        Some(s) if s >= 5_400.0 => format!("{:.1}{NARROW}h", s / 3_600.0),
        Some(s) if s >= 90.0 => format!("{:.1}{NARROW}min", s / 60.0),
        Some(s) if s >= 9.95 => format!("{s:.0}{NARROW}s"),
        Some(s) if s >= 0.995 => format!("{s:.1}{NARROW}s"),
        Some(s) if s >= 0.000_95 => format!("{:.0}{NARROW}ms", s * 1_000.0),
        Some(s) if s > 0.0 => format!("<{NARROW}1{NARROW}ms"),
        Some(_) => format!("0{NARROW}s"),
    }
}

/// Bytes in units of 1024.
pub(super) fn bytes(value: Option<f64>) -> String {
    match present(value) {
        None => NOTHING.to_owned(),
        Some(bytes) if bytes < 1_024.0 => format!("{bytes:.0}{NARROW}B"),
        Some(bytes) if bytes < 1_048_576.0 => format!("{:.1}{NARROW}KiB", bytes / 1_024.0),
        Some(bytes) => format!("{:.1}{NARROW}MiB", bytes / 1_048_576.0),
    }
}

/// Hours, as minutes where there are few and days where there are many.
pub(super) fn hours(value: Option<f64>) -> String {
    match present(value) {
        None => NOTHING.to_owned(),
        Some(hours) if hours < 1.5 => format!("{:.0}{NARROW}min", hours * 60.0),
        Some(hours) if hours < 72.0 => format!("{hours:.1}{NARROW}h"),
        Some(hours) => format!("{:.1} days", hours / 24.0),
    }
}

/// `1 agent`, `2 agents`.
pub(super) fn counted(number: u64, singular: &str, plural: &str) -> String {
    let noun = if number == 1 { singular } else { plural };
    format!("{}\u{a0}{noun}", count(number))
}

/// Mean of the values, summed in their order; none where there are none.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, number) = values.fold((0.0, 0_u64), |(sum, number), value| (sum + value, number + 1));
    (number > 0).then(|| sum / number as f64)
}

/// The text with the characters that mean something in HTML replaced.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Keeps finite values: a figure that is not a number counts as missing.
fn present(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_from_five_up() {
        assert_eq!(count(0), "0");
        assert_eq!(count(9_999), "9999");
        assert_eq!(count(10_000), "10\u{202f}000");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
    }

    #[test]
    fn missing_figures_are_dashes() {
        assert_eq!(share(None), NOTHING);
        assert_eq!(share(Some(f64::NAN)), NOTHING);
        assert_eq!(steps(None), NOTHING);
        assert_eq!(bytes(Some(f64::INFINITY)), NOTHING);
        assert_eq!(hours(None), NOTHING);
    }

    #[test]
    fn shares_keep_the_digits_that_matter() {
        assert_eq!(share(Some(0.7634)), "76.3\u{202f}%");
        assert_eq!(share(Some(0.0004)), "0.04\u{202f}%");
        assert_eq!(share(Some(0.0)), "0.0\u{202f}%");
    }

    #[test]
    fn units_follow_the_size() {
        assert_eq!(seconds(0.0), "0\u{202f}s");
        assert_eq!(seconds(0.0421), "42\u{202f}ms");
        assert_eq!(seconds(0.9996), "1.0\u{202f}s");
        assert_eq!(seconds(125.0), "2.1\u{202f}min");
        assert_eq!(bytes(Some(2_048.0)), "2.0\u{202f}KiB");
        assert_eq!(hours(Some(0.5)), "30\u{202f}min");
        assert_eq!(hours(Some(96.0)), "4.0 days");
        assert_eq!(steps(Some(1.0)), "1 step");
        assert_eq!(steps(Some(2.5)), "2.5 steps");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(counted(1, "agent", "agents"), "1\u{a0}agent");
        assert_eq!(counted(50, "agent", "agents"), "50\u{a0}agents");
    }

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escaped("<b a='1'>&\""), "&lt;b a=&#39;1&#39;&gt;&amp;&quot;");
    }
}
