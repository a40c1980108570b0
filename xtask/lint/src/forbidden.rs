//! Forbidden statements: those that hide a missing object, drop more than they name, cannot be undone,
//! or have another meaning under another setting. pgspot reports `IF NOT EXISTS` of an object (PS007,
//! PS010, PS012 and others).

use pg_query::NodeEnum;
use pg_query::protobuf::{AlterTableType, DropBehavior};
use serde_json::Value;

use super::source::{Finding, Source, Statement, statements_of};
use super::tree::word;

const CASCADE: &str = "CASCADE drops what is not named here";
const IF_EXISTS: &str = "IF EXISTS would hide that an object is missing";
const IF_NOT_EXISTS: &str = "IF NOT EXISTS would take over a column that somebody else made";
const ENUM: &str = "values of an enum cannot be removed: use text with a CHECK";
const BACKSLASH: &str = "with standard_conforming_strings off a backslash in a string is an escape: \
                         write [.] for \\., [[:space:]] for \\s";
const UNREADABLE: &str = "a DO block must be PL/pgSQL that can be read here";

pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for statement in &source.statements {
        let mut messages = in_tree(&statement.tree);
        if matches!(statement.node, NodeEnum::CreateEnumStmt(_)) {
            messages.push(ENUM);
        }
        // A DO block is part of the script; the body of a function is not.
        match in_block(statement) {
            Some(inner) => inner.iter().for_each(|inner| messages.extend(in_tree(&inner.tree))),
            None => messages.push(UNREADABLE),
        }
        findings
            .extend(messages.into_iter().map(|message| source.finding(statement.line, message)));
    }
    for (line, text) in &source.strings {
        if text.contains('\\') {
            findings.push(source.finding(*line, BACKSLASH));
        }
    }
    findings
}

/// The forbidden parts of a statement.
fn in_tree(tree: &Value) -> Vec<&'static str> {
    let mut found = Vec::new();
    match tree {
        Value::Object(fields) => {
            let is = |name: &str, value: i32| {
                fields.get(name).and_then(Value::as_i64) == Some(value.into())
            };
            let adds_column = is("subtype", AlterTableType::AtAddColumn as i32);
            if fields.get("missing_ok") == Some(&Value::Bool(true)) {
                found.push(if adds_column { IF_NOT_EXISTS } else { IF_EXISTS });
            }
            if is("behavior", DropBehavior::DropCascade as i32) {
                found.push(CASCADE);
            }
            found.extend(fields.values().flat_map(in_tree));
        }
        Value::Array(values) => found.extend(values.iter().flat_map(in_tree)),
        _ => {}
    }
    found
}

/// The statements of a DO block; none for another statement. `None` if the block cannot be parsed.
fn in_block(statement: &Statement) -> Option<Vec<Statement>> {
    let NodeEnum::DoStmt(block) = &statement.node else { return Some(Vec::new()) };
    let body = block.args.iter().find_map(|argument| match argument.node.as_ref()? {
        NodeEnum::DefElem(option) if option.defname == "as" => word(option.arg.as_ref()?),
        _ => None,
    })?;
    // The parser of blocks accepts only these dollar quotes.
    let text = format!("DO $the_block${body}$the_block$");
    let mut statements = Vec::new();
    for query in executed(&pg_query::parse_plpgsql(&text).ok()?) {
        statements.extend(statements_of(&query).ok()?);
    }
    Some(statements)
}

/// The texts of the SQL statements of a parsed block.
fn executed(block: &Value) -> Vec<String> {
    match block {
        Value::Object(fields) => {
            let own = fields
                .get("PLpgSQL_stmt_execsql")
                .and_then(|statement| statement.pointer("/sqlstmt/PLpgSQL_expr/query"))
                .and_then(Value::as_str);
            own.map(str::to_owned).into_iter().chain(fields.values().flat_map(executed)).collect()
        }
        Value::Array(values) => values.iter().flat_map(executed).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::fixture::{messages, up};

    #[test]
    fn what_no_script_may_say_is_found_in_statements_and_do_blocks() {
        for (text, message) in [
            ("ALTER TABLE s.t ADD COLUMN IF NOT EXISTS a text;", IF_NOT_EXISTS),
            ("DROP TABLE IF EXISTS s.t;", IF_EXISTS),
            ("ALTER TABLE s.t DROP COLUMN IF EXISTS a;", IF_EXISTS),
            ("ALTER TABLE IF EXISTS s.t ADD COLUMN a text;", IF_EXISTS),
            ("ALTER VIEW IF EXISTS s.v RENAME TO w;", IF_EXISTS),
            ("DROP TABLE s.t CASCADE;", CASCADE),
            ("ALTER TABLE s.t DROP COLUMN a CASCADE;", CASCADE),
            ("TRUNCATE s.t CASCADE;", CASCADE),
            ("REVOKE SELECT ON s.t FROM r CASCADE;", CASCADE),
            ("CREATE TYPE s.e AS ENUM ('a');", ENUM),
            ("DO $$ BEGIN DROP TABLE s.t CASCADE; END $$;", CASCADE),
            ("DO $$ BEGIN IF true THEN DROP TABLE IF EXISTS s.t; END IF; END $$;", IF_EXISTS),
            ("DO LANGUAGE plperl 'drop_all()';", UNREADABLE),
            (r"CREATE TABLE s.t (a text CONSTRAINT t_a_check CHECK (a ~ '\.'));", BACKSLASH),
        ] {
            assert_eq!(messages(check(&up(text))), [message], "{text}");
        }
    }

    #[test]
    fn comments_strings_bodies_and_referential_actions_may_say_it() {
        let good = [
            "-- DROP TABLE IF EXISTS s.t CASCADE",
            "COMMENT ON TABLE s.t IS 'CREATE TABLE IF NOT EXISTS … CASCADE';",
            "CREATE FUNCTION s.f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP TABLE IF EXISTS x; END $$;",
            "CREATE TABLE s.t (a uuid CONSTRAINT t_a_fkey REFERENCES s.u ON DELETE CASCADE ON UPDATE CASCADE);",
            r"COMMENT ON TABLE s.t IS E'a\\b';",
            "DO $$ DECLARE a integer := 1; BEGIN PERFORM a; INSERT INTO s.t SELECT 1; END $$;",
        ];
        for text in good {
            assert_eq!(messages(check(&up(text))), [""; 0], "{text}");
        }
    }
}
