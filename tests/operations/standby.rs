//! On a standby every function that only reads works, and every function that writes fails with the
//! reason.

use std::fs;

use anyhow::{Context, Result};
use support::deadline::wait_until;
use support::server;
use xtask::cluster::{Cluster, Settings};

use super::{refusal, text};

#[test]
fn reads_work_on_a_standby_and_writes_fail_with_the_reason() -> Result<()> {
    let parameters = [("wal_level", "replica"), ("max_wal_senders", "5"), ("hot_standby", "on")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let primary =
        Cluster::start(server()?.pg_config(), &Settings { parameters, ..Settings::default() })?;
    let mut client = primary.connect("postgres")?;
    client.batch_execute(
        "CREATE EXTENSION orchestrator_schema; CREATE ROLE reader LOGIN; SELECT orchestrator.grant_access('reader', 'reader'); \
         SELECT orchestrator.set_configuration('limit', '5', 'integer'); \
         SELECT orchestrator.publish_prompt('coder', '1.0.0', 'You code.', activate => true); \
         SELECT orchestrator.start_run('t', orchestrator.uuidv7(), 's'); \
         SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'a', 'manual', 'r')",
    )?;
    let standby = Cluster::standby_of(&primary)?;
    let target = text(&mut client, "SELECT pg_current_wal_lsn()")?;
    let mut client = standby.connect("postgres")?;
    wait_until("the standby follows", || {
        Ok(text(&mut client, &format!("SELECT pg_last_wal_replay_lsn() >= '{target}'"))? == "true")
    })?;
    assert_eq!(text(&mut client, "SELECT pg_is_in_recovery()")?, "true");
    let mut reader = standby.connect_as("postgres", "reader")?;
    for (sql, expected) in [
        ("SELECT count(*) FROM orchestrator.verify()", "0"),
        ("SELECT count(*) FROM orchestrator.dump_safety()", "0"),
        (
            "SELECT string_agg(grantee || ' ' || level, ', ') FROM orchestrator.access()",
            "reader reader",
        ),
        ("SELECT count(*) FROM orchestrator.pending_decisions", "1"),
        ("SELECT count(*) FROM orchestrator.decision_cards", "1"),
        (
            "SELECT d.status FROM orchestrator.pending_decisions AS p, orchestrator.decision(p.id) AS d",
            "pending",
        ),
        ("SELECT gate_status FROM orchestrator.run_summary", "pending"),
        ("SELECT orchestrator.active_prompt('coder')", "You code."),
        ("SELECT orchestrator.next_prompt_version('coder')", "1.0.1"),
        ("SELECT orchestrator.configuration_value('limit')", "5"),
        ("SELECT orchestrator.get_configuration('limit')", "5"),
        ("SELECT count(*) > 0 FROM orchestrator.allowed_transitions('gate')", "true"),
        ("SELECT length(orchestrator.fingerprint())", "64"),
        ("SELECT orchestrator.typescript_types() LIKE '%OrchestratorRun%'", "true"),
        ("SELECT orchestrator.json_schema('gates') ->> 'type'", "object"),
        ("SELECT orchestrator.llm_cost('unknown', 1, 1) IS NULL", "true"),
    ] {
        let answer = text(&mut reader, sql).with_context(|| sql.to_owned())?;
        assert_eq!(answer, expected, "{sql}");
    }
    for sql in [
        "SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'a', 'manual', 'r')",
        "SELECT orchestrator.decide(id, 'approve', 'ada') FROM orchestrator.pending_decisions",
        "SELECT orchestrator.grant_access('reader', 'worker')",
        "SELECT orchestrator.run_maintenance()",
        "SELECT orchestrator.set_configuration('limit', '6', 'integer')",
        "SELECT orchestrator.session_heartbeat(orchestrator.uuidv7())",
        "SELECT orchestrator.archived()",
        "SELECT orchestrator.downgrade_plan('0.0.0')",
    ] {
        let refused = refusal(&mut client, sql);
        assert!(refused.contains("[25006]"), "{sql}: {refused}");
    }
    let folder = standby.folder();
    drop(standby);
    assert!(fs::metadata(folder).is_err(), "nothing is left of the standby");
    Ok(())
}
