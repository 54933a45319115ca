//! What the configuration looks like: a tree of keys, read from the JSON Schema of the section structs.

mod read;

use std::sync::LazyLock;

use serde_json::Value as Json;

use crate::Config;

/// A key, or a part of one, and what it may hold.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    /// What it is for, in the words of its doc comment.
    pub(crate) description: String,
    /// The default that stands in the schema; parts of lists have only this one.
    pub(crate) default: Option<Json>,
    /// Whether it may be left without a value.
    pub(crate) optional: bool,
    /// Whether its value must not be shown.
    pub(crate) secret: bool,
    /// Whether a change may be taken over while a run goes on.
    pub(crate) reload: bool,
    /// The part of dais, still to come, that will heed it.
    pub(crate) planned: Option<String>,
}

/// What a value may be.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A mapping with known keys.
    Section {
        keys: Vec<(String, Shape)>,
        required: Vec<String>,
    },
    /// A mapping whose keys are free.
    Table(Box<Shape>),
    List(Box<Shape>),
    /// A mapping with a key that says which of several forms it has.
    Variant {
        tag: String,
        forms: Vec<Form>,
    },
    Choice(Vec<Word>),
    Bool,
    Integer {
        min: Option<i128>,
        max: Option<i128>,
    },
    Number(Range),
    Text,
    /// Anything, left to the type.
    Any,
}

/// Bounds of a number.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Range {
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) above: Option<f64>,
    pub(crate) below: Option<f64>,
}

/// A word to choose, with what it means.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) name: String,
    pub(crate) description: String,
    /// What else is read as this word.
    pub(crate) aliases: Vec<String>,
}

/// One form of a mapping with several.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) shape: Shape,
}

/// The JSON Schema (draft 2020-12) of a configuration file, for editors and checks of others. It judges what is written:
/// not old names, words for numbers, or `${NAME}`, which a load understands.
pub fn schema() -> Json {
    let mut schema = raw_schema();
    allow_empty_sections(&mut schema);
    schema
}

/// A section whose keys are all commented out is null.
fn allow_empty_sections(schema: &mut Json) {
    for section in
        schema.get_mut("properties").and_then(Json::as_object_mut).into_iter().flat_map(|keys| keys.values_mut())
    {
        if section.get("properties").is_some() || section.get("additionalProperties").is_some() {
            allow_empty_sections(section);
            if let Some(section) = section.as_object_mut() {
                section.insert("type".to_owned(), serde_json::json!(["object", "null"]));
            }
        }
    }
}

fn raw_schema() -> Json {
    let settings =
        schemars::generate::SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<Config>().to_value()
}

/// A key that holds a value, with its whole dotted path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaf<'a> {
    pub(crate) path: &'a str,
    pub(crate) shape: &'a Shape,
}

static ROOT: LazyLock<Shape> = LazyLock::new(|| read::root(&raw_schema()));

static LEAVES: LazyLock<Vec<(String, Shape)>> = LazyLock::new(|| {
    let mut leaves = Vec::new();
    ROOT.gather("", &mut leaves);
    leaves
});

impl Shape {
    /// Of the whole configuration.
    pub(crate) fn root() -> &'static Self {
        &ROOT
    }

    /// All keys that hold values, in the order of the sections.
    pub(crate) fn leaves() -> impl Iterator<Item = Leaf<'static>> {
        LEAVES.iter().map(|(path, shape)| Leaf { path, shape })
    }

    /// The keys of a section; none for anything else.
    pub(crate) fn keys(&self) -> &[(String, Self)] {
        if let Kind::Section { keys, .. } = &self.kind { keys } else { &[] }
    }

    /// What stands at a dotted path of known keys; the free keys of a table and the numbers of a
    /// list count.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |shape, part| match &shape.kind {
            Kind::Section { keys, .. } => keys.iter().find(|(key, _)| key == part).map(|(_, shape)| shape),
            Kind::Table(values) => Some(values.as_ref()),
            Kind::List(values) if part.parse::<usize>().is_ok() => Some(values.as_ref()),
            Kind::List(_)
            | Kind::Variant { .. }
            | Kind::Choice(_)
            | Kind::Bool
            | Kind::Integer { .. }
            | Kind::Number(_)
            | Kind::Text
            | Kind::Any => None,
        })
    }

    fn gather(&self, path: &str, leaves: &mut Vec<(String, Self)>) {
        let Kind::Section { keys, .. } = &self.kind else {
            leaves.push((path.to_owned(), self.clone()));
            return;
        };
        for (key, shape) in keys {
            shape.gather(&joined(path, key), leaves);
        }
    }

    /// What may be written, as it follows "must be".
    pub(crate) fn allowed(&self) -> String {
        match &self.kind {
            Kind::Section { .. } => "a mapping of keys to values".to_owned(),
            Kind::Table(values) => format!("a mapping of names, each to {}", values.allowed()),
            Kind::List(values) => format!("a list, each part {}", values.allowed()),
            Kind::Variant { tag, forms } => {
                let names: Vec<&str> = forms.iter().map(|form| form.name.as_str()).collect();
                format!("a mapping with `{tag}`: {}", alternatives(&names))
            }
            Kind::Choice(words) => {
                let names: Vec<&str> = words.iter().map(|word| word.name.as_str()).collect();
                alternatives(&names)
            }
            Kind::Bool => "true or false".to_owned(),
            Kind::Integer { min, max } => {
                let bounds =
                    Range { min: min.map(|min| min as f64), max: max.map(|max| max as f64), ..Range::default() };
                format!("a whole number{}", bounds.text())
            }
            Kind::Number(range) => format!("a number{}", range.text()),
            Kind::Text => "text".to_owned(),
            Kind::Any => "a value".to_owned(),
        }
    }
}

impl Range {
    pub(crate) fn holds(&self, number: f64) -> bool {
        number.is_finite()
            && self.min.is_none_or(|min| number >= min)
            && self.max.is_none_or(|max| number <= max)
            && self.above.is_none_or(|above| number > above)
            && self.below.is_none_or(|below| number < below)
    }

    fn text(&self) -> String {
        // Beyond this a bound is that of the type and says nothing to a reader.
        let told = |bound: &f64| bound.abs() < 9.0e15;
        let low =
            self.min.map(|min| ("from", min)).or(self.above.map(|above| ("above", above))).filter(|(_, x)| told(x));
        let high =
            self.max.map(|max| ("to", max)).or(self.below.map(|below| ("below", below))).filter(|(_, x)| told(x));
        match (low, high) {
            (None, None) => String::new(),
            (Some(("from", low)), None) => format!(", at least {low}"),
            (Some((word, low)), None) => format!(" {word} {low}"),
            (None, Some(("to", high))) => format!(", at most {high}"),
            (None, Some((word, high))) => format!(" {word} {high}"),
            (Some((word, low)), Some((end, high))) if word == "from" && end == "to" => format!(" from {low} to {high}"),
            (Some((word, low)), Some(("to", high))) => format!(" {word} {low} and at most {high}"),
            (Some(("from", low)), Some((end, high))) => format!(" of at least {low} and {end} {high}"),
            (Some((word, low)), Some((end, high))) => format!(" {word} {low} and {end} {high}"),
        }
    }
}

/// `a.b`, or `b` at the root.
pub(crate) fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// `a, b or c`.
pub(crate) fn alternatives(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [word] => (*word).to_owned(),
        [words @ .., last] => format!("{} or {last}", words.join(", ")),
    }
}
