//! Functions without a pinned search_path run with the search_path of the session, some of them as
//! the owner of a table. Each is reached in every way, with traps in front of every name.

use anyhow::Result;
use postgres::Client;
use support::Database;
use support::extension::{differences, filled_to, newest, walked_to};
use support::roles::{self, name};

use super::{text, traps};

/// A run whose only review is resolved. A change of the thread's name reaches the review by ON UPDATE
/// CASCADE, as the owner of the tables.
const RUN: &str = "SELECT orchestrator.start_run('t', '0198c5a0-0000-7000-8000-000000000001', 's'); \
     SELECT orchestrator.request_review('t', 'gate_override', 'r'); \
     SELECT orchestrator.resolve_review(id, 'approved', 'ada') FROM orchestrator.human_review_queue;";

/// Objects that a role with a grant by hand creates for itself, before the traps are set.
const OWN: &str = "\
    CREATE VIEW own.runs AS SELECT thread_id FROM orchestrator.orchestrator_runs; \
    CREATE TABLE own.ruled (thread_id text); \
    CREATE RULE renames AS ON INSERT TO own.ruled DO INSTEAD UPDATE orchestrator.orchestrator_runs SET thread_id = new.thread_id; \
    CREATE FUNCTION own.rename() RETURNS trigger LANGUAGE plpgsql AS \
        $$ BEGIN UPDATE orchestrator.orchestrator_runs SET thread_id = new.thread_id; RETURN new; END $$; \
    CREATE TABLE own.triggering (thread_id text); \
    CREATE TRIGGER renames AFTER INSERT ON own.triggering FOR EACH ROW EXECUTE FUNCTION own.rename(); \
    PREPARE renaming AS UPDATE orchestrator.orchestrator_runs SET thread_id = 'prepared';";

/// Every way to run the trigger of the reviews. Each renames the thread to the name of the way.
const WAYS: [(&str, &str); 10] = [
    ("direct", "UPDATE orchestrator.orchestrator_runs SET thread_id = 'direct'"),
    ("view", "UPDATE own.runs SET thread_id = 'view'"),
    ("rule", "INSERT INTO own.ruled VALUES ('rule')"),
    ("trigger", "INSERT INTO own.triggering VALUES ('trigger')"),
    ("prepared", "EXECUTE renaming"),
    (
        "common",
        "WITH c AS (UPDATE orchestrator.orchestrator_runs SET thread_id = 'common' RETURNING 1) SELECT FROM c",
    ),
    ("block", "DO $$ BEGIN UPDATE orchestrator.orchestrator_runs SET thread_id = 'block'; END $$"),
    (
        "cursor",
        "BEGIN; DECLARE c CURSOR FOR SELECT FROM orchestrator.orchestrator_runs FOR UPDATE; FETCH c; \
         UPDATE orchestrator.orchestrator_runs SET thread_id = 'cursor' WHERE CURRENT OF c; COMMIT",
    ),
    (
        "merge",
        "MERGE INTO orchestrator.orchestrator_runs AS r USING (VALUES (1)) AS v (x) ON true \
         WHEN MATCHED THEN UPDATE SET thread_id = 'merge'",
    ),
    (
        "conflict",
        "INSERT INTO orchestrator.orchestrator_runs (thread_id, project_id, story_id) \
         VALUES ('merge', '0198c5a0-0000-7000-8000-000000000001', 's') \
         ON CONFLICT (thread_id) DO UPDATE SET thread_id = 'conflict'",
    ),
];

/// A role with grants by hand, and a schema of its own.
fn by_hand(database: &Database) -> Result<String> {
    let role = name(database, "by_hand");
    let mut client = database.client()?;
    roles::make(&mut client, &role)?;
    client.batch_execute(&format!(
        "GRANT USAGE ON SCHEMA orchestrator TO {role}; GRANT EXECUTE ON FUNCTION orchestrator.uuidv7() TO {role}; \
         GRANT SELECT, INSERT, UPDATE (thread_id) ON orchestrator.orchestrator_runs TO {role}; \
         CREATE SCHEMA own AUTHORIZATION {role};"
    ))?;
    Ok(role)
}

fn threads(client: &mut Client) -> Result<String> {
    text(
        client,
        "SELECT format('%s %s', r.thread_id, q.thread_id) FROM orchestrator.orchestrator_runs AS r, orchestrator.human_review_queue AS q",
    )
}

/// An operator of a role, found before the server's own, would make the role a superuser.
#[test]
fn no_grant_by_hand_makes_a_superuser() -> Result<()> {
    let database = walked_to("escalation", newest()?)?;
    let role = by_hand(&database)?;
    let mut superuser = database.client()?;
    superuser.batch_execute(RUN)?;
    let mut client = database.client_as(&role)?;
    client.batch_execute(&format!(
        "CREATE FUNCTION own.equal(text, text) RETURNS boolean LANGUAGE plpgsql AS \
             $$ BEGIN ALTER ROLE {role} SUPERUSER; RETURN false; END $$; \
         CREATE OPERATOR own.= (FUNCTION = own.equal, LEFTARG = text, RIGHTARG = text); \
         SET search_path = own, pg_catalog; \
         UPDATE orchestrator.orchestrator_runs SET thread_id = 'renamed';"
    ))?;
    let is_superuser =
        text(&mut superuser, &format!("SELECT rolsuper FROM pg_roles WHERE rolname = '{role}'"))?;
    assert_eq!(is_superuser, "false", "the operator ran as the owner");
    assert_eq!(threads(&mut superuser)?, "renamed renamed");
    Ok(())
}

/// If a table has lost a column, `row.column` means a function of that name.
#[test]
fn no_function_replaces_a_missing_column() -> Result<()> {
    let database = walked_to("attribute", newest()?)?;
    let role = by_hand(&database)?;
    let mut superuser = database.client()?;
    superuser.batch_execute(RUN)?;
    superuser.batch_execute(
        "ALTER TABLE orchestrator.orchestrator_runs DISABLE TRIGGER USER; \
         ALTER TABLE orchestrator.orchestrator_runs RENAME COLUMN thread_id TO thread",
    )?;
    let mut client = database.client_as(&role)?;
    client.batch_execute(&format!(
        "CREATE FUNCTION own.thread_id(orchestrator.orchestrator_runs) RETURNS text LANGUAGE plpgsql AS \
             $$ BEGIN ALTER ROLE {role} SUPERUSER; RETURN NULL; END $$; \
         SET search_path = own, pg_catalog;"
    ))?;
    let renaming =
        client.batch_execute("UPDATE orchestrator.orchestrator_runs SET thread = 'renamed'");
    let code = renaming.err().and_then(|error| error.code().map(|code| code.code().to_owned()));
    assert_eq!(code.as_deref(), Some("42703"), "the column is missing, and nothing replaces it");
    let is_superuser =
        text(&mut superuser, &format!("SELECT rolsuper FROM pg_roles WHERE rolname = '{role}'"))?;
    assert_eq!(is_superuser, "false");
    Ok(())
}

#[test]
fn no_trap_is_sprung_on_any_way_to_the_trigger() -> Result<()> {
    let database = walked_to("ways", newest()?)?;
    let role = by_hand(&database)?;
    let mut superuser = database.client()?;
    superuser.batch_execute(RUN)?;
    traps::set(&mut superuser)?;
    let mut client = database.client_as(&role)?;
    client.batch_execute(OWN)?;
    traps::surround(&mut client)?;
    for (way, sql) in WAYS {
        if let Err(error) = client.batch_execute(sql) {
            panic!("{way}: {}", xtask::address::explain(&error));
        }
        assert_eq!(threads(&mut superuser)?, format!("{way} {way}"));
    }
    assert_eq!(differences(&mut superuser)?, [""; 0]);
    Ok(())
}

/// Changes are applied as by a subscription: only this trigger is enabled for replication.
#[test]
fn no_trap_is_sprung_by_replicated_changes() -> Result<()> {
    let database = walked_to("replica", newest()?)?;
    let mut superuser = database.client()?;
    superuser.batch_execute(RUN)?;
    traps::set(&mut superuser)?;
    superuser.batch_execute(
        "ALTER TABLE orchestrator.human_review_queue DROP CONSTRAINT human_review_queue_thread_id_fkey; \
         ALTER TABLE orchestrator.human_review_queue ENABLE ALWAYS TRIGGER human_review_queue_lifecycle; \
         SET session_replication_role = replica; \
         UPDATE orchestrator.orchestrator_runs SET thread_id = 'applied'",
    )?;
    traps::surround(&mut superuser)?;
    let applied =
        superuser.batch_execute("UPDATE orchestrator.human_review_queue SET thread_id = 'applied'");
    if let Err(error) = applied {
        panic!("{}", xtask::address::explain(&error));
    }
    Ok(())
}

/// The defaults, checks and triggers of every table run while rows are inserted, copied in and updated.
#[test]
fn no_trap_is_sprung_by_rows_of_any_table() -> Result<()> {
    let database = filled_to("rows", newest()?)?;
    let mut client = database.client()?;
    traps::set(&mut client)?;
    let functions = client.query(
        "SELECT p.proname::text FROM pg_proc AS p WHERE p.pronamespace = 'orchestrator'::regnamespace \
         AND NOT coalesce(p.proconfig && ARRAY['search_path=pg_catalog, pg_temp'], false) ORDER BY p.proname",
        &[],
    )?;
    let functions: Vec<String> =
        functions.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    assert_eq!(
        functions,
        [
            "enforce_lifecycle",
            "is_valid_configuration",
            "is_valid_llm_call",
            "llm_call_cost",
            "llm_cost_line",
            "llm_input_units",
            "llm_special_call",
            "llm_unpriced_units",
            "llm_usage_sums",
            "llm_usage_sums_add",
            "text_sha256",
            "uuidv7",
            "v7_is_valid_file_name"
        ]
    );
    let changes = client.query(
        "SELECT format('UPDATE orchestrator.%I SET %s', c.relname, string_agg(format('%1$I = %1$I', a.attname), ', ')) \
         FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_proc AS p ON p.oid = t.tgfoid \
         JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
              AND a.attgenerated = '' AND a.attidentity = '' \
         WHERE p.proname = 'enforce_lifecycle' GROUP BY c.relname ORDER BY c.relname",
        &[],
    )?;
    let changes: Vec<String> =
        changes.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    assert!(changes.len() > 10, "{changes:?}");
    let written = [
        "SELECT orchestrator.uuidv7()",
        "SELECT orchestrator.is_valid_configuration('1', 'integer')",
        "SELECT orchestrator.is_valid_configuration('1e3', 'float')",
        "SELECT orchestrator.is_valid_configuration('{\"a\": 1}', 'json')",
        "SELECT orchestrator.v7_is_valid_file_name('WF1_V7_L1_1of1_A.py')",
        "INSERT INTO orchestrator.configurations (key, value, value_type) VALUES ('written', '1', 'integer')",
        "COPY orchestrator.configurations (key, value, value_type) FROM PROGRAM 'echo \"read,true,boolean\"' (FORMAT csv)",
        "UPDATE orchestrator.file_audit SET v7_target_name = 'WF1_V7_L1_1of1_A.py'",
    ];
    traps::surround(&mut client)?;
    for sql in changes.iter().map(String::as_str).chain(written) {
        if let Err(error) = client.batch_execute(sql) {
            panic!("{sql}: {}", xtask::address::explain(&error));
        }
    }
    Ok(())
}
