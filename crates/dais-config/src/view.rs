//! Showing a configuration: values in effect with their origins, what differs between two, secrets never.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

use crate::MASK;
use crate::config::Config;
use crate::load::Loaded;
use crate::node::{Node, Value};
use crate::place::Place;
use crate::shape::{Form, Kind, Shape};

/// A key with the value in effect.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Its dotted path.
    pub key: &'static str,
    /// The value; a secret is `***`.
    pub value: Json,
    /// Where the value came from.
    pub origin: Place,
}

/// A key that two configurations hold different values for.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its dotted path.
    pub key: &'static str,
    /// One value; a secret is `***`.
    pub left: Json,
    /// The other value; a secret is `***`.
    pub right: Json,
    /// Whether the change may be taken over while a run goes on.
    pub reload: bool,
}

impl Loaded {
    /// Every key with its value and origin, in the order of the sections.
    pub fn settings(&self) -> Vec<Setting> {
        let values = masked_values(&self.config);
        let setting = |leaf: crate::shape::Leaf<'static>| Setting {
            key: leaf.path,
            value: at(&values, leaf.path).cloned().unwrap_or(Json::Null),
            origin: self.origin(leaf.path),
        };
        Shape::leaves().map(setting).collect()
    }

    /// The value of a key, or of a whole section; secrets are `***`. Nothing where there is no such key.
    pub fn value(&self, key: &str) -> Option<Json> {
        at(&masked_values(&self.config), key).cloned()
    }

    /// All values as one object; secrets are `***`.
    pub fn to_json(&self) -> Json {
        masked_values(&self.config)
    }

    /// The keys whose values differ from those of `other`.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let (left, right) = (masked_values(&self.config), masked_values(&other.config));
        let difference = |leaf: crate::shape::Leaf<'static>| {
            let (one, two) =
                (at(&left, leaf.path).unwrap_or(&Json::Null), at(&right, leaf.path).unwrap_or(&Json::Null));
            // Secrets look alike when they are shown, so that what was read is compared.
            let hidden = leaf.shape.holds_secret() && !same(self.layers.at(leaf.path), other.layers.at(leaf.path));
            let reload = leaf.shape.reload;
            (one != two || hidden).then(|| Difference { key: leaf.path, left: one.clone(), right: two.clone(), reload })
        };
        Shape::leaves().filter_map(difference).collect()
    }

    /// The values as a file that can be loaded again, secrets excepted; with the origin of each as a comment.
    pub fn to_yaml(&self, with_origin: bool) -> String {
        let mut text = String::new();
        let mut above: Vec<&str> = Vec::new();
        for Setting { key, value, origin } in self.settings() {
            let parts: Vec<&str> = key.split('.').collect();
            let shared = parts.iter().zip(&above).take_while(|(one, other)| one == other).count();
            for (depth, part) in parts.iter().enumerate().skip(shared) {
                let indent = "  ".repeat(depth);
                if depth + 1 < parts.len() {
                    writeln!(text, "{indent}{part}:").ok();
                    continue;
                }
                let line = format!("{indent}{part}: {}", flow(&value));
                if with_origin {
                    writeln!(text, "{line:<44} # {origin}").ok();
                } else {
                    writeln!(text, "{line}").ok();
                }
            }
            above = parts;
            above.pop();
        }
        text
    }
}

/// A value in one line of YAML.
pub fn flow(value: &Json) -> String {
    let text = match value {
        Json::String(text) => return if is_plain(text) { text.clone() } else { Json::from(text.as_str()).to_string() },
        Json::Array(values) => format!("[{}]", values.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Json::Object(values) => {
            let pairs: Vec<String> = values.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Json::Number(number) => {
            number.as_f64().filter(|_| number.is_f64()).map_or_else(|| number.to_string(), |x| x.to_string())
        }
        Json::Null | Json::Bool(_) => value.to_string(),
    };
    if text == "{}" || text == "[]" { text } else { text.replace("{}", "{ }") }
}

/// Whether a text can stand without quotes.
fn is_plain(text: &str) -> bool {
    let begins = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || "/._".contains(c));
    let word = |c: char| c.is_ascii_alphanumeric() || "/._-+@%".contains(c);
    begins && text.chars().all(word) && !matches!(text, "null" | "Null" | "NULL")
}

fn at<'a>(value: &'a Json, key: &str) -> Option<&'a Json> {
    key.split('.').try_fold(value, |value, part| match value {
        Json::Object(map) => map.get(part),
        Json::Array(parts) => parts.get(part.parse::<usize>().ok()?),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
    })
}

fn masked_values(config: &Config) -> Json {
    let mut values = serde_json::to_value(config).unwrap_or_else(|_| Json::Object(Map::new()));
    mask(Shape::root(), &mut values);
    values
}

/// Masks by the schema too, so that a secret does not depend on how its type writes itself.
fn mask(shape: &Shape, value: &mut Json) {
    if shape.secret {
        hide(value);
        return;
    }
    match (&shape.kind, value) {
        (Kind::Section { keys, .. }, Json::Object(map)) => mask_keys(keys, map),
        (Kind::Table(values), Json::Object(map)) => map.values_mut().for_each(|value| mask(values, value)),
        (Kind::List(values), Json::Array(parts)) => parts.iter_mut().for_each(|part| mask(values, part)),
        (Kind::Variant { tag, forms }, Json::Object(map)) => {
            let form = forms.iter().find(|form| map.get(tag).is_some_and(|name| *name == form.name));
            if let Some(Form { shape, .. }) = form {
                mask_keys(shape.keys(), map);
            }
        }
        _ => {}
    }
}

/// Names of a table stay, for they say what is set.
fn hide(value: &mut Json) {
    match value {
        Json::Null => {}
        Json::Object(map) => map.values_mut().for_each(hide),
        Json::Array(parts) => parts.iter_mut().for_each(hide),
        Json::String(text) if text.is_empty() => {}
        Json::Bool(_) | Json::Number(_) | Json::String(_) => *value = Json::from(MASK),
    }
}

fn mask_keys(keys: &[(String, Shape)], map: &mut Map<String, Json>) {
    for (key, shape) in keys {
        if let Some(value) = map.get_mut(key) {
            mask(shape, value);
        }
    }
}

/// Whether two nodes say the same, wherever they stand.
fn same(left: Option<&Node>, right: Option<&Node>) -> bool {
    let (Some(left), Some(right)) = (left, right) else { return left.is_none() && right.is_none() };
    match (&left.value, &right.value) {
        (Value::Scalar { text: one, .. }, Value::Scalar { text: other, .. }) => one == other,
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(Some(one), Some(other)))
        }
        (Value::Map(one), Value::Map(other)) => {
            one.len() == other.len() && one.iter().all(|entry| same(Some(&entry.node), right.at(&entry.key)))
        }
        _ => false,
    }
}

impl Shape {
    /// Whether it or a part of it is a secret.
    fn holds_secret(&self) -> bool {
        self.secret
            || match &self.kind {
                Kind::Section { keys, .. } => keys.iter().any(|(_, shape)| shape.holds_secret()),
                Kind::Table(values) | Kind::List(values) => values.holds_secret(),
                Kind::Variant { forms, .. } => forms.iter().any(|form| form.shape.holds_secret()),
                Kind::Choice(_) | Kind::Bool | Kind::Integer { .. } | Kind::Number(_) | Kind::Text | Kind::Any => false,
            }
    }
}
