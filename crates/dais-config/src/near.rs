//! The nearest known word to one that is not known.

use crate::shape::Shape;

/// How alike two words must be to be suggested, from 0 to 1; below it a suggestion confuses more than it helps.
const LIKENESS_MIN: f64 = 0.7;

/// The word most like `word`, if any is much like it.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let liked = known.into_iter().map(|known| (likeness(&word, &known.to_lowercase()), known));
    let best = liked.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(likeness, _)| *likeness >= LIKENESS_MIN).map(|(_, known)| known)
}

/// Damerau-Levenshtein sees swapped letters; Jaro-Winkler sees abbreviations, but likes too much that begins alike. A
/// word that lacks a part (`agents` for `default_agents`) is neither.
fn likeness(word: &str, known: &str) -> f64 {
    let ends = |word: &str, known: &str| known.strip_suffix(word).is_some_and(|rest| rest.ends_with('_'));
    if word.len() >= 4 && ends(word, known) {
        return LIKENESS_MIN;
    }
    let close = strsim::normalized_damerau_levenshtein(word, known);
    close.max(strsim::jaro_winkler(word, known) - 0.2)
}

/// The key that somebody who wrote `path` may have meant: one with the same last part in another section, or one whose
/// whole path is much alike.
pub fn elsewhere(path: &str) -> Option<String> {
    let last = path.rsplit('.').next()?;
    let same = Shape::leaves().find(|leaf| leaf.path.rsplit('.').next() == Some(last)).map(|leaf| leaf.path);
    let near = || {
        let liked = Shape::leaves().map(|leaf| (strsim::normalized_damerau_levenshtein(path, leaf.path), leaf.path));
        liked.max_by(|(one, _), (other, _)| one.total_cmp(other)).filter(|(like, _)| *like >= 0.8).map(|(_, path)| path)
    };
    same.or_else(near).map(str::to_owned)
}
