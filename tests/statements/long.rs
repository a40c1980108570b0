//! Long SQL is in files of its own, where an editor knows it and a search finds it: a literal of the
//! library has ten lines of SQL at most.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use proc_macro2::{TokenStream, TokenTree};
use xtask::machine::files::files_below;

/// The most lines of SQL in a literal.
const LONGEST: usize = 10;

/// Its statements are put together around the description of a type, which no file could hold.
const COMPOSED: &str = "src/schema/client_types/catalog.rs";

/// Every longer literal of SQL in the sources below a folder, with its file and its beginning.
pub fn literals(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for path in files_below(folder)? {
        if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with(COMPOSED)
        {
            let tokens: TokenStream = fs::read_to_string(&path)?
                .parse()
                .map_err(|error| anyhow::anyhow!("{error}"))
                .with_context(|| format!("{}", path.display()))?;
            visit(tokens, &mut |literal| {
                if let Some(start) = long_sql(literal) {
                    found.push(format!("{}: {start}", path.display()));
                }
            });
        }
    }
    Ok(found)
}

fn visit(tokens: TokenStream, look: &mut impl FnMut(&str)) {
    for token in tokens {
        match token {
            TokenTree::Literal(literal) => look(&literal.to_string()),
            TokenTree::Group(group) => visit(group.stream(), look),
            _ => {}
        }
    }
}

/// The beginning of a literal, as the source has it, that is SQL of too many lines.
fn long_sql(literal: &str) -> Option<String> {
    const WORDS: [&str; 5] = ["SELECT ", " FROM ", "UPDATE ", "INSERT ", "CASE "];
    let is_long = literal.lines().count() > LONGEST;
    let is_sql = WORDS.iter().any(|word| literal.contains(word));
    (is_long && is_sql && literal.starts_with('"')).then(|| literal.chars().take(50).collect())
}

#[test]
fn only_long_sql_is_found() {
    let lines = |count: usize| format!("\"SELECT 1{}\"", " \\\n , 2".repeat(count - 1));
    assert_eq!(long_sql(&lines(LONGEST)), None);
    assert!(long_sql(&lines(LONGEST + 1)).is_some());
    assert_eq!(long_sql(&format!("\"a message{}\"", " \\\n and more".repeat(20))), None);
}
