//! Arguments, results and errors of the SQL-callable functions, from their Rust docs.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail};
use regex::Regex;
use serde_json::{Map, Value};

use crate::machine::files::files_below;
use crate::machine::project::Project;

/// The parts of a function's documentation, each a paragraph or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Documentation {
    pub details: String,
    pub returns: String,
    pub errors: String,
}

impl Documentation {
    /// Whether it refers to another version of the function, which the reference does not contain.
    fn is_by_reference(&self) -> bool {
        [&self.details, &self.returns, &self.errors].iter().any(|text| text.contains("as before"))
    }
}

/// Documentation by C symbol.
pub type Documented = BTreeMap<String, Documentation>;

/// Reads every Rust file of the extension.
pub fn read(project: &Project) -> Result<Documented> {
    let mut documented = Documented::new();
    for file in files_below(&project.root().join("src"))? {
        if file.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            documented.extend(of_source(&text)?);
        }
    }
    if let Some((symbol, _)) = documented.iter().find(|(_, text)| text.is_by_reference()) {
        bail!("{symbol}: \"as before\" refers to a function that the reference does not contain");
    }
    Ok(documented)
}

/// The documentation as `help()` reads it: parts by symbol, those that say nothing left out.
pub fn for_help(documented: &Documented) -> Result<String> {
    let mut symbols = Map::new();
    for (symbol, Documentation { details, returns, errors }) in documented {
        let parts = [("details", details), ("returns", returns), ("errors", errors)];
        let parts: Map<String, Value> = parts
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| (name.to_owned(), text.as_str().into()))
            .collect();
        if !parts.is_empty() {
            symbols.insert(symbol.trim_end_matches("_wrapper").to_owned(), parts.into());
        }
    }
    Ok(format!("{}\n", serde_json::to_string_pretty(&symbols)?))
}

fn of_source(source: &str) -> Result<Documented> {
    let function =
        Regex::new(r"(?m)^((?:[ \t]*///.*\n)+)[ \t]*#\[pg_(?:extern|trigger)(?s:.*?)\bfn (\w+)")?;
    Ok(function
        .captures_iter(source)
        .map(|found| (format!("{}_wrapper", &found[2]), parts(&found[1])))
        .collect())
}

/// The parts of a documentation. Its first paragraph repeats the comment and is left out; the rest is
/// divided at its labels.
fn parts(comment: &str) -> Documentation {
    let lines = comment.lines().map(|line| line.trim_start().trim_start_matches("///").trim());
    let text = lines.collect::<Vec<_>>().join("\n");
    let rest = text.split_once("\n\n").map_or("", |(_, rest)| rest).replace('\n', " ");
    let mut documentation = Documentation::default();
    let mut part = &mut documentation.details;
    for sentence in sentences(&rest) {
        let sentence = if let Some(text) = sentence.strip_prefix("Returns:") {
            part = &mut documentation.returns;
            text
        } else if let Some(text) = sentence.strip_prefix("Errors:") {
            part = &mut documentation.errors;
            text
        } else if sentence.starts_with("Since ") {
            // The manifest has the versions of creation and of changes.
            continue;
        } else {
            sentence
        };
        if !part.is_empty() {
            part.push(' ');
        }
        part.push_str(sentence.trim());
    }
    documentation
}

/// Splits the text before each label.
fn sentences(text: &str) -> Vec<&str> {
    let mut cuts: Vec<usize> = ["Returns:", "Errors:", "Since "]
        .iter()
        .flat_map(|label| text.match_indices(label).map(|(at, _)| at))
        .filter(|&at| at == 0 || text[..at].ends_with(". ") || text[..at].ends_with(".  "))
        .collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2).map(|pair| text[pair[0]..pair[1]].trim()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documentation_is_divided_at_its_labels() {
        let source = "
/// Opens it.
///
/// `reason`: why, at most 9
/// characters. Returns: the id.
/// Errors: 22004, 22023 blank. Since 0.2.0; replaced in 0.2.4.
#[pg_extern(sql = false, volatile)]
fn open(reason: Option<&str>) {}

/// Not called from SQL.
fn helper() {}
";
        let found = of_source(source).expect("read");
        assert_eq!(found.len(), 1);
        let open = &found["open_wrapper"];
        assert_eq!(open.details, "`reason`: why, at most 9 characters.");
        assert_eq!(open.returns, "the id.");
        assert_eq!(open.errors, "22004, 22023 blank.");
    }

    #[test]
    fn documentation_that_refers_to_an_older_function_is_found() {
        let found = |text: &str| {
            let source = format!("/// Opens.\n///\n/// {text}\n#[pg_extern]\nfn a() {{}}\n");
            of_source(&source).expect("read")["a_wrapper"].is_by_reference()
        };
        assert!(found("Arguments, result and errors: as before. Since 0.3.0."));
        assert!(!found("Returns: the row. Errors: as `restore_table`."));
    }

    #[test]
    fn help_reads_the_parts_that_say_something() {
        let errors = Documentation { errors: "22004.".into(), ..Documentation::default() };
        let documented = Documented::from([
            ("a_wrapper".into(), errors),
            ("b_wrapper".into(), Documentation::default()),
        ]);
        let written: Value =
            serde_json::from_str(&for_help(&documented).expect("written")).expect("JSON");
        assert_eq!(written, serde_json::json!({"a": {"errors": "22004."}}));
    }

    #[test]
    fn a_function_without_labels_has_no_parts() {
        let found = of_source("/// Only this.\n#[pg_extern]\nfn a() {}\n").expect("read");
        assert_eq!(found["a_wrapper"], Documentation::default());
    }
}
