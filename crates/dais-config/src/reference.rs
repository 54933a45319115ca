//! The reference page of the documentation, in Markdown.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::load::Loaded;
use crate::old;
use crate::shape::{Form, Kind, Shape, joined};
use crate::variable;
use crate::view::flow;

const HEAD: &str = "\
# Configuration

Every key that a configuration file may hold, with the variable that sets it. How the layers are joined is in
[configure](../how-to/configure.md). This page is generated from the program; `dais config schema` prints the same as a JSON Schema.

A key marked *live* is taken over while a run goes on when `development.hot_reload` is on; the others when the next run starts.
A section marked *to come* is read and checked, and has no effect before the part of dais that it names is there.
";

/// The page.
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    let values = Loaded::default().to_json();
    let root = Shape::root();
    let top: Vec<(String, &Shape)> = leaves_of(root, "").collect();
    page.push_str("\n## Top level\n");
    table(&mut page, &top, &values);
    for (key, shape) in root.keys().iter().filter(|(_, shape)| !shape.keys().is_empty()) {
        section(&mut page, key, shape, &values);
    }
    old_names(&mut page);
    page
}

/// A section, then the sections in it.
fn section(page: &mut String, path: &str, shape: &Shape, values: &Json) {
    let planned = shape.planned.as_ref().map(|part| format!(" *To come: {part}.*")).unwrap_or_default();
    write!(page, "\n## {path}\n\n{}{planned}\n", cell(&shape.description)).ok();
    let leaves: Vec<(String, &Shape)> = leaves_of(shape, path).collect();
    if !leaves.is_empty() {
        table(page, &leaves, values);
    }
    for (key, shape) in shape.keys().iter().filter(|(_, shape)| !shape.keys().is_empty()) {
        section(page, &joined(path, key), shape, values);
    }
}

fn leaves_of<'a>(shape: &'a Shape, path: &'a str) -> impl Iterator<Item = (String, &'a Shape)> {
    let leaves = shape.keys().iter().filter(|(_, shape)| !matches!(shape.kind, Kind::Section { .. }));
    leaves.map(move |(key, shape)| (joined(path, key), shape))
}

fn table(page: &mut String, leaves: &[(String, &Shape)], values: &Json) {
    page.push_str("\n| key | default | allowed | variable | meaning |\n|---|---|---|---|---|\n");
    for (path, shape) in leaves {
        let default = path.split('.').try_fold(values, |value, part| value.get(part)).unwrap_or(&Json::Null);
        let variable = variable::name_of(path);
        row(page, path, default, shape, &format!("`{variable}`"));
        parts(page, path, shape);
    }
}

fn row(page: &mut String, path: &str, default: &Json, shape: &Shape, variable: &str) {
    let default = if default.is_null() { String::new() } else { format!("`{}`", flow(default)) };
    let live = if shape.reload { " *Live.*" } else { "" };
    let allowed = allowed(shape);
    writeln!(
        page,
        "| `{path}` | {} | {} | {variable} | {}{live} |",
        cell(&default),
        cell(&allowed),
        cell(&shape.description)
    )
    .ok();
}

fn allowed(shape: &Shape) -> String {
    match &shape.kind {
        Kind::Choice(words) => {
            let words = words.iter().map(|word| match word.description.trim_end_matches('.') {
                "" => format!("`{}`", word.name),
                meaning => format!("`{}` ({})", word.name, lower_first(meaning)),
            });
            words.collect::<Vec<_>>().join(", ")
        }
        Kind::List(values) if matches!(values.kind, Kind::Section { .. } | Kind::Variant { .. }) => {
            "a list, see below".to_owned()
        }
        Kind::Text if shape.secret => "text, a secret".to_owned(),
        Kind::Section { .. }
        | Kind::Table(_)
        | Kind::List(_)
        | Kind::Variant { .. }
        | Kind::Bool
        | Kind::Integer { .. }
        | Kind::Number(_)
        | Kind::Text
        | Kind::Any => shape.allowed(),
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    let rest_is_lower = text.chars().nth(1).is_some_and(|second| second.is_lowercase() || second == ' ');
    match chars.next() {
        Some(first) if rest_is_lower => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

/// The keys of what a list, a table, or a mapping with several forms holds.
fn parts(page: &mut String, path: &str, shape: &Shape) {
    match &shape.kind {
        Kind::List(values) => keys(page, &format!("{path}[]"), values),
        Kind::Table(values) => keys(page, &format!("{path}.NAME"), values),
        Kind::Variant { .. } => keys(page, path, shape),
        Kind::Section { .. }
        | Kind::Choice(_)
        | Kind::Bool
        | Kind::Integer { .. }
        | Kind::Number(_)
        | Kind::Text
        | Kind::Any => {}
    }
}

fn keys(page: &mut String, path: &str, shape: &Shape) {
    if let Kind::Variant { tag, forms } = &shape.kind {
        for Form { name, description, shape } in forms {
            writeln!(page, "| `{path}.{tag}: {name}` |  |  |  | {} |", cell(description)).ok();
            rows(page, path, shape.keys().iter().filter(|(key, _)| key != tag));
        }
    }
    rows(page, path, shape.keys().iter());
}

fn rows<'a>(page: &mut String, path: &str, keys: impl Iterator<Item = &'a (String, Shape)>) {
    for (key, shape) in keys {
        let path = format!("{path}.{key}");
        row(page, &path, shape.default.as_ref().unwrap_or(&Json::Null), shape, "");
        parts(page, &path, shape);
    }
}

fn old_names(page: &mut String) {
    page.push_str("\n## Old names\n\nKeys of the original system that have another name here; files and variables may use either.\n\n| old | today |\n|---|---|\n");
    for (old, new) in old::renamed() {
        writeln!(page, "| `{old}` | `{new}` |").ok();
    }
    page.push_str("\n## Keys without effect\n\nKeys of the original system that are accepted, and named in one warning.\n\n| key | in its place |\n|---|---|\n");
    for (key, instead) in old::retired() {
        writeln!(page, "| `{key}` | {} |", cell(instead)).ok();
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
