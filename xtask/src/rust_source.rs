//! What checks read or change in the extension's Rust sources:
//! `sql = false`, and the scripts that `lib.rs` includes.

use anyhow::{Context, Result};
use regex::Regex;

/// Takes `sql = false` out of every `#[pg_extern(…)]`, so that pgrx writes the function's SQL.
pub fn with_generated_sql(source: &str) -> Result<String> {
    let attribute = Regex::new(r"#\[(?:pgrx::)?pg_extern\s*\(")?;
    let mut result = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(found) = attribute.find(rest) {
        let (before, arguments) = rest.split_at(found.end());
        let end = closing_parenthesis(arguments)
            .context("an attribute pg_extern has no closing parenthesis")?;
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

/// Where the parenthesis that is open at the start is closed; strings may hold others.
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

/// An `extension_sql_file!` of the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// The included file's name, without its folder.
    pub file_name: String,
    pub name: String,
    pub requires: Vec<String>,
    pub is_bootstrap: bool,
}

/// The scripts that a source file includes, in order.
pub fn inclusions(source: &str) -> Result<Vec<Inclusion>> {
    let invocation = Regex::new(r#"(?s)extension_sql_file!\s*\(\s*"([^"]*)"(.*?)\)\s*;"#)?;
    let name = Regex::new(r#"name\s*=\s*"([^"]*)""#)?;
    let requires = Regex::new(r"(?s)requires\s*=\s*\[(.*?)\]")?;
    let bootstrap = Regex::new(r"\bbootstrap\b")?;
    let code = without_line_comments(source)?;
    Ok(invocation
        .captures_iter(&code)
        .map(|found| {
            let options = &found[2];
            let part = |regex: &Regex| {
                regex.captures(options).map(|part| part[1].to_owned()).unwrap_or_default()
            };
            Inclusion {
                file_name: found[1].rsplit('/').next().unwrap_or_default().to_owned(),
                name: part(&name),
                requires: part(&requires)
                    .split(',')
                    .map(|word| word.trim().trim_matches('"').to_owned())
                    .filter(|word| !word.is_empty())
                    .collect(),
                is_bootstrap: bootstrap.is_match(options),
            }
        })
        .collect())
}

fn without_line_comments(source: &str) -> Result<String> {
    Ok(Regex::new(r"(?m)^\s*//.*$")?.replace_all(source, "").into_owned())
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

    #[test]
    fn inclusions_are_read_with_their_options() {
        let source = r#"
            // extension_sql_file!("../sql/old.sql", name = "old");
            extension_sql_file!("../sql/a.sql", name = "base", bootstrap);
            extension_sql_file!(
                "../sql/b.sql",
                name = "next",
                requires = ["base"],
            );"#;
        let found = inclusions(source).expect("inclusions");
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].file_name.as_str(), found[0].is_bootstrap), ("a.sql", true));
        assert_eq!((found[1].name.as_str(), found[1].is_bootstrap), ("next", false));
        assert_eq!(found[1].requires, ["base"]);
    }
}
