//! The version matrix: every path through the chain leads to the same schema, and no row is lost.

#[path = "versions/approvals_below.rs"]
mod approvals_below;
#[path = "versions/catalog_reads.rs"]
mod catalog_reads;
#[path = "versions/dependents.rs"]
mod dependents;
#[path = "versions/help.rs"]
mod help;
#[path = "versions/pauses.rs"]
mod pauses;
#[path = "versions/publications.rs"]
mod publications;
#[path = "versions/replaced.rs"]
mod replaced;
#[path = "versions/row_types.rs"]
mod row_types;
#[path = "versions/session_persistence.rs"]
mod session_persistence;

use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use postgres::error::SqlState;
use postgres::{Client, Error};
use support::Database;
use support::deadline::wait_until;
use support::extension::{
    differences, fill, filled_to, go_to, installed, newest, versions, walked_to,
};
use support::snapshot::{assert_same, assert_same_rows, rows, schema};
use support::work::{self, Work};
use xtask::address::quote_identifier;
use xtask::chain::Version;
use xtask::checks::cases;

/// The number of rows in the archive.
fn archived(client: &mut Client) -> Result<i64> {
    Ok(client.query_one("SELECT count(*) FROM orchestrator.archived()", &[])?.try_get(0)?)
}

/// The schema of each version, reached step by step from the base without any row. It is walked once.
fn fresh_schemas() -> Result<Vec<(Version, String)>> {
    static SCHEMAS: Mutex<Vec<(Version, String)>> = Mutex::new(Vec::new());
    let mut known = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
    if known.is_empty() {
        *known = walked_schemas()?;
    }
    Ok(known.clone())
}

fn walked_schemas() -> Result<Vec<(Version, String)>> {
    let database = Database::create("fresh")?;
    let mut client = database.client()?;
    let mut schemas = Vec::new();
    for version in versions()? {
        go_to(&mut client, version)?;
        schemas.push((version, schema(&database)?));
    }
    Ok(schemas)
}

fn version(text: &str) -> Result<Version> {
    text.parse()
}

/// The SQLSTATE, message, detail and hint of a refused statement.
fn refusal(outcome: Result<(), Error>) -> (SqlState, String) {
    let error = outcome.expect_err("the statement is refused");
    let error = error.as_db_error().expect("the server raised the error");
    let detail = error.detail().unwrap_or_default();
    let text = format!("{}\n{detail}\n{}", error.message(), error.hint().unwrap_or_default());
    (error.code().clone(), text)
}

#[test]
fn every_way_without_rows_leads_to_the_same_schema() -> Result<()> {
    let fresh = fresh_schemas()?;
    for (version, expected) in cases::chosen(&fresh, 5) {
        let database = Database::create("direct")?;
        let mut client = database.client()?;
        client
            .batch_execute(&format!("CREATE EXTENSION orchestrator_schema VERSION '{version}'"))?;
        assert_same(&format!("direct install of {version}"), expected, &schema(&database)?);
        assert_eq!(differences(&mut client)?, [""; 0], "verify() at {version}");
    }
    let database = walked_to("down", newest()?)?;
    let mut client = database.client()?;
    for pair in fresh.windows(2).rev() {
        let [(lower, below), (upper, above)] = pair else { continue };
        go_to(&mut client, *lower)?;
        assert_same(&format!("{upper} down to {lower}"), below, &schema(&database)?);
        assert_eq!(differences(&mut client)?, [""; 0], "verify() at {lower}");
        go_to(&mut client, *upper)?;
        assert_same(&format!("{lower} up again to {upper}"), above, &schema(&database)?);
        go_to(&mut client, *lower)?;
    }
    assert_eq!(archived(&mut client)?, 0, "empty tables leave no archive");
    Ok(())
}

/// A database may have a setting with which backslashes in strings are escapes, as in old servers.
#[test]
fn old_string_literals_lead_to_the_same_schema() -> Result<()> {
    const REPORTED: &str = "SELECT concat_ws(E'\\n', orchestrator.fingerprint(), \
            (SELECT string_agg(d::text, E'\\n' ORDER BY d::text) FROM orchestrator.dump_safety() AS d), \
            (SELECT string_agg(d::text, E'\\n' ORDER BY d::text) FROM orchestrator.v7_verify_data() AS d))";
    let (modern, old) = (Database::create("modern")?, Database::create("old_strings")?);
    old.client()?.batch_execute(&format!(
        "ALTER DATABASE {} SET standard_conforming_strings = off",
        quote_identifier(old.name())
    ))?;
    let reported = |database: &Database| -> Result<(String, String, String)> {
        let mut client = database.client()?;
        for version in versions()? {
            go_to(&mut client, version)?;
            assert_eq!(differences(&mut client)?, [""; 0], "verify() at {version}");
        }
        client.batch_execute(
            "SELECT orchestrator.v7_load_plan(); SELECT orchestrator.capture_snapshot('now')",
        )?;
        let reported = client.query_one(REPORTED, &[])?.try_get(0)?;
        let snapshot = client
            .query_one("SELECT s.catalog::text FROM orchestrator.schema_snapshots AS s", &[])?
            .try_get(0)?;
        for version in versions()?.into_iter().rev().chain(versions()?) {
            go_to(&mut client, version)?;
        }
        assert_eq!(differences(&mut client)?, [""; 0], "down and up again");
        Ok((reported, snapshot, schema(database)?))
    };
    let (expected, found) = (reported(&modern)?, reported(&old)?);
    assert_same("reports", &expected.0, &found.0);
    assert_same("the snapshot", &expected.1, &found.1);
    assert_same("the schema", &expected.2, &found.2);
    Ok(())
}

/// No view fails because of a row that its tables accept.
#[test]
fn every_view_can_be_read_over_the_rows_of_every_version() -> Result<()> {
    const VIEWS: &str = "SELECT c.oid::regclass::text FROM pg_class AS c \
         WHERE c.relnamespace = to_regnamespace('orchestrator') AND c.relkind = 'v'";
    let database = Database::create("views")?;
    let mut client = database.client()?;
    for version in versions()? {
        go_to(&mut client, version)?;
        fill(&mut client, version)?;
        for row in client.query(VIEWS, &[])? {
            let view: &str = row.try_get(0)?;
            client
                .query(&format!("SELECT v::text FROM {view} AS v"), &[])
                .with_context(|| format!("{view} at {version}"))?;
        }
    }
    Ok(())
}

#[test]
fn every_step_down_and_up_brings_every_row_back() -> Result<()> {
    let fresh = fresh_schemas()?;
    let database = Database::create("rows")?;
    let mut client = database.client()?;
    let mut below: Option<&(Version, String)> = None;
    for entry @ (version, expected) in &fresh {
        go_to(&mut client, *version)?;
        fill(&mut client, *version)?;
        let filled = rows(&mut client)?;
        if let Some((lower, lower_schema)) = below {
            go_to(&mut client, *lower)?;
            assert_same(&format!("{version} down to {lower}"), lower_schema, &schema(&database)?);
            assert_eq!(differences(&mut client)?, [""; 0], "verify() at {lower}, from {version}");
            go_to(&mut client, *version)?;
            let what = format!("{version} down and up");
            assert_same(&what, expected, &schema(&database)?);
            assert_same_rows(&what, &filled, &rows(&mut client)?);
            assert_eq!(archived(&mut client)?, 0, "{what}: left in the archive");
            assert_eq!(differences(&mut client)?, [""; 0], "verify() at {version}");
        }
        below = Some(entry);
    }
    Ok(())
}

#[test]
fn the_whole_walk_in_one_statement_or_step_by_step_brings_every_row_back() -> Result<()> {
    let chain = versions()?;
    for top in cases::chosen(&chain, 3) {
        let database = filled_to("walk", *top)?;
        let mut client = database.client()?;
        let (expected, filled) = (schema(&database)?, rows(&mut client)?);
        go_to(&mut client, Version::BASE)?;
        assert_eq!(rows(&mut client)?.len(), 0, "the frame has no table");
        go_to(&mut client, *top)?;
        let what = format!("{top} to the base and back");
        assert_same(&what, &expected, &schema(&database)?);
        assert_same_rows(&what, &filled, &rows(&mut client)?);
        assert_eq!(archived(&mut client)?, 0, "{what}: left in the archive");
    }
    let database = filled_to("steps", newest()?)?;
    let mut client = database.client()?;
    let filled = rows(&mut client)?;
    for step in chain.iter().rev().skip(1).chain(chain.iter().skip(1)) {
        go_to(&mut client, *step)?;
    }
    assert_same_rows("step by step", &filled, &rows(&mut client)?);
    Ok(())
}

/// With only the newest install script, the server would reach an old version by walking down.
#[test]
fn the_path_between_versions_is_the_chain() -> Result<()> {
    let database = walked_to("path", newest()?)?;
    let mut client = database.client()?;
    let expected: Vec<String> = versions()?.iter().map(ToString::to_string).collect();
    let path: String = client
        .query_one(
            "SELECT path FROM pg_extension_update_paths('orchestrator_schema') \
             WHERE source = '0.0.0' AND target = $1",
            &[&newest()?.to_string()],
        )?
        .try_get(0)?;
    assert_eq!(path.split("--").collect::<Vec<_>>(), expected);
    Ok(())
}

#[test]
fn a_large_walk_returns_identical_rows_and_valid_foreign_keys() -> Result<()> {
    const HASH: &str = "SELECT concat_ws('/', \
        (SELECT md5(string_agg(t::text, '' ORDER BY t.id)) FROM orchestrator.tasks AS t), \
        (SELECT md5(string_agg(w::text, '' ORDER BY w.id)) FROM orchestrator.workflows AS w), \
        (SELECT md5(string_agg(l::text, '' ORDER BY l.workflow_id, l.task_id)) FROM orchestrator.workflow_tasks AS l))";
    let database = walked_to("large", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(
        "INSERT INTO orchestrator.tasks (title, task_type) SELECT 'task ' || n, 'tool' FROM generate_series(1, 10000) AS n; \
         INSERT INTO orchestrator.workflows (name, definition) SELECT 'flow ' || n, '{}' FROM generate_series(1, 1000) AS n; \
         INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence) \
         SELECT w.id, t.id, t.place % 7 FROM \
             (SELECT id, row_number() OVER (ORDER BY id) AS place FROM orchestrator.tasks) AS t \
             CROSS JOIN (VALUES (0), (500)) AS shift (by) \
             JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM orchestrator.workflows) AS w \
               ON w.place = (t.place + shift.by) % 1000 + 1",
    )?;
    let before: String = client.query_one(HASH, &[])?.try_get(0)?;
    go_to(&mut client, Version::BASE)?;
    go_to(&mut client, newest()?)?;
    let after: String = client.query_one(HASH, &[])?.try_get(0)?;
    assert_eq!(before, after);
    let counts: String = client
        .query_one(
            "SELECT concat_ws(' ', (SELECT count(*) FROM orchestrator.tasks), (SELECT count(*) FROM orchestrator.workflows), \
                    (SELECT count(*) FROM orchestrator.workflow_tasks), \
                    (SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND NOT convalidated))",
            &[],
        )?
        .try_get(0)?;
    assert_eq!(counts, "10000 1000 20000 0");
    Ok(())
}

#[test]
fn drop_extension_leaves_the_archive_and_create_extension_brings_it_back() -> Result<()> {
    let database = filled_to("dropped", newest()?)?;
    let mut client = database.client()?;
    let filled = rows(&mut client)?;
    go_to(&mut client, Version::BASE)?;
    client.batch_execute("DROP EXTENSION orchestrator_schema")?;
    client.batch_execute("CREATE EXTENSION orchestrator_schema")?;
    assert_same_rows("after DROP and CREATE EXTENSION", &filled, &rows(&mut client)?);
    assert_eq!(archived(&mut client)?, 0);
    Ok(())
}

/// A link whose task was deleted while the links were archived stays in the archive, and joins the next
/// one. No deleted row reappears, and no row is lost.
#[test]
fn rows_whose_parent_is_gone_stay_in_the_archive() -> Result<()> {
    const LINKS: &str = "SELECT count(*) FROM orchestrator.workflow_tasks";
    let database = filled_to("orphans", version("0.1.2")?)?;
    let mut client = database.client()?;
    let all: i64 = client.query_one(LINKS, &[])?.try_get(0)?;
    go_to(&mut client, version("0.1.1")?)?;
    client.batch_execute("DELETE FROM orchestrator.tasks WHERE title = 'plain'")?;
    go_to(&mut client, version("0.1.2")?)?;
    let back: i64 = client.query_one(LINKS, &[])?.try_get(0)?;
    let kept: i64 =
        client.query_one("SELECT rows FROM orchestrator.archived()", &[])?.try_get(0)?;
    assert_eq!((back, kept), (all - 2, 2), "two workflows named the deleted task");
    go_to(&mut client, version("0.1.1")?)?;
    let kept: i64 = client
        .query_one("SELECT count(*) FROM orchestrator_archive.workflow_tasks", &[])?
        .try_get(0)?;
    assert_eq!(kept, all, "the rows are appended to the archive that was there");
    Ok(())
}

#[test]
fn refuse_names_tables_and_counts_and_changes_nothing() -> Result<()> {
    let database = filled_to("refuse", newest()?)?;
    let mut client = database.client()?;
    let filled = rows(&mut client)?;
    client.batch_execute("SET orchestrator_schema.downgrade = 'refuse'")?;
    let (code, text) =
        refusal(client.batch_execute("ALTER EXTENSION orchestrator_schema UPDATE TO '0.0.0'"));
    assert_eq!(code, SqlState::OBJECT_IN_USE);
    for (table, rows) in &filled {
        if !rows.is_empty() {
            assert!(text.contains(&format!("{table}: {} row", rows.len())), "{table} in {text}");
        }
    }
    assert_eq!(installed(&mut client)?, Some(newest()?.to_string()));
    assert_same_rows("after the refusal", &filled, &rows(&mut client)?);

    let (code, _) = refusal(client.batch_execute("SET orchestrator_schema.downgrade = 'perhaps'"));
    assert_eq!(code, SqlState::INVALID_PARAMETER_VALUE);
    let mut unloaded = database.client()?;
    unloaded.batch_execute("SET orchestrator_schema.downgrade = 'perhaps'")?;
    let (code, _) =
        refusal(unloaded.batch_execute("ALTER EXTENSION orchestrator_schema UPDATE TO '0.0.0'"));
    assert_eq!(code, SqlState::INVALID_PARAMETER_VALUE, "a value given before the library loads");

    client.batch_execute("DELETE FROM orchestrator.workflow_tasks")?;
    let empty = walked_to("refuse_empty", newest()?)?;
    let mut client = empty.client()?;
    client.batch_execute("SET orchestrator_schema.downgrade = 'refuse'")?;
    go_to(&mut client, Version::BASE).context("without rows there is nothing to refuse")
}

#[test]
fn dependents_of_users_stop_the_downgrade_and_grants_survive_it() -> Result<()> {
    let database = filled_to("users", newest()?)?;
    let mut client = database.client()?;
    let filled = rows(&mut client)?;
    for (make, undo, name) in [
        (
            "CREATE VIEW public.mine AS SELECT id FROM orchestrator.tasks",
            "DROP VIEW public.mine",
            "view mine",
        ),
        (
            "CREATE TABLE public.\"My notes\" (task uuid CONSTRAINT \"to task\" REFERENCES orchestrator.tasks)",
            "DROP TABLE public.\"My notes\"",
            "constraint to task on table \"My notes\"",
        ),
        (
            "CREATE FUNCTION public.titles(orchestrator.tasks) RETURNS text LANGUAGE sql AS 'SELECT $1.title'",
            "DROP FUNCTION public.titles",
            "function titles(orchestrator.tasks)",
        ),
        (
            "CREATE INDEX mine ON orchestrator.tasks (error)",
            "DROP INDEX orchestrator.mine",
            "orchestrator.mine",
        ),
        (
            "CREATE PUBLICATION mine FOR TABLE orchestrator.tasks",
            "DROP PUBLICATION mine",
            "publication mine",
        ),
    ] {
        client.batch_execute(make)?;
        let (code, text) =
            refusal(client.batch_execute("ALTER EXTENSION orchestrator_schema UPDATE TO '0.0.0'"));
        assert_eq!(code, SqlState::DEPENDENT_OBJECTS_STILL_EXIST, "{make}");
        let text = text.replace("public.", "");
        assert!(text.contains(name), "{name} in {text}");
        assert_eq!(installed(&mut client)?, Some(newest()?.to_string()));
        assert_same_rows(make, &filled, &rows(&mut client)?);
        let plan: bool = client
            .query_one(
                "SELECT bool_or(action LIKE 'blocked by%') FROM orchestrator.downgrade_plan('0.0.0')",
                &[],
            )?
            .try_get(0)?;
        assert!(plan, "downgrade_plan shows what blocks: {make}");
        client.batch_execute(undo)?;
    }

    client.batch_execute(
        "DROP ROLE IF EXISTS \"walking reader\"; CREATE ROLE \"walking reader\"; \
         GRANT SELECT ON orchestrator.tasks TO \"walking reader\" WITH GRANT OPTION; \
         GRANT UPDATE (name) ON orchestrator.workflows TO \"walking reader\"; \
         GRANT USAGE ON SEQUENCE orchestrator.file_audit_id_seq TO \"walking reader\"",
    )?;
    go_to(&mut client, Version::BASE)?;
    go_to(&mut client, newest()?)?;
    let kept: bool = client
        .query_one(
            "SELECT has_table_privilege('walking reader', 'orchestrator.tasks', 'SELECT WITH GRANT OPTION') \
                AND has_column_privilege('walking reader', 'orchestrator.workflows', 'name', 'UPDATE') \
                AND has_sequence_privilege('walking reader', 'orchestrator.file_audit_id_seq', 'USAGE') \
                AND NOT has_table_privilege('walking reader', 'orchestrator.tasks', 'INSERT')",
            &[],
        )?
        .try_get(0)?;
    assert!(kept, "grants are given again");
    let dump = database
        .command("pg_dump")
        .args(["--schema-only", "--dbname", database.name()])
        .output()?;
    assert!(
        String::from_utf8_lossy(&dump.stdout)
            .contains("GRANT SELECT ON TABLE orchestrator.tasks TO \"walking reader\""),
        "and a dump still has them"
    );
    client.batch_execute("DROP OWNED BY \"walking reader\"; DROP ROLE \"walking reader\"")?;
    Ok(())
}

#[test]
fn an_interrupted_downgrade_leaves_the_database_as_it_was() -> Result<()> {
    let database = filled_to("cancelled", newest()?)?;
    let mut client = database.client()?;
    let (before, filled) = (schema(&database)?, rows(&mut client)?);
    let mut blocker = database.client()?;
    let mut holding = blocker.transaction()?;
    holding.batch_execute("LOCK TABLE orchestrator.tasks IN ACCESS SHARE MODE")?;

    let mut downgrading = database.client()?;
    let backend: i32 = downgrading.query_one("SELECT pg_backend_pid()", &[])?.try_get(0)?;
    let downgrade = std::thread::spawn(move || {
        downgrading.batch_execute("ALTER EXTENSION orchestrator_schema UPDATE TO '0.0.0'")
    });
    wait_until("the downgrade waits for the lock", || {
        let waits = client.query_one(
            "SELECT coalesce((SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1), false)",
            &[&backend],
        )?;
        Ok(waits.try_get(0)?)
    })?;
    client.execute("SELECT pg_cancel_backend($1)", &[&backend])?;
    let outcome = downgrade.join().expect("the thread ends");
    assert_eq!(refusal(outcome).0, SqlState::QUERY_CANCELED);
    holding.rollback()?;
    assert_eq!(installed(&mut client)?, Some(newest()?.to_string()));
    assert_same("after the cancelled downgrade", &before, &schema(&database)?);
    assert_same_rows("after the cancelled downgrade", &filled, &rows(&mut client)?);
    Ok(())
}

/// Bytes of a table, its size in blocks, and the file that holds it.
const STORED: &str = "SELECT pg_relation_size(oid), pg_relation_size(oid) / current_setting('block_size')::bigint, pg_relation_filenode(oid) \
     FROM pg_class WHERE oid = $1";

/// The work of archiving a table depends neither on its size nor on the number of its rows, and the
/// table keeps its file.
#[test]
fn archiving_reads_and_rewrites_no_row() -> Result<()> {
    let database = walked_to("moved", newest()?)?;
    let mut client = database.client()?;
    let mut archived = |rows: i64| -> Result<(Work, u64, u64)> {
        client.batch_execute(&format!(
            "CREATE TABLE orchestrator.moved (id bigint PRIMARY KEY, note text); \
             ALTER TABLE orchestrator.moved ALTER note SET STORAGE PLAIN; \
             INSERT INTO orchestrator.moved SELECT n, repeat('note', 900) FROM generate_series(1, {rows}) AS n"
        ))?;
        client.batch_execute("VACUUM (ANALYZE) orchestrator.moved")?;
        let id: u32 =
            client.query_one("SELECT 'orchestrator.moved'::regclass::oid", &[])?.try_get(0)?;
        let stored = |client: &mut Client| -> Result<(i64, i64, u32)> {
            let row = client.query_one(STORED, &[&id])?;
            Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
        };
        let before = stored(&mut client)?;
        let work =
            work::of(&mut client, "SELECT orchestrator.archive_table('orchestrator.moved')")?;
        assert_eq!(stored(&mut client)?, before, "it is the same file");
        client.batch_execute("DROP TABLE orchestrator_archive.moved")?;
        Ok((work, before.0.try_into()?, before.1.try_into()?))
    };
    // The first call in a session also fills its caches.
    archived(1)?;
    let (small, ..) = archived(1)?;
    // Many changes by other sessions at once empty them, so the lesser work of two counts.
    let (first, second) = (archived(20_000)?, archived(20_000)?);
    let (large, bytes, blocks) = if first.0.blocks <= second.0.blocks { first } else { second };
    println!("{small:?} for one row, {large:?} for {bytes} bytes in {blocks} blocks");
    assert!(large.blocks < small.blocks + blocks / 10, "{large:?} of {blocks} blocks, {small:?}");
    assert!(large.wal < small.wal + bytes / 10, "{large:?} of {bytes} bytes, {small:?}");
    Ok(())
}
