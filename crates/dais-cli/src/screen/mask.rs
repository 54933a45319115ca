//! Keeping passwords off the screen, wherever a connection string was typed.

use dais_ledger::Location;

/// How the connection string of a server begins.
const SCHEMES: [&str; 4] = ["postgres://", "postgresql://", "mysql://", "mariadb://"];

/// The text with every connection string in it shown without user, password and settings.
pub(crate) fn masked(text: &str) -> String {
    text.split_inclusive(char::is_whitespace).map(masked_word).collect()
}

fn masked_word(word: &str) -> String {
    let starts = SCHEMES.iter().filter_map(|scheme| word.find(scheme).map(|at| (at, *scheme)));
    let Some((at, scheme)) = starts.min() else { return word.to_owned() };
    let (before, rest) = word.split_at(at);
    let url = rest.trim_end_matches(|c: char| c.is_whitespace() || "'`\":,;.)".contains(c));
    if !url.contains(['@', '?']) {
        return word.to_owned();
    }
    let after = &rest[url.len()..];
    let shown = url.parse::<Location>().map_or_else(|_| format!("{scheme}…"), |location| location.to_string());
    format!("{before}{shown}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_strings_lose_what_is_secret_and_nothing_else_changes() {
        for (text, shown) in [
            ("error: 'postgres://u:s3cret@h/db' found\n", "error: 'postgres://h/db?schema=dais' found\n"),
            ("--ledger=mysql://u:s3cret@h/db: no", "--ledger=mysql://h/db: no"),
            ("postgresql://u:a@b@h/db?s3cret", "postgresql://…"),
            ("postgres://h/db?schema=a: refused", "postgres://h/db?schema=a: refused"),
            ("expected postgres://…, mysql://… or memory", "expected postgres://…, mysql://… or memory"),
            ("two  words\tand\n\nlines", "two  words\tand\n\nlines"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }
}
