//! The limits of budgets.

use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyNumeric, Uuid};

use super::{PERIODS, Scope, overtaken, usd, windows};
use crate::audit;
use crate::runs::Row;
use crate::server::error::{Error, required};
use crate::server::jsonb::Document;
use crate::server::numbers::decimal;
use crate::server::statements::Statement;
use crate::server::{arguments, backend_state, locks, rows};

/// Sets the limit of a scope and a period, from now on; what is spent in the window stays. A budget counts the calls that
/// are recorded by functions while it stands. Records `budget_set`.
///
/// `limit_usd`: 0 or more, below 10^12; `period`: day, week, month or total, by the UTC clock, a week from Monday;
/// `project_id`, `agent_id`, `thread_id`, `subject`: which calls it is about, NULL for any, names of 500 characters at most;
/// `enforce`: whether reservations are refused beyond the limit; without it the budget only counts; `hold`: the time for
/// which a reservation is kept, longer than zero.
/// Returns: the row.
/// Errors: 22004, 22023 an unknown period, a limit out of range, a blank or overlong name, a time that is not longer than
/// zero, 40001 another transaction set the budget since this one began to read. Since 0.9.2.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::too_many_arguments)]
fn set_budget(
    limit_usd: Option<AnyNumeric>,
    period: Option<&str>,
    project_id: default!(Option<Uuid>, "NULL"),
    agent_id: default!(Option<&str>, "NULL"),
    thread_id: default!(Option<&str>, "NULL"),
    subject: default!(Option<&str>, "NULL"),
    enforce: default!(Option<bool>, "true"),
    hold: default!(Option<Interval>, "'15 minutes'"),
) -> Result<pgrx::composite_type!('static, "orchestrator.budgets"), ErrorReport> {
    let limit = usd("limit_usd", limit_usd)?;
    let period = arguments::one_of("period", required("period", period)?, &PERIODS)?;
    let scope = Scope::of(project_id, agent_id, thread_id, subject)?;
    let hold =
        arguments::positive_length("hold", hold.unwrap_or_else(|| Interval::from_minutes(15)))?;
    Ok(set(&scope, period, limit, enforce.unwrap_or(true), hold)?)
}

/// The form of `set_budget` for a limit that is a float. It is taken as the shortest decimal that reads back the same.
///
/// The arguments, the result and the errors are those of the form for numeric. Since 0.9.2.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::too_many_arguments)]
fn set_budget_0_9_2_float(
    limit_usd: Option<f64>,
    period: Option<&str>,
    project_id: default!(Option<Uuid>, "NULL"),
    agent_id: default!(Option<&str>, "NULL"),
    thread_id: default!(Option<&str>, "NULL"),
    subject: default!(Option<&str>, "NULL"),
    enforce: default!(Option<bool>, "true"),
    hold: default!(Option<Interval>, "'15 minutes'"),
) -> Result<pgrx::composite_type!('static, "orchestrator.budgets"), ErrorReport> {
    let limit_usd = limit_usd.map(decimal).transpose()?;
    set_budget(limit_usd, period, project_id, agent_id, thread_id, subject, enforce, hold)
}

fn set(
    scope: &Scope<'_>,
    period: &str,
    limit: AnyNumeric,
    enforce: bool,
    hold: Interval,
) -> Result<Row, Error> {
    static CHANGE: Statement = Statement::new(
        "UPDATE orchestrator.budgets AS b SET limit_usd = $6, enforce = $7, hold = $8 \
         WHERE b.project_id IS NOT DISTINCT FROM $1 AND b.agent_id IS NOT DISTINCT FROM $2 \
           AND b.thread_id IS NOT DISTINCT FROM $3 AND b.subject IS NOT DISTINCT FROM $4 AND b.period = $5 \
         RETURNING b, b.id, to_jsonb(b)",
    );
    static INSERT: Statement = Statement::new(
        "INSERT INTO orchestrator.budgets AS b (project_id, agent_id, thread_id, subject, period, limit_usd, enforce, hold) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING b, b.id, to_jsonb(b)",
    );
    locks::one_at_a_time("set_budget")?;
    windows::questions_first();
    let [project, agent, thread, subject] = scope.parameters();
    let arguments =
        [project, agent, thread, subject, period.into(), limit.into(), enforce.into(), hold.into()];
    let written = |statement: &'static Statement| {
        statement.update(&arguments, |found| {
            rows::first(found, |row| {
                let budget = rows::value::<Row>(row, 1, "budgets.id")?;
                let id = rows::value::<Uuid>(row, 2, "budgets.id")?;
                Ok((budget, id, rows::value::<Document>(row, 3, "budgets.id")?))
            })
        })
    };
    let changed = written(&CHANGE)?;
    let is_new = changed.is_none();
    let inserted = match changed {
        Some(changed) => Some(changed),
        // The unique index can see a budget that is newer than the snapshot of the transaction.
        None => PgTryBuilder::new(|| written(&INSERT))
            .catch_when(PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION, |_| {
                Err(overtaken("another transaction has set this budget"))
            })
            .execute()?,
    };
    let (row, id, facts) =
        inserted.ok_or_else(|| Error::no_row("the budget could not be set", "budgets"))?;
    if !is_new {
        windows::write_present(id)?;
    }
    audit::record_document("budget_set", &backend_state::caller(), facts)?;
    Ok(row)
}
