//! Maintenance: everything that expires, releases or purges rows, in one call, and its schedule
//! with pg_cron.

use std::ffi::CStr;

use pgrx::datum::Interval;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::agents::knowledge;
use crate::audit::{purge, seals};
use crate::configuration::retention;
use crate::configuration::retention::{Age, Bounded, Lifetime, Unit};
use crate::decisions::expire;
use crate::schema::catalog;
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{arguments, backend_state, latest, locks, rows};
use crate::tasks::{self, routing, sessions};

/// The time without a heartbeat after which a session is marked as inactive.
const SILENCE: Lifetime =
    Lifetime { key: "session_silence_seconds", unit: Unit::Seconds, default: 60.0 };

/// The time for which knowledge is kept after it was embedded.
const KNOWLEDGE: Lifetime =
    Lifetime { key: "knowledge_retention_days", unit: Unit::Days, default: 365.0 };

/// The time for which audit events are kept. Without this configuration they are kept for ever.
const AUDIT: Bounded =
    Bounded { key: "audit_retention_days", unit: Unit::Days, least: 1.0, example: 3650.0 };

/// Runs all regular tasks, each with its configured age: expires sessions (session_retention_days,
/// 7), marks sessions without a heartbeat as inactive (session_silence_seconds, 60), releases
/// idempotency keys (idempotency_ttl_seconds, 86400), purges embedded knowledge
/// (knowledge_retention_days, 365) and, if audit_retention_days is set, audit events.
///
/// A second call waits until the first has ended. Returns: each task with the number of its rows.
/// Errors: 22023 a configuration that is not an age; then nothing is changed. Since 0.6.0; replaced in
/// 0.7.1.
#[pg_extern(sql = false, volatile)]
fn run_maintenance()
-> Result<TableIterator<'static, (name!(task, String), name!(affected, i64))>, ErrorReport> {
    Ok(results(maintain(purge::purge_configured)?))
}

/// The same, and it takes tasks with an expired lease back first.
///
/// A second call waits until the first has ended. Returns: each task with the number of its rows.
/// Errors: 22023 a configuration that is not an age; then nothing is changed. Since 0.7.1; replaced in
/// 0.8.0.
#[pg_extern(sql = false, volatile)]
fn run_maintenance_0_7_1()
-> Result<TableIterator<'static, (name!(task, String), name!(affected, i64))>, ErrorReport> {
    lock_tables()?;
    let mut done = vec![("reclaim_expired_tasks", tasks::reclaim_expired_tasks()?)];
    done.extend(maintain(purge::purge_configured)?);
    Ok(results(done))
}

/// The same, and it decides or escalates the questions whose deadline has passed.
///
/// A second call waits until the first has ended. Returns: each task with the number of its rows.
/// Errors: 22023 a configuration that is not an age; then nothing is changed. Since 0.8.0; replaced in 0.8.1.
#[pg_extern(sql = false, volatile)]
fn run_maintenance_0_8_0()
-> Result<TableIterator<'static, (name!(task, String), name!(affected, i64))>, ErrorReport> {
    let mut done = what_waits()?;
    done.extend(maintain(purge::purge_configured)?);
    Ok(results(done))
}

/// The same, and it seals the audit trail, each day of it on its own. It purges whole seals. If a session hides when its
/// transaction began, the trail is neither purged nor sealed, and a WARNING says so.
///
/// A second call waits until the first has ended. Returns: each task with the number of its rows; of
/// seal_audit_events, the number of new seals.
/// Errors: 22023 a configuration that is not an age, 40001 events came after the snapshot of the transaction; then
/// nothing is changed. Since 0.8.1.
#[pg_extern(sql = false, volatile)]
fn run_maintenance_0_8_1()
-> Result<TableIterator<'static, (name!(task, String), name!(affected, i64))>, ErrorReport> {
    backend_state::only_on_a_primary()?;
    // This may take seconds, so it comes before any lock.
    let horizon = match seals::horizon() {
        Err(hidden) if hidden.is(Kind::NotReady) => {
            hidden.warn();
            None
        }
        horizon => Some(horizon?),
    };
    let mut done = what_waits()?;
    // A purge seals what it deletes in spans of its own. A seal over older and newer events would keep the older ones.
    let purge =
        |age: &Age| horizon.map_or(Ok(0), |horizon| purge::purge_configured_seals(age, horizon));
    done.extend(maintain(purge)?);
    done.push(("seal_audit_events", horizon.map_or(Ok(0), seals::seal_by_days)?));
    Ok(results(done))
}

/// Questions without an answer in time, and tasks without a worker. A deadline locks runs and waits for them. Whatever
/// takes tasks back passes by what is locked, so it comes second.
fn what_waits() -> Result<Vec<(&'static str, i64)>, ErrorReport> {
    lock_tables()?;
    Ok(vec![
        ("expire_decisions", expire::expire()?.len() as i64),
        ("reclaim_expired_tasks", tasks::reclaim_expired_tasks()?),
    ])
}

/// Waits for another call, and locks the tables in the order of updates.
fn lock_tables() -> Result<(), Error> {
    locks::one_at_a_time("run_maintenance")?;
    locks::in_order(&[
        c"orchestrator_runs",
        c"human_review_queue",
        c"gates",
        c"sessions",
        c"tasks",
        c"approvals",
        c"queued_tasks",
        c"task_attempts",
        c"workflows",
        c"workflow_tasks",
        c"decision_terms",
        c"decision_votes",
        c"tool_executions",
        c"knowledge_staging",
        c"configurations",
    ]);
    Ok(())
}

/// `purge`: deletes the events that are older than the configured age.
fn maintain(
    purge: impl Fn(&Age) -> Result<i64, Error>,
) -> Result<Vec<(&'static str, i64)>, ErrorReport> {
    locks::one_at_a_time("run_maintenance")?;
    let silent_for = retention::configured(&SILENCE)?;
    let embedded_for = retention::configured(&KNOWLEDGE)?;
    let older_than = retention::configured_only(&AUDIT)?;
    // After `expire_sessions`, for which the update of a session is a sign of life.
    let mut done = vec![
        ("expire_sessions", sessions::expire_sessions(None)?),
        ("deactivate_stale_sessions", deactivate(silent_for)?),
        ("release_idempotency_keys", routing::release_idempotency_keys(None)?),
        ("purge_knowledge", knowledge::purge_knowledge(Some(embedded_for))?),
    ];
    if let Some(older_than) = older_than {
        done.push(("purge_audit_events", purge(&older_than)?));
    }
    Ok(done)
}

fn results(
    done: Vec<(&'static str, i64)>,
) -> TableIterator<'static, (name!(task, String), name!(affected, i64))> {
    let rows = done.into_iter().map(|(task, affected)| (task.to_owned(), affected));
    TableIterator::new(rows.collect::<Vec<_>>())
}

fn deactivate(silent_for: Interval) -> Result<i64, ErrorReport> {
    Ok(sessions::deactivate_stale_sessions(Some(silent_for))?.count() as i64)
}

/// The statement of the job, which can also be run by hand.
const COMMAND: &str = "SELECT * FROM orchestrator.run_maintenance()";

/// The name of the job.
const JOB: &str = "orchestrator_schema maintenance";

/// Schedules the maintenance of this database with pg_cron. An earlier schedule of the caller is
/// replaced, also one that came with a dump from another server.
///
/// `cron`: the schedule in cron's five fields. Returns: the id of the job, which runs as the
/// caller.
/// Errors: 22023 not a schedule, 42501 the caller may not use pg_cron, 55000 pg_cron is not
/// installed in this database, or another role has scheduled the maintenance. Since 0.6.0.
#[pg_extern(sql = false, volatile)]
fn schedule_maintenance(
    cron: default!(Option<&str>, "'*/15 * * * *'"),
) -> Result<i64, ErrorReport> {
    static SCHEDULE: Statement = Statement::new("SELECT cron.schedule($1, $2, $3)");
    let cron = arguments::filled("cron", Some(cron.unwrap_or("*/15 * * * *")))?;
    only_with_pg_cron()?;
    only_once()?;
    let arguments = [JOB.into(), cron.into(), COMMAND.into()];
    let job = SCHEDULE.update(&arguments, |rows| rows::only::<i64>(rows, "cron.job.jobid"))?;
    bring_here(job)?;
    Ok(job)
}

/// A job that came with a dump still names the port and the database of its old server, and pg_cron
/// does not change them when the job is scheduled again. The host stays, because the owner of
/// pg_cron chooses it.
fn bring_here(job: i64) -> Result<(), Error> {
    static HERE: Statement = Statement::new(
        "UPDATE cron.job AS j SET nodeport = here.port, database = here.database \
         FROM (SELECT current_setting('port')::integer, current_database()::text) AS here (port, database) \
         WHERE j.jobid = $1 AND (j.nodeport, j.database) IS DISTINCT FROM (here.port, here.database)",
    );
    backend_state::with_rights_of(owner_of_jobs()?, || HERE.update(&[job.into()], |_| Ok(())))
}

/// The role that owns the table of jobs.
fn owner_of_jobs() -> Result<pg_sys::Oid, Error> {
    static OWNER: Statement = Statement::new(
        "SELECT c.relowner FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE n.nspname = 'cron' AND c.relname = 'job'",
    );
    OWNER.select(&[], |rows| rows::only(rows, "owner of cron.job"))
}

/// Removes the caller's maintenance job from pg_cron.
///
/// Returns: whether there was a job. Errors: 42501 the caller may not use pg_cron, 55000 pg_cron is
/// not installed in this database. Since 0.6.0.
#[pg_extern(sql = false, volatile)]
fn unschedule_maintenance() -> Result<bool, ErrorReport> {
    static UNSCHEDULE: Statement = Statement::new(
        "SELECT count(cron.unschedule(j.jobid)) FROM cron.job AS j \
         WHERE j.jobname = $1 AND j.username = current_user",
    );
    only_with_pg_cron()?;
    let gone = UNSCHEDULE.update(&[JOB.into()], |rows| rows::only::<i64>(rows, "count"))?;
    Ok(gone > 0)
}

/// Refuses a second job. pg_cron allows one job of a name for each role, and shows each role only
/// its own jobs. The lock keeps others from creating a job until the transaction ends.
///
/// Errors: 55000 another role has a job.
fn only_once() -> Result<(), Error> {
    static LOCK: Statement = Statement::new("LOCK TABLE cron.job IN SHARE ROW EXCLUSIVE MODE");
    static CALLER: Statement = Statement::new("SELECT current_user::text");
    const OTHER: &CStr = c"SELECT j.username FROM cron.job AS j \
         WHERE j.jobname = $1 AND j.username <> $2 AND j.database = current_database() LIMIT 1";
    let caller = CALLER.select(&[], |rows| rows::only::<String>(rows, "current_user"))?;
    let arguments = [JOB.into(), caller.as_str().into()];
    backend_state::with_rights_of(owner_of_jobs()?, || LOCK.update(&[], |_| Ok(())))?;
    let other = backend_state::with_rights_of(catalog::owner()?, || {
        latest::value::<String>(OTHER, &arguments)
    })?;
    match other {
        None => Ok(()),
        Some(other) => Err(Error::new(Kind::NotReady, "the maintenance is already scheduled")
            .detail(format!("Role \"{other}\" scheduled it."))
            .hint("That role removes its job: SELECT orchestrator.unschedule_maintenance();")),
    }
}

fn only_with_pg_cron() -> Result<(), Error> {
    static USABLE: Statement = Statement::new(
        "SELECT has_schema_privilege(n.oid, 'USAGE') AS is_usable, quote_ident(current_user) AS caller \
         FROM pg_namespace AS n JOIN pg_proc AS p ON p.pronamespace = n.oid, pg_extension AS e \
         WHERE e.extname = 'pg_cron' AND n.nspname = 'cron' AND p.proname = 'schedule' \
           AND oidvectortypes(p.proargtypes) = 'text, text, text'",
    );
    let usable = USABLE.update(&[], |rows| {
        rows::first(rows, |row| {
            let is_usable = rows::value::<bool>(row, 1, "is_usable")?;
            Ok((is_usable, rows::value::<String>(row, 2, "caller")?))
        })
    })?;
    match usable {
        Some((true, _)) => Ok(()),
        Some((false, caller)) => {
            Err(Error::new(Kind::Forbidden, format!("permission denied for schema cron to role {caller}"))
                .detail("The job is created by the caller and runs as the caller; pg_cron grants its schema to nobody.")
                .hint(format!("As a superuser: GRANT USAGE ON SCHEMA cron TO {caller}; Or run the maintenance by hand: {COMMAND};")))
        }
        None => Err(Error::new(Kind::NotReady, "pg_cron (1.4 or newer) is not installed in this database").hint(format!(
            "If pg_cron is preloaded, run as a superuser in the database that cron.database_name names: CREATE EXTENSION pg_cron; Or run the maintenance by hand: {COMMAND};"
        ))),
    }
}
