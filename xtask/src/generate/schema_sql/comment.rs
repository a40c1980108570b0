//! Comments of SQL.

/// A comment of a few lines, each with `indent` and two dashes before it.
pub fn comment(text: &str, indent: &str) -> String {
    text.lines().map(|line| format!("{indent}-- {line}\n")).collect()
}
