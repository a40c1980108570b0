//! Every downgrade and restore of published tables. The server refuses updates and deletes of a table
//! without a replica identity if a publication publishes them.

use anyhow::{Context, Result};
use postgres::Client;
use support::Database;
use support::dump::{self, CUSTOM, dump};
use support::extension::{differences, filled_to, go_to, newest, versions};
use support::roles;
use support::snapshot::{assert_same_rows, rows};
use xtask::chain::Version;
use xtask::checks::cases;

const OF_ALL_TABLES: &str = "CREATE PUBLICATION everything FOR ALL TABLES";
const OF_SCHEMAS: &str = "CREATE SCHEMA IF NOT EXISTS orchestrator_archive; \
     CREATE PUBLICATION ours FOR TABLES IN SCHEMA orchestrator, orchestrator_archive";

/// The tables of both schemas without a primary key.
fn without_key(client: &mut Client) -> Result<Vec<String>> {
    const TABLES: &str = "SELECT c.oid::regclass::text FROM pg_class AS c \
         JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE n.nspname IN ('orchestrator', 'orchestrator_archive') AND c.relkind = 'r' \
           AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary)";
    let tables = client.query(TABLES, &[])?;
    Ok(tables.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

fn archived(client: &mut Client) -> Result<i64> {
    Ok(client.query_one("SELECT count(*) FROM orchestrator.archived()", &[])?.try_get(0)?)
}

#[test]
fn every_table_of_every_version_and_every_archive_has_a_primary_key() -> Result<()> {
    let database = filled_to("keys", newest()?)?;
    let mut client = database.client()?;
    roles::of_every_level(&database)?;
    // Values that are set apart in the upgrade, and a second archive of the same name.
    client.batch_execute("ALTER TABLE orchestrator.gates ADD COLUMN mine int DEFAULT 1")?;
    let mut archives = 0;
    for _ in 0..2 {
        for version in versions()?.iter().rev().skip(1).chain(&versions()?[1..]) {
            go_to(&mut client, *version)?;
            assert_eq!(without_key(&mut client)?, [""; 0], "at {version}");
            archives = archives.max(archived(&mut client)?);
        }
        client.batch_execute(
            "ALTER TABLE orchestrator.gates ADD COLUMN mine int GENERATED ALWAYS AS (1) STORED",
        )?;
    }
    assert!(archives > 20, "{archives} archives were looked at");
    Ok(())
}

/// A replica identity that a user sets on every table that can have it, and a publication.
const WAYS: [(&str, &str); 4] = [
    ("REPLICA IDENTITY DEFAULT", OF_ALL_TABLES),
    ("REPLICA IDENTITY FULL", OF_ALL_TABLES),
    ("REPLICA IDENTITY USING INDEX %2$I", OF_SCHEMAS),
    ("REPLICA IDENTITY NOTHING", "CREATE PUBLICATION new FOR ALL TABLES WITH (publish = 'insert')"),
];

/// The replica identity of every table.
fn identities(client: &mut Client) -> Result<Vec<String>> {
    const IDENTITIES: &str = "SELECT format('%s %s %s', c.oid::regclass, c.relreplident, i.indexrelid::regclass) \
         FROM pg_class AS c LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisreplident \
         WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'r' ORDER BY 1";
    let tables = client.query(IDENTITIES, &[])?;
    Ok(tables.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

#[test]
fn rows_come_back_whatever_publication_and_replica_identity_the_tables_have() -> Result<()> {
    const SET: &str = "SELECT format('ALTER TABLE %1$s ' || $1, c.oid::regclass, p.relname) FROM pg_class AS c \
         JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary JOIN pg_class AS p ON p.oid = i.indexrelid \
         WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'r'";
    for (identity, publication) in cases::chosen(WAYS, 2) {
        let what = format!("{identity}, {publication}");
        let database = filled_to("published", newest()?)?;
        let mut client = database.client()?;
        roles::of_every_level(&database)?;
        for row in client.query(SET, &[&identity])? {
            client.batch_execute(row.try_get(0)?)?;
        }
        client.batch_execute(publication).with_context(|| what.clone())?;
        let (expected, kept) = (rows(&mut client)?, identities(&mut client)?);
        let reported = differences(&mut client)?;
        go_to(&mut client, Version::BASE).with_context(|| what.clone())?;

        let folder = tempfile::tempdir()?;
        let target = folder.path().join("dump");
        dump(&database, database.name(), &CUSTOM, &target)?;
        let restored = Database::create("restored")?;
        dump::restore(&restored, restored.name(), &CUSTOM, &target)?;
        let mut by_hand = restored.client()?;
        let left: i64 = by_hand
            .query_one("SELECT sum(left_behind)::bigint FROM orchestrator.restore_archived()", &[])
            .with_context(|| what.clone())?
            .try_get(0)?;
        assert_eq!(left, 0, "left by restore_archived() after dump and restore: {what}");

        go_to(&mut client, newest()?).with_context(|| what.clone())?;
        for client in [&mut client, &mut by_hand] {
            assert_same_rows(&what, &expected, &rows(client)?);
            assert_eq!(identities(client)?, kept, "{what}");
            assert_eq!((archived(client)?, &differences(client)?), (0, &reported), "{what}");
        }
    }
    Ok(())
}

/// An archive has lost its key or its replica identity. Restored rows are deleted from it one by one,
/// because other rows stay.
#[test]
fn rows_of_an_archive_without_its_key_are_restored_under_a_publication() -> Result<()> {
    const REPORTED: &str =
        "SELECT string_agg(object || ' ' || rows, ', ') FROM orchestrator.archived()";
    for damage in [
        "ALTER TABLE orchestrator_archive.approvals DROP CONSTRAINT approvals_pkey",
        "ALTER TABLE orchestrator_archive.approvals REPLICA IDENTITY NOTHING",
        "ALTER TABLE orchestrator_archive.approvals DROP CONSTRAINT approvals_pkey, \
             ADD PRIMARY KEY (id) DEFERRABLE",
        "ALTER TABLE orchestrator_archive.approvals REPLICA IDENTITY USING INDEX approvals_pkey; \
         ALTER TABLE orchestrator_archive.approvals DROP CONSTRAINT approvals_pkey",
    ] {
        let database = filled_to("keyless", "0.3.0".parse()?)?;
        let mut client = database.client()?;
        client.batch_execute(
            "INSERT INTO orchestrator.tasks (id, title, task_type) \
             VALUES ('0198c5a4-0000-7000-8000-0000000000dd', 'goes', 'tool'); \
             INSERT INTO orchestrator.approvals (task_id, approver_role) \
             VALUES ('0198c5a4-0000-7000-8000-0000000000dd', 'boss')",
        )?;
        let before = rows(&mut client)?["orchestrator.approvals"].clone();
        client.batch_execute(OF_ALL_TABLES)?;
        go_to(&mut client, "0.2.5".parse()?)?;
        client.batch_execute("DELETE FROM orchestrator.tasks WHERE title = 'goes'")?;
        client.batch_execute(damage).with_context(|| damage)?;
        go_to(&mut client, "0.3.0".parse()?).with_context(|| damage)?;
        let after = rows(&mut client)?["orchestrator.approvals"].clone();
        assert_eq!(after.len(), before.len() - 1, "{damage}");
        assert!(after.iter().all(|row| before.contains(row)), "{damage}");
        let reported: String = client.query_one(REPORTED, &[])?.try_get(0)?;
        assert!(reported.contains("orchestrator.approvals 1"), "{reported}: {damage}");
    }
    Ok(())
}
