//! Recorded, published and resolved rows can be changed only through the functions, and the trail
//! records the login role.

use anyhow::Result;
use postgres::error::SqlState;
use support::Database;
use support::extension::{newest, walked_to};
use support::roles::{self, LEVELS, name};
use support::snapshot::{assert_same_rows, rows};

use super::{assert_forbidden, refusal, text};

/// A database with resolved, recorded, published and pending rows.
fn with_history(prefix: &str) -> Result<Database> {
    let database = walked_to(prefix, newest()?)?;
    roles::of_every_level(&database)?;
    database.client()?.batch_execute(
        "SELECT orchestrator.start_run('t', orchestrator.uuidv7(), 's'); \
         SELECT orchestrator.resolve_review(orchestrator.request_review('t', 'gate_override', 'r'), 'approved', 'ada'); \
         SELECT orchestrator.request_review('t', 'gate_override', 'waits'); \
         SELECT orchestrator.resolve_gate(orchestrator.open_gate(orchestrator.uuidv7(), 'a', 'manual', 'r'), 'denied', 'ada', 'no'); \
         SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'a', 'manual', 'waits'); \
         SELECT orchestrator.request_approval(task_id, 'boss'), orchestrator.resolve_approval(orchestrator.request_approval(task_id, 'boss'), 'approved', 'boss') \
         FROM orchestrator.route_task('routing', 'd', 'a', 'boss'); \
         SELECT orchestrator.publish_prompt('coder', '1.0.0', 'You code.', activate => true)",
    )?;
    Ok(database)
}

/// Tables whose rows only functions may write.
const WRITTEN_BY_FUNCTIONS: [(&str, &str); 6] = [
    ("gates", "feedback"),
    ("approvals", "notes"),
    ("human_review_queue", "resolution_notes"),
    ("orchestrator_runs", "error"),
    ("audit_events", "role"),
    ("prompts", "notes"),
];

#[test]
fn no_level_writes_past_the_functions() -> Result<()> {
    let database = with_history("history")?;
    let before = rows(&mut database.client()?)?;
    for level in LEVELS {
        let mut client = database.client_as(&name(&database, level))?;
        for (table, column) in WRITTEN_BY_FUNCTIONS {
            let table = format!("orchestrator.{table}");
            for sql in [
                format!("UPDATE {table} SET {column} = 'forged'"),
                format!("UPDATE ONLY {table} SET id = id"),
                format!("DELETE FROM {table}"),
                format!("TRUNCATE {table} CASCADE"),
                format!("INSERT INTO {table} (id) SELECT id FROM {table}"),
                format!("INSERT INTO {table} ({column}) VALUES ('forged')"),
                format!(
                    "MERGE INTO {table} AS t USING {table} AS s ON t.id = s.id WHEN MATCHED THEN DELETE"
                ),
                format!("SELECT * FROM {table} FOR UPDATE"),
                format!("COPY {table} FROM '/dev/null'"),
                format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
                format!("ALTER TABLE {table} ADD COLUMN forged integer"),
                format!(
                    "CREATE TRIGGER forged BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
                ),
                format!("CREATE RULE forged AS ON UPDATE TO {table} DO INSTEAD NOTHING"),
                format!("CREATE TEMP TABLE child () INHERITS ({table})"),
                format!("DO $$ BEGIN LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; END $$"),
            ] {
                assert_forbidden(&mut client, level, &sql);
            }
        }
        // Statements that would remove resolved rows with their parents.
        for sql in [
            "DELETE FROM orchestrator.tasks",
            "TRUNCATE orchestrator.tasks CASCADE",
            "UPDATE orchestrator.orchestrator_runs SET thread_id = 'other'",
            "UPDATE orchestrator.sessions SET status = 'completed'",
            "UPDATE orchestrator.tool_executions SET status = 'completed'",
            "UPDATE orchestrator.tasks SET from_role = 'boss'",
            "INSERT INTO orchestrator.tasks (title, task_type, from_role, to_role, trace_id, description) VALUES ('', 'routing', 'a', 'b', orchestrator.uuidv7(), 'd')",
            "SET session_replication_role = replica",
            "SELECT orchestrator.archive_table('orchestrator.audit_events')",
            "SELECT orchestrator.archive_columns('orchestrator.gates', array['feedback'])",
            "SELECT orchestrator.restore_table('orchestrator.gates')",
            "DROP EXTENSION orchestrator_schema CASCADE",
            "ALTER EXTENSION orchestrator_schema UPDATE TO '0.0.0'",
            "CREATE TABLE orchestrator.mine ()",
            "CREATE FUNCTION orchestrator.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        ] {
            let (code, message) = refusal(&mut client, sql);
            let refused = [SqlState::INSUFFICIENT_PRIVILEGE, SqlState::UNDEFINED_FUNCTION];
            assert!(refused.contains(&code), "{level}: {sql}: {message}");
        }
    }
    assert_same_rows("after every attempt", &before, &rows(&mut database.client()?)?);
    Ok(())
}

#[test]
fn a_worker_cannot_decide_and_a_reviewer_cannot_work() -> Result<()> {
    let database = with_history("deciding")?;
    let mut worker = database.client_as(&name(&database, "worker"))?;
    for call in [
        "decide(id, 'approve', 'me')",
        "resolve_review(id, 'approved', 'me')",
        "resolve_gate(id, 'approved', 'me')",
        "resolve_approval(id, 'approved', 'boss')",
        "resolve_reviews(array[id], 'approved', 'me')",
    ] {
        assert_forbidden(
            &mut worker,
            "worker",
            &format!("SELECT orchestrator.{call} FROM orchestrator.pending_decisions"),
        );
    }
    let mut reviewer = database.client_as(&name(&database, "reviewer"))?;
    for sql in [
        "SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'a', 'manual', 'r')",
        "SELECT orchestrator.start_run('u', NULL, 's')",
        "SELECT orchestrator.record_event('e', 'r', NULL)",
        "INSERT INTO orchestrator.tasks (title, task_type) VALUES ('t', 't')",
        "SELECT orchestrator.publish_prompt('coder', '1.0.1', 'x')",
        "SELECT orchestrator.set_configuration('k', 'v')",
        "SELECT orchestrator.run_maintenance()",
        "SELECT orchestrator.purge_audit_events('1 day')",
    ] {
        assert_forbidden(&mut reviewer, "reviewer", sql);
    }
    let decided = "SELECT string_agg(d.kind || ' ' || d.status, ', ' ORDER BY d.kind) FROM orchestrator.pending_decisions AS p, \
         LATERAL orchestrator.decide(p.id, 'approve', 'boss') AS d";
    assert_eq!(text(&mut reviewer, decided)?, "approval approved, gate approved, review approved");
    assert_eq!(text(&mut reviewer, "SELECT count(*) FROM orchestrator.pending_decisions")?, "0");
    Ok(())
}

/// The caller chooses the name of the decider; the server records the login role, which no caller can
/// choose, and the role in force, which is one that the login is a member of.
#[test]
fn the_recorded_login_cannot_be_forged() -> Result<()> {
    let database = with_history("forged")?;
    let (worker, reviewer) = (name(&database, "worker"), name(&database, "reviewer"));
    let mut client = database.client()?;
    client.batch_execute(&format!("GRANT {worker} TO {reviewer}"))?;
    let mut theirs = database.client_as(&reviewer)?;
    let id =
        text(&mut theirs, "SELECT id FROM orchestrator.pending_decisions WHERE kind = 'gate'")?;
    theirs.batch_execute(&format!(
        "SELECT orchestrator.decide('{id}', 'approve', 'the president')"
    ))?;
    let trail = format!(
        "SELECT role || ' ' || (metadata ->> 'session_user') FROM orchestrator.audit_events WHERE event_type = 'gate_approved' AND metadata ->> 'gate_id' = '{id}'"
    );
    assert_eq!(text(&mut client, &trail)?, format!("the president {reviewer}"));
    theirs.batch_execute(&format!(
        "SET ROLE {worker}; \
         SELECT orchestrator.record_event('said', 'me', '{id}', \
             '{{\"session_user\": \"postgres\", \"role\": \"postgres\", \"subject\": \"ada\", \"n\": 1}}')"
    ))?;
    let said = "SELECT metadata FROM orchestrator.audit_events WHERE event_type = 'said'";
    assert_eq!(
        text(&mut client, said)?,
        format!("{{\"n\": 1, \"role\": \"{worker}\", \"session_user\": \"{reviewer}\"}}")
    );
    assert_forbidden(&mut theirs, "reviewer", "SET SESSION AUTHORIZATION postgres");
    Ok(())
}

/// A person decides an approval if the role in force is a member of the role that was asked. The login of
/// a pooler may be a member of every role; it does not count while another role is in force.
#[test]
fn the_role_in_force_decides_for_the_roles_that_it_is_a_member_of() -> Result<()> {
    let database = walked_to("members", newest()?)?;
    roles::of_every_level(&database)?;
    let (login, reviewer) = (name(&database, "admin"), name(&database, "reviewer"));
    let (lead, legal) = (format!("lead of {login}"), format!("legal of {login}"));
    let mut client = database.client()?;
    client.batch_execute(&format!(
        "DROP ROLE IF EXISTS \"{lead}\", \"{legal}\"; CREATE ROLE \"{lead}\"; CREATE ROLE \"{legal}\"; \
         GRANT \"{lead}\", \"{legal}\", {reviewer} TO {login}; GRANT \"{legal}\" TO {reviewer}"
    ))?;
    let mut ask = |role: &str| -> Result<String> {
        let call = format!(
            "SELECT orchestrator.request_approval(task_id, '{role}')::text FROM orchestrator.route_task('routing', 'd', 'a', 'b')"
        );
        text(&mut client, &call)
    };
    let decide =
        |id: &str| format!("SELECT status FROM orchestrator.decide('{id}', 'approve', 'ada')");
    let mut theirs = database.client_as(&login)?;
    theirs.batch_execute(&format!("SET ROLE {reviewer}"))?;
    assert_eq!(text(&mut theirs, &decide(&ask(&legal)?))?, "approved");
    let id = ask(&lead)?;
    assert_forbidden(&mut theirs, "a reviewer", &decide(&id));
    theirs.batch_execute("RESET ROLE")?;
    assert_eq!(text(&mut theirs, &decide(&id))?, "approved");
    // The name of a role that no server has is a word like any other.
    assert_forbidden(&mut theirs, "a member of nothing", &decide(&ask("nowhere")?));
    let same = decide(&id);
    theirs.batch_execute(&format!("SET ROLE {reviewer}"))?;
    assert_forbidden(&mut theirs, "a reviewer, again", &same);
    theirs.batch_execute("RESET ROLE")?;
    assert_eq!(text(&mut theirs, &same)?, "approved");
    Ok(())
}
