//! A caller has a search_path, a schema and temporary objects of its own. No function of ours may look
//! up any of them, especially not with the rights of the owner.

use anyhow::Result;
use postgres::Client;
use support::Database;
use support::extension::{differences, newest, walked_to};
use support::roles::{self, name};

use super::{text, traps};

/// Calls of every function that runs with the owner's rights, and updates that run every trigger, each
/// with arguments for which it does its work.
const STORY: &[(&str, &str)] = &[
    ("worker", "start_run('t', '0198c5a0-0000-7000-8000-000000000001', 's')"),
    ("worker", "ensure_run('t', '0198c5a0-0000-7000-8000-000000000001', 's')"),
    ("worker", "save_run_state('t', '{\"step\": 1}')"),
    ("worker", "record_run_progress('t', 'development', 'dev', 5, 0.1, '{a}')"),
    ("worker", "record_safety('t', 0.8, '{x}')"),
    ("worker", "pause_run('t', 'why')"),
    ("worker", "request_review('t', 'gate_override', 'r')"),
    ("worker", "request_review('t', 'gate_override', 'r', request_key => 'k')"),
    ("worker", "request_review('t', 'gate_override', 'r', request_key => 'k')"),
    (
        "reviewer",
        "resolve_review(id, 'approved', 'ada') FROM orchestrator.human_review_queue WHERE review_type OPERATOR(pg_catalog.=) 'safety'",
    ),
    (
        "reviewer",
        "resolve_reviews(array[id], 'approved', 'ada') FROM orchestrator.human_review_queue WHERE status OPERATOR(pg_catalog.=) 'pending'",
    ),
    ("reviewer", "resume_run('t')"),
    (
        "worker",
        "open_gate('0198c5a0-0000-7000-8000-000000000001', 'a', 'manual', 'zero', '{}', 'k', 't')",
    ),
    ("reviewer", "resolve_gate(id, 'denied', 'ada', 'no') FROM orchestrator.gates"),
    ("worker", "record_token_usage('gpt-5', 5, 5, thread_id => 't', call_id => 'c')"),
    ("worker", "record_token_usage('gpt-5', 5, 5, thread_id => 't', call_id => 'c')"),
    (
        "worker",
        "INSERT INTO orchestrator.tasks (id, title, task_type, thread_id) VALUES ('0198c5a0-0000-7000-8000-000000000009', 't', 'build', 't')",
    ),
    ("worker", "start_tool_execution('0198c5a0-0000-7000-8000-000000000009', 'tool')"),
    (
        "worker",
        "request_approval('0198c5a0-0000-7000-8000-000000000009', 'boss', request_key => 'k')",
    ),
    ("reviewer", "resolve_approval(id, 'rejected', 'boss') FROM orchestrator.approvals"),
    ("worker", "finish_tool_execution(id, 'completed') FROM orchestrator.tool_executions"),
    ("worker", "create_task('story', 'one', thread_id => 't', max_attempts => 5)"),
    (
        "worker",
        "create_task('story', 'two', idempotency_key => '0198c5a0-0000-7000-8000-00000000000a')",
    ),
    (
        "worker",
        "create_task('story', 'two', idempotency_key => '0198c5a0-0000-7000-8000-00000000000a')",
    ),
    ("worker", "claim_tasks('w', '{story}', batch => 2)"),
    (
        "worker",
        "renew_claim(id, 'w') FROM orchestrator.tasks WHERE title OPERATOR(pg_catalog.=) 'one'",
    ),
    (
        "worker",
        "begin_step(id, 'k', 'llm') FROM orchestrator.tasks WHERE title OPERATOR(pg_catalog.=) 'one'",
    ),
    (
        "worker",
        "begin_step(id, 'k', 'llm') FROM orchestrator.tasks WHERE title OPERATOR(pg_catalog.=) 'one'",
    ),
    (
        "worker",
        "fail_task(id, 'w', 'no', '0') FROM orchestrator.tasks WHERE title OPERATOR(pg_catalog.=) 'one'",
    ),
    ("worker", "claim_tasks('w', batch => 9)"),
    (
        "worker",
        "release_task(id, 'w') FROM orchestrator.tasks WHERE title OPERATOR(pg_catalog.=) 'one'",
    ),
    ("worker", "claim_tasks('w', '{story}', 'boss')"),
    ("worker", "claim_tasks('w', to_role => 'boss')"),
    ("worker", "claim_tasks('w', '{story}')"),
    (
        "worker",
        "fail_task(id, 'w', 'no') FROM orchestrator.tasks WHERE title OPERATOR(pg_catalog.=) 'one'",
    ),
    (
        "worker",
        "complete_task(id, 'w') FROM orchestrator.tasks WHERE title OPERATOR(pg_catalog.=) 'two'",
    ),
    (
        "worker",
        "complete_task(id, 'w') FROM orchestrator.tasks WHERE title OPERATOR(pg_catalog.=) 'two'",
    ),
    (
        "worker",
        "complete_tasks(array[id], 'w') FROM orchestrator.tasks WHERE title OPERATOR(pg_catalog.=) 'two'",
    ),
    ("worker", "reclaim_expired_tasks()"),
    (
        "reviewer",
        "retry_task(id) FROM orchestrator.tasks WHERE title OPERATOR(pg_catalog.=) 'one' AND status OPERATOR(pg_catalog.=) 'failed'",
    ),
    ("worker", "start_workflow(id) FROM orchestrator.workflows"),
    ("reviewer", "pause_workflow(id, 'why') FROM orchestrator.workflows"),
    (
        "reviewer",
        "cancel_task(id, 'why') FROM orchestrator.tasks WHERE title OPERATOR(pg_catalog.=) 'one'",
    ),
    ("admin", "rebuild_task_queue()"),
    ("worker", "run_trail('t')"),
    ("worker", "kill_run('t', 'done')"),
    (
        "worker",
        "open_gate('0198c5a0-0000-7000-8000-000000000001', 'a', 'manual', 'one', '{\"technology\": \"rust\"}')",
    ),
    (
        "reviewer",
        "resolve_gate(id, 'denied', 'ada', 'no') FROM orchestrator.gates WHERE status OPERATOR(pg_catalog.=) 'pending'",
    ),
    ("worker", "open_gate('0198c5a0-0000-7000-8000-000000000001', 'a', 'manual', 'two')"),
    ("reviewer", "decide(id, 'approve', 'ada') FROM orchestrator.pending_decisions"),
    (
        "reviewer",
        "decide(id, 'approve', 'ada') FROM orchestrator.gates WHERE reason OPERATOR(pg_catalog.=) 'two'",
    ),
    ("reviewer", "decision(id) FROM orchestrator.gates"),
    (
        "admin",
        "set_decision_rule('gate', 'high_risk', '1 hour', 'escalate', 'lead', 2, 2, true, 'deputy')",
    ),
    ("worker", "open_gate('0198c5a0-0000-7000-8000-000000000001', 'a', 'high_risk', 'three')"),
    ("reviewer", "claim_decision(id, 'ada') FROM orchestrator.pending_decisions"),
    ("reviewer", "release_decision(id, 'ada') FROM orchestrator.pending_decisions"),
    ("reviewer", "assign_decision(id, 'dean', 'ada') FROM orchestrator.pending_decisions"),
    ("reviewer", "decide(id, 'approve', 'ada') FROM orchestrator.pending_decisions"),
    ("admin", "expire_decisions()"),
    ("worker", "withdraw_decision(id, 'a', 'no') FROM orchestrator.pending_decisions"),
    ("admin", "drop_decision_rule('gate', 'high_risk')"),
    (
        "worker",
        "route_task('routing', 'd', 'a', 'boss', '{}', NULL, '0198c5a0-0000-7000-8000-000000000002')",
    ),
    (
        "worker",
        "route_task('routing', 'd', 'a', 'boss', '{}', NULL, '0198c5a0-0000-7000-8000-000000000002')",
    ),
    (
        "worker",
        "request_approval(id, 'boss') FROM orchestrator.tasks WHERE task_type OPERATOR(pg_catalog.=) 'routing'",
    ),
    (
        "reviewer",
        "resolve_approval(id, 'rejected', 'boss') FROM orchestrator.approvals WHERE status OPERATOR(pg_catalog.=) 'pending'",
    ),
    (
        "reviewer",
        "resolve_approval(id, 'rejected', 'boss') FROM orchestrator.approvals WHERE status OPERATOR(pg_catalog.=) 'rejected'",
    ),
    (
        "worker",
        "start_tool_execution(id, 'tool') FROM orchestrator.tasks WHERE task_type OPERATOR(pg_catalog.=) 'routing'",
    ),
    (
        "worker",
        "finish_tool_execution(id, 'completed') FROM orchestrator.tool_executions WHERE status OPERATOR(pg_catalog.=) 'running'",
    ),
    ("worker", "move_session(id, 'activate') FROM orchestrator.sessions"),
    ("worker", "session_heartbeat(id) FROM orchestrator.sessions"),
    ("worker", "deactivate_stale_sessions('0')"),
    ("worker", "request_collaboration('requirements', 'a', 'b', 'what is it about?')"),
    (
        "worker",
        "answer_collaboration(collaboration_id, 'b', 'this', 0.5) FROM orchestrator.collaboration_requests",
    ),
    ("worker", "record_token_usage('gpt-5', 5, 5)"),
    ("worker", "stage_knowledge('failure_solution', 'c', '{\"task_type\": \"x\"}')"),
    ("worker", "claim_knowledge(1)"),
    ("worker", "claim_knowledge(1, 'w', '1 hour')"),
    ("worker", "fail_knowledge(array[id], 'e', '0') FROM orchestrator.knowledge_staging LIMIT 1"),
    ("worker", "mark_knowledge_embedded(array[id]) FROM orchestrator.knowledge_staging LIMIT 1"),
    ("worker", "record_event('e', 'r', '0198c5a0-0000-7000-8000-000000000003')"),
    ("admin", "publish_prompt('coder', '1.0.0', 'x', activate => true)"),
    ("admin", "activate_prompt('coder', '1.0.0')"),
    ("admin", "activate_prompt('coder', '1.0.0', 'canary', 10, 'ada')"),
    ("worker", "active_prompt('coder', 'canary', key => 'k')"),
    ("worker", "prompt_diff('coder', '1.0.0', '1.0.0')"),
    ("admin", "restage_knowledge('m')"),
    ("admin", "set_price('m', 1, 2)"),
    (
        "admin",
        "set_price('m', 1, 3, components => '[{\"component\": \"cache_read\", \"per_unit\": 0.1}]')",
    ),
    ("admin", "set_model_alias('n', 'm')"),
    (
        "admin",
        "import_prices('{\"o\": {\"input_cost_per_token\": 1e-06}, \"p\": {\"alias_of\": \"o\"}}')",
    ),
    ("worker", "record_llm_call('n', 5, 5, units => '{\"image\": 1}', call_id => 'd')"),
    ("admin", "set_budget(1, 'day', subject => 's', hold => '1 hour')"),
    ("worker", "reserve_budget(0.6, subject => 's')"),
    (
        "worker",
        "reserve_budget(0.6, subject => 's', reservation_id => '0198c5a0-0000-7000-8000-000000000009')",
    ),
    (
        "reviewer",
        "decide(id, 'approve', 'ada') FROM orchestrator.gates WHERE status OPERATOR(pg_catalog.=) 'pending' AND context OPERATOR(pg_catalog.?) 'raise_by'",
    ),
    ("worker", "settle_budget(reservation_id, 0.5) FROM orchestrator.budget_holds"),
    ("worker", "release_budget(reservation_id) FROM orchestrator.budget_holds"),
    ("worker", "record_llm_call('n', 5, 5, subject => 's', reported_cost => 0.1)"),
    ("admin", "raise_budget(budget_id, starts_at, 1, 'ada') FROM orchestrator.budget_windows"),
    ("worker", "estimate_cost('n', 5, 5)"),
    ("worker", "model_price('n')"),
    ("worker", "llm_cost_by_day_as_of(pg_catalog.now())"),
    ("admin", "load_default_prices()"),
    ("admin", "set_configuration('k', 'v')"),
    ("admin", "run_maintenance()"),
    ("admin", "seal_audit_events()"),
    ("admin", "v7_load_plan()"),
    ("worker", "v7_issue_task(1, 'one more', 'The Architect')"),
    ("worker", "v7_start_phase(1)"),
    (
        "worker",
        "UPDATE orchestrator.v7_subworkflow_tasks SET status = 'in_progress', dart_task_id = 'd' WHERE parent_phase OPERATOR(pg_catalog.=) 1",
    ),
    (
        "worker",
        "UPDATE orchestrator.v7_subworkflow_tasks SET status = 'completed' WHERE parent_phase OPERATOR(pg_catalog.=) 1",
    ),
    ("worker", "v7_request_review(1, '[]')"),
    ("reviewer", "v7_approve_phase(1, 'ada', 'well done')"),
    ("reviewer", "v7_sign(4, 'before', 'The Architect', 'ada')"),
    ("worker", "v7_complete_phase(1)"),
    ("admin", "v7_roll_back_phase(1, 'not yet')"),
    ("admin", "capture_snapshot('here')"),
    ("admin", "v7_record_enum_duplicates()"),
    ("admin", "downgrade_plan('0.0.0')"),
    ("admin", "archived()"),
    ("admin", "restore_archived()"),
];

/// The other functions that run with the owner's rights: maintenance calls some, and the test calls
/// some with the roles that it makes.
const ELSEWHERE: [&str; 6] = [
    "expire_sessions",
    "release_idempotency_keys",
    "purge_knowledge",
    "purge_audit_events",
    "grant_access",
    "revoke_access",
];

fn owners_functions(client: &mut Client) -> Result<Vec<String>> {
    let rows = client.query(
        "SELECT p.proname::text FROM pg_proc AS p WHERE p.pronamespace = 'orchestrator'::regnamespace AND p.prosecdef AND p.prorettype <> 'trigger'::regtype",
        &[],
    )?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// A client of that level with all traps around it.
fn trapped(database: &Database, level: &str) -> Result<Client> {
    let mut client = database.client_as(&name(database, level))?;
    traps::surround(&mut client)?;
    Ok(client)
}

#[test]
fn no_name_of_the_callers_is_looked_up() -> Result<()> {
    let database = walked_to("hostile", newest()?)?;
    roles::of_every_level(&database)?;
    let mut client = database.client()?;
    client
        .batch_execute("INSERT INTO orchestrator.sessions (client_id, role) VALUES ('c', 'r')")?;
    let mut clients = Vec::new();
    traps::set(&mut client)?;
    for level in ["worker", "reviewer", "admin"] {
        clients.push((level, trapped(&database, level)?));
    }
    for name in owners_functions(&mut client)? {
        let called = STORY.iter().any(|(_, call)| call.starts_with(&format!("{name}(")));
        assert!(called || ELSEWHERE.contains(&name.as_str()), "no call in STORY runs {name}");
    }
    for (level, call) in STORY {
        let (_, theirs) = clients.iter_mut().find(|(known, _)| known == level).expect("a level");
        let outcome = if call.starts_with("UPDATE ") || call.starts_with("INSERT ") {
            theirs.batch_execute(call)
        } else {
            theirs.batch_execute(&format!("SELECT orchestrator.{call}"))
        };
        if let Err(error) = outcome {
            panic!("{level}: {call}: {}", xtask::address::explain(&error));
        }
    }
    let (_, admin) = clients.last_mut().expect("an admin");
    let worker = name(&database, "worker");
    for call in [
        "expire_sessions('0')".to_owned(),
        "release_idempotency_keys('0')".to_owned(),
        "purge_knowledge('0')".to_owned(),
        "purge_audit_events('1 day')".to_owned(),
        format!("grant_access('{worker}', 'reader')"),
        format!("grant_access('{worker}', 'worker')"),
        format!("revoke_access('{worker}')"),
    ] {
        let outcome = admin.batch_execute(&format!("SELECT orchestrator.{call}"));
        if let Err(error) = outcome {
            panic!("{call}: {}", xtask::address::explain(&error));
        }
    }
    assert_eq!(
        text(&mut client, "SELECT count(*) FROM orchestrator.pending_decisions")?,
        "0",
        "every call was made"
    );
    assert_eq!(differences(&mut client)?, [""; 0]);
    Ok(())
}

/// The traps work: a statement of the caller itself springs them.
#[test]
fn the_traps_are_armed() -> Result<()> {
    let database = walked_to("armed", newest()?)?;
    roles::of_every_level(&database)?;
    traps::set(&mut database.client()?)?;
    let mut client = trapped(&database, "worker")?;
    for sql in [
        "SELECT now()",
        "SELECT lower('A'::pg_catalog.text)",
        "SELECT max(1)",
        "SELECT 'a'::pg_catalog.text = 'b'::pg_catalog.text",
        "SELECT 1 IN (2, 3)",
        "SELECT - 1::pg_catalog.numeric",
        "SELECT pg_catalog.jsonb_build_array() || '1'::pg_catalog.jsonb",
        "SELECT ARRAY[1] = ARRAY[2]",
        "SELECT count(*)",
        "SELECT format('%s', 1)",
        "SELECT 'x'::text",
        "SELECT relname FROM pg_class",
        "SELECT status FROM gates",
    ] {
        let error = client.batch_execute(sql).expect_err(sql);
        let code = error.code().map(|code| code.code());
        assert!(traps::CODES.contains(&code.unwrap_or_default()), "{sql}: {error:?}");
    }
    Ok(())
}
