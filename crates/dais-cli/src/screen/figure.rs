//! Numbers as people read them.

/// What stands where there is nothing to count.
pub(crate) const NOTHING: &str = "–";

/// A whole number with its thousands apart.
pub(crate) fn count(number: u64) -> String {
    dais_lab::grouped(number, ',')
}

/// A share as percent with one digit after the point.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| NOTHING.to_owned(), |share| format!("{:.1} %", share * 100.0))
}

/// A share as percent with two digits after the point, for small ones.
pub(crate) fn fine_percent(share: Option<f64>) -> String {
    share.map_or_else(|| NOTHING.to_owned(), |share| format!("{:.2} %", share * 100.0))
}

/// A number with one digit after the point, whole ones without.
pub(crate) fn number(value: Option<f64>) -> String {
    value.map_or_else(
        || NOTHING.to_owned(),
        |value| if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") },
    )
}

/// An amount of seconds in a fitting unit.
pub(crate) fn seconds(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1000.0)
    } else if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{:.0} min {:02.0} s", (seconds / 60.0).floor(), (seconds % 60.0).floor())
    }
}

/// A rate, which needs no digits after the point once it is large.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second < 100.0 { format!("{per_second:.1}") } else { count(per_second.round() as u64) }
}

/// An amount of bytes in a fitting unit.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.into_iter().find(|&(_, size)| bytes >= size) {
        Some((unit, size)) => format!("{:.1} {unit}", bytes as f64 / size as f64),
        None => plural(bytes, "byte"),
    }
}

/// `1 agent`, `2 agents`; `1 entry`, `2 entries`.
pub(crate) fn plural(number: u64, one: &str) -> String {
    match one.strip_suffix("ry").filter(|_| number != 1) {
        Some(stem) => format!("{} {stem}ries", count(number)),
        None => format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_counted_is_shown_as_such() {
        assert_eq!((percent(None), percent(Some(0.0351))), ("–".to_owned(), "3.5 %".to_owned()));
        assert_eq!((number(Some(3.0)), number(Some(2.5)), number(None)), ("3".into(), "2.5".into(), "–".into()));
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(
            [plural(1, "entry"), plural(2, "entry"), plural(1_000, "agent")],
            ["1 entry", "2 entries", "1,000 agents"]
        );
    }

    #[test]
    fn bytes_have_a_fitting_unit() {
        assert_eq!([1, 900, 1_536, 5 << 20].map(bytes), ["1 byte", "900 bytes", "1.5 KiB", "5.0 MiB"]);
    }

    #[test]
    fn times_have_a_fitting_unit() {
        assert_eq!([0.0421, 42.3, 125.0].map(seconds), ["42 ms", "42.3 s", "2 min 05 s"]);
    }
}
