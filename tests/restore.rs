//! Dump and restore: a dump of every version, filled, goes into the newest without losing a row.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};
use postgres::Client;
use support::Database;
use support::extension::{differences, filled_to, go_to, newest, versions};
use support::snapshot::{Rows, assert_same_rows, rows};

/// The ways users dump: pg_dump's options, and whether psql or pg_restore reads the result.
const FORMATS: [(&[&str], bool); 3] = [
    (&["--format=plain"], true),
    (&["--format=custom"], false),
    (&["--format=directory", "--jobs=2"], false),
];

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if !output.status.success() || !output.stderr.is_empty() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Dumps a database into a file or folder.
fn dump(from: &Database, options: &[&str], target: &Path) -> Result<()> {
    run(from.command("pg_dump").args(options).arg("--file").arg(target).arg(from.name()))
}

/// Restores a dump into a new database, as one would into a fresh server.
fn restore(target: &Path, plain: bool) -> Result<Database> {
    let database = Database::create("restored")?;
    if plain {
        run(database
            .command("psql")
            .args([
                "-X",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-o",
                "/dev/null",
                "-d",
                database.name(),
                "-f",
            ])
            .arg(target))?;
    } else {
        run(database
            .command("pg_restore")
            .args(["--exit-on-error", "--dbname", database.name()])
            .arg(target))?;
    }
    Ok(database)
}

/// The rows of `of`'s tables in the columns that `of` has, as `client` finds them.
fn rows_in_columns_of(of: &mut Client, client: &mut Client) -> Result<Rows> {
    let columns = of.query(
        "SELECT attrelid::regclass::text, string_agg('t.' || quote_ident(attname), ', ' ORDER BY attnum) \
         FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid \
         WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'r' AND attnum > 0 AND NOT attisdropped \
         GROUP BY attrelid",
        &[],
    )?;
    let mut found = Rows::new();
    for row in columns {
        let (table, list): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let sql = format!("SELECT ROW({list})::text FROM {table} AS t ORDER BY 1");
        let texts = client.query(&sql, &[])?;
        found.insert(table, texts.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?);
    }
    Ok(found)
}

#[test]
fn a_dump_of_every_version_restores_into_the_newest() -> Result<()> {
    for version in versions()? {
        let source = filled_to("source", version)?;
        let mut old = source.client()?;
        let expected = rows_in_columns_of(&mut old, &mut source.client()?)?;
        for (options, plain) in FORMATS {
            let folder = tempfile::tempdir()?;
            let target = folder.path().join("dump");
            dump(&source, options, &target)?;
            let restored = restore(&target, plain)?;
            let mut client = restored.client()?;
            let what = format!("{version} {options:?}");
            assert_same_rows(&what, &expected, &rows_in_columns_of(&mut old, &mut client)?);
            assert_eq!(differences(&mut client)?, [""; 0], "verify() after {what}");
            client.batch_execute(
                "INSERT INTO orchestrator.tasks (title, task_type) VALUES ('after', 'tool')",
            )?;
        }
    }
    Ok(())
}

#[test]
fn the_second_dump_equals_the_first() -> Result<()> {
    let text = |database: &Database| -> Result<String> {
        let output = database.command("pg_dump").arg(database.name()).output()?;
        let dump = String::from_utf8(output.stdout)?;
        Ok(dump
            .lines()
            .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
            .collect::<Vec<_>>()
            .join("\n"))
    };
    let source = filled_to("first", newest()?)?;
    let folder = tempfile::tempdir()?;
    let target = folder.path().join("dump");
    dump(&source, &["--format=custom"], &target)?;
    let restored = restore(&target, false)?;
    assert_eq!(text(&source)?, text(&restored)?);
    Ok(())
}

#[test]
fn a_role_that_may_read_everything_can_dump() -> Result<()> {
    let source = filled_to("reader", newest()?)?;
    let mut client = source.client()?;
    client.batch_execute(
        "DROP ROLE IF EXISTS dump_reader; CREATE ROLE dump_reader LOGIN; GRANT pg_read_all_data TO dump_reader",
    )?;
    let folder = tempfile::tempdir()?;
    let target = folder.path().join("dump");
    run(source
        .command("pg_dump")
        .args(["--username", "dump_reader", "--format=custom", "--file"])
        .arg(&target)
        .arg(source.name()))?;
    let restored = restore(&target, false)?;
    assert_same_rows("as dump_reader", &rows(&mut client)?, &rows(&mut restored.client()?)?);
    client.batch_execute("REVOKE pg_read_all_data FROM dump_reader; DROP ROLE dump_reader")?;
    Ok(())
}

/// The archive is dumped as user data; the extension is created before it, so it comes back by hand.
#[test]
fn an_archive_survives_dump_and_restore() -> Result<()> {
    let source = filled_to("archive", newest()?)?;
    let mut client = source.client()?;
    let expected = rows(&mut client)?;
    go_to(&mut client, "0.0.0".parse()?)?;
    let folder = tempfile::tempdir()?;
    let target = folder.path().join("dump");
    dump(&source, &["--format=custom"], &target)?;
    let restored = restore(&target, false)?;
    let mut client = restored.client()?;
    let left: i64 = client
        .query_one("SELECT sum(left_behind)::bigint FROM orchestrator.restore_archived()", &[])?
        .try_get(0)?;
    assert_eq!(left, 0);
    assert_same_rows("after restore_archived()", &expected, &rows(&mut client)?);
    Ok(())
}
