//! Every text that reaches a server is ASCII. A database whose encoding is not UTF8 cannot run a script
//! with other characters, and would show messages with broken characters.

use std::path::Path;

use anyhow::{Context, Result};
use regex::Regex;

use super::source::Finding;
use xtask::machine::files::files_below;
use xtask::machine::project::EXTENSION;

/// The scripts, the control file, and every source of the library.
pub fn project(root: &Path) -> Result<Vec<Finding>> {
    let mut files = vec![root.join(format!("{EXTENSION}.control"))];
    for folder in [root.join("sql"), root.join("src")] {
        files.extend(files_below(&folder)?);
    }
    files.sort();
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| reaches_a_server(file)) {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.strip_prefix(root).unwrap_or(file).display().to_string();
        findings.extend(check(&name, &text)?);
    }
    Ok(findings)
}

fn reaches_a_server(file: &Path) -> bool {
    let extension = file.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("rs" | "sql" | "json" | "control"))
}

/// Each line with a character beyond ASCII, escaped ones included. Tests may have escaped ones.
fn check(file: &str, text: &str) -> Result<Vec<Finding>> {
    let escape = Regex::new(r"\\u\{([0-9A-Fa-f_]+)\}")?;
    let tests = Regex::new(r"(?m)^#\[cfg\(test\)\]\nmod \w+ \{")?;
    let is_rust = file.ends_with(".rs");
    let shipped = match tests.find(text) {
        _ if !is_rust => 0,
        _ if file.ends_with("tests.rs") => 0,
        Some(tests) => tests.start(),
        None => text.len(),
    };
    let mut findings = Vec::new();
    let mut start = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let escaped =
            start < shipped && escape.captures_iter(line).any(|found| is_beyond(&found[1]));
        let found = line.chars().find(|letter| !letter.is_ascii());
        let what = match found {
            Some(letter) => Some(format!("character {letter:?} is not ASCII")),
            None if escaped => Some("an escaped character is not ASCII".to_owned()),
            None => None,
        };
        if let Some(message) = what {
            findings.push(Finding { file: file.to_owned(), line: at + 1, message });
        }
        start += line.len();
    }
    Ok(findings)
}

fn is_beyond(digits: &str) -> bool {
    u32::from_str_radix(&digits.replace('_', ""), 16).is_ok_and(|code| code > 127)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(file: &str, text: &str) -> Vec<usize> {
        check(file, text).expect("checked").into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn letters_are_found_wherever_they_stand() {
        assert_eq!(lines("a.sql", "SELECT 1;\n-- a \u{2013} b\nSELECT '\u{2026}';\n"), [2, 3]);
        assert_eq!(lines("a.rs", "//! A \u{2026}\nconst A: &str = \"a\";\n"), [1]);
        assert_eq!(lines("a.rs", "#[cfg(test)]\nmod tests {\n \"\u{e9}\"\n}\n"), [3]);
        assert_eq!(lines("a.control", "comment = 'x'\n"), [0; 0]);
    }

    #[test]
    fn escapes_are_for_tests() {
        let text = "const A: &str = \"\\u{2026}\";\nconst B: &str = \"\\u{7f}\";\n";
        assert_eq!(lines("a.rs", text), [1]);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{text}}}\n");
        assert_eq!(lines("a.rs", &tests), [0; 0]);
        assert_eq!(lines("a/tests.rs", text), [0; 0]);
        assert_eq!(lines("a.rs", &format!("#[cfg(test)]\nmod tests;\n{text}")), [3]);
    }
}
