//! What must come with an object: comments, revoked rights, pinned search paths,
//! and for each table what lets pg_dump carry it and a downgrade keep it.

use super::source::{Finding, Source};
use crate::chain::Script;
use crate::sql::{CreateFunction, CreateTable, Cursor, Element, Name, Statement};

/// Functions that look up nothing by name and run once per row: pinning would cost more than they do.
const UNPINNED: [&str; 4] =
    ["uuidv7", "is_valid_configuration", "enforce_lifecycle", "v7_is_valid_file_name"];

/// New functions are revoked from PUBLIC and commented, views are commented,
/// and functions pin their search path.
pub fn of_functions_and_views(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen: Vec<Name> = Vec::new();
    for statement in &source.statements {
        let mut report = |message: String| findings.push(source.finding(statement.line(), message));
        if let Some(function) = CreateFunction::read(statement) {
            let name = &function.name;
            let unpinned = function.symbol.is_some() && UNPINNED.contains(&name.object.as_str());
            if !function.pins_search_path && !unpinned {
                report(format!("function {name} must SET search_path"));
            }
            if function.replaces {
                // Rights and comment of the old text stay.
                continue;
            }
            seen.push(name.clone());
            let overloads = seen.iter().filter(|other| *other == name).count();
            if commented(source, &["function", "procedure"], name) < overloads {
                report(format!("function {name} needs a COMMENT"));
            }
            if revoked(source, name) < overloads {
                report(format!("function {name} needs REVOKE ALL ON FUNCTION … FROM PUBLIC"));
            }
        }
        if let Some(name) = new_view(statement)
            && commented(source, &["view"], &name) == 0
        {
            report(format!("view {name} needs a COMMENT"));
        }
    }
    findings
}

/// A new table is commented, registered for pg_dump with its sequences, restored on the way up and archived on the way down.
pub fn of_tables(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| !source.script.is_down()) {
        for statement in &source.statements {
            let Some(table) = CreateTable::read(statement) else {
                continue;
            };
            let name = &table.name;
            let mut report =
                |message: String| findings.push(source.finding(statement.line(), message));
            if commented(source, &["table"], name) == 0 {
                report(format!("table {name} needs a COMMENT"));
            }
            let sequences =
                table.elements.iter().filter_map(|element| owned_sequence(name, element));
            for dumped in std::iter::once(name.clone()).chain(sequences) {
                if !calls(source, "pg_extension_config_dump", &dumped) {
                    report(format!(
                        "pg_dump would lose {dumped}: pg_extension_config_dump('{dumped}', '')"
                    ));
                }
            }
            let Script::Step { from, to } = source.script else {
                continue;
            };
            if !calls(source, "restore_table", name) {
                report(format!("table {name} needs SELECT orchestrator.restore_table('{name}')"));
            }
            let back = Script::Step { from: to, to: from };
            let down = sources.iter().find(|source| source.script == back);
            if !down.is_some_and(|down| calls(down, "archive_table", name)) {
                let file = back.file_name();
                report(format!(
                    "table {name} needs SELECT orchestrator.archive_table('{name}') in {file}"
                ));
            }
        }
    }
    findings
}

/// A grant on what was there before the script would make the extension's own of everything that users
/// were granted on it, and pg_dump would leave that out.
pub fn of_grants(source: &Source) -> Vec<Finding> {
    let made: Vec<Name> = source.statements.iter().filter_map(newly_made).collect();
    let mut findings = Vec::new();
    for statement in &source.statements {
        let gives = statement.starts_with(&["grant"]);
        if !gives && !statement.starts_with(&["revoke"]) {
            continue;
        }
        let (on, end) =
            (statement.find(&["on"]), statement.find(&[if gives { "to" } else { "from" }]));
        let objects = match (on.first(), end.last()) {
            (Some(on), Some(end)) if on < end => &statement.tokens[on + 1..*end],
            _ => &[],
        };
        let mut cursor = Cursor::new(objects);
        let _ = ["table", "sequence", "function", "procedure", "schema"]
            .iter()
            .any(|kind| cursor.word(kind));
        let named: Vec<_> = Element::split(cursor.rest())
            .iter()
            .map(|object| Cursor::new(object.tokens).name())
            .collect();
        let is_new = |name: &Option<Name>| name.as_ref().is_some_and(|name| made.contains(name));
        if !named.iter().all(is_new) {
            findings.push(source.finding(
                statement.line(),
                "pg_dump would lose users' grants: grant and revoke only on what this script creates",
            ));
        }
    }
    findings
}

/// What a statement creates, other than a new text of what is there.
fn newly_made(statement: &Statement) -> Option<Name> {
    if let Some(function) = CreateFunction::read(statement) {
        return (!function.replaces).then_some(function.name);
    }
    if let Some(table) = CreateTable::read(statement) {
        return Some(table.name);
    }
    let mut cursor = statement.cursor();
    if cursor.words(&["create", "schema"]) || cursor.words(&["create", "sequence"]) {
        return cursor.name();
    }
    let replaces = statement.starts_with(&["create", "or", "replace"]);
    new_view(statement).filter(|_| !replaces)
}

/// How many comments the script gives to objects of that name.
fn commented(source: &Source, kinds: &[&str], name: &Name) -> usize {
    let is_on = |statement: &&Statement| {
        let mut cursor = statement.cursor();
        cursor.words(&["comment", "on"]) && {
            let _ = cursor.word("materialized");
            kinds.iter().any(|kind| cursor.word(kind)) && cursor.name().as_ref() == Some(name)
        }
    };
    source.statements.iter().filter(is_on).count()
}

/// How many times the script takes the right to call functions of that name from everybody.
fn revoked(source: &Source, name: &Name) -> usize {
    source.statements.iter().map(|statement| revoked_by(statement, name)).sum()
}

fn revoked_by(statement: &Statement, name: &Name) -> usize {
    let from_public = statement
        .find(&["from", "public"])
        .last()
        .is_some_and(|at| at + 2 == statement.tokens.len());
    let mut cursor = statement.cursor();
    if !from_public || !(cursor.words(&["revoke", "all"]) || cursor.words(&["revoke", "execute"])) {
        return 0;
    }
    let _ = cursor.word("privileges");
    if !cursor.word("on") || !(cursor.word("function") || cursor.word("procedure")) {
        return 0;
    }
    let functions = Element::split(cursor.rest());
    functions
        .iter()
        .filter(|function| Cursor::new(function.tokens).name().as_ref() == Some(name))
        .count()
}

/// Whether a statement of the script calls the function with that object's name as its first argument.
fn calls(source: &Source, function: &str, object: &Name) -> bool {
    source.statements.iter().any(|statement| {
        statement.find(&[function]).into_iter().any(|at| {
            let mut cursor = Cursor::new(&statement.tokens[at + 1..]);
            cursor.symbol("(") && cursor.string().map(Name::parse).as_ref() == Some(object)
        })
    })
}

fn new_view(statement: &Statement) -> Option<Name> {
    let mut cursor = statement.cursor();
    if !cursor.word("create") {
        return None;
    }
    while cursor.word("materialized") || cursor.word("recursive") {}
    if cursor.word("view") { cursor.name() } else { None }
}

/// The sequence that an identity or serial column makes.
fn owned_sequence(table: &Name, element: &Element<'_>) -> Option<Name> {
    let column = element.column()?;
    let outer = element.outer();
    let makes_sequence = ["identity", "serial", "bigserial", "smallserial"]
        .iter()
        .any(|word| outer.iter().any(|token| token.is_word(word)));
    makes_sequence.then(|| Name {
        schema: table.schema.clone(),
        object: format!("{}_{column}_seq", table.object),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::source::fixture::{messages, script, up};

    const TABLE: &str = "CREATE TABLE s.t (id uuid PRIMARY KEY);
        COMMENT ON TABLE s.t IS 'x';
        SELECT pg_extension_config_dump('s.t', '');
        SELECT orchestrator.restore_table('s.t');";
    const ARCHIVE: &str = "SELECT orchestrator.archive_table('s.t');";

    fn tables(up_text: &str, down_text: &str) -> Vec<String> {
        let down = script("orchestrator_schema--0.1.0--0.0.0.sql", down_text);
        messages(of_tables(&[up(up_text), down]))
    }

    #[test]
    fn a_table_with_all_its_companions_is_silent() {
        assert_eq!(tables(TABLE, ARCHIVE), Vec::<String>::new());
    }

    #[test]
    fn each_missing_companion_of_a_table_is_found() {
        assert_eq!(tables(TABLE, "").len(), 1);
        assert_eq!(tables("CREATE TABLE s.t ();", ARCHIVE).len(), 3);
        let wrong = TABLE.replace("restore_table('s.t')", "restore_table('s.other')");
        assert_eq!(tables(&wrong, ARCHIVE).len(), 1);
    }

    #[test]
    fn the_sequence_of_an_identity_column_is_dumped_too() {
        let text = TABLE.replace("id uuid", "id bigint GENERATED ALWAYS AS IDENTITY");
        let found = tables(&text, ARCHIVE);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("s.t_id_seq"), "{}", found[0]);
    }

    #[test]
    fn functions_and_views_need_their_companions() {
        let found = |text: &str| messages(of_functions_and_views(&up(text)));
        let complete =
            "CREATE FUNCTION s.f(a text) RETURNS text LANGUAGE c SET search_path TO s AS 'MODULE_PATHNAME', 'f_wrapper';
            REVOKE ALL ON FUNCTION s.f(text) FROM PUBLIC;
            COMMENT ON FUNCTION s.f(text) IS 'x';
            CREATE VIEW s.v AS SELECT 1; COMMENT ON VIEW s.v IS 'x';";
        assert_eq!(found(complete), Vec::<String>::new());
        assert_eq!(found("CREATE FUNCTION s.f() RETURNS text LANGUAGE sql AS '';").len(), 3);
        assert_eq!(found("CREATE VIEW s.v AS SELECT 1;").len(), 1);
        // A second function of the same name needs its own.
        let overload = "CREATE FUNCTION s.f(a integer) RETURNS text LANGUAGE c SET search_path TO s AS 'MODULE_PATHNAME', 'g_wrapper';";
        assert_eq!(found(&format!("{complete}{overload}")).len(), 2);
        // C may go without a fixed search path where that is known to be safe.
        let unpinned = complete.replace(" SET search_path TO s", "");
        assert_eq!(found(&unpinned).len(), 1);
        assert_eq!(found(&unpinned.replace("s.f(", "s.uuidv7(")), Vec::<String>::new());
        // A new text keeps rights and comment, but not the search path.
        let replaced = "CREATE OR REPLACE FUNCTION s.f() RETURNS text LANGUAGE sql AS '';";
        assert_eq!(found(replaced).len(), 1);
    }

    #[test]
    fn grants_are_made_on_new_objects_alone() {
        let found = |text: &str| of_grants(&up(text)).len();
        let made = "CREATE SCHEMA s; CREATE TABLE s.t (); CREATE VIEW s.v AS SELECT 1;
            CREATE FUNCTION s.f(a text, b text) RETURNS text LANGUAGE sql AS '';
            CREATE OR REPLACE FUNCTION s.g() RETURNS text LANGUAGE sql AS '';";
        for on_new in [
            "GRANT USAGE ON SCHEMA s TO r;",
            "GRANT SELECT (a, b), INSERT ON s.t, s.v TO r;",
            "REVOKE ALL ON FUNCTION s.f(text, text) FROM PUBLIC;",
        ] {
            assert_eq!(found(&format!("{made}{on_new}")), 0, "{on_new}");
            assert_eq!(found(on_new), 1, "{on_new}");
        }
        for on_old in [
            "REVOKE ALL ON FUNCTION s.g() FROM PUBLIC;",
            "GRANT EXECUTE ON FUNCTION s.f(text, text), s.h() TO r;",
            "GRANT SELECT ON ALL TABLES IN SCHEMA s TO r;",
        ] {
            assert_eq!(found(&format!("{made}{on_old}")), 1, "{on_old}");
        }
    }

    #[test]
    fn one_revoke_may_list_several_functions() {
        let text = "CREATE FUNCTION s.f(a text, b text) RETURNS text LANGUAGE c SET search_path TO s AS 'm', 'f';
            CREATE FUNCTION s.g() RETURNS text LANGUAGE c SET search_path TO s AS 'm', 'g';
            REVOKE ALL ON FUNCTION s.f(text, text), s.g() FROM PUBLIC;
            COMMENT ON FUNCTION s.f(text, text) IS 'x';
            COMMENT ON FUNCTION s.g() IS 'x';";
        assert_eq!(messages(of_functions_and_views(&up(text))), Vec::<String>::new());
    }
}
