//! The difference between two versions of a prompt, line by line.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use similar::{ChangeTag, TextDiff};

use super::not_published;
use super::version::Version;
use crate::server::arguments;
use crate::server::error::{Error, required};
use crate::server::statements::{self, Statement};

/// The lines that two versions do not have in common.
///
/// `a`, `b`: published versions, the earlier one first. Returns: the number of the line in its version, from 1;
/// `removed` for a line of `a`, `added` for one of `b`; and the line. Lines that both have are left out.
/// Errors: 22004, 22023 blank agent type, malformed version, P0002 unknown version. Since 0.9.1.
#[pg_extern(sql = false, stable, parallel_restricted)]
#[allow(clippy::type_complexity)]
fn prompt_diff(
    agent_type: Option<&str>,
    a: Option<&str>,
    b: Option<&str>,
) -> Result<
    TableIterator<'static, (name!(line, i32), name!(change, String), name!(text, String))>,
    ErrorReport,
> {
    let agent_type = arguments::name("agent_type", agent_type)?;
    let a = text(agent_type, &Version::parse(required("a", a)?)?.to_string())?;
    let b = text(agent_type, &Version::parse(required("b", b)?)?.to_string())?;
    Ok(TableIterator::new(changes(&a, &b)))
}

fn text(agent_type: &str, version: &str) -> Result<String, Error> {
    static TEXT: Statement = Statement::new(
        "SELECT p.prompt_text FROM orchestrator.prompts AS p WHERE p.agent_type = $1 AND p.version = $2",
    );
    let text = TEXT.select(&[agent_type.into(), version.into()], statements::one::<String>)?;
    text.ok_or_else(|| not_published(agent_type, version))
}

fn changes(a: &str, b: &str) -> Vec<(i32, String, String)> {
    let (a, b): (Vec<_>, Vec<_>) = (a.lines().collect(), b.lines().collect());
    TextDiff::from_slices(&a, &b)
        .iter_all_changes()
        .filter_map(|change| {
            let (index, name) = match change.tag() {
                ChangeTag::Equal => return None,
                ChangeTag::Delete => (change.old_index(), "removed"),
                ChangeTag::Insert => (change.new_index(), "added"),
            };
            let line = i32::try_from(index? + 1).ok()?;
            Some((line, name.to_owned(), change.value().to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_differ_are_listed() {
        let lines = |a, b| {
            let changes = changes(a, b);
            changes
                .iter()
                .map(|(line, change, text)| format!("{line} {change} {text}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(lines("a\nb\nc", "a\nx\nc"), ["2 removed b", "2 added x"]);
        assert_eq!(lines("a\nb", "a\nb\nc\n"), ["3 added c"]);
        assert_eq!(lines("same", "same"), [""; 0]);
    }
}
