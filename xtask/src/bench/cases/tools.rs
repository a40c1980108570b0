//! Opening and closing entries in the log of tools.

use anyhow::Result;

use crate::address::{execute, query};
use crate::bench::case::{self, Case, Outcome};
use crate::bench::database::{Bench, Database};
use crate::bench::measure::{in_turn, shared_out};
use crate::bench::plain::{Indexes, make};

pub const CASE: Case = Case {
    name: "tools",
    title: "Starting and finishing tool executions",
    about: "`start_tool_execution()` and `finish_tool_execution()`. Each pair is a prepared statement and a transaction of its own; \
            the connections share 2,000 pairs. The baseline is PL/pgSQL functions with the same rules on the same tables.",
    needs: &["start_tool_execution", "finish_tool_execution"],
    run,
};

const PAIRS: usize = 2_000;

fn run(bench: &Bench) -> Result<Outcome> {
    let database = prepared(bench)?;
    let ids = query(&mut database.connect()?, "SELECT id::text FROM orchestrator.tasks")?;
    let ids: Vec<String> = ids.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let mut outcome = Outcome::against(&["PL/pgSQL"]);
    for connections in [1, 2, 8] {
        let pairs = |schema: &str| {
            let sql = format!(
                "SELECT {schema}.finish_tool_execution({schema}.start_tool_execution($1::text::uuid, 'cargo', \
                 '{{\"command\": \"build\"}}'), 'completed', 'done')"
            );
            shared_out(&|| database.connect(), connections, &sql, &ids)
        };
        let medians = in_turn(bench.rounds(), &[&|_| pairs("orchestrator"), &|_| pairs("plain")])?;
        outcome.add("start and finish", case::connections(connections), &medians, None);
    }
    Ok(outcome)
}

fn prepared(bench: &Bench) -> Result<Database> {
    let database = bench.database()?;
    let mut client = database.connect()?;
    make(&mut client, Indexes::All)?;
    execute(&mut client, include_str!("../baselines/tools.sql"))?;
    execute(
        &mut client,
        &format!(
            "INSERT INTO orchestrator.tasks (title, task_type) SELECT 'task ' || i, 'tool' FROM generate_series(1, {PAIRS}) AS i; \
             INSERT INTO plain.tasks SELECT * FROM orchestrator.tasks"
        ),
    )?;
    execute(&mut client, "VACUUM ANALYZE")?;
    Ok(database)
}
