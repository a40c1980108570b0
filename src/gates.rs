//! Approval gates: an agent stops at one until a human approves or denies. A gate is resolved once,
//! however many try at the same time.

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByRust, Uuid};

use crate::document::{self, Document};
use crate::error::{Error, Kind, required};
use crate::plans;
use crate::text;

/// What stops an agent.
const TYPES: [&str; 4] = ["loop_detected", "high_risk", "collaboration_deadlock", "manual"];

/// What a human can decide.
const DECISIONS: [&str; 2] = ["approved", "denied"];

type Row = PgHeapTuple<'static, AllocatedByRust>;

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
    const INSERT: &str = "INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason, context) \
         VALUES ($1, $2, $3, $4, $5) RETURNING id";
    let project_id = required("project_id", project_id)?;
    let agent_id = text::name("agent_id", agent_id)?;
    let gate_type = text::one_of("gate_type", required("gate_type", gate_type)?, &TYPES)?;
    let reason = text::filled("reason", reason)?;
    let context = document::object("context", context)?;
    let arguments =
        [project_id.into(), agent_id.into(), gate_type.into(), reason.into(), context.into()];
    Ok(required("id", plans::update(INSERT, &arguments, plans::one::<Uuid>)?)?)
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
    Ok(resolve(RESOLVE, gate_id, decision, resolved_by, feedback)?)
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
    const RESOLVE_AND_STAGE: &str = "WITH resolved AS ( \
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
             FROM resolved AS r) \
         SELECT r.g FROM resolved AS r";
    Ok(resolve(RESOLVE_AND_STAGE, gate_id, decision, resolved_by, feedback)?)
}

/// Checks the arguments, runs the resolving statement, and explains when no row came back.
fn resolve(
    statement: &'static str,
    gate_id: Option<Uuid>,
    decision: Option<&str>,
    resolved_by: Option<&str>,
    feedback: Option<&str>,
) -> Result<Row, Error> {
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
    match plans::update(statement, &arguments, plans::one::<Row>)? {
        Some(row) => Ok(row),
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
