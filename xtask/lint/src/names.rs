//! Names include their schema, so that nothing depends on a search path. pgspot accepts a name without
//! schema once the path is pinned (PS017), but the server would then use `pg_catalog`.

use pg_query::NodeEnum;
use pg_query::protobuf::{Node, ObjectType};
use serde_json::Value;

use super::source::{Finding, Source, Statement};
use super::tree::words;

/// Objects that are named after their table.
const ON_TABLES: [ObjectType; 5] = [
    ObjectType::ObjectColumn,
    ObjectType::ObjectTabconstraint,
    ObjectType::ObjectTrigger,
    ObjectType::ObjectRule,
    ObjectType::ObjectPolicy,
];

/// A query looks its names up once, when the script runs: with the path that the script has pinned.
const QUERY: &str = "SelectStmt";

pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for statement in &source.statements {
        for name in bare_relations(statement).into_iter().chain(bare_names(&statement.node)) {
            let message = format!("{name} must be named with its schema");
            findings.push(source.finding(statement.line, message));
        }
    }
    findings
}

/// Tables, views, sequences and indexes without a schema, wherever the statement names them outside a query.
fn bare_relations(statement: &Statement) -> Vec<String> {
    let mut common = Vec::new();
    for_each_node(&statement.tree, &mut |fields| {
        common.extend(fields.get("ctename").and_then(Value::as_str).map(str::to_owned));
    });
    let mut bare = Vec::new();
    for_each_node(&statement.tree, &mut |fields| {
        let text = |field: &str| fields.get(field).and_then(Value::as_str);
        if let (Some(""), Some(relation)) = (text("schemaname"), text("relname"))
            && !common.iter().any(|name| name == relation)
        {
            bare.push(relation.to_owned());
        }
    });
    bare
}

/// Shows every node outside a query.
fn for_each_node(tree: &Value, look: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    match tree {
        Value::Object(fields) => {
            look(fields);
            let others = fields.iter().filter(|(field, _)| *field != QUERY);
            others.for_each(|(_, value)| for_each_node(value, look));
        }
        Value::Array(values) => values.iter().for_each(|value| for_each_node(value, look)),
        _ => {}
    }
}

/// Functions, types, and what `DROP` and `COMMENT` name, without a schema.
fn bare_names(statement: &NodeEnum) -> Vec<String> {
    let bare = |names: &[Node]| if_shorter(words(names), 2);
    match statement {
        NodeEnum::CreateFunctionStmt(function) => bare(&function.funcname),
        NodeEnum::CreateTrigStmt(trigger) => bare(&trigger.funcname),
        NodeEnum::AlterFunctionStmt(function) => {
            function.func.iter().flat_map(|function| bare(&function.objname)).collect()
        }
        NodeEnum::DefineStmt(definition) => bare(&definition.defnames),
        NodeEnum::CreateDomainStmt(domain) => bare(&domain.domainname),
        NodeEnum::CreateEnumStmt(values) => bare(&values.type_name),
        NodeEnum::CommentStmt(comment) => comment
            .object
            .iter()
            .flat_map(|object| bare_object(object, comment.objtype()))
            .collect(),
        NodeEnum::DropStmt(drop) => {
            drop.objects.iter().flat_map(|object| bare_object(object, drop.remove_type())).collect()
        }
        NodeEnum::GrantStmt(grant) => {
            grant.objects.iter().flat_map(|object| bare_object(object, grant.objtype())).collect()
        }
        _ => Vec::new(),
    }
}

fn bare_object(object: &Node, kind: ObjectType) -> Vec<String> {
    match object.node.as_ref() {
        Some(NodeEnum::List(list)) => {
            if_shorter(words(&list.items), if ON_TABLES.contains(&kind) { 3 } else { 2 })
        }
        Some(NodeEnum::ObjectWithArgs(function)) => if_shorter(words(&function.objname), 2),
        Some(NodeEnum::TypeName(name)) => if_shorter(words(&name.names), 2),
        // A schema, or a relation, which is found as such.
        _ => Vec::new(),
    }
}

fn if_shorter(names: Vec<String>, length: usize) -> Vec<String> {
    if names.len() < length { vec![names.join(".")] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::fixture::{messages, up};

    #[test]
    fn qualified_names_are_silent() {
        let text = "CREATE TABLE s.t (a uuid CONSTRAINT t_a_fkey REFERENCES s.u (id));
            CREATE UNIQUE INDEX t_a_key ON s.t (a);
            CREATE VIEW s.v AS SELECT count(*) FROM pg_class;
            WITH w AS (SELECT 1 AS a) UPDATE s.t SET a = w.a FROM w;
            CREATE OR REPLACE FUNCTION s.f() RETURNS text LANGUAGE sql AS '';
            CREATE TRIGGER t_b BEFORE UPDATE ON s.t FOR EACH ROW EXECUTE FUNCTION s.f();
            COMMENT ON TABLE s.t IS 'x';
            COMMENT ON COLUMN s.t.a IS 'x';
            COMMENT ON SCHEMA s IS 'x';
            CREATE SCHEMA s;
            DROP TRIGGER t_b ON s.t;
            GRANT USAGE ON SCHEMA s TO r;
            REVOKE ALL ON FUNCTION s.f() FROM PUBLIC;
            ALTER TABLE s.t ADD COLUMN b text;";
        assert_eq!(messages(check(&up(text))), [""; 0]);
    }

    #[test]
    fn each_bare_name_is_found() {
        for (text, name) in [
            ("CREATE TABLE t ();", "t"),
            ("CREATE UNLOGGED TABLE t ();", "t"),
            ("CREATE INDEX i ON t (a);", "t"),
            ("CREATE UNIQUE INDEX i ON ONLY t (a);", "t"),
            ("CREATE MATERIALIZED VIEW v AS SELECT 1;", "v"),
            ("CREATE SEQUENCE q;", "q"),
            ("CREATE DOMAIN d AS text;", "d"),
            ("CREATE TYPE e AS ENUM ('a');", "e"),
            ("CREATE TYPE c AS (a integer);", "c"),
            ("CREATE AGGREGATE a (integer) (sfunc = s.f, stype = integer);", "a"),
            ("CREATE FUNCTION f() RETURNS text LANGUAGE sql AS '';", "f"),
            ("CREATE TABLE s.t (a uuid REFERENCES u);", "u"),
            ("CREATE TRIGGER b BEFORE UPDATE ON s.t FOR EACH ROW EXECUTE FUNCTION f();", "f"),
            ("CREATE TRIGGER b BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION s.f();", "t"),
            ("COMMENT ON VIEW v IS 'x';", "v"),
            ("COMMENT ON COLUMN t.a IS 'x';", "t.a"),
            ("COMMENT ON FUNCTION f() IS 'x';", "f"),
            ("DROP FUNCTION f();", "f"),
            ("DROP TABLE t;", "t"),
            ("DROP TYPE c;", "c"),
            ("DROP TRIGGER b ON t;", "t.b"),
            ("ALTER TABLE ONLY t ADD COLUMN b text;", "t"),
            ("ALTER FUNCTION f() STRICT;", "f"),
            ("REVOKE ALL ON FUNCTION f() FROM PUBLIC;", "f"),
            ("GRANT SELECT ON t TO r;", "t"),
            ("INSERT INTO t VALUES (1);", "t"),
            ("TRUNCATE t;", "t"),
        ] {
            let message = format!("{name} must be named with its schema");
            assert_eq!(messages(check(&up(text))), [message], "{text}");
        }
    }
}
