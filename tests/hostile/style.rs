//! Session settings with which different values look the same. With any settings, sealed rows stay
//! sealed, changes are found, and definitions are compared correctly.

use anyhow::Result;
use postgres::Client;
use postgres::error::SqlState;
use support::extension::{differences, filled_to, newest, versions};
use support::snapshot::{assert_same_rows, rows};

/// A time zone whose clock goes back by five hours, with one name for both offsets. Styles other than
/// ISO print only that name.
const STYLE: &str = "SET timezone = 'XXX5XXX0,M3.2.0,M11.1.0'; SET datestyle = 'SQL, DMY'; \
    SET intervalstyle = 'sql_standard'; SET extra_float_digits = -15; SET bytea_output = 'escape'; \
    SET standard_conforming_strings = off; SET backslash_quote = on; SET escape_string_warning = off; \
    SET quote_all_identifiers = on; SET xmlbinary = 'hex';";

const BEFORE: &str = "2026-11-01 01:00:00+00";
const AFTER: &str = "2026-11-01 06:00:00+00";

/// Types, each with two values that look the same in this style.
const ALIKE: [(&str, &str, &str); 7] = [
    ("timestamptz", BEFORE, AFTER),
    ("timestamptz[]", "{2026-11-01 01:00:00+00}", "{2026-11-01 06:00:00+00}"),
    ("tstzrange", "[2026-11-01 01:00:00+00,)", "[2026-11-01 06:00:00+00,)"),
    ("float4", "1.1", "1.2"),
    ("float8", "1.1", "1.2"),
    ("float8[]", "{1.1}", "{1.2}"),
    ("point", "(1.1,1)", "(1.2,1)"),
];

/// Tables whose resolved rows are sealed.
const SEALED: [&str; 3] = ["gates", "approvals", "human_review_queue"];

fn texts(client: &mut Client, sql: &str) -> Result<Vec<String>> {
    let rows = client.query(sql, &[])?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

fn columns_of(client: &mut Client, table: &str, column_type: &str) -> Result<Vec<String>> {
    texts(
        client,
        &format!(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = 'orchestrator.{table}'::regclass \
             AND atttypid = '{column_type}'::regtype AND attnum > 0 AND NOT attisdropped"
        ),
    )
}

/// Fails unless both values look the same, and a change from one to the other is refused.
fn assert_refused(
    client: &mut Client,
    table: &str,
    column: &str,
    old: &str,
    new: &str,
) -> Result<()> {
    let alike = client.query_one(
        &format!("SELECT bool_and({column}::text = ({new})::text) FROM orchestrator.{table} WHERE {column} = {old}"),
        &[],
    );
    // Points are compared by another operator; all other types have this one.
    if let Ok(row) = alike {
        assert_eq!(row.try_get::<_, Option<bool>>(0)?, Some(true), "{table}.{column} prints alike");
    }
    let refusal =
        client.batch_execute(&format!("UPDATE orchestrator.{table} SET {column} = {new}"));
    let code = refusal.err().and_then(|error| error.code().cloned());
    assert_eq!(code, Some(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE), "{table}.{column}");
    Ok(())
}

#[test]
fn no_style_hides_a_change_of_a_sealed_row() -> Result<()> {
    let database = filled_to("style", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(STYLE)?;
    for table in SEALED {
        let own = columns_of(&mut client, table, "timestamptz")?;
        assert!(own.len() >= 2, "{own:?}");
        client.batch_execute(&format!(
            "SET session_replication_role = replica; DELETE FROM orchestrator.{table} WHERE status = 'pending';"
        ))?;
        for column in &own {
            client
                .batch_execute(&format!("UPDATE orchestrator.{table} SET {column} = '{BEFORE}'"))?;
        }
        for (place, (column_type, old, _)) in ALIKE.iter().enumerate() {
            client.batch_execute(&format!(
                "ALTER TABLE orchestrator.{table} ADD COLUMN added_{place} {column_type} DEFAULT '{old}'"
            ))?;
        }
        client.batch_execute("SET session_replication_role = origin")?;
        let quoted = |value: &str, column_type: &str| format!("'{value}'::{column_type}");
        let (old, new) = (quoted(BEFORE, "timestamptz"), quoted(AFTER, "timestamptz"));
        for column in &own {
            assert_refused(&mut client, table, column, &old, &new)?;
        }
        for (place, (column_type, old, new)) in ALIKE.iter().enumerate() {
            let (old, new) = (quoted(old, column_type), quoted(new, column_type));
            assert_refused(&mut client, table, &format!("added_{place}"), &old, &new)?;
        }
    }
    Ok(())
}

#[test]
fn no_style_hides_a_change_of_an_immutable_column() -> Result<()> {
    let database = filled_to("immutable", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(STYLE)?;
    for (table, column) in [("prompts", "created_at"), ("migration_sign_offs", "signed_at")] {
        client.batch_execute(&format!(
            "SET session_replication_role = replica; UPDATE orchestrator.{table} SET {column} = '{BEFORE}'; \
             SET session_replication_role = origin"
        ))?;
        let (old, new) = (format!("'{BEFORE}'::timestamptz"), format!("'{AFTER}'::timestamptz"));
        assert_refused(&mut client, table, column, &old, &new)?;
    }
    Ok(())
}

/// The same value in other bytes, compressed, or stored outside its row, is not a change.
#[test]
fn the_same_value_stored_otherwise_is_no_change() -> Result<()> {
    let database = filled_to("stored", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(
        "SET session_replication_role = replica; DELETE FROM orchestrator.human_review_queue WHERE status = 'pending'; \
         UPDATE orchestrator.human_review_queue SET reason = repeat('long ', 20000); SET session_replication_role = origin;",
    )?;
    for storage in ["EXTERNAL", "EXTENDED", "MAIN"] {
        client.batch_execute(&format!(
            "ALTER TABLE orchestrator.human_review_queue ALTER COLUMN reason SET STORAGE {storage}; \
             UPDATE orchestrator.human_review_queue SET reason = reason || '';"
        ))?;
        let changed = client.batch_execute(
            "UPDATE orchestrator.human_review_queue SET reason = left(reason, -1) || '.'",
        );
        let code = changed.err().and_then(|error| error.code().cloned());
        assert_eq!(code, Some(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE), "{storage}");
    }
    Ok(())
}

#[test]
fn no_style_hides_a_change_of_an_audited_file() -> Result<()> {
    let database = filled_to("audited", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(STYLE)?;
    client.batch_execute(&format!(
        "UPDATE orchestrator.file_audit_baseline SET created_at = '{BEFORE}'; \
         UPDATE orchestrator.file_audit SET created_at = '{AFTER}'"
    ))?;
    let found = texts(
        &mut client,
        "SELECT actual FROM orchestrator.v7_verify_file_audit() WHERE check_name LIKE '%base values%'",
    )?;
    assert!(found.concat().contains("created_at"), "{found:?}");
    Ok(())
}

/// Snapshots of equal definitions are equal, and those of different ones differ, in every session.
#[test]
fn snapshots_do_not_depend_on_the_style() -> Result<()> {
    let database = filled_to("snapshots", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(
        r"CREATE SCHEMA shop; CREATE TABLE shop.prices (
              at timestamptz DEFAULT '2026-11-01 01:00:00+00', day date DEFAULT '2026-02-01', share float8 DEFAULT 1.1,
              span interval DEFAULT '1 day -1 hour', raw bytea DEFAULT '\x00ff', name text DEFAULT E'a\\b' CHECK (name <> E'\\'));
          SELECT orchestrator.capture_snapshot('plain', ARRAY['shop']);",
    )?;
    client.batch_execute(STYLE)?;
    client.batch_execute("SELECT orchestrator.capture_snapshot('styled', ARRAY['shop'])")?;
    let compare = |after: &str| {
        format!(
            "SELECT object || ': ' || change FROM orchestrator.compare_snapshots('plain', '{after}') ORDER BY 1"
        )
    };
    assert_eq!(texts(&mut client, &compare("styled"))?, [""; 0]);
    let fingerprints = texts(
        &mut client,
        "SELECT DISTINCT fingerprint FROM orchestrator.schema_snapshots WHERE label IN ('plain', 'styled')",
    )?;
    assert_eq!(fingerprints.len(), 1, "{fingerprints:?}");
    client.batch_execute(
        "ALTER TABLE shop.prices ALTER COLUMN share SET DEFAULT 1.2, ALTER COLUMN at SET DEFAULT '2026-11-01 06:00:00+00'; \
         SELECT orchestrator.capture_snapshot('changed', ARRAY['shop'])",
    )?;
    let changed = texts(&mut client, &compare("changed"))?;
    assert_eq!(changed, ["column shop.prices.at: changed", "column shop.prices.share: changed"]);
    Ok(())
}

/// `verify()` finds no difference, and a walk archives and restores all rows.
#[test]
fn a_walk_does_not_depend_on_the_style() -> Result<()> {
    let database = filled_to("walk", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute("UPDATE orchestrator.file_audit SET notes = notes")?;
    let before = rows(&mut client)?;
    client.batch_execute(STYLE)?;
    assert_eq!(differences(&mut client)?, [""; 0]);
    let oldest = versions()?[0];
    for version in [oldest, newest()?] {
        client
            .batch_execute(&format!("ALTER EXTENSION orchestrator_schema UPDATE TO '{version}'"))?;
        assert_eq!(differences(&mut client)?, [""; 0], "{version}");
    }
    client.close()?;
    let mut client = database.client()?;
    assert_same_rows("after a walk in another style", &before, &rows(&mut client)?);
    assert_eq!(differences(&mut client)?, [""; 0]);
    Ok(())
}
