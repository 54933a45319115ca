//! The environment: which variable sets which key, and `*_FILE` secrets.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::Problem;
use crate::near;
use crate::node::Node;
use crate::old;
use crate::place::Place;
use crate::shape::Shape;

/// Largest file that a variable may stand for, in bytes.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Environment variables by name; those that are no Unicode are left out.
pub(crate) type Variables = BTreeMap<String, String>;

/// The variable that sets a key: its path in capitals, joined by `_`.
pub(crate) fn name_of(path: &str) -> String {
    path.replace('.', "_").to_ascii_uppercase()
}

/// The values that variables set, and names that look misspelt. An empty variable counts as not set, `null` takes the
/// value away.
pub(crate) fn layer(variables: &Variables, problems: &mut Vec<Problem>) -> (Node, Vec<String>) {
    let mut layer = Node::empty(Place::DEFAULT);
    let known: BTreeMap<String, String> = Shape::leaves()
        .map(|leaf| leaf.path.to_owned())
        .chain(old::paths())
        .map(|path| (name_of(&path), path))
        .collect();
    for (name, path) in &known {
        let file = format!("{name}_FILE");
        // A key whose own name ends so, such as `logging.file`, is no reference to a file.
        let read_from = if known.contains_key(&file) { None } else { Some(file.as_str()) };
        match value(variables, name, read_from) {
            Ok(None) => {}
            Ok(Some((text, _))) if text.is_empty() => {}
            Ok(Some((text, from))) => {
                let place = Place::variable(from);
                let plain = text == "null";
                if let Err(other) = layer.put(path, &place, Node::scalar(text, plain, place.clone())) {
                    problems.push(Problem::new(&place, format!("sets the same key as {other}; remove one of the two")));
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    (layer, misspelt(variables, &known))
}

/// Variables that begin like a section and are nearly a known name. Others belong to other programs.
fn misspelt(variables: &Variables, known: &BTreeMap<String, String>) -> Vec<String> {
    let sections: Vec<String> = Shape::root().keys().iter().map(|(key, _)| format!("{}_", name_of(key))).collect();
    let ours = |name: &&String| sections.iter().any(|section| name.starts_with(section.as_str()));
    let unknown = variables.keys().filter(ours).filter(|name| !known.contains_key(*name));
    let suggestion = |name: &String| {
        let base = name.strip_suffix("_FILE").unwrap_or(name);
        if known.contains_key(base) {
            return None;
        }
        let near = near::nearest(name, known.keys().map(String::as_str))?;
        let close = strsim::damerau_levenshtein(name, near) <= TYPOS_MAX;
        close.then(|| format!("environment variable {name} is not known and not heeded; did you mean {near}?"))
    };
    unknown.filter_map(suggestion).collect()
}

/// Letters by which a name may differ from a known one to be taken for it, misspelt.
const TYPOS_MAX: usize = 2;

/// The value of a variable, or the content of the file that `NAME_FILE` names; with the name that gave it.
pub(crate) fn value(
    variables: &Variables,
    name: &str,
    file: Option<&str>,
) -> Result<Option<(String, String)>, Problem> {
    let direct = variables.get(name);
    let path = file.and_then(|file| Some((file, variables.get(file)?)));
    match (direct, path) {
        (Some(_), Some((file, _))) => {
            let message = format!("{name} is set as well, and only one of the two can hold");
            Err(Problem::new(&Place::variable(file), message).help(format!("unset {name} or {file}")))
        }
        (Some(text), None) => Ok(Some((text.clone(), name.to_owned()))),
        (None, Some((file, path))) => match content(Path::new(path)) {
            Ok(text) => Ok(Some((text, file.to_owned()))),
            Err(reason) => Err(Problem::new(&Place::variable(file), format!("cannot read {path}: {reason}"))),
        },
        (None, None) => Ok(None),
    }
}

fn content(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > SECRET_BYTES_MAX {
        return Err(format!("it has {size} bytes, more than {SECRET_BYTES_MAX}"));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_keys_have_the_same_variable() {
        let mut names: Vec<String> = Shape::leaves().map(|leaf| name_of(leaf.path)).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert!(all > 50);
        assert_eq!(names.len(), all);
    }
}
