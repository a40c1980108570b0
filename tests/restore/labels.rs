//! The label of an archive is a comment, which the owner of the table may edit. With any comment, every
//! archive is listed and can be restored, because its name contains the same facts.

use anyhow::{Context, Result};
use postgres::Client;
use support::Database;
use support::dump::{self, CUSTOM, dump};
use support::extension::{differences, filled_to, go_to, newest};
use support::roles;
use support::snapshot::{assert_same_rows, rows};

/// Texts that are not a label of `%`, the name of the archive's table.
const DAMAGED: [&str; 40] = [
    "",
    " ",
    "no label",
    "null",
    "1",
    "\"approvals\"",
    "[]",
    "[{}]",
    "{",
    "{}",
    "{\"table\": null}",
    "{\"table\": 1}",
    "{\"table\": \"\"}",
    "{\"table\": \" \"}",
    "{\"table\": \"public.%\"}",
    "{\"table\": \"orchestrator.%\"}",
    "{\"table\": \"gates\"}",
    "{\"table\": \"nothing\"}",
    "{\"table\": \"%\\u0000\"}",
    "{\"table\": \"%\", \"table\": \"%\"}",
    "{\"table\": \"%\", \"columns\": null, \"archived_at\": \"yesterday\"}",
    "{\"table\": \"%\", \"columns\": []}",
    "{\"table\": \"%\", \"columns\": [\"\"]}",
    "{\"table\": \"%\", \"columns\": [null]}",
    "{\"table\": \"%\", \"columns\": [\"nothing\"]}",
    "{\"table\": \"%\", \"columns\": \"title\"}",
    "{\"table\": \"%\", \"columns\": {\"title\": 1}}",
    "{\"table\": \"%\", \"archived_at\": \"\"}",
    "{\"table\": \"%\", \"archived_at\": 7}",
    "{\"table\": \"%\", \"archived_at\": \"infinity\"}",
    "{\"table\": \"%\", \"archived_at\": \"now\"}",
    "{\"table\": \"%\", \"archived_at\": \"2026-13-01T00:00:00.000000Z\"}",
    "{\"table\": \"%\", \"archived_at\": \"2026-02-30T00:00:00.000000Z\"}",
    "{\"table\": \"%\", \"archived_at\": \"0000-01-01T00:00:00.000000Z\"}",
    "{\"table\": \"%\", \"archived_at\": \"2026-01-01T24:61:61.000000Z\"}",
    "{\"table\": \"%\", \"archived_at\": \"2026-01-01T00:00:00.000000+\\u00e9\"}",
    "{\"table\": \"%\", \"from_version\": \"banana\"}",
    "{\"table\": \"%\", \"from_version\": \"\"}",
    "{\"table\": \"%\", \"from_version\": 0.3}",
    "{\"table\": \"%\", \"left_behind\": \"yes\"}",
];

/// The object and rows that are listed for each archive, and the number of archives with a time.
fn listed(client: &mut Client) -> Result<(Vec<String>, i64)> {
    let rows = client.query(
        "SELECT object || ' ' || rows, archived_at IS NOT NULL FROM orchestrator.archived() ORDER BY 1",
        &[],
    )?;
    let dated = rows.iter().filter(|row| row.get(1)).count() as i64;
    Ok((rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?, dated))
}

/// The names of the archives' tables.
fn archives(client: &mut Client) -> Result<Vec<String>> {
    let tables = client.query(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'orchestrator_archive'::regnamespace AND relkind = 'r'",
        &[],
    )?;
    Ok(tables.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

fn put(client: &mut Client, archive: &str, label: &str) -> Result<()> {
    let comment: String = client
        .query_one(
            "SELECT format('COMMENT ON TABLE orchestrator_archive.%I IS %L', $1::text, $2::text)",
            &[&archive, &label],
        )?
        .try_get(0)?;
    Ok(client.batch_execute(&comment)?)
}

#[test]
fn every_archive_is_listed_and_restored_whatever_its_label() -> Result<()> {
    let database = filled_to("labels", newest()?)?;
    let mut client = database.client()?;
    roles::of_every_level(&database)?;
    let filled = rows(&mut client)?;
    go_to(&mut client, "0.2.4".parse()?)?;
    let (expected, dated) = listed(&mut client)?;
    let names = archives(&mut client)?;
    assert_eq!(dated, expected.len() as i64);

    let huge = format!("{{\"table\": \"{}\"}}", "x".repeat(300_000));
    let deep = format!("{{\"table\": \"%\", \"more\": {}1{}}}", "[".repeat(500), "]".repeat(500));
    for label in DAMAGED.iter().copied().chain([huge.as_str(), deep.as_str()]) {
        let shown = &label[..label.len().min(80)];
        for name in &names {
            let table = name.split("_columns").next().unwrap_or(name);
            put(&mut client, name, &label.replace('%', table))?;
        }
        let (found, dated) = listed(&mut client).with_context(|| shown.to_owned())?;
        assert_eq!((found, dated), (expected.clone(), 0), "{shown}");
        client.query("SELECT FROM orchestrator.verify()", &[]).with_context(|| shown.to_owned())?;
        // The next step down, with archives of the same names present, and the walk up.
        let mut trial = client.transaction()?;
        trial
            .batch_execute("ALTER EXTENSION orchestrator_schema UPDATE TO '0.2.3'")
            .with_context(|| shown.to_owned())?;
        trial.rollback()?;
    }
    go_to(&mut client, newest()?)?;
    assert_same_rows("with every label damaged", &filled, &rows(&mut client)?);
    assert_eq!(listed(&mut client)?.0, [""; 0]);
    assert_eq!(differences(&mut client)?, [""; 0]);
    Ok(())
}

/// Labels with single characters changed.
#[test]
fn a_label_that_was_mistyped_anywhere_stops_nothing() -> Result<()> {
    let database = filled_to("mistyped", "0.3.0".parse()?)?;
    let mut client = database.client()?;
    let filled = rows(&mut client)?;
    go_to(&mut client, "0.2.5".parse()?)?;
    let (expected, _) = listed(&mut client)?;
    let comment =
        "SELECT obj_description('orchestrator_archive.tasks_columns'::regclass, 'pg_class')";
    let label: String = client.query_one(comment, &[])?.try_get(0)?;
    let mut state = 16_u32;
    let mut next = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for _ in 0..400 {
        let mut mistyped = label.clone().into_bytes();
        for _ in 0..=next(2) {
            let place = next(mistyped.len());
            match next(3) {
                0 => mistyped[place] = b' ' + next(95) as u8,
                1 => mistyped.insert(place, b' ' + next(95) as u8),
                _ => drop(mistyped.remove(place)),
            }
        }
        let mistyped = String::from_utf8(mistyped)?;
        put(&mut client, "tasks_columns", &mistyped)?;
        let (found, _) = listed(&mut client).with_context(|| mistyped.clone())?;
        assert_eq!(found, expected, "{mistyped}");
    }
    go_to(&mut client, "0.3.0".parse()?)?;
    assert_same_rows("with a mistyped label", &filled, &rows(&mut client)?);
    Ok(())
}

/// Kept levels that no role can have stay in the archive, levels of the owner are dropped, and every
/// other one is granted.
#[test]
fn kept_levels_with_impossible_values_stop_neither_the_upgrade_nor_restore_archived() -> Result<()>
{
    const LEVELS: &str = "SELECT count(*) FROM orchestrator.access() WHERE grantee LIKE $1 || '%'";
    const ODD: &str = "ALTER TABLE orchestrator_archive.access_levels ALTER COLUMN level DROP NOT NULL; \
         INSERT INTO orchestrator_archive.access_levels \
         SELECT o.grantee, o.level, kept_at, o.role, (pg_control_system()).system_identifier, 0 \
         FROM (VALUES ('nobody', 'banana', (SELECT oid FROM pg_roles WHERE rolname LIKE '%\\_nobody' LIMIT 1)), \
                      ('nobody 2', NULL, (SELECT oid FROM pg_roles WHERE rolname LIKE '%\\_nobody' LIMIT 1)), \
                      ('no such role', 'admin', 4294967290), \
                      ('', 'admin', 0), \
                      ('postgres', 'reader', 'postgres'::regrole), \
                      ('pg_database_owner', 'admin', 'pg_database_owner'::regrole)) AS o (grantee, level, role), \
              (VALUES ('infinity'::timestamptz), ('-infinity')) AS k (kept_at)";
    let database = filled_to("odd", newest()?)?;
    let mut client = database.client()?;
    roles::of_every_level(&database)?;
    go_to(&mut client, "0.5.0".parse()?)?;
    client.batch_execute(ODD)?;
    let folder = tempfile::tempdir()?;
    let target = folder.path().join("dump");
    dump(&database, database.name(), &CUSTOM, &target)?;
    let restored = Database::create("restored")?;
    let mut by_hand = restored.client()?;
    by_hand.batch_execute("CREATE EXTENSION orchestrator_schema VERSION '0.5.0'")?;
    dump::restore(&restored, restored.name(), &CUSTOM, &target)?;

    for client in [&mut client, &mut by_hand] {
        go_to(client, newest()?)?;
    }
    by_hand.batch_execute("SELECT FROM orchestrator.restore_archived()")?;
    for client in [&mut client, &mut by_hand] {
        let given: i64 = client.query_one(LEVELS, &[&database.name()])?.try_get(0)?;
        assert_eq!(given, roles::LEVELS.len() as i64);
        let stay: i64 = client
            .query_one(
                "SELECT count(*) FROM orchestrator_archive.access_levels \
                 WHERE level IS NULL OR level = 'banana' OR grantee IN ('no such role', '')",
                &[],
            )?
            .try_get(0)?;
        assert_eq!(stay, 8, "levels that no role can have stay");
        let owns: bool = client
            .query_one(
                "SELECT has_table_privilege('postgres', 'orchestrator.tasks', 'DELETE') AND NOT EXISTS ( \
                     SELECT FROM orchestrator.access() WHERE grantee IN ('postgres', 'pg_database_owner'))",
                &[],
            )?
            .try_get(0)?;
        assert!(owns, "the owner keeps its rights");
        client.batch_execute("SELECT FROM orchestrator.restore_archived()")?;
    }
    Ok(())
}
