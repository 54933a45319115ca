use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Names and values that tell an alert from others.
pub type Labels = BTreeMap<String, String>;

/// A condition on one label: `name=value` or `name!=value`, where `*` in the value stands for any text. A label that is
/// not there has the empty value.
///
/// ```
/// let matcher: dais_alert::Matcher = "alertname=Disk*".parse()?;
/// assert!(matcher.matches(&[("alertname".to_owned(), "DiskFull".to_owned())].into()));
/// # Ok::<(), dais_alert::MatcherError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Matcher {
    label: String,
    equal: bool,
    pattern: String,
}

/// A text that is no matcher.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no matcher: write label=value or label!=value, with * for any text")]
pub struct MatcherError(String);

impl Matcher {
    /// Whether the label has the value.
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.label).map_or("", String::as_str);
        like(&self.pattern, value) == self.equal
    }
}

/// Whether all of `matchers` hold; none hold always.
pub(crate) fn all_match(matchers: &[Matcher], labels: &Labels) -> bool {
    matchers.iter().all(|matcher| matcher.matches(labels))
}

/// Whether `value` is `pattern`, in which `*` stands for any text.
pub(crate) fn like(pattern: &str, value: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else { return pattern == value };
    let Some(mut left) = value.strip_prefix(begin) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or("");
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = left.get(at + part.len()..).unwrap_or("");
    }
    left.ends_with(end)
}

impl FromStr for Matcher {
    type Err = MatcherError;

    fn from_str(text: &str) -> Result<Self, MatcherError> {
        let wrong = || MatcherError(text.to_owned());
        let (label, pattern) = text.split_once('=').ok_or_else(wrong)?;
        let (label, equal) = label.strip_suffix('!').map_or((label, true), |label| (label, false));
        let (label, pattern) = (label.trim(), pattern.trim());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        // `=~` and `!~` of Prometheus would otherwise be taken for values.
        if label.is_empty() || !label.bytes().all(plain) || pattern.starts_with(['~', '=']) {
            return Err(wrong());
        }
        let quoted = pattern.strip_prefix('"').and_then(|pattern| pattern.strip_suffix('"'));
        Ok(Self { label: label.to_owned(), equal, pattern: quoted.unwrap_or(pattern).to_owned() })
    }
}

impl TryFrom<String> for Matcher {
    type Error = MatcherError;

    fn try_from(text: String) -> Result<Self, MatcherError> {
        text.parse()
    }
}

impl From<Matcher> for String {
    fn from(matcher: Matcher) -> Self {
        matcher.to_string()
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}{}", self.label, if self.equal { "=" } else { "!=" }, self.pattern)
    }
}

impl JsonSchema for Matcher {
    fn schema_name() -> Cow<'static, str> {
        "Matcher".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^\\s*[A-Za-z0-9_]+\\s*!?=",
            "description": "`label=value` or `label!=value`; `*` in the value stands for any text."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(matcher: &str, value: &str) -> bool {
        let matcher: Matcher = matcher.parse().expect("a matcher");
        matcher.matches(&[("check".to_owned(), value.to_owned())].into())
    }

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(holds("check=disk", "disk") && !holds("check=disk", "disks"));
        assert!(holds("check=disk*", "disk_free") && holds("check=*free", "disk_free"));
        assert!(holds("check=d*_*e", "disk_free") && !holds("check=d*x*e", "disk_free"));
        assert!(!holds("check=ab*ba", "aba"), "begin and end do not overlap");
        assert!(holds("check!=disk", "memory") && !holds("check!=*", "disk"));
        assert!(holds("other=", "disk"), "a label that is not there is empty");
    }

    #[test]
    fn what_is_no_matcher_is_refused_with_the_way_out() {
        for wrong in ["", "check", "=disk", "che ck=disk", "check=~disk.*", "check==disk"] {
            let error = wrong.parse::<Matcher>().unwrap_err();
            assert!(error.to_string().contains("label=value"), "{wrong}");
        }
        let matcher: Matcher = " check != \"a b\" ".parse().unwrap();
        assert_eq!(matcher.to_string(), "check!=a b");
    }
}
