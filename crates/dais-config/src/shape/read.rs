//! Reads a JSON Schema, as schemars writes it, into a [`Shape`].

use serde_json::{Map, Value as Json};

use super::{Form, Kind, Range, Shape, Word};
use crate::{Config, yaml};

type Object = Map<String, Json>;

/// The shape of the whole configuration, its keys in the order in which the structs declare them.
pub(super) fn root(schema: &Json) -> Shape {
    let mut shape = shape(schema, &Inherited::default());
    // A schema sorts its keys; the text of the defaults has them in the order of the structs.
    let place = crate::Place::DEFAULT;
    let defaults = serde_json::to_string_pretty(&Config::default()).ok();
    if let Some(Ok(defaults)) = defaults.map(|text| yaml::parse_value(&text, &place)) {
        order(&mut shape, &defaults);
    }
    shape
}

fn order(shape: &mut Shape, defaults: &crate::node::Node) {
    let Kind::Section { keys, .. } = &mut shape.kind else { return };
    let rank = |key: &str| defaults.entries().iter().position(|entry| entry.key == key).unwrap_or(usize::MAX);
    keys.sort_by_key(|(key, _)| rank(key));
    for (key, child) in keys {
        if let Some(entry) = defaults.entry(key) {
            order(child, &entry.node);
        }
    }
}

/// What a section says about all of its keys.
#[derive(Clone, Default)]
struct Inherited {
    reload: bool,
    planned: Option<String>,
}

fn shape(schema: &Json, above: &Inherited) -> Shape {
    let empty = Object::new();
    let object = schema.as_object().unwrap_or(&empty);
    // `Option<T>` of a type that is more than a word is written as `T` or null.
    let (inner, nullable) = object.get("anyOf").and_then(Json::as_array).map_or((None, false), |parts| {
        let nullable = parts.iter().any(is_null);
        let mut others = parts.iter().filter(|part| !is_null(part));
        (others.next().filter(|_| others.next().is_none()), nullable)
    });
    let marked = |name: &str| {
        let of = |object: &Json| object.get(name).cloned();
        object.get(name).cloned().or_else(|| inner.and_then(of))
    };
    let flag = |name: &str| marked(name).and_then(|value| value.as_bool());
    let inherited = Inherited {
        reload: flag("x-reload").unwrap_or(above.reload),
        planned: marked("x-planned").map_or_else(|| above.planned.clone(), |value| value.as_str().map(str::to_owned)),
    };
    let null_type =
        object.get("type").and_then(Json::as_array).is_some_and(|types| types.iter().any(|name| name == "null"));
    Shape {
        kind: inner.map_or_else(|| kind(object, &inherited), |inner| shape(inner, &inherited).kind),
        description: marked("description").and_then(|text| text.as_str().map(one_line)).unwrap_or_default(),
        default: object.get("default").cloned(),
        optional: nullable || null_type,
        secret: flag("x-secret").unwrap_or(false),
        reload: inherited.reload,
        planned: inherited.planned,
    }
}

fn is_null(schema: &Json) -> bool {
    schema.get("type").is_some_and(|name| name == "null")
}

/// Doc comments are wrapped for the editor, not for the reader.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn kind(object: &Object, inherited: &Inherited) -> Kind {
    if let Some(forms) = object.get("oneOf").and_then(Json::as_array) {
        return one_of(forms, inherited);
    }
    if let Some(words) = object.get("enum").and_then(Json::as_array) {
        let mut words: Vec<Word> = words.iter().filter_map(|word| self::word(word, "")).collect();
        for (alias, name) in object.get("x-aliases").and_then(Json::as_object).into_iter().flatten() {
            let meant = words.iter_mut().find(|word| *name == word.name);
            if let Some(word) = meant {
                word.aliases.push(alias.clone());
            }
        }
        return Kind::Choice(words);
    }
    let types = object.get("type");
    let name = types
        .and_then(Json::as_str)
        .or_else(|| types?.as_array()?.iter().filter_map(Json::as_str).find(|name| *name != "null"));
    match name {
        Some("boolean") => Kind::Bool,
        Some("integer") => integer(object),
        Some("number") => Kind::Number(range(object)),
        Some("string") => Kind::Text,
        Some("array") => Kind::List(Box::new(shape(object.get("items").unwrap_or(&Json::Null), inherited))),
        Some("object") => mapping(object, inherited),
        _ => Kind::Any,
    }
}

fn word(name: &Json, description: &str) -> Option<Word> {
    Some(Word { name: name.as_str()?.to_owned(), description: one_line(description), aliases: Vec::new() })
}

fn one_of(forms: &[Json], inherited: &Inherited) -> Kind {
    let description = |form: &Json| form.get("description").and_then(Json::as_str).unwrap_or_default().to_owned();
    if let Some(tag) = forms.iter().find_map(tag) {
        let form = |schema: &Json| {
            let name = schema.get("properties")?.get(&tag)?.get("const")?.as_str()?.to_owned();
            Some(Form { name, description: one_line(&description(schema)), shape: shape(schema, inherited) })
        };
        return Kind::Variant { forms: forms.iter().filter_map(form).collect(), tag };
    }
    let words = |form: &Json| match (form.get("const"), form.get("enum").and_then(Json::as_array)) {
        (Some(name), _) => word(name, &description(form)).into_iter().collect::<Vec<_>>(),
        (None, Some(names)) => names.iter().filter_map(|name| word(name, "")).collect(),
        (None, None) => Vec::new(),
    };
    Kind::Choice(forms.iter().flat_map(words).collect())
}

/// The key that tells the forms of a mapping apart.
fn tag(form: &Json) -> Option<String> {
    let properties = form.get("properties")?.as_object()?;
    properties.iter().find(|(_, schema)| schema.get("const").is_some()).map(|(key, _)| key.clone())
}

fn mapping(object: &Object, inherited: &Inherited) -> Kind {
    let values = object.get("additionalProperties").filter(|values| values.is_object());
    match (object.get("properties").and_then(Json::as_object), values) {
        (None, Some(values)) => Kind::Table(Box::new(shape(values, inherited))),
        (properties, _) => Kind::Section {
            keys: properties
                .into_iter()
                .flatten()
                .map(|(key, schema)| (key.clone(), shape(schema, inherited)))
                .collect(),
            required: object
                .get("required")
                .and_then(Json::as_array)
                .into_iter()
                .flatten()
                .filter_map(|key| key.as_str().map(str::to_owned))
                .collect(),
        },
    }
}

fn integer(object: &Object) -> Kind {
    let whole = |name: &str| {
        let bound = object.get(name)?;
        bound.as_i64().map(i128::from).or(bound.as_u64().map(i128::from)).or(bound.as_f64().map(|bound| bound as i128))
    };
    let of_type = match object.get("format").and_then(Json::as_str) {
        Some("uint8") => (0, i128::from(u8::MAX)),
        Some("uint16") => (0, i128::from(u16::MAX)),
        Some("uint32") => (0, i128::from(u32::MAX)),
        Some("uint64" | "uint") => (0, i128::from(u64::MAX)),
        Some("int8") => (i128::from(i8::MIN), i128::from(i8::MAX)),
        Some("int16") => (i128::from(i16::MIN), i128::from(i16::MAX)),
        Some("int32") => (i128::from(i32::MIN), i128::from(i32::MAX)),
        _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
    };
    Kind::Integer {
        min: Some(whole("minimum").map_or(of_type.0, |min| min.max(of_type.0))),
        max: Some(whole("maximum").map_or(of_type.1, |max| max.min(of_type.1))),
    }
}

fn range(object: &Object) -> Range {
    let bound = |name: &str| object.get(name).and_then(Json::as_f64);
    Range {
        min: bound("minimum"),
        max: bound("maximum"),
        above: bound("exclusiveMinimum"),
        below: bound("exclusiveMaximum"),
    }
}
