//! Which paths a piece of source names.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::UseTree;
use syn::visit::{self, Visit};

use crate::module::{self, Path};

/// Collects every path that is visited: in imports, types, expressions and patterns, and in what is given to macros.
#[derive(Default)]
pub(crate) struct NamedPaths {
    pub(crate) paths: BTreeSet<Path>,
}

impl<'ast> Visit<'ast> for NamedPaths {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        // A module within a function has a scope of its own.
        if !matches!(item, syn::Item::Mod(_)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !module::is_for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        flatten(&import.tree, &mut Vec::new(), &mut |path, _| {
            self.paths.insert(path);
        });
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.paths.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        collect(call.tokens.clone(), &mut self.paths);
        visit::visit_macro(self, call);
    }
}

/// The paths among tokens: names joined by `::`.
fn collect(tokens: TokenStream, paths: &mut BTreeSet<Path>) {
    let mut path = Path::new();
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Ident(name) => {
                if colons != 2 {
                    paths.extend((path.len() > 1).then(|| std::mem::take(&mut path)));
                    path.clear();
                }
                path.push(name.to_string());
                colons = 0;
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
            other @ (TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_)) => {
                paths.extend((path.len() > 1).then(|| std::mem::take(&mut path)));
                path.clear();
                colons = 0;
                if let TokenTree::Group(group) = other {
                    collect(group.stream(), paths);
                }
            }
        }
    }
    paths.extend((path.len() > 1).then_some(path));
}

/// Calls `each` for every path that a `use` brings in, with the name it gets, or with none where it is everything below
/// the path.
pub(crate) fn flatten(tree: &UseTree, before: &mut Path, each: &mut impl FnMut(Path, Option<String>)) {
    match tree {
        UseTree::Path(tree) => {
            before.push(tree.ident.to_string());
            flatten(&tree.tree, before, each);
            before.pop();
        }
        UseTree::Name(tree) if tree.ident == "self" => each(before.clone(), before.last().cloned()),
        UseTree::Name(tree) => each(joined(before, &tree.ident), Some(tree.ident.to_string())),
        UseTree::Rename(tree) if tree.ident == "self" => each(before.clone(), Some(tree.rename.to_string())),
        UseTree::Rename(tree) => each(joined(before, &tree.ident), Some(tree.rename.to_string())),
        UseTree::Glob(_) => each(before.clone(), None),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, each)),
    }
}

fn joined(before: &Path, name: &syn::Ident) -> Path {
    [before.as_slice(), &[name.to_string()]].concat()
}

/// The words of a text, without what stands between them.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}
