//! The cost of adding columns to tables with data, and of expiring sessions.

use anyhow::Result;
use postgres::Client;
use support::extension::{go_to, newest, walked_to};

use super::version;

/// The files of the tables that get columns. A rewritten table gets a new file.
fn files(client: &mut Client) -> Result<String> {
    const FILES: &str = "SELECT string_agg(relname || ' ' || pg_relation_filenode(oid), ', ' ORDER BY relname) \
         FROM pg_class WHERE oid IN ('orchestrator.tasks'::regclass, 'orchestrator.sessions'::regclass, 'orchestrator.tool_executions'::regclass)";
    Ok(client.query_one(FILES, &[])?.try_get(0)?)
}

fn number(client: &mut Client, sql: &str) -> Result<i64> {
    Ok(client.query_one(sql, &[])?.try_get(0)?)
}

/// Of 20,000 tasks and 20,000 sessions only the sessions without a client are written.
#[test]
fn the_new_columns_rewrite_no_table() -> Result<()> {
    let database = walked_to("grow", version("0.2.5")?)?;
    let mut client = database.client()?;
    client.batch_execute(
        "INSERT INTO orchestrator.tasks (title, task_type) SELECT 'task ' || n, 'tool' FROM generate_series(1, 20000) AS n; \
         INSERT INTO orchestrator.sessions (client_id, is_active) SELECT 'client ' || n, n % 100 <> 0 FROM generate_series(1, 20000) AS n; \
         CREATE TABLE public.before AS \
             SELECT id, xmin::text AS writer, false AS expires FROM orchestrator.tasks \
             UNION ALL SELECT id, xmin::text, NOT is_active FROM orchestrator.sessions",
    )?;
    let before = files(&mut client)?;
    go_to(&mut client, version("0.3.0")?)?;
    assert_eq!(files(&mut client)?, before, "no table was rewritten");
    const WRITTEN: &str = "SELECT count(*) FROM public.before AS b JOIN \
             (SELECT id, xmin::text AS writer, false AS expired FROM orchestrator.tasks \
              UNION ALL SELECT id, xmin::text, status = 'expired' FROM orchestrator.sessions) AS n USING (id) \
         WHERE (n.writer <> b.writer) <> b.expires OR n.expired <> b.expires";
    assert_eq!(number(&mut client, WRITTEN)?, 0, "only those that expired were written");
    let expired = "SELECT count(*) FROM orchestrator.sessions WHERE status = 'expired'";
    assert_eq!(number(&mut client, expired)?, 200);
    Ok(())
}

#[test]
fn expiring_and_releasing_read_an_index_and_never_the_table() -> Result<()> {
    let database = walked_to("expire", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(
        "INSERT INTO orchestrator.sessions (role, status, updated_at, last_heartbeat) \
         SELECT 'manager', CASE n % 3 WHEN 0 THEN 'active' WHEN 1 THEN 'pending' ELSE 'completed' END, t, t \
         FROM generate_series(1, 20000) AS n, \
              LATERAL (SELECT now() - CASE WHEN n % 10 = 0 THEN interval '8 days' ELSE interval '0' END) AS v (t); \
         INSERT INTO orchestrator.tasks (title, task_type, status, idempotency_key, created_at) \
         SELECT 'task', 'tool', 'completed', CASE WHEN n % 20 < 2 THEN orchestrator.uuidv7() END, now() - CASE WHEN n % 20 <> 1 THEN interval '2 days' ELSE interval '0' END \
         FROM generate_series(1, 20000) AS n",
    )?;
    client.batch_execute("VACUUM ANALYZE orchestrator.sessions")?;
    client.batch_execute("VACUUM ANALYZE orchestrator.tasks")?;
    for (table, run, expected) in [
        ("sessions", "SELECT orchestrator.expire_sessions()", 1_333),
        ("tasks", "SELECT orchestrator.release_idempotency_keys()", 1_000),
    ] {
        let scans = format!(
            "SELECT idx_scan, seq_scan FROM pg_stat_user_tables WHERE relid = 'orchestrator.{table}'::regclass"
        );
        let mut counted = || -> Result<(i64, i64)> {
            client.batch_execute("SELECT pg_stat_force_next_flush()")?;
            client.batch_execute("SELECT pg_stat_clear_snapshot()")?;
            let row = client.query_one(&scans, &[])?;
            Ok((row.try_get(0)?, row.try_get(1)?))
        };
        let (by_index, whole) = counted()?;
        let affected = {
            let mut other = database.client()?;
            let affected = number(&mut other, run)?;
            other.batch_execute("SELECT pg_stat_force_next_flush()")?;
            affected
        };
        assert_eq!(affected, expected);
        assert_eq!(counted()?, (by_index + 1, whole), "{table}: one scan, of an index");
    }
    Ok(())
}
