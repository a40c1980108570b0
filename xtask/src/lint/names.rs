//! Names carry their schema, so that nothing depends on a search path.

use super::source::{Finding, Source};
use crate::sql::{Cursor, Statement};

/// Statements that name an object right after these words.
const TARGETS: [&[&str]; 6] =
    [&["create"], &["alter"], &["drop"], &["comment", "on"], &["truncate"], &["insert", "into"]];

/// Words between the verb and the kind of object.
const MODIFIERS: [&str; 6] = ["or", "replace", "unlogged", "materialized", "only", "recursive"];

/// Kinds of objects that live in a schema.
const KINDS: [&str; 8] =
    ["table", "view", "function", "procedure", "aggregate", "sequence", "type", "domain"];

pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for statement in &source.statements {
        for (what, name) in unqualified(statement) {
            let message = format!("{what} {name} must be named with its schema");
            findings.push(source.finding(statement.line(), message));
        }
    }
    findings
}

fn unqualified(statement: &Statement) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut look = |what: &'static str, mut cursor: Cursor<'_>| {
        while cursor.word("only")
            || cursor.words(&["if", "not", "exists"])
            || cursor.words(&["if", "exists"])
        {}
        if let Some(name) = cursor.name()
            && name.schema.is_none()
        {
            found.push((what, name.object));
        }
    };
    for verb in TARGETS {
        let mut cursor = statement.cursor();
        if !cursor.words(verb) {
            continue;
        }
        if matches!(verb, ["truncate"] | ["insert", "into"]) {
            let _ = cursor.word("table");
            look("table", cursor);
            continue;
        }
        while MODIFIERS.iter().any(|word| cursor.word(word)) {}
        if let Some(kind) = KINDS.into_iter().find(|kind| cursor.word(kind)) {
            look(kind, cursor);
        }
    }
    for at in statement.find(&["references"]) {
        look("table", Cursor::new(&statement.tokens[at + 1..]));
    }
    let on_table =
        [["create", "index"], ["create", "trigger"], ["create", "policy"], ["create", "rule"]];
    let is_on_table = on_table.iter().any(|words| statement.starts_with(words))
        || [["unique", "index"], ["constraint", "trigger"], ["replace", "trigger"]].iter().any(
            |words| {
                statement.starts_with(&["create"])
                    && statement.find(words).first().is_some_and(|at| *at <= 2)
            },
        );
    if is_on_table && let Some(at) = statement.find(&["on"]).last() {
        look("table", Cursor::new(&statement.tokens[at + 1..]));
    }
    for at in statement.find(&["execute", "function"]) {
        look("function", Cursor::new(&statement.tokens[at + 2..]));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::source::fixture::{messages, up};

    #[test]
    fn qualified_names_are_silent() {
        let text = "CREATE TABLE s.t (a uuid CONSTRAINT t_a_fkey REFERENCES s.u (id));
            CREATE UNIQUE INDEX t_a_key ON s.t (a);
            CREATE VIEW s.v AS SELECT 1;
            CREATE OR REPLACE FUNCTION s.f() RETURNS text LANGUAGE sql AS '';
            CREATE TRIGGER t_b BEFORE UPDATE ON s.t FOR EACH ROW EXECUTE FUNCTION s.f();
            COMMENT ON TABLE s.t IS 'x';
            COMMENT ON SCHEMA s IS 'x';
            CREATE SCHEMA s;
            ALTER TABLE s.t ADD COLUMN b text;";
        assert_eq!(messages(check(&up(text))), Vec::<String>::new());
    }

    #[test]
    fn each_bare_name_is_found() {
        let bad = [
            "CREATE TABLE t ();",
            "CREATE UNLOGGED TABLE t ();",
            "CREATE INDEX i ON t (a);",
            "CREATE UNIQUE INDEX i ON ONLY t (a);",
            "CREATE MATERIALIZED VIEW v AS SELECT 1;",
            "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS '';",
            "CREATE TABLE s.t (a uuid REFERENCES u);",
            "CREATE TRIGGER b BEFORE UPDATE ON s.t FOR EACH ROW EXECUTE FUNCTION f();",
            "CREATE TRIGGER b BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION s.f();",
            "COMMENT ON VIEW v IS 'x';",
            "DROP FUNCTION f();",
            "ALTER TABLE ONLY t ADD COLUMN b text;",
            "INSERT INTO t VALUES (1);",
        ];
        for text in bad {
            assert_eq!(check(&up(text)).len(), 1, "{text}");
        }
    }
}
