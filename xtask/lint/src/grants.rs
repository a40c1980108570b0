//! A script grants only on objects that it creates. After a grant on an older object PostgreSQL counts
//! all grants of users on it as the extension's, and pg_dump leaves them out.

use pg_query::NodeEnum;
use pg_query::protobuf::{GrantStmt, GrantTargetType, ObjectType};

use super::source::{Finding, Source, Statement};
use super::tree::Name;

pub fn check(source: &Source) -> Vec<Finding> {
    let made: Vec<Name> = source.statements.iter().filter_map(newly_made).collect();
    let is_on_new = |grant: &GrantStmt| {
        grant.targtype() == GrantTargetType::AclTargetObject
            && grant
                .objects
                .iter()
                .all(|object| Name::of_node(object).is_some_and(|name| made.contains(&name)))
    };
    let mut findings = Vec::new();
    for statement in &source.statements {
        let is_right = match &statement.node {
            NodeEnum::GrantStmt(grant) => is_on_new(grant),
            NodeEnum::GrantRoleStmt(_) | NodeEnum::AlterDefaultPrivilegesStmt(_) => false,
            _ => true,
        };
        if !is_right {
            findings.push(source.finding(
                statement.line,
                "pg_dump would lose users' grants: grant and revoke only on what this script creates",
            ));
        }
    }
    findings
}

/// The objects that a statement creates, without replacements.
fn newly_made(statement: &Statement) -> Option<Name> {
    match &statement.node {
        NodeEnum::CreateFunctionStmt(function) if !function.replace => {
            Some(Name::of_words(&function.funcname))
        }
        NodeEnum::DefineStmt(aggregate) if aggregate.kind() == ObjectType::ObjectAggregate => {
            Some(Name::of_words(&aggregate.defnames))
        }
        NodeEnum::ViewStmt(view) if !view.replace => view.view.as_ref().map(Name::of_relation),
        NodeEnum::CreateStmt(table) => table.relation.as_ref().map(Name::of_relation),
        NodeEnum::CreateSeqStmt(sequence) => sequence.sequence.as_ref().map(Name::of_relation),
        NodeEnum::CreateSchemaStmt(schema) => Some(Name::parse(&schema.schemaname)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::fixture::up;

    #[test]
    fn grants_are_made_on_new_objects_alone() {
        let found = |text: &str| check(&up(text)).len();
        let made = "CREATE SCHEMA s; CREATE TABLE s.t (); CREATE VIEW s.v AS SELECT 1;
            CREATE FUNCTION s.f(a text, b text) RETURNS text LANGUAGE sql AS '';
            CREATE AGGREGATE s.a(text) (SFUNC = s.f, STYPE = text);
            CREATE OR REPLACE FUNCTION s.g() RETURNS text LANGUAGE sql AS '';";
        for on_new in [
            "GRANT USAGE ON SCHEMA s TO r;",
            "GRANT SELECT (a, b), INSERT ON s.t, s.v TO r;",
            "REVOKE ALL ON FUNCTION s.f(text, text) FROM PUBLIC;",
            "REVOKE ALL ON FUNCTION s.a(text) FROM PUBLIC;",
        ] {
            assert_eq!(found(&format!("{made}{on_new}")), 0, "{on_new}");
            assert_eq!(found(on_new), 1, "{on_new}");
        }
        for on_old in [
            "REVOKE ALL ON FUNCTION s.g() FROM PUBLIC;",
            "GRANT EXECUTE ON FUNCTION s.f(text, text), s.h() TO r;",
            "GRANT SELECT ON ALL TABLES IN SCHEMA s TO r;",
            "GRANT r TO t;",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO r;",
        ] {
            assert_eq!(found(&format!("{made}{on_old}")), 1, "{on_old}");
        }
    }
}
