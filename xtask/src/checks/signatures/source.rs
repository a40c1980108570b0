//! The extension's Rust sources without `sql = false`.

use anyhow::{Context, Result};
use regex::Regex;

/// Removes `sql = false` from every `#[pg_extern(…)]`, so that pgrx generates the function's SQL.
pub fn with_generated_sql(source: &str) -> Result<String> {
    let attribute = Regex::new(r"#\[(?:pgrx::)?pg_extern\s*\(")?;
    let mut result = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(found) = attribute.find(rest) {
        let (before, arguments) = rest.split_at(found.end());
        let end = closing_parenthesis(arguments)
            .context("a pg_extern attribute has no closing parenthesis")?;
        result.push_str(before);
        result.push_str(&without_argument(&arguments[..end])?);
        rest = &arguments[end..];
    }
    result.push_str(rest);
    Ok(result)
}

fn without_argument(arguments: &str) -> Result<String> {
    let first = Regex::new(r"^(\s*)sql\s*=\s*false\s*(?:,\s*|$)")?;
    let later = Regex::new(r",\s*sql\s*=\s*false\b")?;
    let without = first.replace(arguments, "$1");
    Ok(later.replace(&without, "").into_owned())
}

/// The position of the parenthesis that closes the one open at the start. Parentheses in strings do
/// not count.
fn closing_parenthesis(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (1_usize, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            '(' if !in_string => depth += 1,
            ')' if !in_string => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_false_goes_wherever_it_stands_and_the_rest_stays() {
        let cases = [
            ("#[pg_extern(sql = false)]\nfn f() {}", "#[pg_extern()]\nfn f() {}"),
            ("#[pg_extern(sql = false, stable)]", "#[pg_extern(stable)]"),
            ("#[pg_extern(stable, sql=false)]", "#[pg_extern(stable)]"),
            (
                "#[pg_extern(stable, sql = false, name = \"a)b\")]",
                "#[pg_extern(stable, name = \"a)b\")]",
            ),
            (
                "#[pg_extern(\n    immutable,\n    sql = false,\n)]",
                "#[pg_extern(\n    immutable,\n)]",
            ),
            ("#[pg_extern]", "#[pg_extern]"),
            ("#[pg_trigger(sql = false)]", "#[pg_trigger(sql = false)]"),
            (
                "#[pg_extern(requires = [a], sql = false)] #[pg_extern(sql = false)]",
                "#[pg_extern(requires = [a])] #[pg_extern()]",
            ),
        ];
        for (before, after) in cases {
            assert_eq!(with_generated_sql(before).expect("well formed"), after);
        }
        assert!(with_generated_sql("#[pg_extern(sql = false").is_err());
    }
}
