//! A published table without a replica identity cannot be updated. A step that has to update it stops
//! before any change, and names the table and the statement that helps; no other step stops.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use postgres::Client;
use postgres::error::SqlState;
use support::extension::{differences, filled_to, go_to, newest, versions};
use support::snapshot::{assert_same_rows, rows};
use xtask::chain::Version;
use xtask::checks::cases;

use super::refusal;

/// The tables of schema orchestrator.
fn tables(client: &mut Client) -> Result<Vec<String>> {
    const TABLES: &str = "SELECT oid::regclass::text FROM pg_class \
         WHERE relnamespace = 'orchestrator'::regnamespace AND relkind = 'r' ORDER BY 1";
    Ok(client.query(TABLES, &[])?.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// Fails if anything differs from the version except the replica identities that the test chose.
fn assert_intact(client: &mut Client, what: &str) -> Result<()> {
    let mut found = differences(client)?;
    found.retain(|difference| !difference.contains("REPLICA IDENTITY"));
    assert_eq!(found, [""; 0], "{what}");
    Ok(())
}

/// The statements of a hint, from its first keyword on.
fn statements(text: &str) -> Result<&str> {
    let at = text.rfind("ALTER ").map(|last| {
        let hint = text[..last].rfind('\n').unwrap_or(0);
        hint + text[hint..].find("ALTER ").unwrap_or(0)
    });
    Ok(&text[at.context(text.to_owned())?..])
}

/// Goes to a version. If it is refused, follows the hint and tries again. Returns the tables that were
/// named.
fn go_by_the_hint(client: &mut Client, version: Version) -> Result<Vec<String>> {
    let step = format!("ALTER EXTENSION orchestrator_schema UPDATE TO '{version}'");
    let outcome = client.batch_execute(&step);
    if outcome.is_ok() {
        return Ok(Vec::new());
    }
    let (code, text) = refusal(outcome);
    assert_eq!(code, SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, "to {version}: {text}");
    assert!(text.contains("because rows of"), "to {version}: {text}");
    let statements = statements(&text)?;
    client.batch_execute(statements).with_context(|| statements.to_owned())?;
    let named: Vec<_> =
        tables(client)?.into_iter().filter(|table| statements.contains(table.as_str())).collect();
    go_to(client, version)?;
    Ok(named)
}

/// The steps that update rows of tables, and these tables.
const UPDATING: [(&str, &str); 6] = [
    ("0.2.5 -> 0.3.0", "orchestrator.sessions"),
    ("0.3.0 -> 0.2.5", "orchestrator.sessions orchestrator.tasks"),
    ("0.6.0 -> 0.7.0", "orchestrator.orchestrator_runs"),
    ("0.8.0 -> 0.7.3", "orchestrator.approvals orchestrator.gates orchestrator.human_review_queue"),
    ("0.9.0 -> 0.8.1", "orchestrator.llm_pricing"),
    ("0.9.1 -> 0.9.0", "orchestrator.decision_rules orchestrator.gates"),
];

/// With few cases, few of the steps that update nothing.
#[test]
fn a_step_stops_over_published_tables_that_it_cannot_update_and_over_no_others() -> Result<()> {
    let versions = versions()?;
    let (updating, others): (Vec<_>, Vec<_>) = versions.windows(2).partition(|pair| {
        let ways = [format!("{} -> {}", pair[0], pair[1]), format!("{} -> {}", pair[1], pair[0])];
        UPDATING.iter().any(|(step, _)| ways.iter().any(|way| way == step))
    });
    let mut refused = BTreeMap::new();
    for pair in updating.into_iter().chain(cases::chosen(others, 6)) {
        let [below, above] = pair else { continue };
        let database = filled_to("published", *above)?;
        let mut client = database.client()?;
        let filled = rows(&mut client)?;
        client.batch_execute("CREATE PUBLICATION mine FOR ALL TABLES")?;
        for (from, to) in [(above, below), (below, above)] {
            for table in tables(&mut client)? {
                client.batch_execute(&format!("ALTER TABLE {table} REPLICA IDENTITY NOTHING"))?;
            }
            let named = go_by_the_hint(&mut client, *to)?;
            if !named.is_empty() {
                refused.insert(format!("{from} -> {to}"), named.join(" "));
            }
        }
        assert_same_rows(&format!("{above}, down and up"), &filled, &rows(&mut client)?);
        assert_intact(&mut client, &format!("{above}, down and up"))?;
    }
    let expected = UPDATING.map(|(step, tables)| (step.to_owned(), tables.to_owned()));
    assert_eq!(refused, BTreeMap::from(expected));
    Ok(())
}

/// Every state of a published table that prevents updates: the statement that causes it, and the
/// statement of the hint.
const UNIDENTIFIED: [(&str, &str); 6] = [
    (
        "CREATE PUBLICATION mine FOR ALL TABLES; ALTER TABLE orchestrator.tasks REPLICA IDENTITY NOTHING",
        "ALTER TABLE orchestrator.tasks REPLICA IDENTITY DEFAULT;",
    ),
    (
        "CREATE PUBLICATION mine FOR TABLES IN SCHEMA orchestrator; \
         CREATE UNIQUE INDEX mine ON orchestrator.tasks (id); \
         ALTER TABLE orchestrator.tasks REPLICA IDENTITY USING INDEX mine; DROP INDEX orchestrator.mine",
        "ALTER TABLE orchestrator.tasks REPLICA IDENTITY DEFAULT;",
    ),
    (
        "CREATE PUBLICATION mine FOR TABLE orchestrator.sessions; \
         ALTER TABLE orchestrator.sessions DROP CONSTRAINT sessions_pkey CASCADE",
        "ALTER TABLE orchestrator.sessions REPLICA IDENTITY FULL;",
    ),
    (
        "CREATE PUBLICATION mine FOR TABLE orchestrator.tasks (title)",
        "ALTER PUBLICATION mine DROP TABLE orchestrator.tasks;",
    ),
    (
        "CREATE PUBLICATION mine FOR TABLE orchestrator.tasks WHERE (status = 'failed')",
        "ALTER PUBLICATION mine DROP TABLE orchestrator.tasks;",
    ),
    (
        "CREATE PUBLICATION mine FOR TABLE orchestrator.tasks (id, title); \
         ALTER TABLE orchestrator.tasks REPLICA IDENTITY FULL",
        "ALTER PUBLICATION mine DROP TABLE orchestrator.tasks;",
    ),
];

#[test]
fn every_lack_of_an_identity_is_named_with_the_statement_that_helps() -> Result<()> {
    for (make, helps) in UNIDENTIFIED {
        let database = filled_to("unidentified", "0.3.0".parse()?)?;
        let mut client = database.client()?;
        client.batch_execute(make).with_context(|| make.to_owned())?;
        let before = rows(&mut client)?;
        let step = "ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.5'";
        let (code, text) = refusal(client.batch_execute(step));
        assert_eq!(code, SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, "{make}: {text}");
        assert!(
            text.starts_with("cannot downgrade from 0.3.0 to 0.2.5 because rows of "),
            "{text}"
        );
        assert!(text.contains(helps), "{make}: {text}");
        assert_eq!(rows(&mut client)?, before, "{make}");
        if make.contains("_pkey") {
            // Without the key, the step cannot keep the values of the table's columns.
            continue;
        }
        client.batch_execute(helps)?;
        go_to(&mut client, "0.2.5".parse()?)?;
        go_to(&mut client, newest()?)?;
        assert_intact(&mut client, make)?;
    }
    Ok(())
}

/// A publication that does not publish updates stops no step.
#[test]
fn a_table_whose_updates_nobody_publishes_needs_no_identity() -> Result<()> {
    let database = filled_to("inserts", "0.3.0".parse()?)?;
    let mut client = database.client()?;
    let filled = rows(&mut client)?;
    client.batch_execute(
        "CREATE PUBLICATION mine FOR TABLE orchestrator.tasks, orchestrator.sessions WITH (publish = 'insert'); \
         ALTER TABLE orchestrator.tasks REPLICA IDENTITY NOTHING",
    )?;
    go_to(&mut client, "0.2.5".parse()?)?;
    go_to(&mut client, "0.3.0".parse()?)?;
    assert_same_rows("down and up", &filled, &rows(&mut client)?);
    Ok(())
}
