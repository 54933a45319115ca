//! `${NAME}` and `${NAME:-default}` in files.

use crate::error::Problem;
use crate::node::{Node, Value};
use crate::place::Place;
use crate::variable::{Variables, value};

/// Replaces `${NAME}` and `${NAME:-default}` in all scalars; `$${` stands for `${`.
pub(crate) fn expand(node: &mut Node, variables: &Variables, problems: &mut Vec<Problem>) {
    match &mut node.value {
        Value::Scalar { text, plain } if text.contains("${") => match expanded(text, variables, &node.place) {
            Ok(new) => {
                // `"${CPUS:-}"` says that there is no value.
                *plain = new.is_empty();
                *text = new;
            }
            Err(found) => {
                problems.extend(found);
                *plain = true;
                text.clear();
            }
        },
        Value::Scalar { .. } => {}
        Value::List(nodes) => nodes.iter_mut().for_each(|node| expand(node, variables, problems)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| expand(&mut entry.node, variables, problems)),
    }
}

fn expanded(text: &str, variables: &Variables, place: &Place) -> Result<String, Vec<Problem>> {
    let mut result = String::with_capacity(text.len());
    let mut problems = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            result.push_str(before);
            result.push_str("${");
            rest = from.get(2..).unwrap_or_default();
            continue;
        }
        result.push_str(before);
        let Some(end) = from.find('}') else {
            problems.push(Problem::new(place, "`${` without its `}`").help("to have the two characters, write `$${`"));
            return Err(problems);
        };
        let inner = from.get(2..end).unwrap_or_default();
        rest = from.get(end + 1..).unwrap_or_default();
        match reference(inner, variables, place) {
            Ok(value) => result.push_str(&value),
            Err(problem) => problems.push(problem),
        }
    }
    result.push_str(rest);
    if problems.is_empty() { Ok(result) } else { Err(problems) }
}

fn reference(inner: &str, variables: &Variables, place: &Place) -> Result<String, Problem> {
    let (name, default) = inner.split_once(":-").map_or((inner, None), |(name, default)| (name, Some(default)));
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(sound) {
        let message = format!("`${{{inner}}}` names no environment variable");
        return Err(Problem::new(place, message).help("write ${NAME} or ${NAME:-default}"));
    }
    let set = value(variables, name, Some(&format!("{name}_FILE")))?.map(|(text, _)| text);
    // As in a shell, `:-` also stands in for a variable that is empty.
    let set = set.filter(|text| default.is_none() || !text.is_empty());
    set.or_else(|| default.map(str::to_owned)).ok_or_else(|| {
        let message = format!("the environment variable {name} is not set");
        Problem::new(place, message).help(format!("set it (or {name}_FILE), or give a default: ${{{name}:-default}}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded_with_a(text: &str) -> Result<String, Vec<Problem>> {
        expanded(text, &Variables::from([("A".to_owned(), "1".to_owned())]), &Place::DEFAULT)
    }

    #[test]
    fn references_are_replaced_and_may_be_escaped() {
        assert_eq!(expanded_with_a("x${A}y${B:-2}${A:-3}").unwrap(), "x1y21");
        assert_eq!(expanded_with_a("$${A} $A ${B:-}").unwrap(), "${A} $A ");
        assert_eq!(expanded_with_a("${B} ${C}").unwrap_err().len(), 2, "all at once");
        assert!(expanded_with_a("${A").is_err() && expanded_with_a("${a b}").is_err());
    }
}
