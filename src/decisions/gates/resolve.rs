//! The decision of a gate: once, however many callers try at the same time. Since 0.7.3 the caller who
//! made it may repeat it.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::spi::SpiTupleTable;

use super::{DESCRIBE_WITH_RUN, EVENT_OF_GATE, event, opened, record};
use crate::agents::knowledge::Lesson;
use crate::audit;
use crate::audit::identity::PERSON_OF_EVENT;
use crate::decisions::terms::{
    CHANGES_REQUESTED, HAS_NO_TERMS_AS, Outcome, TIMEOUT, Terms, Vote, caller, deciding,
    refuse_unseen_terms, was_cast,
};
use crate::runs::{self, Naming, Row, Run};
use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::Document;
use crate::server::statements::Statement;
use crate::server::{arguments, rows, statements};

/// The statement that resolves gate `g` with id $1. It returns the row; further columns may follow.
const RESOLVED: &str = concatcp!(RESOLVE_PENDING, " RETURNING g");

/// The same without the columns that it returns.
const RESOLVE_PENDING: &str = "UPDATE orchestrator.gates AS g \
         SET status = $2, resolved_by = $3, feedback = $4, resolved_at = pg_catalog.now() \
         WHERE g.id = $1 AND g.status IS NOT DISTINCT FROM 'pending'";

/// Resolves a pending gate.
///
/// `decision`: approved or denied; `feedback`: a text for the agent, required for a denial.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision, blank name, a denial without feedback, P0002 unknown
/// gate, 55000 the gate is already resolved. Since 0.2.0; replaced in 0.2.4.
#[pg_extern(sql = false, volatile)]
fn resolve_gate(
    gate_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    feedback: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.gates"), ErrorReport> {
    static RESOLVE: Statement = Statement::new(RESOLVED);
    Ok(resolve(&RESOLVE, gate_id, decision, resolved_by, feedback, statements::one)?)
}

/// The lesson of gate `g`: type, content and metadata.
const LESSON_OF_GATE: &str = ", CASE g.status WHEN 'approved' THEN 'gate_approval' ELSE 'gate_rejection' END, \
         format(E'A gate (%s) of agent %s was %s.\\nReason: %s', \
                replace(g.gate_type, '_', ' '), g.agent_id, g.status, g.reason) \
             || CASE WHEN btrim(g.feedback) <> '' THEN E'\\nFeedback: ' || g.feedback ELSE '' END, \
         jsonb_strip_nulls(jsonb_build_object( \
             'agent_type', CASE jsonb_typeof(g.context -> 'agent_type') WHEN 'string' THEN g.context -> 'agent_type' END, \
             'task_type', CASE jsonb_typeof(g.context -> 'task_type') WHEN 'string' THEN g.context -> 'task_type' END, \
             'technology', CASE jsonb_typeof(g.context -> 'technology') WHEN 'string' THEN g.context -> 'technology' END, \
             'project_id', g.project_id, 'gate_id', g.id, 'gate_type', g.gate_type, 'agent_id', g.agent_id, \
             'success_verified', g.status = 'approved'))";

/// Resolves a pending gate and stages its lesson in the same transaction: a gate_approval or a
/// gate_rejection with the project, the reason and the feedback.
///
/// `decision`: approved or denied; `feedback`: a text for the agent, required for a denial. The
/// metadata of the lesson contains agent_type, task_type and technology of the gate's context.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision, blank name, a denial without feedback, P0002 unknown
/// gate, 55000 the gate is already resolved. Since 0.2.4; replaced in 0.3.0.
#[pg_extern(sql = false, volatile)]
fn resolve_gate_0_2_4(
    gate_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    feedback: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.gates"), ErrorReport> {
    static RESOLVE: Statement = Statement::new(concatcp!(RESOLVED, LESSON_OF_GATE));
    let (row, lesson) = resolve(&RESOLVE, gate_id, decision, resolved_by, feedback, |rows| {
        rows::first(rows, |row| Ok((rows::value(row, 1, "gates.id")?, lesson(row)?)))
    })?;
    lesson.stage()?;
    Ok(row)
}

/// Resolves a pending gate, stages its lesson, and records `gate_approved` or `gate_denied`.
///
/// `decision`: approved or denied; `resolved_by`: the human who decides; `feedback`: a text for the
/// agent, required for a denial. In the same transaction the lesson is staged in knowledge_staging
/// and gate_approved or gate_denied is recorded.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision, blank name, a denial without feedback, P0002 unknown
/// gate, 55000 the gate is already resolved. Since 0.3.0; replaced in 0.7.0.
#[pg_extern(sql = false, volatile)]
pub fn resolve_gate_0_3_0(
    gate_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    feedback: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.gates"), ErrorReport> {
    static RESOLVE: Statement =
        Statement::new(concatcp!(RESOLVED, LESSON_OF_GATE, ", ", EVENT_OF_GATE));
    let (row, (lesson, event)) =
        resolve(&RESOLVE, gate_id, decision, resolved_by, feedback, resolved)?;
    lesson.stage()?;
    record(event_of(decision), resolved_by.unwrap_or(audit::SYSTEM), event)?;
    Ok(row)
}

/// Resolves a pending gate, stages its lesson, and records `gate_approved` or `gate_denied`. The run
/// of the gate goes on if this was the last question about it and it was approved; a denial sends
/// the run back to be done again (gate_status recycle), and the feedback says how. A run that still
/// waits for another question waits on, a paused one stays on hold, and one that has ended does not
/// change.
///
/// `decision`: approved or denied; `resolved_by`: the human who decides; `feedback`: a text for the
/// agent, required for a denial. In the same transaction the lesson is staged in knowledge_staging
/// and gate_approved or gate_denied is recorded.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision, blank name, a denial without feedback, P0002 unknown
/// gate, 55000 the gate is already resolved. Since 0.7.0; replaced in 0.7.3.
#[pg_extern(sql = false, volatile)]
pub fn resolve_gate_0_7_0(
    gate_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    feedback: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.gates"), ErrorReport> {
    let resolution = Resolution::of(gate_id, decision, resolved_by, feedback)?;
    match resolution.resolve_with_run()? {
        Some(row) => Ok(row),
        None => Err(not_pending(resolution.id)?.into()),
    }
}

/// Resolves a pending gate, stages its lesson, and records `gate_approved` or `gate_denied`. The run
/// of the gate goes on if this was the last question about it and it was approved; a denial sends
/// the run back to be done again (gate_status recycle), and the feedback says how. A run that still
/// waits for another question waits on, a paused one stays on hold, and one that has ended does not
/// change. The same decision again by the same person, logged in as the same role, returns the row
/// and changes nothing.
///
/// `decision`: approved or denied; `resolved_by`: the human who decides; `feedback`: a text for the
/// agent, required for a denial. In the same transaction the lesson is staged in knowledge_staging
/// and gate_approved or gate_denied is recorded.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision, blank name, a denial without feedback, P0002 unknown
/// gate, 55000 the gate is already resolved otherwise. Since 0.7.3; replaced in 0.8.0.
#[pg_extern(sql = false, volatile)]
pub fn resolve_gate_0_7_3(
    gate_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    feedback: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.gates"), ErrorReport> {
    let resolution = Resolution::of(gate_id, decision, resolved_by, feedback)?;
    if let Some(row) = resolution.resolve_with_run()? {
        return Ok(row);
    }
    match resolution.made_before()? {
        Some(row) => Ok(row),
        None => Err(not_pending(resolution.id)?.into()),
    }
}

/// Resolves a pending gate, stages its lesson, and records `gate_approved` or `gate_denied`. The run
/// of the gate goes on if this was the last question about it and it was approved; a denial sends
/// the run back to be done again (gate_status recycle), and the feedback says how. A run that still
/// waits for another question waits on, a paused one stays on hold, and one that has ended does not
/// change. The same decision again by the same person, logged in as the same role, returns the row
/// and changes nothing. If the gate has terms, the call is a vote, recorded as `decision_voted`; the gate stays
/// pending until enough people agree.
///
/// `decision`: approved or denied; `resolved_by`: the human who decides; `feedback`: a text for the
/// agent, required for a denial. In the same transaction the lesson is staged in knowledge_staging
/// and gate_approved or gate_denied is recorded.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision, blank name, a denial without feedback, P0002 unknown
/// gate, 42501 the caller asked and may not decide, 55000 the gate is already resolved otherwise, or somebody
/// else has claimed it. Since 0.8.0.
#[pg_extern(sql = false, volatile)]
pub fn resolve_gate_0_8_0(
    gate_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    feedback: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.gates"), ErrorReport> {
    let resolution = Resolution::of(gate_id, decision, resolved_by, feedback)?;
    Ok(resolution.resolve_by_vote(resolution.decision)?)
}

/// Asks for changes to what an agent wants to do at a gate: the gate is denied. Returns the row.
pub fn request_changes(id: Uuid, resolved_by: &str, notes: Option<&str>) -> Result<Row, Error> {
    Resolution::of(Some(id), Some("denied"), Some(resolved_by), notes)?
        .resolve_by_vote(CHANGES_REQUESTED)
}

/// Resolves a gate whose deadline has passed, with its locked run. Returns whether it was pending.
pub fn decide_at_deadline(
    id: Uuid,
    run: Option<Run>,
    approves: bool,
    notes: &str,
) -> Result<bool, Error> {
    let decision = if approves { "approved" } else { "denied" };
    let resolution = Resolution::of(Some(id), Some(decision), Some(TIMEOUT), Some(notes))?;
    let resolved = resolution.write(&RESOLVE)?;
    Ok(resolved.map(|resolved| resolution.conclude(run, resolved)).transpose()?.is_some())
}

/// Locks the run of a gate, or the gate itself if it has none; `None` if it has none, or does not exist.
pub fn lock_run(gate_id: Uuid) -> Result<Option<Run>, Error> {
    const THREAD: &str = "SELECT g.thread_id FROM orchestrator.gates AS g WHERE g.id = $1";
    static RUN: Naming = Naming::new(
        concatcp!(runs::LOCK_RUN_OF, THREAD, ") FOR NO KEY UPDATE"),
        concatcp!(THREAD, " FOR NO KEY UPDATE"),
    );
    Run::lock_of(gate_id, &RUN)
}

/// The row of the resolved gate, its lesson and its event.
#[allow(clippy::type_complexity)]
fn resolved(
    rows: SpiTupleTable<'_>,
) -> Result<Option<(Row, (Lesson<String>, (Uuid, Document)))>, Error> {
    rows::first(rows, |row| Ok((rows::value(row, 1, "gates.id")?, (lesson(row)?, event(row, 5)?))))
}

/// The type of the event about a decision.
fn event_of(decision: Option<&str>) -> &'static str {
    if decision == Some("approved") { "gate_approved" } else { "gate_denied" }
}

/// The lesson in the second to fourth column.
fn lesson(row: &SpiTupleTable<'_>) -> Result<Lesson<String>, Error> {
    Ok(Lesson {
        knowledge_type: rows::value(row, 2, "gates.status")?,
        content: rows::value(row, 3, "gates.reason")?,
        metadata: rows::value(row, 4, "gates.context")?,
    })
}

/// The answers that the functions of gates take.
const ANSWERS: [&str; 2] = ["approved", "denied"];

/// Resolves a gate, and returns its row and its lesson.
static RESOLVE: Statement = Statement::new(concatcp!(RESOLVED, LESSON_OF_GATE));

/// A checked decision.
struct Resolution<'a> {
    id: Uuid,
    decision: &'a str,
    resolved_by: &'a str,
    feedback: Option<&'a str>,
}

impl<'a> Resolution<'a> {
    fn of(
        gate_id: Option<Uuid>,
        decision: Option<&'a str>,
        resolved_by: Option<&'a str>,
        feedback: Option<&'a str>,
    ) -> Result<Self, Error> {
        let id = required("gate_id", gate_id)?;
        let decision = arguments::one_of("decision", required("decision", decision)?, &ANSWERS)?;
        let resolved_by = arguments::filled("resolved_by", resolved_by)?;
        if decision == "denied" && feedback.is_none_or(arguments::is_blank) {
            return Err(Error::new(
                Kind::InvalidValue,
                format!("gate {id} cannot be denied without feedback"),
            )
            .hint("Say in argument \"feedback\" how the agent should proceed."));
        }
        Ok(Resolution { id, decision, resolved_by, feedback })
    }

    /// The parameters $1 to $4 of the statements.
    fn parameters(&self) -> [DatumWithOid<'a>; 4] {
        [self.id.into(), self.decision.into(), self.resolved_by.into(), self.feedback.into()]
    }

    /// Resolves the gate, stages its lesson, lets its run go on or sends it back, and records the
    /// decision. Returns the row; `None` if the gate was not pending.
    fn resolve_with_run(&self) -> Result<Option<Row>, Error> {
        let run = lock_run(self.id)?;
        let resolved = self.write(&RESOLVE)?;
        resolved.map(|resolved| self.conclude(run, resolved)).transpose()
    }

    /// Resolves the gate as its terms allow, or finds the same decision of the same person. Returns the row.
    /// `answer`: the decision, or the request for changes, which denies the gate.
    fn resolve_by_vote(&self, answer: &str) -> Result<Row, Error> {
        static RESOLVE_WITHOUT_TERMS: Statement = Statement::new(concatcp!(
            RESOLVE_PENDING,
            " AND ",
            HAS_NO_TERMS_AS,
            "'gate') RETURNING g",
            LESSON_OF_GATE
        ));
        static STATUS: Statement =
            Statement::new("SELECT g.status FROM orchestrator.gates AS g WHERE g.id = $1");
        let run = lock_run(self.id)?;
        refuse_unseen_terms("gate", vec![self.id])?;
        if let Some(resolved) = deciding(|| self.write(&RESOLVE_WITHOUT_TERMS))? {
            return self.conclude(run, resolved);
        }
        let vote = Vote::of(answer, self.resolved_by, self.feedback);
        if let Some(terms) = Terms::lock("gate", self.id)? {
            match vote.cast("gate", self.id, &terms)? {
                Outcome::Open => return self.read(),
                Outcome::Decides => {
                    if let Some(resolved) = self.write(&RESOLVE)? {
                        return self.conclude(run, resolved);
                    }
                }
                Outcome::Late => {}
            }
        }
        if let Some(row) = self.made_before()? {
            return Ok(row);
        }
        let status = STATUS.update(&[self.id.into()], statements::one::<String>)?;
        if status.as_deref() == Some(self.decision) && was_cast(self.id, &vote)? {
            return self.read();
        }
        Err(not_pending(self.id)?)
    }

    fn read(&self) -> Result<Row, Error> {
        static READ: Statement =
            Statement::new("SELECT g FROM orchestrator.gates AS g WHERE g.id = $1");
        let row = READ.update(&[self.id.into()], statements::one::<Row>)?;
        row.ok_or_else(|| Error::no_row(format!("gate {} could not be read", self.id), "gates"))
    }

    /// Resolves the gate. Returns its row and its lesson; `None` if it was not pending.
    fn write(&self, resolve: &'static Statement) -> Result<Option<(Row, Lesson<String>)>, Error> {
        resolve.update(&self.parameters(), |rows| {
            rows::first(rows, |row| Ok((rows::value(row, 1, "gates.id")?, lesson(row)?)))
        })
    }

    /// Stages the lesson of the resolved gate, lets its run go on or sends it back, and records the decision.
    fn conclude(
        &self,
        run: Option<Run>,
        (row, lesson): (Row, Lesson<String>),
    ) -> Result<Row, Error> {
        lesson.stage()?;
        match run {
            Some(run) if self.decision == "approved" => drop(run.release()?),
            Some(run) => drop(run.recycle()?),
            None => {}
        }
        let event = DESCRIBE_WITH_RUN.update(&[self.id.into()], opened)?;
        let (_, event) =
            event.ok_or_else(|| Error::no_row("the gate could not be read", "gates"))?;
        record(event_of(Some(self.decision)), self.resolved_by, event)?;
        Ok(row)
    }

    /// The row, if the same person made the same decision before, as the same role.
    fn made_before(&self) -> Result<Option<Row>, Error> {
        static MADE: Statement =
            Statement::new(concatcp!(include_str!("made_before.sql"), PERSON_OF_EVENT, " = $5"));
        let [id, decision, resolved_by, feedback] = self.parameters();
        let arguments = [id, decision, resolved_by, feedback, caller()?.into()];
        MADE.update(&arguments, statements::one)
    }
}

/// Checks the arguments and runs the resolving statement.
///
/// Errors: the reason why it returned no row.
fn resolve<T>(
    statement: &'static Statement,
    gate_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    feedback: Option<&str>,
    read: impl FnOnce(SpiTupleTable<'_>) -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    let resolution = Resolution::of(gate_id, decision, resolved_by, feedback)?;
    match statement.update(&resolution.parameters(), read)? {
        Some(found) => Ok(found),
        None => Err(not_pending(resolution.id)?),
    }
}

/// The reason why a gate cannot be resolved.
fn not_pending(id: Uuid) -> Result<Error, Error> {
    static RESOLUTION: Statement = Statement::new(
        "SELECT g.status, format('%s by %s at %s', g.status, g.resolved_by, g.resolved_at) \
         FROM orchestrator.gates AS g WHERE g.id = $1",
    );
    let resolution = RESOLUTION.update(&[id.into()], |rows| {
        rows::first(rows, |row| {
            let status = rows::value::<String>(row, 1, "gates.status")?;
            Ok((status, rows::value::<String>(row, 2, "gates.status")?))
        })
    })?;
    Ok(match resolution {
        None => Error::new(Kind::NotFound, format!("gate {id} does not exist"))
            .hint("List pending gates: SELECT * FROM orchestrator.gates WHERE status = 'pending';"),
        Some((status, _)) if status == "pending" => {
            Error::no_row(format!("gate {id} could not be resolved"), "gates")
        }
        Some((status, how)) => Error::new(Kind::NotReady, format!("gate {id} is already {status}"))
            .detail(format!("It was {how}."))
            .hint("A gate is resolved once; open a new one with orchestrator.open_gate."),
    })
}
