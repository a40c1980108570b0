//! Approval gates: an agent waits at a gate until a human approves or denies it. A gate is resolved
//! only once, however many callers try at the same time.

mod prompt_activation;
pub mod resolve;

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::spi::SpiTupleTable;

use super::request_key::{Kind, RequestKey};
use crate::audit::{self, Event};
use crate::runs::Run;
use crate::server::error::{Error, required};
use crate::server::jsonb::{self, Document};
use crate::server::statements::Statement;
use crate::server::{arguments, ids, rows, statements};

const GATE: Kind = Kind { name: "gate", table: "gates", not_asked: "the gate could not be opened" };

/// The types of a gate.
pub const TYPES: [&str; 5] =
    ["loop_detected", "high_risk", "collaboration_deadlock", "manual", PROMPT_ACTIVATION];

/// The types that `open_gate` takes.
pub const OPENED: [&str; 4] = ["loop_detected", "high_risk", "collaboration_deadlock", "manual"];

/// The type of the gates that `activate_prompt` opens.
const PROMPT_ACTIVATION: &str = "prompt_activation";

/// The statement that inserts gate `g`, without the columns that it returns.
const INSERTED: &str = "INSERT INTO orchestrator.gates AS g (project_id, agent_id, gate_type, reason, context) \
         VALUES ($1, $2, $3, $4, $5) RETURNING ";

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
    let opening = Opening::of(project_id, agent_id, gate_type, reason, context)?;
    Ok(opening.open(&INSERT, statements::one)?)
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
/// Since 0.3.0; replaced in 0.7.0.
#[pg_extern(sql = false, volatile)]
fn open_gate_0_3_0(
    project_id: Option<Uuid>,
    agent_id: Option<&str>,
    gate_type: Option<&str>,
    reason: Option<&str>,
    context: default!(Option<Document>, "'{}'"),
) -> Result<Uuid, ErrorReport> {
    static INSERT_AND_DESCRIBE: Statement = Statement::new(concatcp!(INSERTED, EVENT_OF_GATE));
    let opening = Opening::of(project_id, agent_id, gate_type, reason, context)?;
    let (id, event) = opening.open(&INSERT_AND_DESCRIBE, opened)?;
    record("gate_opened", opening.agent_id, event)?;
    Ok(id)
}

/// The parts of an audit event about gate `g`, with its run `r`.
const EVENT_OF_GATE_AND_RUN: &str = "g.id, g.context ->> 'trace_id', \
         jsonb_strip_nulls(jsonb_build_object('gate_id', g.id, 'project_id', g.project_id, \
             'gate_type', g.gate_type, 'agent_id', g.agent_id, 'thread_id', g.thread_id, 'gate_status', r.gate_status)) ";

/// Opens a gate, at which an agent waits until a human decides, and records `gate_opened`. A gate of
/// a run holds the run, as a low safety score does: until the gate is decided, no tool of the run
/// starts and it takes no phase but failed.
///
/// `project_id`: the project, which is stored elsewhere; `agent_id`: the agent that waits;
/// `gate_type`: loop_detected, high_risk, collaboration_deadlock or manual; `reason`: why a human
/// has to decide; `context`: facts for the human, a JSON object. A UUID in its key trace_id becomes
/// the trace of the events. `request_key`: the agent's own key of the question, 500 characters at
/// most. A second call with the same key and the same content returns the first gate, whatever its
/// state, and changes nothing. `thread_id`: the run that waits; NULL for none.
/// Returns: the id of the gate, in state `pending`.
/// Errors: 22004, 22023 unknown type, blank or overlong text, or a context that is not an object,
/// 23505 the key was used with other content, P0002 the thread has no run, 55000 the run has ended.
/// Since 0.7.0.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::too_many_arguments)]
fn open_gate_0_7_0(
    project_id: Option<Uuid>,
    agent_id: Option<&str>,
    gate_type: Option<&str>,
    reason: Option<&str>,
    context: default!(Option<Document>, "'{}'"),
    request_key: default!(Option<&str>, "NULL"),
    thread_id: default!(Option<&str>, "NULL"),
) -> Result<Uuid, ErrorReport> {
    // Runs come before gates in the order of locks.
    static FIRST: Statement = Statement::new(
        "SELECT g.id, concat_ws(', ', CASE WHEN g.project_id <> $1 THEN 'project_id' END, \
            CASE WHEN g.agent_id <> $2 THEN 'agent_id' END, CASE WHEN g.gate_type <> $3 THEN 'gate_type' END, \
            CASE WHEN g.reason <> $4 THEN 'reason' END, CASE WHEN g.context <> $5 THEN 'context' END, \
            CASE WHEN g.thread_id IS DISTINCT FROM $7 THEN 'thread_id' END) \
         FROM orchestrator.orchestrator_runs AS r RIGHT JOIN orchestrator.gates AS g ON r.thread_id = g.thread_id \
         WHERE g.request_key = $6",
    );
    let opening = Opening::of(project_id, agent_id, gate_type, reason, context)?;
    let key = RequestKey::of(request_key)?;
    let thread_id = thread_id.map(|id| arguments::filled("thread_id", Some(id))).transpose()?;
    let [project, agent, kind, reason, context] = opening.parameters();
    let content = [project, agent, kind, reason, context, request_key.into(), thread_id.into()];
    Ok(GATE.ask(key, &FIRST, &content, || insert(opening.agent_id, thread_id, &content))?)
}

/// The event of a gate without a run.
static DESCRIBE: Statement = Statement::new(concatcp!(
    "SELECT ",
    EVENT_OF_GATE,
    "FROM orchestrator.gates AS g WHERE g.id = $1"
));

/// The event of a gate, with its run if it has one.
pub static DESCRIBE_WITH_RUN: Statement = Statement::new(concatcp!(
    "SELECT ",
    EVENT_OF_GATE_AND_RUN,
    "FROM orchestrator.orchestrator_runs AS r RIGHT JOIN orchestrator.gates AS g ON r.thread_id = g.thread_id WHERE g.id = $1"
));

/// Inserts a gate, holds its run, and records it; `None` if another gate has the key.
fn insert(
    agent_id: &str,
    thread_id: Option<&str>,
    content: &[DatumWithOid<'_>],
) -> Result<Option<Uuid>, Error> {
    static INSERT: Statement = Statement::new(
        "INSERT INTO orchestrator.gates AS g (project_id, agent_id, gate_type, reason, context, request_key, thread_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (request_key) WHERE request_key IS NOT NULL DO NOTHING RETURNING g.id",
    );
    let run = thread_id.map(Run::lock_open).transpose()?;
    let Some(id) = INSERT.update(content, statements::one::<Uuid>)? else {
        return Ok(None);
    };
    let describe = match run {
        Some(run) => {
            run.hold(id)?;
            &DESCRIBE_WITH_RUN
        }
        None => &DESCRIBE,
    };
    let (_, event) = describe
        .update(&[id.into()], opened)?
        .ok_or_else(|| Error::no_row(GATE.not_asked, GATE.table))?;
    record("gate_opened", agent_id, event)?;
    Ok(Some(id))
}

/// The id and the event of the gate that a statement returned by its three parts.
fn opened(rows: SpiTupleTable<'_>) -> Result<Option<(Uuid, (Uuid, Document))>, Error> {
    rows::first(rows, |row| Ok((rows::value(row, 1, "gates.id")?, event(row, 1)?)))
}

/// The trace and the metadata of a gate's event, in the columns from `first` on. The trace is the
/// trace_id of the context if that is a UUID, else the id of the gate.
fn event(row: &SpiTupleTable<'_>, first: usize) -> Result<(Uuid, Document), Error> {
    let own = rows::value::<Uuid>(row, first, "gates.id")?;
    let given = rows::optional::<String>(row, first + 1, "gates.context")?;
    let trace_id = given.as_deref().and_then(ids::parsed).unwrap_or(own);
    Ok((trace_id, rows::value(row, first + 2, "gates.context")?))
}

fn record(event_type: &str, role: &str, event: (Uuid, Document)) -> Result<(), Error> {
    let (trace_id, metadata) = event;
    audit::record(Event { event_type, role, trace_id, metadata }).map(|_| ())
}

/// A checked question at a gate.
pub struct Opening<'a> {
    pub project_id: Uuid,
    pub agent_id: &'a str,
    pub gate_type: &'a str,
    pub reason: &'a str,
    pub context: Document,
}

impl<'a> Opening<'a> {
    fn of(
        project_id: Option<Uuid>,
        agent_id: Option<&'a str>,
        gate_type: Option<&'a str>,
        reason: Option<&'a str>,
        context: Option<Document>,
    ) -> Result<Self, Error> {
        Ok(Opening {
            project_id: required("project_id", project_id)?,
            agent_id: arguments::name("agent_id", agent_id)?,
            gate_type: arguments::one_of("gate_type", required("gate_type", gate_type)?, &OPENED)?,
            reason: arguments::filled("reason", reason)?,
            context: jsonb::object_or_empty("context", context)?,
        })
    }

    /// Opens it without a key and a run, and records it.
    pub fn ask(&self) -> Result<Uuid, Error> {
        let [project, agent, kind, reason, context] = self.parameters();
        let none = None::<&str>;
        let content = [project, agent, kind, reason, context, none.into(), none.into()];
        insert(self.agent_id, None, &content)?
            .ok_or_else(|| Error::no_row(GATE.not_asked, GATE.table))
    }

    /// The parameters $1 to $5 of the inserting statements.
    fn parameters(&self) -> [DatumWithOid<'a>; 5] {
        [
            self.project_id.into(),
            self.agent_id.into(),
            self.gate_type.into(),
            self.reason.into(),
            self.context.clone().into(),
        ]
    }

    /// Runs the inserting statement.
    fn open<T>(
        &self,
        statement: &'static Statement,
        read: impl FnOnce(SpiTupleTable<'_>) -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        statement
            .update(&self.parameters(), read)?
            .ok_or_else(|| Error::no_row(GATE.not_asked, GATE.table))
    }
}
