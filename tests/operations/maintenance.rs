//! Maintenance handles every row that is older than the configured age, and no other.

use anyhow::Result;
use postgres::Client;
use support::extension::{newest, walked_to};
use support::snapshot::{assert_same_rows, rows};

use super::{refusal, text};

/// For each task of maintenance, one row that is due by default, and one that is not.
const ROWS: &str = "SET session_replication_role = replica; \
    INSERT INTO orchestrator.sessions (client_id, status, is_active, last_heartbeat, created_at, updated_at) VALUES \
        ('silent', 'completed', true, now() - interval '2 min', now(), now()), ('alive', 'active', true, now() - interval '30 s', now(), now()), \
        ('old', 'active', true, now() - interval '8 days', now() - interval '9 days', now() - interval '8 days'), ('young', 'active', false, now() - interval '6 days', now(), now() - interval '6 days'); \
    INSERT INTO orchestrator.tasks (title, task_type, status, idempotency_key, created_at) VALUES \
        ('old', 't', 'completed', orchestrator.uuidv7(), now() - interval '25 hours'), ('young', 't', 'completed', orchestrator.uuidv7(), now() - interval '23 hours'), \
        ('open', 't', 'running', orchestrator.uuidv7(), now() - interval '25 hours'); \
    INSERT INTO orchestrator.knowledge_staging (knowledge_type, content, embedded, embedded_at) VALUES \
        ('collaboration', 'old', true, now() - interval '366 days'), ('collaboration', 'young', true, now() - interval '364 days'), ('collaboration', 'waits', false, NULL); \
    INSERT INTO orchestrator.audit_events (event_type, role, \"timestamp\", trace_id) VALUES ('old', 'r', now() - interval '400 days', orchestrator.uuidv7()); \
    RESET session_replication_role; \
    SELECT orchestrator.create_task('lease', 'of a worker that died'); SELECT orchestrator.claim_tasks('w', '{lease}'); \
    UPDATE orchestrator.task_attempts SET lease_expires_at = now() - interval '1 second'";

fn run(client: &mut Client) -> Result<String> {
    text(
        client,
        "SELECT string_agg(task || ' ' || affected, ', ' ORDER BY place) FROM orchestrator.run_maintenance() WITH ORDINALITY AS m (task, affected, place)",
    )
}

#[test]
fn what_is_due_is_done_once_and_nothing_else() -> Result<()> {
    let database = walked_to("due", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(ROWS)?;
    assert_eq!(
        run(&mut client)?,
        "expire_decisions 0, reclaim_expired_tasks 1, expire_sessions 1, deactivate_stale_sessions 2, release_idempotency_keys 1, purge_knowledge 1, seal_audit_events 1"
    );
    assert_eq!(
        text(
            &mut client,
            "SELECT string_agg(client_id, ', ' ORDER BY client_id) FROM orchestrator.sessions WHERE is_active"
        )?,
        "alive"
    );
    assert_eq!(
        text(
            &mut client,
            "SELECT string_agg(client_id, ', ') FROM orchestrator.sessions WHERE status = 'expired'"
        )?,
        "old"
    );
    assert_eq!(
        text(
            &mut client,
            "SELECT string_agg(title, ', ' ORDER BY title) FROM orchestrator.tasks WHERE idempotency_key IS NOT NULL"
        )?,
        "open, young"
    );
    assert_eq!(
        text(
            &mut client,
            "SELECT string_agg(content, ', ' ORDER BY content) FROM orchestrator.knowledge_staging"
        )?,
        "waits, young"
    );
    assert_eq!(
        text(
            &mut client,
            "SELECT count(*) FROM orchestrator.audit_events WHERE event_type = 'old'"
        )?,
        "1",
        "events are kept unless an age is set"
    );
    assert_eq!(
        run(&mut client)?,
        "expire_decisions 0, reclaim_expired_tasks 0, expire_sessions 0, deactivate_stale_sessions 0, release_idempotency_keys 0, purge_knowledge 0, seal_audit_events 1"
    );
    Ok(())
}

#[test]
fn every_age_can_be_configured() -> Result<()> {
    let database = walked_to("ages", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(ROWS)?;
    client.batch_execute(
        "SELECT orchestrator.set_configuration('session_silence_seconds', '20', 'integer'); \
         SELECT orchestrator.set_configuration('session_retention_days', '5', 'integer'); \
         SELECT orchestrator.set_configuration('idempotency_ttl_seconds', '3600', 'integer'); \
         SELECT orchestrator.set_configuration('knowledge_retention_days', '0.5', 'float'); \
         SELECT orchestrator.set_configuration('audit_retention_days', '365', 'integer')",
    )?;
    assert_eq!(
        run(&mut client)?,
        "expire_decisions 0, reclaim_expired_tasks 1, expire_sessions 2, deactivate_stale_sessions 3, release_idempotency_keys 2, purge_knowledge 2, purge_audit_events 1, seal_audit_events 0"
    );
    assert_eq!(
        text(&mut client, "SELECT count(*) FROM orchestrator.knowledge_staging")?,
        "1",
        "knowledge that is not embedded stays"
    );
    Ok(())
}

#[test]
fn a_wrong_age_stops_all_of_it_before_anything_is_done() -> Result<()> {
    let database = walked_to("wrong", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(ROWS)?;
    for (key, value) in [
        ("session_silence_seconds", "soon"),
        ("session_retention_days", "-1"),
        ("idempotency_ttl_seconds", "1e30"),
        ("knowledge_retention_days", "NaN"),
        ("audit_retention_days", "for ever"),
        ("audit_retention_days", "0.5"),
    ] {
        client
            .batch_execute(&format!("SELECT orchestrator.set_configuration('{key}', '{value}')"))?;
        let before = rows(&mut client)?;
        let refused = refusal(&mut client, "SELECT orchestrator.run_maintenance()");
        assert!(refused.contains("[22023]"), "{key} {value}: {refused}");
        assert_same_rows(&format!("{key} {value}"), &before, &rows(&mut client)?);
        client.batch_execute(&format!(
            "DELETE FROM orchestrator.configurations WHERE key = '{key}'"
        ))?;
    }
    Ok(())
}
