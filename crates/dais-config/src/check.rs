//! Gives raw values their types, as the keys want them, and says everything that does not fit.

use serde_json::{Map, Number, Value as Json};

use crate::MASK;
use crate::error::Problem;
use crate::near;
use crate::node::{Node, Value};
use crate::place::Place;
use crate::shape::{Form, Kind, Shape, joined};
use crate::yaml;

/// The typed value of `node`; where something does not fit, it is left out and told.
pub(crate) fn typed(shape: &Shape, node: &Node, path: &str, problems: &mut Vec<Problem>) -> Option<Json> {
    Checker { problems }.typed(shape, node, path)
}

struct Checker<'a> {
    problems: &'a mut Vec<Problem>,
}

impl Checker<'_> {
    fn typed(&mut self, shape: &Shape, node: &Node, path: &str) -> Option<Json> {
        if node.is_null() {
            return self.without_value(shape, node, path);
        }
        match &shape.kind {
            Kind::Section { keys, required } => {
                let Value::Map(_) = node.value else { return self.misfit(shape, node, path) };
                Some(self.section(keys, required, None, node, path))
            }
            Kind::Table(values) => self.table(shape, values, node, path),
            Kind::List(values) => self.list(shape, values, node, path),
            Kind::Variant { tag, forms } => self.variant(shape, tag, forms, node, path),
            Kind::Choice(words) => {
                let Some(text) = node.text() else { return self.misfit(shape, node, path) };
                let names: Vec<&str> = words.iter().map(|word| word.name.as_str()).collect();
                let meant = words.iter().find(|word| {
                    let spellings = std::iter::once(&word.name).chain(&word.aliases);
                    chosen(text, spellings.map(String::as_str)).is_some()
                });
                meant.map(|word| Json::from(word.name.clone())).or_else(|| {
                    let nearest = near::nearest(text, names.iter().copied());
                    let help = nearest.map(|name| format!("did you mean {name}?"));
                    self.refuse(shape, node, path, help)
                })
            }
            Kind::Bool => self.scalar(shape, node, path, boolean),
            Kind::Integer { min, max } => {
                let fits = |whole: &i128| min.is_none_or(|min| *whole >= min) && max.is_none_or(|max| *whole <= max);
                self.scalar(shape, node, path, |text| number_of(integer(text).filter(fits)?))
            }
            Kind::Number(range) => self.scalar(shape, node, path, |text| {
                let number = decimal(text).filter(|number| range.holds(*number))?;
                Number::from_f64(number).map(Json::Number)
            }),
            Kind::Text => node.text().map(Json::from).or_else(|| self.misfit(shape, node, path)),
            Kind::Any => Some(untyped(node)),
        }
    }

    fn without_value(&mut self, shape: &Shape, node: &Node, path: &str) -> Option<Json> {
        if shape.optional {
            return Some(Json::Null);
        }
        // A section whose keys are all commented out.
        match &shape.kind {
            Kind::Section { .. } | Kind::Table(_) => Some(Json::Object(Map::new())),
            Kind::List(_) => Some(Json::Array(Vec::new())),
            Kind::Variant { .. }
            | Kind::Choice(_)
            | Kind::Bool
            | Kind::Integer { .. }
            | Kind::Number(_)
            | Kind::Text
            | Kind::Any => {
                let message = format!("`{path}` has no value; it must be {}", shape.allowed());
                let help = "write one, or remove the line to have the default";
                self.problems.push(Problem::new(&node.place, message).help(help));
                None
            }
        }
    }

    fn section(
        &mut self,
        keys: &[(String, Shape)],
        required: &[String],
        tag: Option<&str>,
        node: &Node,
        path: &str,
    ) -> Json {
        let mut typed = Map::new();
        for entry in node.entries() {
            let whole = joined(path, &entry.key);
            if tag == Some(entry.key.as_str()) {
                continue;
            }
            match keys.iter().find(|(key, _)| *key == entry.key) {
                Some((key, shape)) => {
                    typed.extend(self.typed(shape, &entry.node, &whole).map(|value| (key.clone(), value)));
                }
                None => self.unknown(keys, &whole, &entry.key, &entry.place, path),
            }
        }
        for key in required.iter().filter(|key| tag != Some(key.as_str()) && node.entry(key).is_none()) {
            let shape = keys.iter().find(|(known, _)| known == key).map(|(_, shape)| shape.allowed());
            let message = format!("`{}` is missing; it must be {}", joined(path, key), shape.unwrap_or_default());
            self.problems.push(Problem::new(&node.place, message));
        }
        Json::Object(typed)
    }

    fn unknown(&mut self, keys: &[(String, Shape)], whole: &str, key: &str, place: &Place, path: &str) {
        let problem = Problem::new(place, format!("unknown key `{whole}`"));
        let help = near::nearest(key, keys.iter().map(|(key, _)| key.as_str()))
            .map(|near| joined(path, near))
            .or_else(|| near::elsewhere(whole))
            .map_or_else(
                || {
                    let known: Vec<&str> = keys.iter().map(|(key, _)| key.as_str()).collect();
                    let of = if path.is_empty() { "the sections are".to_owned() } else { format!("`{path}` has") };
                    format!("{of} {}", known.join(", "))
                },
                |near| format!("did you mean `{near}`?"),
            );
        self.problems.push(problem.help(help));
    }

    fn table(&mut self, shape: &Shape, values: &Shape, node: &Node, path: &str) -> Option<Json> {
        let parsed;
        let node = match &node.value {
            Value::Map(_) => node,
            Value::Scalar { text, .. } if !node.place.is_in_file() => {
                parsed = self.pairs(text, &node.place)?;
                &parsed
            }
            Value::Scalar { .. } | Value::List(_) => return self.misfit(shape, node, path),
        };
        let mut typed = Map::new();
        for entry in node.entries() {
            let value = self.typed(values, &entry.node, &joined(path, &entry.key));
            typed.extend(value.map(|value| (entry.key.clone(), value)));
        }
        Some(Json::Object(typed))
    }

    fn list(&mut self, shape: &Shape, values: &Shape, node: &Node, path: &str) -> Option<Json> {
        let parsed;
        let nodes = match &node.value {
            Value::List(nodes) => nodes,
            Value::Scalar { text, .. } if !node.place.is_in_file() => {
                parsed = self.parts(text, &node.place)?;
                &parsed
            }
            Value::Scalar { .. } | Value::Map(_) => return self.misfit(shape, node, path),
        };
        let typed =
            nodes.iter().enumerate().filter_map(|(at, node)| self.typed(values, node, &joined(path, &at.to_string())));
        Some(Json::Array(typed.collect()))
    }

    fn variant(&mut self, shape: &Shape, tag: &str, forms: &[Form], node: &Node, path: &str) -> Option<Json> {
        let Value::Map(_) = node.value else { return self.misfit(shape, node, path) };
        let whole = joined(path, tag);
        let names: Vec<&str> = forms.iter().map(|form| form.name.as_str()).collect();
        let Some(entry) = node.entry(tag) else {
            let message = format!("`{whole}` is missing; it must be {}", crate::shape::alternatives(&names));
            self.problems.push(Problem::new(&node.place, message));
            return None;
        };
        let written = entry.node.text().unwrap_or_default();
        let form = chosen(written, names.iter().copied()).and_then(|name| forms.iter().find(|form| form.name == name));
        let Some(form) = form else {
            let allowed = crate::shape::alternatives(&names);
            let problem = Problem::new(&entry.node.place, format!("`{whole}` must be {allowed}, found `{written}`"));
            let nearest = near::nearest(written, names.iter().copied());
            self.problems.push(match nearest {
                Some(name) => problem.help(format!("did you mean {name}?")),
                None => problem,
            });
            return None;
        };
        let Kind::Section { keys, required } = &form.shape.kind else { return None };
        let mut typed = self.section(keys, required, Some(tag), node, path);
        if let Json::Object(typed) = &mut typed {
            typed.insert(tag.to_owned(), Json::from(form.name.clone()));
        }
        Some(typed)
    }

    fn scalar(&mut self, shape: &Shape, node: &Node, path: &str, read: impl Fn(&str) -> Option<Json>) -> Option<Json> {
        let Some(text) = node.text() else { return self.misfit(shape, node, path) };
        read(text.trim()).or_else(|| self.refuse(shape, node, path, None))
    }

    /// A collection where a scalar is wanted, or the other way round.
    fn misfit(&mut self, shape: &Shape, node: &Node, path: &str) -> Option<Json> {
        let found = match &node.value {
            Value::Map(_) => "a mapping",
            Value::List(_) => "a list",
            Value::Scalar { .. } => return self.refuse(shape, node, path, None),
        };
        let message = format!("`{path}` must be {}, found {found}", shape.allowed());
        self.problems.push(Problem::new(&node.place, message).secret(shape.secret));
        None
    }

    fn refuse(&mut self, shape: &Shape, node: &Node, path: &str, help: Option<String>) -> Option<Json> {
        let text = node.text().unwrap_or_default();
        let found = if shape.secret { MASK.to_owned() } else { text.chars().take(TEXT_CHARS_MAX).collect() };
        let message = format!("`{path}` must be {}, found `{found}`", shape.allowed());
        let mut problem = Problem::new(&node.place, message).secret(shape.secret);
        let zero = matches!(shape.kind, Kind::Integer { .. }) && text.len() > 1 && text.starts_with('0');
        problem.help = help.or_else(|| {
            let sound = zero && text.bytes().all(|digit| digit.is_ascii_digit());
            sound.then(|| format!("some read a leading zero as octal; write {}", text.trim_start_matches('0')))
        });
        self.problems.push(problem);
        None
    }

    /// A list in one line: `[a, b]`, or `a, b`.
    fn parts(&mut self, text: &str, place: &Place) -> Option<Vec<Node>> {
        if text.trim_start().starts_with('[') {
            let node = yaml::parse_value(text, place).map_err(|problems| self.problems.extend(problems)).ok()?;
            return if let Value::List(nodes) = node.value { Some(nodes) } else { None };
        }
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        Some(parts.map(|part| Node::scalar(part, false, place.clone())).collect())
    }

    /// A mapping in one line: `{a: 1, b: 2}`, or `a=1, b=2`.
    fn pairs(&mut self, text: &str, place: &Place) -> Option<Node> {
        if text.trim_start().starts_with('{') {
            return yaml::parse_value(text, place).map_err(|problems| self.problems.extend(problems)).ok();
        }
        let mut map = Node::empty(place.clone());
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let Some((key, value)) = part.split_once('=') else {
                let message = format!("`{part}` is no pair; write name=value, name=value");
                self.problems.push(Problem::new(place, message));
                return None;
            };
            let Value::Map(entries) = &mut map.value else { return None };
            let node = Node::scalar(value.trim(), false, place.clone());
            entries.push(crate::node::Entry { key: key.trim().to_owned(), place: place.clone(), node });
        }
        Some(map)
    }
}

/// Longest value that a message repeats.
const TEXT_CHARS_MAX: usize = 80;

/// The word that `text` means, whatever its case and whether `-` or `_` joins its parts.
fn chosen<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.trim().to_lowercase().replace('-', "_");
    let wanted = plain(text);
    names.into_iter().find(|name| plain(name) == wanted)
}

fn boolean(text: &str) -> Option<Json> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(Json::Bool(true)),
        "false" | "no" | "off" | "0" => Some(Json::Bool(false)),
        _ => None,
    }
}

/// A whole number, also written `30.0` or `1_000_000`. A leading zero is refused: some read it as octal.
fn integer(text: &str) -> Option<i128> {
    let digits = text.trim_start_matches(['-', '+']);
    let digits = digits
        .split_once('.')
        .map_or(digits, |(whole, rest)| if rest.bytes().all(|digit| digit == b'0') { whole } else { "" });
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) || digits.starts_with('_') {
        return None;
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    format!("{sign}{}", digits.replace('_', "")).parse().ok()
}

fn number_of(whole: i128) -> Option<Json> {
    i64::try_from(whole).map(Json::from).or_else(|_| u64::try_from(whole).map(Json::from)).ok()
}

fn decimal(text: &str) -> Option<f64> {
    // Rust also reads `inf` and `nan`, which no key wants.
    let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE_".contains(&byte));
    numeric.then(|| text.replace('_', "").parse().ok()).flatten()
}

fn untyped(node: &Node) -> Json {
    match &node.value {
        Value::Scalar { text, plain } => {
            let read = if *plain { serde_json::from_str(text).ok() } else { None };
            read.unwrap_or_else(|| Json::from(text.clone()))
        }
        Value::List(nodes) => Json::Array(nodes.iter().map(untyped).collect()),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|entry| (entry.key.clone(), untyped(&entry.node))).collect())
        }
    }
}
