//! The beginning of a script: the line for psql, the comment with its purpose, the search path, and the
//! call that takes its locks. In a down script this call also stops it before any change if a user's
//! object depends on a removed one.

use pg_query::NodeEnum;
use xtask::chain::Script;
use xtask::machine::project::EXTENSION;

use super::source::{Finding, Source, Statement};
use super::tree::{calls, is_call, words};

const SEARCH_PATH: &str = "SET LOCAL search_path TO pg_catalog, pg_temp;";

pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut report = |line: usize, message: String| findings.push(source.finding(line, message));
    let wanted = psql_line(&source.script);
    if source.text.lines().next() != Some(&wanted) {
        report(1, format!("the first line must be: {wanted}"));
    }
    let start = match &source.script {
        Script::Base(version) => format!("-- {version}: "),
        Script::Step { from, to } => format!("-- {from} -> {to}: "),
    };
    let explains =
        |comment: &str| comment.strip_prefix(&start).is_some_and(|what| !what.trim().is_empty());
    if !source.comments.iter().any(|(_, comment)| explains(comment)) {
        report(1, format!("a comment must say what it does: {start}…"));
    }
    let line_of = |statement: Option<&Statement>| statement.map_or(1, |statement| statement.line);
    let first = source.statements.first();
    if !first.is_some_and(sets_search_path) {
        report(line_of(first), format!("the first statement must be: {SEARCH_PATH}"));
    }
    if let Script::Step { from, to } = &source.script {
        let begin = if to < from { "begin_downgrade" } else { "begin_upgrade" };
        let second = source.statements.get(1);
        if !second.is_some_and(|statement| begins(statement, begin, &to.to_string())) {
            let message =
                format!("the second statement must be: SELECT orchestrator.{begin}('{to}');");
            report(line_of(second), message);
        }
    }
    findings
}

/// Whether a statement is the call that begins the step to that version.
fn begins(statement: &Statement, function: &str, to: &str) -> bool {
    match calls(&statement.node)[..] {
        [call] => {
            is_call(call, function, to) && words(&call.funcname) == ["orchestrator", function]
        }
        _ => false,
    }
}

/// The message of psql if somebody loads the file by hand.
fn psql_line(script: &Script) -> String {
    let command = match script {
        Script::Base(_) => format!("CREATE EXTENSION {EXTENSION}"),
        Script::Step { to, .. } => format!("ALTER EXTENSION {EXTENSION} UPDATE TO '{to}'"),
    };
    format!("\\echo Use \"{command}\" to load this file. \\quit")
}

fn sets_search_path(statement: &Statement) -> bool {
    matches!(&statement.node, NodeEnum::VariableSetStmt(set)
        if set.is_local && set.name == "search_path" && words(&set.args) == ["pg_catalog", "pg_temp"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::fixture::{messages, script, up};

    #[test]
    fn a_proper_heading_is_silent() {
        assert!(check(&up("")).is_empty());
        let base = "\\echo Use \"CREATE EXTENSION orchestrator_schema\" to load this file. \\quit\n\
            -- 0.0.0: the frame.\nSET LOCAL search_path TO pg_catalog, pg_temp;";
        assert!(check(&script("orchestrator_schema--0.0.0.sql", base)).is_empty());
    }

    #[test]
    fn each_missing_part_is_named() {
        let found = messages(check(&script("orchestrator_schema--0.1.0--0.0.0.sql", "SELECT 1;")));
        assert_eq!(found.len(), 4);
        assert!(found[0].contains("UPDATE TO '0.0.0'"), "{}", found[0]);
        assert!(found[1].contains("0.1.0 -> 0.0.0: "), "{}", found[1]);
        assert!(found[2].contains("search_path"), "{}", found[2]);
        assert!(found[3].contains("begin_downgrade('0.0.0')"), "{}", found[3]);
    }

    #[test]
    fn each_way_has_its_own_beginning() {
        let second = |file: &str, statement: &str| {
            let text = format!("SET LOCAL search_path TO pg_catalog, pg_temp; {statement}");
            let found = messages(check(&script(file, &text)));
            found.into_iter().filter(|message| message.contains("second statement")).count()
        };
        let (up, down) =
            ("orchestrator_schema--0.0.0--0.1.0.sql", "orchestrator_schema--0.1.0--0.0.0.sql");
        assert_eq!(second(up, "SELECT orchestrator.begin_upgrade('0.1.0');"), 0);
        assert_eq!(second(up, "SELECT orchestrator.begin_upgrade('0.1.1');"), 1);
        assert_eq!(second(up, "SELECT orchestrator.begin_downgrade('0.1.0');"), 1);
        assert_eq!(second(up, ""), 1);
        assert_eq!(second(down, "SELECT orchestrator.begin_downgrade('0.0.0');"), 0);
        assert_eq!(second(down, "SELECT orchestrator.begin_upgrade('0.0.0');"), 1);
    }
}
