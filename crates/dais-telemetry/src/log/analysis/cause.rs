use super::Entry;

/// Characters of a cause.
const CAUSE_CHARS: usize = 200;
/// What the line about lines left out says before it repeats one.
const LEFT_OUT: &str = "left out: ";

/// What lines with other numbers, ids and names have in common: `entry 17 of "a"` and `entry 4 of "b"` are both
/// `entry # of "…"`.
pub(super) fn of(entry: &Entry) -> String {
    let message = match entry.message.split_once(LEFT_OUT) {
        Some((_, example)) if entry.field("left_out").is_some() => example,
        _ => &entry.message,
    };
    match entry.field("error").filter(|error| !message.contains(error)) {
        Some(error) => normalised(&format!("{message}: {error}")),
        None => normalised(message),
    }
}

fn normalised(message: &str) -> String {
    let mut text = String::new();
    let mut rest = message;
    while let Some(first) = rest.chars().next() {
        if let Some(end) = quoted(rest) {
            text.push(first);
            text.push('…');
            text.push(first);
            rest = &rest[end..];
        } else if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            push_word(&rest[..end], &mut text);
            rest = &rest[end..];
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    if text.chars().count() > CAUSE_CHARS {
        text = text.chars().take(CAUSE_CHARS).chain(['…']).collect();
    }
    text
}

/// Where the quotation that `text` begins with ends. A quote within a word (`agent's`) is none, because words are taken
/// whole.
fn quoted(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let end = text[1..].find(quote)?;
    Some(end + 2)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\'' | '.' | ':' | '-' | '_' | ',')
}

/// A word with what varies taken out: addresses, hashes and times whole, of others the digits.
fn push_word(word: &str, to: &mut String) {
    let inner = word.trim_end_matches(['.', ':', ',', '-']);
    let tail = &word[inner.len()..];
    let digits = inner.chars().filter(char::is_ascii_digit).count();
    let is_number_like = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '-' | ',' | 'x' | 'T' | 'Z');
    let letters = inner.chars().filter(char::is_ascii_alphabetic).count();
    if digits > 0 && inner.chars().all(is_number_like) && (letters == 0 || inner.len() >= 7) {
        to.push('#');
    } else if digits > 0 {
        let mut in_number = false;
        for c in inner.chars() {
            if !c.is_ascii_digit() {
                to.push(c);
            } else if !in_number {
                to.push('#');
            }
            in_number = c.is_ascii_digit();
        }
    } else {
        to.push_str(inner);
    }
    to.push_str(tail);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_differ_by_numbers_ids_and_quotes_have_one_cause() {
        for (message, cause) in [
            ("entry 17 of ledger \"a.db\" refused", "entry # of ledger \"…\" refused"),
            ("agent-12: step 1,234 failed after 3.5ms.", "agent-#: step # failed after #.#ms."),
            ("no answer from 10.0.0.7:5432", "no answer from #"),
            ("signature 9f86d081884c7d65 at 2026-11-21T23:10:05Z", "signature # at #"),
            ("it isn't 'fine', it's `bad`", "it isn't '…', it's `…`"),
            ("an unclosed \"quote", "an unclosed \"quote"),
        ] {
            assert_eq!(normalised(message), cause);
        }
        assert_eq!(normalised(&"ä".repeat(1000)).chars().count(), CAUSE_CHARS + 1);
    }
}
