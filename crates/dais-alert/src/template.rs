//! Templates of summaries and descriptions.

use minijinja::{Environment, UndefinedBehavior, context};

use crate::Labels;

/// The longest text a template may give, in bytes.
const TEXT_BYTES_MAX: usize = 2_000;

/// What a template may name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: f64,
    pub(crate) labels: &'a Labels,
    pub(crate) message: &'a str,
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    // A label that is not there is empty, as in Prometheus.
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment
}

/// Whether `template` can be read.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check(template: &str) -> Result<(), String> {
    environment().template_from_str(template).map(drop).map_err(|error| error.to_string())
}

/// The text; where that fails, the template and why, since an alert must not be lost over its wording.
pub(crate) fn render(template: &str, facts: Facts<'_>) -> String {
    let Facts { name, value, labels, message } = facts;
    let text = environment()
        .render_str(template, context! { name, value, labels, message })
        .unwrap_or_else(|error| format!("{template} ({error})"));
    shortened(text, TEXT_BYTES_MAX)
}

/// The beginning of `text`, at most `bytes_max` bytes long, with `…` where something was left out.
pub(crate) fn shortened(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        let mut end = bytes_max.saturating_sub('…'.len_utf8());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(template: &str) -> String {
        let labels = [("check".to_owned(), "disk".to_owned())].into();
        render(template, Facts { name: "DiskLow", value: 12.345, labels: &labels, message: "" })
    }

    #[test]
    fn values_and_labels_are_filled_in() {
        assert_eq!(rendered("{{name}}: {{labels.check}} has {{ value | round(1) }} MB"), "DiskLow: disk has 12.3 MB");
        assert_eq!(rendered("[{{ labels.none }}]"), "[]");
    }

    #[test]
    fn a_broken_template_loses_no_alert() {
        assert!(check("{{ value").is_err() && check("{{ value }}").is_ok());
        assert!(rendered("{{ value").starts_with("{{ value ("));
        assert!(rendered("{{ value | nosuch }}").contains("nosuch"));
    }

    #[test]
    fn a_long_text_is_cut_between_letters() {
        assert_eq!(shortened("äääää".to_owned(), 8), "ää…");
        assert_eq!(shortened("short".to_owned(), 8), "short");
    }
}
