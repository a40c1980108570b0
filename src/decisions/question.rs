//! A question to a human, whatever its kind: a review, a gate or an approval.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::spi::SpiTupleTable;
use serde_json::json;

use crate::audit::{self, Event};
use crate::runs::Row;
use crate::server::error::{Error, Kind};
use crate::server::jsonb::Document;
use crate::server::statements::{self, Statement};
use crate::server::{locks, plans, rows};

/// The status of a question that waits.
pub const PENDING: &str = "pending";

/// A question, and the trace of its events.
pub struct Question {
    pub id: Uuid,
    pub kind: String,
    pub status: String,
    /// The review_type, the gate_type, or the approver_role.
    pub subtype: String,
    trace_id: Uuid,
    thread_id: Option<String>,
    pub task_id: Option<Uuid>,
}

impl Question {
    /// The question with this id; of two with the same id, the open one.
    ///
    /// Errors: P0002 there is none.
    pub fn find(id: Uuid) -> Result<Question, Error> {
        static FIND: Statement = Statement::new(concatcp!(
            "SELECT d.* FROM (",
            include_str!("question.sql"),
            ") AS d ORDER BY d.status = 'pending' DESC LIMIT 1"
        ));
        FIND.update(&[id.into()], |rows| Question::read(rows, id))?.ok_or_else(|| unknown(id))
    }

    /// The question of a kind with this id, if it is there.
    pub fn of_kind(kind: &str, id: Uuid) -> Result<Option<Question>, Error> {
        static FIND: Statement = Statement::new(concatcp!(
            "SELECT d.* FROM (",
            include_str!("question.sql"),
            ") AS d WHERE d.kind = $2"
        ));
        plans::by_index(|| FIND.update(&[id.into(), kind.into()], |rows| Question::read(rows, id)))
    }

    fn read(rows: SpiTupleTable<'_>, id: Uuid) -> Result<Option<Question>, Error> {
        rows::first(rows, |row| {
            Ok(Question {
                id,
                kind: rows::value(row, 1, "decisions.kind")?,
                status: rows::value(row, 2, "decisions.status")?,
                subtype: rows::value(row, 3, "decisions.type")?,
                trace_id: rows::value(row, 4, "decisions.trace_id")?,
                thread_id: rows::optional(row, 5, "decisions.thread_id")?,
                task_id: rows::optional(row, 6, "decisions.task_id")?,
            })
        })
    }

    /// The trace of its events: that of its run, of its task, or of the context of a gate.
    pub fn trace_id(&self) -> Uuid {
        self.trace_id
    }

    pub fn is_open(&self) -> bool {
        self.status == PENDING
    }

    /// Records an event about the question. `facts`: a JSON object.
    pub fn record(
        &self,
        event_type: &str,
        role: &str,
        mut facts: serde_json::Value,
    ) -> Result<(), Error> {
        facts["decision_id"] = json!(self.id.to_string());
        facts["kind"] = json!(self.kind);
        if let Some(thread_id) = &self.thread_id {
            facts["thread_id"] = json!(thread_id);
        }
        if let Some(task_id) = self.task_id {
            facts["task_id"] = json!(task_id.to_string());
        }
        let metadata = Document::composed(facts);
        audit::record(Event { event_type, role, trace_id: self.trace_id, metadata }).map(|_| ())
    }

    /// The row of view `decisions`.
    pub fn row(&self) -> Result<Row, Error> {
        row(self.id)?.ok_or_else(|| unknown(self.id))
    }

    /// Refuses an act on a question that is decided.
    ///
    /// Errors: 55000.
    pub fn refuse_if_decided(&self) -> Result<(), Error> {
        static HOW: Statement = Statement::new(
            "SELECT d.status, format(' by %s at %s.', d.decided_by, d.decided_at) \
             FROM orchestrator.decisions AS d WHERE d.id = $1 AND d.kind = $2",
        );
        if self.is_open() {
            return Ok(());
        }
        let arguments = [self.id.into(), self.kind.as_str().into()];
        let how = match HOW.update(&arguments, statements::two::<String, String>)? {
            Some((Some(status), Some(how))) => format!("It was {}{how}", in_words(&status)),
            _ => String::new(),
        };
        let Question { kind, id, status, .. } = self;
        let status = in_words(status);
        Err(Error::new(Kind::NotReady, format!("{kind} {id} is already {status}"))
            .detail(how)
            .hint("A question is decided once; ask again with a new one."))
    }
}

/// A status that is not pending, in words that follow "is" and "was".
pub fn in_words(status: &str) -> &str {
    if status == "changes_requested" { "sent back for changes" } else { status }
}

/// The row of view `decisions` with this id; of two questions with the same id, the open one.
pub fn row(id: Uuid) -> Result<Option<Row>, Error> {
    static DECISION: Statement = Statement::new(
        "SELECT d FROM orchestrator.decisions AS d WHERE d.id = $1 ORDER BY d.status = 'pending' DESC LIMIT 1",
    );
    DECISION.select(&[id.into()], statements::one::<Row>)
}

pub fn unknown(id: Uuid) -> Error {
    Error::new(Kind::NotFound, format!("decision {id} does not exist"))
        .hint("List pending decisions: SELECT * FROM orchestrator.pending_decisions;")
}

/// Locks the tables of all kinds for reading, in the order of updates. A function whose triggers go from a question to
/// its task and back would lock them in another one.
pub fn lock_tables() {
    locks::in_order(&[
        c"orchestrator_runs",
        c"human_review_queue",
        c"gates",
        c"tasks",
        c"approvals",
        c"queued_tasks",
        c"task_attempts",
        c"workflows",
        c"workflow_tasks",
        c"decision_rules",
        c"decision_terms",
        c"decision_votes",
        c"knowledge_staging",
        c"configurations",
    ]);
}
