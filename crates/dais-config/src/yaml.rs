//! YAML text to nodes. Every number is bounded, so that a hostile file ends in a message.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

use crate::error::Problem;
use crate::node::{Entry, Node, Value};
use crate::place::{Place, Source};

/// Largest text that is read, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 1 << 20;
/// Most nodes of a text, with those that aliases repeat.
const NODES_MAX: usize = 50_000;
/// Deepest nesting.
const DEPTH_MAX: usize = 32;
/// Most problems that are told of one text; more of them have one cause.
const PROBLEMS_MAX: usize = 20;

/// Reads one document.
///
/// # Errors
/// What is wrong with it, each with its line and column.
pub(crate) fn parse(source: &Arc<Source>) -> Result<Node, Vec<Problem>> {
    let place = |span: &Span| {
        let width = span.end.index().saturating_sub(span.start.index());
        let one_line = span.start.line() == span.end.line();
        Place::file(source, span.start.line(), span.start.col() + 1, if one_line { width } else { 1 })
    };
    read(&source.text, &place, &Place::file(source, 1, 1, 1))
}

/// Reads a value that stands in a variable or on the command line, such as `[a, b]`.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse_value(text: &str, place: &Place) -> Result<Node, Vec<Problem>> {
    read(text, &|_| place.clone(), place)
}

fn read(text: &str, place: &dyn Fn(&Span) -> Place, start: &Place) -> Result<Node, Vec<Problem>> {
    let options = granit_parser::options! { emit_comments: false, block_nesting_limit: 64, flow_nesting_limit: 64 };
    let mut builder = Builder {
        place,
        open: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        nodes: 0,
        too_deep: false,
        problems: Vec::new(),
    };
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => {
                let marker = *error.marker();
                let at = place(&Span::empty(marker));
                builder.problems.push(not_yaml(&at, &error.info(), text, marker.line()));
                break;
            }
        }
        if builder.problems.len() >= PROBLEMS_MAX || builder.too_deep || builder.nodes > NODES_MAX {
            break;
        }
    }
    if builder.nodes > NODES_MAX {
        let message = format!("more than {NODES_MAX} values, counting those that aliases repeat");
        builder.problems.push(Problem::new(start, message));
    }
    if builder.problems.is_empty() {
        Ok(builder.root.unwrap_or_else(|| Node::scalar("", true, start.clone())))
    } else {
        Err(builder.problems)
    }
}

fn not_yaml(place: &Place, info: &str, text: &str, line: usize) -> Problem {
    let line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
    let problem = Problem::new(place, format!("not valid YAML: {info}"));
    if indent.contains('\t') {
        problem.help("a tab indents this line; YAML wants spaces")
    } else if line.contains("${") && info.contains("flow") {
        problem.help("between braces or brackets `${NAME}` has to stand in quotes")
    } else {
        problem
    }
}

/// A collection that is not closed yet.
struct Open {
    node: Node,
    anchor: usize,
    /// The key whose value comes next.
    key: Option<(String, Place)>,
    /// What `<<` brings; the mapping's own keys go before it.
    merged: Vec<Entry>,
}

struct Builder<'a> {
    place: &'a dyn Fn(&Span) -> Place,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
    too_deep: bool,
    problems: Vec<Problem>,
}

impl Builder<'_> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the parser's list of events is open")]
    fn take(&mut self, event: Event<'_>, span: &Span) {
        let place = (self.place)(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let text_tag = tag.as_deref().is_some_and(|tag| tag.core_suffix() == Some("str"));
                self.refuse_foreign(tag.as_deref(), &place);
                let plain = style == ScalarStyle::Plain && !text_tag;
                self.close(Node::scalar(text.into_owned(), plain, place), anchor);
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_foreign(tag.as_deref(), &place);
                self.begin(Node { value: Value::List(Vec::new()), place }, anchor);
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_foreign(tag.as_deref(), &place);
                self.begin(Node::empty(place), anchor);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(mut open) = self.open.pop() {
                    if let Value::Map(entries) = &mut open.node.value {
                        add_missing(entries, open.merged);
                    }
                    self.close(open.node, open.anchor);
                }
            }
            Event::Alias(id) => match self.anchors.get(&id).cloned() {
                Some(node) => {
                    self.nodes += count(&node);
                    self.close(node, 0);
                }
                None => self.problems.push(Problem::new(&place, "an alias inside of what it stands for")),
            },
            Event::DocumentStart(..) if self.root.is_some() => {
                let problem = Problem::new(&place, "a second document");
                self.problems.push(problem.help("a configuration file is one document; remove what follows `---`"));
            }
            // The end of the text; comments, which are not asked for; kinds that a later parser may add.
            _ => {}
        }
    }

    fn refuse_foreign(&mut self, tag: Option<&Tag>, place: &Place) {
        if let Some(tag) = tag.filter(|tag| tag.core_suffix().is_none()) {
            self.problems.push(Problem::new(place, format!("the tag {} has no meaning here", tag.original())));
        }
    }

    fn begin(&mut self, node: Node, anchor: usize) {
        if self.open.len() == DEPTH_MAX {
            self.problems.push(Problem::new(&node.place, format!("nested deeper than {DEPTH_MAX} levels")));
            self.too_deep = true;
        }
        self.open.push(Open { node, anchor, key: None, merged: Vec::new() });
    }

    /// A node is complete: it becomes a key, a value, an element or the root.
    fn close(&mut self, node: Node, anchor: usize) {
        self.nodes += 1;
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        match &mut open.node.value {
            Value::List(nodes) => nodes.push(node),
            Value::Map(entries) => match open.key.take() {
                None => match node.value {
                    Value::Scalar { text, .. } => open.key = Some((text, node.place)),
                    Value::List(_) | Value::Map(_) => {
                        self.problems.push(Problem::new(&node.place, "a key must be a word, not a collection"));
                        open.key = Some((String::new(), node.place));
                    }
                },
                Some((key, place)) if key == "<<" => open.merged.extend(merged(&node, &place, &mut self.problems)),
                Some((key, place)) => match entries.iter().find(|entry| entry.key == key) {
                    Some(first) => {
                        let message = format!("`{key}` is given twice, first at {}", first.place);
                        self.problems.push(Problem::new(&place, message).help("keep one of the two lines"));
                    }
                    None => entries.push(Entry { key, place, node }),
                },
            },
            Value::Scalar { .. } => {}
        }
    }
}

/// The entries of the mapping, or list of mappings, that `<<` names.
fn merged(node: &Node, place: &Place, problems: &mut Vec<Problem>) -> Vec<Entry> {
    let sources = match &node.value {
        Value::List(nodes) => nodes.as_slice(),
        Value::Map(_) | Value::Scalar { .. } => std::slice::from_ref(node),
    };
    if sources.iter().any(|source| !matches!(source.value, Value::Map(_))) {
        problems.push(Problem::new(place, "`<<` takes a mapping, or a list of mappings"));
    }
    sources.iter().flat_map(Node::entries).cloned().collect()
}

fn add_missing(entries: &mut Vec<Entry>, merged: Vec<Entry>) {
    for entry in merged {
        if !entries.iter().any(|known| known.key == entry.key) {
            entries.push(entry);
        }
    }
}

fn count(node: &Node) -> usize {
    match &node.value {
        Value::Scalar { .. } => 1,
        Value::List(nodes) => 1 + nodes.iter().map(count).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|entry| count(&entry.node)).sum::<usize>(),
    }
}
