//! Every function that locks a table of ours, with arguments for which it does its work. Another
//! transaction looks up the arguments before the call, so that the call begins without a lock.

use anyhow::{Result, bail};
use postgres::error::SqlState;
use postgres::{Client, Error};

/// One call. `{n}` in its texts is a number that each caller has for itself.
pub struct Call {
    /// The query for the id that replaces `:id` in the call; empty if the call needs none.
    pub needs: &'static str,
    pub sql: &'static str,
    /// The table and the column of the id that the call returns.
    pub makes: Option<(&'static str, &'static str)>,
}

const fn call(sql: &'static str) -> Call {
    Call { needs: "", sql, makes: None }
}

const fn with(needs: &'static str, sql: &'static str) -> Call {
    Call { needs, sql, makes: None }
}

const fn making(table: &'static str, sql: &'static str) -> Call {
    Call { needs: "", sql, makes: Some((table, "id")) }
}

const TASK: &str =
    "SELECT id FROM orchestrator.tasks WHERE to_role = 'boss {n}' ORDER BY id DESC LIMIT 1";
const GATE: &str =
    "SELECT id FROM orchestrator.gates WHERE status = 'pending' AND agent_id = 'agent {n}' LIMIT 1";
const REVIEW: &str = "SELECT id FROM orchestrator.human_review_queue WHERE status = 'pending' AND thread_id = 'thread {n}' LIMIT 1";
const APPROVAL: &str = "SELECT id FROM orchestrator.approvals WHERE status = 'pending' AND approver_role = 'boss {n}' LIMIT 1";
const RULED: &str = "SELECT id FROM orchestrator.approvals WHERE status = 'pending' AND approver_role = 'chief {n}' LIMIT 1";
const HELD: &str = "SELECT task_id FROM orchestrator.task_attempts WHERE ended_at IS NULL AND worker = 'worker {n}' LIMIT 1";
const WAITING: &str =
    "SELECT id FROM orchestrator.tasks WHERE task_type = 'work {n}' AND status = 'pending' LIMIT 1";
const FLOW: &str =
    "SELECT id FROM orchestrator.workflows WHERE name = 'flow {n}' ORDER BY id DESC LIMIT 1";
const SESSION: &str =
    "SELECT id FROM orchestrator.sessions WHERE client_id = 'client {n}' ORDER BY id DESC LIMIT 1";

/// All calls, in an order in which each finds the rows that it needs.
pub const CALLS: &[Call] = &[
    making(
        "orchestrator_runs",
        "SELECT orchestrator.start_run('thread {n}', '0198c5a0-0000-7000-8000-000000000001', 's')",
    ),
    Call {
        needs: "",
        sql: "SELECT task_id FROM orchestrator.create_task('of a run {n}', 'x', thread_id => 'thread {n}')",
        makes: Some(("tasks", "id")),
    },
    call(
        "SELECT orchestrator.record_run_progress('thread {n}', 'development', 'dev', 5, 0.1, '{a}')",
    ),
    call("SELECT orchestrator.record_safety('thread {n}', 0.8, '{x}')"),
    making(
        "human_review_queue",
        "SELECT orchestrator.request_review('thread {n}', 'gate_override', 'r')",
    ),
    call("SELECT orchestrator.pause_run('thread {n}', 'why')"),
    with(REVIEW, "SELECT orchestrator.resolve_review(:id, 'approved', 'ada')"),
    with(REVIEW, "SELECT orchestrator.resolve_reviews(array[:id], 'approved', 'ada')"),
    call("SELECT orchestrator.resume_run('thread {n}')"),
    making(
        "human_review_queue",
        "SELECT orchestrator.request_review('thread {n}', 'gate_override', 'again')",
    ),
    with(REVIEW, "SELECT orchestrator.decide(:id, 'approve', 'ada')"),
    call("SELECT orchestrator.kill_run('thread {n}', 'done')"),
    making(
        "gates",
        "SELECT orchestrator.open_gate('0198c5a0-0000-7000-8000-000000000001', 'agent {n}', 'manual', 'one', '{\"technology\": \"rust\"}')",
    ),
    with(GATE, "SELECT orchestrator.resolve_gate(:id, 'denied', 'ada', 'no')"),
    making(
        "gates",
        "SELECT orchestrator.open_gate('0198c5a0-0000-7000-8000-000000000001', 'agent {n}', 'manual', 'two')",
    ),
    with(GATE, "SELECT orchestrator.decide(:id, 'approve', 'ada')"),
    Call {
        needs: "",
        sql: "SELECT task_id FROM orchestrator.route_task('routing', 'd', 'a', 'boss {n}', '{}', NULL, orchestrator.uuidv7())",
        makes: Some(("tasks", "id")),
    },
    with(TASK, "SELECT orchestrator.request_approval(:id, 'boss {n}')"),
    with(APPROVAL, "SELECT orchestrator.resolve_approval(:id, 'approved', 'boss {n}')"),
    with(TASK, "SELECT orchestrator.request_approval(:id, 'boss {n}', 'once more')"),
    with(APPROVAL, "SELECT orchestrator.decide(:id, 'approve', 'boss {n}')"),
    with(TASK, "SELECT orchestrator.request_approval(:id, 'boss {n}', 'and again')"),
    with(
        APPROVAL,
        "SELECT orchestrator.decide(:id, 'approve', 'ada', acting_as => 'boss {n}'), orchestrator.decide(:id, 'approve', 'ada', acting_as => 'boss {n}')",
    ),
    with(
        "SELECT id FROM orchestrator.gates WHERE status = 'approved' AND agent_id = 'agent {n}' AND reason = 'two' LIMIT 1",
        "SELECT orchestrator.resolve_gate(:id, 'approved', 'ada')",
    ),
    with(
        "SELECT id FROM orchestrator.gates WHERE agent_id = 'agent {n}' LIMIT 1",
        "SELECT orchestrator.decision(:id)",
    ),
    call(
        "SELECT orchestrator.set_decision_rule('approval', 'chief {n}', '1 hour', 'escalate', 'owner {n}', approvals_needed => 2, assigned_to => 'deputy {n}')",
    ),
    with(TASK, "SELECT orchestrator.request_approval(:id, 'chief {n}')"),
    with(
        RULED,
        "SELECT orchestrator.claim_decision(:id, 'ada'), orchestrator.release_decision(:id, 'ada')",
    ),
    // In one statement, because a version without terms knows of no assignment.
    with(
        RULED,
        "SELECT orchestrator.assign_decision(:id, 'dean {n}', 'ada'), orchestrator.decide(:id, 'approve', 'ada', acting_as => 'dean {n}')",
    ),
    with(
        RULED,
        "UPDATE orchestrator.decision_terms SET due_at = '-infinity' WHERE decision_id = :id",
    ),
    call("SELECT count(*) FROM orchestrator.expire_decisions()"),
    with(
        RULED,
        "SELECT orchestrator.decide(:id, 'request_changes', 'ada', 'smaller', 'chief {n}')",
    ),
    call("SELECT orchestrator.drop_decision_rule('approval', 'chief {n}')"),
    with(TASK, "SELECT orchestrator.request_approval(:id, 'boss {n}', 'not now')"),
    with(APPROVAL, "SELECT orchestrator.withdraw_decision(:id, 'ada', 'not now')"),
    with(TASK, "SELECT orchestrator.request_approval(:id, 'boss {n}', 'now')"),
    with(APPROVAL, "SELECT orchestrator.resolve_approval(:id, 'approved', 'boss {n}')"),
    with(TASK, "SELECT orchestrator.start_tool_execution(:id, 'tool {n}')"),
    with(
        "SELECT id FROM orchestrator.tool_executions WHERE tool_name = 'tool {n}' AND status = 'running' LIMIT 1",
        "SELECT orchestrator.finish_tool_execution(:id, 'completed', 'done')",
    ),
    Call {
        needs: "",
        sql: "SELECT task_id FROM orchestrator.create_task('work {n}', 'x', max_attempts => 9, idempotency_key => orchestrator.uuidv7())",
        makes: Some(("tasks", "id")),
    },
    call("SELECT count(*) FROM orchestrator.claim_tasks('worker {n}', '{work {n}}')"),
    with(HELD, "SELECT orchestrator.renew_claim(:id, 'worker {n}')"),
    with(HELD, "SELECT orchestrator.begin_step(:id, 'key', 'tool {n}')"),
    with(HELD, "SELECT orchestrator.fail_task(:id, 'worker {n}', 'no', '0')"),
    call("SELECT count(*) FROM orchestrator.claim_tasks('worker {n}', '{work {n}}')"),
    with(HELD, "SELECT orchestrator.release_task(:id, 'worker {n}')"),
    call("SELECT count(*) FROM orchestrator.claim_tasks('worker {n}', '{work {n}}', batch => 5)"),
    with(HELD, "SELECT orchestrator.complete_task(:id, 'worker {n}')"),
    Call {
        needs: "",
        sql: "SELECT task_id FROM orchestrator.create_task('work {n}', 'x')",
        makes: Some(("tasks", "id")),
    },
    call("SELECT count(*) FROM orchestrator.claim_tasks('worker {n}', '{work {n}}', batch => 5)"),
    with(HELD, "SELECT orchestrator.complete_tasks(array[:id], 'worker {n}')"),
    Call {
        needs: "",
        sql: "SELECT task_id FROM orchestrator.create_task('work {n}', 'x')",
        makes: Some(("tasks", "id")),
    },
    making(
        "workflows",
        "INSERT INTO orchestrator.workflows (name, definition) VALUES ('flow {n}', '{}') RETURNING id",
    ),
    with(
        WAITING,
        "INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id) SELECT w.id, :id FROM orchestrator.workflows AS w WHERE w.name = 'flow {n}'",
    ),
    with(FLOW, "SELECT orchestrator.start_workflow(:id)"),
    with(FLOW, "SELECT orchestrator.pause_workflow(:id, 'why')"),
    with(FLOW, "UPDATE orchestrator.workflows SET status = 'active' WHERE id = :id"),
    with(WAITING, "UPDATE orchestrator.workflow_tasks SET sequence = 1 WHERE task_id = :id"),
    call("SELECT count(*) FROM orchestrator.claim_tasks('worker {n}', '{work {n}}')"),
    with(HELD, "SELECT orchestrator.fail_task(:id, 'worker {n}', 'no', final => true)"),
    with(
        "SELECT id FROM orchestrator.tasks WHERE task_type = 'work {n}' AND status = 'failed' LIMIT 1",
        "SELECT orchestrator.retry_task(:id)",
    ),
    with(WAITING, "SELECT orchestrator.cancel_task(:id, 'why')"),
    call("SELECT orchestrator.reclaim_expired_tasks()"),
    call("SELECT orchestrator.rebuild_task_queue()"),
    making(
        "sessions",
        "INSERT INTO orchestrator.sessions (client_id) VALUES ('client {n}') RETURNING id",
    ),
    with(SESSION, "SELECT orchestrator.move_session(:id, 'activate')"),
    with(SESSION, "SELECT orchestrator.session_heartbeat(:id)"),
    call("SELECT orchestrator.deactivate_stale_sessions('1 hour')"),
    Call {
        needs: "",
        sql: "SELECT orchestrator.request_collaboration('requirements', 'a', 'agent {n}', 'what is it about?')",
        makes: Some(("collaboration_requests", "collaboration_id")),
    },
    with(
        "SELECT collaboration_id FROM orchestrator.collaboration_requests WHERE specialist_agent = 'agent {n}' ORDER BY id DESC LIMIT 1",
        "SELECT orchestrator.answer_collaboration(:id, 'agent {n}', 'this', 0.5)",
    ),
    call("SELECT orchestrator.record_token_usage('gpt-5', 5, 5)"),
    making(
        "knowledge_staging",
        "SELECT orchestrator.stage_knowledge('failure_solution', 'content {n}', '{\"task_type\": \"x\"}')",
    ),
    call("SELECT count(*) FROM orchestrator.claim_knowledge(1)"),
    call("SELECT count(*) FROM orchestrator.claim_knowledge(1, 'embedder', '1 second')"),
    with(
        "SELECT id FROM orchestrator.knowledge_staging WHERE content = 'content {n}' LIMIT 1",
        "SELECT orchestrator.fail_knowledge(array[:id], 'e', '0')",
    ),
    call("SELECT orchestrator.restage_knowledge('model')"),
    with(
        "SELECT id FROM orchestrator.knowledge_staging WHERE content = 'content {n}' LIMIT 1",
        "SELECT orchestrator.mark_knowledge_embedded(array[:id])",
    ),
    making(
        "audit_events",
        "SELECT orchestrator.record_event('e', 'r', '0198c5a0-0000-7000-8000-000000000003')",
    ),
    call("SELECT orchestrator.seal_audit_events()"),
    call("SELECT count(*) FROM orchestrator.verify_audit_seals()"),
    call("SELECT count(*) FROM orchestrator.audit_head()"),
    call(
        "SELECT orchestrator.publish_prompt('coder {n}', orchestrator.next_prompt_version('coder {n}'), 'x', activate => true)",
    ),
    call(
        "SELECT orchestrator.activate_prompt('coder {n}', (SELECT max(p.version) FROM orchestrator.prompts AS p WHERE p.agent_type = 'coder {n}'))",
    ),
    call("SELECT orchestrator.active_prompt('coder {n}')"),
    call(
        "SELECT count(*) FROM orchestrator.prompt_diff('coder {n}', (SELECT max(p.version) FROM orchestrator.prompts AS p WHERE p.agent_type = 'coder {n}'), (SELECT max(p.version) FROM orchestrator.prompts AS p WHERE p.agent_type = 'coder {n}'))",
    ),
    call("SELECT orchestrator.set_price('model {n}', 1, 2)"),
    call("SELECT orchestrator.load_default_prices()"),
    call("SELECT orchestrator.llm_cost('gpt-5', 1, 1)"),
    call(
        "SELECT orchestrator.record_llm_call('gpt-5', 5, 5, 3, inclusive => true, thread_id => 'thread {n}', call_id => 'call {n}')",
    ),
    call(
        "SELECT orchestrator.set_price('model {n}', 1, 2, components => '[{\"component\": \"cache_read\", \"per_million\": 0.1}]')",
    ),
    call("SELECT orchestrator.set_model_alias('alias {n}', 'gpt-5')"),
    call(
        "SELECT count(*) FROM orchestrator.import_prices('{\"gpt-5\": {\"input_cost_per_token\": 1e-06}, \"x\": {\"alias_of\": \"gpt-5\"}}')",
    ),
    call("SELECT count(*) FROM orchestrator.model_price('gpt-5')"),
    call("SELECT count(*) FROM orchestrator.llm_cost_by_day_as_of(now())"),
    call("SELECT orchestrator.set_budget(1000, 'day', subject => 'subject {n}')"),
    call("SELECT orchestrator.estimate_cost('gpt-5', 5, 5)"),
    call("SELECT count(*) FROM orchestrator.reserve_budget(0.1, subject => 'subject {n}')"),
    with(
        "SELECT h.reservation_id AS id FROM orchestrator.budget_holds AS h JOIN orchestrator.budgets AS b ON b.id = h.budget_id WHERE b.subject = 'subject {n}' ORDER BY h.expires_at DESC LIMIT 1",
        "SELECT orchestrator.settle_budget(:id, 0.05)",
    ),
    call(
        "SELECT orchestrator.release_budget(r.reservation_id) FROM orchestrator.reserve_budget(0.1, subject => 'subject {n}') AS r WHERE r.reservation_id IS NOT NULL",
    ),
    call(
        "SELECT orchestrator.record_llm_call('gpt-5', 5, 5, subject => 'subject {n}', reported_cost => 0.01)",
    ),
    with(
        "SELECT id FROM orchestrator.budgets WHERE subject = 'subject {n}'",
        "SELECT orchestrator.raise_budget(:id, date_trunc('day', now(), 'UTC'), 1, 'ada')",
    ),
    call("SELECT count(*) FROM orchestrator.budget_status"),
    call("SELECT count(*) FROM orchestrator.llm_cost_by_run"),
    call("SELECT count(*) FROM orchestrator.llm_cost_by_prompt"),
    call("SELECT count(*) FROM orchestrator.run_cost_differences"),
    call("SELECT count(*) FROM orchestrator.llm_usage_costs"),
    call("SELECT orchestrator.set_configuration('key {n}', 'v')"),
    call("SELECT orchestrator.get_configuration('key {n}')"),
    call("SELECT orchestrator.configuration_value('key {n}')"),
    call("SELECT count(*) FROM orchestrator.run_maintenance()"),
    call("SELECT orchestrator.expire_sessions('7 days')"),
    call("SELECT orchestrator.release_idempotency_keys('1 day')"),
    call("SELECT orchestrator.purge_knowledge('90 days')"),
    call("SELECT orchestrator.v7_load_plan()"),
    call("SELECT orchestrator.v7_issue_task(1, 'task of {n}', 'The Architect')"),
    call("SELECT orchestrator.v7_start_phase(1)"),
    call(
        "UPDATE orchestrator.v7_subworkflow_tasks SET status = 'in_progress' WHERE task_name = 'task of {n}'",
    ),
    call("SELECT orchestrator.v7_request_review(1, '[]')"),
    call("SELECT orchestrator.v7_complete_phase(1)"),
    call("SELECT orchestrator.v7_sign(1, 'before', 'The Architect', 'ada')"),
    call("SELECT orchestrator.v7_approve_phase(1, 'ada', 'well done')"),
    call("SELECT orchestrator.v7_roll_back_phase(1, 'not yet')"),
    call("SELECT count(*) FROM orchestrator.v7_missing_sign_offs(1, 'before')"),
    call("SELECT orchestrator.v7_record_enum_duplicates()"),
    call("SELECT count(*) FROM orchestrator.v7_verify()"),
    call(
        "INSERT INTO orchestrator.file_audit (file_number, file_path, file_name, layer_number, layer_name, status) VALUES (lpad(({n} % 10000)::text, 4, '0'), 'src/{n}.rs', '{n}.rs', 1, 'layer', 'NOVEL') ON CONFLICT DO NOTHING",
    ),
    call("SELECT orchestrator.capture_snapshot('snapshot {n}')"),
    call("SELECT count(*) FROM orchestrator.verify()"),
    call("SELECT count(*) FROM orchestrator.archived()"),
    call("SELECT count(*) FROM orchestrator.downgrade_plan('0.5.0')"),
    call("SELECT count(*) FROM orchestrator.pending_decisions"),
    // A page, as an inbox reads it; all of them take longer than an update waits for a lock.
    call(
        "SELECT count(c), count(c.last_events) FROM (SELECT * FROM orchestrator.decision_cards LIMIT 10) AS c",
    ),
    call("SELECT count(d) FROM orchestrator.decisions AS d"),
    call("SELECT count(*) FROM orchestrator.run_summary"),
    call("SELECT count(*) FROM orchestrator.v7_migration_dashboard"),
    call("SELECT count(*) FROM orchestrator.llm_cost_by_day"),
];

impl Call {
    /// The statement with the id that it needs; `None` if no row has such an id.
    pub fn prepared(&self, client: &mut Client, number: usize) -> Result<Option<String>, Error> {
        let own = |text: &str| text.replace("{n}", &number.to_string());
        if self.needs.is_empty() {
            return Ok(Some(own(self.sql)));
        }
        let query = format!("SELECT found.*::text FROM ({}) AS found (id)", own(self.needs));
        let query = query.replace("found.*::text", "found.id::text");
        let Some(row) = client.query_opt(&query, &[])? else { return Ok(None) };
        let id: String = row.try_get(0)?;
        Ok(Some(own(self.sql).replace(":id", &format!("'{id}'::uuid"))))
    }
}

/// The name of the function in a call.
pub fn function(sql: &str) -> Option<&str> {
    let (_, rest) = sql.split_once("orchestrator.")?;
    rest.split_once('(').map(|(name, _)| name).filter(|name| !name.contains(' '))
}

/// Runs all calls. Some fail because a phase is not ready for a step, or because an earlier run has done
/// their work; no call fails for another reason.
pub fn run_all(client: &mut Client, number: usize) -> Result<()> {
    for call in CALLS {
        let Some(sql) = call.prepared(client, number)? else {
            bail!("nothing to do: {}", call.sql)
        };
        match client.batch_execute(&sql) {
            Err(error) if error.code() != Some(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE) => {
                bail!("{sql}: {}", xtask::address::explain(&error))
            }
            _ => {}
        }
    }
    Ok(())
}
