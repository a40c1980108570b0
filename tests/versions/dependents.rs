//! Objects of users that depend on a table, a column or an archive of ours. A step that would remove
//! one stops before any change, and names the object. The hint destroys nothing: after it was followed,
//! the step succeeds and keeps every row.

use anyhow::{Context, Result};
use postgres::Client;
use postgres::error::SqlState;
use support::Database;
use support::dump::{self, CUSTOM, dump};
use support::extension::{differences, filled_to, go_to, installed};
use support::snapshot::{Rows, assert_same_rows, rows};

use super::refusal;

/// A statement with which a user builds on the relation `%`, the name of the object in the message, and
/// the statement that removes it; empty if the hint contains that statement.
type Built = (&'static str, &'static str, &'static str);

/// Objects on a table, whether it is live or an archive.
const ON_A_TABLE: [Built; 27] = [
    ("CREATE VIEW public.v AS SELECT id FROM %", "view public.v", "DROP VIEW public.v"),
    ("CREATE VIEW public.v AS SELECT f FROM % AS f", "view public.v", "DROP VIEW public.v"),
    (
        "CREATE VIEW public.v AS SELECT id, notes FROM % GROUP BY id",
        "view public.v",
        "DROP VIEW public.v",
    ),
    ("CREATE VIEW public.v AS SELECT '%'::regclass", "view public.v", "DROP VIEW public.v"),
    (
        "CREATE VIEW public.v AS SELECT last_value FROM %_id_seq",
        "view public.v",
        "DROP VIEW public.v",
    ),
    (
        "CREATE MATERIALIZED VIEW public.v AS SELECT count(*) FROM %",
        "materialized view public.v",
        "DROP MATERIALIZED VIEW public.v",
    ),
    (
        "CREATE TABLE public.t (id int PRIMARY KEY DEFAULT nextval('%_id_seq'), note text); \
         INSERT INTO public.t (note) VALUES ('the only copy')",
        "default value for column id of table public.t",
        "",
    ),
    (
        "CREATE TABLE public.t (file int CONSTRAINT to_file REFERENCES % ON DELETE CASCADE); \
         INSERT INTO public.t SELECT min(id) FROM %",
        "constraint to_file on table public.t",
        "",
    ),
    (
        "CREATE TABLE public.t (file text CONSTRAINT to_file REFERENCES % (file_path))",
        "constraint to_file on table public.t",
        "",
    ),
    (
        "CREATE TABLE public.t () INHERITS (%); \
         INSERT INTO public.t (id, file_number, file_path, file_name, layer_number, layer_name, status) \
         VALUES (1, '7777', 'mine', 'mine', 1, 'mine', 'NOVEL')",
        "table public.t, which inherits from",
        "",
    ),
    (
        "CREATE TABLE public.p (notes text); ALTER TABLE % INHERIT public.p",
        "table public.p, from which",
        "",
    ),
    (
        "CREATE TABLE public.t (f %); INSERT INTO public.t SELECT f FROM % AS f",
        "column f of table public.t",
        "",
    ),
    (
        "CREATE TABLE public.t (f %[]); INSERT INTO public.t SELECT array_agg(f) FROM % AS f",
        "column f of table public.t",
        "",
    ),
    (
        "CREATE DOMAIN public.d AS % CHECK ((VALUE).status <> '')",
        "type public.d",
        "DROP DOMAIN public.d",
    ),
    ("CREATE TYPE public.c AS (f %)", "column f of composite type public.c", "DROP TYPE public.c"),
    ("CREATE TYPE public.r AS RANGE (subtype = %)", "type public.r", "DROP TYPE public.r"),
    (
        "CREATE FUNCTION public.f(%) RETURNS text LANGUAGE sql AS 'SELECT $1.status'",
        "function public.f(",
        "DROP FUNCTION public.f",
    ),
    (
        "CREATE FUNCTION public.f() RETURNS SETOF % LANGUAGE plpgsql AS 'BEGIN RETURN; END'",
        "function public.f()",
        "DROP FUNCTION public.f",
    ),
    (
        "CREATE FUNCTION public.f() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM %; END",
        "function public.f()",
        "DROP FUNCTION public.f",
    ),
    (
        "CREATE FUNCTION public.f() RETURNS bigint BEGIN ATOMIC SELECT nextval('%_id_seq'); END",
        "function public.f()",
        "DROP FUNCTION public.f",
    ),
    (
        "CREATE TABLE public.t (id int); ALTER TABLE public.t ENABLE ROW LEVEL SECURITY; \
         CREATE POLICY mine ON public.t USING (id IN (SELECT id FROM %))",
        "policy mine on table public.t",
        "DROP POLICY mine ON public.t",
    ),
    (
        "CREATE TABLE public.t (id int); CREATE RULE mine AS ON DELETE TO public.t DO ALSO DELETE FROM %",
        "rule mine on table public.t",
        "DROP RULE mine ON public.t",
    ),
    (
        "CREATE FUNCTION public.f(%) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'; \
         CREATE TABLE public.t (f %, CONSTRAINT mine CHECK (public.f(f)))",
        "column f of table public.t",
        "DROP TABLE public.t; DROP FUNCTION public.f",
    ),
    ("CREATE SEQUENCE %_s OWNED BY %.id; SELECT nextval('%_s')", "file_audit_s", ""),
    ("CREATE PUBLICATION mine FOR TABLE %", "publication mine", ""),
    ("CREATE PUBLICATION mine FOR TABLE % (id, status) WHERE (id > 0)", "publication mine", ""),
    (
        "CREATE SUBSCRIPTION mine CONNECTION 'dbname=nowhere' PUBLICATION other WITH (connect = false); \
         INSERT INTO pg_subscription_rel SELECT oid, '%'::regclass, 'r' FROM pg_subscription WHERE subname = 'mine'",
        "subscription mine",
        "ALTER SUBSCRIPTION mine SET (slot_name = NONE); DROP SUBSCRIPTION mine",
    ),
];

/// Objects on a column of a table that stays.
const ON_A_COLUMN: [Built; 5] = [
    ("CREATE VIEW public.v AS SELECT v7_test_status FROM %", "view public.v", "DROP VIEW public.v"),
    ("CREATE TABLE public.t () INHERITS (%)", "table public.t, which inherits from", ""),
    (
        "CREATE TYPE public.c AS (f %[]); CREATE DOMAIN public.d AS public.c; CREATE TABLE public.t (a int, f public.d[]); \
         INSERT INTO public.t SELECT 1, ARRAY[ROW(array_agg(f))::public.d] FROM % AS f",
        "column f of table public.t",
        "",
    ),
    ("CREATE SEQUENCE %_s OWNED BY %.v7_impact_score", "sequence orchestrator.file_audit_s", ""),
    (
        "CREATE TABLE public.p (v7_target_name text); ALTER TABLE % INHERIT public.p",
        "table public.p, from which",
        "",
    ),
];

/// Rows of users' own tables, which no step and no hint may lose.
fn users_rows(client: &mut Client) -> Result<Vec<String>> {
    const TABLES: &str = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    let mut found = Vec::new();
    for table in client.query(TABLES, &[])? {
        let table: String = table.try_get(0)?;
        let rows = client.query_one(&format!("SELECT count(*) FROM ONLY {table}"), &[])?;
        found.push(format!("{table} {}", rows.try_get::<_, i64>(0)?));
    }
    Ok(found)
}

/// Tries the step, asserts that the error names the dependent and that nothing has changed, and removes
/// the dependent by following the hint.
fn refused_by_name(
    client: &mut Client,
    (make, name, undo): Built,
    relation: &str,
    target: &str,
) -> Result<()> {
    let make = make.replace('%', relation);
    client.batch_execute(&make).with_context(|| make.clone())?;
    let before = (installed(client)?, kept_rows(client)?, users_rows(client)?);
    let step = format!("ALTER EXTENSION orchestrator_schema UPDATE TO '{target}'");
    let (code, text) = refusal(client.batch_execute(&step));
    assert_eq!(code, SqlState::DEPENDENT_OBJECTS_STILL_EXIST, "{make}: {text}");
    assert!(text.contains(name), "{make}: {name} in {text}");
    assert!(!text.contains("CASCADE"), "{make}: {text}");
    assert_eq!((installed(client)?, kept_rows(client)?, users_rows(client)?), before, "{make}");
    if !undo.is_empty() {
        client.batch_execute(undo).with_context(|| format!("{make}: {undo}"))?;
        return Ok(());
    }
    let (_, undo) = text
        .rsplit_once("These statements remove the dependencies without loss of rows: ")
        .context("a statement in the hint")?;
    client.batch_execute(undo).with_context(|| format!("{make}: {undo}"))?;
    assert_eq!(users_rows(client)?, before.2, "{make}: {undo}");
    Ok(())
}

/// The rows of both schemas.
fn kept_rows(client: &mut Client) -> Result<Rows> {
    const ARCHIVES: &str = "SELECT c.oid::regclass::text FROM pg_class AS c \
         WHERE c.relnamespace = to_regnamespace('orchestrator_archive') AND c.relkind = 'r'";
    let mut found = rows(client)?;
    for archive in client.query(ARCHIVES, &[])? {
        let archive: String = archive.try_get(0)?;
        let texts =
            client.query(&format!("SELECT a::text FROM ONLY {archive} AS a ORDER BY 1"), &[])?;
        found.insert(archive, texts.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?);
    }
    Ok(found)
}

/// Compares the users' rows, and removes the object, so that the next one can have its name.
fn clear(client: &mut Client) -> Result<()> {
    client.batch_execute(
        "DROP TABLE IF EXISTS public.t, public.p CASCADE; DROP SEQUENCE IF EXISTS orchestrator.file_audit_s, orchestrator_archive.file_audit_s; \
         DROP PUBLICATION IF EXISTS mine; DROP TYPE IF EXISTS public.c CASCADE",
    )?;
    Ok(())
}

/// Tries every object, on the table before the downgrade and on its archive before the upgrade.
fn every_kind_stops(above: &str, below: &str, archive: &str, kinds: &[Built]) -> Result<()> {
    let database = filled_to("built", above.parse()?)?;
    let mut client = database.client()?;
    let filled = rows(&mut client)?;
    for kind in kinds {
        let make = kind.0.replace('%', "orchestrator.file_audit");
        let mut trial = client.transaction()?;
        trial.batch_execute(&make).with_context(|| make.clone())?;
        let plan: String = trial
            .query_one(
                "SELECT coalesce(string_agg(action, E'\n'), '') FROM orchestrator.downgrade_plan($1) WHERE action LIKE 'blocked by %'",
                &[&below],
            )?
            .try_get(0)?;
        assert!(plan.contains(kind.1), "the plan shows {} of {make}: {plan}", kind.1);
        trial.rollback()?;
        refused_by_name(&mut client, *kind, "orchestrator.file_audit", below)?;
        clear(&mut client)?;
    }
    go_to(&mut client, below.parse()?)?;
    if archive == "orchestrator_archive.file_audit" {
        for kind in kinds {
            refused_by_name(&mut client, *kind, archive, above)?;
            clear(&mut client)?;
        }
    }
    go_to(&mut client, above.parse()?)?;
    assert_same_rows("after every hint was followed", &filled, &rows(&mut client)?);
    assert_eq!(differences(&mut client)?, [""; 0]);
    Ok(())
}

#[test]
fn every_dependent_of_a_table_or_its_archive_stops_the_step() -> Result<()> {
    every_kind_stops("0.4.0", "0.3.0", "orchestrator_archive.file_audit", &ON_A_TABLE)
}

#[test]
fn every_dependent_of_a_column_stops_the_step() -> Result<()> {
    every_kind_stops("0.4.2", "0.4.1", "", &ON_A_COLUMN)?;
    // An archive of columns has only the key and the values.
    let database = filled_to("values", "0.4.2".parse()?)?;
    let mut client = database.client()?;
    let filled = rows(&mut client)?;
    go_to(&mut client, "0.4.1".parse()?)?;
    for kind in [
        (
            "CREATE VIEW public.v AS SELECT v7_test_status FROM %",
            "view public.v",
            "DROP VIEW public.v",
        ),
        (
            "CREATE TABLE public.t (file int CONSTRAINT to_file REFERENCES %)",
            "constraint to_file",
            "",
        ),
        ("CREATE TABLE public.t () INHERITS (%)", "table public.t, which inherits from", ""),
        ("CREATE TABLE public.t (f %)", "column f of table public.t", ""),
    ] {
        refused_by_name(&mut client, kind, "orchestrator_archive.file_audit_columns", "0.4.2")?;
        clear(&mut client)?;
    }
    go_to(&mut client, "0.4.2".parse()?)?;
    assert_same_rows("after every hint was followed", &filled, &rows(&mut client)?);
    Ok(())
}

/// `restore_archived()` leaves an archive on which an object depends, names the object, and restores all
/// other archives.
#[test]
fn restore_archived_leaves_an_archive_with_dependents() -> Result<()> {
    let source = filled_to("archive", "0.4.0".parse()?)?;
    let mut client = source.client()?;
    let filled = rows(&mut client)?;
    go_to(&mut client, "0.0.0".parse()?)?;
    let folder = tempfile::tempdir()?;
    let target = folder.path().join("dump");
    dump(&source, source.name(), &CUSTOM, &target)?;
    let restored = Database::create("restored")?;
    dump::restore(&restored, restored.name(), &CUSTOM, &target)?;
    let mut client = restored.client()?;
    client.batch_execute(
        "CREATE TABLE public.t (id int DEFAULT nextval('orchestrator_archive.file_audit_id_seq'))",
    )?;
    let reported = restored
        .command("psql")
        .args(["-X", "-q", "-d", restored.name(), "-c", "SELECT orchestrator.restore_archived()"])
        .output()?;
    let reported = String::from_utf8(reported.stderr)?;
    let free = "ALTER TABLE public.t ALTER COLUMN id DROP DEFAULT;";
    assert!(
        reported.contains("default value for column id of table public.t depends on the archive"),
        "{reported}"
    );
    assert!(reported.contains(free), "{reported}");
    let left = client.query("SELECT object FROM orchestrator.archived()", &[])?;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].try_get::<_, String>(0)?, "orchestrator.file_audit");
    client.batch_execute(free)?;
    client.batch_execute("SELECT orchestrator.restore_archived()")?;
    let back = rows(&mut client)?;
    for (table, rows) in &filled {
        if table == "orchestrator.file_audit" || table == "orchestrator.gates" {
            assert_eq!(back[table].len(), rows.len(), "{table}");
        }
    }
    assert_eq!(differences(&mut client)?, [""; 0]);
    Ok(())
}

/// A view on an archive does not stop a second downgrade: the older archive gets another name, and the
/// view stays.
#[test]
fn dependents_of_an_older_archive_survive_a_second_downgrade() -> Result<()> {
    let database = filled_to("second", "0.3.0".parse()?)?;
    let mut client = database.client()?;
    go_to(&mut client, "0.2.5".parse()?)?;
    client.batch_execute("DELETE FROM orchestrator.tasks WHERE id IN (SELECT task_id FROM orchestrator_archive.approvals LIMIT 1)")?;
    go_to(&mut client, "0.3.0".parse()?)?;
    let count = "SELECT count(*) FROM orchestrator_archive.approvals";
    let left: i64 = client.query_one(count, &[])?.try_get(0)?;
    assert!(left > 0, "approvals of the deleted task stay");
    client
        .batch_execute("CREATE VIEW public.v AS SELECT id FROM orchestrator_archive.approvals")?;
    go_to(&mut client, "0.2.5".parse()?)?;
    let seen: i64 = client.query_one("SELECT count(*) FROM public.v", &[])?.try_get(0)?;
    assert_eq!(seen, left);
    let (code, text) =
        refusal(client.batch_execute("ALTER EXTENSION orchestrator_schema UPDATE TO '0.3.0'"));
    assert_eq!(code, SqlState::DEPENDENT_OBJECTS_STILL_EXIST);
    assert!(text.contains("view public.v"), "{text}");
    client.batch_execute("DROP VIEW public.v")?;
    go_to(&mut client, "0.3.0".parse()?)
}

/// A publication may have several of the tables that a step removes. Its hint frees all of them.
#[test]
fn the_hint_frees_every_table_of_a_publication() -> Result<()> {
    const PUBLISH: &str = "CREATE PUBLICATION mine FOR TABLE orchestrator.task_attempts, orchestrator.queued_tasks, orchestrator.tasks";
    let database = filled_to("published", "0.7.1".parse()?)?;
    let mut client = database.client()?;
    client.batch_execute(PUBLISH)?;
    let down = "ALTER EXTENSION orchestrator_schema UPDATE TO '0.7.0'";
    let (code, text) = refusal(client.batch_execute(down));
    assert_eq!(code, SqlState::DEPENDENT_OBJECTS_STILL_EXIST, "{text}");
    assert_eq!(text.matches("publication mine").count(), 1, "{text}");
    let (_, free) = text.split_once("without loss of rows: ").with_context(|| text.clone())?;
    client.batch_execute(free).with_context(|| free.to_owned())?;
    client.batch_execute(down)?;
    Ok(())
}
