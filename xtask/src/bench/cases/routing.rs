//! Routing tasks, with and without replay.

use anyhow::Result;

use crate::address::{execute, query};
use crate::bench::case::{self, Case, Outcome};
use crate::bench::database::{Bench, Database};
use crate::bench::measure::{in_turn, shared_out};
use crate::bench::plain::{Indexes, make};

pub const CASE: Case = Case {
    name: "routing",
    title: "Routing tasks",
    about: "`route_task()` with an idempotency key. Each call is a prepared statement and a transaction of its own; the connections \
            share 2,000 calls. The baseline is a PL/pgSQL function with the same rules. A *replay* repeats a call and gets the first \
            task.",
    needs: &["route_task"],
    run,
};

const CALLS: usize = 2_000;

fn run(bench: &Bench) -> Result<Outcome> {
    let (fresh, keys) = prepared(bench)?;
    let call = |schema: &str| {
        format!(
            "SELECT * FROM {schema}.route_task('routing', 'look at this', 'developer', 'qa', '{{\"branch\": \"main\"}}', \
             idempotency_key => $1::text::uuid)"
        )
    };
    let routed = bench.copy_of(&fresh)?;
    for schema in ["orchestrator", "plain"] {
        shared_out(&|| routed.connect(), 1, &call(schema), &keys)?;
    }
    let mut outcome = Outcome::against(&["PL/pgSQL"]);
    for (what, original) in [("first call", &fresh), ("replay", &routed)] {
        for connections in [1, 2, 8] {
            let calls = |schema: &str| {
                let database = bench.copy_of(original)?;
                shared_out(&|| database.connect(), connections, &call(schema), &keys)
            };
            let medians =
                in_turn(bench.rounds(), &[&|_| calls("orchestrator"), &|_| calls("plain")])?;
            outcome.add(what, case::connections(connections), &medians, None);
        }
    }
    Ok(outcome)
}

fn prepared(bench: &Bench) -> Result<(Database, Vec<String>)> {
    let database = bench.database()?;
    let mut client = database.connect()?;
    make(&mut client, Indexes::All)?;
    execute(&mut client, include_str!("../baselines/routing.sql"))?;
    let keys = format!("SELECT gen_random_uuid()::text FROM generate_series(1, {CALLS})");
    let keys = query(&mut client, &keys)?;
    let keys = keys.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    Ok((database, keys))
}
