//! No function is longer than a reader can hold.

use syn::visit::{self, Visit};

use crate::tree::{self, TextFile};

/// From the line of `fn` to that of its last brace.
const LINES_MAX: usize = 59;

/// Functions that are still longer: file and name. An entry that is not needed any more has to go.
const KNOWN: [(&str, &str); 2] =
    [("crates/dais-cli/src/command/ledger/content.rs", "summary"), ("crates/dais-ledger/benches/caches.rs", "measure")];

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
struct Function {
    path: String,
    name: String,
    lines: usize,
}

struct Functions<'a> {
    path: &'a str,
    found: Vec<Function>,
}

impl Functions<'_> {
    fn add(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let (first, last) = (signature.fn_token.span.start().line, body.brace_token.span.close().end().line);
        let (path, name) = (self.path.to_owned(), signature.ident.to_string());
        self.found.push(Function { path, name, lines: last + 1 - first });
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.add(&function.sig, body);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

fn functions(files: &[TextFile]) -> Vec<Function> {
    let mut found = Vec::new();
    for file in files {
        let parsed = syn::parse_file(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path));
        let mut functions = Functions { path: &file.path, found };
        functions.visit_file(&parsed);
        found = functions.found;
    }
    found
}

fn long(functions: &[Function], known: &[(&str, &str)]) -> Vec<String> {
    let long: Vec<_> = functions.iter().filter(|function| function.lines > LINES_MAX).collect();
    let is = |function: &Function, (path, name): &(&str, &str)| function.path == *path && function.name == *name;
    let new = long.iter().filter(|function| !known.iter().any(|one| is(function, one))).map(|function| {
        let Function { path, name, lines } = function;
        format!("{path}: `{name}` has {lines} lines, the most is {LINES_MAX}: split it by what it does")
    });
    let gone = known.iter().filter(|one| !long.iter().any(|function| is(function, one)));
    new.chain(gone.map(|(path, name)| format!("{path}: `{name}` is not long any more: take the entry out"))).collect()
}

#[test]
fn no_function_is_longer_than_a_reader_can_hold() {
    let functions = functions(&tree::rust_files());
    crate::assert_kept("lengths of functions", functions.len(), &long(&functions, &KNOWN));
}

#[cfg(test)]
mod seen_failing {
    use super::*;

    fn of_lines(lines: usize) -> Vec<Function> {
        let text = format!("/// Docs.\nfn long(\n) {{\n{}}}\n", "    call();\n".repeat(lines - 3));
        functions(&[TextFile::sample("a.rs", &text)])
    }

    #[test]
    fn a_long_function_is_reported_with_its_lines_without_its_docs() {
        assert!(long(&of_lines(LINES_MAX), &[]).is_empty());
        let bad = long(&of_lines(LINES_MAX + 1), &[]);
        assert_eq!(bad, ["a.rs: `long` has 60 lines, the most is 59: split it by what it does"]);
        assert!(long(&of_lines(LINES_MAX + 1), &[("a.rs", "long")]).is_empty());
        let gone = long(&of_lines(LINES_MAX), &[("a.rs", "long")]);
        assert_eq!(gone, ["a.rs: `long` is not long any more: take the entry out"]);
    }

    #[test]
    fn functions_are_found_in_modules_impls_traits_and_functions() {
        let text = "mod a { fn one() {} } impl A { fn two() { fn three() {} } } trait T { fn four() {} fn five(); }";
        let names: Vec<_> = functions(&[TextFile::sample("a.rs", text)]).into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["one", "two", "three", "four"]);
    }
}
