//! Every table has a comment, and the calls with which pg_dump includes its rows and a downgrade keeps
//! them.

use pg_query::NodeEnum;
use pg_query::protobuf::{ColumnDef, ConstrType, CreateStmt, ObjectType};
use xtask::chain::Script;

use super::functions::commented;
use super::source::{Finding, Source};
use super::tree::{Name, calls, constraints, is_call, words};

/// Types that make a sequence.
const SERIAL: [&str; 6] = ["smallserial", "serial", "bigserial", "serial2", "serial4", "serial8"];

/// A new table is commented, registered for pg_dump with its sequences, restored on the way up and archived on the way down.
pub fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| !source.script.is_down()) {
        for statement in &source.statements {
            let NodeEnum::CreateStmt(table) = &statement.node else { continue };
            let Some(name) = table.relation.as_ref().map(Name::of_relation) else { continue };
            let mut report =
                |message: String| findings.push(source.finding(statement.line, message));
            if commented(source, &[ObjectType::ObjectTable], &name) == 0 {
                report(format!("table {name} needs a COMMENT"));
            }
            for dumped in std::iter::once(name.clone()).chain(owned_sequences(table, &name)) {
                if !has_call(source, "pg_extension_config_dump", &dumped) {
                    report(format!(
                        "pg_dump would lose {dumped}: pg_extension_config_dump('{dumped}', '')"
                    ));
                }
            }
            let Script::Step { from, to } = source.script else { continue };
            if !has_call(source, "restore_table", &name) {
                report(format!("table {name} needs SELECT orchestrator.restore_table('{name}')"));
            }
            let back = Script::Step { from: to, to: from };
            let down = sources.iter().find(|source| source.script == back);
            if !down.is_some_and(|down| has_call(down, "archive_table", &name)) {
                let file = back.file_name();
                report(format!(
                    "table {name} needs SELECT orchestrator.archive_table('{name}') in {file}"
                ));
            }
        }
    }
    findings
}

/// Whether a statement of the script calls the function with that object's name as its first argument.
fn has_call(source: &Source, function: &str, object: &Name) -> bool {
    let object = object.to_string();
    source
        .statements
        .iter()
        .flat_map(|statement| calls(&statement.node))
        .any(|call| is_call(call, function, &object))
}

/// The sequences that identity and serial columns make.
fn owned_sequences(table: &CreateStmt, name: &Name) -> Vec<Name> {
    let makes_sequence = |column: &ColumnDef| {
        let type_name =
            column.type_name.as_ref().map(|name| words(&name.names)).unwrap_or_default();
        type_name.last().is_some_and(|name| SERIAL.contains(&name.as_str()))
            || constraints(&column.constraints)
                .any(|constraint| constraint.contype() == ConstrType::ConstrIdentity)
    };
    let columns = table.table_elts.iter().filter_map(|element| match element.node.as_ref()? {
        NodeEnum::ColumnDef(column) => Some(column),
        _ => None,
    });
    columns
        .filter(|column| makes_sequence(column))
        .map(|column| Name {
            schema: name.schema.clone(),
            object: format!("{}_{}_seq", name.object, column.colname),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::fixture::{messages, script, up};

    const TABLE: &str = "CREATE TABLE s.t (id uuid PRIMARY KEY);
        COMMENT ON TABLE s.t IS 'x';
        SELECT pg_extension_config_dump('s.t', '');
        SELECT orchestrator.restore_table('s.t');";
    const ARCHIVE: &str = "SELECT orchestrator.archive_table('s.t');";

    fn found(up_text: &str, down_text: &str) -> Vec<String> {
        let down = script("orchestrator_schema--0.1.0--0.0.0.sql", down_text);
        messages(check(&[up(up_text), down]))
    }

    #[test]
    fn a_table_with_all_its_companions_is_silent() {
        assert_eq!(found(TABLE, ARCHIVE), [""; 0]);
    }

    #[test]
    fn each_missing_companion_is_found() {
        assert_eq!(
            found("CREATE TABLE s.t ();", ""),
            [
                "table s.t needs a COMMENT",
                "pg_dump would lose s.t: pg_extension_config_dump('s.t', '')",
                "table s.t needs SELECT orchestrator.restore_table('s.t')",
                "table s.t needs SELECT orchestrator.archive_table('s.t') in orchestrator_schema--0.1.0--0.0.0.sql",
            ]
        );
        let wrong = TABLE.replace("restore_table('s.t')", "restore_table('s.other')");
        assert_eq!(found(&wrong, ARCHIVE).len(), 1);
    }

    #[test]
    fn the_sequence_of_a_column_is_dumped_too() {
        for column in ["id bigint GENERATED ALWAYS AS IDENTITY", "id bigserial"] {
            let found = found(&TABLE.replace("id uuid", column), ARCHIVE);
            assert_eq!(
                found,
                ["pg_dump would lose s.t_id_seq: pg_extension_config_dump('s.t_id_seq', '')"]
            );
        }
    }
}
