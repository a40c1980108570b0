//! Approval gates: an agent waits at a gate until a human approves or denies it. A gate is resolved
//! only once, however many callers try at the same time.

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

/// The types of a gate.
pub const TYPES: [&str; 4] = ["loop_detected", "high_risk", "collaboration_deadlock", "manual"];

/// The statement that inserts gate `g`, without the columns that it returns.
const INSERTED: &str = "INSERT INTO orchestrator.gates AS g (project_id, agent_id, gate_type, reason, context) \
         VALUES ($1, $2, $3, $4, $5) RETURNING ";

/// The statement that resolves gate `g` with id $1. It returns the row; further columns may follow.
const RESOLVED: &str = "UPDATE orchestrator.gates AS g \
         SET status = $2, resolved_by = $3, feedback = $4, resolved_at = pg_catalog.now() \
         WHERE g.id = $1 AND g.status IS NOT DISTINCT FROM 'pending' RETURNING g";

/// Opens a gate: an agent waits until a human decides.
///
/// `gate_type`: loop_detected, high_risk, collaboration_deadlock or manual; `reason`: why a human
/// has to decide; `context`: facts for the human, a JSON object.
/// Returns: the id of the gate, in state `pending`.
/// Errors: 22004, 22023 unknown type, blank or overlong text, or a context that is not an object.
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

/// The parts of an audit event about gate `g`: its id, the trace_id of its context, and the
/// metadata.
const EVENT_OF_GATE: &str = "g.id, g.context ->> 'trace_id', \
         jsonb_build_object('gate_id', g.id, 'project_id', g.project_id, \
             'gate_type', g.gate_type, 'agent_id', g.agent_id) ";

/// Opens a gate, at which an agent waits until a human decides, and records `gate_opened`.
///
/// `project_id`: the project, which is stored elsewhere; `agent_id`: the agent that waits;
/// `gate_type`: loop_detected, high_risk, collaboration_deadlock or manual; `reason`: why a human
/// has to decide; `context`: facts for the human, a JSON object. A UUID in its key trace_id becomes
/// the trace of the events.
/// Returns: the id of the gate, in state `pending`.
/// Errors: 22004, 22023 unknown type, blank or overlong text, or a context that is not an object.
/// Since 0.3.0.
#[pg_extern(sql = false, volatile)]
fn open_gate_0_3_0(
    project_id: Option<Uuid>,
    agent_id: Option<&str>,
    gate_type: Option<&str>,
    reason: Option<&str>,
    context: default!(Option<Document>, "'{}'"),
) -> Result<Uuid, ErrorReport> {
    static INSERT_AND_DESCRIBE: Statement = Statement::new(concatcp!(INSERTED, EVENT_OF_GATE));
    let (id, event) =
        open(&INSERT_AND_DESCRIBE, project_id, agent_id, gate_type, reason, context, |rows| {
            rows::first(rows, |row| Ok((rows::value(row, 1, "gates.id")?, event(row, 1)?)))
        })?;
    record("gate_opened", agent_id, event)?;
    Ok(id)
}

/// Resolves a pending gate, stages its lesson, and records `gate_approved` or `gate_denied`.
///
/// `decision`: approved or denied; `resolved_by`: the human who decides; `feedback`: a text for the
/// agent, required for a denial. In the same transaction the lesson is staged in knowledge_staging
/// and gate_approved or gate_denied is recorded.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision, blank name, a denial without feedback, P0002 unknown
/// gate, 55000 the gate is already resolved. Since 0.3.0.
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
        resolve(&RESOLVE, gate_id, decision, resolved_by, feedback, |rows| {
            rows::first(rows, |row| {
                Ok((rows::value(row, 1, "gates.id")?, (lesson(row)?, event(row, 5)?)))
            })
        })?;
    lesson.stage()?;
    let event_type = if decision == Some("approved") { "gate_approved" } else { "gate_denied" };
    record(event_type, resolved_by, event)?;
    Ok(row)
}

/// The lesson in the second to fourth column.
fn lesson(row: &SpiTupleTable<'_>) -> Result<Lesson<String>, Error> {
    Ok(Lesson {
        knowledge_type: rows::value(row, 2, "gates.status")?,
        content: rows::value(row, 3, "gates.reason")?,
        metadata: rows::value(row, 4, "gates.context")?,
    })
}

/// The trace and the metadata of a gate's event, in the columns from `first` on. The trace is the
/// trace_id of the context if that is a UUID, else the id of the gate.
fn event(row: &SpiTupleTable<'_>, first: usize) -> Result<(Uuid, Document), Error> {
    let own = rows::value::<Uuid>(row, first, "gates.id")?;
    let given = rows::optional::<String>(row, first + 1, "gates.context")?;
    let trace_id = given.as_deref().and_then(ids::parsed).unwrap_or(own);
    Ok((trace_id, rows::value(row, first + 2, "gates.context")?))
}

fn record(event_type: &str, role: Option<&str>, event: (Uuid, Document)) -> Result<(), Error> {
    let (trace_id, metadata) = event;
    let role = role.unwrap_or(audit::SYSTEM);
    audit::record(Event { event_type, role, trace_id, metadata }).map(|_| ())
}

/// Checks the arguments and runs the inserting statement.
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
    let id = required("gate_id", gate_id)?;
    let decision =
        arguments::one_of("decision", required("decision", decision)?, &lifecycle::ends("gate"))?;
    let resolved_by = arguments::filled("resolved_by", resolved_by)?;
    if decision == "denied" && feedback.is_none_or(arguments::is_blank) {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("gate {id} cannot be denied without feedback"),
        )
        .hint("Say in argument \"feedback\" how the agent should proceed."));
    }
    let arguments = [id.into(), decision.into(), resolved_by.into(), feedback.into()];
    match statement.update(&arguments, read)? {
        Some(found) => Ok(found),
        None => Err(not_pending(id)?),
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
