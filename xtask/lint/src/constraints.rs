//! Constraints are named explicitly, so that a later version and an error message can refer to them.
//! The server names a primary key after its table. Every table has one, because a publication refuses
//! updates and deletes on a table without one.

use pg_query::NodeEnum;
use pg_query::protobuf::{ConstrType, Constraint, Node};

use super::source::{Finding, Source};
use super::tree::{Name, constraints};

pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for statement in &source.statements {
        let mut report = |message: String| findings.push(source.finding(statement.line, message));
        let elements = match &statement.node {
            NodeEnum::CreateStmt(table) => table.table_elts.iter().collect(),
            NodeEnum::AlterTableStmt(table) => table.cmds.iter().filter_map(added).collect(),
            _ => Vec::new(),
        };
        let all: Vec<&Constraint> = elements.into_iter().flat_map(constraints_of).collect();
        if let Some(name) = new_table(&statement.node)
            && !all.iter().any(|constraint| constraint.contype() == ConstrType::ConstrPrimary)
        {
            report(format!("table {name} needs a PRIMARY KEY"));
        }
        for constraint in all.iter().filter(|constraint| constraint.conname.is_empty()) {
            if let Some(what) = must_be_named(constraint.contype()) {
                report(format!("{what} needs a name: CONSTRAINT … {what}"));
            }
        }
    }
    findings
}

/// The table that a statement creates.
fn new_table(statement: &NodeEnum) -> Option<Name> {
    match statement {
        NodeEnum::CreateStmt(table) => table.relation.as_ref().map(Name::of_relation),
        NodeEnum::CreateTableAsStmt(table) => {
            table.into.as_ref()?.rel.as_ref().map(Name::of_relation)
        }
        _ => None,
    }
}

/// The column or constraint that a part of `ALTER TABLE` adds.
fn added(command: &Node) -> Option<&Node> {
    match command.node.as_ref()? {
        NodeEnum::AlterTableCmd(command) => command.def.as_deref(),
        _ => None,
    }
}

fn constraints_of(element: &Node) -> Vec<&Constraint> {
    match element.node.as_ref() {
        Some(NodeEnum::ColumnDef(column)) => constraints(&column.constraints).collect(),
        _ => constraints(std::slice::from_ref(element)).collect(),
    }
}

fn must_be_named(kind: ConstrType) -> Option<&'static str> {
    match kind {
        ConstrType::ConstrCheck => Some("CHECK"),
        ConstrType::ConstrUnique => Some("UNIQUE"),
        ConstrType::ConstrExclusion => Some("EXCLUDE"),
        ConstrType::ConstrForeign => Some("FOREIGN KEY or REFERENCES"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::fixture::{messages, up};

    #[test]
    fn named_constraints_and_primary_keys_are_silent() {
        let text = "CREATE TABLE s.t (
                id uuid PRIMARY KEY,
                a uuid NOT NULL CONSTRAINT t_a_fkey REFERENCES s.u (id) ON DELETE CASCADE,
                b integer DEFAULT 0 CONSTRAINT t_b_check CHECK (b >= 0),
                PRIMARY KEY (a, b),
                CONSTRAINT t_a_b_key UNIQUE (a, b),
                CONSTRAINT t_c_fkey FOREIGN KEY (a) REFERENCES s.u (id)
            );
            ALTER TABLE s.t ADD COLUMN c text, ADD CONSTRAINT t_c_check CHECK (c <> '');
            ALTER TABLE s.t VALIDATE CONSTRAINT t_c_check;";
        assert_eq!(messages(check(&up(text))), Vec::<String>::new());
    }

    #[test]
    fn nameless_constraints_are_found() {
        let bad = [
            "CREATE TABLE s.t (a integer PRIMARY KEY CHECK (a > 0));",
            "CREATE TABLE s.t (a integer PRIMARY KEY, b integer UNIQUE);",
            "CREATE TABLE s.t (a uuid PRIMARY KEY REFERENCES s.u);",
            "CREATE TABLE s.t (a uuid PRIMARY KEY, FOREIGN KEY (a) REFERENCES s.u);",
            "ALTER TABLE s.t ADD UNIQUE (a);",
            "ALTER TABLE s.t ADD COLUMN b text CONSTRAINT t_b_check CHECK (b <> ''), ADD CHECK (a > 0);",
        ];
        for text in bad {
            assert_eq!(check(&up(text)).len(), 1, "{text}");
        }
    }

    #[test]
    fn a_table_without_a_primary_key_is_found() {
        for text in [
            "CREATE TABLE s.t (a integer NOT NULL CONSTRAINT t_a_key UNIQUE);",
            "CREATE TABLE s.t (\"primary key\" text, a integer DEFAULT (1));",
            "CREATE TABLE s.t AS SELECT 1 AS a;",
        ] {
            assert_eq!(messages(check(&up(text))), ["table s.t needs a PRIMARY KEY"], "{text}");
        }
    }
}
