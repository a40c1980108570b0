//! The start and the pause of workflows. Triggers keep their tasks in order (`queue::workflows`), whoever
//! changes the status; these functions also record who did it, and why.

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByRust, Uuid};
use serde_json::json;

use crate::audit::{self, Event};
use crate::server::arguments;
use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::Document;
use crate::server::statements::{self, Statement};
use crate::tasks::queue;

/// Lets the tasks of a workflow be claimed: those of the lowest sequence first, and the next ones when all
/// of these are completed or cancelled. Records `workflow_started`. A workflow that is active stays as it is.
///
/// Returns: the row, in status `active`.
/// Errors: 22004, P0002 unknown workflow, 55000 it is archived. Since 0.7.2.
#[pg_extern(sql = false, volatile)]
fn start_workflow(
    workflow_id: Option<Uuid>,
) -> Result<pgrx::composite_type!('static, "orchestrator.workflows"), ErrorReport> {
    let workflow = Workflow::lock(required("workflow_id", workflow_id)?)?;
    if workflow.status == "archived" {
        return Err(workflow.refused("cannot be started").into());
    }
    let row = workflow.enter("active")?;
    if workflow.status != "active" {
        workflow.record("workflow_started", json!({ "was": workflow.status }))?;
    }
    Ok(row)
}

/// Keeps the tasks of a workflow from being claimed until `start_workflow`, and records `workflow_paused`
/// with the reason. Tasks that workers hold go on. Pausing again records the new reason.
///
/// `reason`: why the workflow is paused. Returns: the row, in status `paused`.
/// Errors: 22004, 22023 blank reason, P0002 unknown workflow, 55000 it is a draft or archived. Since 0.7.2.
#[pg_extern(sql = false, volatile)]
fn pause_workflow(
    workflow_id: Option<Uuid>,
    reason: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.workflows"), ErrorReport> {
    let id = required("workflow_id", workflow_id)?;
    let reason = arguments::filled("reason", reason)?;
    let workflow = Workflow::lock(id)?;
    if ["draft", "archived"].contains(&workflow.status.as_str()) {
        return Err(workflow.refused("cannot be paused").into());
    }
    let row = workflow.enter("paused")?;
    workflow.record("workflow_paused", json!({ "reason": reason }))?;
    Ok(row)
}

/// A workflow that is locked until the transaction ends.
struct Workflow {
    id: Uuid,
    status: String,
}

impl Workflow {
    /// Locks a workflow.
    ///
    /// Errors: P0002 it does not exist.
    fn lock(id: Uuid) -> Result<Workflow, Error> {
        static LOCK: Statement = Statement::new(
            "SELECT w.status FROM orchestrator.workflows AS w WHERE w.id = $1 FOR NO KEY UPDATE",
        );
        queue::lock_tables();
        match LOCK.update(&[id.into()], statements::one::<String>)? {
            Some(status) => Ok(Workflow { id, status }),
            None => Err(Error::new(Kind::NotFound, format!("workflow {id} does not exist"))
                .hint("List workflows: SELECT * FROM orchestrator.workflow_progress;")),
        }
    }

    /// Brings the workflow into a state, unless it is in it. Returns the row.
    fn enter(&self, status: &str) -> Result<PgHeapTuple<'static, AllocatedByRust>, Error> {
        static ENTER: Statement = Statement::new(
            "UPDATE orchestrator.workflows AS w SET status = $2 WHERE w.id = $1 RETURNING w",
        );
        static AS_IT_IS: Statement =
            Statement::new("SELECT w FROM orchestrator.workflows AS w WHERE w.id = $1");
        let row = if self.status == status {
            AS_IT_IS.update(&[self.id.into()], statements::one)?
        } else {
            ENTER.update(&[self.id.into(), status.into()], statements::one)?
        };
        row.ok_or_else(|| {
            Error::no_row(format!("workflow {} could not be changed", self.id), "workflows")
        })
    }

    /// Records an event of the workflow, whose id is the trace of its events. `facts`: a JSON object.
    fn record(&self, event_type: &str, mut facts: serde_json::Value) -> Result<(), Error> {
        facts["workflow_id"] = json!(self.id.to_string());
        audit::record(Event {
            event_type,
            role: audit::SYSTEM,
            trace_id: self.id,
            metadata: Document::composed(facts),
        })?;
        Ok(())
    }

    fn refused(&self, what: &str) -> Error {
        let (detail, hint) = match self.status.as_str() {
            "draft" => (
                "It is a draft: no worker claims its tasks.",
                "Start it with orchestrator.start_workflow when it is ready.",
            ),
            _ => ("It is archived, which is final.", "Create another workflow."),
        };
        Error::new(Kind::NotReady, format!("workflow {} {what}", self.id)).detail(detail).hint(hint)
    }
}
