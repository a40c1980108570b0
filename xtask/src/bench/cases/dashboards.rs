//! Dashboards: the first page of each view over a growing history.

use std::time::Duration;

use anyhow::Result;

use crate::address::{execute, query};
use crate::bench::case::{self, Case, Outcome, Target};
use crate::bench::database::{Bench, Database};
use crate::bench::measure::{in_turn, median, statement};

pub const CASE: Case = Case {
    name: "dashboards",
    title: "Dashboards",
    about: "The first 20 rows of each view that people keep open. The baseline is one pass (`count(*)`) over all tables behind the \
            view, the least cost of a view that has to read them. Each measurement reads a view 20 times in a row, and the median \
            counts. *Rows* is the history in each table: ended sessions and runs, decided approvals, answered collaborations, passed \
            tests. The open part stays the same: 200 rows of each, and the 500 tasks of a migration. `v7_migration_dashboard` looks \
            up a later run of each of 400 failures in an index that gets a level deeper and whose leaves lie apart. An index that \
            holds all needed columns, and a subquery with LIMIT 1, were tried; both grow alike.",
    needs: &[
        "v7_migration_dashboard",
        "run_summary",
        "active_sessions",
        "pending_approvals",
        "collaboration_status",
    ],
    run,
};

const VIEWS: [&str; 7] = [
    "active_sessions",
    "collaboration_status",
    "pending_approvals",
    "run_summary",
    "v7_migration_dashboard",
    "v7_ready_tasks",
    "v7_unsynced_tasks",
];

/// How often a view is read in a row. A user who keeps it open reads it repeatedly, but the baseline's
/// pass over the tables evicts it from the processor's caches.
const REFRESHES: usize = 20;

/// The statement that reads the tables behind a view once, through other views, too.
const PASS: &str = "
    WITH RECURSIVE behind (relation) AS (
        SELECT 'orchestrator.VIEW'::regclass::oid
        UNION
        SELECT d.refobjid
        FROM behind AS b JOIN pg_rewrite AS r ON r.ev_class = b.relation
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    )
    SELECT 'SELECT ' || string_agg(format('(SELECT count(*) FROM %s)', t.oid::regclass), ' + ')
    FROM behind AS b JOIN pg_class AS t ON t.oid = b.relation AND t.relkind = 'r'
    WHERE t.relnamespace = 'orchestrator'::regnamespace";

fn run(bench: &Bench) -> Result<Outcome> {
    let mut outcome = Outcome::against(&["one pass over its tables"]);
    for size in bench.sizes(&[10_000, 100_000, 1_000_000]) {
        let database = prepared(bench, size)?;
        let client = database.shared()?;
        for view in VIEWS {
            let pass: String = query(&mut client.borrow_mut(), &PASS.replace("VIEW", view))?
                .first()
                .map_or(Ok(String::new()), |row| row.try_get(0))?;
            let page = format!("SELECT * FROM orchestrator.{view} LIMIT 20");
            let refreshed = |_| -> Result<Duration> {
                let times: Result<Vec<Duration>> =
                    (0..REFRESHES).map(|_| statement(&client, &page)).collect();
                Ok(median(times?))
            };
            let medians = in_turn(bench.rounds(), &[&refreshed, &|_| statement(&client, &pass)])?;
            outcome.add(view, case::rows(size), &medians, Some(Target::Growth(1.5)));
        }
    }
    outcome.lines.sort_by(|a, b| a.what.cmp(&b.what));
    Ok(outcome)
}

/// A database with that much history and a fixed number of open rows.
fn prepared(bench: &Bench, history: u64) -> Result<Database> {
    let at = "'2026-01-01 00:00:00+00'::timestamptz + i * interval '1 second'";
    let id = |number: &str| {
        format!("('00000000-0000-4000-8000-' || lpad(({number})::text, 12, '0'))::uuid")
    };
    let open = "i % (h.rows / 200) = 0";
    let numbers = format!("(VALUES ({history})) AS h (rows), generate_series(1, {history}) AS i");
    let database = bench.database()?;
    let mut client = database.connect()?;
    // The rows are consistent, so the triggers have nothing to do.
    execute(&mut client, "SET session_replication_role = replica")?;
    for statement in [
        format!(
            "INSERT INTO orchestrator.tasks (id, title, task_type) SELECT {}, 'task ' || i, 'build' FROM generate_series(0, 999) AS i",
            id("i")
        ),
        format!(
            "INSERT INTO orchestrator.sessions (client_id, role, is_active, status, created_at, updated_at, last_heartbeat) \
             SELECT 'client ' || i, 'developer', {open}, CASE WHEN {open} THEN 'active' ELSE 'expired' END, {at}, {at}, {at} FROM {numbers}"
        ),
        format!(
            "INSERT INTO orchestrator.approvals (task_id, approver_role, status, created_at, decision_at) \
             SELECT {}, 'lead', CASE WHEN {open} THEN 'pending' ELSE 'approved' END, {at}, CASE WHEN NOT {open} THEN {at} END FROM {numbers}",
            id("i % 1000")
        ),
        format!(
            "INSERT INTO orchestrator.orchestrator_runs (thread_id, project_id, story_id, phase, started_at, completed_at) \
             SELECT 'thread ' || i, {}, 'story ' || i, CASE WHEN {open} THEN 'development' ELSE 'complete' END, {at}, CASE WHEN NOT {open} THEN {at} END \
             FROM {numbers}",
            id("i % 50")
        ),
        format!(
            "INSERT INTO orchestrator.human_review_queue (thread_id, review_type, reason, status, resolved_by, resolved_at, created_at) \
             SELECT 'thread ' || i, 'safety', 'score', CASE WHEN {open} THEN 'pending' ELSE 'approved' END, CASE WHEN NOT {open} THEN 'ada' END, \
                    CASE WHEN NOT {open} THEN {at} END, {at} FROM {numbers}"
        ),
        format!(
            "INSERT INTO orchestrator.audit_events (event_type, role, trace_id, timestamp, metadata) \
             SELECT 'run_started', 'system', {}, {at}, jsonb_build_object('thread_id', 'thread ' || i) FROM {numbers}",
            id("i")
        ),
        format!(
            "INSERT INTO orchestrator.collaboration_requests (collaboration_id, request_type, requesting_agent, specialist_agent, question, created_at) \
             SELECT {}, 'model_data', 'agent ' || i % 20, 'specialist ' || i % 20, 'how shall we do it?', {at} FROM {numbers}",
            id("i")
        ),
        format!(
            "INSERT INTO orchestrator.collaboration_outcomes (collaboration_id, specialist_agent, response, confidence, created_at) \
             SELECT {}, 'specialist ' || i % 20, 'like this, step by step', 0.9, {at} FROM {numbers} WHERE NOT {open}",
            id("i")
        ),
        "SELECT orchestrator.v7_load_plan()".to_owned(),
        "INSERT INTO orchestrator.v7_subworkflow_tasks (parent_phase, task_number, task_name, responsible_persona) \
         SELECT 5, i, 'task ' || i, 'ada' FROM generate_series(1, 500) AS i"
            .to_owned(),
        // Tests of 2,000 components pass again and again. Every failure is repaired, except the open ones.
        format!(
            "INSERT INTO orchestrator.v7_test_results (test_type, component_tested, test_status, tested_at) \
             SELECT 'unit', 'component ' || i % 2000, 'pass', {at} FROM {numbers}"
        ),
        "INSERT INTO orchestrator.v7_test_results (test_type, component_tested, test_status, tested_at) \
         SELECT 'unit', 'component ' || i, 'fail', now() - i % 2 * interval '10 years' FROM generate_series(1, 400) AS i"
            .to_owned(),
    ] {
        execute(&mut client, &statement)?;
    }
    execute(&mut client, "VACUUM ANALYZE")?;
    Ok(database)
}
