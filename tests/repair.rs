//! The hints of `verify()` lose nothing. Every member of every kind is renamed: alone, together with
//! others, and beside other damage. Following only the hints restores the original schema and every
//! row.

#[path = "repair/places.rs"]
mod places;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use postgres::Client;
use support::Database;
use support::extension::{filled_to, newest};
use xtask::checks::cases;

/// The statements that rename every member of a kind, and every part of one with the name of its table.
const RENAMES: [(&str, &str); 9] = [
    (
        "table",
        "SELECT format('ALTER TABLE %s RENAME TO %I', c.oid::regclass, c.relname || ' \"X') FROM pg_class AS c \
         WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'r'",
    ),
    (
        "view",
        "SELECT format('ALTER VIEW %s RENAME TO %I', c.oid::regclass, c.relname || '_x') FROM pg_class AS c \
         WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'v'",
    ),
    (
        "sequence",
        "SELECT format('ALTER SEQUENCE %s RENAME TO %I', c.oid::regclass, 'x.' || c.relname) FROM pg_class AS c \
         WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'S'",
    ),
    (
        "function",
        "SELECT format('ALTER FUNCTION %s RENAME TO %I', p.oid::regprocedure, 'X' || p.proname) FROM pg_proc AS p \
         WHERE p.pronamespace = 'orchestrator'::regnamespace",
    ),
    (
        "column",
        "SELECT format('ALTER TABLE %s RENAME COLUMN %I TO %I', c.oid::regclass, a.attname, 'X ' || a.attname), c.relname::text \
         FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'r'",
    ),
    (
        "constraint",
        "SELECT format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', o.conrelid::regclass, o.conname, 'x_' || o.conname), o.conrelid::regclass::text \
         FROM pg_constraint AS o WHERE o.connamespace = 'orchestrator'::regnamespace AND o.contype IN ('c', 'f', 'p', 'u')",
    ),
    (
        "index",
        "SELECT format('ALTER INDEX %s RENAME TO %I', i.indexrelid::regclass, 'x' || c.relname), i.indrelid::regclass::text \
         FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE c.relnamespace = 'orchestrator'::regnamespace \
           AND NOT EXISTS (SELECT FROM pg_constraint AS o WHERE o.conindid = i.indexrelid AND o.contype IN ('p', 'u'))",
    ),
    (
        "trigger",
        "SELECT format('ALTER TRIGGER %I ON %s RENAME TO %I', t.tgname, t.tgrelid::regclass, 'x' || t.tgname), c.relname::text \
         FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid \
         WHERE c.relnamespace = 'orchestrator'::regnamespace AND NOT t.tgisinternal",
    ),
    ("schema", "SELECT 'ALTER SCHEMA orchestrator RENAME TO \"X x\"'"),
];

fn rows_of_renames(client: &mut Client, kind: &str) -> Result<Vec<postgres::Row>> {
    let (_, sql) = RENAMES.iter().find(|(known, _)| *known == kind).context("no such kind")?;
    Ok(client.query(&format!("{sql} ORDER BY 1"), &[])?)
}

fn renames(client: &mut Client, kind: &str) -> Result<Vec<String>> {
    let statements = rows_of_renames(client, kind)?;
    Ok(statements.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// The same for parts, in groups of which each has one part of each table at most.
fn renames_of_tables(client: &mut Client, kind: &str) -> Result<Vec<Vec<String>>> {
    let mut tables: BTreeMap<String, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<String>> = Vec::new();
    for row in rows_of_renames(client, kind)? {
        let place = tables.entry(row.try_get(1)?).or_default();
        if groups.len() == *place {
            groups.push(Vec::new());
        }
        groups[*place].push(row.try_get(0)?);
        *place += 1;
    }
    Ok(groups)
}

/// The state to restore: the fingerprints of the schema and of all rows.
struct Whole {
    state: String,
    /// The query that computes the fingerprint of the rows.
    query: String,
}

impl Whole {
    fn of(client: &mut Client) -> Result<Whole> {
        const ROWS: &str = "SELECT string_agg(format('(SELECT coalesce(md5(string_agg(md5(t::text), '''' ORDER BY md5(t::text))), '''') FROM (SELECT %s FROM %s) AS t)', \
                (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), \
                c.oid::regclass), ' || ' ORDER BY c.relname) \
             FROM pg_class AS c WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'r'";
        let rows: String = client.query_one(ROWS, &[])?.try_get(0)?;
        let query = format!("SELECT {rows}");
        let state = client.query_one(&query, &[])?.try_get(0)?;
        Ok(Whole { state, query })
    }

    fn assert_whole(&self, client: &mut Client, what: &str) -> Result<()> {
        let now: String = client.query_one(&self.query, &[])?.try_get(0)?;
        assert_eq!(self.state, now, "the rows after {what}");
        Ok(())
    }
}

/// One row of `verify()`.
struct Row {
    text: String,
    problem: String,
    kind: String,
    hint: String,
}

/// The rows of `verify()`, in whichever schema the function is.
fn verify(client: &mut Client) -> Result<Vec<Row>> {
    let function: String = client
        .query_one(
            "SELECT p.oid::regproc::text FROM pg_proc AS p WHERE p.prosrc = 'verify_wrapper'",
            &[],
        )?
        .try_get(0)?;
    let rows = client
        .query(&format!("SELECT v::text, v.problem, v.kind, v.hint FROM {function}() AS v"), &[])?;
    rows.iter()
        .map(|row| {
            Ok(Row {
                text: row.try_get(0)?,
                problem: row.try_get(1)?,
                kind: row.try_get(2)?,
                hint: row.try_get(3)?,
            })
        })
        .collect()
}

/// The hints for what another hint repairs, and for values that a dump would lose. They only look.
const LOOKS: [&str; 2] =
    ["SELECT * FROM orchestrator.verify();", "SELECT * FROM orchestrator.dump_safety();"];

/// The rows whose hints are to be run: all, but of those with the same look the first. Between two looks
/// that change nothing the second finds nothing else.
fn to_run(rows: &[Row]) -> impl Iterator<Item = &Row> {
    let mut looked = BTreeSet::new();
    rows.iter().filter(move |row| {
        LOOKS
            .iter()
            .find(|look| row.hint.starts_with(**look))
            .is_none_or(|look| looked.insert(look))
    })
}

/// Runs all hints of one `verify()`, then those of the next, until it reports only a user's own
/// columns. Returns the number of calls.
fn repair(client: &mut Client, what: &str) -> Result<usize> {
    const ROUNDS: usize = 5;
    for round in 0..ROUNDS {
        let rows = verify(client)?;
        let is_own = |row: &Row| row.problem == "unexpected" && row.kind == "column";
        if rows.iter().all(is_own) {
            return Ok(round);
        }
        for Row { hint, text, .. } in to_run(&rows) {
            assert!(!hint.contains("DROP COLUMN"), "{what}: {text}");
            client.batch_execute(hint).with_context(|| format!("{what}: {text}"))?;
        }
    }
    let left: Vec<_> = verify(client)?.into_iter().map(|row| row.text).collect();
    bail!("{what}: {left:?} is left after {ROUNDS} rounds")
}

/// Makes each rename in a transaction of its own, which is rolled back at the end.
fn alone(kind: &str) -> Result<()> {
    in_groups(kind, |client| {
        Ok(renames(client, kind)?.into_iter().map(|rename| vec![rename]).collect())
    })
}

/// Makes one rename in each table in a transaction, which is rolled back at the end.
fn one_of_each_table(kind: &str) -> Result<()> {
    in_groups(kind, |client| renames_of_tables(client, kind))
}

fn in_groups(
    kind: &str,
    groups: impl FnOnce(&mut Client) -> Result<Vec<Vec<String>>>,
) -> Result<()> {
    let database = filled_to("renames", newest()?)?;
    let mut client = database.client()?;
    let whole = Whole::of(&mut client)?;
    let print: String = client.query_one("SELECT orchestrator.fingerprint()", &[])?.try_get(0)?;
    let groups = groups(&mut client)?;
    assert!(!groups.is_empty());
    for statements in cases::chosen(groups, 8) {
        let what = statements.join("; ");
        client.batch_execute("BEGIN")?;
        client.batch_execute(&what).with_context(|| what.clone())?;
        let rows = verify(&mut client)?;
        let reported: Vec<_> = rows.iter().map(|row| row.text.as_str()).collect();
        assert_eq!(reported.len(), statements.len(), "{what}: {reported:#?}");
        let is_found = |row: &Row| (row.kind.as_str(), row.problem.as_str()) == (kind, "renamed");
        assert!(rows.iter().all(is_found), "{reported:?}");
        assert_eq!(repair(&mut client, &what)?, 1, "rounds after {what}");
        whole.assert_whole(&mut client, &what)?;
        let now: String = client.query_one("SELECT orchestrator.fingerprint()", &[])?.try_get(0)?;
        assert_eq!(now, print, "{what}");
        client.batch_execute("ROLLBACK")?;
    }
    Ok(())
}

#[test]
fn every_table_and_schema() -> Result<()> {
    alone("table")?;
    alone("schema")
}

#[test]
fn every_view_and_sequence() -> Result<()> {
    alone("view")?;
    alone("sequence")
}

#[test]
fn every_function() -> Result<()> {
    /// Each of them is reported, whatever the others are.
    const AT_ONCE: usize = 8;
    in_groups("function", |client| {
        Ok(renames(client, "function")?.chunks(AT_ONCE).map(<[_]>::to_vec).collect())
    })
}

#[test]
fn every_column() -> Result<()> {
    one_of_each_table("column")
}

#[test]
fn every_constraint() -> Result<()> {
    one_of_each_table("constraint")
}

#[test]
fn every_index_and_trigger() -> Result<()> {
    one_of_each_table("index")?;
    one_of_each_table("trigger")
}

/// The hint for a member in another schema moves it back.
#[test]
fn every_member_moved_into_another_schema() -> Result<()> {
    const MOVES: &str = "SELECT format('ALTER %s %s SET SCHEMA public', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.oid::regclass) FROM pg_class AS c \
         WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind IN ('r', 'v') \
         UNION ALL SELECT format('ALTER FUNCTION %s SET SCHEMA public', p.oid::regprocedure) FROM pg_proc AS p \
         WHERE p.pronamespace = 'orchestrator'::regnamespace AND p.proname IN ('verify', 'uuidv7', 'enforce_lifecycle', 'route_task') ORDER BY 1";
    let database = filled_to("moved", newest()?)?;
    let mut client = database.client()?;
    let whole = Whole::of(&mut client)?;
    for statement in cases::chosen(client.query(MOVES, &[])?, 12) {
        let statement: &str = statement.try_get(0)?;
        client.batch_execute("BEGIN")?;
        client.batch_execute(statement)?;
        repair(&mut client, statement)?;
        whole.assert_whole(&mut client, statement)?;
        client.batch_execute("ROLLBACK")?;
    }
    Ok(())
}

/// Damage of several kinds; each hint repairs one part of it.
const DAMAGE: &str = "DROP INDEX orchestrator.idx_tasks_status; \
    ALTER TABLE orchestrator.tasks DISABLE TRIGGER tasks_lifecycle, ADD COLUMN mine varchar(9) DEFAULT 'kept', ADD COLUMN also_mine varchar(9); \
    ALTER TABLE orchestrator.approvals ADD COLUMN mine timestamptz DEFAULT '2020-01-01'; \
    ALTER TABLE orchestrator.gates DROP CONSTRAINT gates_context_check; \
    ALTER TABLE orchestrator.gates ALTER COLUMN reason DROP NOT NULL; \
    ALTER FUNCTION orchestrator.record_event(text, text, uuid, jsonb) SECURITY INVOKER; \
    ALTER TABLE orchestrator.sessions ALTER COLUMN metadata DROP DEFAULT; \
    GRANT SELECT ON orchestrator.tasks TO PUBLIC";

#[test]
fn everything_at_once_and_beside_other_damage() -> Result<()> {
    let database = filled_to("together", newest()?)?;
    let mut client = database.client()?;
    let whole = Whole::of(&mut client)?;
    let kinds =
        ["trigger", "index", "constraint", "column", "view", "function", "sequence", "table"];
    for damage in ["", DAMAGE] {
        client.batch_execute("BEGIN")?;
        client.batch_execute(damage)?;
        for kind in kinds {
            for statement in renames(&mut client, kind)? {
                client.batch_execute(&statement).with_context(|| statement.clone())?;
            }
        }
        repair(&mut client, "all renames at once")?;
        whole.assert_whole(&mut client, "all renames at once")?;
        let own: Vec<_> = verify(&mut client)?.into_iter().map(|row| row.text).collect();
        assert_eq!(own.len(), if damage.is_empty() { 0 } else { 3 }, "{own:?}");
        if !damage.is_empty() {
            let kept =
                "SELECT count(*) FROM orchestrator.tasks WHERE \"X mine\" IS DISTINCT FROM 'kept'";
            let lost: i64 = client.query_one(kept, &[])?.try_get(0)?;
            assert_eq!(lost, 0, "values of a user's own column");
        }
        client.batch_execute("ROLLBACK")?;
    }
    Ok(())
}

/// A dropped column beside an added one of another type is not mistaken for a renamed column. If a type
/// was changed, the hint keeps every value, or the change is refused.
#[test]
fn no_hint_changes_a_value_unseen() -> Result<()> {
    let database = filled_to("values", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute("BEGIN; ALTER TABLE orchestrator.tasks DROP COLUMN error, ADD COLUMN mine integer DEFAULT 7")?;
    repair(&mut client, "a dropped and an added column")?;
    let row = client.query_one(
        "SELECT count(*) FROM orchestrator.tasks WHERE mine = 7 AND error IS NULL",
        &[],
    )?;
    let tasks = client.query_one("SELECT count(*) FROM orchestrator.tasks", &[])?;
    assert_eq!(row.try_get::<_, i64>(0)?, tasks.try_get::<_, i64>(0)?);
    client.batch_execute("ROLLBACK")?;
    // Columns with a length or a scale, made wider and filled with values that do not fit.
    let narrow = client.query(
        "SELECT c.oid::regclass::text, quote_ident(a.attname), format_type(a.atttypid, NULL) FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid \
         WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND a.atttypmod > 0",
        &[],
    )?;
    let mut refusals = 0;
    for column in narrow {
        let (table, name, kind): (&str, &str, &str) =
            (column.try_get(0)?, column.try_get(1)?, column.try_get(2)?);
        let what = format!("{table}.{name}");
        let value = if kind == "numeric" { "0.123456789012345" } else { "repeat('x', 400)" };
        client.batch_execute("BEGIN; SET LOCAL session_replication_role = replica")?;
        // A column that a view uses cannot be changed.
        if client
            .batch_execute(&format!("ALTER TABLE {table} ALTER COLUMN {name} TYPE {kind}"))
            .is_err()
        {
            client.batch_execute("ROLLBACK")?;
            continue;
        }
        let updated = client.execute(&format!("UPDATE {table} SET {name} = {value}"), &[]);
        if updated.is_ok_and(|rows| rows > 0) {
            let rows = verify(&mut client)?;
            let hint = &rows.iter().find(|row| row.kind == "column").context(what.clone())?.hint;
            let refused = client.batch_execute(hint);
            assert!(refused.is_err(), "{what}: {hint} cut or rounded values");
            refusals += 1;
        }
        client.batch_execute("ROLLBACK")?;
    }
    assert!(refusals > 0, "no column was tried");
    Ok(())
}

/// Rows of a child table appear in the table of the extension, without its keys and seals.
#[test]
fn a_child_of_a_table_is_reported_and_keeps_its_rows() -> Result<()> {
    let database: Database = filled_to("children", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(
        "CREATE TABLE public.\"my Events\" (extra text) INHERITS (orchestrator.audit_events); \
         INSERT INTO public.\"my Events\" (event_type, role, trace_id, metadata, extra) VALUES ('a', 'b', gen_random_uuid(), '{}', 'c')",
    )?;
    let rows = verify(&mut client)?;
    assert_eq!(rows.len(), 1);
    let Row { kind, problem, hint, .. } = &rows[0];
    assert_eq!((kind.as_str(), problem.as_str()), ("child table", "unexpected"));
    assert_eq!(hint, "ALTER TABLE public.\"my Events\" NO INHERIT orchestrator.audit_events;");
    let lost =
        client.query("SELECT object, severity, hint FROM orchestrator.dump_safety()", &[])?;
    assert_eq!(lost.len(), 1);
    assert_eq!(lost[0].try_get::<_, String>(0)?, "public.\"my Events\"");
    repair(&mut client, "a child")?;
    let kept: i64 =
        client.query_one("SELECT count(*) FROM public.\"my Events\"", &[])?.try_get(0)?;
    assert_eq!((verify(&mut client)?.len(), kept), (0, 1));
    Ok(())
}
