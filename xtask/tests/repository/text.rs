//! Rules about any text in the repository: no paths of one machine, nothing that looks like a secret.

use crate::tree::{self, TextFile};

/// Beginnings of absolute paths that exist on somebody's machine only. Put together here so that this file passes.
const MACHINE_PATHS: [&str; 5] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/Us", "ers/"),
    concat!("C:\\Us", "ers\\"),
];

/// How well-known credentials begin, and how many letters, digits, `-` or `_` must follow at least.
const SECRETS: [(&str, usize); 9] = [
    (concat!("-----BEGIN ", "PRIVATE KEY"), 0),
    (concat!("-----BEGIN ", "RSA PRIVATE KEY"), 0),
    (concat!("-----BEGIN ", "EC PRIVATE KEY"), 0),
    (concat!("-----BEGIN ", "OPENSSH PRIVATE KEY"), 0),
    ("AKIA", 16),
    ("ghp_", 36),
    ("github_pat_", 36),
    ("xoxb-", 20),
    ("glpat-", 20),
];

/// Whether `line` names an absolute path that begins with `beginning`; `/a` + `beginning` is a part of another path.
fn names_path(line: &str, beginning: &str) -> bool {
    line.match_indices(beginning).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !"._-~*}/".contains(c))
    })
}

fn holds_secret(line: &str, beginning: &str, following: usize) -> bool {
    line.match_indices(beginning).any(|(at, _)| {
        let rest = &line[at + beginning.len()..];
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).count() >= following
    })
}

fn revealing(files: &[TextFile]) -> Vec<String> {
    let mut violations = Vec::new();
    for file in files {
        for (at, line) in file.text.lines().enumerate() {
            if let Some(path) = MACHINE_PATHS.iter().find(|path| names_path(line, path)) {
                violations.push(format!("{}:{} names a path of one machine ({path})", file.path, at + 1));
            }
            if SECRETS.iter().any(|&(beginning, following)| holds_secret(line, beginning, following)) {
                violations.push(format!("{}:{} looks like it holds a secret", file.path, at + 1));
            }
        }
    }
    violations
}

#[test]
fn no_file_names_a_machine_or_holds_a_secret() {
    let files = tree::text_files();
    crate::assert_kept("machine paths and secrets", files.len(), &revealing(&files));
}

#[cfg(test)]
mod seen_failing {
    use super::*;

    fn count(line: &str) -> usize {
        revealing(&[TextFile::sample("a.md", line)]).len()
    }

    #[test]
    fn a_path_of_one_machine_is_reported() {
        for beginning in MACHINE_PATHS {
            assert_eq!(count(&format!("see `{beginning}someone/dais`")), 1, "{beginning}");
            assert_eq!(count(&format!("{beginning}someone/dais")), 1, "{beginning} at the start of a line");
        }
        let inside = format!("https://example.org{}page and ./a{0}b", MACHINE_PATHS[0]);
        assert_eq!(count(&inside), 0, "a part of another path is no path of a machine");
    }

    #[test]
    fn what_looks_like_a_secret_is_reported() {
        for (beginning, following) in SECRETS {
            let line = format!("key = \"{beginning}{}\"", "A".repeat(following));
            assert_eq!(count(&line), 1, "{beginning}");
        }
        assert_eq!(count("AKIA is how such keys begin"), 0);
    }
}
