//! Columns of users that store rows of a table of ours. A step that changes the columns of the table
//! stops before any change, and names the user's column and the statement that frees the table; no
//! other step stops.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use postgres::Client;
use postgres::error::SqlState;
use support::extension::{differences, filled_to, go_to, versions, walked_to};
use support::snapshot::{Rows, assert_same_rows, rows};

use super::refusal;

const FREES: &str = "These statements remove the dependencies without loss of rows: ";

/// Every kind of column that stores rows of the relation `%`, with its name in the message.
const STORED: [(&str, &str); 8] = [
    ("CREATE TABLE public.t (f %)", "column f of table public.t"),
    ("CREATE TABLE public.t (f %[])", "column f of table public.t"),
    (
        "CREATE DOMAIN public.d AS %; CREATE TABLE public.t (f public.d)",
        "column f of table public.t",
    ),
    (
        "CREATE TYPE public.c AS (f %); CREATE TABLE public.t (f public.c)",
        "column f of table public.t",
    ),
    (
        "CREATE VIEW public.v AS SELECT f FROM % AS f; CREATE TABLE public.t (f public.v)",
        "column f of table public.t",
    ),
    (
        "CREATE TABLE public.t (a int, f %) PARTITION BY LIST (a); \
         CREATE TABLE public.t1 PARTITION OF public.t FOR VALUES IN (1); \
         CREATE TABLE public.t2 PARTITION OF public.t FOR VALUES IN (2)",
        "column f of table public.t;",
    ),
    (
        "CREATE TABLE public.t (f %); CREATE TABLE public.t1 (g int) INHERITS (public.t)",
        "column f of table public.t;",
    ),
    (
        "CREATE FUNCTION public.f(text) RETURNS % LANGUAGE sql IMMUTABLE AS 'SELECT NULL::%'; \
         CREATE TABLE public.t (a text); CREATE INDEX i ON public.t (public.f(a))",
        "index public.i",
    ),
];

#[test]
fn every_column_that_stores_rows_of_a_table_stops_the_step_that_changes_it() -> Result<()> {
    for (above, below, table) in [
        ("0.3.0", "0.2.5", "orchestrator.tasks"),
        ("0.3.0", "0.2.5", "orchestrator.sessions"),
        ("0.4.2", "0.4.1", "orchestrator.file_audit"),
    ] {
        for (make, name) in STORED {
            let make = make.replace('%', table);
            let database = walked_to("stored", below.parse()?)?;
            let mut client = database.client()?;
            client.batch_execute(&make).with_context(|| make.clone())?;
            let step = format!("ALTER EXTENSION orchestrator_schema UPDATE TO '{above}'");
            let (code, text) = refusal(client.batch_execute(&step));
            assert_eq!(code, SqlState::DEPENDENT_OBJECTS_STILL_EXIST, "{make}: {text}");
            assert!(text.starts_with(&format!("cannot upgrade to {above} because")), "{text}");
            let detail = text.replace(".\n", ";\n");
            assert!(detail.contains(name), "{make}: {name} in {text}");
            let (_, free) = text.split_once(FREES).with_context(|| text.clone())?;
            client.batch_execute(free).with_context(|| format!("{make}: {free}"))?;
            go_to(&mut client, above.parse()?)?;
            assert_eq!(differences(&mut client)?, [""; 0]);
        }
    }
    Ok(())
}

/// A user's table stores a row of every table of ours. Each step up either does not affect it, or names
/// its column; its rows are the same afterwards.
#[test]
fn every_step_up_leaves_stored_rows_alone_or_names_their_column() -> Result<()> {
    const STORE: &str = "SELECT format('CREATE TABLE public.%1$I AS SELECT f FROM %2$s AS f', c.relname, c.oid::regclass) \
         FROM pg_class AS c WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'r'";
    let mut refused = BTreeMap::new();
    for pair in versions()?.windows(2) {
        let [below, above] = pair else { continue };
        let database = filled_to("rows", *below)?;
        let mut client = database.client()?;
        for store in client.query(STORE, &[])? {
            client.batch_execute(store.try_get(0)?)?;
        }
        let stored = stored(&mut client)?;
        let filled = rows(&mut client)?;
        let step = format!("ALTER EXTENSION orchestrator_schema UPDATE TO '{above}'");
        let outcome = client.batch_execute(&step);
        if outcome.is_err() {
            let (code, text) = refusal(outcome);
            assert_eq!(code, SqlState::DEPENDENT_OBJECTS_STILL_EXIST, "to {above}: {text}");
            assert_eq!(rows(&mut client)?, filled);
            let (_, free) = text.split_once(FREES).with_context(|| text.clone())?;
            refused.insert(above.to_string(), free.matches("ALTER TABLE ").count());
            client.batch_execute(free).with_context(|| free.to_owned())?;
            go_to(&mut client, *above)?;
        }
        assert_same_rows(&format!("stored, at {above}"), &stored, &self::stored(&mut client)?);
    }
    let expected = [
        ("0.3.0", 2),
        ("0.4.2", 1),
        ("0.7.0", 6),
        ("0.7.1", 3),
        ("0.7.3", 1),
        ("0.9.0", 2),
        ("0.9.1", 2),
    ];
    assert_eq!(refused, BTreeMap::from(expected.map(|(step, columns)| (step.to_owned(), columns))));
    Ok(())
}

/// The rows of the tables in schema public, with stored rows as jsonb.
fn stored(client: &mut Client) -> Result<Rows> {
    const TABLES: &str = "SELECT c.oid::regclass::text FROM pg_class AS c \
         JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'f' \
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'";
    let mut found = Rows::new();
    for table in client.query(TABLES, &[])? {
        let table: String = table.try_get(0)?;
        let texts = client
            .query(&format!("SELECT to_jsonb(t.f)::text FROM {table} AS t ORDER BY 1"), &[])?;
        found.insert(table, texts.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?);
    }
    Ok(found)
}
