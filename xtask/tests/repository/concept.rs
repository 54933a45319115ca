//! Who knows a word of the glossary finds the file that declares the thing.

use syn::Item;

use crate::tree::{self, TextFile};

/// Words of the glossary, each with the type that stands for it and its crate: exactly one file there bears the name of the
/// word and declares the type.
const CONCEPTS: [(&str, &str, &str); 24] = [
    ("Agent", "Agent", "dais-sim"),
    ("Ballot", "Ballot", "dais-protocol"),
    ("Batch", "Batch", "dais-traffic"),
    ("Checkpoint", "Checkpoint", "dais-ledger"),
    ("Coordinator", "Coordinator", "dais-sim"),
    ("Entry", "Entry", "dais-ledger"),
    ("Evidence", "Evidence", "dais-protocol"),
    ("Flow", "Flow", "dais-traffic"),
    ("Head", "Head", "dais-ledger"),
    ("Ledger", "Ledger", "dais-ledger"),
    ("Policy", "PolicyParams", "dais-protocol"),
    ("Run", "Run", "dais-lab"),
    ("Scenario", "Scenario", "dais-lab"),
    ("Schema", "Schema", "dais-traffic"),
    ("Seal", "Seal", "dais-protocol"),
    ("Shard", "Shard", "dais-sim"),
    ("Signature", "Signature", "dais-protocol"),
    ("Split view", "SplitView", "dais-ledger"),
    ("Sweep", "Sweep", "dais-lab"),
    ("Trust", "TrustBook", "dais-protocol"),
    ("Truth", "Truth", "dais-traffic"),
    ("Vote", "Vote", "dais-protocol"),
    ("Witness", "Witness", "dais-ledger"),
    ("World", "World", "dais-sim"),
];

/// The words that the glossary explains.
fn words(glossary: &str) -> Vec<&str> {
    let bold = glossary.lines().filter_map(|line| line.strip_prefix("**"));
    bold.filter_map(|line| line.split_once(".**")).map(|(word, _)| word).collect()
}

/// The names of the types that a source declares.
#[expect(clippy::wildcard_enum_match_arm, reason = "syn has more kinds of items, and may get others")]
fn types(file: &TextFile) -> Vec<String> {
    let parsed = syn::parse_file(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path));
    let name = |item: Item| match item {
        Item::Enum(item) => Some(item.ident.to_string()),
        Item::Struct(item) => Some(item.ident.to_string()),
        Item::Trait(item) => Some(item.ident.to_string()),
        _ => None,
    };
    parsed.items.into_iter().filter_map(name).collect()
}

fn not_found(concepts: &[(&str, &str, &str)], glossary: &str, files: &[TextFile]) -> Vec<String> {
    let words = words(glossary);
    let mut violations = Vec::new();
    for (word, type_name, crate_name) in concepts {
        if !words.contains(word) {
            violations.push(format!("{word} is not in the glossary"));
        }
        let name = word.to_lowercase().replace(' ', "_");
        let endings = [format!("/{name}.rs"), format!("/{name}/mod.rs")];
        let folder = format!("crates/{crate_name}/src/");
        let bears_name = |file: &&TextFile| {
            file.path.starts_with(&folder) && endings.iter().any(|ending| file.path.ends_with(ending))
        };
        let declares = |file: &&TextFile| types(file).iter().any(|declared| declared == type_name);
        let found: Vec<_> = files.iter().filter(bears_name).filter(declares).map(|file| file.path.as_str()).collect();
        if found.len() != 1 {
            violations
                .push(format!("{word}: one {name}.rs of {crate_name} is to declare {type_name}, found {found:?}"));
        }
    }
    violations
}

#[test]
fn every_concept_has_one_file_whose_name_says_it() {
    let glossary = std::fs::read_to_string(tree::root().join("docs/glossary.md")).expect("the glossary exists");
    crate::assert_kept("files of concepts", CONCEPTS.len(), &not_found(&CONCEPTS, &glossary, &tree::rust_files()));
}

#[cfg(test)]
mod seen_failing {
    use super::*;

    fn of(glossary: &str, files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> = files.iter().map(|(path, text)| TextFile::sample(path, text)).collect();
        not_found(&[("Split view", "SplitView", "dais-ledger")], glossary, &files)
    }

    #[test]
    fn a_concept_without_a_word_a_file_or_a_type_is_reported_and_so_is_one_with_two_files() {
        let glossary = "**Split view.** Two heads.\n";
        let file = ("crates/dais-ledger/src/split_view.rs", "pub struct SplitView;");
        assert!(of(glossary, &[file]).is_empty());
        let others = [("crates/dais-ledger/src/a/split_view.rs", ""), ("crates/dais-sim/src/split_view.rs", file.1)];
        assert!(of(glossary, &[&[file], &others[..]].concat()).is_empty(), "other crates and other types do not count");
        assert_eq!(of("", &[file]), ["Split view is not in the glossary"]);
        let none = "Split view: one split_view.rs of dais-ledger is to declare SplitView, found []";
        assert_eq!(of(glossary, &[]), [none]);
        assert_eq!(of(glossary, &[(file.0, "pub struct Other;")]), [none]);
        assert_eq!(of(glossary, &[file, ("crates/dais-ledger/src/split_view/mod.rs", file.1)]).len(), 1);
    }
}
