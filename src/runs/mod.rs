//! Runs of the orchestrator, one per thread: start, report progress, pause, resume, kill. Every
//! function locks its run, then reads, then writes, so that everything it has read stays true until
//! its transaction ends. Reviews are locked after their run, never before it.

pub mod amounts;

use pgrx::datum::DatumWithOid;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::spi::{SpiHeapTupleData, SpiTupleTable};
use pgrx::{AllocatedByRust, AnyNumeric, Uuid};
use serde_json::json;

use crate::audit::{self, Event};
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::Document;
use crate::server::statements::Statement;
use crate::server::{arguments, rows, statements};

/// The row of a run.
pub type Row = PgHeapTuple<'static, AllocatedByRust>;

/// A run that is locked until the transaction ends. Every function that adds a pending review or
/// resolves one also writes the row of the run. A transaction that keeps its snapshot (REPEATABLE
/// READ, SERIALIZABLE) does not notice a lock that was released, but fails with 40001 if the row
/// was written since its snapshot. So it cannot decide by an outdated list of pending reviews.
pub struct Run {
    pub id: Uuid,
    pub thread_id: String,
    pub phase: String,
    pub gate_status: String,
}

impl Run {
    /// Locks the run of a thread.
    ///
    /// Errors: P0002 the thread has no run.
    pub fn lock(thread_id: &str) -> Result<Self, Error> {
        static LOCK: Statement = Statement::new(
            "SELECT r.id, r.thread_id, r.phase, r.gate_status FROM orchestrator.orchestrator_runs AS r \
             WHERE r.thread_id = $1 FOR NO KEY UPDATE",
        );
        LOCK.update(&[thread_id.into()], Run::first)?.ok_or_else(|| {
            Error::new(Kind::NotFound, format!("thread \"{thread_id}\" has no run"))
                .hint("Start a run with orchestrator.start_run, or list runs: SELECT * FROM orchestrator.run_summary;")
        })
    }

    /// Locks the run of a thread, which must not have ended.
    ///
    /// Errors: P0002 the thread has no run, 55000 the run has ended.
    pub fn lock_open(thread_id: &str) -> Result<Self, Error> {
        let run = Run::lock(thread_id)?;
        if run.has_ended() || run.gate_status == "kill" { Err(run.ended()) } else { Ok(run) }
    }

    /// Writes rows of runs without a change. Rows that this transaction has written already are
    /// left out, so that deciding many reviews of one run does not make a long chain of row
    /// versions.
    pub fn write(ids: Vec<Uuid>) -> Result<(), Error> {
        static WRITE: Statement = Statement::new(
            "UPDATE orchestrator.orchestrator_runs AS r \
             SET requires_human_review = r.requires_human_review \
             WHERE r.id = ANY ($1) AND r.xmin <> pg_current_xact_id()::xid",
        );
        WRITE.update(&[ids.into()], |_| Ok(()))
    }

    /// The run of the first row: id, thread_id, phase and gate_status.
    pub fn first(rows: SpiTupleTable<'_>) -> Result<Option<Self>, Error> {
        rows.into_iter().next().map_or(Ok(None), |row| Run::read(&row))
    }

    /// The run in a row's first four columns; `None` if they are null.
    pub fn read(row: &SpiHeapTupleData<'_>) -> Result<Option<Self>, Error> {
        let Some(id) = row.get(1)? else { return Ok(None) };
        Ok(Some(Run {
            id,
            thread_id: rows::value(row, 2, "orchestrator_runs.thread_id")?,
            phase: rows::value(row, 3, "orchestrator_runs.phase")?,
            gate_status: rows::value(row, 4, "orchestrator_runs.gate_status")?,
        }))
    }

    /// Whether no step leads out of its phase.
    pub fn has_ended(&self) -> bool {
        lifecycle::state("run_phase", &self.phase).is_some_and(|state| state.next.is_empty())
    }

    /// The row that an update of the run returned.
    ///
    /// Errors: 55000 there is none.
    fn written(&self, row: Option<Row>) -> Result<Row, Error> {
        row.ok_or_else(|| self.not_written())
    }

    /// An update of the locked run found no row.
    pub fn not_written(&self) -> Error {
        let message = format!("the run of thread \"{}\" could not be changed", self.thread_id);
        Error::no_row(message, "orchestrator_runs")
    }

    fn ended(&self) -> Error {
        Error::new(Kind::NotReady, format!("the run of thread \"{}\" has ended", self.thread_id))
            .detail(format!("Its phase is {}, its gate_status {}.", self.phase, self.gate_status))
            .hint("A run ends once; start a new one with another thread_id.")
    }

    /// Records an event of the run in the audit trail, with the keys of `facts` and the thread.
    fn record(&self, event_type: &str, facts: serde_json::Value) -> Result<(), Error> {
        let mut metadata = json!({ "thread_id": self.thread_id });
        if let (Some(metadata), serde_json::Value::Object(facts)) =
            (metadata.as_object_mut(), facts)
        {
            metadata.extend(facts);
        }
        self.record_as(audit::SYSTEM, event_type, Document::composed(metadata))
    }

    pub fn record_as(&self, role: &str, event_type: &str, metadata: Document) -> Result<(), Error> {
        audit::record(Event { event_type, role, trace_id: self.id, metadata }).map(|_| ())
    }
}

/// Starts the run of a thread, in phase planning with its gate pending, and records `run_started`.
///
/// `thread_id`: the orchestrator's name of the run, 500 characters at most; `project_id`,
/// `story_id`: the project and the story of the run. Returns: the id of the run.
/// Errors: 22004, 22023 blank or overlong thread, or blank story, 23505 the thread has a run
/// already. Since 0.5.0.
#[pg_extern(sql = false, volatile)]
fn start_run(
    thread_id: Option<&str>,
    project_id: Option<Uuid>,
    story_id: Option<&str>,
) -> Result<Uuid, ErrorReport> {
    static INSERT: Statement = Statement::new(
        "INSERT INTO orchestrator.orchestrator_runs (thread_id, project_id, story_id) \
         VALUES ($1, $2, $3) ON CONFLICT ON CONSTRAINT orchestrator_runs_thread_id_key DO NOTHING RETURNING id",
    );
    let thread_id = arguments::name("thread_id", thread_id)?;
    let project_id = required("project_id", project_id)?;
    let story_id = arguments::filled("story_id", story_id)?;
    let arguments = [thread_id.into(), project_id.into(), story_id.into()];
    let Some(id) = INSERT.update(&arguments, statements::one::<Uuid>)? else {
        return Err(started_before(thread_id)?.into());
    };
    audit::record(Event {
        event_type: "run_started",
        role: audit::SYSTEM,
        trace_id: id,
        metadata: Document::composed(json!({
            "thread_id": thread_id,
            "project_id": project_id.to_string(),
            "story_id": story_id,
        })),
    })?;
    Ok(id)
}

/// The reason why the run of a thread could not be inserted.
fn started_before(thread_id: &str) -> Result<Error, Error> {
    static STATE: Statement = Statement::new(
        "SELECT r.id, format('It was started at %s for project %s, story %s, and is in phase %s.', \
                r.started_at, r.project_id, r.story_id, r.phase) \
         FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = $1",
    );
    let state = STATE.update(&[thread_id.into()], |rows| {
        rows::first(rows, |row| {
            let id = rows::value::<Uuid>(row, 1, "orchestrator_runs.id")?;
            Ok((id, rows::value::<String>(row, 2, "orchestrator_runs.phase")?))
        })
    })?;
    Ok(match state {
        Some((id, state)) => {
            Error::new(Kind::Duplicate, format!("thread \"{thread_id}\" already has a run"))
                .detail(format!("Its id is {id}. {state}"))
                .hint("A thread has one run; use another thread_id for a new one.")
        }
        None => Error::no_row(
            format!("the run of thread \"{thread_id}\" could not be started"),
            "orchestrator_runs",
        ),
    })
}

/// Adds tokens, cost and files to a run, sets its phase, agent or error if given, and records
/// `run_progressed`.
///
/// `phase`, `current_agent`, `error`: NULL keeps the current value; `tokens`, `cost` (USD, rounded
/// to ten decimals) and `files` are added to those of the run. Returns: the row.
/// Errors: 22004, 22023 unknown phase, blank agent, a negative or too large number, P0002 unknown
/// thread, 55000 the run has ended, or its phase does not allow the step. Since 0.5.0.
#[pg_extern(sql = false, volatile)]
fn record_run_progress(
    thread_id: Option<&str>,
    phase: default!(Option<&str>, "NULL"),
    current_agent: default!(Option<&str>, "NULL"),
    tokens: default!(Option<i64>, "0"),
    cost: default!(Option<AnyNumeric>, "0"),
    files: default!(Option<Vec<Option<String>>>, "'{}'"),
    error: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    static ADD: Statement = Statement::new(
        "UPDATE orchestrator.orchestrator_runs AS r \
         SET phase = coalesce($2, r.phase), current_agent = coalesce($3, r.current_agent), \
             tokens_used = r.tokens_used + $4, cost_usd = r.cost_usd + round($5, 10), \
             files_created = r.files_created || $6, error = coalesce($7, r.error) \
         WHERE r.id = $1 AND r.tokens_used <= 9223372036854775807 - $4 \
           AND r.cost_usd + round($5, 10) < 100000000 \
         RETURNING r, coalesce(r.current_agent, 'system'), \
             jsonb_strip_nulls(jsonb_build_object('thread_id', r.thread_id, 'phase', r.phase, \
                 'tokens', $4, 'cost', $5, 'files', to_jsonb($6), 'error', $7))",
    );
    let thread_id = arguments::filled("thread_id", thread_id)?;
    let phase = phase
        .map(|phase| arguments::one_of("phase", phase, &lifecycle::states("run_phase")))
        .transpose()?;
    let current_agent =
        current_agent.map(|agent| arguments::filled("current_agent", Some(agent))).transpose()?;
    let tokens = amounts::tokens(tokens)?;
    let cost = amounts::cost(cost)?;
    let files = amounts::texts("files", files)?;
    let run = Run::lock_open(thread_id)?;
    if let (Some(phase), Some(state)) = (phase, lifecycle::state("run_phase", &run.phase))
        && !state.allows(phase)
    {
        return Err(Error::new(
            Kind::NotReady,
            format!(
                "the run of thread \"{thread_id}\" cannot go from \"{}\" to \"{phase}\"",
                run.phase
            ),
        )
        .hint(state.allowed_in_words())
        .into());
    }
    let arguments = [
        run.id.into(),
        phase.into(),
        current_agent.into(),
        tokens.into(),
        cost.into(),
        files.into(),
        error.into(),
    ];
    let added = ADD.update(&arguments, |rows| {
        rows::first(rows, |row| {
            let run = rows::value::<Row>(row, 1, "orchestrator_runs.id")?;
            let agent = rows::value::<String>(row, 2, "orchestrator_runs.current_agent")?;
            Ok((run, agent, rows::value(row, 3, "orchestrator_runs.id")?))
        })
    })?;
    let Some((row, agent, metadata)) = added else {
        let [id, _, _, tokens, cost, ..] = arguments;
        return Err(not_added(&run, &[id, tokens, cost])?.into());
    };
    run.record_as(&agent, "run_progressed", metadata)?;
    Ok(row)
}

/// The reason why nothing was added to a locked run; `sum`: its id, tokens and cost.
fn not_added(run: &Run, sum: &[DatumWithOid<'_>; 3]) -> Result<Error, Error> {
    static FITS: Statement = Statement::new(
        "SELECT r.tokens_used <= 9223372036854775807 - $2 AND r.cost_usd + round($3, 10) < 100000000 \
         FROM orchestrator.orchestrator_runs AS r WHERE r.id = $1",
    );
    let fits = FITS.update(sum, |rows| {
        rows::only::<bool>(rows, "orchestrator_runs.tokens_used or cost_usd")
    })?;
    if fits {
        return Ok(run.not_written());
    }
    let message =
        format!("the tokens or the cost of thread \"{}\" would be too large", run.thread_id);
    Ok(Error::new(Kind::InvalidValue, message)
        .detail("A run holds up to 9223372036854775807 tokens and less than 100000000 USD."))
}

/// Sets the gate of a run to hold, and records `run_paused` with the reason. Pausing a run that is
/// on hold already records the new reason.
///
/// `reason`: why the run is paused. Returns: the row.
/// Errors: 22004, 22023 blank reason, P0002 unknown thread, 55000 the run has ended. Since 0.5.0.
#[pg_extern(sql = false, volatile)]
fn pause_run(
    thread_id: Option<&str>,
    reason: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    static HOLD: Statement = Statement::new(
        "UPDATE orchestrator.orchestrator_runs AS r SET gate_status = 'hold' WHERE r.id = $1 RETURNING r",
    );
    let thread_id = arguments::filled("thread_id", thread_id)?;
    let reason = arguments::filled("reason", reason)?;
    let run = Run::lock_open(thread_id)?;
    let row = run.written(HOLD.update(&[run.id.into()], statements::one::<Row>)?)?;
    run.record("run_paused", json!({ "reason": reason }))?;
    Ok(row)
}

/// Sets the gate of a run to go, clears `requires_human_review`, and records `run_resumed`. If both
/// are so already, nothing is changed or recorded.
///
/// Returns: the row. Errors: 22004, 22023 blank thread, P0002 unknown thread, 55000 the run has
/// ended, or waits for a review. Since 0.5.0.
#[pg_extern(sql = false, volatile)]
fn resume_run(
    thread_id: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    static GO: Statement = Statement::new(
        "UPDATE orchestrator.orchestrator_runs AS r SET gate_status = 'go', requires_human_review = false \
         WHERE r.id = $1 AND (r.gate_status IS DISTINCT FROM 'go' OR r.requires_human_review) RETURNING r",
    );
    static AS_IT_IS: Statement = Statement::new(
        "SELECT r FROM orchestrator.orchestrator_runs AS r \
         WHERE r.id = $1 AND r.gate_status = 'go' AND NOT r.requires_human_review",
    );
    let thread_id = arguments::filled("thread_id", thread_id)?;
    let run = Run::lock_open(thread_id)?;
    refuse_while_pending(&run)?;
    if let Some(row) = GO.update(&[run.id.into()], statements::one::<Row>)? {
        run.record("run_resumed", json!({ "was": run.gate_status }))?;
        return Ok(row);
    }
    Ok(run.written(AS_IT_IS.update(&[run.id.into()], statements::one::<Row>)?)?)
}

fn refuse_while_pending(run: &Run) -> Result<(), Error> {
    static PENDING: Statement = Statement::new(
        "SELECT count(*), min(q.created_at)::text, min(q.id::text) FROM orchestrator.human_review_queue AS q \
         WHERE q.thread_id = $1 AND q.status IS NOT DISTINCT FROM 'pending'",
    );
    let pending = PENDING
        .update(&[run.thread_id.as_str().into()], statements::three::<i64, String, String>)?;
    match pending {
        Some((Some(count), Some(since), Some(id))) => Err(Error::new(
            Kind::NotReady,
            format!(
                "the run of thread \"{}\" waits for {}",
                run.thread_id,
                arguments::counted(count, "review")
            ),
        )
        .detail(format!("Review {id} is pending; the oldest was requested at {since}."))
        .hint("Resolve it with orchestrator.resolve_review; the last approval resumes the run.")),
        _ => Ok(()),
    }
}

/// Ends a run: phase failed, gate kill, and the reason as its error; records `run_killed`. Its
/// pending reviews stay pending and can still be resolved.
///
/// `reason`: why the run is killed. Returns: the row.
/// Errors: 22004, 22023 blank reason, P0002 unknown thread, 55000 the run has ended. Since 0.5.0.
#[pg_extern(sql = false, volatile)]
fn kill_run(
    thread_id: Option<&str>,
    reason: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    static KILL: Statement = Statement::new(
        "UPDATE orchestrator.orchestrator_runs AS r \
         SET gate_status = 'kill', phase = 'failed', error = $2 WHERE r.id = $1 RETURNING r",
    );
    let thread_id = arguments::filled("thread_id", thread_id)?;
    let reason = arguments::filled("reason", reason)?;
    let run = Run::lock(thread_id)?;
    if run.has_ended() {
        return Err(run.ended().into());
    }
    let row = run.written(KILL.update(&[run.id.into(), reason.into()], statements::one::<Row>)?)?;
    run.record("run_killed", json!({ "reason": reason, "was": run.phase }))?;
    Ok(row)
}
