//! Every index is needed: for each, `plans/<table>.sql` has realistic rows and a query of ours or of the
//! sources. The query's plan uses the index, and would cost more without it.

#[path = "plans/beside_many.rs"]
mod beside_many;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use postgres::Client;
use support::Database;
use support::extension::{newest, walked_to};
use support::work;
use xtask::address::{execute, query};
use xtask::machine::files::files_below;
use xtask::machine::project::Project;

/// The factor by which a query must cost more without its index.
const GAIN: f64 = 1.2;

/// Functions for the ids and times that rows and queries share. Commits are synchronous, because VACUUM
/// marks a page as all-visible only when the commits of its rows are on disk.
const HELPERS: &str = "
    SET synchronous_commit = on;
    CREATE FUNCTION pg_temp.id(number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
        $$ SELECT ('00000000-0000-4000-8000-' || lpad(number::text, 12, '0'))::uuid $$;
    CREATE FUNCTION pg_temp.at(minute bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
        $$ SELECT '2026-01-01 00:00:00+00'::timestamptz + minute * interval '1 minute' $$;
    SET timezone = 'UTC';
    SET session_replication_role = replica";

/// A query and the index that serves it.
struct Use {
    index: String,
    query: String,
}

/// A file's rows and queries. A section begins at its `--` line: `-- rows` or `-- INDEX: why`.
fn sections(text: &str) -> Result<(String, Vec<Use>)> {
    let (mut rows, mut uses) = (String::new(), Vec::new());
    let mut current: Option<Use> = None;
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("-- ") {
            uses.extend(current.take());
            if heading != "rows" {
                let (index, _why) = heading
                    .split_once(": ")
                    .with_context(|| format!("{heading:?} lacks the purpose of the index"))?;
                current = Some(Use { index: index.to_owned(), query: String::new() });
            }
        } else {
            let text = current.as_mut().map_or(&mut rows, |found| &mut found.query);
            writeln!(text, "{line}")?;
        }
    }
    uses.extend(current);
    Ok((rows, uses))
}

fn folder() -> Result<PathBuf> {
    Ok(Project::find()?.root().join("tests/plans"))
}

/// A client that has the helpers.
fn helped(database: &Database) -> Result<Client> {
    let mut client = database.client()?;
    execute(&mut client, HELPERS)?;
    Ok(client)
}

/// Inserts a file's rows and returns its queries.
fn fill(client: &mut Client, file: &Path) -> Result<Vec<Use>> {
    let text = fs::read_to_string(file)?;
    let (rows, uses) = sections(&text).with_context(|| format!("{}", file.display()))?;
    execute(client, &rows).with_context(|| format!("{}", file.display()))?;
    Ok(uses)
}

/// Reads every row, so that statistics do not depend on a sample.
fn analyze(client: &mut Client) -> Result<()> {
    execute(client, "SET default_statistics_target = 1000")?;
    execute(client, "VACUUM ANALYZE")
}

/// The plan of a query as text, and its cost.
fn plan(client: &mut Client, sql: &str) -> Result<(String, f64)> {
    let sql = format!("EXPLAIN {}", sql.trim().trim_end_matches(';'));
    let lines = query(client, &sql)?;
    let lines: Vec<String> = lines.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let cost = lines
        .first()
        .and_then(|line| line.split("..").nth(1)?.split(' ').next()?.parse().ok())
        .ok_or_else(|| anyhow!("a plan without costs: {lines:?}"))?;
    Ok((lines.join("\n"), cost))
}

fn uses_index(plan: &str, index: &str) -> bool {
    let words = |line: &str| line.split([' ', '(', ')']).any(|word| word == index);
    plan.lines().any(|line| line.contains("Index") && words(line))
}

/// The fault of an index, if it has one.
fn complaint(client: &mut Client, found: &Use) -> Result<Option<String>> {
    let Use { index, query } = found;
    let (with, cost) = plan(client, query)?;
    if !uses_index(&with, index) {
        return Ok(Some(format!("{index} is not used:\n{with}")));
    }
    execute(client, &format!("BEGIN; DROP INDEX orchestrator.{index}"))?;
    let (without, cost_without) = plan(client, query)?;
    execute(client, "ROLLBACK")?;
    let gains = cost_without >= cost * GAIN;
    Ok((!gains).then(|| {
        format!("{index} saves nothing, {cost_without} instead of {cost}; without it:\n{without}")
    }))
}

#[test]
fn every_index_serves_a_query_that_would_cost_more_without_it() -> Result<()> {
    // A unique index enforces a rule, so it is needed anyway.
    const INDEXES: &str = "SELECT i.relname::text FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid \
         WHERE i.relnamespace = 'orchestrator'::regnamespace AND NOT x.indisunique";
    let database = walked_to("plans", newest()?)?;
    let mut client = helped(&database)?;
    let mut uses = BTreeMap::new();
    let is_sql = |file: &PathBuf| file.extension().is_some_and(|kind| kind == "sql");
    for file in files_below(&folder()?)?.into_iter().filter(is_sql) {
        for found in fill(&mut client, &file)? {
            if let Some(twice) = uses.insert(found.index.clone(), found) {
                bail!("{} has two queries", twice.index);
            }
        }
    }
    analyze(&mut client)?;

    let rows = query(&mut client, INDEXES)?;
    let indexes: BTreeSet<String> =
        rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let mut complaints: Vec<String> = Vec::new();
    for index in &indexes {
        match uses.get(index) {
            None => complaints.push(format!("{index} has no query in tests/plans")),
            Some(found) => complaints.extend(complaint(&mut client, found)?),
        }
    }
    for index in uses.keys().filter(|index| !indexes.contains(*index)) {
        complaints.push(format!("{index} has a query in tests/plans, but does not exist"));
    }
    println!("{} indexes", indexes.len());
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n\n"));
    Ok(())
}

/// The first page of a view over all rows does not sort all rows first.
#[test]
fn the_first_page_of_all_collaborations_costs_a_fraction_of_all() -> Result<()> {
    const ALL: &str = "SELECT * FROM orchestrator.collaboration_status";
    let database = walked_to("pages", newest()?)?;
    let mut client = helped(&database)?;
    for table in ["collaboration_requests", "collaboration_outcomes"] {
        fill(&mut client, &folder()?.join(table).with_extension("sql"))?;
    }
    analyze(&mut client)?;
    let (_, whole) = plan(&mut client, ALL)?;
    let (page, cost) = plan(&mut client, &format!("{ALL} LIMIT 20"))?;
    assert!(cost < whole / 50.0, "{cost} of {whole}:\n{page}");
    Ok(())
}

/// Rows that were decided before the last ANALYZE.
const DECIDED: &str = "
    INSERT INTO orchestrator.tasks (id, title, task_type, thread_id)
    SELECT pg_temp.id(i), 'task ' || i, 'build', 'task ' || i FROM generate_series(1, 20000) AS i;
    INSERT INTO orchestrator.approvals (id, task_id, approver_role, status, decision_at)
    SELECT t.id, t.id, 'lead', 'approved', t.created_at FROM orchestrator.tasks AS t;
    INSERT INTO orchestrator.gates (id, project_id, agent_id, gate_type, reason, status, resolved_at, resolved_by, thread_id, request_key)
    SELECT t.id, t.id, 'agent', 'manual', 'because', 'approved', t.created_at, 'ada', t.title, t.title FROM orchestrator.tasks AS t;
    INSERT INTO orchestrator.orchestrator_runs (id, thread_id, project_id, story_id, phase)
    SELECT t.id, t.title, t.id, 'story', 'development' FROM orchestrator.tasks AS t;
    INSERT INTO orchestrator.human_review_queue (id, thread_id, review_type, reason, safety_score, status, resolved_at, resolved_by)
    SELECT t.id, t.title, 'safety', 'because', 0.5, 'approved', t.created_at, 'ada' FROM orchestrator.tasks AS t;
    INSERT INTO orchestrator.knowledge_staging (id, knowledge_type, content, embedded, embedded_at)
    SELECT t.id, 'collaboration', 'what was agreed', true, t.created_at FROM orchestrator.tasks AS t;
    INSERT INTO orchestrator.sessions (id, client_id, status) SELECT t.id, 'client', 'completed' FROM orchestrator.tasks AS t;
    INSERT INTO orchestrator.tool_executions (id, task_id, tool_name, status, completed_at, duration_ms)
    SELECT t.id, t.id, 'cargo', 'completed', t.created_at, 0 FROM orchestrator.tasks AS t;
    INSERT INTO orchestrator.llm_token_usage (model, input_tokens, output_tokens, thread_id, call_id)
    SELECT 'model', 1, 1, t.title, t.title FROM orchestrator.tasks AS t;
    INSERT INTO orchestrator.audit_events (event_type, role, trace_id, metadata)
    SELECT 'run_started', 'system', t.id, jsonb_build_object('thread_id', t.title) FROM orchestrator.tasks AS t";

/// Newer rows, too few to make autovacuum analyze again.
const WAITING: &str = "
    CREATE TEMPORARY TABLE waiting AS SELECT pg_temp.id(i) AS id FROM generate_series(1, 1000) AS i;
    UPDATE orchestrator.approvals SET status = 'pending', decision_at = NULL WHERE id IN (TABLE waiting);
    UPDATE orchestrator.gates SET status = 'pending', resolved_at = NULL, resolved_by = NULL WHERE id IN (TABLE waiting);
    UPDATE orchestrator.human_review_queue SET status = 'pending', resolved_at = NULL, resolved_by = NULL WHERE id IN (TABLE waiting);
    UPDATE orchestrator.knowledge_staging SET embedded = false, embedded_at = NULL WHERE id IN (TABLE waiting);
    UPDATE orchestrator.sessions SET status = 'pending' WHERE id IN (TABLE waiting);
    UPDATE orchestrator.tool_executions SET status = 'running', completed_at = NULL, duration_ms = NULL WHERE id IN (TABLE waiting)";

/// Decisions that are made again.
const DECIDED_AGAIN_GATE: &str = "SELECT orchestrator.resolve_gate(pg_temp.id(7), 'approved', 'ada'), orchestrator.decide(pg_temp.id(7), 'approve', 'ada')";
const DECIDED_AGAIN_REVIEWS: &str = "WITH ids AS MATERIALIZED (SELECT array_agg(pg_temp.id(i)) AS ids FROM generate_series(41, 50) AS i) \
     SELECT (SELECT count(*) FROM orchestrator.resolve_reviews(ids, 'approved', 'ada')), (SELECT count(*) FROM orchestrator.resolve_reviews(ids, 'approved', 'ada')) FROM ids";

/// A page of questions with all that a person needs. The server takes the pending ones for few, and may
/// sort them with their subjects; but it reads no decided one, and the rest only for the page.
const CARDS: &str = "SELECT * FROM orchestrator.decision_cards LIMIT 20";

/// Calls that find rows by key, with the table and the number of rows that they need.
const BY_KEY: [(&str, &str, i64); 32] = [
    ("SELECT orchestrator.resolve_gate(pg_temp.id(1), 'approved', 'ada')", "gates", 1),
    ("SELECT orchestrator.resolve_approval(pg_temp.id(2), 'approved', 'lead')", "approvals", 1),
    (
        "SELECT orchestrator.resolve_review(pg_temp.id(3), 'approved', 'ada')",
        "human_review_queue",
        1,
    ),
    (
        "SELECT orchestrator.resolve_reviews(ARRAY(SELECT pg_temp.id(i) FROM generate_series(11, 20) AS i), 'approved', 'ada')",
        "human_review_queue",
        10,
    ),
    (DECIDED_AGAIN_GATE, "gates", 1),
    (DECIDED_AGAIN_GATE, "audit_events", 1),
    (DECIDED_AGAIN_REVIEWS, "human_review_queue", 10),
    (DECIDED_AGAIN_REVIEWS, "audit_events", 10),
    ("SELECT orchestrator.decision(pg_temp.id(6))", "gates", 1),
    ("SELECT orchestrator.decision(pg_temp.id(6))", "approvals", 1),
    ("SELECT orchestrator.decision(pg_temp.id(6))", "human_review_queue", 1),
    (CARDS, "gates", 1_000),
    (CARDS, "approvals", 1_000),
    (CARDS, "human_review_queue", 1_000),
    (CARDS, "orchestrator_runs", 1_000),
    (CARDS, "tasks", 1_000),
    (CARDS, "tool_executions", 20),
    (CARDS, "audit_events", 20),
    ("SELECT orchestrator.record_safety('task 21', 0.3)", "human_review_queue", 1),
    ("SELECT orchestrator.resume_run('task 2001')", "human_review_queue", 1),
    ("SELECT orchestrator.resume_run('task 2001')", "gates", 1),
    ("SELECT orchestrator.resume_run('task 2001')", "approvals", 1),
    ("SELECT orchestrator.resume_run('task 2001')", "tasks", 1),
    (
        "SELECT orchestrator.open_gate(pg_temp.id(1), 'agent', 'manual', 'why?', request_key => 'k', thread_id => 'task 2001')",
        "orchestrator_runs",
        1,
    ),
    (
        "SELECT orchestrator.open_gate(pg_temp.id(2001), 'agent', 'manual', 'because', request_key => 'task 2001', thread_id => 'task 2001')",
        "gates",
        1,
    ),
    ("SELECT orchestrator.start_tool_execution(pg_temp.id(2001), 'cargo')", "orchestrator_runs", 1),
    (
        "SELECT orchestrator.record_token_usage('model', 1, 1, thread_id => 'task 2001', call_id => 'task 2001')",
        "llm_token_usage",
        1,
    ),
    ("SELECT FROM orchestrator.run_trail('task 2001')", "audit_events", 4),
    (
        "SELECT orchestrator.mark_knowledge_embedded(ARRAY(SELECT pg_temp.id(i) FROM generate_series(31, 40) AS i))",
        "knowledge_staging",
        10,
    ),
    ("SELECT orchestrator.move_session(pg_temp.id(4), 'activate')", "sessions", 1),
    ("SELECT orchestrator.finish_tool_execution(pg_temp.id(5), 'completed')", "tool_executions", 1),
    ("SELECT sum(pending_reviews) FROM orchestrator.run_summary", "human_review_queue", 20_000),
];

/// Statistics from a time without waiting rows make every status index seem empty.
#[test]
fn a_key_leads_to_its_row_whatever_the_statistics() -> Result<()> {
    // Each of our statements reads its row a few times.
    const LOOKS: i64 = 15;
    let database = walked_to("keys", newest()?)?;
    let mut client = helped(&database)?;
    execute(&mut client, DECIDED)?;
    analyze(&mut client)?;
    execute(&mut client, WAITING)?;
    execute(&mut client, "RESET session_replication_role")?;
    let mut complaints: Vec<String> = Vec::new();
    for (call, table, rows) in BY_KEY {
        let read = format!(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables \
             WHERE schemaname = 'orchestrator' AND relname = '{table}'"
        );
        let rows_read =
            |client: &mut Client| -> Result<i64> { Ok(query(client, &read)?[0].try_get(0)?) };
        execute(&mut client, "BEGIN")?;
        let before = rows_read(&mut client)?;
        execute(&mut client, call)?;
        let looked_at = rows_read(&mut client)? - before;
        execute(&mut client, "ROLLBACK")?;
        if !(1..=rows * LOOKS).contains(&looked_at) {
            complaints.push(format!("{call} reads {looked_at} rows of {table} for {rows}"));
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    Ok(())
}

/// Tasks that no claim takes: of other types, due later, kept back, claimed and over; and a few that wait.
const MANY_TASKS: &str = "
    INSERT INTO orchestrator.tasks (id, title, task_type, status, to_role, run_after)
    SELECT pg_temp.id(i), 'task ' || i, 'type ' || i % 5, CASE WHEN i % 4 = 0 THEN 'completed' ELSE 'pending' END, CASE WHEN i % 2 = 0 THEN 'role ' || i % 7 END,
           CASE WHEN i % 4 = 1 THEN 'infinity' ELSE '-infinity' END::timestamptz
    FROM generate_series(1, 40000) AS i;
    INSERT INTO orchestrator.queued_tasks (task_id, task_type, to_role, priority, run_after, created_at, attempts, ready)
    SELECT t.id, t.task_type, t.to_role, 3, t.run_after, t.created_at, 0, t.title LIKE '%1' OR t.title LIKE '%5' OR t.title LIKE '%9'
    FROM orchestrator.tasks AS t WHERE t.status = 'pending' AND t.title NOT LIKE '%2';
    INSERT INTO orchestrator.tasks (id, title, task_type, to_role)
    SELECT pg_temp.id(50000 + i), 'waits ' || i, 'type ' || i % 5, CASE WHEN i % 2 = 0 THEN 'role 1' END FROM generate_series(1, 400) AS i;
    INSERT INTO orchestrator.queued_tasks (task_id, task_type, to_role, priority, run_after, created_at, attempts, ready)
    SELECT t.id, t.task_type, t.to_role, i % 2, t.run_after, t.created_at, 0, true
    FROM orchestrator.tasks AS t, LATERAL (SELECT substr(t.title, 7)::integer AS i) AS n WHERE t.title LIKE 'waits %';
    INSERT INTO orchestrator.task_attempts (task_id, attempt, worker, claimed_at, lease_expires_at, ended_at, outcome)
    SELECT t.id, 1, 'w', pg_temp.at(0), pg_temp.at(5), pg_temp.at(1), 'completed' FROM orchestrator.tasks AS t WHERE t.status = 'completed';
    INSERT INTO orchestrator.orchestrator_runs (thread_id, project_id, story_id)
    SELECT 'thread ' || i, pg_temp.id(i), 'story' FROM generate_series(1, 5000) AS i";

/// Claims, with the number of tasks that each takes.
const CLAIMS: [(&str, i64); 6] = [
    ("SELECT id FROM orchestrator.claim_tasks('w')", 1),
    ("SELECT id FROM orchestrator.claim_tasks('w', '{type 2}')", 1),
    ("SELECT id FROM orchestrator.claim_tasks('w', '{type 1,type 3,none}', batch => 10)", 10),
    ("SELECT id FROM orchestrator.claim_tasks('w', to_role => 'role 1', batch => 5)", 5),
    ("SELECT id FROM orchestrator.claim_tasks('w', '{type 2,type 4}', 'role 1', 3)", 3),
    ("SELECT id FROM orchestrator.claim_tasks('w', batch => 50)", 50),
];

/// A worker keeps its plans from a time when the queue was empty; another has none yet; and statistics
/// are from before, or exact.
#[test]
fn a_claim_reads_as_many_rows_as_it_takes() -> Result<()> {
    const READ: &str = "SELECT relname::text, seq_tup_read, coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables \
         WHERE schemaname = 'orchestrator' AND relname IN ('tasks', 'queued_tasks', 'task_attempts', 'orchestrator_runs') ORDER BY 1";
    let database = walked_to("claims", newest()?)?;
    let mut client = helped(&database)?;
    let mut early = database.client()?;
    for (claim, _) in CLAIMS {
        execute(&mut early, claim)?;
    }
    analyze(&mut client)?;
    execute(&mut client, MANY_TASKS)?;
    let mut complaints: Vec<String> = Vec::new();
    // What earlier transactions have read may not be reported yet.
    let reads = |worker: &mut Client| -> Result<BTreeMap<String, (i64, i64)>> {
        let rows = query(worker, READ)?;
        rows.iter().map(|row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?)))).collect()
    };
    let mut measure = |worker: &mut Client, when: &str| -> Result<()> {
        for (claim, takes) in CLAIMS {
            execute(worker, "BEGIN")?;
            let before = reads(worker)?;
            let taken = query(worker, claim)?.len() as i64;
            assert_eq!(taken, takes, "{claim}");
            for (table, (scanned, fetched)) in reads(worker)? {
                let earlier = before.get(&table).copied().unwrap_or_default();
                let (scanned, fetched) = (scanned - earlier.0, fetched - earlier.1);
                // At most two priorities of five types, each read twice, with the candidates beside the
                // batch; then each task itself, a few times.
                let bound = 10 * 2 * (takes + 10) + 10 * takes;
                if scanned > 0 || fetched > bound {
                    complaints.push(format!(
                        "{when}: {claim} scans {scanned} and fetches {fetched} rows of {table}"
                    ));
                }
            }
            execute(worker, "ROLLBACK")?;
        }
        Ok(())
    };
    measure(&mut early, "plans of an empty queue")?;
    measure(&mut database.client()?, "statistics of an empty queue")?;
    analyze(&mut client)?;
    measure(&mut early, "after ANALYZE")?;
    measure(&mut database.client()?, "a new connection")?;
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    Ok(())
}

/// Two workflows, each with 20,000 tasks that are over: in the first one task is held, one comes next, and 10,000
/// come later; in the second 2,000 can be claimed.
const LONG_WORKFLOWS: &str = "
    INSERT INTO orchestrator.workflows (id, name, definition, status) SELECT pg_temp.id(i), 'long ' || i, '{}', 'active' FROM generate_series(1, 2) AS i;
    INSERT INTO orchestrator.tasks (id, title, task_type, status)
    SELECT pg_temp.id(i), 'task ' || i, 'x', CASE WHEN i <= 40000 THEN 'completed' WHEN i = 40001 THEN 'running' ELSE 'pending' END
    FROM generate_series(1, 52002) AS i;
    INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence, done)
    SELECT pg_temp.id(CASE WHEN i <= 20000 OR i > 50002 THEN 2 ELSE 1 END), pg_temp.id(i),
           CASE WHEN i <= 40000 THEN 0 WHEN i > 50002 THEN 1 WHEN i > 40002 THEN 3 ELSE i - 40000 END, i <= 40000
    FROM generate_series(1, 52002) AS i;
    INSERT INTO orchestrator.queued_tasks (task_id, task_type, to_role, priority, run_after, created_at, attempts, ready)
    SELECT pg_temp.id(i), 'x', NULL, 0, '-infinity', pg_temp.at(i), 0, i > 50002 FROM generate_series(40002, 52002) AS i;
    INSERT INTO orchestrator.task_attempts (task_id, attempt, worker, lease_expires_at) VALUES (pg_temp.id(40001), 1, 'w', 'infinity')";

/// Changes that look at a workflow.
const STEPS_OF_A_WORKFLOW: [&str; 5] = [
    "SELECT orchestrator.complete_task(pg_temp.id(40001), 'w')",
    "SELECT orchestrator.cancel_task(pg_temp.id(40001), 'why')",
    "UPDATE orchestrator.tasks SET status = 'cancelled' WHERE id = pg_temp.id(40002)",
    "SELECT orchestrator.claim_tasks('w', batch => 3)",
    "UPDATE orchestrator.workflow_tasks SET sequence = 4 WHERE task_id = pg_temp.id(40002)",
];

#[test]
fn a_workflow_goes_on_however_many_tasks_are_over() -> Result<()> {
    const READ: &str = "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::bigint FROM pg_stat_xact_user_tables \
         WHERE schemaname = 'orchestrator' AND relname IN ('tasks', 'queued_tasks', 'workflows', 'workflow_tasks')";
    // Each of our statements reads a few rows; claims read some beside those that they take.
    const BOUND: i64 = 300;
    let database = walked_to("long_workflows", newest()?)?;
    let mut client = helped(&database)?;
    analyze(&mut client)?;
    execute(&mut client, LONG_WORKFLOWS)?;
    execute(&mut client, "RESET session_replication_role")?;
    let mut complaints: Vec<String> = Vec::new();
    for when in ["statistics of empty tables", "after ANALYZE"] {
        for step in STEPS_OF_A_WORKFLOW {
            execute(&mut client, "BEGIN")?;
            let before: i64 = query(&mut client, READ)?[0].try_get(0)?;
            execute(&mut client, step)?;
            let after: i64 = query(&mut client, READ)?[0].try_get(0)?;
            execute(&mut client, "ROLLBACK")?;
            println!("{when}: {step} reads {} rows", after - before);
            if !(1..=BOUND).contains(&(after - before)) {
                complaints.push(format!("{when}: {step} reads {} rows", after - before));
            }
        }
        analyze(&mut client)?;
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    execute(&mut client, "SELECT orchestrator.complete_task(pg_temp.id(40001), 'w')")?;
    let next = query(
        &mut client,
        "SELECT ready FROM orchestrator.queued_tasks WHERE task_id = pg_temp.id(40002)",
    )?;
    assert!(next[0].try_get::<_, bool>(0)?, "the next task can be claimed");
    Ok(())
}

/// Every outcome belongs to the second of two collaborations, after all requests of the first.
#[test]
fn verify_reads_each_table_once_when_values_repeat() -> Result<()> {
    const REPEATED: &str = "
        INSERT INTO orchestrator.collaboration_requests (collaboration_id, request_type, requesting_agent, specialist_agent, question)
        SELECT pg_temp.id(i / 10001), 'model_data', 'agent', 'specialist', 'how shall we do it?' FROM generate_series(1, 20000) AS i;
        INSERT INTO orchestrator.collaboration_outcomes (collaboration_id, specialist_agent, response, confidence)
        SELECT pg_temp.id(1), 'specialist', 'like this, step by step', 0.9 FROM generate_series(1, 20000) AS i";
    const BLOCKS: &str = "SELECT sum(relpages)::bigint FROM pg_class \
         WHERE oid IN ('orchestrator.collaboration_requests'::regclass, 'orchestrator.collaboration_outcomes'::regclass)";
    const VERIFY: &str = "SELECT FROM orchestrator.verify()";
    let database = walked_to("repeated", newest()?)?;
    let mut client = helped(&database)?;
    // With a table that does not fit into the memory of one join, the server may choose a plan that
    // reads half of the table, from a temporary file, for each row of the other table.
    execute(&mut client, "SET work_mem = '64kB'")?;
    let findings = query(&mut client, VERIFY)?;
    assert!(findings.is_empty(), "{} findings", findings.len());
    let without = work::of(&mut client, VERIFY)?;
    execute(&mut client, REPEATED)?;
    analyze(&mut client)?;
    let findings = query(&mut client, VERIFY)?;
    assert!(findings.is_empty(), "{} findings", findings.len());
    let with = work::of(&mut client, VERIFY)?;
    let blocks: i64 = query(&mut client, BLOCKS)?[0].try_get(0)?;
    let blocks = u64::try_from(blocks)?;
    println!("{without:?}, {with:?} with {blocks} blocks of rows");
    assert!(blocks > 500, "{blocks} blocks");
    assert!(
        with.blocks < without.blocks + 4 * blocks,
        "{with:?}, {without:?} without the {blocks} blocks"
    );
    Ok(())
}

/// A B-tree that begins with the columns of another one makes the other unnecessary.
#[test]
fn no_index_repeats_the_head_of_another() -> Result<()> {
    const REPEATED: &str = "SELECT format('%s repeats the head of %s', a.indexrelid::regclass, b.indexrelid::regclass) \
         FROM pg_index AS a JOIN pg_index AS b USING (indrelid) \
         JOIN pg_class AS i ON i.oid = a.indexrelid JOIN pg_class AS o ON o.oid = b.indexrelid AND o.relam = i.relam \
         JOIN pg_am AS m ON m.oid = i.relam AND m.amname = 'btree' \
         WHERE i.relnamespace = 'orchestrator'::regnamespace AND a.indexrelid <> b.indexrelid AND NOT a.indisunique \
           AND a.indexprs IS NULL AND b.indexprs IS NULL \
           AND coalesce(pg_get_expr(a.indpred, a.indrelid), '') = coalesce(pg_get_expr(b.indpred, b.indrelid), '') \
           AND (b.indkey::text || ' ') LIKE (a.indkey::text || ' %') \
         ORDER BY 1";
    let database = walked_to("heads", newest()?)?;
    let rows = query(&mut database.client()?, REPEATED)?;
    let repeated: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    assert_eq!(repeated, [""; 0]);
    Ok(())
}
