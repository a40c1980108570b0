//! Approval gates: an agent stops at one until a human approves or denies. A gate is resolved once,
//! however many try at the same time.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::spi::SpiTupleTable;

use crate::agents::knowledge::Lesson;
use crate::audit::{self, Event};
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::{self, Document};
use crate::server::statements::Statement;
use crate::server::{arguments, ids, rows, statements};

/// What stops an agent.
pub const TYPES: [&str; 4] = ["loop_detected", "high_risk", "collaboration_deadlock", "manual"];

/// The statement that inserts a gate, up to what it returns of row `g`.
const INSERTED: &str = "INSERT INTO orchestrator.gates AS g (project_id, agent_id, gate_type, reason, context) \
         VALUES ($1, $2, $3, $4, $5) RETURNING ";

/// The statement that resolves gate $1, up to what it returns of row `g`.
const RESOLVED: &str = "UPDATE orchestrator.gates AS g \
         SET status = $2, resolved_by = $3, feedback = $4, resolved_at = pg_catalog.now() \
         WHERE g.id = $1 AND g.status IS NOT DISTINCT FROM 'pending' RETURNING g";

/// Stops an agent at a gate until a human decides.
///
/// `gate_type`: loop_detected, high_risk, collaboration_deadlock or manual; `reason`: why a human
/// has to decide; `context`: what the human needs to know, a JSON object.
/// Returns: the id of the gate, in state `pending`.
/// Errors: 22004, 22023 unknown type, blank or overlong text, or a context that is no object.
/// Since 0.2.0.
#[pg_extern(sql = false, volatile)]
fn open_gate(
    project_id: Option<Uuid>,
    agent_id: Option<&str>,
    gate_type: Option<&str>,
    reason: Option<&str>,
    context: default!(Option<Document>, "'{}'"),
) -> Result<Uuid, ErrorReport> {
    static INSERT: Statement = Statement::new(concatcp!(INSERTED, "g.id"));
    Ok(open(&INSERT, project_id, agent_id, gate_type, reason, context, statements::one)?)
}

/// Resolves a pending gate.
///
/// `decision`: approved or denied; `feedback`: what the human tells the agent, which a denial
/// needs. Returns: the row.
/// Errors: 22004, 22023 unknown decision, blank name, a denial without feedback, P0002 unknown
/// gate, 55000 it has been resolved already. Since 0.2.0; replaced in 0.2.4.
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

/// What is learned from gate `g`: type, content and metadata.
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

/// Resolves a pending gate, and stages in the same transaction what was learned from it: a
/// gate_approval or a gate_rejection, for its project, with the words of both sides.
///
/// `decision`: approved or denied; `feedback`: what the human tells the agent, which a denial
/// needs. The lesson's metadata get agent_type, task_type and technology from the gate's context.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision, blank name, a denial without feedback, P0002 unknown
/// gate, 55000 it has been resolved already. Since 0.2.4; replaced in 0.3.0.
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

/// What an audit event tells of gate `g`: its id, the trace_id of its context, and its ids together.
const TOLD_OF_GATE: &str = "g.id, g.context ->> 'trace_id', \
         jsonb_build_object('gate_id', g.id, 'project_id', g.project_id, \
             'gate_type', g.gate_type, 'agent_id', g.agent_id) ";

/// Stops an agent at a gate until a human decides, and records `gate_opened`.
///
/// `project_id`: the project, which is kept elsewhere; `agent_id`: the agent that waits;
/// `gate_type`: loop_detected, high_risk, collaboration_deadlock or manual; `reason`: why a human
/// has to decide; `context`: what the human needs to know, a JSON object; a UUID under its key
/// trace_id is the trail of the events.
/// Returns: the id of the gate, in state `pending`.
/// Errors: 22004, 22023 unknown type, blank or overlong text, or a context that is no object.
/// Since 0.3.0.
#[pg_extern(sql = false, volatile)]
fn open_gate_0_3_0(
    project_id: Option<Uuid>,
    agent_id: Option<&str>,
    gate_type: Option<&str>,
    reason: Option<&str>,
    context: default!(Option<Document>, "'{}'"),
) -> Result<Uuid, ErrorReport> {
    static INSERT_AND_TELL: Statement = Statement::new(concatcp!(INSERTED, TOLD_OF_GATE));
    let (id, told) =
        open(&INSERT_AND_TELL, project_id, agent_id, gate_type, reason, context, |rows| {
            rows::first(rows, |row| Ok((rows::value(row, 1, "gates.id")?, told(row, 1)?)))
        })?;
    record("gate_opened", agent_id, told)?;
    Ok(id)
}

/// Resolves a pending gate, stages what was learned from it, and records `gate_approved` or
/// `gate_denied`.
///
/// `decision`: approved or denied; `resolved_by`: who decides; `feedback`: what the human tells the
/// agent, which a denial needs. A lesson is staged in knowledge_staging, and gate_approved or
/// gate_denied recorded, in the same transaction.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision, blank name, a denial without feedback, P0002 unknown
/// gate, 55000 it has been resolved already. Since 0.3.0.
#[pg_extern(sql = false, volatile)]
pub fn resolve_gate_0_3_0(
    gate_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    feedback: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.gates"), ErrorReport> {
    static RESOLVE: Statement =
        Statement::new(concatcp!(RESOLVED, LESSON_OF_GATE, ", ", TOLD_OF_GATE));
    let (row, (lesson, told)) =
        resolve(&RESOLVE, gate_id, decision, resolved_by, feedback, |rows| {
            rows::first(rows, |row| {
                Ok((rows::value(row, 1, "gates.id")?, (lesson(row)?, told(row, 5)?)))
            })
        })?;
    lesson.stage()?;
    let event_type = if decision == Some("approved") { "gate_approved" } else { "gate_denied" };
    record(event_type, resolved_by, told)?;
    Ok(row)
}

/// The lesson in the columns after a returned row's first.
fn lesson(row: &SpiTupleTable<'_>) -> Result<Lesson<String>, Error> {
    Ok(Lesson {
        knowledge_type: rows::value(row, 2, "gates.status")?,
        content: rows::value(row, 3, "gates.reason")?,
        metadata: rows::value(row, 4, "gates.context")?,
    })
}

/// What the event of a gate tells, in the columns from `first` on: its trail, which is the trace_id of
/// the context when that is a UUID, or else the gate itself; and metadata.
fn told(row: &SpiTupleTable<'_>, first: usize) -> Result<(Uuid, Document), Error> {
    let own = rows::value::<Uuid>(row, first, "gates.id")?;
    let given = rows::optional::<String>(row, first + 1, "gates.context")?;
    let trace_id = given.as_deref().and_then(ids::parsed).unwrap_or(own);
    Ok((trace_id, rows::value(row, first + 2, "gates.context")?))
}

fn record(event_type: &str, role: Option<&str>, told: (Uuid, Document)) -> Result<(), Error> {
    let (trace_id, metadata) = told;
    let role = role.unwrap_or(audit::SYSTEM);
    audit::record(Event { event_type, role, trace_id, metadata }).map(|_| ())
}

/// Checks the arguments, and runs the inserting statement.
fn open<T>(
    statement: &'static Statement,
    project_id: Option<Uuid>,
    agent_id: Option<&str>,
    gate_type: Option<&str>,
    reason: Option<&str>,
    context: Option<Document>,
    read: impl FnOnce(SpiTupleTable<'_>) -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    let project_id = required("project_id", project_id)?;
    let agent_id = arguments::name("agent_id", agent_id)?;
    let gate_type = arguments::one_of("gate_type", required("gate_type", gate_type)?, &TYPES)?;
    let reason = arguments::filled("reason", reason)?;
    let context = jsonb::object("context", context)?;
    let arguments =
        [project_id.into(), agent_id.into(), gate_type.into(), reason.into(), context.into()];
    statement
        .update(&arguments, read)?
        .ok_or_else(|| Error::no_row("the gate could not be opened", "gates"))
}

/// Checks the arguments, runs the resolving statement, and explains when no row came back.
fn resolve<T>(
    statement: &'static Statement,
    gate_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    feedback: Option<&str>,
    read: impl FnOnce(SpiTupleTable<'_>) -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    let id = required("gate_id", gate_id)?;
    let decision =
        arguments::one_of("decision", required("decision", decision)?, &lifecycle::ends("gate"))?;
    let resolved_by = arguments::filled("resolved_by", resolved_by)?;
    if decision == "denied" && feedback.is_none_or(arguments::is_blank) {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("gate {id} cannot be denied without feedback"),
        )
        .hint("Say in argument \"feedback\" what the agent has to do differently."));
    }
    let arguments = [id.into(), decision.into(), resolved_by.into(), feedback.into()];
    match statement.update(&arguments, read)? {
        Some(found) => Ok(found),
        None => Err(not_pending(id)?),
    }
}

/// Why a gate cannot be resolved.
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
            .hint("orchestrator.open_gate returns the id of the gate that it opens."),
        Some((status, _)) if status == "pending" => {
            Error::no_row(format!("gate {id} could not be resolved"), "gates")
        }
        Some((status, how)) => Error::new(Kind::NotReady, format!("gate {id} is already {status}"))
            .detail(format!("It was {how}."))
            .hint("A gate is resolved once; open a new one with orchestrator.open_gate."),
    })
}
