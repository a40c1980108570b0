//! Runs of the orchestrator, one per thread: start, report progress, save state, pause, resume,
//! kill. Every function that changes a run locks it, then reads, then writes, so that everything it
//! has read stays true until its transaction ends. Questions are locked after their run, never
//! before it.

pub mod amounts;
mod pause;
mod progress;
mod start;
mod state;
mod trail;
pub mod waiting;

use const_format::concatcp;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::spi::{SpiHeapTupleData, SpiTupleTable};
use pgrx::{AllocatedByRust, Uuid};
use serde_json::json;

use crate::audit::{self, Event};
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind};
use crate::server::jsonb::Document;
use crate::server::statements::Statement;
use crate::server::{rows, statements};

/// The row of a run.
pub type Row = PgHeapTuple<'static, AllocatedByRust>;

/// The columns of run `r` that `Run::read` reads.
pub const COLUMNS: &str = "r.id, r.thread_id, r.phase, r.gate_status";

/// The beginning of the statement that locks the run of a thread; an expression or a query for the
/// thread, and a parenthesis, complete it.
pub const LOCK_RUN_OF: &str = concatcp!(
    "SELECT ",
    COLUMNS,
    " FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = ("
);

/// The statements for the run that a row with id $1 names.
pub struct Naming {
    /// Locks the run.
    pub lock: Statement,
    /// Returns a text if the row names a run.
    pub names_one: Statement,
}

impl Naming {
    /// `lock`: `LOCK_RUN_OF`, completed.
    pub const fn new(lock: &'static str, names_one: &'static str) -> Naming {
        Naming { lock: Statement::new(lock), names_one: Statement::new(names_one) }
    }
}

/// The number of attempts to lock a run whose thread is renamed between two statements each time.
pub const ATTEMPTS: usize = 100;

/// A run that is locked until the transaction ends. Every function that adds a question about it or
/// decides one also writes the row of the run. A transaction that keeps its snapshot (REPEATABLE
/// READ, SERIALIZABLE) does not notice a lock that was released, but fails with 40001 if the row
/// was written since its snapshot. So it cannot decide by an outdated list of open questions.
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
        static LOCK: Statement = Statement::new(concatcp!(LOCK_RUN_OF, "$1) FOR NO KEY UPDATE"));
        LOCK.update(&[thread_id.into()], Run::first)?.ok_or_else(|| unknown(thread_id))
    }

    /// Locks the run of a thread, which must not have ended.
    ///
    /// Errors: P0002 the thread has no run, 55000 the run has ended.
    pub fn lock_open(thread_id: &str) -> Result<Self, Error> {
        let run = Run::lock(thread_id)?;
        run.refuse_if_over()?;
        Ok(run)
    }

    /// Errors: 55000 the run has ended.
    pub fn refuse_if_over(&self) -> Result<(), Error> {
        if self.has_ended() || self.gate_status == "kill" { Err(self.ended()) } else { Ok(()) }
    }

    /// Locks the run that a row names, such as a question; `None` if it names none, or there is no
    /// such row.
    ///
    /// Errors: 55000 the thread was renamed during every attempt, or the run is hidden.
    pub fn lock_of(row: Uuid, naming: &'static Naming) -> Result<Option<Self>, Error> {
        for _ in 0..ATTEMPTS {
            if let Some(run) = naming.lock.update(&[row.into()], Run::first)? {
                return Ok(Some(run));
            }
            if naming.names_one.update(&[row.into()], statements::one::<String>)?.is_none() {
                return Ok(None);
            }
            // The thread was renamed while this call waited for the lock.
        }
        Err(not_lockable())
    }

    /// Marks a run that waits for a human. Writes the row also if it is marked already; the comment
    /// of `Run` says why.
    pub fn mark(&self) -> Result<(), Error> {
        static MARK: Statement = Statement::new(
            "UPDATE orchestrator.orchestrator_runs AS r SET requires_human_review = true \
             WHERE r.id = $1 AND (NOT r.requires_human_review OR r.xmin <> pg_current_xact_id()::xid)",
        );
        static MARKED: Statement = Statement::new(
            "SELECT r.requires_human_review FROM orchestrator.orchestrator_runs AS r WHERE r.id = $1",
        );
        let is_written = !MARK.update(&[self.id.into()], |rows| Ok(rows.is_empty()))?;
        let is_marked = || {
            MARKED.update(&[self.id.into()], |rows| {
                rows::only::<bool>(rows, "orchestrator_runs.requires_human_review")
            })
        };
        if is_written || is_marked()? { Ok(()) } else { Err(self.not_written()) }
    }

    /// Writes rows of runs without a change. Rows that this transaction has written already are
    /// left out, so that deciding many questions of one run does not make a long chain of row
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

/// The error for a thread without a run.
pub fn unknown(thread_id: &str) -> Error {
    Error::new(Kind::NotFound, format!("thread \"{thread_id}\" has no run"))
        .hint("Start a run with orchestrator.start_run, or list runs: SELECT * FROM orchestrator.run_summary;")
}

/// No attempt locked the run of a question.
pub fn not_lockable() -> Error {
    Error::new(Kind::NotReady, "the run of the question could not be locked")
        .detail("The thread was renamed, the question was moved to another thread, or a rule or a policy hides the run.")
        .hint(
            "Try again, or look for a rule or a policy of your own on orchestrator.orchestrator_runs.",
        )
}
