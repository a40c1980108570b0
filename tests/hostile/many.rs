//! Large inputs: a function that receives very many values, or finds very many objects, works, and a
//! timeout can end it.

use anyhow::Result;
use postgres::error::SqlState;
use support::extension::{newest, walked_to};

/// 1,500 enum types that have one label in common, and each a label of its own.
const ENUMS: &str = "CREATE SCHEMA many; DO $$ BEGIN FOR n IN 1 .. 1500 LOOP \
    EXECUTE format('CREATE TYPE many.%I AS ENUM (''active'', %L)', 'e_' || md5(n::text), md5('label ' || n)); \
    END LOOP; END $$";

#[test]
fn a_comparison_of_many_enum_types_can_be_ended() -> Result<()> {
    let database = walked_to("enums", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(ENUMS)?;
    let pairs = "SELECT count(*) FROM orchestrator.enum_duplicates";
    assert_eq!(client.query_one(&format!("{pairs}(0.8)"), &[])?.try_get::<_, i64>(0)?, 0);
    // Every two types have one label of three in common: more than a million pairs.
    client.batch_execute("SET statement_timeout = '50ms'")?;
    let ended = client.batch_execute(&format!("{pairs}(0.0)")).expect_err("it takes too long");
    assert_eq!(ended.code(), Some(&SqlState::QUERY_CANCELED));
    Ok(())
}

#[test]
fn a_task_waits_for_many() -> Result<()> {
    let database = walked_to("waits", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute("SELECT orchestrator.v7_load_plan()")?;
    client.batch_execute(
        "INSERT INTO orchestrator.v7_subworkflow_tasks (parent_phase, task_number, task_name, responsible_persona) \
         SELECT 1, 1000 + n, 'task ' || n, 'The Architect' FROM generate_series(1, 20000) AS n",
    )?;
    client.batch_execute(
        "SELECT orchestrator.v7_issue_task(1, 'the last', 'The Architect', \
             (SELECT array_agg(d.id) || array_agg(d.id) FROM orchestrator.v7_subworkflow_tasks AS d WHERE d.task_number > 1000))",
    )?;
    let waits =
        "SELECT max(cardinality(dependencies))::bigint FROM orchestrator.v7_subworkflow_tasks";
    assert_eq!(client.query_one(waits, &[])?.try_get::<_, i64>(0)?, 20000, "each once");
    // A task that it waits for cannot wait for it.
    let circle = "UPDATE orchestrator.v7_subworkflow_tasks SET dependencies = ARRAY[(SELECT id FROM orchestrator.v7_subworkflow_tasks WHERE cardinality(dependencies) = 20000)] WHERE task_number = 1001";
    let refused = client.batch_execute(circle).expect_err("a circle");
    assert_eq!(refused.code(), Some(&SqlState::INVALID_PARAMETER_VALUE));
    Ok(())
}
