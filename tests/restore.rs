//! Dump and restore: a dump of every version with rows restores into the newest without losing a row.

#[path = "restore/labels.rs"]
mod labels;
#[path = "restore/publications.rs"]
mod publications;
#[path = "restore/user_columns.rs"]
mod user_columns;

use std::path::Path;

use anyhow::{Context, Result};
use support::Database;
use support::dump::{self, CUSTOM, FORMATS, Format, dump};
use support::extension::{differences, filled_to, go_to, newest, versions, walked_to};
use support::snapshot::{assert_same_rows, rows, rows_in_columns_of};
use xtask::checks::cases;

/// Restores a dump into a new database, as into a new server.
fn restore(target: &Path, format: &Format) -> Result<Database> {
    let database = Database::create("restored")?;
    dump::restore(&database, database.name(), format, target)?;
    Ok(database)
}

#[test]
fn a_dump_of_every_version_restores_into_the_newest() -> Result<()> {
    let all = versions()?;
    for (place, version) in cases::chosen(all.iter().enumerate(), 5) {
        let source = filled_to("source", *version)?;
        let mut old = source.client()?;
        let expected = rows_in_columns_of(&mut old, &mut source.client()?)?;
        let folder = tempfile::tempdir()?;
        let mut statements = None;
        for (at, format) in FORMATS.iter().enumerate() {
            let target = folder.path().join(at.to_string());
            let what = format!("{version} {format:?}");
            dump(&source, source.name(), format, &target)?;
            // The formats hold the same statements in the same order, so each version is restored from one
            // of them, in turn, and the newest from all.
            let own = dump::statements(&source, format, &target)?;
            assert!(*statements.get_or_insert_with(|| own.clone()) == own, "statements of {what}");
            if place % FORMATS.len() != at && place + 1 != all.len() {
                continue;
            }
            let restored = restore(&target, format)?;
            let mut client = restored.client()?;
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
        Ok(dump::without_key(&String::from_utf8(output.stdout)?))
    };
    let source = filled_to("first", newest()?)?;
    let folder = tempfile::tempdir()?;
    let target = folder.path().join("dump");
    dump(&source, source.name(), &CUSTOM, &target)?;
    let restored = restore(&target, &CUSTOM)?;
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
    dump::run(
        source
            .command("pg_dump")
            .args(["--username", "dump_reader", "--format=custom", "--file"])
            .arg(&target)
            .arg(source.name()),
    )?;
    let restored = restore(&target, &CUSTOM)?;
    assert_same_rows("as dump_reader", &rows(&mut client)?, &rows(&mut restored.client()?)?);
    client.batch_execute("REVOKE pg_read_all_data FROM dump_reader; DROP ROLE dump_reader")?;
    Ok(())
}

/// When a script grants or revokes on an object, PostgreSQL counts all its privileges as the
/// extension's own, and pg_dump leaves them out.
#[test]
fn no_script_makes_grants_to_users_the_extensions_own() -> Result<()> {
    const GRANT: &str = "GRANT USAGE ON SCHEMA orchestrator TO dump_user; \
         GRANT SELECT ON ALL TABLES IN SCHEMA orchestrator TO dump_user; \
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA orchestrator TO dump_user; \
         GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA orchestrator TO dump_user";
    const TAKEN: &str = "SELECT coalesce(string_agg(pg_describe_object(i.classoid, i.objoid, i.objsubid), ', '), '') \
         FROM pg_init_privs AS i, aclexplode(i.initprivs) AS a WHERE a.grantee = 'dump_user'::regrole";
    let database = filled_to("granted", versions()?[0])?;
    let mut client = database.client()?;
    client.batch_execute("DROP ROLE IF EXISTS dump_user; CREATE ROLE dump_user LOGIN")?;
    let up = versions()?;
    let down = up.iter().rev().skip(1);
    for version in up.iter().chain(down) {
        if *version != up[0] {
            go_to(&mut client, *version)?;
        }
        let taken: String = client.query_one(TAKEN, &[])?.try_get(0)?;
        assert_eq!(taken, "", "at {version}");
        client.batch_execute(GRANT)?;
    }
    client.batch_execute("DROP OWNED BY dump_user; DROP ROLE dump_user")?;
    Ok(())
}

/// The usual order: grants by hand at an older version, an update, a dump.
#[test]
fn a_role_that_was_granted_rights_by_hand_has_them_after_an_update_and_a_restore() -> Result<()> {
    let newest = newest()?;
    let older = versions()?.into_iter().rev().nth(1).expect("a version below");
    let source = filled_to("by_hand", older)?;
    let mut client = source.client()?;
    client.batch_execute(
        "DROP ROLE IF EXISTS dump_app; CREATE ROLE dump_app LOGIN; \
         GRANT USAGE ON SCHEMA orchestrator TO dump_app; GRANT SELECT ON orchestrator.tasks TO dump_app",
    )?;
    for way in [&[newest][..], &[older, newest]] {
        for version in way {
            go_to(&mut client, *version)?;
        }
        let folder = tempfile::tempdir()?;
        let target = folder.path().join("dump");
        dump(&source, source.name(), &CUSTOM, &target)?;
        let restored = restore(&target, &CUSTOM)?;
        restored
            .client_as("dump_app")?
            .query("SELECT FROM orchestrator.tasks", &[])
            .with_context(|| format!("restored after {way:?}"))?;
        restored.client()?.batch_execute("DROP OWNED BY dump_app")?;
    }
    client.batch_execute("DROP OWNED BY dump_app; DROP ROLE dump_app")?;
    Ok(())
}

/// pg_dump treats the archive as user data and restores it after the extension, so its rows must be
/// restored by `restore_archived()`.
#[test]
fn an_archive_survives_dump_and_restore() -> Result<()> {
    let source = filled_to("archive", newest()?)?;
    let mut client = source.client()?;
    let expected = rows(&mut client)?;
    go_to(&mut client, "0.0.0".parse()?)?;
    let folder = tempfile::tempdir()?;
    let target = folder.path().join("dump");
    dump(&source, source.name(), &CUSTOM, &target)?;
    let archives: i64 =
        client.query_one("SELECT count(*) FROM orchestrator.archived()", &[])?.try_get(0)?;
    let restored = restore(&target, &CUSTOM)?;
    let mut client = restored.client()?;
    let reported = differences(&mut client)?;
    assert_eq!(reported.len() as i64, archives, "one row per archive: {reported:?}");
    assert!(reported.iter().all(|row| row.starts_with("waiting archive orchestrator_archive.")));
    let left: i64 = client
        .query_one("SELECT sum(left_behind)::bigint FROM orchestrator.restore_archived()", &[])?
        .try_get(0)?;
    assert_eq!(left, 0);
    assert_eq!(differences(&mut client)?, [""; 0]);
    assert_same_rows("after restore_archived()", &expected, &rows(&mut client)?);
    Ok(())
}

/// `verify()` reports archives that nobody has tried to restore, and not those whose rows had to stay.
/// A dump keeps the difference in comments; if these are left out, another try restores it.
#[test]
fn rows_that_had_to_stay_in_the_archive_are_not_waiting() -> Result<()> {
    const ROWS: &str = "INSERT INTO orchestrator.tasks (id, title, task_type) \
         SELECT md5(i::text)::uuid, 't' || i, 'x' FROM generate_series(1, 2) AS i; \
         INSERT INTO orchestrator.approvals (task_id, approver_role) SELECT id, 'manager' FROM orchestrator.tasks";
    let source = walked_to("left", newest()?)?;
    let mut client = source.client()?;
    client.batch_execute(ROWS)?;
    go_to(&mut client, "0.2.5".parse()?)?;
    assert_eq!(differences(&mut client)?, [""; 0], "this version cannot hold these rows");
    client.batch_execute("DELETE FROM orchestrator.tasks WHERE title = 't1'")?;
    go_to(&mut client, newest()?)?;
    let kept = "SELECT coalesce(string_agg(object || ' ' || rows, ', ' ORDER BY object), '') FROM orchestrator.archived()";
    let left: String = client.query_one(kept, &[])?.try_get(0)?;
    assert_eq!(
        left,
        "orchestrator.approvals 1, orchestrator.approvals (decided_by) 1, orchestrator.approvals (request_key) 1, \
         orchestrator.tasks (from_role, to_role, data, trace_id, idempotency_key, title) 1, \
         orchestrator.tasks (priority, run_after, max_attempts, result) 1, \
         orchestrator.tasks (thread_id) 1"
    );
    assert_eq!(differences(&mut client)?, [""; 0]);

    let folder = tempfile::tempdir()?;
    let target = folder.path().join("dump");
    dump(&source, source.name(), &CUSTOM, &target)?;
    assert_eq!(differences(&mut restore(&target, &CUSTOM)?.client()?)?, [""; 0]);

    let restored = Database::create("restored")?;
    let mut silent = restored.command("pg_restore");
    dump::run(silent.args(["--no-comments", "--dbname", restored.name()]).arg(&target))?;
    let mut client = restored.client()?;
    let reported = differences(&mut client)?;
    assert_eq!(reported.len(), 6, "{reported:?}");
    assert_eq!(
        reported[0],
        "waiting archive orchestrator_archive.approvals: restored to orchestrator.approvals / \
         archived at an unknown version, not restored since"
    );
    for table in [
        "approvals_columns",
        "approvals_columns_2",
        "tasks_columns",
        "tasks_columns_2",
        "tasks_columns_3",
    ] {
        let start = format!("waiting archive orchestrator_archive.{table}:");
        assert!(reported.iter().any(|line| line.starts_with(&start)), "{table}: {reported:?}");
    }
    client.batch_execute("SELECT FROM orchestrator.restore_archived()")?;
    assert_eq!(differences(&mut client)?, [""; 0]);
    Ok(())
}

/// `dump_safety()` reports an error if pg_dump and a restore lose rows, and only then.
#[test]
fn dump_safety_reports_rows_that_a_dump_loses() -> Result<()> {
    const ROWS: &str = "INSERT INTO orchestrator.tasks (id, title, task_type) \
         SELECT md5(i::text)::uuid, 't' || i, 'x' FROM generate_series(1, 3) AS i; \
         INSERT INTO orchestrator.tool_executions (task_id, tool_name) SELECT id, 'y' FROM orchestrator.tasks; \
         INSERT INTO orchestrator.knowledge_staging (knowledge_type, content) VALUES ('collaboration', 'y')";
    // Each damage, and whether it loses rows.
    let damages = [
        ("ALTER TABLE orchestrator.tasks ADD COLUMN note text", true),
        ("ALTER TABLE orchestrator.knowledge_staging DROP COLUMN content", true),
        ("ALTER TABLE orchestrator.tasks DROP COLUMN metadata", false),
        ("ALTER TABLE orchestrator.tasks ALTER COLUMN description SET DEFAULT 'mine'", false),
        (
            "ALTER TABLE orchestrator.tasks ALTER COLUMN config DROP NOT NULL; \
             UPDATE orchestrator.tasks SET config = NULL WHERE title = 't1'",
            true,
        ),
        (
            "ALTER TABLE orchestrator.tasks DROP CONSTRAINT tasks_status_check; \
             UPDATE orchestrator.tasks SET status = 'mine' WHERE title = 't1'",
            true,
        ),
        (
            "ALTER TABLE orchestrator.tasks DROP CONSTRAINT tasks_title_check; \
             UPDATE orchestrator.tasks SET title = ' ' WHERE title = 't1'; \
             ALTER TABLE orchestrator.tasks ADD CONSTRAINT tasks_title_check \
                CHECK (btrim(title) <> '' OR from_role IS NOT NULL) NOT VALID",
            true,
        ),
        (
            "ALTER TABLE orchestrator.tasks DROP CONSTRAINT tasks_pkey CASCADE; \
             SET session_replication_role = replica; \
             INSERT INTO orchestrator.tasks SELECT * FROM orchestrator.tasks WHERE title = 't1'; \
             RESET session_replication_role",
            true,
        ),
        ("DROP INDEX orchestrator.idx_tasks_status", false),
        ("CREATE INDEX mine ON orchestrator.tasks (error)", false),
        ("CREATE STATISTICS public.mine ON status, task_type FROM orchestrator.tasks", false),
        ("ALTER TABLE orchestrator.tasks ALTER COLUMN title SET STATISTICS 500", false),
        ("ALTER TABLE orchestrator.tasks SET (fillfactor = 70)", false),
        (
            "CREATE TABLE public.mine AS SELECT 1 AS a; \
             ALTER EXTENSION orchestrator_schema ADD TABLE public.mine",
            true,
        ),
    ];
    let count = |client: &mut postgres::Client| -> Result<i64> {
        const COUNT: &str = "SELECT (SELECT count(*) FROM orchestrator.tasks) + (SELECT count(*) FROM orchestrator.tool_executions) + (SELECT count(*) FROM orchestrator.knowledge_staging) \
             + CASE WHEN to_regclass('public.mine') IS NULL THEN 0 ELSE 1 END";
        Ok(client.query_one(COUNT, &[])?.try_get(0)?)
    };
    for (damage, loses) in cases::chosen(damages, 6) {
        let source = walked_to("unsafe", newest()?)?;
        let mut client = source.client()?;
        client.batch_execute(ROWS)?;
        client.batch_execute(damage)?;
        let reported = client
            .query("SELECT object, severity = 'error' FROM orchestrator.dump_safety()", &[])?;
        assert!(!reported.is_empty(), "dump_safety() is silent: {damage}");
        let is_error = reported.iter().any(|row| row.get(1));
        assert_eq!(is_error, loses, "an error row: {damage}");

        let folder = tempfile::tempdir()?;
        let target = folder.path().join("dump");
        dump(&source, source.name(), &dump::PLAIN, &target)?;
        let restored = Database::create("lossy")?;
        // psql goes on after errors, because this test is about the rows that fail.
        restored
            .command("psql")
            .args(["-X", "-q", "-d", restored.name(), "-f"])
            .arg(&target)
            .output()?;
        let (before, after) = (count(&mut client)?, count(&mut restored.client()?)?);
        assert_eq!(after < before, loses, "{before} rows, then {after}: {damage}");
    }
    Ok(())
}
