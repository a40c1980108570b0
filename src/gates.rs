//! Approval gates: an agent stops at one until a human approves or denies. A gate is resolved once,
//! however many try at the same time.

use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::spi::SpiTupleTable;

use crate::audit::{self, Event};
use crate::document::{self, Document};
use crate::error::{Error, Kind, required};
use crate::plans;
use crate::text;

/// What stops an agent.
const TYPES: [&str; 4] = ["loop_detected", "high_risk", "collaboration_deadlock", "manual"];

/// What a human can decide.
const DECISIONS: [&str; 2] = ["approved", "denied"];

/// The statement that inserts a gate, up to what it returns of row `g`.
macro_rules! inserted {
    () => {
        "INSERT INTO orchestrator.gates AS g (project_id, agent_id, gate_type, reason, context) \
         VALUES ($1, $2, $3, $4, $5) RETURNING "
    };
}

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
    const INSERT: &str = concat!(inserted!(), "g.id");
    Ok(open(INSERT, project_id, agent_id, gate_type, reason, context, plans::one)?)
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
    const RESOLVE: &str = "UPDATE orchestrator.gates AS g \
         SET status = $2, resolved_by = $3, feedback = $4, resolved_at = pg_catalog.now() \
         WHERE g.id = $1 AND g.status = 'pending' RETURNING g";
    Ok(resolve(RESOLVE, gate_id, decision, resolved_by, feedback, plans::one)?)
}

/// The queries that resolve gate $1 and stage what was learned from it; the row is in `resolved`.
macro_rules! resolved_and_staged {
    () => {
        "WITH resolved AS ( \
             UPDATE orchestrator.gates AS g \
             SET status = $2, resolved_by = $3, feedback = $4, resolved_at = pg_catalog.now() \
             WHERE g.id = $1 AND g.status = 'pending' RETURNING g \
         ), staged AS ( \
             INSERT INTO orchestrator.knowledge_staging (knowledge_type, content, metadata) \
             SELECT CASE (r.g).status WHEN 'approved' THEN 'gate_approval' ELSE 'gate_rejection' END, \
                    format(E'A gate (%s) of agent %s was %s.\\nReason: %s', \
                           replace((r.g).gate_type, '_', ' '), (r.g).agent_id, (r.g).status, (r.g).reason) \
                    || CASE WHEN btrim((r.g).feedback) <> '' THEN E'\\nFeedback: ' || (r.g).feedback ELSE '' END, \
                    (SELECT coalesce(jsonb_object_agg(c.key, c.value), '{}') \
                     FROM jsonb_each((r.g).context) AS c \
                     WHERE c.key IN ('agent_type', 'task_type', 'technology') AND jsonb_typeof(c.value) = 'string') \
                    || jsonb_build_object('project_id', (r.g).project_id, 'gate_id', (r.g).id, \
                           'gate_type', (r.g).gate_type, 'agent_id', (r.g).agent_id, \
                           'success_verified', (r.g).status = 'approved') \
             FROM resolved AS r) "
    };
}

/// Resolves a pending gate, and stages in the same transaction what was learned from it: a
/// gate_approval or a gate_rejection, for its project, with the words of both sides.
///
/// Arguments, result and errors: as before. What the gate's context says of agent_type, task_type
/// and technology is carried over into the metadata. Since 0.2.4.
#[pg_extern(sql = false, volatile)]
fn resolve_gate_and_stage(
    gate_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    feedback: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.gates"), ErrorReport> {
    const RESOLVE_AND_STAGE: &str =
        concat!(resolved_and_staged!(), "SELECT r.g FROM resolved AS r");
    Ok(resolve(RESOLVE_AND_STAGE, gate_id, decision, resolved_by, feedback, plans::one)?)
}

/// What an audit event tells of gate `g`: its trail, which is the trace_id of its context, or else
/// the gate itself; and its ids.
macro_rules! told_of_gate {
    () => {
        "CASE WHEN g.context ->> 'trace_id' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' \
              THEN (g.context ->> 'trace_id')::uuid ELSE g.id END, \
         jsonb_build_object('gate_id', g.id, 'project_id', g.project_id, \
             'gate_type', g.gate_type, 'agent_id', g.agent_id) "
    };
}

/// Stops an agent at a gate until a human decides, and records `gate_opened`.
///
/// Arguments, result and errors: as before. Since 0.3.0.
#[pg_extern(sql = false, volatile)]
fn open_gate_and_record(
    project_id: Option<Uuid>,
    agent_id: Option<&str>,
    gate_type: Option<&str>,
    reason: Option<&str>,
    context: default!(Option<Document>, "'{}'"),
) -> Result<Uuid, ErrorReport> {
    const INSERT_AND_TELL: &str = concat!(inserted!(), "g.id, ", told_of_gate!());
    let (id, told) = open(INSERT_AND_TELL, project_id, agent_id, gate_type, reason, context, told)?;
    record("gate_opened", agent_id, told)?;
    Ok(id)
}

/// Resolves a pending gate, stages what was learned from it, and records `gate_approved` or
/// `gate_denied`.
///
/// Arguments, result and errors: as before. Since 0.3.0.
#[pg_extern(sql = false, volatile)]
pub fn resolve_gate_stage_and_record(
    gate_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    feedback: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.gates"), ErrorReport> {
    const RESOLVE_STAGE_AND_TELL: &str = concat!(
        resolved_and_staged!(),
        "SELECT r.g, ",
        told_of_gate!(),
        "FROM resolved AS r, LATERAL (SELECT (r.g).*) AS g"
    );
    let (row, told) =
        resolve(RESOLVE_STAGE_AND_TELL, gate_id, decision, resolved_by, feedback, told)?;
    let event_type = if decision == Some("approved") { "gate_approved" } else { "gate_denied" };
    record(event_type, resolved_by, told)?;
    Ok(row)
}

/// What a statement answers, and what its event tells: trail and metadata.
fn told<T: FromDatum + IntoDatum>(
    rows: SpiTupleTable<'_>,
) -> Result<Option<(T, (Uuid, Document))>, Error> {
    let found = plans::three::<T, Uuid, Document>(rows)?;
    Ok(found.and_then(|(answer, trace_id, metadata)| answer.zip(trace_id.zip(metadata))))
}

fn record(event_type: &str, role: Option<&str>, told: (Uuid, Document)) -> Result<(), Error> {
    let (trace_id, metadata) = told;
    let role = role.unwrap_or(audit::SYSTEM);
    audit::record(Event { event_type, role, trace_id, metadata }).map(|_| ())
}

/// Checks the arguments, and runs the inserting statement.
fn open<T>(
    statement: &'static str,
    project_id: Option<Uuid>,
    agent_id: Option<&str>,
    gate_type: Option<&str>,
    reason: Option<&str>,
    context: Option<Document>,
    read: impl FnOnce(SpiTupleTable<'_>) -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    let project_id = required("project_id", project_id)?;
    let agent_id = text::name("agent_id", agent_id)?;
    let gate_type = text::one_of("gate_type", required("gate_type", gate_type)?, &TYPES)?;
    let reason = text::filled("reason", reason)?;
    let context = document::object("context", context)?;
    let arguments =
        [project_id.into(), agent_id.into(), gate_type.into(), reason.into(), context.into()];
    required("id", plans::update(statement, &arguments, read)?)
}

/// Checks the arguments, runs the resolving statement, and explains when no row came back.
fn resolve<T>(
    statement: &'static str,
    gate_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    feedback: Option<&str>,
    read: impl FnOnce(SpiTupleTable<'_>) -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    let id = required("gate_id", gate_id)?;
    let decision = text::one_of("decision", required("decision", decision)?, &DECISIONS)?;
    let resolved_by = text::filled("resolved_by", resolved_by)?;
    if decision == "denied" && feedback.is_none_or(text::is_blank) {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("gate {id} cannot be denied without feedback"),
        )
        .hint("Say in argument \"feedback\" what the agent has to do differently."));
    }
    let arguments = [id.into(), decision.into(), resolved_by.into(), feedback.into()];
    match plans::update(statement, &arguments, read)? {
        Some(found) => Ok(found),
        None => Err(not_pending(id)?),
    }
}

/// Why a gate cannot be resolved.
fn not_pending(id: Uuid) -> Result<Error, Error> {
    const RESOLUTION: &str = "SELECT g.status, format('%s by %s at %s', g.status, g.resolved_by, g.resolved_at) \
         FROM orchestrator.gates AS g WHERE g.id = $1";
    let resolution = plans::update(RESOLUTION, &[id.into()], plans::two::<String, String>)?;
    Ok(match resolution {
        None => Error::new(Kind::NotFound, format!("gate {id} does not exist"))
            .hint("orchestrator.open_gate returns the id of the gate that it opens."),
        Some((status, how)) => Error::new(
            Kind::NotReady,
            format!("gate {id} is already {}", status.unwrap_or_default()),
        )
        .detail(format!("It was {}.", how.unwrap_or_default()))
        .hint("A gate is resolved once; open a new one with orchestrator.open_gate."),
    })
}
