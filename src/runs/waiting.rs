//! Runs that wait for a human: the open questions about a run, the refusal of work while it is on
//! hold, and the end of the wait. Since 0.7.0 the questions of a run are its reviews, its gates, and
//! the approvals of its tasks.

use std::ffi::CStr;

use const_format::concatcp;
use pgrx::Uuid;

use crate::runs::Run;
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{backend_state, excerpt, latest, rows};

/// A query for the open questions of run `r`: kind, id, asks, created_at.
const OPEN: &str = include_str!("open_questions.sql");

/// The reviews that hold run `r`: those of its safety.
const HOLDING_REVIEWS: &str = "SELECT FROM orchestrator.human_review_queue AS q \
     WHERE q.thread_id = r.thread_id AND q.status IS NOT DISTINCT FROM 'pending' AND q.review_type = 'safety'";

/// The gates that hold run `r`.
const HOLDING_GATES: &str = "SELECT FROM orchestrator.gates AS g \
     WHERE g.thread_id = r.thread_id AND g.status IS NOT DISTINCT FROM 'pending'";

/// The condition that a question holds run `r`.
const IS_HELD: &str = concatcp!("(EXISTS (", HOLDING_REVIEWS, ") OR EXISTS (", HOLDING_GATES, "))");

/// The condition that run `r` waits for a human: no work of it begins.
pub const WAITS: &str = concatcp!(
    "(r.gate_status IN ('hold', 'kill') OR (r.gate_status = 'recycle' AND ",
    IS_HELD,
    "))"
);

/// The gate_status of run `r` when a low score holds it. A run that is to be done again stays so if
/// it waits for another question that holds it: the denial counts, whatever the answer to that one.
pub const HELD: &str = concatcp!(
    "CASE WHEN r.gate_status IS NOT DISTINCT FROM 'recycle' AND ",
    IS_HELD,
    " THEN r.gate_status ELSE 'hold' END"
);

/// The gate_status of run `r` when its last question is decided. A pause stays: only `resume_run`
/// lifts it.
pub const RELEASED: &str = "CASE WHEN r.gate_status IS NOT DISTINCT FROM 'hold' AND r.held_by IS NULL \
     THEN 'go' ELSE r.gate_status END";

/// The condition that run `r` has no open question.
pub const HAS_NO_QUESTION: &str = concatcp!("NOT EXISTS (SELECT FROM (", OPEN, ") AS o)");

/// The number of characters of a reason that a message shows.
const SHOWN: usize = 200;

/// The work of a run that is refused while the run waits: the first words of the message.
pub struct Work(pub String);

/// Refuses to begin work of a run while it is on hold, was killed, or is to be done again and still
/// waits for a question that holds it. Locks the run only against a change of its key, so that a
/// pause never waits for work.
///
/// Errors: 55000, 40001 the run was held since the transaction took its snapshot.
pub fn refuse_work(run_id: Uuid, work: &Work) -> Result<(), Error> {
    static LOCK: Statement = Statement::new(concatcp!(
        "SELECT ",
        super::COLUMNS,
        " FROM orchestrator.orchestrator_runs AS r WHERE r.id = $1 FOR KEY SHARE"
    ));
    match LOCK.update(&[run_id.into()], Run::first)? {
        Some(run) if run.is_waiting()? => Err(run.waits(work)?),
        Some(_) if backend_state::keeps_its_snapshot() => refuse_if_held_since(run_id, work),
        _ => Ok(()),
    }
}

/// Refuses work of a run that was held after the snapshot of the transaction. The server does not
/// report it: the lock of `refuse_work` goes together with the update that held the run.
///
/// Errors: 40001.
fn refuse_if_held_since(run_id: Uuid, work: &Work) -> Result<(), Error> {
    const HELD: &CStr = latest::statement(concatcp!(
        "SELECT ",
        WAITS,
        " FROM orchestrator.orchestrator_runs AS r WHERE r.id = $1\0"
    ));
    if latest::value::<bool>(HELD, &[run_id.into()])? != Some(true) {
        return Ok(());
    }
    Err(Error::new(Kind::Serialization, format!("{} because its run was held meanwhile", work.0))
        .detail("The snapshot of this transaction is older than the hold.")
        .hint("Roll back and try again; a new transaction reports what the run waits for."))
}

/// Why a run waits.
struct Wait {
    held_by: Option<String>,
    hold_reason: Option<String>,
    error: Option<String>,
    /// The call that resumes the run.
    resume: String,
    questions: Option<Questions>,
}

/// The open questions of a run: their number, and the oldest.
struct Questions {
    count: i64,
    kind: String,
    id: Uuid,
    asks: String,
    /// Who decides it: for an approval the role that was asked.
    decided_by: String,
}

impl Questions {
    fn in_words(&self) -> String {
        let Questions { count, kind, id, asks, .. } = self;
        let asks = excerpt::of(asks, SHOWN);
        match count {
            1 => format!("It waits for {kind} {id} (\"{asks}\")."),
            _ => format!(
                "It waits for {count} questions, the oldest of which is {kind} {id} (\"{asks}\")."
            ),
        }
    }

    /// The call that decides the oldest.
    fn call(&self) -> String {
        let Questions { id, decided_by, .. } = self;
        format!(
            "A human decides it: SELECT * FROM orchestrator.decide('{id}', 'approve', {decided_by});"
        )
    }
}

impl Run {
    /// Whether the run must not begin new work. The caller has locked it.
    pub fn is_waiting(&self) -> Result<bool, Error> {
        // Only a run that is to be done again needs this; the order of locks is free for all others.
        static HELD: Statement = Statement::new(concatcp!(
            "SELECT ",
            IS_HELD,
            " FROM orchestrator.orchestrator_runs AS r WHERE r.id = $1"
        ));
        match self.gate_status.as_str() {
            "hold" | "kill" => Ok(true),
            "recycle" => HELD.update(&[self.id.into()], |rows| rows::only(rows, "exists")),
            _ => Ok(false),
        }
    }

    /// Refuses `work` while any question about the run is open.
    ///
    /// Errors: 55000.
    pub fn refuse_while_asked(&self, work: &Work) -> Result<(), Error> {
        let Some(questions) = self.wait()?.questions else { return Ok(()) };
        let message = format!(
            "{} while a question about the run of thread \"{}\" is open",
            work.0, self.thread_id
        );
        Err(Error::new(Kind::NotReady, message).detail(questions.in_words()).hint(questions.call()))
    }

    fn wait(&self) -> Result<Wait, Error> {
        static WAIT: Statement = Statement::new(concatcp!(
            "SELECT r.held_by, r.hold_reason, r.error, format('SELECT orchestrator.resume_run(%L);', r.thread_id), \
                    w.count, w.kinds[1], w.ids[1], w.asks[1], quote_literal(w.deciders[1]) \
             FROM orchestrator.orchestrator_runs AS r, LATERAL ( \
                 SELECT count(*), array_agg(o.kind ORDER BY o.created_at, o.id) AS kinds, \
                        array_agg(o.id ORDER BY o.created_at, o.id) AS ids, array_agg(o.asks ORDER BY o.created_at, o.id) AS asks, \
                        array_agg(o.decided_by ORDER BY o.created_at, o.id) AS deciders FROM (",
            OPEN,
            ") AS o) AS w WHERE r.id = $1"
        ));
        let wait = WAIT.update(&[self.id.into()], |rows| {
            rows::first(rows, |row| {
                let count = rows::value::<i64>(row, 5, "count")?;
                let questions = match count {
                    0 => None,
                    count => Some(Questions {
                        count,
                        kind: rows::value(row, 6, "kind")?,
                        id: rows::value(row, 7, "id")?,
                        asks: rows::optional(row, 8, "asks")?.unwrap_or_default(),
                        decided_by: rows::value(row, 9, "decided_by")?,
                    }),
                };
                Ok(Wait {
                    held_by: rows::optional(row, 1, "orchestrator_runs.held_by")?,
                    hold_reason: rows::optional(row, 2, "orchestrator_runs.hold_reason")?,
                    error: rows::optional(row, 3, "orchestrator_runs.error")?,
                    resume: rows::value(row, 4, "orchestrator_runs.thread_id")?,
                    questions,
                })
            })
        })?;
        wait.ok_or_else(|| self.not_written())
    }

    /// The refusal of `work`, with everything that the run waits for.
    pub fn waits(&self, work: &Work) -> Result<Error, Error> {
        let Wait { held_by, hold_reason, error, resume, questions } = self.wait()?;
        let thread = &self.thread_id;
        if self.gate_status == "kill" {
            let message = format!("{} because the run of thread \"{thread}\" was killed", work.0);
            return Ok(Error::new(Kind::NotReady, message)
                .detail(format!("The reason: {}.", error.as_deref().unwrap_or("none was given")))
                .hint("A run ends once; start a new one with another thread_id."));
        }
        let mut facts = Vec::new();
        let mut hints = Vec::new();
        if let Some(questions) = questions {
            facts.push(questions.in_words());
            hints.push(questions.call());
        }
        if let Some(held_by) = held_by {
            facts.push(format!(
                "Role \"{held_by}\" paused it (\"{}\").",
                excerpt::of(hold_reason.as_deref().unwrap_or_default(), SHOWN)
            ));
            hints.push(format!("The pause ends with: {resume}"));
        }
        if facts.is_empty() {
            facts.push("No question about it is open.".to_owned());
            hints.push(format!("This call resumes it: {resume}"));
        }
        let message = match self.gate_status.as_str() {
            "hold" => format!("{} because the run of thread \"{thread}\" is on hold", work.0),
            _ => format!("{} because the run of thread \"{thread}\" waits for a human", work.0),
        };
        Ok(Error::new(Kind::NotReady, message).detail(facts.join(" ")).hint(hints.join(" ")))
    }

    /// Holds the run for a gate that was just opened, and marks it.
    pub fn hold(&self, gate: Uuid) -> Result<(), Error> {
        static HOLD: Statement = Statement::new(concatcp!(
            "UPDATE orchestrator.orchestrator_runs AS r SET requires_human_review = true, gate_status = \
             CASE WHEN r.gate_status IS NOT DISTINCT FROM 'recycle' AND (EXISTS (",
            HOLDING_REVIEWS,
            ") OR EXISTS (",
            HOLDING_GATES,
            " AND g.id <> $2)) THEN r.gate_status ELSE 'hold' END WHERE r.id = $1 RETURNING r.id"
        ));
        match HOLD.update(&[self.id.into(), gate.into()], |rows| Ok(rows.is_empty()))? {
            false => Ok(()),
            true => Err(self.not_written()),
        }
    }

    /// Ends the wait of the run if no question about it is open any more; else writes its row. The
    /// caller has decided a question. Returns the new state. A run that has ended is unchanged.
    pub fn release(self) -> Result<Self, Error> {
        static RELEASE: Statement = Statement::new(concatcp!(
            "UPDATE orchestrator.orchestrator_runs AS r SET requires_human_review = false, gate_status = ",
            RELEASED,
            " WHERE r.id = $1 AND ",
            HAS_NO_QUESTION,
            " RETURNING ",
            super::COLUMNS
        ));
        if self.has_ended() {
            return Ok(self);
        }
        if let Some(run) = RELEASE.update(&[self.id.into()], Run::first)? {
            return Ok(run);
        }
        if self.wait()?.questions.is_none() {
            return Err(self.not_written());
        }
        Run::write(vec![self.id])?;
        Ok(self)
    }

    /// Sends the run back to be done again, because a gate was denied. A paused run stays on hold.
    /// Returns the new state. A run that has ended is unchanged.
    pub fn recycle(self) -> Result<Self, Error> {
        static RECYCLE: Statement = Statement::new(concatcp!(
            "UPDATE orchestrator.orchestrator_runs AS r SET requires_human_review = NOT ",
            HAS_NO_QUESTION,
            ", gate_status = CASE WHEN r.held_by IS NULL THEN 'recycle' ELSE r.gate_status END \
             WHERE r.id = $1 RETURNING ",
            super::COLUMNS
        ));
        if self.has_ended() || self.gate_status == "kill" {
            return Ok(self);
        }
        RECYCLE.update(&[self.id.into()], Run::first)?.ok_or_else(|| self.not_written())
    }
}
