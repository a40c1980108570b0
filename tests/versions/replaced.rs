//! Objects of users that depend on a function or view which a step replaces. The step stops before any
//! change and names the object; without it the step succeeds.

use anyhow::Result;
use postgres::error::SqlState;
use support::extension::{differences, filled_to, go_to, installed};
use support::snapshot::{assert_same, assert_same_rows, rows, schema};

use super::{refusal, version};

/// A statement that makes the object, its name in the message, and the statement that removes it.
type Built = (&'static str, &'static str, &'static str);

/// Objects on the form of `record_token_usage` before 0.7.0 and since.
const ON_A_FUNCTION: [Built; 6] = [
    ("CREATE VIEW public.v AS SELECT %('m', 1, 1) AS id", "view public.v", "DROP VIEW public.v"),
    (
        "CREATE FUNCTION public.f() RETURNS uuid LANGUAGE sql BEGIN ATOMIC SELECT %('m', 1, 1); END",
        "function public.f()",
        "DROP FUNCTION public.f",
    ),
    (
        "CREATE TABLE public.t (id uuid DEFAULT %('m', 1, 1))",
        "default value for column id of table public.t",
        "DROP TABLE public.t",
    ),
    (
        "CREATE TABLE public.t (id uuid, CONSTRAINT mine CHECK (id <> %('m', 1, 1)))",
        "constraint mine on table public.t",
        "DROP TABLE public.t",
    ),
    (
        "CREATE TABLE public.t (id uuid); CREATE RULE mine AS ON DELETE TO public.t DO ALSO SELECT %('m', 1, 1)",
        "rule mine on table public.t",
        "DROP TABLE public.t",
    ),
    (
        "CREATE TABLE public.t (id uuid); CREATE POLICY mine ON public.t USING (id = %('m', 1, 1))",
        "policy mine on table public.t",
        "DROP TABLE public.t",
    ),
];

/// Objects on a view that a downgrade replaces.
const ON_A_VIEW: [Built; 5] = [
    ("CREATE VIEW public.v AS SELECT held_by FROM %", "view public.v", "DROP VIEW public.v"),
    ("CREATE VIEW public.v AS SELECT thread_id FROM %", "view public.v", "DROP VIEW public.v"),
    (
        "CREATE MATERIALIZED VIEW public.v AS SELECT count(*) FROM %",
        "materialized view public.v",
        "DROP MATERIALIZED VIEW public.v",
    ),
    (
        "CREATE FUNCTION public.f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM %; END",
        "function public.f()",
        "DROP FUNCTION public.f",
    ),
    (
        "CREATE FUNCTION public.f() RETURNS SETOF % LANGUAGE plpgsql AS 'BEGIN RETURN; END'",
        "function public.f()",
        "DROP FUNCTION public.f",
    ),
];

/// Tries the step from one version to the other with each object.
fn every_object_stops(from: &str, to: &str, on: &str, objects: &[Built]) -> Result<()> {
    let database = filled_to("replaced", version(from)?)?;
    let mut client = database.client()?;
    let step = format!("ALTER EXTENSION orchestrator_schema UPDATE TO '{to}'");
    for (make, name, undo) in objects {
        let make = make.replace('%', on);
        client.batch_execute(&make)?;
        let before = (installed(&mut client)?, schema(&database)?, rows(&mut client)?);
        let (code, text) = refusal(client.batch_execute(&step));
        assert_eq!(code, SqlState::DEPENDENT_OBJECTS_STILL_EXIST, "{make}: {text}");
        assert!(text.contains(name), "{make}: {name} in {text}");
        assert!(!text.contains("CASCADE"), "{make}: {text}");
        assert_eq!(installed(&mut client)?, before.0, "{make}");
        assert_same(&make, &before.1, &schema(&database)?);
        assert_same_rows(&make, &before.2, &rows(&mut client)?);
        client.batch_execute(undo)?;
    }
    go_to(&mut client, version(to)?)?;
    assert_eq!(differences(&mut client)?, [""; 0]);
    Ok(())
}

#[test]
fn dependents_of_a_function_with_other_arguments_stop_the_update() -> Result<()> {
    every_object_stops("0.6.0", "0.7.0", "orchestrator.record_token_usage", &ON_A_FUNCTION)
}

#[test]
fn dependents_of_a_function_with_other_arguments_stop_the_downgrade() -> Result<()> {
    every_object_stops("0.7.0", "0.6.0", "orchestrator.record_token_usage", &ON_A_FUNCTION)
}

#[test]
fn dependents_of_a_view_with_more_columns_stop_the_downgrade() -> Result<()> {
    every_object_stops("0.7.0", "0.6.0", "orchestrator.run_summary", &ON_A_VIEW)
}

/// A function that stays, and a view that only gets columns, stop nothing.
#[test]
fn dependents_of_what_stays_stop_no_step() -> Result<()> {
    let database = filled_to("stays", version("0.6.0")?)?;
    let mut client = database.client()?;
    client.batch_execute(
        "CREATE VIEW public.v AS SELECT thread_id, pending_reviews FROM orchestrator.run_summary; \
         CREATE FUNCTION public.f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM orchestrator.pending_decisions; END; \
         CREATE FUNCTION public.g() RETURNS uuid LANGUAGE sql AS $$ SELECT orchestrator.record_token_usage('m', 1, 1) $$",
    )?;
    go_to(&mut client, version("0.7.0")?)?;
    client.batch_execute(
        "SELECT public.f(), public.g(); SELECT * FROM public.v; DROP VIEW public.v",
    )?;
    go_to(&mut client, version("0.6.0")?)?;
    client.batch_execute("SELECT public.f(), public.g()")?;
    Ok(())
}
