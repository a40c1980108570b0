//! The time that each row trigger adds to an UPDATE.

use std::time::Duration;

use anyhow::Result;

use crate::address::{execute, query};
use crate::bench::case::{self, Case, Outcome, Target};
use crate::bench::database::{Bench, Database};
use crate::bench::measure::{in_turn, statement};

pub const CASE: Case = Case {
    name: "triggers",
    title: "Updates under each trigger",
    about: "`UPDATE` of every row of a table with nothing but its primary key and the trigger. The baselines are contrib's \
            `moddatetime` and no trigger. `moddatetime` sets `updated_at`; a `lifecycle` trigger does so too, if the table has the \
            column, and refuses steps that a state machine does not allow. The other triggers have no target: they keep rules that \
            `moddatetime` does not have, on tables whose rows change a few times in their life, and each pins `search_path`, which \
            costs more than its own work. *Time in the trigger* is the time that EXPLAIN ANALYZE reports for the trigger alone, or 0 \
            if the statement does not fire it.",
    needs: &["enforce_lifecycle"],
    run,
};

/// Row triggers before UPDATE: table, name, definition for another table, whether it sets `updated_at`.
const TRIGGERS: &str = "
    SELECT c.relname::text, t.tgname::text,
           regexp_replace(pg_get_triggerdef(t.oid), ' ON orchestrator\\.\\w+', ' ON ours'),
           t.tgfoid = 'orchestrator.enforce_lifecycle'::regproc
               AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'updated_at' AND NOT a.attisdropped)
    FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'orchestrator'::regnamespace AND NOT t.tgisinternal
      -- ROW, BEFORE, UPDATE and no INSERT, DELETE.
      AND t.tgtype & 31 = 19
    ORDER BY 1, 2";

const ROWS: u64 = 50_000;

fn run(bench: &Bench) -> Result<Outcome> {
    let mut outcome = Outcome::against(&["moddatetime", "no trigger"]);
    let database = bench.database()?;
    let triggers = query(&mut database.connect()?, TRIGGERS)?;
    for row in triggers {
        let (table, name, definition): (String, String, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let sets_updated_at: bool = row.try_get(3)?;
        let medians = update(bench, &table, &definition)?;
        let at_most = sets_updated_at.then_some(Target::Ratio(1.0));
        let scale = case::rows(ROWS);
        outcome.add(&format!("{name}: UPDATE"), scale.clone(), &medians.0, at_most);
        outcome.add(&format!("{name}: time in the trigger"), scale, &medians.1, at_most);
    }
    Ok(outcome)
}

/// Whole statements, and the triggers alone.
fn update(bench: &Bench, table: &str, definition: &str) -> Result<(Vec<Duration>, Vec<Duration>)> {
    let database = bench.database()?;
    prepare(&database, table, definition)?;
    let client = database.shared()?;
    let whole = |copy: &str| {
        execute(&mut client.borrow_mut(), &format!("VACUUM {copy}"))?;
        statement(&client, &format!("UPDATE {copy} SET counted = counted + 1"))
    };
    let alone = |copy: &str| {
        execute(&mut client.borrow_mut(), &format!("VACUUM {copy}"))?;
        in_trigger(&database, copy)
    };
    let rounds = bench.rounds();
    Ok((
        in_turn(rounds, &[&|_| whole("ours"), &|_| whole("stamped"), &|_| whole("bare")])?,
        in_turn(rounds, &[&|_| alone("ours"), &|_| alone("stamped")])?,
    ))
}

/// Creates three tables with many copies of a row: one with our trigger, one with moddatetime, one
/// without a trigger.
fn prepare(database: &Database, table: &str, definition: &str) -> Result<()> {
    let mut client = database.connect()?;
    // A required text gets a value; a state has its default.
    let required = "
        SELECT format('ALTER TABLE bare ALTER %I SET DEFAULT %s', a.attname,
                      CASE format_type(a.atttypid, NULL) WHEN 'text' THEN '''some text''' WHEN 'uuid' THEN 'gen_random_uuid()'
                           WHEN 'jsonb' THEN '''{}''' WHEN 'text[]' THEN '''{}''' WHEN 'integer[]' THEN '''{}''' ELSE '''1''' END)
        FROM pg_attribute AS a
        WHERE a.attrelid = 'bare'::regclass AND a.attnum > 0 AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''";
    execute(
        &mut client,
        &format!(
            "CREATE EXTENSION moddatetime; \
             CREATE UNLOGGED TABLE bare (LIKE orchestrator.{table} INCLUDING DEFAULTS INCLUDING IDENTITY)"
        ),
    )?;
    for row in query(&mut client, required)? {
        execute(&mut client, row.try_get(0)?)?;
    }
    execute(
        &mut client,
        &format!(
            "ALTER TABLE bare ADD counted integer NOT NULL DEFAULT 0; \
             CREATE UNLOGGED TABLE ours (LIKE bare INCLUDING ALL); \
             CREATE UNLOGGED TABLE stamped (LIKE bare INCLUDING ALL); \
             ALTER TABLE stamped ADD IF NOT EXISTS updated_at timestamptz; \
             INSERT INTO bare (counted) SELECT n FROM generate_series(1, {ROWS}) AS n; \
             INSERT INTO ours SELECT * FROM bare; INSERT INTO stamped SELECT * FROM bare; \
             {definition}; \
             CREATE TRIGGER stamp BEFORE UPDATE ON stamped FOR EACH ROW EXECUTE FUNCTION moddatetime('updated_at')"
        ),
    )?;
    for copy in ["bare", "ours", "stamped"] {
        execute(&mut client, &format!("VACUUM FULL ANALYZE {copy}"))?;
    }
    Ok(())
}

/// The time in the copy's trigger, as EXPLAIN ANALYZE reports it.
fn in_trigger(database: &Database, copy: &str) -> Result<Duration> {
    let mut client = database.connect()?;
    let sql = format!("EXPLAIN (ANALYZE, COSTS OFF) UPDATE {copy} SET counted = counted + 1");
    let mut milliseconds = 0.0;
    for row in query(&mut client, &sql)? {
        let line: String = row.try_get(0)?;
        let time = line
            .strip_prefix("Trigger ")
            .and_then(|rest| rest.split("time=").nth(1)?.split(' ').next()?.parse::<f64>().ok());
        milliseconds += time.unwrap_or(0.0);
    }
    Ok(Duration::from_secs_f64(milliseconds / 1e3))
}
