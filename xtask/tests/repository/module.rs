//! The modules of a crate, and which of them name one another.
//!
//! Tests are left out: what is behind `cfg(test)`, and the folders `tests`, `benches` and `examples`.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::Visit;
use syn::{Attribute, Item, UseTree};

use crate::name::{self, NamedPaths};
use crate::tree::TextFile;

/// A path as it is written or from the root of its crate, name by name.
pub(crate) type Path = Vec<String>;

/// One module.
#[derive(Default)]
struct Module {
    children: BTreeSet<String>,
    /// What it declares itself.
    items: BTreeSet<String>,
    /// What it imports or re-exports, by the name it has here.
    imports: BTreeMap<String, Path>,
    /// The modules of which it imports everything.
    globs: Vec<Path>,
    /// Every path that it names, imports included.
    named: BTreeSet<Path>,
}

/// The modules of one library or binary.
pub(crate) struct Crate {
    /// By their path from the root, which is empty.
    modules: BTreeMap<Path, Module>,
}

/// That one module names another, with the path that does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    /// The module that names.
    pub(crate) by: Path,
    /// What it names, as it is written.
    pub(crate) written: Path,
}

/// For each module with children: which child names which, with one example.
pub(crate) type Mentions = BTreeMap<Path, BTreeMap<(String, String), Mention>>;

impl Crate {
    /// Reads all modules from the file `root` on.
    pub(crate) fn read(root: &str, files: &[TextFile]) -> Self {
        let texts: BTreeMap<&str, &str> = files.iter().map(|file| (file.path.as_str(), file.text.as_str())).collect();
        let (folder, _) = root.rsplit_once('/').expect("a root lies in a folder");
        let mut read = Self { modules: BTreeMap::new() };
        read.add(Vec::new(), folder, parse(root, texts[root]).items, &texts);
        read
    }

    /// The number of modules.
    pub(crate) fn len(&self) -> usize {
        self.modules.len()
    }

    fn add(&mut self, path: Path, folder: &str, items: Vec<Item>, texts: &BTreeMap<&str, &str>) {
        let mut module = Module::default();
        for item in items.into_iter().filter(|item| !is_for_tests(attributes(item))) {
            if let Item::Mod(inner) = item {
                let name = inner.ident.to_string();
                let below = format!("{folder}/{name}");
                let child = [path.clone(), vec![name.clone()]].concat();
                module.children.insert(name);
                let items = inner.content.map_or_else(|| from_file(&below, texts), |(_, items)| items);
                self.add(child, &below, items, texts);
                continue;
            }
            module.items.extend(declared(&item));
            if let Item::Use(import) = &item {
                module.import(&import.tree, &mut Vec::new());
            }
            let mut named = NamedPaths::default();
            named.visit_item(&item);
            module.named.extend(named.paths);
        }
        self.modules.insert(path, module);
    }

    /// Which siblings name one another: two modules anywhere below them count for the siblings that they belong to.
    pub(crate) fn mentions(&self) -> Mentions {
        let mut mentions = Mentions::new();
        for (by, module) in &self.modules {
            for written in &module.named {
                let Some(target) = self.resolve(by, written, 0) else { continue };
                let common = by.iter().zip(&target).take_while(|(a, b)| a == b).count();
                if common == by.len() || common == target.len() {
                    // A module and what is within it are one: neither stands beside the other.
                    continue;
                }
                let siblings = (by[common].clone(), target[common].clone());
                let mention = Mention { by: by.clone(), written: written.clone() };
                mentions.entry(by[..common].to_vec()).or_default().entry(siblings).or_insert(mention);
            }
        }
        mentions
    }

    /// The module that declares what `written` names when `module` names it; nothing for other crates and unknown names.
    fn resolve(&self, module: &[String], written: &[String], steps: usize) -> Option<Path> {
        const STEPS_MAX: usize = 32;
        let (first, rest) = written.split_first()?;
        if steps > STEPS_MAX {
            return None;
        }
        match first.as_str() {
            "crate" => Some(self.walk(Vec::new(), rest, steps)),
            "self" => Some(self.walk(module.to_vec(), rest, steps)),
            "super" => {
                let (_, parent) = module.split_last()?;
                // `super::super` goes on from there; anything else is looked up there.
                match rest.first().map(String::as_str) {
                    Some("super") => self.resolve(parent, rest, steps + 1),
                    _ => Some(self.walk(parent.to_vec(), rest, steps)),
                }
            }
            name if self.modules[module].knows(name) => Some(self.walk(module.to_vec(), written, steps)),
            _ => self.through_globs(module, written, steps),
        }
    }

    /// Looks names up in the modules of which `module` imports everything.
    fn through_globs(&self, module: &[String], names: &[String], steps: usize) -> Option<Path> {
        self.modules[module].globs.iter().find_map(|glob| {
            let source = self.resolve(module, glob, steps + 1).filter(|source| source != module)?;
            self.modules[&source].knows(&names[0]).then(|| self.walk(source, names, steps + 1))
        })
    }

    /// Follows names from a module through its children and re-exports.
    fn walk(&self, mut at: Path, names: &[String], steps: usize) -> Path {
        for (index, name) in names.iter().enumerate() {
            let module = &self.modules[&at];
            let is_last = index + 1 == names.len();
            let is_item = module.items.contains(name) || module.imports.contains_key(name);
            if module.children.contains(name) && !(is_last && is_item) {
                at.push(name.clone());
                continue;
            }
            if module.items.contains(name) {
                return at;
            }
            let rest = &names[index + 1..];
            if let Some(import) = module.imports.get(name) {
                return self.resolve(&at, &[import, rest].concat(), steps + 1).unwrap_or(at);
            }
            return self.through_globs(&at, &names[index..], steps).unwrap_or(at);
        }
        at
    }
}

impl Module {
    fn knows(&self, name: &str) -> bool {
        self.children.contains(name) || self.items.contains(name) || self.imports.contains_key(name)
    }

    /// Notes what a `use` brings in; `before` are the names above `tree`.
    fn import(&mut self, tree: &UseTree, before: &mut Path) {
        name::flatten(tree, before, &mut |path, alias| match alias {
            Some(alias) => {
                self.imports.insert(alias, path);
            }
            None => self.globs.push(path),
        });
    }
}

/// The items of a module that lies in a file of its own; `below` is its path without an ending.
fn from_file(below: &str, texts: &BTreeMap<&str, &str>) -> Vec<Item> {
    let candidates = [format!("{below}.rs"), format!("{below}/mod.rs")];
    let file = candidates.iter().find(|file| texts.contains_key(file.as_str()));
    let file = file.unwrap_or_else(|| panic!("{below}: the module has no file"));
    parse(file, texts[file.as_str()]).items
}

fn parse(path: &str, text: &str) -> syn::File {
    syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether something is compiled for tests alone.
pub(crate) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        let text = list.tokens.to_string();
        list.path.is_ident("cfg") && name::words(&text).any(|word| word == "test") && !text.contains("not")
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "syn has more kinds of items, and may get others")]
fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The name that an item declares.
#[expect(clippy::wildcard_enum_match_arm, reason = "syn has more kinds of items, and may get others")]
fn declared(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
