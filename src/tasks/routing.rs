//! Tasks routed from one role to another: one task per idempotency key, however many callers use
//! the key at once.

use pgrx::Uuid;
use pgrx::datum::Interval;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::json;

use crate::audit::{self, Event};
use crate::configuration::retention::{self, Lifetime, Unit};
use crate::server::error::{Error, required};
use crate::server::ids::uuidv7;
use crate::server::jsonb::{self, Document};
use crate::server::statements::Statement;
use crate::server::{arguments, repeats, rows, statements};
use crate::tasks::{idempotency_key, unfinished};

/// The types of a routed task. Source: the CHECK of the session persistence schema.
pub const TYPES: [&str; 3] = ["notification", "approval", "routing"];

/// How long an idempotency key stays with its task. Source: IDEMPOTENCY_TTL_SECONDS of the session
/// persistence decisions.
const KEY_LIFETIME: Lifetime =
    Lifetime { key: "idempotency_ttl_seconds", unit: Unit::Seconds, default: 86_400.0 };

/// The content of a routed task.
struct Route<'a> {
    task_type: &'a str,
    description: &'a str,
    from_role: &'a str,
    to_role: &'a str,
    data: Document,
    trace_id: Option<Uuid>,
    idempotency_key: Option<Uuid>,
}

/// Routes a task from one role to another.
///
/// `task_type`: notification, approval or routing; `data`: input for the role, a JSON object;
/// `trace_id`: the trace of the task, NULL begins a new one; `idempotency_key`: a second call with
/// the same key and the same content returns the first task. The trace is compared only if it is
/// given.
/// Returns: the task, and whether this call created it.
/// Errors: 22004, 22023 unknown type, blank text, or data that is not an object, 23505 the key was
/// used with other content. Since 0.3.0.
#[pg_extern(sql = false, volatile)]
fn route_task(
    task_type: Option<&str>,
    description: Option<&str>,
    from_role: Option<&str>,
    to_role: Option<&str>,
    data: default!(Option<Document>, "'{}'"),
    trace_id: default!(Option<Uuid>, "NULL"),
    idempotency_key: default!(Option<Uuid>, "NULL"),
) -> Result<TableIterator<'static, (name!(task_id, Uuid), name!(created, bool))>, ErrorReport> {
    let route = Route {
        task_type: arguments::one_of("task_type", required("task_type", task_type)?, &TYPES)?,
        description: arguments::filled("description", description)?,
        from_role: arguments::filled("from_role", from_role)?,
        to_role: arguments::filled("to_role", to_role)?,
        data: jsonb::object_or_empty("data", data)?,
        trace_id,
        idempotency_key,
    };
    Ok(TableIterator::once(idempotency_key::once(
        "the task could not be inserted",
        || route.insert(),
        || route.first(),
    )?))
}

impl Route<'_> {
    /// The new task; `None` if a task has the key already. Waits for a transaction that uses the
    /// key.
    fn insert(&self) -> Result<Option<Uuid>, Error> {
        static INSERT: Statement = Statement::new(
            "INSERT INTO orchestrator.tasks (title, description, task_type, from_role, to_role, data, trace_id, idempotency_key) \
             VALUES ('', $1, $2, $3, $4, $5, $6, $7) ON CONFLICT (idempotency_key) DO NOTHING RETURNING id",
        );
        let trace_id = self.trace_id.unwrap_or_else(uuidv7);
        let arguments = [
            self.description.into(),
            self.task_type.into(),
            self.from_role.into(),
            self.to_role.into(),
            self.data.clone().into(),
            trace_id.into(),
            self.idempotency_key.into(),
        ];
        let Some(task_id) = INSERT.update(&arguments, statements::one::<Uuid>)? else {
            return Ok(None);
        };
        let mut metadata = json!({
            "task_id": task_id.to_string(),
            "task_type": self.task_type,
            "from_role": self.from_role,
            "to_role": self.to_role,
        });
        if let Some(key) = self.idempotency_key {
            metadata["idempotency_key"] = json!(key.to_string());
        }
        audit::record(Event {
            event_type: "task_routed",
            role: self.from_role,
            trace_id,
            metadata: Document::composed(metadata),
        })?;
        Ok(Some(task_id))
    }

    /// The task that has the key. Errors: 23505 its content differs.
    fn first(&self) -> Result<Option<Uuid>, Error> {
        static FIRST: Statement = Statement::new(
            "SELECT t.id, pg_catalog.concat_ws(', ', \
                CASE WHEN t.task_type IS DISTINCT FROM $2 THEN 'task_type' END, \
                CASE WHEN t.description IS DISTINCT FROM $3 THEN 'description' END, \
                CASE WHEN t.from_role IS DISTINCT FROM $4 THEN 'from_role' END, \
                CASE WHEN t.to_role IS DISTINCT FROM $5 THEN 'to_role' END, \
                CASE WHEN t.data IS DISTINCT FROM $6 THEN 'data' END, \
                CASE WHEN t.trace_id <> $7 THEN 'trace_id' END) \
             FROM orchestrator.tasks AS t WHERE t.idempotency_key = $1",
        );
        let arguments = [
            self.idempotency_key.into(),
            self.task_type.into(),
            self.description.into(),
            self.from_role.into(),
            self.to_role.into(),
            self.data.clone().into(),
            self.trace_id.into(),
        ];
        let Some(key) = self.idempotency_key else { return Ok(None) };
        repeats::first(&FIRST, &arguments, |task_id, names| {
            idempotency_key::used_for_another(key, task_id, names)
        })
    }
}

/// Releases the idempotency keys of ended tasks (completed, failed or cancelled) that were created
/// longer ago than `ttl`, so that the keys can be used again.
/// A task that is pending or running, or that waits for an approval, keeps its key at any age,
/// because a repeated call must find it. Tasks that are locked by another transaction are skipped.
///
/// `ttl`: not negative; NULL means configuration idempotency_ttl_seconds, or 86400 seconds if that
/// is not set. Returns: the number of released keys.
/// Errors: 22023 a negative ttl, or a configuration that is not a number. Since 0.3.0.
#[pg_extern(sql = false, volatile)]
pub fn release_idempotency_keys(
    ttl: default!(Option<Interval>, "NULL"),
) -> Result<i64, ErrorReport> {
    static LOCK: Statement = Statement::new(
        "SELECT k.ctid, k.id FROM ONLY orchestrator.tasks AS k \
         WHERE k.idempotency_key IS NOT NULL AND k.created_at < $1 \
           AND array_position($2, k.status) IS NULL \
         ORDER BY k.created_at, k.id FOR UPDATE SKIP LOCKED",
    );
    // By their places, which are known since the tasks are locked; from a list of unknown length,
    // so that the server does not plan to read the whole table.
    static RELEASE: Statement = Statement::new(
        "UPDATE ONLY orchestrator.tasks AS t SET idempotency_key = NULL \
         WHERE t.ctid = ANY (ARRAY(SELECT unnest($1)))",
    );
    let before = retention::before_or_configured("ttl", ttl, &KEY_LIFETIME)?;
    let ended = LOCK.update(&[before.into(), unfinished::states().into()], |rows| {
        rows::each(rows, |row| {
            let place = rows::value::<pg_sys::ItemPointerData>(row, 1, "tasks.ctid")?;
            Ok((place, rows::value::<Uuid>(row, 2, "tasks.id")?))
        })
    })?;
    let waiting = unfinished::waiting(ended.iter().map(|(_, task)| *task).collect())?;
    let over = ended.into_iter().filter(|(_, task)| !waiting.contains(task.as_bytes()));
    let over: Vec<_> = over.map(|(place, _)| place).collect();
    if over.is_empty() {
        return Ok(0);
    }
    Ok(RELEASE.update(&[over.into()], |rows| Ok(rows.len() as i64))?)
}
