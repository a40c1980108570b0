//! The value of a secret is for admins: no lower level sees it in any table, view, function or
//! error.

use anyhow::Result;
use postgres::error::SqlState;
use support::extension::{newest, walked_to};
use support::roles::{self, name};

use super::{assert_forbidden, refusal, text};

const SECRET: &str = "hunter2-4711";

#[test]
fn nobody_below_admin_sees_the_value_of_a_secret() -> Result<()> {
    let database = walked_to("secret", newest()?)?;
    roles::of_every_level(&database)?;
    let mut client = database.client()?;
    client.batch_execute(&format!(
        "SELECT orchestrator.set_configuration('password', '{SECRET}', is_secret => true); \
         SELECT orchestrator.set_configuration('limit', '5', 'integer'); \
         SELECT orchestrator.set_configuration('{SECRET}x', 'no age', 'string', is_secret => false); \
         DELETE FROM orchestrator.configurations WHERE key <> 'password' AND key <> 'limit'; \
         ANALYZE orchestrator.configurations"
    ))?;
    let mut admin = database.client_as(&name(&database, "admin"))?;
    assert_eq!(text(&mut admin, "SELECT orchestrator.get_configuration('password')")?, SECRET);
    assert_eq!(
        text(&mut admin, "SELECT orchestrator.configuration_value('password')")?,
        format!("\"{SECRET}\"")
    );
    for level in ["nobody", "reader", "worker", "reviewer"] {
        let mut theirs = database.client_as(&name(&database, level))?;
        for sql in [
            "SELECT * FROM orchestrator.configurations",
            "SELECT value FROM orchestrator.configurations",
            "SELECT key FROM orchestrator.configurations",
            "COPY orchestrator.configurations TO STDOUT",
            "SELECT orchestrator.get_configuration('password')",
            "SELECT orchestrator.configuration_value('password')",
            "SELECT orchestrator.configuration_value('password', '1')",
            "SELECT orchestrator.set_configuration('password', 'x', 'integer')",
            "SELECT orchestrator.set_configuration('password', 'mine', is_secret => false)",
            "UPDATE orchestrator.configurations SET is_secret = false",
        ] {
            let (_, message) = refusal(&mut theirs, sql);
            assert!(!message.contains(SECRET), "{level}: {sql}: {message}");
            assert_forbidden(&mut theirs, level, sql);
        }
        if level == "nobody" {
            continue;
        }
        assert_eq!(text(&mut theirs, "SELECT orchestrator.configuration_value('limit')")?, "5");
        assert_eq!(text(&mut theirs, "SELECT orchestrator.get_configuration('limit')")?, "5");
        let listed = "SELECT string_agg(key || ' ' || value, ', ' ORDER BY key) FROM orchestrator.configuration_listing";
        assert_eq!(text(&mut theirs, listed)?, "limit 5, password ********");
        // A condition of the caller sees only masked values.
        theirs.batch_execute(
            "CREATE FUNCTION pg_temp.look(t text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN \
                 IF t LIKE 'hunter%' THEN RAISE 'seen %', t; END IF; RETURN true; END $$; \
             SELECT * FROM orchestrator.configuration_listing WHERE pg_temp.look(value)",
        )?;
        assert_eq!(
            text(
                &mut theirs,
                &format!(
                    "SELECT count(*) FROM pg_stats WHERE most_common_vals::text LIKE '%{SECRET}%' OR histogram_bounds::text LIKE '%{SECRET}%'"
                )
            )?,
            "0"
        );
        for relation in readable(&mut theirs)? {
            let found =
                format!("SELECT count(*) FROM {relation} AS t WHERE t::text LIKE '%{SECRET}%'");
            assert_eq!(text(&mut theirs, &found)?, "0", "{level} in {relation}");
        }
    }
    Ok(())
}

/// Every setting that the library reads, each with a value that occurs nowhere else.
const SETTINGS: [(&str, &str); 7] = [
    ("session_retention_days", "31.4159"),
    ("session_silence_seconds", "4321.875"),
    ("idempotency_ttl_seconds", "77777.125"),
    ("knowledge_retention_days", "432.5625"),
    ("audit_retention_days", "1234.0625"),
    ("safety_block_below", "0.7391"),
    ("safety_review_below", "0.8642"),
];

#[test]
fn no_secret_setting_is_shown() -> Result<()> {
    let database = walked_to("settings", newest()?)?;
    roles::of_every_level(&database)?;
    let mut client = database.client()?;
    let mut admin = database.client_as(&name(&database, "admin"))?;
    let mut worker = database.client_as(&name(&database, "worker"))?;
    for (key, value) in SETTINGS {
        admin.batch_execute(&format!(
            "SELECT orchestrator.set_configuration('{key}', '{value}', 'float', is_secret => true)"
        ))?;
    }
    client.batch_execute(
        "INSERT INTO orchestrator.audit_events (event_type, role, trace_id, \"timestamp\") \
             VALUES ('old', 'a', orchestrator.uuidv7(), '2000-01-01'); \
         INSERT INTO orchestrator.sessions (client_id, status, last_heartbeat, updated_at) \
             VALUES ('c', 'active', '2000-01-01', '2000-01-01')",
    )?;
    worker.batch_execute(
        "SELECT orchestrator.start_run(t, orchestrator.uuidv7(), 's') FROM unnest('{a,b}'::text[]) AS t; \
         SELECT orchestrator.record_safety('a', 0.8); \
         SELECT orchestrator.record_safety('b', 0.6, '{x}'); \
         SELECT orchestrator.record_safety('b', 0.5, '{y}')",
    )?;
    admin.batch_execute("SELECT orchestrator.run_maintenance()")?;
    let mut reader = database.client_as(&name(&database, "reader"))?;
    let reviews = "SELECT string_agg(format('%s %s', reason, context ->> 'violations'), ', ' ORDER BY thread_id) FROM orchestrator.human_review_queue";
    assert_eq!(
        text(&mut reader, reviews)?,
        "safety score 0.8 is below the configured threshold [], \
         safety score 0.5 is below the configured threshold [\"x\", \"y\"]"
    );
    let purged = "SELECT string_agg((metadata - 'session_user' - 'role' - 'seals_sha256' - 'kept_sha256')::text, ' ') FROM orchestrator.audit_events WHERE event_type = 'audit_events_purged'";
    let facts = "{\"kept\": 0, \"seals\": 1, \"purged\": 1}";
    assert_eq!(text(&mut reader, purged)?, facts, "the age follows from the time");
    let mut reported: Vec<String> = Vec::new();
    for relation in readable(&mut reader)? {
        let rows = format!("SELECT coalesce(string_agg(t::text, ' '), '') FROM {relation} AS t");
        reported.push(text(&mut reader, &rows)?);
    }
    for function in ["verify()", "dump_safety()", "help()", "typescript_types()", "manifest()"] {
        let rows = format!(
            "SELECT coalesce(string_agg(t::text, ' '), '') FROM orchestrator.{function} AS t"
        );
        reported.push(text(&mut reader, &rows)?);
    }
    for (key, value) in SETTINGS {
        assert!(reported.iter().any(|reported| reported.contains(key)), "{key} itself is known");
        assert!(reported.iter().all(|reported| !reported.contains(value)), "{key}: {value}");
    }
    // An error about a value that is not a number does not show it either.
    for (key, _) in SETTINGS {
        admin.batch_execute(&format!(
            "SELECT orchestrator.set_configuration('{key}', '{SECRET}', 'string', is_secret => true)"
        ))?;
        let (caller, call) = match key.starts_with("safety") {
            true => (&mut worker, "SELECT orchestrator.record_safety('a', 0.8)"),
            false => (&mut admin, "SELECT orchestrator.run_maintenance()"),
        };
        let (code, message) = refusal(caller, call);
        assert_eq!(code, SqlState::INVALID_PARAMETER_VALUE, "{key}: {message}");
        assert!(message.contains(key) && !message.contains(SECRET), "{message}");
        admin.batch_execute(&format!(
            "SELECT orchestrator.set_configuration('{key}', '0.5', 'float', is_secret => false); \
             DELETE FROM orchestrator.configurations WHERE key = '{key}'"
        ))?;
    }
    Ok(())
}

/// Every table and view that a role may read as a whole.
fn readable(client: &mut postgres::Client) -> Result<Vec<String>> {
    let rows = client.query(
        "SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relnamespace = 'orchestrator'::regnamespace \
         AND c.relkind IN ('r', 'v') AND has_table_privilege(c.oid, 'SELECT')",
        &[],
    )?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}
