//! An autovacuum worker ends its work when another session waits for a table that it has locked. An
//! update waits only in short attempts, but also makes the worker end.

use anyhow::{Context, Result};
use postgres::Client;
use support::deadline;
use support::extension::{go_to, walk_filling};
use xtask::cluster::{Cluster, Settings};

/// A server that vacuums every changed table as soon as possible.
fn vacuuming() -> Result<Cluster> {
    let parameters = [("autovacuum_naptime", "1s"), ("autovacuum_max_workers", "1")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Cluster::start(support::server()?.pg_config(), &Settings { parameters, ..Settings::default() })
}

/// Makes the server vacuum a table for far longer than the test may take.
fn vacuumed_without_end(client: &mut Client) -> Result<()> {
    const IS_VACUUMED: &str = "SELECT EXISTS (SELECT FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid \
         WHERE a.backend_type = 'autovacuum worker' AND l.relation = 'orchestrator.tasks'::regclass AND l.granted)";
    client.batch_execute(
        "INSERT INTO orchestrator.tasks (title, task_type, description) \
         SELECT 'task', 'agent', repeat(md5(n::text), 60) FROM generate_series(1, 20000) AS n; \
         ALTER TABLE orchestrator.tasks SET (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0, \
             autovacuum_vacuum_insert_threshold = 1, autovacuum_vacuum_insert_scale_factor = 0, \
             autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1); \
         UPDATE orchestrator.tasks SET metadata = '{\"changed\": true}'",
    )?;
    deadline::wait_until("autovacuum of tasks", || {
        Ok(client.query_one(IS_VACUUMED, &[])?.try_get(0)?)
    })
}

#[test]
fn an_update_ends_an_autovacuum_worker_that_is_in_its_way() -> Result<()> {
    let cluster = vacuuming()?;
    cluster.create_database("vacuumed")?;
    let mut client = cluster.connect("vacuumed")?;
    walk_filling(&mut client, "0.3.0".parse()?)?;
    vacuumed_without_end(&mut client)?;
    // The statement fails long before the worker would end by itself.
    client.batch_execute("SET lock_timeout = '1s'")?;
    go_to(&mut client, "0.2.5".parse()?).context("beside an autovacuum worker")?;
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = 'vacuumed'";
    assert_eq!(client.query_one(deadlocks, &[])?.try_get::<_, i64>(0)?, 0);
    Ok(())
}
